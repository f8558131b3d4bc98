"""Puts checks on planned messages together: the first reason against each message counts.

A check reads and never writes. Whether somebody may be written to at all is not a check's to say: `rules.py` does.
"""

from collections.abc import Callable, Sequence
from datetime import date

from sqlmodel import Session

from outreach.models import Message
from outreach.planning.verdicts import Stops
from outreach.settings import Settings

Messages = Sequence[Message]
Check = Callable[[Session, Settings, Messages, date], Stops]


def find_stops(session: Session, settings: Settings, messages: Messages, on: date, checks: Sequence[Check]) -> Stops:
    """The first reason of `checks` against sending each of `messages` on `on`, by reference; others are not in it."""
    stops: Stops = {}
    for check in checks:
        # What is stopped is not handed on: a check that counts, as that of texts to one number, must not count it.
        remaining = [message for message in messages if message.reference not in stops]
        stops |= check(session, settings, remaining, on) if remaining else {}
    return stops
