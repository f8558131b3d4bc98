"""Works out whether an instant lies within hours of the day in every zone of a list, and from when to when it does.

Pure arithmetic of clocks: an hour that is skipped is shifted forward, and of one that comes twice the first counts.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

A_DAY = 1440
# Long enough for the longest row of holidays; whoever is closed for longer has no hours at all.
_LOOKS_AHEAD = (2, 21)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Barred:
    """Minutes of the day, on some weekdays (Monday is 0), at which somebody must not be reached."""

    weekdays: frozenset[int] = frozenset(range(7))
    begins: int = 0
    ends: int = A_DAY


@dataclass(frozen=True)
class Hours:
    """From minute `opens` of the day until before minute `closes`, by the clock on the wall, on open days."""

    opens: int = 0
    closes: int = A_DAY
    closed_weekdays: frozenset[int] = frozenset()
    holidays: Container[date] = frozenset()
    barred: tuple[Barred, ...] = ()

    def within(self, opens: int, closes: int) -> "Hours":
        """These hours, and no others than from `opens` until `closes`."""
        kept = max(self.opens, opens), min(self.closes, closes)
        return Hours(*kept, self.closed_weekdays, self.holidays, self.barred)

    def hold_at(self, wall: datetime) -> bool:
        """Whether they hold when the clock on the wall shows `wall`."""
        minute, weekday = wall.hour * 60 + wall.minute, wall.weekday()
        return (
            self.opens <= minute < self.closes
            and weekday not in self.closed_weekdays
            and wall.date() not in self.holidays
            and not any(weekday in part.weekdays and part.begins <= minute < part.ends for part in self.barred)
        )


ALWAYS = Hours()


@dataclass(frozen=True)
class Leave:
    """When a message may leave."""

    #: The first instant at which it may; without one it never may.
    at: datetime | None
    #: It must have left before; without one it always may.
    until: datetime | None = None


def instant_of(day: date, minute: int, zone: str) -> datetime:
    """The one instant, in UTC, at which a zone's clocks show `minute` of `day`.

    One that a clock change skips is shifted forward by what it skips; of one that comes twice it is the first.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def is_open(at: datetime, zones: Iterable[str], hours: Hours) -> bool:
    """Whether the hours hold at this instant in every one of the zones."""
    return all(hours.hold_at(at.astimezone(ZoneInfo(zone))) for zone in zones)


def find_leave(at: datetime, zones: Sequence[str], hours: Hours, at_least: timedelta = timedelta(0)) -> Leave:
    """The first stretch, from `at` on, that is legal in every zone and still lasts `at_least`."""
    if hours == ALWAYS:
        return Leave(at)
    last = at + timedelta(days=_LOOKS_AHEAD[-1])
    while at <= last and (begins := _first(at, zones, hours, True)):
        until = _first(begins, zones, hours, False)
        if until is None or until - begins >= at_least:
            return Leave(begins, until)
        at = until
    return Leave(None)


def _first(at: datetime, zones: Sequence[str], hours: Hours, wanted: bool) -> datetime | None:
    """The first instant from `at` on at which the hours hold everywhere, or do not; None where that is not in sight."""
    if is_open(at, zones, hours) == wanted:
        return at
    # Two days first, which nearly always have the answer: each further day costs an edge for every mark and zone.
    for days in _LOOKS_AHEAD:
        end = at + timedelta(days=days)
        edges = sorted({edge for zone in zones for edge in _edges(zone, hours, at, end) if at < edge <= end})
        if first := next((edge for edge in edges if is_open(edge, zones, hours) == wanted), None):
            return first
    return None


def _edges(zone: str, hours: Hours, start: datetime, end: datetime) -> Iterator[datetime]:
    """Each instant at which a zone may enter or leave the hours: their marks on the wall, and changes of its clocks."""
    place = ZoneInfo(zone)
    marks = {0, hours.opens, hours.closes, *(mark for part in hours.barred for mark in (part.begins, part.ends))}
    # Some days more than asked for: the date of the zone may be another, and its clocks may be changed on the way.
    first = start.astimezone(place).date() - timedelta(days=1)
    days = [first + timedelta(days=ahead) for ahead in range((end - start).days + 4)]
    walls = [datetime.combine(day, time()) + timedelta(minutes=mark) for day in days for mark in marks]
    # With both folds: an hour that comes twice has its edges in each.
    edges = sorted({wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for wall in walls for fold in (0, 1)})
    yield from edges
    for before, after in pairwise(edges):
        if before.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
            yield _change(place, before, after)


def _change(place: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which a zone's clocks are changed, between two instants of different offsets."""
    # zoneinfo does not tell when clocks are changed, so that the second must be searched for.
    offset = before.astimezone(place).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(place).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
