"""We failed them, they told us or we know it ourselves, and nobody has answered yet: put it right while it counts."""

from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, Integer, String, and_, cast, exists, join, literal, or_, select, union_all
from sqlalchemy.orm import aliased
from sqlmodel import col

from outreach.channels import ChannelName
from outreach.models import Customer, Feedback, Treatment, Visit
from outreach.moments.date_sql import count_days
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition, TemplateField
from outreach.moments.evidence import tell_day
from outreach.moments.relationship import ALIVE, was_done
from outreach.settings import MomentKnobs

# What went wrong, in a word; the words of a recovery differ by it.
Trouble = Literal["complaint", "low_score", "cancelled", "late"]


class RecoveryKnobs(MomentKnobs):
    approval: Literal["rule", "person"] = "person"
    channels: list[ChannelName] = Field(default=["call", "email", "letter", "text"])
    within_days: int = Field(
        default=2,
        ge=0,
        title="For so many days after",
        description="How long after it went wrong it is still put right",
    )
    low_score: int = Field(default=6, ge=0, le=10, title="A score is low up to", description="Of 10")
    useful_days: int = Field(
        default=7, ge=0, title="Of use for so many days", description="Counted from the day it went wrong"
    )


def _record(customer: Any, record: Any, day: Any, trouble: Trouble, score: Any = None, status: Any = None) -> Any:
    return select(
        customer.label("customer_id"),
        record.label("record_id"),
        day.label("day"),
        literal(trouble).label("trouble"),
        # PostgreSQL joins no NULL of an unknown type to the numbers and words of the other selects.
        cast(score, Integer).label("score"),
        cast(status, String).label("status"),
    )


def _said(kind: str, trouble: Trouble) -> Any:
    columns = (col(Feedback.customer_id), col(Feedback.feedback_id), col(Feedback.given_on))
    return _record(*columns, trouble, col(Feedback.score), col(Feedback.status)).where(col(Feedback.kind) == kind)


def _took_place_all_the_same() -> ColumnElement[bool]:
    """A visit that we moved, and that was completed on its day or the day before, was not called off."""
    # When it was booked is not on record. Of one completed earlier than that, nobody can say that it was this one.
    other = aliased(Visit)
    days = count_days(col(other.starts_on), col(Visit.starts_on))
    moved = exists().where(
        col(other.customer_id) == col(Visit.customer_id), col(other.status) == "completed", days.in_((0, 1))
    )
    return moved.correlate(Visit)


# All that ever went wrong, answered or not: what they said, what we called off, and what came after its promised day.
TROUBLES = union_all(
    _said("complaint", "complaint"),
    # All scores, since this is made once for all and what counts as low is a knob: `_is_low` leaves the others out.
    _said("score", "low_score"),
    _record(col(Visit.customer_id), col(Visit.visit_id), col(Visit.starts_on), "cancelled").where(
        col(Visit.status) == "cancelled", col(Visit.cancelled_by) == "us", ~_took_place_all_the_same()
    ),
    _record(col(Treatment.customer_id), col(Treatment.treatment_id), col(Treatment.done_on), "late").where(
        was_done(), col(Treatment.done_at) > col(Treatment.promised_at)
    ),
).subquery("troubles")


def _is_low(knobs: RecoveryKnobs) -> ColumnElement[bool]:
    return or_(TROUBLES.c.trouble != "low_score", TROUBLES.c.score <= knobs.low_score)


def _lately(knobs: RecoveryKnobs, day: BusinessDay) -> ColumnElement[bool]:
    within = TROUBLES.c.day.between(day.on - timedelta(days=knobs.within_days), day.on)
    return and_(within, _is_low(knobs))


def _last(knobs: RecoveryKnobs, day: BusinessDay, what: Any) -> Any:
    theirs = select(what).where(
        TROUBLES.c.customer_id == col(Customer.customer_id), TROUBLES.c.day <= day.on, _is_low(knobs)
    )
    return theirs.order_by(TROUBLES.c.day.desc()).limit(1).correlate(Customer).scalar_subquery()


RECOVERY = MomentDefinition(
    kind="recovery",
    purpose="service",
    windowed=True,
    knobs=RecoveryKnobs,
    rows=lambda knobs, day: join(TROUBLES, Customer, col(Customer.customer_id) == TROUBLES.c.customer_id),
    clauses=(
        ALIVE,
        Clause(
            says="in the last {within_days} days they complained, gave a score of {low_score} or less, had a visit "
            "called off by us (and not held on that day all the same), or got something after its promised day",
            where=_lately,
            value=lambda knobs, day: _last(knobs, day, TROUBLES.c.day),
            tell=tell_day("something last went wrong", "nothing ever went wrong"),
            change="it is for what went wrong in the last {within_days} days",
            of_rows=True,
        ),
        Clause(
            says="and nobody has answered it yet",
            where=lambda knobs, day: or_(TROUBLES.c.status.is_(None), TROUBLES.c.status == "open"),
            value=lambda knobs, day: _last(knobs, day, TROUBLES.c.status),
            tell=lambda status, on: f"it is {status}" if status and status != "open" else "nobody has answered it",
            change="what has been answered is left alone",
            of_rows=True,
        ),
    ),
    # By the record and not by the day: two complaints of one day both want an answer.
    occasion=lambda knobs, day: (TROUBLES.c.record_id, TROUBLES.c.day),
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.useful_days),
    day_field="trouble_on",
    because="something went wrong on {day}",
    summary="a recovery is for the two days after something went wrong",
    traits=frozenset({"care", "health", "repair"}),
    outlives_window=True,
    fields=(
        TemplateField("trouble_on", date(2026, 3, 9), "the day it went wrong; use weekday or longdate"),
        TemplateField("trouble", "complaint", "what went wrong: complaint, low_score, cancelled or late; for an if"),
    ),
    particulars="trouble",
)
