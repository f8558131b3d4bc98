"""They were here yesterday: one question, one tap."""

from datetime import date, timedelta
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, func, join, select
from sqlmodel import col

from outreach.channels import ChannelName
from outreach.clock import instant_at
from outreach.models import Customer, Visit
from outreach.models.column_types import Instant
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition, TemplateField
from outreach.moments.evidence import tell_day
from outreach.moments.open_day import derive, write_day
from outreach.moments.relationship import ALIVE
from outreach.settings import MomentKnobs


class SurveyKnobs(MomentKnobs):
    channels: list[ChannelName] = Field(default=["email", "text"])
    grace_days: int = Field(default=2, ge=0)
    useful_days: int = Field(
        default=4,
        ge=0,
        title="Of use for so many days",
        description="Counted from the visit, or from the end of a stay",
    )
    every_days: int = Field(
        default=90, ge=0, title="Not asked again within days", description="How long after one survey there is no other"
    )


LONGEST_STAY = timedelta(days=180)


def _was_here(knobs: SurveyKnobs, day: BusinessDay) -> ColumnElement[bool]:
    """A visit of several days counts from the day on which it ended; an end before its beginning is none."""
    yesterday = day.on - timedelta(days=1)
    ended, zone = col(Visit.ended_at), day.zone.key
    begins = derive(day.on, "begins", lambda on: instant_at(on - timedelta(days=1), 0, zone), Instant)
    ends = derive(day.on, "ends", lambda on: instant_at(on, 0, zone), Instant)
    on_one_day = (col(Visit.starts_on) == yesterday) & (ended.is_(None) | (ended < ends))
    # The days are said so that an index leads to them.
    lately = col(Visit.starts_on).between(yesterday - LONGEST_STAY, yesterday - timedelta(days=1))
    after_days = lately & (ended >= begins) & (ended < ends)
    return (col(Visit.status) == "completed") & (on_one_day | after_days)


def _last_completed(knobs: SurveyKnobs, day: BusinessDay) -> Any:
    theirs = select(func.max(col(Visit.starts_on))).where(
        col(Visit.customer_id) == col(Customer.customer_id),
        col(Visit.status) == "completed",
        col(Visit.starts_on) <= day.on,
    )
    return theirs.correlate(Customer).scalar_subquery()


SURVEY = MomentDefinition(
    kind="survey",
    purpose="service",
    windowed=False,
    knobs=SurveyKnobs,
    rows=lambda knobs, day: join(Visit, Customer, col(Customer.customer_id) == col(Visit.customer_id)),
    clauses=(
        ALIVE,
        Clause(
            says="they completed a visit the day before; one of several days counts from its end",
            where=_was_here,
            value=_last_completed,
            tell=tell_day("their last completed visit was", "they completed no visit"),
            change="it comes on the day after a completed visit",
            of_rows=True,
        ),
    ),
    # By the first day of the visit: one whose end is corrected later is not asked about again.
    occasion=lambda knobs, day: (col(Visit.starts_on), write_day(day.on - timedelta(days=1))),
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.useful_days),
    not_again=lambda knobs: knobs.every_days,
    day_field="visited_on",
    because="completed a visit on {day}",
    summary="a survey is for the day after a completed visit",
    traits=frozenset({"favour", "intrusive"}),
    fields=(
        TemplateField("visited_on", date(2026, 3, 9), "the day of their visit; use weekday or longdate"),
        TemplateField("survey_url", "https://alderlane.example/survey/7KQ2", "the page with the one question"),
    ),
    particulars="survey",
)
