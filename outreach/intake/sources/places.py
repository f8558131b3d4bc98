"""Opens what somebody names as the source of an import: a database's URL, a file of SQLite, a folder or a file."""

from pathlib import Path

from outreach.intake.sources.database_tables import open_tables
from outreach.intake.sources.origins import Folder, Origin

# The first bytes of a database of SQLite: https://www.sqlite.org/fileformat.html
_SQLITE = b"SQLite format 3\0"


def open_origin(source: str) -> Origin:
    """Raises SourceUnreadable for a URL that is no database's; a folder is looked at only when it is read."""
    if "://" in source:
        return open_tables(source)
    path = Path(source)
    if path.is_file() and _is_sqlite(path):
        return open_tables(f"sqlite:///{path}")
    return Folder(path)


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as handle:
            return handle.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False
