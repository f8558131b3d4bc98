"""Where customer data comes from: a folder of CSV and Parquet files, or the tables of a database. Nothing is written.

Both list what they hold by name, and open one of it as a header and rows.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from outreach.errors import SourceUnreadable
from outreach.intake.csv_files import Source, open_source
from outreach.intake.headers import TABLES
from outreach.intake.mapping import FileMapping
from outreach.intake.parquet_files import open_parquet


class Origin(Protocol):
    """A place of customer data."""

    @property
    def shown(self) -> str: ...

    @property
    def kept(self) -> str | None:
        """What the database remembers of the place besides the names in it: a URL without its password."""
        ...

    @property
    def own_names(self) -> dict[str, str]:
        """Our tables by the names, in lower case, under which they need no mapping."""
        ...

    def names(self, mapped: list[FileMapping]) -> list[str]:
        """What lies there, in order. Raises SourceUnreadable where the place cannot be opened."""
        ...

    def open(
        self, name: str, file: FileMapping | None = None, after: datetime | None = None
    ) -> AbstractContextManager[Source]:
        """One of them, open. With `after` it may leave out rows that changed on an earlier day, but need not."""
        ...


@dataclass(frozen=True)
class Folder:
    path: Path
    kept: None = None

    @property
    def shown(self) -> str:
        return str(self.path)

    @property
    def own_names(self) -> dict[str, str]:
        return {f"{table}{ending}": table for table in TABLES for ending in (".csv", ".parquet")}

    def names(self, mapped: list[FileMapping]) -> list[str]:
        if queries := [file.name[0] for file in mapped if file.query]:
            raise SourceUnreadable(f"The mapping has a query for “{queries[0]}”, and only a database can answer it")
        if self.path.is_file():
            raise SourceUnreadable(f"{self.path} is a file; give the folder it lies in: outreach import FOLDER")
        try:
            # Without hidden files: they are the system's and not the business's.
            return sorted(path.name for path in self.path.iterdir() if not path.name.startswith("."))
        except OSError as error:
            raise SourceUnreadable(f"The folder {self.path} cannot be opened ({error.strerror})") from error

    def open(
        self, name: str, file: FileMapping | None = None, after: datetime | None = None
    ) -> AbstractContextManager[Source]:
        if name.casefold().endswith(".parquet"):
            return open_parquet(self.path / name)
        encoding, separator = (file.encoding, file.separator) if file else (None, None)
        return open_source(self.path / name, encoding, separator)
