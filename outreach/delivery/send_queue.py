"""Conditions that say which approved messages are in time, and in which turn they go. It never reads or writes.

A recipient whose own server says “not now” must never stand before those whose servers listen.
"""

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col

from outreach.delivery.status_reasons import TIMED
from outreach.models import Message

# First what an attempt is open for, which no cap may hold up, then what is new, then what was put off.
Turn = Literal["begun", "new", "put off"]
TURNS: tuple[Turn, ...] = ("begun", "new", "put off")
# No wait is longer: see LONGEST_WAIT in record_results.py, and how far ahead planning/hours.py looks for a legal hour.
LONGEST_OF_A_PROVIDER, LONGEST_OF_ALL = timedelta(days=1), timedelta(days=30)


def in_turn_condition(turn: Turn, is_begun: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition, on messages, that it is their turn; `is_begun` is the one that an attempt of theirs is open."""
    if turn == "begun":
        return is_begun
    is_put_off = col(Message.put_off) > 0
    return and_(~is_begun, is_put_off if turn == "put off" else ~is_put_off)


def in_time_condition(at: datetime) -> ColumnElement[bool]:
    """The condition, on messages, that they need not wait any longer at `at`.

    What waits for an instant further ahead than anybody asks for was put off by a clock that was wrong. A wait for the
    recipient's hours, or for the end of an undo, may be longer than one that a provider asked for.
    """
    waits_until = col(Message.not_before)
    was_answered = col(Message.status_reason).is_not(None) & col(Message.status_reason).not_in(TIMED)
    return or_(
        waits_until.is_(None),
        waits_until <= at,
        and_(was_answered, waits_until > at + LONGEST_OF_A_PROVIDER),
        waits_until > at + LONGEST_OF_ALL,
    )
