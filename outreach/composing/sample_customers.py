"""Finds real customers to try a moment's templates out with: those who had it last, then those who have it next."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, col, select

from outreach.models import Customer, Moment
from outreach.moments import find_moments
from outreach.settings import Settings

DAYS_AHEAD = 30
MOST = 8


@dataclass(frozen=True)
class Sample:
    customer_id: str
    name: str


def find_samples(session: Session, settings: Settings, moment: str, on: date, most: int = MOST) -> list[Sample]:
    """At most `most` customers, each once; those who have died are left out."""
    moments = select(Moment.customer_id).where(Moment.kind == moment)
    # More than are wanted: somebody may have had it several times, and some have died.
    latest = session.exec(moments.order_by(col(Moment.found_on).desc(), col(Moment.customer_id)).limit(4 * most))
    ids = dict.fromkeys(latest)
    for ahead in range(DAYS_AHEAD):
        if len(ids) >= most:
            break
        ids |= dict.fromkeys(
            item.customer_id for item in find_moments(session, settings, on + timedelta(days=ahead), [moment])
        )
    return [sample for id_ in ids if (sample := _sample(session, id_, on))][:most]


def _sample(session: Session, customer_id: str, on: date) -> Sample | None:
    customer = session.get(Customer, customer_id)
    if customer is None or (customer.died_on and customer.died_on <= on):
        return None
    name = " ".join(part for part in (customer.preferred_name or customer.given_name, customer.family_name) if part)
    return Sample(customer_id, name or customer_id)
