"""Takes an approval back while its time for that is open: its messages are composed again, and its batch waits again.

What has left has left: it is counted, and stays as it is.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine, func, or_
from sqlmodel import Session, col, select

from outreach.approval.approving import reopen
from outreach.approval.staff import require_approver
from outreach.database import writing
from outreach.delivery import outbox
from outreach.errors import NotFound, NotWaiting
from outreach.locks import take_turns
from outreach.models import Attempt, Batch, Message
from outreach.settings import Settings


@dataclass(frozen=True)
class Undone:
    """What became of an approval that was taken back."""

    #: It waits for approval again.
    batch: Batch
    #: Messages that are composed once more.
    back: int
    #: Messages that had left before, or may have.
    left: int


def undo_approval(engine: Engine, settings: Settings, batch_id: str, by: str, now: datetime) -> Undone:
    """Takes an approval back until its `undo_until`; any approver may.

    Raises NotFound, NotAllowed, and NotWaiting when it is too late, or there is nothing to undo.
    """
    with writing(engine) as session:
        # No approval and no rejection may come between the look at the batch and its reopening.
        take_turns(session, "approval")
        require_approver(session, by)
        batch = _require_undoable(session, settings, batch_id, now)
        back, left = outbox.take_back(session, batch_id), _count_left(session, batch_id)
        if not back:
            raise NotWaiting(f"All of {batch_id} has left, or was stopped on its way; there is nothing to take back")
        # The updates went past the session: what it still holds of these rows is old.
        session.expire_all()
        reopen(session, batch, by, now)
        return Undone(batch, back, left)


def _require_undoable(session: Session, settings: Settings, batch_id: str, now: datetime) -> Batch:
    batch = session.get(Batch, batch_id, with_for_update=True)
    if batch is None:
        raise NotFound(f"There is no batch “{batch_id}”. `outreach batches --all` lists them")
    if batch.status != "approved" or batch.undo_until is None:
        raise NotWaiting(f"{batch_id} is {batch.status}, and there is no approval that could be undone")
    if now >= batch.undo_until:
        until = batch.undo_until.astimezone(settings.business.zone)
        raise NotWaiting(
            f"{batch_id} could be undone until {until:%H:%M}. To stop it: outreach pause --batch {batch_id}"
        )
    return batch


def _count_left(session: Session, batch_id: str) -> int:
    """How many messages of the batch a provider has, or may have."""
    live = or_(col(Attempt.outcome).is_(None), col(Attempt.outcome).in_(outbox.LIVE))
    tried = select(func.count(col(Attempt.reference).distinct())).join(
        Message, col(Message.reference) == Attempt.reference
    )
    return session.exec(tried.where(Message.batch_id == batch_id, live)).one()


def count_undoable(session: Session, on: date, at: datetime) -> tuple[int, datetime | None, datetime | None]:
    """How many messages due by `on` wait until their approval cannot be undone; until when the first, and the last."""
    waiting = (
        select(func.count(), func.min(Batch.undo_until), func.max(Batch.undo_until))
        .select_from(Message)
        .join(Batch, col(Batch.batch_id) == Message.batch_id)
        .where(Message.status == "approved", col(Message.send_on) <= on, col(Batch.undo_until) > at)
    )
    return session.exec(waiting).one()
