"""Composed messages made by hand, the staff who decide on them, and what became of both: for the tests of approval."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from approved import add_approved
from conftest import NOW, TODAY
from outreach.approval.approving import approve_batch
from outreach.approval.batches import messages_to_approve
from outreach.approval.open_batches import open_batches
from outreach.approval.seals import batch_seal
from outreach.approval.staff import add_staff
from outreach.database import insert_new, reading, writing
from outreach.models import AuditEntry, Batch, Hand, Message, Provenance, Wording
from outreach.settings import Settings

ANNIVERSARY = "2026-03-10-anniversary-letter"


def compose(
    engine: Engine,
    *references: str,
    run_on: date = TODAY,
    made_with: str | None = "as ever",
    hands: Sequence[tuple[str, str, str]] = (),
    **values: Any,
) -> None:
    """Messages as composing leaves them, one moment and one customer each; letters for an anniversary unless said.

    `made_with` stands for the fingerprint of what they were made with, and `hands` are who put which part into that.
    """
    known = {"kind": "anniversary", "channel": "letter", "purpose": "marketing", "useful_until": run_on + timedelta(9)}
    known |= {"run_on": run_on, "send_on": run_on, "cost": 105, "status": "composed", "batch_id": None} | values
    with writing(engine) as session:
        if made_with:
            known["provenance_id"] = f"{known['kind']} {made_with} {sorted(hands)}"
            row = {"provenance_id": known["provenance_id"], "kind": known["kind"], "fingerprint": made_with}
            insert_new(session, Provenance, [row | {"for_person": False}])
            named = [dict(zip(("by", "part", "name"), hand, strict=True)) | {"version": 1} for hand in hands]
            insert_new(session, Hand, [{"provenance_id": row["provenance_id"], **hand} for hand in named])
        for code in references:
            add_approved(session, code, **known)
            session.add(Wording(reference=code, words=f"What {code} says"))


def open_one(engine: Engine, settings: Settings, *references: str, **values: Any) -> Batch:
    """The one batch of new messages, waiting, with maria and jon on record to approve it."""
    hire(engine, "maria")
    hire(engine, "jon")
    compose(engine, *references, **values)
    (batch,) = open_batches(engine, settings, TODAY, NOW)
    return batch


def hire(engine: Engine, staff_id: str = "maria", role: str = "approver") -> None:
    with writing(engine) as session:
        add_staff(session, staff_id, staff_id.title(), role, NOW)


def approve(
    engine: Engine, settings: Settings, batch_id: str = ANNIVERSARY, by: str = "maria", at: datetime = NOW, **more: Any
) -> Batch:
    return approve_batch(engine, settings, batch_id, by, at, more.pop("marked", "command line"), **more)


def batch_of(engine: Engine, batch_id: str = ANNIVERSARY) -> Batch:
    with reading(engine) as session:
        return session.get_one(Batch, batch_id)


def message_of(engine: Engine, reference: str) -> Message:
    with reading(engine) as session:
        return session.get_one(Message, reference)


def statuses(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        return dict(session.exec(select(Message.reference, Message.status)).all())


def acts(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        return [(entry.actor, entry.act) for entry in session.exec(select(AuditEntry).order_by(AuditEntry.sequence))]


def require_true_seals(session: Session) -> None:
    """Every waiting batch's seal, count and cost are those of what an approval would let go."""
    for batch in session.exec(select(Batch).where(Batch.status == "waiting")):
        messages = messages_to_approve(session, batch.batch_id)
        assert batch.seal == batch_seal(messages), batch.batch_id
        assert (batch.count, batch.cost) == (len(messages), sum(message.cost for message in messages))
