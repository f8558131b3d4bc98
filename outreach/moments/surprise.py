"""A small present for a good customer whom the month's draw has picked: unexpected, and not always.

The draw is a hash of the seed, the month and the customer: whoever asks again gets the same answer, and nobody can
nudge it. How much a month may spend is planning's question.
"""

from calendar import monthrange
from datetime import date, timedelta
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, String, func
from sqlmodel import col

from outreach.channels import ChannelName
from outreach.models import Customer
from outreach.moments.balances import NOTHING_OVERDUE
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition
from outreach.moments.evidence import tell_day
from outreach.moments.open_day import derive, write_day
from outreach.moments.relationship import ALIVE, NO_COMPLAINT, last_contact, with_us_since
from outreach.settings import MomentKnobs

# The first eight of the hash's digits: four thousand million places for a customer to fall on.
PLACES, DIGITS = 16**8, 8


class SurpriseKnobs(MomentKnobs):
    channels: list[ChannelName] = Field(default=["letter"])
    reward: int = Field(
        default=2000,
        ge=0,
        title="Gift, in cents",
        description="0 for none; in other currencies what [rewards.amounts] says",
    )
    one_in: int = Field(
        default=200, ge=1, le=1_000_000, title="One good customer in", description="How rare a surprise is"
    )
    seed: int = Field(default=1, title="Seed of the draw", description="Another number draws others")
    tenure_days: int = Field(
        default=365, ge=0, title="With us for days, at least", description="Nobody is drawn earlier"
    )
    silent_days: int = Field(
        default=365,
        ge=1,
        title="Seen within days",
        description="Only who came, was treated, billed or paid in so many days is drawn",
    )
    every_days: int = Field(
        default=540, ge=0, title="Not again within days", description="How long after one surprise there is no other"
    )


def month_of(on: date) -> str:
    return f"{on:%Y-%m}"


def _place(knobs: SurpriseKnobs, day: BusinessDay) -> ColumnElement[str]:
    """Where the customer falls in this month's draw, as hexadecimal digits."""
    # By the database, so that a draw need not read every customer. SQLite has its md5 from outreach/database.py.
    drawn = func.md5(
        derive(day.on, "drawn", lambda on: f"{knobs.seed} {month_of(on)} ", String) + col(Customer.customer_id)
    )
    return func.substr(drawn, 1, DIGITS)


def _tell_place(place: Any, on: date) -> str:
    return f"the draw of {month_of(on)} put them at {int(place, 16) / PLACES:.2%}"


SURPRISE = MomentDefinition(
    kind="surprise",
    purpose="marketing",
    windowed=True,
    knobs=SurpriseKnobs,
    clauses=(
        ALIVE,
        Clause(
            says="the month's draw (seed {seed}) picked them: one good customer in {one_in}",
            # Compared as texts: digits of one length sort as their numbers do, on either database.
            where=lambda knobs, day: _place(knobs, day) <= f"{PLACES // knobs.one_in - 1:0{DIGITS}x}",
            value=_place,
            tell=_tell_place,
            change="one customer in {one_in} is drawn, anew each month",
        ),
        Clause(
            says="they have been with us for {tenure_days} days or more",
            where=lambda knobs, day: with_us_since() <= day.on - timedelta(days=knobs.tenure_days),
            value=lambda knobs, day: with_us_since(),
            tell=tell_day("with us since", "nothing says since when they are with us"),
            change="a good customer has been with us for {tenure_days} days",
        ),
        Clause(
            says="they came, were treated, billed or paid in the last {silent_days} days",
            where=lambda knobs, day: last_contact(day.on) > day.on - timedelta(days=knobs.silent_days),
            value=lambda knobs, day: last_contact(day.on),
            tell=tell_day("last seen", "never seen"),
            change="a good customer was here in the last {silent_days} days",
        ),
        NOTHING_OVERDUE,
        NO_COMPLAINT,
    ),
    occasion=lambda knobs, day: (derive(day.on, "month", month_of, String), write_day(day.on)),
    useful_until=lambda knobs, day, on: on.replace(day=monthrange(on.year, on.month)[1]),
    not_again=lambda knobs: knobs.every_days,
    because="the draw of {occasion} picked them",
    summary="a surprise is for a good customer whom the month's draw has picked",
    traits=frozenset({"present", "favour", "patient"}),
    has_own_day=False,
)
