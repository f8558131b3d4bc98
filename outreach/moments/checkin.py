"""Two days after a treatment: how does it feel?"""

from datetime import date, timedelta

from pydantic import Field
from sqlalchemy import ColumnElement, func, join, select
from sqlmodel import Session, col

from outreach.channels import ChannelName
from outreach.models import Customer, Treatment
from outreach.moments.care_words import is_never_mentioned
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition, TemplateField
from outreach.moments.evidence import tell_day
from outreach.moments.relationship import ALIVE, was_done
from outreach.moments.rule import Asked, Hold, Rule
from outreach.settings import MomentKnobs


class CheckinKnobs(MomentKnobs):
    after_days: int = Field(
        default=2, ge=0, title="First day after a treatment", description="How many days after it, at the earliest"
    )
    until_days: int = Field(
        default=3, ge=0, title="Last day after a treatment", description="How many days after it, at the latest"
    )
    useful_days: int = Field(
        default=4,
        ge=0,
        title="Of use for so many days",
        description="Counted from the treatment; after that nobody is asked any more",
    )
    channels: list[ChannelName] = Field(default=["letter", "email", "text", "call"])
    treatments: list[str] = Field(
        default=[],
        title="Treatments that may be asked about",
        description="By name; each new one waits for a yes at the desk",
    )


def _lately(knobs: CheckinKnobs, day: BusinessDay) -> ColumnElement[bool]:
    first, last = day.on - timedelta(days=knobs.until_days), day.on - timedelta(days=knobs.after_days)
    return col(Treatment.done_on).between(first, last) & was_done()


def _last_treated(session: Session, customer: Customer, on: date) -> date | None:
    done = select(func.max(col(Treatment.done_on))).where(
        was_done(), col(Treatment.customer_id) == customer.customer_id, col(Treatment.done_on) <= on
    )
    last: date | None = session.execute(done).scalar_one()
    return last


def _hold_treatment(candidate: Asked, day: Asked) -> Hold | None:
    """Only treatments with a yes, and never such care, whatever list it stands on."""
    names = [t.name or "" for t in candidate.standing.treatments if t.done_on == candidate.occasion_on]
    # One of them is enough: a question about that day would be understood as one about such care too.
    if any(is_never_mentioned(name) for name in names):
        return Hold("sensitive", "this kind of care is never mentioned, not even by asking")
    allowed = {name.casefold() for name in candidate.knobs.treatments}
    if not any(name.casefold() in allowed for name in names):
        return Hold("treatment_not_allowed", "nobody has said yes to asking about this treatment", day.tomorrow)
    return None


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
    rules=(Rule("checkin", "only treatments with a yes, and never care that is not mentioned", _hold_treatment),),
    outlives_window=True,
    fields=(
        TemplateField("treated_on", date(2026, 3, 9), "the day of the treatment; use weekday or longdate"),
        TemplateField("treatment", "Filling", "what was done; never in a text, a subject or a call", is_private=True),
        TemplateField("practitioner", "Dr. Okafor", "who treated them, where we know"),
        TemplateField("practitioner_phone", "+1 802 555 0143", "their direct line, where there is one"),
    ),
    particulars="treatment",
    likely_day=_last_treated,
)
