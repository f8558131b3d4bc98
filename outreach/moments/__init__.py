"""Finds everyone who has a moment on a date, from customer data alone, whatever ran before. It writes nothing.

`MOMENTS` is the registry, in the order in which moments come first when several meet in one person.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session, col

from outreach.errors import NotFound, SettingsError
from outreach.models import Customer
from outreach.moments.anniversary import ANNIVERSARY
from outreach.moments.checkin import CHECKIN
from outreach.moments.definition import BusinessDay, Clause, Found, MomentDefinition, business_day
from outreach.moments.enquiry import ENQUIRY
from outreach.moments.first_hundred import FIRST_HUNDRED
from outreach.moments.goodwill import GOODWILL
from outreach.moments.late_payment import LATE_PAYMENT
from outreach.moments.open_day import OpenDay
from outreach.moments.recovery import RECOVERY
from outreach.moments.referral_ask import REFERRAL_ASK
from outreach.moments.review_reply import REVIEW_REPLY
from outreach.moments.surprise import SURPRISE
from outreach.moments.survey import SURVEY
from outreach.moments.thank_you import THANK_YOU
from outreach.moments.welcome import WELCOME
from outreach.moments.win_back import WIN_BACK
from outreach.settings import MomentKnobs, Settings

# What puts something right comes first, and what asks for something last.
MOMENTS: dict[str, MomentDefinition[Any]] = {
    definition.kind: definition
    for definition in (
        RECOVERY,
        CHECKIN,
        GOODWILL,
        LATE_PAYMENT,
        ENQUIRY,
        REVIEW_REPLY,
        WELCOME,
        FIRST_HUNDRED,
        ANNIVERSARY,
        THANK_YOU,
        SURVEY,
        SURPRISE,
        WIN_BACK,
        REFERRAL_ASK,
    )
}
# Each moment's place in the order in which moments come first.
PLACES = {kind: place for place, kind in enumerate(MOMENTS)}


def require_kinds(kinds: Collection[str]) -> None:
    """Raises SettingsError for the name of a moment that there is not."""
    if unknown := set(kinds) - set(MOMENTS):
        raise SettingsError(f"There is no moment “{min(unknown)}”; there are {', '.join(MOMENTS)}")


def knobs_for(settings: Settings, moment: str) -> MomentKnobs:
    """The knobs of a moment, its own defaults where `settings` say nothing. Raises NotFound, or SettingsError."""
    if moment not in MOMENTS:
        raise NotFound(f"There is no moment “{moment}”; there are {', '.join(MOMENTS)}")
    knobs: MomentKnobs = MOMENTS[moment].knobs_of(settings)
    return knobs


def require_knobs(settings: Settings) -> None:
    """Raises SettingsError where `[moments]` names a moment that there is not, or a knob has a value that cannot be."""
    require_kinds(settings.moments)
    for kind in MOMENTS:
        knobs_for(settings, kind)


def find_moments(
    session: Session,
    settings: Settings,
    on: date,
    kinds: Sequence[str] | None = None,
    customer_id: str | None = None,
) -> list[Found]:
    """Everyone (or one customer) who meets a definition on `on`, by moment in the registry's order and by customer."""
    found: list[Found] = []
    for kind in MOMENTS:
        if kinds is None or kind in kinds:
            # Sorted here: databases differ in how they sort text.
            found += sorted(stream_moments(session, settings, on, kind, customer_id))
    return found


def stream_moments(
    session: Session, settings: Settings, on: date, kind: str, customer_id: str | None = None
) -> Iterator[Found]:
    """Everyone (or one customer) who has one kind of moment on `on`, in no order, as the database gives them."""
    query, day = select_any_day(kind, MOMENTS[kind].written_knobs(settings), business_day(settings, OpenDay()))
    if customer_id is not None:
        query = query.where(col(Customer.customer_id) == customer_id)
    # In portions: a moment that nearly everybody has, of a large business, must not be in memory as a whole.
    rows = session.execute(query, day.values_on(on), execution_options={"yield_per": 5_000})
    yield from (Found(kind, customer_id, occasion, day, on) for customer_id, occasion, day in rows)


@lru_cache(maxsize=128)
def select_any_day(
    kind: str, written: str, day: BusinessDay, only_rechecked: bool = False
) -> tuple[Select[tuple[str, str, date]], OpenDay]:
    """(customer_id, occasion, its date) of everyone who has it, on the day that is told with the select.

    With `only_rechecked`, of everyone who meets those of its clauses that are asked again before a message leaves.
    """
    definition, on = MOMENTS[kind], OpenDay()
    clauses = [clause for clause in definition.clauses if clause.is_rechecked] if only_rechecked else None
    return definition.select_for(definition.read_knobs(written), replace(day, on=on), clauses), on


__all__ = [
    "MOMENTS", "PLACES", "BusinessDay", "Clause", "Found", "MomentDefinition", "business_day", "find_moments",
    "knobs_for", "require_kinds", "require_knobs", "select_any_day", "stream_moments",
]  # fmt: skip
