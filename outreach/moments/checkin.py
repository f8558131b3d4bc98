"""Two days after a treatment: how does it feel?"""

from datetime import date, timedelta

from sqlalchemy import Select, select
from sqlmodel import col

from outreach.models import Customer, Treatment
from outreach.moments.definition import MomentDefinition
from outreach.moments.relationship import is_alive
from outreach.settings import CheckinKnobs


def find_checkins(knobs: CheckinKnobs, on: date) -> Select[tuple[str, date]]:
    """A treatment was done `after_days` to `until_days` ago; two on one day are one occasion."""
    first, last = on - timedelta(days=knobs.until_days), on - timedelta(days=knobs.after_days)
    return (
        select(col(Treatment.customer_id), col(Treatment.done_on))
        .distinct()
        .join(Customer, col(Customer.customer_id) == col(Treatment.customer_id))
        .where(col(Treatment.done_on).between(first, last), is_alive(on))
    )


CHECKIN = MomentDefinition(
    kind="checkin",
    purpose="service",
    windowed=True,
    find=find_checkins,
    useful_until=lambda knobs, day: day + timedelta(days=knobs.useful_days),
    because="treated on {day}",
    summary="a check-in is for two to three days after a treatment",
)
