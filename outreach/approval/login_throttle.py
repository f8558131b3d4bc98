"""Counts failed sign-ins, and says how long no further try is looked at.

Counts stand in the database, so that all processes share them. Nobody is shut out for good, and no name is kept.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from outreach.clock import CLOCKS_DIFFER
from outreach.database import insert_new
from outreach.errors import TooManyTries
from outreach.locks import take_turns
from outreach.models import Failure

FREE_FOR_A_NAME = 5
# Everybody in a practice calls from one address.
FREE_FOR_AN_ADDRESS = 20
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Subject:
    """What is counted: a name, a browser, or an address."""

    #: All that is kept of it.
    hashed: str
    #: So many tries may fail before anybody has to wait.
    free: int
    #: Whether it is an address, which people share.
    is_shared: bool = False


def subjects_of(key: bytes, name: str, address: str, known_browser: str) -> list[Subject]:
    """What a try counts against: the name as it was typed, so that one nobody has counts like any other.

    A browser that once signed in as this person counts for itself alone. So whoever tries a person's name from
    elsewhere, without end, never keeps that person out.
    """
    if known_browser:
        return [Subject(_hash(key, "browser", known_browser), FREE_FOR_A_NAME)]
    return [
        *name_subjects(key, [name]),
        Subject(_hash(key, "address", _network(address)), FREE_FOR_AN_ADDRESS, is_shared=True),
    ]


def name_subjects(key: bytes, names: Sequence[str]) -> list[Subject]:
    """What tries of these names count against, without the spaces around them and whatever their case."""
    return [Subject(_hash(key, "name", name.strip().casefold()), FREE_FOR_A_NAME) for name in dict.fromkeys(names)]


def count_try(session: Session, subjects: Sequence[Subject], now: datetime) -> None:
    """Counts a try as failed before it is looked at, so that a hundred at once are no more than one after the other.

    Raises TooManyTries, and counts nothing, while one of the subjects has to wait.
    """
    take_turns(session, "sign-in")
    # What is yet to come was counted by a clock that was ahead: nobody is locked out until it is caught up with.
    is_past = col(Failure.last_at).between(now - FORGOTTEN_AFTER, now + CLOCKS_DIFFER)
    session.connection().execute(delete(Failure).where(~is_past))
    free = {subject.hashed: subject.free for subject in subjects}
    failed = session.exec(select(Failure).where(col(Failure.subject).in_(free))).all()
    wait = max((_wait(one, free[one.subject], now) for one in failed), default=timedelta(0))
    if wait > timedelta(0):
        raise TooManyTries(wait)
    insert_new(session, Failure, [{"subject": hashed, "count": 0, "last_at": now} for hashed in free])
    more = update(Failure).where(col(Failure.subject).in_(free)).values(count=Failure.count + 1, last_at=now)
    session.connection().execute(more)


def forget_failures(session: Session, subjects: Sequence[Subject]) -> None:
    """Takes back what `count_try` counted for a try that succeeded, and everything against that name or browser."""
    take_turns(session, "sign-in")
    for subject in subjects:
        of_it = col(Failure.subject) == subject.hashed
        if subject.is_shared:
            session.connection().execute(update(Failure).where(of_it).values(count=Failure.count - 1))
        else:
            session.connection().execute(delete(Failure).where(of_it))


def _wait(failure: Failure, free: int, now: datetime) -> timedelta:
    """A minute from the last free failure on, then twice as long each time, up to the longest."""
    if failure.count < free:
        return timedelta(0)
    # Eight of them are longer than the longest wait, and without an end they would outgrow a timedelta.
    doublings = min(failure.count - free, 8)
    return min(timedelta(minutes=2**doublings), LONGEST_WAIT) - (now - failure.last_at)


def _hash(key: bytes, kind: str, value: str) -> str:
    return hmac.new(key, f"sign-in\0{kind}\0{value}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _network(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 one: a single subscriber has 2^64 of those."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
