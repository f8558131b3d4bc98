"""Says which approved messages are in time, in which turn they go, and in which order. It never reads or writes.

A recipient whose own server says “not now” must never stand before those whose servers listen.
"""

from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, or_, tuple_
from sqlmodel import col, select
from sqlmodel.sql.expression import Select

from outreach.delivery.status_reasons import TIMED
from outreach.models import Message

# First what an attempt is open for, which no cap may hold up, then what is new, then what was put off.
Turn = Literal["begun", "new", "put off"]
TURNS: tuple[Turn, ...] = ("begun", "new", "put off")
#: A place in the queue: until when it is of use, its moment's place in the order of moments, its reference.
Place = tuple[date, int, str]
# No wait is longer: see LONGEST_WAIT in record_results.py, and how far ahead planning/hours.py looks for a legal hour.
LONGEST_OF_A_PROVIDER, LONGEST_OF_ALL = timedelta(days=1), timedelta(days=30)


def in_turn_condition(turn: Turn, is_begun: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition, on messages, that it is their turn; `is_begun` is the one that an attempt of theirs is open."""
    if turn == "begun":
        return is_begun
    is_put_off = col(Message.put_off) > 0
    return and_(~is_begun, is_put_off if turn == "put off" else ~is_put_off)


def select_queue(
    is_due: ColumnElement[bool], turn: Turn, is_begun: ColumnElement[bool], after: Place | None
) -> Select[Any]:
    """What is due in `turn`, behind the place `after`; each row is its place, its provider and its fence."""
    # Under a daily cap somebody has to wait: not by chance, but whoever can.
    queue = col(Message.useful_until), col(Message.place), col(Message.reference)
    columns: tuple[Any, ...] = (*queue, col(Message.provider), col(Message.fence))
    wanted: Select[Any] = select(*columns).where(is_due, in_turn_condition(turn, is_begun))
    if after is not None:
        wanted = wanted.where(tuple_(*queue) > after)
    return wanted.order_by(*queue)


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
