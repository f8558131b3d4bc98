"""Opens what somebody names as the source of an import: a database's URL, a file of SQLite, a folder or a file."""

from pathlib import Path

from outreach.errors import SourceUnreadable
from outreach.intake.mapping.language import is_encoding
from outreach.intake.sources.database_tables import open_tables
from outreach.intake.sources.origins import Folder, Origin
from outreach.intake.sources.spreadsheets import ENDINGS

#: What the files of tables are called by, of which a database is none.
FILE_ENDINGS = frozenset({".csv", ".tsv", ".txt", ".gz", ".zip", ".parquet", *ENDINGS})
# The first bytes of a database of SQLite: https://www.sqlite.org/fileformat.html
_SQLITE = b"SQLite format 3\0"


def open_origin(source: str, encoding: str | None = None) -> Origin:
    """The place; `encoding` is that of its files of text, where somebody knows it.

    Raises SourceUnreadable for a URL that is no database's, and for what is no encoding; a folder is looked at only
    when it is read.
    """
    if encoding is not None and not is_encoding(encoding):
        raise SourceUnreadable(f"“{encoding}” is not the name of an encoding, such as utf-8 or cp1252")
    if "://" in source:
        return open_tables(source)
    path = Path(source)
    # A folder with a database and no other file of data, such as a dump and what it was loaded into.
    files = [path] if path.is_file() else sorted(path.glob("*.db")) if path.is_dir() else []
    if len(files) == 1 and _is_sqlite(files[0]) and not _has_tables(path):
        return open_tables(f"sqlite:///{_quote(files[0])}")
    return Folder(path, encoding)


def _quote(path: Path) -> str:
    """The path as it must stand in a URL, in which these letters mean something."""
    return str(path).replace("%", "%25").replace("?", "%3F").replace("#", "%23")


def _has_tables(path: Path) -> bool:
    return path.is_dir() and any(file.suffix.casefold() in FILE_ENDINGS for file in path.iterdir())


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as handle:
            return handle.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False
