"""They have been with us for a while, were just happy, and nothing stands between us: the day to ask for a referral.

Whether they were asked before is planning's question: this one is the same whatever ran before.
"""

from datetime import timedelta
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, func, join, select
from sqlmodel import col

from outreach.channels import ChannelName
from outreach.models import Customer, Feedback
from outreach.moments.balances import NOTHING_OVERDUE
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition
from outreach.moments.evidence import count_of, tell_day
from outreach.moments.relationship import ALIVE, NO_COMPLAINT, completed_visits, with_us_since
from outreach.moments.rule import Asked, Hold, Rule
from outreach.settings import MomentKnobs


class ReferralAskKnobs(MomentKnobs):
    channels: list[ChannelName] = Field(default=["letter", "email"])
    tenure_days: int = Field(
        default=90, ge=0, title="With us for days, at least", description="Nobody is asked earlier"
    )
    visits: int = Field(default=2, ge=0, title="Completed visits, at least", description="Nobody is asked earlier")
    score: int = Field(default=9, ge=0, le=10, title="Score, at least", description="Of 10")
    happy_days: int = Field(
        default=60, ge=0, title="A score counts for days", description="How long after it they may be asked"
    )
    every_days: int = Field(
        default=365,
        ge=0,
        title="Not asked again within days",
        description="How long after one request there is no other",
    )


def _happy(knobs: ReferralAskKnobs, day: BusinessDay) -> ColumnElement[bool]:
    lately = col(Feedback.given_on).between(day.on - timedelta(days=knobs.happy_days), day.on)
    return (col(Feedback.kind) == "score") & (col(Feedback.score) >= knobs.score) & lately


def _last_high_score(knobs: ReferralAskKnobs, day: BusinessDay) -> Any:
    high = (col(Feedback.kind) == "score") & (col(Feedback.score) >= knobs.score) & (col(Feedback.given_on) <= day.on)
    scores = select(func.max(col(Feedback.given_on))).where(col(Feedback.customer_id) == col(Customer.customer_id))
    return scores.where(high).correlate(Customer).scalar_subquery()


def _hold_minor(candidate: Asked, day: Asked) -> Hold | None:
    if any(person.is_minor(day.on) for person in candidate.people):
        return Hold("minor", "nobody is asked to recommend us by, or on behalf of, a child")
    return None


REFERRAL_ASK = MomentDefinition(
    kind="referral_ask",
    purpose="marketing",
    windowed=True,
    knobs=ReferralAskKnobs,
    rows=lambda knobs, day: join(Feedback, Customer, col(Customer.customer_id) == col(Feedback.customer_id)),
    clauses=(
        ALIVE,
        Clause(
            says="they gave us a score of {score} or more within the last {happy_days} days",
            where=_happy,
            value=_last_high_score,
            tell=tell_day("their last high score was", "they never gave a high score"),
            change="it comes within {happy_days} days of a score of {score} or more",
            of_rows=True,
        ),
        Clause(
            says="they have been with us for {tenure_days} days or more",
            where=lambda knobs, day: with_us_since() <= day.on - timedelta(days=knobs.tenure_days),
            value=lambda knobs, day: with_us_since(),
            tell=tell_day("with us since", "nothing says since when they are with us"),
            change="nobody is asked in their first {tenure_days} days",
        ),
        Clause(
            says="they have completed {visits} visits or more",
            where=lambda knobs, day: completed_visits(day.on) >= knobs.visits,
            value=lambda knobs, day: completed_visits(day.on),
            tell=lambda number, on: count_of(number, "completed visit", "completed visits"),
            change="nobody is asked before {visits} completed visits",
        ),
        NOTHING_OVERDUE,
        NO_COMPLAINT,
    ),
    # The latest high score: one that follows is another occasion, and `every_days` keeps it from being used too soon.
    occasion=lambda knobs, day: (func.max(col(Feedback.given_on)), func.max(col(Feedback.given_on))),
    one_each=True,
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.happy_days),
    not_again=lambda knobs: knobs.every_days,
    because="gave us a high score on {day}",
    summary="a referral is asked of someone with us for a while who was just very satisfied and owes nothing",
    traits=frozenset({"favour", "patient"}),
    rules=(Rule("minor", "nobody is asked to recommend us by, or on behalf of, a child", _hold_minor),),
)
