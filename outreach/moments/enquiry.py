"""They asked us something and have heard nothing for hours: a line on the call sheet, and an e-mail that says so."""

from datetime import date, datetime, timedelta
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, func, join, or_, select
from sqlmodel import col

from outreach.channels import ChannelName
from outreach.clock import instant_at
from outreach.models import Customer, Feedback
from outreach.models.column_types import Instant
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition, TemplateField
from outreach.moments.evidence import tell_day
from outreach.moments.open_day import derive
from outreach.moments.relationship import ALIVE
from outreach.moments.rule import Asked, Hold, Rule
from outreach.settings import MomentKnobs


class EnquiryKnobs(MomentKnobs):
    channels: list[ChannelName] = Field(default=["call", "email"])
    hours: int = Field(
        default=4, ge=0, title="Hours without an answer", description="After so long a question is on the call sheet"
    )
    useful_days: int = Field(
        default=3,
        ge=0,
        title="Of use for so many days",
        description="Counted from the question; after that a note only shows how late we are",
    )


def _asked_by(knobs: EnquiryKnobs, day: BusinessDay) -> ColumnElement[datetime]:
    """Whoever asked until this instant will have waited for `hours` before the day is over."""

    def asked_by(on: date) -> datetime:
        # By the clock of the business: a day on which clocks change has 23 or 25 hours.
        midnight = instant_at(on + timedelta(days=1), 0, day.zone.key)
        return midnight - timedelta(hours=knobs.hours)

    return derive(day.on, "asked_by", asked_by, Instant)


def _has_waited(knobs: EnquiryKnobs, day: BusinessDay) -> ColumnElement[bool]:
    return (col(Feedback.kind) == "enquiry") & (col(Feedback.given_at) <= _asked_by(knobs, day))


def _last(what: Any, day: BusinessDay) -> Any:
    theirs = select(what).where(
        col(Feedback.customer_id) == col(Customer.customer_id),
        col(Feedback.kind) == "enquiry",
        col(Feedback.given_on) <= day.on,
    )
    return theirs.correlate(Customer).scalar_subquery()


def _hold_asked_just_now(candidate: Asked, day: Asked) -> Hold | None:
    """By the end of the day they will have waited; now they may have asked a minute ago."""
    hours, asked_at = candidate.knobs.hours, candidate.standing.asked_at.get(candidate.occasion)
    if asked_at and day.now - asked_at < timedelta(hours=hours):
        return Hold("asked_just_now", f"they asked less than {hours} hours ago", day.tomorrow)
    return None


ENQUIRY = MomentDefinition(
    kind="enquiry",
    purpose="service",
    windowed=True,
    knobs=EnquiryKnobs,
    rows=lambda knobs, day: join(Feedback, Customer, col(Customer.customer_id) == col(Feedback.customer_id)),
    clauses=(
        ALIVE,
        Clause(
            says="they asked us something, and {hours} hours have gone by before the day is over",
            where=_has_waited,
            value=lambda knobs, day: _last(func.max(col(Feedback.given_on)), day),
            tell=tell_day("they last asked", "they have asked nothing"),
            change="it comes {hours} hours after an enquiry",
            of_rows=True,
        ),
        Clause(
            says="and nobody has answered it yet",
            # Data may bring no status at all: then nobody has answered.
            where=lambda knobs, day: or_(col(Feedback.status).is_(None), col(Feedback.status) == "open"),
            value=lambda knobs, day: _last(func.max(col(Feedback.status)), day),
            tell=lambda status, on: f"it is {status}" if status and status != "open" else "nobody has answered it",
            change="what has been answered is left alone",
            of_rows=True,
        ),
    ),
    occasion=lambda knobs, day: (col(Feedback.feedback_id), col(Feedback.given_on)),
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.useful_days),
    every_channel=True,
    day_field="asked_on",
    because="asked us something on {day} and waits",
    summary="an enquiry's note is for a question that has waited for four hours",
    traits=frozenset({"care", "answer"}),
    rules=(Rule("asked_just_now", "an enquiry has waited for its hours", _hold_asked_just_now),),
    fields=(TemplateField("asked_on", date(2026, 3, 9), "the day they asked; use weekday or longdate"),),
)
