"""Recognises whose export a folder or a database is, by the names of columns and tables that only one system writes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from outreach.errors import NotRecognised, SettingsError
from outreach.intake.feeds import own_name
from outreach.intake.headers import TABLES
from outreach.intake.mapping.files import MAPPING_ENDING, Mapping, list_presets, list_saved, read_mapping, read_preset
from outreach.intake.sources.origins import Origin

#: The first lines of a file, or of a table, by its name: the text of their cells, folded.
Lines = Callable[[str], list[frozenset[str]]]


@dataclass(frozen=True, order=True)
class Likeness:
    """How much of a place a preset knows."""

    #: Files, or tables, that are this system's.
    files: int
    #: Columns of them that are named in it.
    columns: int
    preset: str


def choose_mapping(
    origin: Origin,
    tell: Callable[[str], None],
    saved: Path,
    preset: str | None = None,
    mapping: Path | None = None,
) -> Mapping | None:
    """How a place is read: by what is named, else as what is recognised; none for our own format.

    The mappings in the folder `saved` are recognised as presets are. Raises SettingsError where both are named,
    MappingRefused, and NotRecognised where nothing is known of the place.
    """
    if preset and mapping:
        raise SettingsError("Give --as NAME or --mapping FILE; a mapping of your own may say extends = “NAME”")
    if preset or mapping:
        return read_preset(preset) if preset else read_mapping(mapping or Path())
    names = origin.names([])
    lines = cache(lambda name: _folded(origin.peek(name)))
    # Stripe and Square call files as we do, so a name alone tells nothing while some system's columns stand below it.
    if any(_is_own(origin, name, lines) for name in names):
        return None
    known = {each: read_preset(each) for each in list_presets()} | list_saved(saved)
    name = _find(origin, names, lines, known)
    if name is None:
        return None
    how = f"--mapping {saved / name}" if name.endswith(MAPPING_ENDING) else f"--as {name}"
    tell(f"This looks like {known[name].title or name}: read as with {how}")
    return known[name]


def _find(origin: Origin, names: Sequence[str], lines: Lines, known: dict[str, Mapping]) -> str | None:
    found = _best(origin, names, lines, known)
    # A mapping that extends a preset knows the same files, and says better how this business means them.
    found = [name for name in found if name.endswith(MAPPING_ENDING)] or found
    if len(found) == 1:
        return found[0]
    if not found and any(_looks_own(origin, name, lines) for name in names):
        return None
    if found:
        raise NotRecognised(
            f"{origin.shown} may come from any of {', '.join(found)}; say which: --as {found[0]}, for example"
        )
    raise NotRecognised(
        f"Nothing in {origin.shown} has our names of files and columns (docs/data.md), and no system is recognised in "
        f"it: {', '.join(list_presets())}. For another, match the columns at the desk; or propose a mapping with "
        f"“outreach mapping draft {origin.shown} --to my.toml”, mend it, and give it: --mapping FILE"
    )


def _is_own(origin: Origin, name: str, lines: Lines) -> bool:
    """Whether a file, or a table, has one of our names and the columns that a row of ours cannot do without."""
    into = origin.own_names.get(own_name(name))
    return into is not None and any(_required(into) <= line for line in lines(name))


def _looks_own(origin: Origin, name: str, lines: Lines) -> bool:
    """Whether it has one of our names, and enough of our columns for what it lacks to be a fault.

    Other systems have lists of customers and invoices too, and call them so.
    """
    into = origin.own_names.get(own_name(name))
    if into is None:
        return False
    ours = {column.name for column in TABLES[into].columns}
    filled = [line - {""} for line in lines(name)]
    # “Amount” is a word of everybody's, an id is not.
    ids = {name for name in _required(into) if name.endswith("_id")}
    return not filled or any(ids & line or len(line & ours) * 2 > len(line) for line in filled)


def _required(into: str) -> set[str]:
    return {column.name for column in TABLES[into].columns if column.required}


def _best(origin: Origin, names: Sequence[str], lines: Lines, mappings: dict[str, Mapping]) -> list[str]:
    """The mappings that know most of the place: one, none, or several that know it equally well."""
    rows = {} if origin.has_queries else {name: lines(name) for name in names}
    known = [_weigh(each, mapping, set(names), rows) for each, mapping in mappings.items()]
    most = max(known, key=lambda each: (each.files, each.columns), default=None)
    if most is None or not most.files:
        return []
    return [each.preset for each in known if (each.files, each.columns) == (most.files, most.columns)]


def _folded(rows: Sequence[Sequence[str]]) -> list[frozenset[str]]:
    return [frozenset(cell.strip().casefold() for cell in row) for row in rows]


def _weigh(preset: str, mapping: Mapping, names: set[str], rows: dict[str, list[frozenset[str]]]) -> Likeness:
    tables = [name for name in mapping.tables if name in names]
    if mapping.tables and len(tables) == len(mapping.tables):
        return Likeness(len(tables), len(tables), preset)
    files: dict[str, int] = {}
    for part in mapping.file:
        wanted = {name.strip().casefold() for name in part.header_has}
        for name, lines in rows.items():
            if wanted and any(wanted <= line for line in lines):
                files[name] = max(files.get(name, 0), len(wanted))
    return Likeness(len(files), sum(files.values()), preset)
