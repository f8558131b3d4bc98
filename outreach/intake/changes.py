"""Finds the rows that changed since an earlier import, and remembers up to which change a source has been read.

A row that does not say when it changed is always read; a row that was deleted is never seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func
from sqlmodel import col, select

from outreach.clock import parse_day
from outreach.database import reading
from outreach.intake.cells.parsers import Style, instant
from outreach.intake.cells.unfit import Unfit
from outreach.intake.mapping.files import FileMapping
from outreach.models import Import

OUR_COLUMN = "updated_at"
# A row may bear the time at which its transaction began, and be seen only when that has ended.
OVERLAP = timedelta(hours=1)
MOST_KNOWN = 1 << 14
Since = datetime | Literal["last"] | None


def read_since(written: str | None, timezone: str) -> Since:
    """The word `last`, or the beginning of a day where the business is. Raises SettingsError for anything else."""
    if written is None:
        return None
    if written == "last":
        return "last"
    return datetime.combine(parse_day(written), time(), ZoneInfo(timezone))


def column_of_changes(header: Sequence[str], file: FileMapping | None) -> str | None:
    """The column that says when a row changed: the one the mapping names, and `updated_at` in our own format."""
    wanted = (file.changed if file else OUR_COLUMN) or ""
    names = [name for name in header if name.strip().casefold() == wanted.casefold()]
    return names[0] if len(names) == 1 else None


def find_mark(engine: Engine, kept: Import) -> datetime | None:
    """Up to where the source of this import was read before; none when it never was to its end by the same mapping."""
    with reading(engine) as session:
        same = (
            col(Import.origin).is_not_distinct_from(kept.origin),
            col(Import.file) == kept.file,
            col(Import.table_name) == kept.table_name,
            col(Import.mapping).is_not_distinct_from(kept.mapping),
        )
        mark = session.exec(select(func.max(Import.changed_until)).where(*same)).one()
    return mark - OVERLAP if mark else None


@dataclass
class Changes:
    """The changes of one source as they are read."""

    #: The column that says when a row changed; None where there is none.
    position: int | None
    style: Style
    #: The oldest change to take.
    after: datetime | None
    #: The newest change so far.
    latest: datetime | None = None
    #: Whether rows that bear this text are wanted: in most files many changed on one day.
    _known: dict[str, bool] = field(default_factory=dict)

    def wants(self, cells: Sequence[str]) -> bool:
        if self.position is None:
            return True
        text = cells[self.position]
        if text not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[text] = self._read(text)
        return self._known[text]

    def _read(self, text: str) -> bool:
        try:
            at = instant(text.strip(), self.style)
        except Unfit:
            return True
        self.latest = max(self.latest or at, at)
        return self.after is None or at >= self.after
