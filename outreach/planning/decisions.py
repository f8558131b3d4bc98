"""Decides again on moments whose message did not leave: what a rule says of them now becomes the decision that stands.

It only appends decisions. Which messages are withdrawn is for the rooms that look at them.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.chunks import in_chunks
from outreach.database import insert_new
from outreach.models import TOUCHING, Decision, Message
from outreach.planning.verdicts import Hold, Stop


def decide_again(session: Session, stopped: Mapping[str, Stop], on: date) -> None:
    """Writes what `stopped`, by reference, says of each moment that these messages were to carry.

    Call it once their status is written: a moment of which another message has left, or still waits, stays as it is.
    """
    # What the caller has changed must be in the database, where `_find_alive` asks.
    session.flush()
    holds = {
        moment: (reference, hold)
        for reference, stop in stopped.items()
        if not stop.only_waits
        for moment, hold in stop.holds
    }
    for moment in _find_alive(session, holds):
        holds.pop(moment, None)
    last = _find_sequences(session, holds)
    rows = [
        hold_row(moment, last[moment] + 1, on, hold, reference)
        # In one order: two processes that insert decisions must not wait for each other in a circle.
        for moment, (reference, hold) in sorted(holds.items())
        if moment in last
    ]
    insert_new(session, Decision, rows)


def hold_row(moment: str, sequence: int, on: date, hold: Hold, reference: str | None = None) -> dict[str, Any]:
    """The row of a decision that says no, for now or for good; `reference` is the message that did not leave."""
    return decision_row(moment, sequence, on, hold.outcome, hold.rule, hold.reason, hold.next_on, reference)


def decision_row(
    moment: str,
    sequence: int,
    on: date,
    outcome: str,
    rule: str,
    reason: str,
    next_on: date | None = None,
    reference: str | None = None,
) -> dict[str, Any]:
    """The row of a decision of `on`, the moment's `sequence`-th; `reference` is the message that carries it."""
    return {
        "moment_id": moment,
        "sequence": sequence,
        "run_on": on,
        "outcome": outcome,
        "rule": rule,
        "reason": reason,
        "next_on": next_on,
        "reference": reference,
    }


def _find_alive(session: Session, moments: Iterable[str]) -> set[str]:
    alive: set[str] = set()
    for chunk in in_chunks(list(moments)):
        theirs = select(Message.moment_id).where(col(Message.moment_id).in_(chunk), col(Message.status).in_(TOUCHING))
        alive |= set(session.exec(theirs))
    return alive


def _find_sequences(session: Session, moments: Iterable[str]) -> dict[str, int]:
    last: dict[str, int] = {}
    for chunk in in_chunks(list(moments)):
        numbers = select(Decision.moment_id, func.max(Decision.sequence)).where(col(Decision.moment_id).in_(chunk))
        last |= dict(session.execute(numbers.group_by(col(Decision.moment_id))).tuples().all())
    return last
