"""Approved messages in; claims, attempts and what became of each out. From approval on, only this file writes a status.

Facts (a provider took it) are written by whoever learns them, at any time, any number of times. Decisions (send again,
give up) are written only by the sender whose fence still stands.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, tuple_, update
from sqlmodel import Session, col, select

from outreach.database import is_held
from outreach.delivery.pauses import is_paused
from outreach.models import Attempt, Message

CLAIMS_AT_ONCE = 20
LEASE = timedelta(minutes=5)
LIVE = ("accepted", "unknown")
TOO_LATE = "not sent while it was useful"
# What a message may become after its provider took it; a later word never takes back a stronger one.
AFTER_ACCEPTANCE = ("accepted", "delivered", "failed", "returned")


@dataclass(frozen=True)
class Claim:
    """One message that `owner` may hand over until `lease_until`, as long as its fence is still `fence`."""

    reference: str
    send_on: date
    owner: str
    fence: int
    lease_until: datetime


def owner_lock(owner: str) -> str:
    """The name a sender holds while it lives."""
    return f"sender {owner}"


def begun() -> ColumnElement[bool]:
    """The condition, on messages, that an attempt is open: handed over, or about to be, and not yet answered."""
    return select(Attempt).where(Attempt.reference == Message.reference, col(Attempt.outcome).is_(None)).exists()


def due(on: date, carriers: Collection[str]) -> ColumnElement[bool]:
    """The condition, on messages, that they are approved, due and carried by a provider in use."""
    return (
        (col(Message.status) == "approved") & (col(Message.send_on) <= on) & col(Message.provider).in_(sorted(carriers))
    )


def claim_due(
    session: Session, owner: str, carriers: Collection[str], on: date, at: datetime, room: int | None, after: Any
) -> list[Claim]:
    """Up to CLAIMS_AT_ONCE messages that nobody pauses, the earliest first, behind the claim `after`.

    With `room`, those that no attempt was opened for, and no more than it; without, those whose attempt is still open.
    """
    # A message already begun was counted against the cap on the day it was begun.
    limit = CLAIMS_AT_ONCE if room is None else min(CLAIMS_AT_ONCE, max(room, 0))
    wanted = select(Message).where(due(on, carriers), ~is_paused(), begun() if room is None else ~begun())
    if after is not None:
        wanted = wanted.where(tuple_(col(Message.send_on), col(Message.reference)) > (after.send_on, after.reference))
    wanted = wanted.order_by(col(Message.send_on), Message.reference).limit(limit)
    messages = session.exec(wanted.with_for_update(skip_locked=True)).all()
    for message in messages:
        message.status, message.owner, message.fence = "sending", owner, message.fence + 1
        message.lease_until = at + LEASE
    return [Claim(m.reference, m.send_on, owner, m.fence, at + LEASE) for m in messages]


def room_left(session: Session, cap: int, on: date) -> int:
    """How many more attempts may be opened on `on`; claims already made count. Hold the turn "claim" around it."""
    # What was refused or never arrived has reached nobody, and takes no one's place.
    live = col(Attempt.outcome).is_(None) | col(Attempt.outcome).in_(LIVE)
    opened = select(func.count()).select_from(Attempt).where(Attempt.started_on == on, live)
    claimed = select(func.count()).select_from(Message).where(Message.status == "sending", ~begun())
    return cap - session.exec(opened).one() - session.exec(claimed).one()


def expire_late(session: Session, on: date) -> int:
    """Ends approved messages that would arrive too late to be of use, unless an earlier try may be under way."""
    late = update(Message).where(col(Message.status) == "approved", col(Message.useful_until) < on, ~begun())
    return _rows(session, late.values(status="expired", status_reason=TOO_LATE))


def open_attempt(session: Session, message: Message, at: datetime, on: date) -> Attempt:
    """The attempt to hand over under: the one still open, tried once more, or a new one with a new key."""
    attempts = session.exec(select(Attempt).where(Attempt.reference == message.reference)).all()
    attempt = next((attempt for attempt in attempts if attempt.outcome is None), None)
    if attempt is None:
        number = len(attempts) + 1
        attempt = Attempt(
            reference=message.reference,
            number=number,
            key=f"{message.reference}.{number}",
            provider=message.provider or "",
            owner=message.owner or "",
            fence=message.fence,
            started_at=at,
            last_try_at=at,
            started_on=on,
        )
    else:
        attempt.tries, attempt.owner, attempt.fence = attempt.tries + 1, message.owner or "", message.fence
    session.add(attempt)
    return attempt


def require_claim(session: Session, claim: Claim) -> Message | None:
    """The message, locked, if the claim still stands; None when another sender has taken it over or it was settled."""
    message = session.get(Message, claim.reference, with_for_update=True)
    ours = message and (message.status, message.owner, message.fence) == ("sending", claim.owner, claim.fence)
    return message if ours else None


def decide(session: Session, claim: Claim, status: str, reason: str | None, outcome: str | None = None) -> bool:
    """Writes the owner's decision; `outcome` closes the open attempt. False when the claim no longer stands."""
    message = require_claim(session, claim)
    if message is None:
        return False
    put_down(session, message, status, reason, outcome)
    return True


def put_down(session: Session, message: Message, status: str, reason: str | None, outcome: str | None = None) -> None:
    """Ends whatever claim there is on a message that the caller has locked."""
    message.status, message.status_reason, message.owner = status, reason, None
    if outcome:
        still_open = update(Attempt).where(col(Attempt.reference) == message.reference, col(Attempt.outcome).is_(None))
        session.execute(still_open.values(outcome=outcome, evidence=reason))


def record_acceptance(session: Session, reference: str, number: int, provider_id: str, at: datetime) -> None:
    """Writes down that a provider took an attempt: a fact, whoever learned it and whatever was decided meanwhile."""
    message = session.get_one(Message, reference, with_for_update=True)
    attempts = session.exec(select(Attempt).where(Attempt.reference == reference)).all()
    attempt = next(attempt for attempt in attempts if attempt.number == number)
    # Should never happen: the first try was judged absent, a second was made, and now both turn out to be there.
    if any(other.outcome in (None, *LIVE) for other in attempts if other is not attempt):
        attempt.evidence = f"the provider has this try too, as {provider_id}"
        return
    attempt.outcome = "accepted"
    if message.provider_id is None:
        message.status, message.status_reason, message.owner = "accepted", None, None
        message.provider_id, message.accepted_at = provider_id, at
    elif message.provider_id != provider_id:
        attempt.evidence = f"the provider also names it {provider_id}"


def advance(session: Session, reference: str, status: str, reason: str | None) -> bool:
    """Moves an accepted message on to a stronger word of its provider; False when it already says as much or more."""
    message = session.get_one(Message, reference, with_for_update=True)
    if message.provider_id is None or message.status not in AFTER_ACCEPTANCE:
        return False
    if AFTER_ACCEPTANCE.index(status) <= AFTER_ACCEPTANCE.index(message.status):
        return False
    message.status, message.status_reason = status, reason
    return True


def recover_lost(session: Session, keyed: Collection[str]) -> int:
    """Takes claims back from senders that no longer live; returns how many.

    A message whose provider is in `keyed` may be handed over again under its key. Any other that was already begun
    becomes uncertain: it may have left.
    """
    senders = session.exec(select(Message.owner).where(Message.status == "sending").distinct()).all()
    lost = [owner for owner in senders if owner and not is_held(session, owner_lock(owner))]
    left = select(Message).where(Message.status == "sending", col(Message.owner).in_(lost))
    messages = session.exec(left.with_for_update(skip_locked=True)).all()
    for message in messages:
        # Should the sender live after all, its old fence stops it from opening another attempt.
        message.fence += 1
        if message.provider in keyed or not has_open_attempt(session, message):
            put_down(session, message, "approved", None)
        else:
            put_down(session, message, "uncertain", "its sender died while handing it over", "unknown")
    return len(messages)


def has_open_attempt(session: Session, message: Message) -> bool:
    return session.exec(select(begun()).where(Message.reference == message.reference)).one()


def uncertain(session: Session) -> Sequence[tuple[Message, Attempt]]:
    """Messages that left without an answer, each with the attempt to look up."""
    open_ones = (
        select(Message, Attempt)
        .join(Attempt, col(Attempt.reference) == Message.reference)
        .where(Message.status == "uncertain", Attempt.outcome == "unknown")
    )
    return session.exec(open_ones.order_by(Message.reference)).all()


def record_absence(session: Session, reference: str, number: int) -> bool:
    """Lets an uncertain message go again whose provider surely has nothing; False when it was settled meanwhile."""
    message = session.get_one(Message, reference, with_for_update=True)
    attempt = session.get_one(Attempt, (reference, number))
    if message.status != "uncertain" or attempt.outcome != "unknown":
        return False
    attempt.outcome, attempt.evidence = "absent", "looked up, and not there"
    put_down(session, message, "approved", None)
    return True


def _rows(session: Session, statement: Any) -> int:
    touched: int = session.connection().execute(statement).rowcount
    return touched
