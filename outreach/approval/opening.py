"""Composed messages in; sealed batches out, each approved by its moment's rule, or waiting for a person and saying why.

It decides nothing that a person should.
"""

import hashlib
import json
from collections import defaultdict
from datetime import date, datetime
from statistics import median

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.approval.approving import let_go
from outreach.approval.audit import record_act
from outreach.approval.batches import OPENED, PLANNER, RULE, free_id
from outreach.approval.seals import batch_seal
from outreach.approval.withdrawing import expire_unapproved, withdraw_stopped
from outreach.clock import business_date
from outreach.composing import template_fingerprint
from outreach.composing.templates import saved_sources
from outreach.database import take_turns, writing
from outreach.models import Batch, Import, Message
from outreach.moments import knobs_for
from outreach.settings import Settings


def open_batches(engine: Engine, settings: Settings, on: date, now: datetime) -> list[Batch]:
    """Puts every composed message that has no batch into one per (run date, moment, channel), and returns the new ones.

    Those that a person must look at first are in a batch of their own.

    A batch that its moment's rule lets go is approved here; the others wait for a person and say why. What the
    customer's word holds back meanwhile is withdrawn first, from batches that wait already too.
    """
    with writing(engine) as session:
        take_turns(session, "approval")
        today = business_date(now, settings.business.timezone)
        expire_unapproved(session, today, now)
        withdraw_stopped(session, settings, today, now)
        loose = select(Message).where(Message.status == "composed", col(Message.batch_id).is_(None))
        groups: dict[tuple[date, str, str, bool], list[Message]] = defaultdict(list)
        for message in session.exec(loose.order_by(Message.reference)):
            groups[message.run_on, message.kind, message.channel, bool(message.wants_person)].append(message)
        return [_open(session, settings, *key[:3], groups[key], now) for key in sorted(groups)]


def _open(
    session: Session, settings: Settings, run_on: date, kind: str, channel: str, messages: list[Message], now: datetime
) -> Batch:
    fingerprint = fingerprint_of(session, settings, kind)
    batch = Batch(
        batch_id=free_id(session, f"{run_on}-{kind.replace('_', '-')}-{channel}"),
        kind=kind,
        channel=channel,
        run_on=run_on,
        author=PLANNER,
        count=len(messages),
        cost=sum(message.cost for message in messages),
        currency=settings.business.currency,
        seal=batch_seal(messages),
        fingerprint=fingerprint,
        why_waiting=_why_waiting(session, settings, kind, channel, messages, fingerprint),
        opened_at=now,
    )
    session.add(batch)
    session.flush()
    for message in messages:
        message.batch_id = batch.batch_id
    session.flush()
    record_act(session, PLANNER, OPENED, batch.batch_id, batch.seal, now)
    if not batch.why_waiting:
        let_go(session, batch, RULE, "", now)
    return batch


def _why_waiting(
    session: Session, settings: Settings, kind: str, channel: str, messages: list[Message], fingerprint: str
) -> str:
    """Why a person must look first; empty when the rule may let the batch go."""
    if channel == "letter":
        return "letters wait for a person"
    if knobs_for(settings, kind).approval == "person":
        return "this moment waits for a person"
    if wanted := sorted({message.wants_person for message in messages if message.wants_person}):
        return f"somebody must look at them first: {wanted[0]}" + (" …" if len(wanted) > 1 else "")
    before = session.exec(
        select(Batch)
        .where(Batch.kind == kind, Batch.channel == channel, Batch.status == "approved")
        # A single message that was set apart says nothing of a run's usual size.
        .where(col(Batch.apart_from).is_(None))
        .order_by(col(Batch.run_on).desc(), col(Batch.batch_id).desc())
        .limit(30)
    ).all()
    if not before or before[0].fingerprint != fingerprint:
        return "the first run since its words, knobs or mapping changed"
    usual = median(batch.count for batch in before)
    count = len(messages)
    if count > settings.approval.usual_size_times * usual:
        return f"{count} messages, over {settings.approval.usual_size_times} times the usual {usual:g}"
    return ""


def fingerprint_of(session: Session, settings: Settings, kind: str) -> str:
    """A hash of all that shapes a moment's messages: its templates, its knobs, and the mappings data came through."""
    mappings = session.exec(select(Import.mapping).where(col(Import.mapping).is_not(None)).distinct()).all()
    shaping = {
        "templates": template_fingerprint(settings, kind, saved_sources(session)),
        "knobs": knobs_for(settings, kind).model_dump(mode="json"),
        "mappings": sorted(mapping for mapping in mappings if mapping),
    }
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()
