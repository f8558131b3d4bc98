"""Approves the messages of a batch at a person's or a rule's yes: once, and exactly as the approver saw them.

Every decision is a compare-and-set, so that two approvers, or two runs, make one approval.
"""

from datetime import datetime, timedelta

from sqlalchemy import Engine, update
from sqlmodel import Session, col

from outreach.approval.audit import record_act
from outreach.approval.authors import require_another
from outreach.approval.batches import (
    CHANGED,
    SHRUNK,
    messages_to_approve,
    messages_waiting,
    references_in,
    require_waiting,
    reseal,
    seals_since,
)
from outreach.approval.held_messages import put_on_hold
from outreach.approval.person_reasons import given_by
from outreach.approval.seals import batch_seal, list_unfit
from outreach.approval.staff import require_approver
from outreach.approval.withdrawals import expire_unapproved, withdraw_stopped
from outreach.clock import business_date
from outreach.composing.store.storage import open_storage
from outreach.database import reading, writing
from outreach.errors import ChangedSince, NotWaiting, NowFewer, TooMuchGiven
from outreach.locks import take_turns
from outreach.models import Batch, Message
from outreach.planning.ceilings import why_too_much
from outreach.settings import Settings

AT_THE_DESK = "desk"


def approve_batch(
    engine: Engine,
    settings: Settings,
    batch_id: str,
    by: str,
    now: datetime,
    marked: str,
    seal: str | None = None,
    count: int | None = None,
    cost: int | None = None,
    may_undo: bool | None = None,
) -> Batch:
    """The batch, approved by the member of staff `by`; `marked` says in the audit where they acted.

    `seal`, `count` and `cost` are those the approver looked at, where they looked. An approval at the desk leaves only
    once it cannot be undone any more, and others at once, unless `may_undo` says otherwise. What is on hold stays so,
    in a batch of its own that `reason` names.

    Raises NotFound, NotAllowed, NotWaiting, SamePerson, TooMuchGiven; NowFewer when some of what they saw is gone, and
    ChangedSince when anything is different, was edited, or was changed outside the program. Then nothing is approved.
    """
    _tidy(engine, settings, batch_id, now)
    undo_until = None
    # Only the desk has a button to undo.
    if may_undo if may_undo is not None else marked == AT_THE_DESK:
        undo_until = now + timedelta(minutes=settings.approval.undo_minutes)
    with writing(engine) as session:
        take_turns(session, "approval")
        require_approver(session, by)
        batch = require_waiting(session, batch_id, settings.business.zone)
        messages = messages_to_approve(session, batch_id)
        batch.single_person = require_another(session, settings, batch, by)
        if seal and seal != batch.seal:
            _refuse(session, batch, seal)
        # The seal is made again from the rows: what was changed outside the program shows here.
        same_size = count in (None, batch.count) and cost in (None, batch.cost)
        if not same_size or batch_seal(messages) != batch.seal:
            raise ChangedSince(f"{batch_id} is not what you looked at. Look at it again: outreach batches")
        if not messages:
            raise NotWaiting(f"All of {batch_id} is on hold; release what may go, or reject it")
        if why := why_too_much(settings, given_by(session, batch.run_on, list(messages))):
            raise TooMuchGiven(f"{batch_id}: {why}")
        _leave_held(session, batch, by, now)
        return let_go(session, batch, by, marked, now, undo_until)


def _tidy(engine: Engine, settings: Settings, batch_id: str, now: datetime) -> None:
    """Takes out what must not go any more, in a transaction of its own: that stands, whatever becomes of the approval.

    Raises ChangedSince for messages that are not as they were composed, StorageError while that cannot be told.
    """
    with writing(engine) as session:
        take_turns(session, "approval")
        today = business_date(now, settings.business.timezone)
        expire_unapproved(session, today, now)
        withdraw_stopped(session, settings, today, now, batch_id)
    with reading(engine) as session:
        messages = messages_to_approve(session, batch_id)
    if unfit := list_unfit(engine, open_storage(settings.storage), messages):
        raise ChangedSince(
            f"{', '.join(unfit)} in {batch_id}: recipient, words or options were changed outside the program since "
            "it was composed, or its bytes are lost. Reject it, and approve the rest"
        )


def _refuse(session: Session, batch: Batch, seal: str) -> None:
    """Raises what fits an approver who looked at `seal`: NowFewer, or ChangedSince with what was changed."""
    since = seals_since(session, batch.batch_id, seal)
    if since is None:
        raise ChangedSince(f"{batch.batch_id} never was what you looked at. Look at it again: outreach batches")
    changes = [entry for entry in since if entry.act != SHRUNK]
    if changes:
        edits = "; ".join(f"{' '.join(references_in(entry)) or 'undone'} by {entry.actor}" for entry in changes)
        raise ChangedSince(
            f"{batch.batch_id} has changed since you looked ({edits}). Look at it again: outreach batches"
        )
    gone = {reference: _fate(session, batch, reference) for entry in since for reference in references_in(entry)}
    fates = "; ".join(f"{reference}: {why}" for reference, why in gone.items())
    raise NowFewer(
        f"{batch.batch_id} is now {batch.count}, {len(gone)} fewer than you looked at ({fates}). Approve what is left?",
        batch.count,
        batch.cost,
        batch.seal,
        gone,
    )


def _fate(session: Session, batch: Batch, reference: str) -> str:
    message = session.get_one(Message, reference)
    if message.status_reason:
        return f"{message.status}, {message.status_reason}"
    return f"set apart in {message.batch_id}" if message.batch_id != batch.batch_id else message.status


def _leave_held(session: Session, batch: Batch, by: str, now: datetime) -> None:
    """Moves what is on hold into a batch of its own: nothing in an approved batch waits for a decision."""
    batch.reason = None  # earlier versions left there why one of its messages had been rejected
    held = [message for message in messages_waiting(session, batch.batch_id) if message.status == "held"]
    if held:
        batch.status = "approved"  # so that the held ones are not put back into this very batch
        apart = put_on_hold(session, batch, held, by, None, now)
        batch.reason = f"{len(held)} on hold, in {apart.batch_id}"


def let_go(
    session: Session, batch: Batch, by: str, marked: str, now: datetime, undo_until: datetime | None = None
) -> Batch:
    """The batch, approved; nothing of it leaves before `undo_until`. Who may, and whether it is sealed, is settled."""
    batch.status, batch.decided_by, batch.decided_at, batch.undo_until = "approved", by, now, undo_until
    # What is held, or was taken out, stays what it is.
    composed = update(Message).where(col(Message.batch_id) == batch.batch_id, col(Message.status) == "composed")
    session.execute(composed.values(status="approved", not_before=undo_until))
    detail = [batch.seal, marked, "single person" if batch.single_person else ""]
    record_act(session, by, "batch approved", batch.batch_id, " ".join(word for word in detail if word), now)
    return batch


def reopen(session: Session, batch: Batch, by: str, now: datetime) -> None:
    """Makes an approved batch wait for a person again, once its messages that have not left are composed again."""
    batch.status, batch.decided_by, batch.decided_at = "waiting", None, None
    batch.undo_until, batch.single_person, batch.reason = None, False, None
    session.flush()
    record_act(session, by, "approval undone", batch.batch_id, "", now)
    reseal(session, batch, CHANGED, [], by, now)
