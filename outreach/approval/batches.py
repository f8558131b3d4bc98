"""Opens batches over composed messages, and takes a person's or a rule's decision on them, once.

Every decision is a compare-and-set, so that two approvers, or two runs, make one approval.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from statistics import median

from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.seals import batch_seal
from outreach.approval.staff import require_approver
from outreach.clock import business_date
from outreach.composing import template_fingerprint
from outreach.database import take_turns, writing
from outreach.errors import ChangedSince, NotFound, NotWaiting, SamePerson
from outreach.models import Batch, Import, Message
from outreach.settings import Settings

# Who prepares and approves when no person does; no staff record can have these ids, since they hold a space.
PLANNER = "the planner"
RULE = "by rule"
WAITING = ("composed", "held")


def open_batches(engine: Engine, settings: Settings, on: date, now: datetime) -> list[Batch]:
    """Puts every composed message that has no batch into one per (run date, moment, channel), and returns the new ones.

    A batch that its moment's rule lets go is approved here; the others wait for a person and say why.
    """
    with writing(engine) as session:
        take_turns(session, "approval")
        expire_unapproved(session, business_date(now, settings.business.timezone), now)
        loose = select(Message).where(Message.status == "composed", col(Message.batch_id).is_(None))
        groups: dict[tuple[date, str, str], list[Message]] = defaultdict(list)
        for message in session.exec(loose.order_by(Message.reference)):
            groups[message.run_on, message.kind, message.channel].append(message)
        return [_open(session, settings, *key, groups[key], now) for key in sorted(groups)]


def _open(
    session: Session, settings: Settings, run_on: date, kind: str, channel: str, messages: list[Message], now: datetime
) -> Batch:
    fingerprint = fingerprint_of(session, settings, kind)
    batch = Batch(
        batch_id=_free_id(session, f"{run_on}-{kind.replace('_', '-')}-{channel}"),
        kind=kind,
        channel=channel,
        run_on=run_on,
        author=PLANNER,
        count=len(messages),
        cost=sum(message.cost for message in messages),
        currency=settings.business.currency,
        seal=batch_seal(messages),
        fingerprint=fingerprint,
        why_waiting=_why_waiting(session, settings, kind, channel, len(messages), fingerprint),
        opened_at=now,
    )
    session.add(batch)
    session.flush()
    for message in messages:
        message.batch_id = batch.batch_id
    session.flush()
    record_act(session, PLANNER, "batch opened", batch.batch_id, batch.seal, now)
    if not batch.why_waiting:
        _approve(session, batch, RULE, "", now)
    return batch


def _free_id(session: Session, wanted: str) -> str:
    taken, number = wanted, 1
    while session.get(Batch, taken):
        number += 1
        taken = f"{wanted}-{number}"
    return taken


def _why_waiting(session: Session, settings: Settings, kind: str, channel: str, count: int, fingerprint: str) -> str:
    """Why a person must look first; empty when the rule may let the batch go."""
    if channel == "letter":
        return "letters wait for a person"
    if settings.knobs_for(kind).approval == "person":
        return "this moment waits for a person"
    before = session.exec(
        select(Batch)
        .where(Batch.kind == kind, Batch.channel == channel, Batch.status == "approved")
        .order_by(col(Batch.run_on).desc(), col(Batch.batch_id).desc())
        .limit(30)
    ).all()
    if not before or before[0].fingerprint != fingerprint:
        return "the first run since its words, knobs or mapping changed"
    usual = median(batch.count for batch in before)
    if count > settings.approval.usual_size_times * usual:
        return f"{count} messages, over {settings.approval.usual_size_times} times the usual {usual:g}"
    return ""


def fingerprint_of(session: Session, settings: Settings, kind: str) -> str:
    """A hash of all that shapes a moment's messages: its templates, its knobs, and the mappings data came through."""
    mappings = session.exec(select(Import.mapping).where(col(Import.mapping).is_not(None)).distinct()).all()
    shaping = {
        "templates": template_fingerprint(settings, kind),
        "knobs": settings.knobs_for(kind).model_dump(mode="json"),
        "mappings": sorted(mapping for mapping in mappings if mapping),
    }
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()


def approve_batch(
    engine: Engine, settings: Settings, batch_id: str, by: str, now: datetime, marked: str, seal: str | None = None
) -> Batch:
    """The batch, approved by the member of staff `by`; `marked` says in the audit where they acted.

    Raises NotFound, NotWaiting, SamePerson, or ChangedSince when `seal` is not the batch's any more or a message was
    changed outside the program.
    """
    with writing(engine) as session:
        take_turns(session, "approval")
        require_approver(session, by)
        expire_unapproved(session, business_date(now, settings.business.timezone), now)
        batch = require_waiting(session, batch_id)
        if batch.author == by and not settings.approval.single_person:
            raise SamePerson(f"{by} prepared {batch_id}; somebody else must approve it")
        if (seal and seal != batch.seal) or batch_seal(messages_waiting(session, batch_id)) != batch.seal:
            raise ChangedSince(f"{batch_id} has changed since you looked. Look at it again: outreach batches")
        return _approve(session, batch, by, marked, now)


def _approve(session: Session, batch: Batch, by: str, marked: str, now: datetime) -> Batch:
    batch.status, batch.decided_by, batch.decided_at = "approved", by, now
    composed = update(Message).where(col(Message.batch_id) == batch.batch_id, col(Message.status) == "composed")
    session.execute(composed.values(status="approved"))
    record_act(session, by, "batch approved", batch.batch_id, f"{batch.seal} {marked}".strip(), now)
    return batch


def reject(engine: Engine, subject: str, by: str, reason: str, now: datetime, marked: str) -> Batch:
    """The batch, with all of it rejected, or only the message when `subject` is a reference."""
    with writing(engine) as session:
        take_turns(session, "approval")
        require_approver(session, by)
        message = session.get(Message, subject.upper())
        if message is None:
            batch = require_waiting(session, subject)
            return _reject(session, batch, messages_waiting(session, subject), by, reason, now, marked)
        if message.status not in WAITING or message.batch_id is None:
            raise NotWaiting(f"{message.reference} is {message.status}; only what still waits can be rejected")
        return _reject(session, require_waiting(session, message.batch_id), [message], by, reason, now, marked)


def _reject(
    session: Session, batch: Batch, messages: Sequence[Message], by: str, reason: str, now: datetime, marked: str
) -> Batch:
    for message in messages:
        message.status, message.status_reason = "rejected", reason
        record_act(session, by, "message rejected", message.reference, marked, now)
    session.flush()
    batch.reason = reason
    _reseal(session, batch, "rejected", by, now)
    return batch


def expire_unapproved(session: Session, today: date, now: datetime) -> int:
    """Ends messages nobody approved while they were useful; returns how many. The rest of their batch goes on."""
    late = select(Message).where(col(Message.status).in_(("planned", *WAITING)), Message.useful_until < today)
    messages = session.exec(late).all()
    for message in messages:
        message.status, message.status_reason = "expired", f"not approved by {message.useful_until}"
    session.flush()
    for batch_id in sorted({message.batch_id for message in messages if message.batch_id}):
        _reseal(session, session.get_one(Batch, batch_id), "expired", PLANNER, now)
    return len(messages)


def _reseal(session: Session, batch: Batch, emptied: str, by: str, now: datetime) -> None:
    """Seals what is left of a batch; one with nothing left ends as `emptied`."""
    left = messages_waiting(session, batch.batch_id)
    batch.count, batch.cost, batch.seal = len(left), sum(message.cost for message in left), batch_seal(left)
    if not left:
        batch.status, batch.decided_by, batch.decided_at = emptied, by, now
    record_act(session, by, "batch resealed" if left else f"batch {emptied}", batch.batch_id, batch.seal, now)


def messages_waiting(session: Session, batch_id: str) -> Sequence[Message]:
    """The messages of a batch that still wait for a decision, by reference."""
    waiting = select(Message).where(Message.batch_id == batch_id, col(Message.status).in_(WAITING))
    return session.exec(waiting.order_by(Message.reference)).all()


def require_waiting(session: Session, batch_id: str) -> Batch:
    batch = session.get(Batch, batch_id, with_for_update=True)
    if batch is None:
        raise NotFound(f"There is no batch “{batch_id}”. `outreach batches` lists those that wait")
    if batch.status != "waiting":
        raise NotWaiting(f"{batch_id} is {batch.status} already, by {batch.decided_by}")
    return batch


def list_batches(session: Session, status: str | None = "waiting") -> Sequence[Batch]:
    """Batches by run date and id; those waiting for a person unless another status, or None for all, is asked for."""
    statement = select(Batch).order_by(col(Batch.run_on), col(Batch.batch_id))
    return session.exec(statement.where(Batch.status == status) if status else statement).all()
