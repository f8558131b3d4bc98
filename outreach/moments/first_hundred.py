"""Day 30, 60 or 90 with us, and it has become quiet: most who leave a business leave in their first hundred days.

Whether a message of ours went to them lately is planning's question.
"""

from datetime import date, timedelta
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, Date, case, exists, func, literal, select
from sqlmodel import col

from outreach.channels import ChannelName
from outreach.models import Customer, Visit
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition, TemplateField
from outreach.moments.evidence import tell_day
from outreach.moments.open_day import derive, write_day
from outreach.moments.relationship import ALIVE, tenure_fields, took_place
from outreach.moments.rule import OWN_COUNT, Asked, Hold, Rule
from outreach.settings import MomentKnobs


class FirstHundredKnobs(MomentKnobs):
    channels: list[ChannelName] = Field(default=["letter", "email", "call"])
    days: list[int] = Field(
        default=[30, 60, 90],
        min_length=1,
        title="Days with us",
        description="On these days someone new is looked after",
    )
    silent_days: int = Field(
        default=21,
        ge=0,
        title="Quiet for days, at least",
        description="Nobody is asked who came, or heard from us, within so many days",
    )


def _began(knobs: FirstHundredKnobs, day: BusinessDay) -> Any:
    days = knobs.days
    return derive(day.on, "beginnings", lambda on: [on - timedelta(days=ago) for ago in days], Date)


def _day_number(knobs: FirstHundredKnobs, day: BusinessDay) -> Any:
    """“30” on their thirtieth day."""
    since = col(Customer.customer_since)
    # As text: it is the key of the occasion, and templates name it.
    return case(*((since == day.on - timedelta(days=days), literal(str(days))) for days in knobs.days))


def _visits(day: BusinessDay) -> tuple[ColumnElement[bool], ...]:
    return col(Visit.customer_id) == col(Customer.customer_id), took_place(), col(Visit.starts_on) <= day.on


def _is_silent(knobs: FirstHundredKnobs, day: BusinessDay) -> ColumnElement[bool]:
    lately = col(Visit.starts_on) >= day.on - timedelta(days=knobs.silent_days)
    return ~exists().where(*_visits(day), lately).correlate(Customer)


def _hold_came(candidate: Asked, day: Asked) -> Hold | None:
    """A visit since says that it is not quiet any more."""
    silent, last_visit = timedelta(days=candidate.knobs.silent_days), candidate.standing.last_visit
    if last_visit and day.on - last_visit <= silent:
        return Hold("came", f"they were here on {last_visit}")
    return None


def _hold_wrote_lately(candidate: Asked, day: Asked) -> Hold | None:
    silent, written = timedelta(days=candidate.knobs.silent_days), candidate.standing.written_on.values()
    if written and day.on - max(written) <= silent:
        again = max(written) + silent + timedelta(days=1)
        return Hold("wrote_lately", f"we wrote to them on {max(written)}", again)
    return None


FIRST_HUNDRED = MomentDefinition(
    kind="first_hundred",
    purpose="marketing",
    windowed=False,
    knobs=FirstHundredKnobs,
    clauses=(
        ALIVE,
        Clause(
            says="it is their day {days} with us, counted from the day they came, as the data say",
            # Never by a first contact: where an export begins, everybody in it would seem to have come in those days.
            where=lambda knobs, day: col(Customer.customer_since).in_(_began(knobs, day)),
            value=lambda knobs, day: col(Customer.customer_since),
            tell=tell_day("they came to us", "the data do not say when they came to us"),
            change="it comes on day {days} with us",
        ),
        Clause(
            says="they had no visit in the last {silent_days} days",
            where=_is_silent,
            value=lambda knobs, day: (
                select(func.max(col(Visit.starts_on))).where(*_visits(day)).correlate(Customer).scalar_subquery()
            ),
            tell=tell_day("their last visit was", "they had no visit yet"),
            change="nobody is asked within {silent_days} days of a visit",
        ),
    ),
    occasion=lambda knobs, day: (_day_number(knobs, day), write_day(day.on)),
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.grace_days),
    occasion_field="days",
    because="day {occasion} with us, and it has become quiet",
    summary="a note in the first hundred days is for day 30, 60 or 90 with us when it has become quiet",
    traits=frozenset({"absence", "patient"}),
    rules=(
        Rule("came", "a note in the first hundred days is for whom it has become quiet", _hold_came),
        Rule("wrote_lately", "and to whom we have not written lately", _hold_wrote_lately, once=OWN_COUNT),
    ),
    fields=(
        TemplateField("days", "30", "how many days they have been with us: 30, 60 or 90"),
        *tenure_fields(0, date(2026, 2, 8)),
    ),
    particulars="tenure",
)
