"""Two days after a treatment: how does it feel?"""

from datetime import timedelta

from pydantic import Field
from sqlalchemy import ColumnElement, func, join, select
from sqlmodel import col

from outreach.models import Customer, Treatment
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition
from outreach.moments.relationship import ALIVE, was_done
from outreach.moments.telling import tell_day
from outreach.settings import Channel, MomentKnobs


class CheckinKnobs(MomentKnobs):
    after_days: int = Field(default=2, ge=0)
    until_days: int = Field(default=3, ge=0)
    useful_days: int = Field(default=4, ge=0)
    channels: list[Channel] = Field(default=["letter", "email", "text", "call"])
    treatments: list[str] = Field(default=[])


def _lately(knobs: CheckinKnobs, day: BusinessDay) -> ColumnElement[bool]:
    first, last = day.on - timedelta(days=knobs.until_days), day.on - timedelta(days=knobs.after_days)
    return col(Treatment.done_on).between(first, last) & was_done()


CHECKIN = MomentDefinition(
    kind="checkin",
    purpose="service",
    windowed=True,
    knobs=CheckinKnobs,
    rows=lambda knobs, day: join(Treatment, Customer, col(Customer.customer_id) == col(Treatment.customer_id)),
    clauses=(
        ALIVE,
        Clause(
            says="a treatment was done {after_days} to {until_days} days ago, in no visit that was cancelled or missed",
            where=_lately,
            value=lambda knobs, day: (
                select(func.max(col(Treatment.done_on)))
                .where(
                    col(Treatment.customer_id) == col(Customer.customer_id),
                    was_done(),
                    col(Treatment.done_on) <= day.on,
                )
                .correlate(Customer)
                .scalar_subquery()
            ),
            tell=tell_day("last treated", "never treated"),
            change="it comes {after_days} to {until_days} days after a treatment",
            of_rows=True,
        ),
    ),
    occasion=lambda knobs, day: (col(Treatment.done_on), col(Treatment.done_on)),
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.useful_days),
    day_field="treated_on",
    because="treated on {day}",
    summary="a check-in is for two to three days after a treatment",
    traits=frozenset({"care", "health"}),
    outlives_window=True,
)
