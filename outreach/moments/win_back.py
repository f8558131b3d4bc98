"""They have not come for long: longer than a year, or longer than their own rhythm lets one expect."""

from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, Float, case, cast, func, select
from sqlmodel import col

from outreach.channels import ChannelName
from outreach.models import Customer, Visit
from outreach.moments.date_sql import count_days
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition, TemplateField
from outreach.moments.evidence import tell_day
from outreach.moments.open_day import write_day
from outreach.moments.relationship import ALIVE, last_contact, took_place
from outreach.settings import MomentKnobs


class WinBackKnobs(MomentKnobs):
    channels: list[ChannelName] = Field(default=["email", "letter"])
    most_a_day: int | None = Field(default=20, ge=1)
    ladder: bool = True
    reward: int = Field(
        default=0,
        ge=0,
        title="Gift, in cents",
        description="0 for none; in other currencies what [rewards.amounts] says",
    )
    #: For all where `rhythm` is “fixed”; where it is “learned”, for those with too little `history`.
    silent_days: int = Field(
        default=365,
        ge=1,
        title="Missed after so many silent days",
        description="From so many days without a visit, treatment, invoice or payment on they are written to",
    )
    rhythm: Literal["fixed", "learned"] = Field(
        default="fixed",
        title="Silence is measured",
        description="By one number of days for all, or by each one's own visits",
    )
    #: The silence must last so many times as long as their own usual gap between visits.
    rhythm_times: float = Field(
        default=2.0, ge=1, title="Times their usual gap", description="How much longer than usual is long"
    )
    #: Their own rhythm counts once they came on so many days.
    history: int = Field(
        default=4, ge=2, title="Visits to know a rhythm", description="With fewer, the number of days counts"
    )
    # planning/rules.py (`reason_for_person`) reads it by this name; under another, nobody would look at old addresses.
    verify_days: int = Field(
        default=730,
        ge=1,
        title="A person looks after silent days",
        description="So long ago that the address may be another's",
    )
    until_days: int = Field(
        default=1825,
        ge=1,
        title="Given up after days",
        description="So long after we last saw them it is of no use any more",
    )
    every_days: int = Field(
        default=365, ge=0, title="Not again within days", description="How long after one win-back there is no other"
    )


def _visits(day: BusinessDay, *what: Any) -> Any:
    theirs = select(*what).where(
        col(Visit.customer_id) == col(Customer.customer_id), took_place(), col(Visit.starts_on) <= day.on
    )
    return theirs.correlate(Customer)


def _gap(knobs: WinBackKnobs, day: BusinessDay) -> Any:
    """The usual days between two days on which they came; NULL where they came too seldom to tell."""
    # By days: whoever has two visits on one day came once.
    times, on = func.count(func.distinct(col(Visit.starts_on))), col(Visit.starts_on)
    # As a float: both databases divide whole numbers without a rest.
    gap = cast(count_days(func.min(on), func.max(on)), Float) / (times - 1)
    return _visits(day, case((times >= knobs.history, gap))).scalar_subquery()


def _is_silent(knobs: WinBackKnobs, day: BusinessDay) -> ColumnElement[bool]:
    last = last_contact(day.on)
    fixed = last <= day.on - timedelta(days=knobs.silent_days)
    if knobs.rhythm == "fixed":
        return fixed
    silent = count_days(last, write_day(day.on))
    usual = func.coalesce(_gap(knobs, day) * knobs.rhythm_times, knobs.silent_days)
    # Two days together are a course of treatment, not a rhythm: nobody is missed within a month.
    return (silent >= usual) & (silent >= MISSED_AFTER)


MISSED_AFTER = 30

WIN_BACK = MomentDefinition(
    kind="win_back",
    purpose="marketing",
    windowed=True,
    knobs=WinBackKnobs,
    clauses=(
        ALIVE,
        Clause(
            says="their last visit, treatment, invoice or payment was {silent_days} days ago or more (rhythm "
            "“fixed”), or {rhythm_times} times their usual gap between visits (rhythm “learned”, from {history} visits "
            "on); set to “{rhythm}”",
            where=_is_silent,
            value=lambda knobs, day: last_contact(day.on),
            tell=tell_day("last seen", "never seen"),
            change="it comes after {silent_days} days of silence, or what is long for them (rhythm {rhythm})",
        ),
    ),
    occasion=lambda knobs, day: (last_contact(day.on), last_contact(day.on)),
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.until_days),
    not_again=lambda knobs: knobs.every_days,
    day_field="last_seen",
    because="last seen on {day}",
    summary="a win-back is for someone who has not come for a year, or for long by their own rhythm",
    traits=frozenset({"favour", "absence", "intrusive", "patient"}),
    fields=(TemplateField("last_seen", date(2026, 3, 9), "the day we last saw them; use longdate"),),
)
