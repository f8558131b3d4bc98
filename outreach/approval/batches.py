"""What a batch is: the messages in it that wait, its seal, and whether it can still be decided.

Whatever takes a message out of a batch, or changes one, ends here, so that seal, count and cost are always of what an
approval would let go.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.seals import batch_seal
from outreach.errors import ApprovalError, NotFound, NotWaiting
from outreach.models import AuditEntry, Batch, Message

# Who prepares and approves when no person does; no staff record can have these ids, since they hold a space.
PLANNER = "the planner"
RULE = "by rule"
WAITING = ("composed", "held")
# What the audit calls each new seal of a batch. One that shrank holds nothing that its approver has not seen.
OPENED, SHRUNK, CHANGED = "batch opened", "batch shrunk", "batch changed"


def list_batches(session: Session, status: str | None = "waiting") -> Sequence[Batch]:
    """Batches by run date and id; those waiting for a person unless another status, or None for all, is asked for."""
    statement = select(Batch).order_by(col(Batch.run_on), col(Batch.batch_id))
    return session.exec(statement.where(Batch.status == status) if status else statement).all()


def messages_waiting(session: Session, batch_id: str) -> Sequence[Message]:
    """The messages of a batch that still wait for a decision, those on hold too, by reference."""
    waiting = select(Message).where(Message.batch_id == batch_id, col(Message.status).in_(WAITING))
    return session.exec(waiting.order_by(Message.reference)).all()


def messages_to_approve(session: Session, batch_id: str) -> Sequence[Message]:
    """The messages of a batch that an approval would let go, by reference."""
    return [message for message in messages_waiting(session, batch_id) if message.status == "composed"]


def first_references(session: Session, batch_id: str, count: int) -> Sequence[str]:
    """The references of the first `count` messages of a batch that would be approved."""
    composed = select(Message.reference).where(Message.batch_id == batch_id, Message.status == "composed")
    return session.exec(composed.order_by(Message.reference).limit(count)).all()


def require_waiting(session: Session, batch_id: str, zone: tzinfo = UTC) -> Batch:
    """The batch, locked; `zone` is for the time in the error's text. Raises NotFound and NotWaiting."""
    batch = session.get(Batch, batch_id, with_for_update=True)
    if batch is None:
        raise NotFound(f"There is no batch “{batch_id}”. `outreach batches` lists those that wait")
    if batch.status == "empty":
        raise NotWaiting(f"Nothing is left in {batch_id}: its messages were withdrawn, or set apart. outreach batches")
    if batch.status != "waiting":
        at = f" at {batch.decided_at.astimezone(zone):%Y-%m-%d %H:%M %Z}" if batch.decided_at else ""
        raise NotWaiting(f"{batch_id} is {batch.status} already, by {batch.decided_by}{at}")
    return batch


def require_message(session: Session, reference: str) -> Message:
    """The message, locked. Raises NotFound, and NotWaiting unless it waits for a decision in a batch."""
    message = session.get(Message, reference.upper(), with_for_update=True)
    if message is None:
        raise NotFound(f"There is no message “{reference}”. Its reference stands on it, such as K7QF-2M9X-TB4D")
    if message.status not in WAITING or message.batch_id is None:
        raise NotWaiting(f"{message.reference} is {message.status}; only what waits in a batch can be changed here")
    return message


def require_reason(reason: str) -> None:
    """Raises ApprovalError for an empty reason: whoever wrote the message has nothing to learn from that."""
    if not reason.strip():
        raise ApprovalError("Say why, in a few words, for those who wrote it")


def reseal(
    session: Session,
    batch: Batch,
    act: str,
    messages: Iterable[Message],
    by: str,
    now: datetime,
    emptied: str = "empty",
) -> None:
    """Seals what an approval would let go now that `act` has happened to `messages`; with nothing left it is `emptied`.

    Call it once the messages themselves are flushed.
    """
    waiting = messages_waiting(session, batch.batch_id)
    composed = [message for message in waiting if message.status == "composed"]
    batch.count, batch.cost, batch.seal = len(composed), sum(message.cost for message in composed), batch_seal(composed)
    if not waiting:
        batch.status, batch.decided_by, batch.decided_at = emptied, by, now
    touched = " ".join(sorted(message.reference for message in messages))
    record_act(
        session, by, act if waiting else f"batch {emptied}", batch.batch_id, f"{batch.seal} {touched}".strip(), now
    )


def seals_since(session: Session, batch_id: str, seal: str) -> list[AuditEntry] | None:
    """The audit's entries of how the batch was sealed anew since it had `seal`; None when that never was its seal."""
    sealed = select(AuditEntry).where(
        AuditEntry.subject == batch_id, col(AuditEntry.act).in_((OPENED, SHRUNK, CHANGED))
    )
    entries = session.exec(sealed.order_by(col(AuditEntry.sequence))).all()
    had = [number for number, entry in enumerate(entries) if entry.detail.split(" ")[0] == seal]
    # An edit that is taken back may bring an old seal again: what counts is when it was the batch's last.
    return list(entries[had[-1] + 1 :]) if had else None


def references_in(entry: AuditEntry) -> list[str]:
    """The references of the messages that an entry of `reseal` is about."""
    return entry.detail.split(" ")[1:]


def free_id(session: Session, wanted: str) -> str:
    """`wanted`, or with the first number behind it that no batch has."""
    taken, number = wanted, 1
    while session.get(Batch, taken):
        number += 1
        taken = f"{wanted}-{number}"
    return taken
