"""Finds the batches that wait too long, and claims each once for a reminder to the deputy. It sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.batches import PLANNER
from outreach.errors import SettingsError
from outreach.models import Batch, Staff
from outreach.settings import Settings


@dataclass(frozen=True)
class Reminder:
    """What to remind whom of: batches without a customer's name in them."""

    staff_id: str
    name: str
    email: str
    batches: tuple[Batch, ...]


def find_deputy(session: Session, settings: Settings) -> Staff | None:
    """The one to remind, or None where the business names nobody. Raises SettingsError where they cannot be reached."""
    named = settings.approval.deputy
    if not named:
        return None
    member = session.get(Staff, named)
    if member is None or member.removed_at:
        raise SettingsError(f"approval.deputy names “{named}”, who is not staff. Name somebody else in outreach.toml")
    if not member.email:
        raise SettingsError(f"The deputy has no e-mail address: outreach staff add {named} --name … --email …")
    return member


def claim_reminder(session: Session, settings: Settings, now: datetime) -> Reminder | None:
    """The batches that have waited too long, from now on reminded of, so that no other run does it again.

    None where there are none, or no deputy. Raises SettingsError where the deputy cannot be reached.
    """
    since = now - timedelta(hours=settings.approval.remind_hours)
    waiting = select(Batch).where(Batch.status == "waiting", Batch.opened_at <= since, col(Batch.reminded_at).is_(None))
    late = session.exec(waiting.order_by(col(Batch.opened_at), Batch.batch_id)).all()
    deputy = find_deputy(session, settings) if late else None
    if deputy is None:
        return None
    claimed = tuple(batch for batch in late if _claim(session, batch, deputy.staff_id, now))
    return Reminder(deputy.staff_id, deputy.name, deputy.email or "", claimed) if claimed else None


def _claim(session: Session, batch: Batch, staff_id: str, now: datetime) -> bool:
    # A compare-and-set: of two runs at once, one alone finds it free.
    free = update(Batch).where(
        col(Batch.batch_id) == batch.batch_id, col(Batch.status) == "waiting", col(Batch.reminded_at).is_(None)
    )
    if not session.connection().execute(free.values(reminded_at=now, reminded=staff_id)).rowcount:
        return False
    session.refresh(batch)
    record_act(session, PLANNER, "deputy reminded", batch.batch_id, staff_id, now)
    return True


def release_reminder(session: Session, batches: Sequence[Batch], now: datetime) -> None:
    """Lets the next run remind of these again, because this reminder surely did not leave."""
    for batch in batches:
        # Only our own claim: one that another run has made since stands.
        mine = update(Batch).where(col(Batch.batch_id) == batch.batch_id, col(Batch.reminded_at) == batch.reminded_at)
        session.connection().execute(mine.values(reminded_at=None, reminded=None))
        record_act(session, PLANNER, "reminder failed", batch.batch_id, batch.reminded or "", now)
