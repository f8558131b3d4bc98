"""Puts composed messages into sealed batches: each goes by its moment's rule, or waits for a person and says why.

What a batch was made with, and by whom, is what its messages were: it is never asked how things stand by now. It
decides nothing that a person should.
"""

from collections import defaultdict
from datetime import date, datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.approval.approving import let_go
from outreach.approval.audit import record_act
from outreach.approval.authors import parts_of
from outreach.approval.batches import OPENED, PLANNER, RULE, free_id
from outreach.approval.person_reasons import Opening, why_person
from outreach.approval.seals import batch_seal
from outreach.approval.withdrawals import expire_unapproved, withdraw_stopped
from outreach.chunks import select_for
from outreach.clock import business_date
from outreach.database import writing
from outreach.locks import take_turns
from outreach.models import Batch, Message, Provenance
from outreach.settings import Settings

# A run date, a moment, a channel, whether somebody must look first, what it was made with, and by whom.
Group = tuple[date, str, str, bool, str, tuple[str, ...]]


def open_batches(engine: Engine, settings: Settings, on: date, now: datetime) -> list[Batch]:
    """Puts every composed message that has no batch into one per (run date, moment, channel), and returns the new ones.

    Those that a person must look at first are in a batch of their own, and so are those that were made with other
    templates, knobs, mappings or letterhead, or by other people.

    A batch that its moment's rule lets go is approved here; the others wait for a person and say why. What the
    customer's word holds back meanwhile is withdrawn first, from batches that wait already too.
    """
    with writing(engine) as session:
        take_turns(session, "approval")
        today = business_date(now, settings.business.timezone)
        expire_unapproved(session, today, now)
        withdraw_stopped(session, settings, today, now)
        groups = _group(session)
        # In the same order in every run, so that the numbers behind equal names mean the same.
        return [_open(session, settings, groups[key], now) for key in sorted(groups)]


def _group(session: Session) -> dict[Group, Opening]:
    """The messages that have no batch, by what would be one."""
    loose = select(Message).where(Message.status == "composed", col(Message.batch_id).is_(None))
    messages = session.exec(loose.order_by(Message.reference)).all()
    ids = {message.provenance_id for message in messages if message.provenance_id}
    provenances = {
        row.provenance_id: row for row in select_for(session, select(Provenance), Provenance.provenance_id, ids)
    }
    parts = parts_of(session, ids)
    grouped: dict[Group, list[Message]] = defaultdict(list)
    for message in messages:
        made = provenances.get(message.provenance_id or "")
        people = tuple(sorted({part.by for part in parts.get(message.provenance_id or "", ())}))
        fingerprint, wanted = made.fingerprint if made else "", bool(message.wants_person)
        grouped[message.run_on, message.kind, message.channel, wanted, fingerprint, people].append(message)
    return {
        key: Opening(*key[:3], key[4], any(provenances[id_].for_person for id_ in _ids_of(theirs)), theirs)
        for key, theirs in grouped.items()
    }


def _ids_of(messages: list[Message]) -> set[str]:
    return {message.provenance_id for message in messages if message.provenance_id}


def _open(session: Session, settings: Settings, opening: Opening, now: datetime) -> Batch:
    messages = opening.messages
    batch = Batch(
        batch_id=free_id(session, f"{opening.run_on}-{opening.kind.replace('_', '-')}-{opening.channel}"),
        kind=opening.kind,
        channel=opening.channel,
        run_on=opening.run_on,
        author=PLANNER,
        count=len(messages),
        cost=sum(message.cost for message in messages),
        currency=settings.business.currency,
        seal=batch_seal(messages),
        fingerprint=opening.fingerprint,
        why_waiting=why_person(session, settings, opening),
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
