"""Events in, in any order and any number of times; the same status and the same suppressions out.

Each is stored as it came before anything is made of it. A status only ever moves to a stronger word.
"""

from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select

from outreach.database import insert_new
from outreach.delivery import outbox
from outreach.models import Attempt, Event, Message, Suppression

Seen = Literal["applied", "known", "unknown reference"]

# The status an event speaks for, and the words that go with it.
STATUS_OF = {
    "accepted": ("accepted", None),
    "in_transit": ("accepted", None),
    "delivered": ("delivered", None),
    "bounced": ("failed", "its address does not exist or refuses us"),
    "returned": ("returned", "it came back"),
}
# After these the contact is never used again.
SUPPRESSING = frozenset({"bounced", "complained", "unsubscribed", "returned"})


def record_event(
    session: Session,
    provider: str,
    event_id: str,
    kind: str,
    at: datetime,
    received_at: datetime,
    reference: str | None,
    provider_id: str | None = None,
    raw: bytes = b"",
) -> Seen:
    """Keeps one event and does what follows from it.

    `provider_id` is the provider's id for the message where the event names it: then the event also proves that the
    message was taken. "bounced" is for good; a bounce that may pass is no event. An event without a message of ours is
    kept too, and the answer says so.
    """
    row = {"provider": provider, "event_id": event_id, "reference": reference, "kind": kind}
    is_new = insert_new(session, Event, [row | {"at": at, "received_at": received_at, "raw": raw}])
    message = session.get(Message, reference, with_for_update=True) if reference else None
    if message is None:
        return "unknown reference"
    if provider_id and message.provider == provider and message.provider_id is None:
        _accept(session, message, provider_id, received_at)
    if kind in SUPPRESSING and message.contact_hash:
        contact = {"contact_hash": message.contact_hash, "channel": message.channel}
        insert_new(session, Suppression, [contact | {"source": kind, "at": at}])
    apply_events(session, message)
    return "applied" if is_new else "known"


def _accept(session: Session, message: Message, provider_id: str, at: datetime) -> None:
    """Takes the event as the answer to the attempt that is still open, if there is one."""
    unanswered = select(Attempt).where(
        Attempt.reference == message.reference, col(Attempt.outcome).is_(None) | (col(Attempt.outcome) == "unknown")
    )
    if attempt := session.exec(unanswered).first():
        outbox.record_acceptance(session, message.reference, attempt.number, provider_id, at)


def apply_events(session: Session, message: Message) -> None:
    """Moves the message to the strongest word of all its events, whichever came first."""
    kinds = session.exec(select(Event.kind).where(Event.reference == message.reference).distinct()).all()
    for status, reason in sorted({STATUS_OF[kind] for kind in kinds if kind in STATUS_OF}, key=lambda said: said[0]):
        outbox.advance(session, message.reference, status, reason)
