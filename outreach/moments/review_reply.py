"""They wrote a bad review in public, staff know who they are, and nobody has answered: a letter that puts it right.

The public answer is drafted apart from this, without any customer's data.
"""

from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, func, join, or_, select
from sqlmodel import col

from outreach.channels import ChannelName
from outreach.models import Customer, Feedback
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition, TemplateField
from outreach.moments.evidence import tell_day
from outreach.moments.relationship import ALIVE
from outreach.settings import MomentKnobs


class ReviewReplyKnobs(MomentKnobs):
    approval: Literal["rule", "person"] = "person"
    channels: list[ChannelName] = Field(default=["letter", "email", "call"])
    stars: int = Field(default=3, ge=1, le=5, title="Stars, at most", description="A better review needs no letter")
    useful_days: int = Field(default=30, ge=0, title="Of use for so many days", description="Counted from the review")


def _is_bad(knobs: ReviewReplyKnobs, day: BusinessDay) -> ColumnElement[bool]:
    is_review = (col(Feedback.kind) == "review") & (col(Feedback.given_on) <= day.on)
    return is_review & (col(Feedback.score) <= knobs.stars)


def _last(what: Any, *where: Any) -> Any:
    theirs = select(what).where(col(Feedback.customer_id) == col(Customer.customer_id), *where)
    return theirs.correlate(Customer).scalar_subquery()


REVIEW_REPLY = MomentDefinition(
    kind="review_reply",
    purpose="service",
    windowed=True,
    knobs=ReviewReplyKnobs,
    # A review that nobody has matched has no customer, and so joins with none.
    rows=lambda knobs, day: join(Feedback, Customer, col(Customer.customer_id) == col(Feedback.customer_id)),
    clauses=(
        ALIVE,
        Clause(
            says="a public review of {stars} stars or less is known to be theirs",
            where=_is_bad,
            value=lambda knobs, day: _last(func.max(col(Feedback.given_on)), _is_bad(knobs, day)),
            tell=tell_day("their last such review was", "no such review is known to be theirs"),
            change="it is for reviews of {stars} stars or less that staff have matched with a person",
            of_rows=True,
        ),
        Clause(
            says="and nobody has answered it yet",
            # Data may bring no status at all: then nobody has answered.
            where=lambda knobs, day: or_(col(Feedback.status).is_(None), col(Feedback.status) == "open"),
            value=lambda knobs, day: _last(func.max(col(Feedback.status)), _is_bad(knobs, day)),
            tell=lambda status, on: f"it is {status}" if status and status != "open" else "nobody has answered it",
            change="what has been answered is left alone",
            of_rows=True,
        ),
    ),
    occasion=lambda knobs, day: (col(Feedback.feedback_id), col(Feedback.given_on)),
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.useful_days),
    day_field="reviewed_on",
    because="a review of {day} waits for an answer",
    summary="a reply to a review is for one of three stars or less that nobody has answered",
    traits=frozenset({"care", "health", "answer"}),
    fields=(TemplateField("reviewed_on", date(2026, 3, 9), "the day of their review; use longdate"),),
)
