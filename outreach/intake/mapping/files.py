"""Reads a mapping file, which says which of their columns are ours; one may extend a preset of ours.

It names each place that does not fit in the words of the file, and with an unknown word the nearest that is known.
"""

import codecs
import hashlib
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from outreach.errors import MappingRefused
from outreach.intake.mapping.columns import From, LookUp
from outreach.intake.mapping.conditions import Condition
from outreach.intake.mapping.draft_parts import MARK
from outreach.intake.mapping.extension import extend
from outreach.intake.mapping.language import DateFormats, MappingPart, OneOrMore, Zone, as_list, is_encoding
from outreach.intake.mapping.nearest_names import add_nearest
from outreach.intake.mapping.tables import TableMapping
from outreach.local_files import read_regular

ANY_NAME = ["*"]
MAPPING_ENDING = ".toml"
PRESETS = Path(__file__).parent.parent / "presets"


class FileMapping(MappingPart):
    """One file, or all that match a pattern, and the tables it feeds; in a database, a table, a view or a query."""

    #: By which an extending mapping names this part.
    called: str = ""
    #: Names, or patterns such as `invoices-*.csv`; every file, where `header_has` tells which.
    name: OneOrMore = ANY_NAME
    #: The SELECT that its rows come from; only a database has one.
    query: str | None = None
    #: The header is the first line that names all of these columns; lines above it are passed over.
    header_has: Annotated[list[str], BeforeValidator(as_list)] = []
    #: The names of the columns of a file that has no header.
    header: list[str] = []
    #: Columns that the file may lack, which are then empty; true for all of them.
    may_lack: bool | list[str] = False
    #: The column that says when a row changed.
    changed: str | None = None
    encoding: str | None = None
    #: A space stands for any number of them.
    separator: Literal[",", ";", "\t", "|", " "] | None = None
    decimal: Literal[".", ","] = "."
    dates: DateFormats = []
    #: The zone of instants that name none; without it they are the business's own time.
    zone: Zone = None
    #: What stands in a cell that means nothing.
    empty: list[str] = []
    #: Taken off both ends of every cell, such as the ' that some programs put before numbers.
    strip: str = ""
    table: Annotated[list[TableMapping], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_known_by_something(self) -> "FileMapping":
        if self.name == ANY_NAME and not self.header_has:
            raise ValueError("give “name”, or “header_has” with columns by which the file is known")
        if self.query and len(self.name) != 1:
            raise ValueError("a query has one name, by which its rows are counted")
        if self.header and self.header_has:
            raise ValueError("a file without a header has no “header_has”")
        return self

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is not None and not is_encoding(value):
            raise ValueError("is not the name of an encoding, such as utf-8 or cp1252")
        return codecs.lookup(value).name if value is not None else None


class Mapping(MappingPart):
    """All of a mapping file."""

    #: What the system calls itself, in a preset.
    title: str = ""
    #: The tables by which its database is recognised, in a preset.
    tables: list[str] = []
    file: Annotated[list[FileMapping], Field(min_length=1)]
    #: The hash of the file, and of the preset it extends; empty for our own format, which needs no mapping.
    sha256: str = ""
    #: What its file is called.
    written_in: str = ""
    #: How many of its lines still have the mark of a draft.
    marks: int = 0


def list_presets() -> list[str]:
    """The names of the presets, such as shopify."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def list_saved(folder: Path) -> dict[str, Mapping]:
    """The mappings in a folder that can be read, by the names of their files."""
    found: dict[str, Mapping] = {}
    for path in sorted(folder.glob(f"*{MAPPING_ENDING}")):
        # Half-written by hand: whoever names it is told what is wrong with it.
        with suppress(MappingRefused):
            found[path.name] = read_mapping(path)
    return found


def preset_path(name: str) -> Path:
    """Raises MappingRefused for a name that is none of them."""
    known = list_presets()
    if name not in known:
        raise MappingRefused(add_nearest(f"There is no preset “{name}”; there are {', '.join(known)}", name, known))
    return PRESETS / f"{name}.toml"


# The desk asks at every page of an import, and they come with the program.
@cache
def read_preset(name: str) -> Mapping:
    """Raises MappingRefused for a name that is none of them."""
    return read_mapping(preset_path(name))


def read_mapping(path: Path) -> Mapping:
    """Raises MappingRefused with each place that does not fit, in the words of the file."""
    content = _read(path)
    written, digest = _parse(path, content), hashlib.sha256(content)
    if "extends" in written:
        base = preset_path(str(written.pop("extends")))
        preset = _read(base)
        digest.update(preset)
        written = extend(_parse(base, preset), written)
    try:
        known = {"sha256": digest.hexdigest(), "written_in": path.name, "marks": content.count(MARK.encode())}
        return Mapping.model_validate(written | known)
    except ValidationError as error:
        lines = [f"  {_place(e['loc'])}: {_say(e)}" for e in error.errors()]
        raise MappingRefused(f"The mapping {path} does not fit (see docs/mappings.md):\n" + "\n".join(lines)) from error


def _read(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        raise MappingRefused(f"The mapping {path} cannot be opened ({error.strerror})") from error


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        # Some editors put a byte-order mark first, and TOML has none.
        return tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingRefused(f"The mapping {path} is not TOML: {error}") from error


def _place(location: tuple[int | str, ...]) -> str:
    """`file 1, table 2, columns, due_on`: counted as a person counts."""
    words = [f" {part + 1}" if isinstance(part, int) else f", {part}" for part in location]
    return "".join(words).removeprefix(", ") or "the file"


# Which part of the language has the words that may stand at a place; the deepest name of the place decides.
_PARTS: dict[str, type[MappingPart]] = {
    "table": TableMapping, "file": FileMapping, "only": Condition, "look_up": LookUp, "columns": From,
    "first_of": From, "": Mapping,
}  # fmt: skip


def _say(fault: Any) -> str:
    """What is wrong at one place; of a word that is unknown, also which known one is nearest."""
    if fault["type"] != "extra_forbidden":
        return str(fault["msg"]).removeprefix("Value error, ")
    known = [field.alias or name for name, field in _part_at(fault["loc"]).model_fields.items()]
    return add_nearest("this word is not known here", str(fault["loc"][-1]), known)


def _part_at(location: Sequence[int | str]) -> type[MappingPart]:
    names = [str(part) for part in location[:-1] if part in _PARTS]
    return _PARTS[names[-1] if names else ""]
