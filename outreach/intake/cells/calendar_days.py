"""Decides which dates a column can hold. A day that cannot be meant is read as what it means, or as no day at all.

Programs write something where they know nothing (1900-01-01, 9999-12-31), and two-digit years come out a century off.
Nobody is greeted, and nobody is dunned, on such a day. A reason never repeats what stood in the cell.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from outreach.clock import anniversary_in
from outreach.intake.cells.date_formats import complete_year, read_moment
from outreach.intake.cells.parsers import Style, to_day, to_instant
from outreach.intake.cells.unfit import NOT_USED, NoDay, Remark

# What programs write for "no date": the first day that a database, a spreadsheet or a clock can write.
LONG_AGO = frozenset(
    date.fromisoformat(day)
    for day in (
        "0001-01-01", "0001-01-02", "0001-01-03", "1582-10-15", "1600-01-01", "1601-01-01", "1753-01-01", "1800-01-01",
        "1858-11-17", "1899-12-30", "1899-12-31", "1900-01-01", "1900-01-02", "1901-01-01", "1904-01-01",
    )
)  # fmt: skip
# The first second of the clocks of Unix, also as it falls west of Greenwich. Much else was done on these days.
EPOCH = frozenset({date(1969, 12, 31), date(1970, 1, 1)})
# From here on: 2099-12-31, 9999-12-31 and whatever else is written for "never".
FIRST_YEAR_OF_NEVER = 2099
# The first day of what has stood ever since anybody knows.
EVER = date(1900, 1, 1)
DEFAULT = "the date is one that programs write where they know none"


@dataclass(frozen=True)
class DayCheck:
    """Reads a day, or an instant, of one column."""

    #: Reads an instant, and else a day.
    instant: bool = False
    #: It cannot lie after today. A day's grace is given: their today may be ahead of ours.
    past: bool = False
    #: It cannot lie so many years back, or more.
    years: int = 0
    #: A default says that there is no end, and is read as empty.
    opens: bool = False
    #: A default of long ago says that it has stood ever since, and is kept.
    since_ever: bool = False
    #: It cannot be the first day of the clocks of Unix.
    epoch: bool = False

    def __call__(self, text: str, style: Style) -> date | None:
        """Raises NoDay for a date that cannot be meant, Unfit for what is no date."""
        value = self.read(text, style, self.past)
        self.require_possible(value, style)
        return value

    def read(self, text: str, style: Style, past: bool) -> date | None:
        """The day as it is written, whether or not the column can hold it; `past` says which of two years is meant."""
        when = read_moment(text, style.dates)
        written = when.date() if isinstance(when, datetime) else when
        if when.year < FIRST_YEAR_OF_NEVER and self._is_of_long_ago(written):
            if not self.since_ever:
                return self._read_default()
            when = EVER
        elif when.year >= FIRST_YEAR_OF_NEVER:
            return self._read_default()
        when = complete_year(when, style.today, past)
        return to_instant(when, style) if self.instant else to_day(when, style)

    def require_possible(self, value: date | None, style: Style) -> None:
        """Raises NoDay for a day that the column cannot hold."""
        if value is not None and style.today:
            self._require_possible(value.date() if isinstance(value, datetime) else value, style.today)

    def _is_of_long_ago(self, written: date) -> bool:
        return written in LONG_AGO or (written in EPOCH and self.epoch)

    def _read_default(self) -> date | None:
        if self.opens:
            return None
        raise NoDay(DEFAULT)

    def _require_possible(self, day: date, today: date) -> None:
        if self.past and day > today + timedelta(days=1):
            raise NoDay("the date lies after today")
        if self.years and day <= anniversary_in(today, today.year - self.years):
            raise NoDay(f"the date lies {self.years} years back, or more")


# In the words of the columns that use them.
DAY = DayCheck()
PAST_DAY = DayCheck(past=True)
BIRTH = DayCheck(past=True, years=120)
BEGINNING = DayCheck(past=True, years=100, epoch=True)
# A death with a date ahead of today is a slip of the pen about a death.
DEATH = DayCheck()
FROM_DAY, UNTIL_DAY = DayCheck(since_ever=True), DayCheck(opens=True)
INSTANT = DayCheck(instant=True)
# Words of customers: a withdrawal whose day nobody knows still stands, and of an end long ago nothing is left.
SAID_AT, EXPIRY = DayCheck(instant=True, since_ever=True), DayCheck(instant=True, since_ever=True, opens=True)


def drop_beginning_before_birth(record: dict[str, Any]) -> Iterator[Remark]:
    """Empties customer_since where it lies before born_on; yields why."""
    born_on, since = record.get("born_on"), record.get("customer_since")
    if born_on and since and since < born_on:
        record["customer_since"] = None
        yield Remark("customer_since", f"the date lies before their birth; {NOT_USED}")
