"""Asks what time it is, which no other module may do, and does the arithmetic of business days.

Instants are aware and in UTC; dates are the business's local dates. Everything else is given them as arguments.
"""

import time as machine
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from outreach.errors import SettingsError

Clock = Callable[[], datetime]
# By how much the clocks of two machines may differ. What was written down as later than that was written by a clock
# that was wrong.
CLOCKS_DIFFER = timedelta(minutes=10)


def system_clock() -> datetime:
    return datetime.now(UTC)


def steady_seconds() -> float:
    """Seconds on a clock that nobody sets and that goes on while the machine sleeps: only differences mean anything."""
    # macOS has no CLOCK_BOOTTIME; its monotonic clock goes on in sleep as it is.
    return machine.clock_gettime(getattr(machine, "CLOCK_BOOTTIME", machine.CLOCK_MONOTONIC))


@dataclass(frozen=True)
class StoppedClock:
    """A clock that always shows `instant`: its hours pass only where somebody says so."""

    instant: datetime

    def __call__(self) -> datetime:
        return self.instant


def stopped_clock(instant: datetime) -> Clock:
    """A clock that always shows `instant`: what `--now` gives every command."""
    return StoppedClock(instant)


def read_clock(text: str | None) -> Clock:
    """The clock that always shows the instant that `text` writes, or the system's where there is no text."""
    return stopped_clock(parse_instant(text)) if text else system_clock


def parse_day(text: str) -> date:
    """The date written as 2026-11-22; raises SettingsError for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"“{text}” is not a day; write it as 2026-11-22") from error


def parse_instant(text: str) -> datetime:
    """The instant written as 2026-11-22T10:00Z, UTC without a zone; raises SettingsError for anything else."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"“{text}” is not an instant; write it as 2026-11-22T10:00Z") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def business_date(instant: datetime, timezone: str) -> date:
    return instant.astimezone(ZoneInfo(timezone)).date()


def instant_at(day: date, hour: int, timezone: str) -> datetime:
    """The UTC instant of `hour` o'clock on a business date; an hour that a clock change skips moves forward."""
    return datetime.combine(day, time(hour), ZoneInfo(timezone)).astimezone(UTC)


def add_business_days(day: date, days: int) -> date:
    """The date `days` Mondays-to-Fridays after `day` (before it, when negative). Public holidays count as work days."""
    step = timedelta(days=1 if days >= 0 else -1)
    remaining = abs(days)
    while remaining:
        day += step
        remaining -= day.weekday() < 5
    return day


def years_between(earlier: date, later: date) -> int:
    """Whole years completed; someone born on 29 February completes one on 28 February of a common year."""
    birthday = anniversary_in(earlier, later.year)
    return later.year - earlier.year - (later < birthday)


def anniversary_in(day: date, year: int) -> date:
    """The day on which `day` is kept in `year`: 29 February is kept on the 28th in common years."""
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)
