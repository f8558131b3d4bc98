"""Shows each batch at a glance: its cost by provider, when it would arrive, and what to look at first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.approval.authors import parts_in, tell_hands
from outreach.approval.batches import WAITING, list_batches
from outreach.approval.outliers import Look, look_over
from outreach.clock import add_business_days, business_date
from outreach.models import Batch, Message
from outreach.settings import Settings


@dataclass(frozen=True)
class Glance:
    """One batch, for a person who is to decide on it."""

    batch: Batch
    #: In minor units.
    cost_by_provider: dict[str, int]
    #: What of it is for rewards.
    reward_cost: int
    #: How many of its messages are on hold.
    held: int
    #: The first day of arrival, if it were approved now, and below it the last.
    arrives_from: date | None
    arrives_until: date | None
    #: When the first of its messages loses its use.
    useful_until: date | None
    #: How many messages a person should look at first, by reason.
    looks: Counter[str]
    #: Each member of staff who put something into it, with what.
    hands: list[tuple[str, str]]


def glance_at_batches(session: Session, settings: Settings, now: datetime) -> list[Glance]:
    """Every batch that waits for a person, the one that loses its use first at the top."""
    batches = list_batches(session)
    glances = [glance_at(session, settings, batch, look_over(session, batch.batch_id), now) for batch in batches]
    return sorted(glances, key=lambda glance: (glance.useful_until or date.max, glance.batch.batch_id))


def glance_at(session: Session, settings: Settings, batch: Batch, looks: Sequence[Look], now: datetime) -> Glance:
    """One batch, of whose messages `looks` are, as it would go out if it were approved at `now`."""
    of_batch = (Message.batch_id == batch.batch_id, col(Message.status).in_((*WAITING, "approved")))
    cost = select(Message.provider, func.sum(Message.cost)).where(*of_batch).group_by(Message.provider)
    days = select(func.min(Message.send_on), func.max(Message.send_on), func.min(Message.useful_until)).where(*of_batch)
    held = select(func.count()).select_from(Message).where(*of_batch, Message.status == "held")
    first, last, useful_until = session.exec(days).one()
    today = business_date(now, settings.business.timezone)
    travel = getattr(settings.transit, batch.channel)
    return Glance(
        batch,
        {provider or "": int(total) for provider, total in session.exec(cost)},
        session.exec(select(func.coalesce(func.sum(Message.reward_cost), 0)).where(*of_batch)).one(),
        session.exec(held).one(),
        add_business_days(max(first, today), travel) if first else None,
        add_business_days(max(last, today), travel) if last else None,
        useful_until,
        Counter(reason for look in looks for reason in look.reasons),
        tell_hands(parts_in(session, batch)),
    )
