"""The day on which a customer has been with us for one more year."""

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache

from pydantic import Field
from sqlalchemy import ColumnElement, Date, and_, or_
from sqlmodel import Session, col

from outreach.channels import ChannelName
from outreach.clock import anniversary_in
from outreach.models import Customer
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition
from outreach.moments.evidence import tell_day
from outreach.moments.open_day import derive, write_day
from outreach.moments.relationship import ALIVE, first_contact, tenure_fields, with_us_since
from outreach.settings import MomentKnobs

# No business has a customer from before.
FIRST_YEAR = 1850


class AnniversaryKnobs(MomentKnobs):
    # One more than the business days that a letter takes (transit.letter), so that it arrives on the day itself.
    lead_days: int = Field(default=5, ge=0)
    channels: list[ChannelName] = Field(default=["letter", "email"])
    reward: int = Field(
        default=2000,
        ge=0,
        title="Gift, in cents",
        description="0 for none; in other currencies what [rewards.amounts] says",
    )
    shared_since_percent: float = Field(
        default=1.0,
        gt=0,
        title="A shared start date is a default from",
        description="In percent of all customers with that date",
    )
    # planning/person_rules.py reads it from a present's knobs by this name.
    silent_days: int = Field(
        default=365,
        ge=1,
        title="No gift after so many silent days",
        description="Days without a visit, treatment, invoice or payment, on the day itself",
    )


def _came_round(knobs: AnniversaryKnobs, day: BusinessDay) -> ColumnElement[bool]:
    days, since = derive(day.on, "beginnings", beginnings, Date), col(Customer.customer_since)
    # As whole days, which the index of customer_since answers; and not by with_us_since(), a coalesce, for which there
    # can be none. A first contact is looked for only where the data do not say when they came.
    return or_(since.in_(days), and_(since.is_(None), first_contact().in_(days)))


@lru_cache(maxsize=64)
def beginnings(on: date) -> tuple[date, ...]:
    """The days of earlier years that are kept on `on`: 29 February is kept on the 28th in common years."""
    # The day after as well: on 28 February of a common year it is that of the 29th too.
    tried = [(year, day) for year in range(FIRST_YEAR, on.year) for day in (on.day, on.day + 1)]
    days = [date(year, on.month, day) for year, day in tried if day <= monthrange(year, on.month)[1]]
    return tuple(day for day in days if anniversary_in(day, on.year) == on)


def next_anniversary(since: date, on: date) -> date:
    """The first day from `on` on that is kept as a later year's anniversary of `since`."""
    years = range(max(on.year, since.year + 1), max(on.year, since.year) + 3)
    return next(day for year in years if (day := anniversary_in(since, year)) >= on)


def _this_years(session: Session, customer: Customer, on: date) -> date | None:
    return anniversary_in(customer.customer_since, on.year) if customer.customer_since else None


ANNIVERSARY = MomentDefinition(
    kind="anniversary",
    purpose="marketing",
    windowed=False,
    knobs=AnniversaryKnobs,
    clauses=(
        ALIVE,
        Clause(
            says="month and day of their start with us (or of their first treatment, visit or invoice) come round, "
            "in a later year; 29 February is kept on the 28th in common years",
            where=_came_round,
            value=lambda knobs, day: with_us_since(),
            tell=tell_day("with us since", "nothing says since when they are with us"),
            change="it comes round once a year on that day",
        ),
    ),
    occasion=lambda knobs, day: (write_day(day.on), write_day(day.on)),
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.grace_days),
    because="with us for another year on {day}",
    summary="an anniversary is for the day on which they have been with us for another year",
    traits=frozenset({"present", "beginning"}),
    next_day=next_anniversary,
    fields=tenure_fields(3, date(2023, 3, 10)),
    particulars="tenure",
    likely_day=_this_years,
)
