"""Where customer data comes from: a file, a folder or a zip of files, or the tables of a database. Nothing is written.

All list what they hold by name, and open one of it as a header and rows.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

from outreach.errors import SourceUnreadable
from outreach.intake.headers import TABLES
from outreach.intake.mapping.files import FileMapping
from outreach.intake.sources.archives import list_members, unpack_gzip, unpack_member
from outreach.intake.sources.csv_files import ANYHOW, MOST_TITLES, Layout, Source, open_source, peek_rows
from outreach.intake.sources.parquet_files import open_parquet
from outreach.intake.sources.spreadsheets import ENDINGS, list_sheets, open_sheet

# Between a workbook, or a zip, and what of it is meant.
SHEET, MEMBER = "#", ".zip/"


class Origin(Protocol):
    """A place of customer data."""

    @property
    def shown(self) -> str: ...

    @property
    def kept(self) -> str | None:
        """What the database remembers of the place besides the names in it: a URL without its password."""
        ...

    @property
    def has_queries(self) -> bool:
        """Whether a query can be asked of it."""
        ...

    @property
    def own_names(self) -> dict[str, str]:
        """Our tables by the names, in lower case, under which they need no mapping."""
        ...

    def names(self, mapped: list[FileMapping]) -> list[str]:
        """What lies there, in order. Raises SourceUnreadable where the place cannot be opened."""
        ...

    def peek(self, name: str) -> list[list[str]]:
        """The first rows of one of them, or of a table the names of its columns; none of what cannot be read."""
        ...

    def open(
        self, name: str, file: FileMapping | None = None, after: datetime | None = None
    ) -> AbstractContextManager[Source]:
        """One of them, open. With `after` it may leave out rows that changed on an earlier day, but need not."""
        ...


@dataclass(frozen=True)
class Folder:
    """A folder of files, or one file."""

    path: Path
    #: That of every file of text in it; None where each says its own, or it is found out.
    encoding: str | None = None
    kept: None = None
    has_queries: bool = False

    @property
    def shown(self) -> str:
        return str(self.path)

    @property
    def own_names(self) -> dict[str, str]:
        plain = {f"{table}{ending}": table for table in TABLES for ending in (".csv", ".parquet", *ENDINGS)}
        return plain | {f"{table}.csv.gz": table for table in TABLES}

    @property
    def _root(self) -> Path:
        return self.path.parent if self.path.is_file() else self.path

    def names(self, mapped: list[FileMapping]) -> list[str]:
        queries = [file.name[0] for file in mapped if file.query]
        if queries and len(queries) == len(mapped):
            raise SourceUnreadable(f"The mapping has a query for “{queries[0]}”, and only a database can answer it")
        try:
            files = [self.path] if self.path.is_file() else list(self.path.iterdir())
        except OSError as error:
            raise SourceUnreadable(f"The folder {self.path} cannot be opened ({error.strerror})") from error
        return sorted(name for file in files if not file.name.startswith(".") for name in _parts(file))

    def peek(self, name: str) -> list[list[str]]:
        try:
            with self._unpacked(name) as (path, sheet):
                if path.suffix.casefold() in {".parquet", *ENDINGS}:
                    with _open_file(path, sheet, Layout(header=("",))) as source:
                        # In Parquet the columns have names of their own, and no row has them.
                        named = [] if path.suffix.casefold() in ENDINGS else [source.header]
                        return named or [row.cells for row in islice(source.rows, MOST_TITLES)]
                return peek_rows(path, self.encoding)
        except SourceUnreadable:
            return []

    @contextmanager
    def open(self, name: str, file: FileMapping | None = None, after: datetime | None = None) -> Iterator[Source]:
        layout = layout_of(file)
        layout = replace(layout, encoding=self.encoding or layout.encoding)
        with self._unpacked(name) as (path, sheet), _open_file(path, sheet, layout) as source:
            yield source

    @contextmanager
    def _unpacked(self, name: str) -> Iterator[tuple[Path, str]]:
        """The plain file that a name stands for, and the sheet in it that is meant."""
        archive, is_member, member = name.partition(MEMBER)
        inner = member if is_member else name
        whole, _, sheet = (inner, "", "") if (self._root / inner).exists() else inner.partition(SHEET)
        if is_member:
            with unpack_member(self._root / f"{archive}.zip", whole) as path:
                yield path, sheet
        elif whole.casefold().endswith(".gz"):
            with unpack_gzip(self._root / whole) as path:
                yield path, sheet
        else:
            yield self._root / whole, sheet


def layout_of(file: FileMapping | None) -> Layout:
    if file is None:
        return ANYHOW
    return Layout(file.encoding, file.separator, tuple(file.header_has), tuple(file.header))


def _parts(file: Path) -> list[str]:
    """The names under which a file, or what is in it, can be opened; one that cannot be looked into has its own."""
    try:
        if file.suffix.casefold() == ".zip":
            return [f"{file.stem}{MEMBER}{member}" for member in list_members(file)]
        if file.suffix.casefold() in ENDINGS and len(sheets := list_sheets(file)) > 1:
            return [f"{file.name}{SHEET}{sheet}" for sheet in sheets]
    except SourceUnreadable:
        pass
    return [file.name]


@contextmanager
def _open_file(path: Path, sheet: str, layout: Layout) -> Iterator[Source]:
    ending = path.suffix.casefold()
    if ending == ".parquet":
        with open_parquet(path) as source:
            yield source
    elif ending in ENDINGS:
        with open_sheet(path, sheet, layout) as source:
            yield source
    else:
        with open_source(path, layout) as source:
            yield source
