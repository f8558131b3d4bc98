"""One event hit many of them, and staff named whom: the airline and the hotel in the storm."""

from datetime import timedelta
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, func, join, select
from sqlmodel import col

from outreach.channels import ChannelName
from outreach.models import Customer, Goodwill
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition, TemplateField
from outreach.moments.evidence import tell_day
from outreach.moments.relationship import ALIVE
from outreach.settings import MomentKnobs


class GoodwillKnobs(MomentKnobs):
    channels: list[ChannelName] = Field(default=["letter", "email", "text", "call"])
    reward: int = Field(
        default=0,
        ge=0,
        title="Gift, in cents",
        description="0 for none; in other currencies what [rewards.amounts] says",
    )
    useful_days: int = Field(
        default=14, ge=0, title="Of use for so many days", description="Counted from the day staff named them"
    )
    # Asked by `_hold_bills` in late_payment.py; it stands here, since it is the event that gives relief.
    relief_days: int = Field(
        default=30, ge=0, title="No note about payments for days", description="After something hit them"
    )


def _was_hit(knobs: GoodwillKnobs, day: BusinessDay) -> ColumnElement[bool]:
    return col(Goodwill.named_on).between(day.on - timedelta(days=knobs.useful_days), day.on)


def _last_named(knobs: GoodwillKnobs, day: BusinessDay) -> Any:
    theirs = select(func.max(col(Goodwill.named_on))).where(
        col(Goodwill.customer_id) == col(Customer.customer_id), col(Goodwill.named_on) <= day.on
    )
    return theirs.correlate(Customer).scalar_subquery()


GOODWILL = MomentDefinition(
    kind="goodwill",
    purpose="service",
    windowed=True,
    knobs=GoodwillKnobs,
    rows=lambda knobs, day: join(Goodwill, Customer, col(Customer.customer_id) == col(Goodwill.customer_id)),
    clauses=(
        ALIVE,
        Clause(
            says="staff named them in the last {useful_days} days among those whom an event hit",
            where=_was_hit,
            value=_last_named,
            tell=tell_day("last named", "never named"),
            change="staff would name them: outreach goodwill --file FILE --event NAME",
            of_rows=True,
        ),
    ),
    # By the event and not by the day: whoever is named for it a second time is not written to again.
    occasion=lambda knobs, day: (col(Goodwill.event), col(Goodwill.named_on)),
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.useful_days),
    occasion_field="event",
    because="hit by “{occasion}”",
    summary="goodwill is for those whom staff named after an event",
    traits=frozenset({"care"}),
    fields=(TemplateField("event", "water main break on March 2", "what hit them, as staff named it"),),
)
