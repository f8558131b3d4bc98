"""The day on which a customer has been with us for one more year."""

from calendar import monthrange
from datetime import date, timedelta

from sqlalchemy import Select, and_, literal, or_, select
from sqlmodel import col

from outreach.clock import anniversary_in
from outreach.models import Customer
from outreach.moments.definition import MomentDefinition
from outreach.moments.relationship import first_contact, is_alive
from outreach.settings import AnniversaryKnobs

# No business has a customer from before.
FIRST_YEAR = 1850


def find_anniversaries(knobs: AnniversaryKnobs, on: date) -> Select[tuple[str, date]]:
    """Month and day of `customer_since`, or of the first contact, come round in a later year."""
    days = beginnings(on)
    since = col(Customer.customer_since)
    came_round = or_(since.in_(days), and_(since.is_(None), first_contact().in_(days)))
    return select(col(Customer.customer_id), literal(on).label("occasion")).where(came_round, is_alive(on))


def beginnings(on: date) -> list[date]:
    """The days of earlier years that are kept on `on`: 29 February is kept on the 28th in common years."""
    tried = [(year, day) for year in range(FIRST_YEAR, on.year) for day in (on.day, on.day + 1)]
    days = [date(year, on.month, day) for year, day in tried if day <= monthrange(year, on.month)[1]]
    return [day for day in days if anniversary_in(day, on.year) == on]


ANNIVERSARY = MomentDefinition(
    kind="anniversary",
    purpose="marketing",
    windowed=False,
    find=find_anniversaries,
    useful_until=lambda knobs, day: day + timedelta(days=knobs.grace_days),
    because="with us for another year on {day}",
    summary="an anniversary is for the day on which they have been with us for another year",
)
