"""Once a year, thanks to those who have been with us longest, or (never in a health business) who brought us most."""

from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, String, case, func, select
from sqlmodel import col

from outreach.channels import ChannelName
from outreach.models import Customer
from outreach.moments.balances import paid_by
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition
from outreach.moments.open_day import derive, write_day
from outreach.moments.relationship import ALIVE, is_alive, tenure_fields, with_us_since
from outreach.settings import MomentKnobs

YEAR = timedelta(days=365)


class ThankYouKnobs(MomentKnobs):
    channels: list[ChannelName] = Field(default=["letter", "email"])
    most_a_day: int | None = Field(default=10, ge=1)
    reward: int = Field(
        default=1000,
        ge=0,
        title="Gift, in cents",
        description="0 for none; in other currencies what [rewards.amounts] says",
    )
    top_percent: float = Field(
        default=10.0,
        gt=0,
        le=100,
        title="The first so many percent",
        description="Of all customers, in the order below",
    )
    #: What ranks customers: how long they are with us, or what they paid in twelve months; never that in a health
    #: business.
    by: Literal["tenure", "value"] = Field(
        default="tenure", title="In the order of", description="A health business knows only tenure"
    )
    silent_days: int = Field(
        default=365,
        ge=1,
        title="No thanks after so many silent days",
        description="Days without a visit, treatment, invoice or payment",
    )
    every_days: int = Field(
        default=330, ge=0, title="Not again within days", description="How long after one thank-you there is no other"
    )


def _counts_value(knobs: ThankYouKnobs, day: BusinessDay) -> bool:
    return knobs.by == "value" and day.business_kind != "health"


def _paid(day: BusinessDay) -> ColumnElement[int]:
    return paid_by(day, day.on - YEAR)


def _rank(knobs: ThankYouKnobs, day: BusinessDay) -> Any:
    """(customer_id, place from 1, everyone) of the living customers who can be ranked."""
    measure = _paid(day).desc() if _counts_value(knobs, day) else with_us_since().asc()
    # Not row_number(): those who are alike share a place, and the order of the rows decides nothing.
    place = func.rank().over(order_by=measure)
    ranked = select(col(Customer.customer_id), place.label("place"), func.count().over().label("everyone"))
    is_ranked = _paid(day) > 0 if _counts_value(knobs, day) else with_us_since().is_not(None)
    return ranked.where(is_alive(day.on), is_ranked).subquery("ranked")


def _is_best(knobs: ThankYouKnobs, day: BusinessDay) -> ColumnElement[bool]:
    ranked = _rank(knobs, day)
    # In a business of five, the best tenth is one.
    most = case((ranked.c.everyone * knobs.top_percent < 100, 1), else_=ranked.c.everyone * knobs.top_percent / 100)
    return col(Customer.customer_id).in_(select(ranked.c.customer_id).where(ranked.c.place <= most))


def _place(knobs: ThankYouKnobs, day: BusinessDay) -> Any:
    ranked = _rank(knobs, day)
    # 100.0, since both databases divide whole numbers without a rest.
    share = select(100.0 * ranked.c.place / ranked.c.everyone).where(ranked.c.customer_id == col(Customer.customer_id))
    return share.correlate(Customer).scalar_subquery()


def _tell_place(share: Any, on: date) -> str:
    return f"they are among the first {float(share):.1f} %" if share else "nothing ranks them"


THANK_YOU = MomentDefinition(
    kind="thank_you",
    purpose="marketing",
    windowed=True,
    knobs=ThankYouKnobs,
    clauses=(
        ALIVE,
        Clause(
            says="they are among the first {top_percent} % of customers by {by} (tenure; or, never in a health "
            "business, the value of twelve months)",
            where=_is_best,
            value=_place,
            tell=_tell_place,
            change="it is for the first {top_percent} % by {by}",
            # By the day it leaves, others may have passed them, who must not take a present away from them.
            is_rechecked=False,
        ),
    ),
    occasion=lambda knobs, day: (derive(day.on, "year", lambda on: str(on.year), String), write_day(day.on)),
    useful_until=lambda knobs, day, on: date(on.year, 12, 31),
    not_again=lambda knobs: knobs.every_days,
    because="among the best customers of {occasion}",
    summary="a thank-you is for the best tenth of customers, once a year",
    traits=frozenset({"present", "patient"}),
    has_own_day=False,
    fields=tenure_fields(12, date(2014, 3, 10)),
    particulars="tenure",
)
