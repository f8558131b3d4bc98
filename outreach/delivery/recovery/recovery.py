"""Takes claims back from dead senders, settles what left without an answer, and hands the rest to a person.

It never decides without evidence: a dead owner, a provider's answer, age, or a person with a reason.
"""

import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_approver
from outreach.database import reading
from outreach.delivery.outbox import (
    advance,
    attempts_of,
    begun,
    new_attempt,
    owner_lock,
    put_down,
    record_acceptance,
)
from outreach.delivery.providers.protocol import stand_in
from outreach.errors import NotFound, NotWaiting, SettingsError
from outreach.locks import is_held
from outreach.models import Attempt, Installation, Message

DIED = "its sender died while handing it over"
CANCELLED_THERE = "it was cancelled at its provider, and is not sent again"
# What a person may say became of a message: it arrived, it did not and is given up, or it did not and goes again.
BY_HAND = ("accepted", "failed", "approved")
# How long PostgreSQL is given to see that a killed client is gone.
NOTICED_SECONDS = 0.3
CLOCKS_DIFFER = timedelta(days=1)
# As far back as a look-up goes where an earlier version did not note which runs there were.
LONG_AGO = timedelta(days=90)


def recover_lost(session: Session, keyed: Collection[str]) -> int:
    """Takes claims back from senders that no longer live; returns how many.

    A message whose provider is in `keyed` may be handed over again under its key. Any other that was already begun
    becomes uncertain: it may have left.
    """
    senders = session.exec(select(Message.owner).where(Message.status == "sending").distinct()).all()
    lost = [owner for owner in senders if owner and not is_held(session, owner_lock(owner))]
    claimed = select(Message, begun()).where(Message.status == "sending", col(Message.owner).in_(lost))
    rows = session.exec(claimed.with_for_update(skip_locked=True, of=Message)).all() if lost else []
    for message, _ in rows:
        # Should the sender live after all, its old fence stops it from opening another attempt.
        message.fence += 1
    session.flush()
    safe = [message for message, is_begun in rows if message.provider in keyed or not is_begun]
    put_down(session, safe, "approved", None)
    doubtful = [message for message, is_begun in rows if is_begun and message.provider not in keyed]
    put_down(session, doubtful, "uncertain", DIED, "unknown")
    session.expire_all()
    return len(rows)


def await_notice(engine: Engine) -> bool:
    """Where others hold claims, waits until the death of one that was killed is noticed; whether it waited.

    PostgreSQL keeps a killed client's lock until it sees that the connection is gone.
    """
    with reading(engine) as session:
        claimed = select(Message.reference).where(Message.status == "sending").limit(1)
        is_claimed = session.exec(claimed).first() is not None
    if is_claimed:
        time.sleep(NOTICED_SECONDS)
    return is_claimed


def list_uncertain(session: Session) -> Sequence[tuple[Message, Attempt]]:
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
    session.flush()
    put_down(session, [message], "approved", None)
    session.expire(message)
    return True


def _lock(session: Session, reference: str, number: int) -> tuple[Message, Attempt]:
    # A message before its attempts, as everywhere: who locks them the other way round waits in a circle.
    message = session.get_one(Message, reference, with_for_update=True, populate_existing=True)
    return message, session.get_one(Attempt, (reference, number), with_for_update=True, populate_existing=True)


def note_provider(session: Session, reference: str, number: int, provider: str) -> None:
    """Says who carried an uncertain message, where it turns out to be another than the one it would go by now."""
    message, attempt = _lock(session, reference, number)
    if message.status == "uncertain" and attempt.outcome == "unknown":
        attempt.provider = message.provider = provider


def record_cancelled_there(session: Session, reference: str, number: int, provider_id: str, at: datetime) -> None:
    """Writes down that a provider had an attempt and that it was cancelled there: it ends, and goes nowhere again."""
    record_acceptance(session, reference, number, provider_id, at)
    session.flush()
    advance(session, reference, "cancelled", CANCELLED_THERE)


def note_missing(session: Session, reference: str, number: int, at: datetime) -> datetime:
    """Since when, by their provider's own clock, look-ups have found nothing: since `at`, where this is the first."""
    _, attempt = _lock(session, reference, number)
    attempt.missing_since = attempt.missing_since or at
    return attempt.missing_since


def end_of_tries(session: Session, reference: str, number: int, at: datetime) -> datetime:
    """The instant after which no try of an uncertain message can have begun.

    One that is yet to come by more than a day was written by a clock that was ahead: it counts as now, and is put right
    so that look-ups from now on are of use.
    """
    message, attempt = session.get_one(Message, reference), session.get_one(Attempt, (reference, number))
    ended = max(message.lease_until or attempt.last_try_at, attempt.last_try_at)
    if ended - at <= timedelta(days=1):
        return ended
    attempt.last_try_at, message.lease_until = at, None
    return at


def give_up(session: Session, reference: str, number: int, at: datetime, after: timedelta) -> bool:
    """Hands an uncertain message to a person when its last try is older than `after`; whether it did."""
    message = session.get_one(Message, reference, with_for_update=True)
    attempt = session.get_one(Attempt, (reference, number))
    if message.status != "uncertain" or at < attempt.last_try_at + after:
        return False
    handed_over = f"handed to {attempt.provider} as {attempt.key} at {attempt.last_try_at:%Y-%m-%d %H:%M} UTC"
    message.status = "needs_person"
    message.status_reason = f"{handed_over}, and nothing has been heard: {message.status_reason or 'no answer'}"
    return True


def close_by_hand(session: Session, reference: str, status: str, by: str, reason: str, at: datetime) -> Message:
    """The message, closed by the member of staff `by`: "accepted", "failed", or "approved" to send it again.

    Raises NotFound, NotWaiting when it is not an open case, and SettingsError for any other status or without a reason.
    """
    if status not in BY_HAND or not reason.strip():
        raise SettingsError(f"Say what became of it, as one of {', '.join(BY_HAND)}, and how you know (--reason)")
    require_approver(session, by)
    message = session.get(Message, reference.upper(), with_for_update=True)
    if message is None:
        raise NotFound(f"There is no message “{reference}”. Its reference stands on it, such as K7QF-2M9X-TB4D")
    if message.status not in {"uncertain", "needs_person"}:
        raise NotWaiting(f"{message.reference} is {message.status}; only what left without an answer is closed by hand")
    _close(session, message, status, f"{reason} ({by})", at)
    record_act(session, by, f"closed as {status}", message.reference, "", at)
    return message


def _close(session: Session, message: Message, status: str, reason: str, at: datetime) -> None:
    attempt = next(
        one for one in attempts_of(session, [message.reference])[message.reference] if one.outcome == "unknown"
    )
    if status == "accepted":
        record_acceptance(session, message.reference, attempt.number, stand_in(attempt.key), at)
    else:
        # Either frees the message: the database allows it one attempt that may have been taken.
        attempt.outcome, message.status = ("absent" if status == "approved" else "refused"), status
        message.not_before = None
    attempt.evidence, message.status_reason = reason, reason


def _began_at_the_earliest(installation: Installation | None, message: Message) -> datetime:
    """Since when it may have left: look-ups that go by date begin there. Clocks may differ by a day, zones by half."""
    planned = datetime(message.run_on.year, message.run_on.month, message.run_on.day, tzinfo=UTC)
    if installation is None or installation.restored_at is None:
        return planned - CLOCKS_DIFFER
    forgotten_since = installation.restored_from or installation.restored_at - LONG_AGO
    return min(planned, forgotten_since) - CLOCKS_DIFFER


def doubt(session: Session, message: Message, at: datetime, reason: str) -> Attempt:
    """Makes a locked message uncertain that may have left unknown to us; returns the attempt to look up."""
    installation = session.get(Installation, 1)
    restored_at = installation.restored_at if installation else None
    attempts = attempts_of(session, [message.reference])[message.reference]
    attempt = next((one for one in attempts if one.outcome in (None, "unknown")), None)
    if attempt is None:
        attempt = new_attempt(message, len(attempts) + 1, at, message.run_on)
        attempt.tries, attempt.started_at = 0, _began_at_the_earliest(installation, message)
        session.add(attempt)
    # It may have been tried again until this moment: only a look-up after it proves anything.
    attempt.last_try_at = max(at, restored_at) if restored_at else at
    attempt.missing_since = None
    attempt.outcome, attempt.evidence = "unknown", reason
    message.status, message.status_reason, message.owner = "uncertain", reason, None
    session.flush()
    return attempt
