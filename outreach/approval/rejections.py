"""Rejects a batch or a message that somebody does not want, with the reason. The rest of a batch goes on."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from outreach.approval.audit import record_acts
from outreach.approval.batches import SHRUNK, messages_waiting, require_message, require_reason, require_waiting, reseal
from outreach.approval.staff import require_approver
from outreach.chunks import in_chunks
from outreach.database import writing
from outreach.locks import take_turns
from outreach.models import Batch, Message


def reject(engine: Engine, subject: str, by: str, reason: str, now: datetime, marked: str) -> Batch:
    """The batch, with all of it rejected, or only the message when `subject` is a reference.

    Raises NotFound, NotWaiting, NotAllowed, and ApprovalError without a reason.
    """
    require_reason(reason)
    with writing(engine) as session:
        take_turns(session, "approval")
        require_approver(session, by)
        if session.get(Message, subject.upper()) is None:
            batch = require_waiting(session, subject)
            return _reject(session, batch, messages_waiting(session, subject), by, reason, now, marked)
        message = require_message(session, subject)
        return _reject(session, require_waiting(session, message.batch_id or ""), [message], by, reason, now, marked)


def _reject(
    session: Session, batch: Batch, messages: Sequence[Message], by: str, reason: str, now: datetime, marked: str
) -> Batch:
    # A constant number of statements, however large the batch: everybody else's decision waits for this one.
    references = [message.reference for message in messages]
    for some in in_chunks(references):
        rejected = update(Message).where(col(Message.reference).in_(some))
        session.execute(rejected.values(status="rejected", status_reason=reason))
    record_acts(session, by, "message rejected", references, marked, now)
    reseal(session, batch, SHRUNK, messages, by, now, "rejected")
    # Why one message was rejected stands beside that message: of the others it would be untrue.
    if batch.status == "rejected":
        batch.reason = _common_reason(session, batch.batch_id)
    return batch


def _common_reason(session: Session, batch_id: str) -> str | None:
    """Why all that was rejected of a batch was; None where the reasons differ."""
    rejected = select(Message.status_reason).where(Message.batch_id == batch_id, Message.status == "rejected")
    reasons = session.exec(rejected.distinct()).all()
    return reasons[0] if len(reasons) == 1 else None
