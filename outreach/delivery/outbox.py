"""Claims approved messages, keeps their attempts, and writes what became of each.

From approval on a status is written here, and in recovery/ once a sender has died or an answer was lost. Facts (a
provider took it) are written by whoever learns them, at any time, any number of times. A sender writes its decisions
(send again, give up) only while its fence still stands.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, insert, literal, update
from sqlmodel import Session, col, select

from outreach.database import insert_new
from outreach.delivery.control.pauses import is_paused
from outreach.delivery.providers.protocol import stand_in
from outreach.delivery.send_queue import Turn, in_time_condition, select_queue
from outreach.delivery.status_reasons import TOO_LATE
from outreach.models import Attempt, Incident, Message, Suppression

LIVE = ("accepted", "unknown")
# What a message may become after its provider took it; a later word never takes back a stronger one.
AFTER_ACCEPTANCE = ("accepted", "cancelled", "delivered", "failed", "returned")


@dataclass(frozen=True)
class Claim:
    """One message that `owner` may hand over until `lease_until`, as long as its fence is still `fence`."""

    reference: str
    provider: str
    owner: str
    fence: int
    lease_until: datetime
    #: Its place in the queue: until when it is of use, then its moment's place in the order of moments.
    useful_until: date = date.max
    place: int = 0


@dataclass(frozen=True)
class Taken:
    """What a sender heard: the provider took this attempt of this claim, as `provider_id`."""

    claim: Claim
    number: int
    provider_id: str


def owner_lock(owner: str) -> str:
    """The name a sender holds while it lives."""
    return f"sender {owner}"


def begun() -> ColumnElement[bool]:
    """The condition, on messages, that an attempt is open: handed over, or about to be, and not yet answered."""
    return select(Attempt).where(Attempt.reference == Message.reference, col(Attempt.outcome).is_(None)).exists()


def due(on: date, at: datetime, carriers: Collection[str]) -> ColumnElement[bool]:
    """The condition, on messages, that they are approved, due and carried by a provider in use."""
    return and_(
        col(Message.status) == "approved",
        col(Message.send_on) <= on,
        col(Message.provider).in_(sorted(carriers)),
        in_time_condition(at),
    )


def claim_due(
    session: Session,
    owner: str,
    carriers: Collection[str],
    on: date,
    at: datetime,
    lease_until: datetime,
    limit: int,
    turn: Turn,
    after: Claim | None,
) -> list[Claim]:
    """Up to `limit` messages in `turn` that nobody pauses, behind the claim `after`: the soonest of no use first."""
    place = (after.useful_until, after.place, after.reference) if after else None
    wanted = select_queue(and_(due(on, at, carriers), ~is_paused()), turn, begun(), place).limit(max(limit, 0))
    # On PostgreSQL senders pass by each other's rows. SQLite has no locks of rows: one transaction writes at a time.
    rows = session.execute(wanted.with_for_update(skip_locked=True)).all()
    claimed = {"status": "sending", "owner": owner, "fence": Message.fence + 1, "lease_until": lease_until}
    _update(session, [reference for _, _, reference, *_ in rows], claimed)
    return [
        Claim(reference, provider or "", owner, fence + 1, lease_until, useful_until, place)
        for useful_until, place, reference, provider, fence in rows
    ]


def _update(session: Session, references: Sequence[str], values: dict[str, Any]) -> None:
    if references:
        session.connection().execute(update(Message).where(col(Message.reference).in_(references)).values(values))


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
    # Whose own server put it off until it was too late keeps that word.
    last_word = literal(f"{TOO_LATE}: ") + func.coalesce(col(Message.status_reason), "")
    reason = case((col(Message.put_off) > 0, last_word), else_=TOO_LATE)
    return count_rows(session, late.values(status="expired", status_reason=reason))


def take_back(session: Session, batch_id: str) -> int:
    """Makes composed again what of an approved batch is not being handed over and never was; returns how many.

    A sender that has claimed one of them finds its claim gone.
    """
    ours = select(Message.reference).where(
        Message.batch_id == batch_id, col(Message.status).in_(("approved", "sending"))
    )
    # Locked first and looked at afterwards: the attempt of a sender that held the lock must be seen.
    references = session.exec(ours.order_by(Message.reference).with_for_update()).all()
    still_here = and_(col(Message.reference).in_(references), ~begun())
    back = update(Message).where(still_here, col(Message.status).in_(("approved", "sending")))
    return count_rows(session, back.values(status="composed", status_reason=None, owner=None, not_before=None))


def require_claims(session: Session, claims: Sequence[Claim]) -> list[tuple[Claim, Message]]:
    """The claims that still stand, each with its message, locked; the others were taken over, or are settled."""
    references = [claim.reference for claim in claims]
    locked = select(Message).where(col(Message.reference).in_(references), Message.status == "sending")
    # Always in the same order, so that two that lock several never wait for each other in a circle.
    rows = session.exec(locked.order_by(Message.reference).with_for_update())
    messages = {message.reference: message for message in rows}
    return [
        (claim, message)
        for claim in claims
        if (message := messages.get(claim.reference)) and (message.owner, message.fence) == (claim.owner, claim.fence)
    ]


def attempts_of(session: Session, references: Collection[str]) -> dict[str, list[Attempt]]:
    """Every attempt of the messages, by reference, in the order in which they were opened."""
    rows = session.exec(select(Attempt).where(col(Attempt.reference).in_(references)).order_by(col(Attempt.number)))
    attempts: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in rows:
        attempts[attempt.reference].append(attempt)
    return attempts


def open_attempt(message: Message, earlier: Sequence[Attempt], at: datetime, on: date) -> Attempt:
    """The attempt to hand over under: the one still open, tried once more, or a new one, which the caller adds."""
    attempt = next((attempt for attempt in earlier if attempt.outcome is None), None)
    if attempt is None:
        return new_attempt(message, len(earlier) + 1, at, on)
    attempt.tries, attempt.last_try_at = attempt.tries + 1, at
    attempt.owner, attempt.fence = message.owner or "", message.fence
    return attempt


def new_attempt(message: Message, number: int, at: datetime, on: date) -> Attempt:
    return Attempt(
        reference=message.reference,
        number=number,
        key=f"{message.reference}.{number}",
        provider=message.provider or "",
        owner=message.owner or "",
        fence=message.fence,
        started_at=at,
        started_on=on,
        last_try_at=at,
    )


def add_attempts(session: Session, attempts: Sequence[Attempt]) -> None:
    """Writes new attempts down, many at a time."""
    if attempts:
        session.connection().execute(insert(Attempt), [attempt.model_dump() for attempt in attempts])


def put_down(
    session: Session,
    messages: Sequence[Message],
    status: str,
    reason: str | None,
    outcome: str | None = None,
    not_before: datetime | None = None,
) -> None:
    """Ends whatever claim there is on messages that the caller has locked; `outcome` closes their open attempts."""
    references = [message.reference for message in messages]
    _update(
        session,
        references,
        {"status": status, "status_reason": reason, "owner": None, "not_before": not_before},
    )
    if outcome:
        still_open = update(Attempt).where(col(Attempt.reference).in_(references), col(Attempt.outcome).is_(None))
        session.connection().execute(still_open.values(outcome=outcome, evidence=reason))


def decide(
    session: Session,
    claim: Claim,
    status: str,
    reason: str | None,
    outcome: str | None = None,
    not_before: datetime | None = None,
) -> bool:
    """Ends a claim with what the sender decided; False when the claim no longer stands and nothing was written."""
    standing = require_claims(session, [claim])
    put_down(session, [message for _, message in standing], status, reason, outcome, not_before)
    return bool(standing)


def suppress(session: Session, message: Message, source: str, at: datetime) -> None:
    """Never uses the message's contact again by its channel."""
    if message.contact_hash:
        contact = {"contact_hash": message.contact_hash, "channel": message.channel}
        insert_new(session, Suppression, [contact | {"source": source, "at": at}])


def record_taken(session: Session, taken: Sequence[Taken], at: datetime) -> None:
    """Writes down what providers took, in one go. It is a fact, even where the claim was lost meanwhile."""
    standing = {claim.reference for claim, _ in require_claims(session, [one.claim for one in taken])}
    plain = [one for one in taken if one.claim.reference in standing]
    if plain:
        _accept_plainly(session, plain, at)
    for one in taken:
        if one.claim.reference not in standing:
            record_acceptance(session, one.claim.reference, one.number, one.provider_id, at)


def _accept_plainly(session: Session, taken: Sequence[Taken], at: datetime) -> None:
    """The common case, many at a time: the claim stands, so the attempt is open and nobody else has answered it."""
    answered = (
        update(Attempt.__table__)  # type: ignore[attr-defined]
        .where(col(Attempt.reference) == bindparam("for_reference"), col(Attempt.number) == bindparam("for_number"))
        .values(outcome="accepted")
    )
    rows = [{"for_reference": one.claim.reference, "for_number": one.number} for one in taken]
    session.connection().execute(answered, rows)
    accepted = (
        update(Message.__table__)  # type: ignore[attr-defined]
        .where(col(Message.reference) == bindparam("for_reference"))
        .values(status="accepted", status_reason=None, owner=None, accepted_at=at, provider_id=bindparam("theirs"))
    )
    named = [{"for_reference": one.claim.reference, "theirs": one.provider_id} for one in taken]
    session.connection().execute(accepted, named)


def record_acceptance(session: Session, reference: str, number: int, provider_id: str, at: datetime) -> None:
    """Writes down that a provider took an attempt: a fact, whoever learned it and whatever was decided meanwhile."""
    message = session.get_one(Message, reference, with_for_update=True)
    attempts = attempts_of(session, [reference])[reference]
    attempt = next(attempt for attempt in attempts if attempt.number == number)
    # Should never happen: the first try was judged absent, a second was made, and now both turn out to be there.
    if any(other.outcome in (None, *LIVE) for other in attempts if other is not attempt):
        attempt.evidence = f"the provider has this try too, as {provider_id}"
        record_incident(session, message.provider or "", reference, "a provider has two tries of one message", at)
        return
    attempt.outcome = "accepted"
    if message.provider_id == stand_in(attempt.key):
        message.provider_id = provider_id
    elif message.provider_id is None:
        message.status, message.status_reason, message.owner = "accepted", None, None
        message.provider_id, message.accepted_at = provider_id, at
    elif provider_id not in {message.provider_id, stand_in(attempt.key)}:
        attempt.evidence = f"the provider also names it {provider_id}"
        record_incident(session, message.provider or "", reference, "a provider names one message twice", at)


def drop_known(session: Session, provider: str, provider_ids: Sequence[str], reference: str) -> list[str]:
    """The ids among `provider_ids` under which the provider has no other message of ours than `reference`."""
    others = select(Message.provider_id).where(
        Message.provider == provider, col(Message.provider_id).in_(provider_ids), Message.reference != reference
    )
    taken_ids = set(session.exec(others)) if provider_ids else set()
    return [provider_id for provider_id in provider_ids if provider_id not in taken_ids]


def record_incident(session: Session, provider: str, reference: str | None, what: str, at: datetime) -> None:
    """Keeps something that should not have happened, for a person to look at."""
    session.add(Incident(at=at, provider=provider, reference=reference, what=what))


def advance(session: Session, reference: str, status: str, reason: str | None) -> bool:
    """Moves an accepted message on to a stronger word of its provider; False when it already says as much or more."""
    message = session.get_one(Message, reference, with_for_update=True)
    if message.provider_id is None or message.status not in AFTER_ACCEPTANCE:
        return False
    if AFTER_ACCEPTANCE.index(status) <= AFTER_ACCEPTANCE.index(message.status):
        return False
    message.status, message.status_reason = status, reason
    return True


def record_cancelling(session: Session, reference: str, done: bool, reason: str) -> None:
    """Writes down that a vendor cancelled an accepted message, or that it is too late and need not be asked again."""
    message = session.get_one(Message, reference, with_for_update=True)
    message.cancel_until = None
    if done:
        advance(session, reference, "cancelled", reason)


def count_rows(session: Session, statement: Any) -> int:
    """Runs an UPDATE and says how many rows it touched."""
    touched: int = session.connection().execute(statement).rowcount
    return touched
