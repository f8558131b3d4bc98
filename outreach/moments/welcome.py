"""They came to us yesterday: what to know before the first visit."""

from datetime import date, timedelta

from pydantic import Field
from sqlmodel import col

from outreach.channels import ChannelName
from outreach.models import Customer
from outreach.moments.definition import Clause, MomentDefinition, TemplateField
from outreach.moments.evidence import tell_day
from outreach.moments.relationship import ALIVE
from outreach.settings import MomentKnobs


class WelcomeKnobs(MomentKnobs):
    channels: list[ChannelName] = Field(default=["email", "letter", "text"])
    after_days: int = Field(
        default=1, ge=0, title="Days after they came to us", description="On this day the welcome is due"
    )
    useful_days: int = Field(
        default=10, ge=0, title="Of use for so many days", description="Counted from the day they came to us"
    )


WELCOME = MomentDefinition(
    kind="welcome",
    purpose="service",
    windowed=False,
    knobs=WelcomeKnobs,
    clauses=(
        ALIVE,
        Clause(
            says="it is day {after_days} after they came to us, as the data say",
            # Never by a first contact: first_hundred.py says why.
            where=lambda knobs, day: col(Customer.customer_since) == day.on - timedelta(days=knobs.after_days),
            value=lambda knobs, day: col(Customer.customer_since),
            tell=tell_day("they came to us", "the data do not say when they came to us"),
            change="it comes on day {after_days} after they came to us",
        ),
    ),
    occasion=lambda knobs, day: (col(Customer.customer_since), col(Customer.customer_since)),
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.useful_days),
    day_field="since",
    because="came to us on {day}",
    summary="a welcome is for the day after someone came to us",
    fields=(TemplateField("since", date(2026, 3, 9), "the day they came to us; use longdate"),),
)
