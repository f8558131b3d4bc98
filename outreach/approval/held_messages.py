"""Sets a message that somebody wants to look at again apart from its batch, so that the rest can go.

A batch of messages set apart is named for whose words they are and whether they are on hold. It never goes by rule.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from outreach.approval.audit import record_act
from outreach.approval.batches import CHANGED, OPENED, SHRUNK, require_message, require_reason, require_waiting, reseal
from outreach.approval.seals import batch_seal
from outreach.approval.staff import require_writer
from outreach.database import writing
from outreach.errors import NotWaiting
from outreach.locks import take_turns
from outreach.models import Batch, Message


def hold_message(engine: Engine, reference: str, by: str, reason: str, now: datetime) -> Batch:
    """The batch on hold that the message is in now.

    Raises NotFound, NotWaiting, NotAllowed, and ApprovalError without a reason.
    """
    require_reason(reason)
    with writing(engine) as session:
        take_turns(session, "approval")
        require_writer(session, by)
        message = require_message(session, reference)
        if message.status == "held":
            raise NotWaiting(f"{message.reference} is on hold already; release it, or reject it")
        batch = require_waiting(session, message.batch_id or "")
        record_act(session, by, "message held", message.reference, "", now)
        return put_on_hold(session, batch, [message], by, reason, now)


def release_message(engine: Engine, reference: str, by: str, now: datetime) -> Batch:
    """The batch of what is on hold, in which the message can now be approved.

    Raises NotFound, NotWaiting and NotAllowed.
    """
    with writing(engine) as session:
        take_turns(session, "approval")
        require_writer(session, by)
        message = require_message(session, reference)
        if message.status != "held":
            raise NotWaiting(f"{message.reference} is not on hold")
        batch = require_waiting(session, message.batch_id or "")
        message.status, message.status_reason = "composed", None
        session.flush()
        record_act(session, by, "message released", message.reference, "", now)
        reseal(session, batch, CHANGED, [message], by, now)
        return batch


def put_on_hold(
    session: Session, batch: Batch, messages: Sequence[Message], by: str, reason: str | None, now: datetime
) -> Batch:
    """Holds messages of `batch` in a batch of their own; without a `reason` each keeps the one it has."""
    for message in messages:
        message.status, message.status_reason = "held", reason or message.status_reason
    return set_apart(session, batch, messages, batch.author, True, by, now, SHRUNK)


def set_apart(
    session: Session,
    batch: Batch,
    messages: Sequence[Message],
    author: str,
    on_hold: bool,
    by: str,
    now: datetime,
    act: str,
) -> Batch:
    """The batch for messages of `author`'s words, on hold or not, and `messages` of `batch` in it.

    `act` is what the audit says has become of the batch they left.
    """
    # From the first batch, however often it is set apart: so the name does not grow each time.
    origin = session.get_one(Batch, batch.apart_from) if batch.apart_from else batch
    apart, is_new = _batch_apart(session, origin, author, on_hold, now)
    for message in messages:
        message.batch_id = apart.batch_id
    session.flush()
    if apart.batch_id != batch.batch_id:
        reseal(session, apart, OPENED if is_new else CHANGED, messages, by, now)
    reseal(session, batch, act, messages, by, now)
    return apart


def _batch_apart(session: Session, origin: Batch, author: str, on_hold: bool, now: datetime) -> tuple[Batch, bool]:
    """The one that waits already, or a new one, and whether it is new."""
    edited = "" if author == origin.author else f"-edited-by-{author}"
    wanted = f"{origin.batch_id}{edited}{'-on-hold' if on_hold else ''}"
    name, number = wanted, 1
    # One that is decided takes no more messages.
    while (existing := session.get(Batch, name)) and existing.status != "waiting":
        number += 1
        name = f"{wanted}-{number}"
    if existing:
        return existing, False
    why = "on hold: somebody wants to look again" if on_hold else f"edited by {author}; somebody else approves it"
    own = {"batch_id": name, "author": author, "why_waiting": why, "opened_at": now, "apart_from": origin.batch_id}
    empty = {"count": 0, "cost": 0, "seal": batch_seal([]), "reason": None, "reminded_at": None, "status": "waiting"}
    decided = {"decided_by": None, "decided_at": None, "undo_until": None, "single_person": False}
    apart = Batch(**(origin.model_dump() | own | empty | decided))
    session.add(apart)
    session.flush()
    return apart, True
