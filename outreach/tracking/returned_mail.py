"""Takes the reference from an envelope that came back. Its address is never used again.

Every other open letter to that address is pulled back. Entering the same letter again changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_approver
from outreach.channels import LETTER
from outreach.delivery import outbox
from outreach.delivery.providers.protocol import stand_in
from outreach.errors import ApprovalError, NotFound, NotWaiting
from outreach.locks import take_turns
from outreach.models import DESK, Event, Message
from outreach.settings import Settings
from outreach.stable_ids import read_reference
from outreach.tracking.events import record_event
from outreach.tracking.pulling_back import PullReport, pull_back

# What may lie in somebody's letterbox, whatever we think became of it.
HAS_LEFT = ("accepted", "delivered", "returned", "failed", "cancelled")
MAY_HAVE_LEFT = ("uncertain", "needs_person")


@dataclass(frozen=True)
class Returned:
    """A letter that came back."""

    message: Message
    #: False for a letter that had been entered already.
    is_new: bool
    #: Hand it to `cancel_pulled` once the transaction is committed.
    pulled: PullReport


def record_returned(session: Session, settings: Settings, typed: str, by: str, now: datetime) -> Returned:
    """Writes down that a letter came back. Case, dashes, spaces and look-alikes in `typed` do not matter.

    Raises NotFound for what is no reference of ours, NotWaiting for what was never sent, ApprovalError for what is no
    letter, and NotAllowed.
    """
    take_turns(session, "approval")
    require_approver(session, by)
    message = _find_letter(session, typed)
    # Asked before the event is kept, which makes every letter known.
    is_new = session.get(Event, (DESK, _event_id(message.reference))) is None
    if message.status in MAY_HAVE_LEFT:
        _take_as_sent(session, message, now)
    record_event(session, DESK, _event_id(message.reference), "returned", now, now, message.reference)
    report = PullReport()
    if is_new and message.contact_hash:
        same_address = (col(Message.contact_hash) == message.contact_hash) & (Message.channel == LETTER.name)
        report = pull_back(session, settings, same_address & (Message.reference != message.reference), now)
    if is_new:
        record_act(session, by, "returned mail recorded", message.reference, "", now)
    return Returned(message, is_new, report)


def _event_id(reference: str) -> str:
    return f"{reference} returned"


def _find_letter(session: Session, typed: str) -> Message:
    reference = read_reference(typed)
    if reference is None:
        raise NotFound(
            f"“{typed.strip()[:40]}” is no reference. One has twelve letters and digits, such as K7QF-2M9X-TB4D, and "
            "stands small at the foot of the letter"
        )
    message = session.get(Message, reference, with_for_update=True)
    if message is None:
        raise NotFound(f"No message of ours is called {reference}. Look at the letter once more, and type it again")
    if message.channel != LETTER.name:
        raise ApprovalError(f"{reference} is no letter but goes by {message.channel}; only letters come back by post")
    if message.status not in (*HAS_LEFT, *MAY_HAVE_LEFT) or (message.status == "failed" and not message.accepted_at):
        raise NotWaiting(f"{reference} was never sent: it is {message.status}. Look at the letter once more")
    return message


def _take_as_sent(session: Session, message: Message, now: datetime) -> None:
    """The letter in our hand proves that it left."""
    attempts = outbox.attempts_of(session, [message.reference])[message.reference]
    attempt = next(attempt for attempt in attempts if attempt.outcome == "unknown")
    outbox.record_acceptance(session, message.reference, attempt.number, stand_in(attempt.key), now)
    attempt.evidence = "it came back by post"
    session.flush()


def list_returned(session: Session, since: datetime, limit: int = 100) -> Sequence[tuple[Event, Message]]:
    """The letters entered as returned since an instant, the latest first."""
    entered = (
        select(Event, Message)
        .join(Message, col(Message.reference) == Event.reference)
        .where(Event.provider == DESK, Event.kind == "returned", col(Event.received_at) >= since)
    )
    return session.exec(entered.order_by(col(Event.received_at).desc(), Event.event_id).limit(limit)).all()
