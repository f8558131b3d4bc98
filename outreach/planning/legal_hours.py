"""Finds from when until when each message may leave, by its recipient's own clock. Writes nothing.

Whoever told us of hours that do not suit (a flag `inconvenient`) is left alone in them. Letters have no hours.
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

import holidays
from sqlmodel import Session, col, select

from outreach.channels import EMAIL, LETTER
from outreach.models import Customer, Flag, Message
from outreach.moments import MOMENTS
from outreach.planning.hours import ALWAYS, Barred, Hours, Leave, find_leave
from outreach.planning.time_zones import plausible_zones, region_of
from outreach.settings import WEEKDAYS, Settings
from outreach.settings.limits import HoursSettings, minutes_of

INCONVENIENT = "inconvenient"
# 12 CFR 1006.6(b)(1)(i) and 47 CFR 64.1200(c)(1): whatever else a business sets, not outside these.
WIDEST_FOR_DEBT = minutes_of("08:00-21:00")
# What is handed over later than this before the hours end might arrive after them.
LEAST_LEFT = timedelta(minutes=5)
_PART = re.compile(r"(?:(mon|tue|wed|thu|fri|sat|sun)\b)?\s*(\d\d:\d\d-\d\d:\d\d)?")


@dataclass(frozen=True)
class PublicHolidays:
    """The public holidays of a country and region, in every year; none of a country that is not listed."""

    country: str
    region: str

    def __contains__(self, day: object) -> bool:
        return day in _holidays_of(self.country, self.region)


@cache
def _holidays_of(country: str, region: str) -> Container[object]:
    listed = holidays.list_supported_countries()
    if country not in listed:
        return frozenset()
    days: Container[object] = holidays.country_holidays(country, subdiv=region if region in listed[country] else None)
    return days


def hours_for(
    settings: Settings, channel: str, kind: str, customer: Customer, inconvenient: Iterable[str] = ()
) -> Hours:
    """The hours, in the recipient's own time, in which a channel may carry a moment to them.

    `inconvenient` are the hours they told us of, such as "sun" or "mon 09:00-12:00, 20:00-21:00"; words that cannot be
    read as hours close the whole week.
    """
    if channel == LETTER.name:
        return ALWAYS
    hours = _hours_of(settings.hours, channel, customer, settings.business.country)
    if "debt" in MOMENTS[kind].traits and (channel != EMAIL.name or settings.collecting.mode == "collector"):
        hours = hours.within(*WIDEST_FOR_DEBT)
    barred = tuple(part for words in inconvenient for part in _read_inconvenient(words))
    return Hours(hours.opens, hours.closes, hours.closed_weekdays, hours.holidays, barred)


def _hours_of(bounds: HoursSettings, channel: str, customer: Customer, home: str) -> Hours:
    opens, closes = minutes_of(getattr(bounds, channel))
    if channel == EMAIL.name:
        return Hours(opens, closes)
    country, region = region_of(customer, home)
    closed = frozenset(WEEKDAYS.index(day) for day in bounds.closed_days)
    hours = Hours(opens, closes, closed, PublicHolidays(country, region) if bounds.closed_holidays else frozenset())
    for code, stricter in bounds.regions.items():
        # Where the region is not known, it may be the strictest.
        if code == f"{country}-{region}" or (not region and code.startswith(f"{country}-")):
            hours = hours.within(*minutes_of(stricter))
    return hours


def _read_inconvenient(words: str) -> list[Barred]:
    parts = [_PART.fullmatch(part.strip()) for part in words.lower().split(",")]
    try:
        return [_barred(*match.groups()) if match and match[0] else Barred() for match in parts]
    except ValueError:
        return [Barred()]


def _barred(weekday: str | None, hours: str | None) -> Barred:
    days = frozenset(number for number, name in enumerate(WEEKDAYS) if weekday in {None, name})
    return Barred(days, *minutes_of(hours or ""))


def find_leaves(session: Session, settings: Settings, messages: Sequence[Message], at: datetime) -> dict[str, Leave]:
    """From when until when each of the messages may leave, by reference, looked at from `at` on."""
    bound = [message for message in messages if message.channel != LETTER.name]
    leaves = {message.reference: Leave(at) for message in messages}
    if not bound:
        return leaves
    people = _recipients(session, bound)
    inconvenient = _inconvenient(session, people, at.date())
    # Most recipients share a zone and hours: the search for a legal stretch is made once for all of them.
    by_hours: dict[tuple[tuple[str, ...], Hours], Leave] = {}
    for message in bound:
        person = people[message.recipient_id]
        hours = hours_for(settings, message.channel, message.kind, person, inconvenient.get(message.recipient_id, ()))
        key = _zones_of(message, person, settings), hours
        if key not in by_hours:
            by_hours[key] = find_leave(at, *key, at_least=LEAST_LEFT)
        leaves[message.reference] = by_hours[key]
    return leaves


def find_zones(session: Session, settings: Settings, messages: Sequence[Message]) -> dict[str, tuple[str, ...]]:
    """Every time zone that the recipient of each message may be in, by reference."""
    people = _recipients(session, messages)
    return {message.reference: _zones_of(message, people[message.recipient_id], settings) for message in messages}


def _recipients(session: Session, messages: Sequence[Message]) -> dict[str, Customer]:
    """Each recipient's record, by id; an empty one for whom there is none any more."""
    ids = {message.recipient_id for message in messages}
    rows = session.exec(select(Customer).where(col(Customer.customer_id).in_(ids)))
    on_file = {row.customer_id: row for row in rows}
    return on_file | {one: Customer(customer_id=one) for one in ids - on_file.keys()}


def _zones_of(message: Message, person: Customer, settings: Settings) -> tuple[str, ...]:
    # The number that the message goes to, which may not be the one on file any more. It says nothing of an e-mail.
    number = json.loads(message.recipient or "{}").get("phone") if message.channel != EMAIL.name else None
    return plausible_zones(person, number, settings.business.country)


def _inconvenient(session: Session, ids: Collection[str], on: date) -> Mapping[str, list[str]]:
    """The hours that people told us do not suit them, by customer."""
    # A day more on either side: whose date it is depends on where they are.
    flags = select(Flag).where(
        col(Flag.customer_id).in_(ids),
        Flag.kind == INCONVENIENT,
        col(Flag.from_on) <= on + timedelta(days=1),
        col(Flag.until_on).is_(None) | (col(Flag.until_on) >= on - timedelta(days=1)),
    )
    hours: dict[str, list[str]] = defaultdict(list)
    for flag in session.exec(flags):
        hours[flag.customer_id].append(flag.note or "unknown")
    return hours
