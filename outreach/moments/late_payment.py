"""An invoice has slipped past its day, by little enough that a kind word helps."""

from datetime import date, timedelta
from typing import Literal

from pydantic import Field
from sqlalchemy import ColumnElement, func, join, or_, select
from sqlmodel import Session, col

from outreach.models import Customer, Invoice
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition, TemplateField
from outreach.moments.relationship import ALIVE, balance
from outreach.moments.telling import tell_day
from outreach.settings import MomentKnobs


class LatePaymentKnobs(MomentKnobs):
    approval: Literal["rule", "person"] = "person"
    from_days: int = Field(
        default=1, ge=0, title="Days past due, at least", description="From this day on it counts as late"
    )
    until_days: int = Field(
        default=30,
        ge=0,
        title="Days past due, at most",
        description="After that it is no slip any more, and a person calls",
    )
    first_touch_days: int = Field(
        default=10, ge=0, title="First note on day", description="Half of the slips pay by themselves before"
    )
    again_days: int = Field(
        default=30, ge=0, title="Not again within days", description="How long after one note there is no other"
    )
    min_balance: int = Field(
        default=1000, ge=0, title="Smallest balance, in cents", description="Nobody is written to about less"
    )
    fresh_hours: int = Field(
        default=24, ge=0, title="Payments imported within hours", description="With older payments nobody is written to"
    )


def _slipped(knobs: LatePaymentKnobs, day: BusinessDay) -> ColumnElement[bool]:
    first, last = day.on - timedelta(days=knobs.until_days), day.on - timedelta(days=knobs.from_days)
    return col(Invoice.due_on).between(first, last) & (col(Invoice.issued_on) <= day.on)


def _is_free() -> ColumnElement[bool]:
    return or_(col(Invoice.status).is_(None), col(Invoice.status) == "open")


def _of_customer(value: ColumnElement[object], *where: ColumnElement[bool]) -> ColumnElement[object]:
    theirs = select(value).where(col(Invoice.customer_id) == col(Customer.customer_id), *where)
    return theirs.correlate(Customer).scalar_subquery()


def _first_due(session: Session, customer: Customer, on: date) -> date | None:
    due = select(func.min(col(Invoice.due_on))).where(
        col(Invoice.customer_id) == customer.customer_id, col(Invoice.due_on) < on
    )
    first: date | None = session.execute(due).scalar_one()
    return first


LATE_PAYMENT = MomentDefinition(
    kind="late_payment",
    purpose="service",
    windowed=True,
    knobs=LatePaymentKnobs,
    rows=lambda knobs, day: join(Invoice, Customer, col(Customer.customer_id) == col(Invoice.customer_id)),
    clauses=(
        ALIVE,
        Clause(
            says="an invoice of theirs is {from_days} to {until_days} days past due",
            where=_slipped,
            value=lambda knobs, day: _of_customer(
                func.max(col(Invoice.due_on)), col(Invoice.issued_on) <= day.on, col(Invoice.due_on) <= day.on
            ),
            tell=tell_day("their last invoice was due", "no invoice of theirs has been due"),
            change="it is for invoices {from_days} to {until_days} days past due",
            of_rows=True,
        ),
        Clause(
            says="and that invoice is neither disputed, nor on a plan, nor written off",
            where=lambda knobs, day: _is_free(),
            value=lambda knobs, day: _of_customer(
                func.max(col(Invoice.status)), _slipped(knobs, day), col(Invoice.status) != "open"
            ),
            tell=lambda status, on: f"the invoice is marked “{status}”" if status else "the invoice is open",
            change="its mark would have to be taken off",
            of_rows=True,
        ),
        Clause(
            says="something of it is still to be paid; a payment of the day counts",
            where=lambda knobs, day: balance(day.on) > 0,
            value=lambda knobs, day: _of_customer(func.max(balance(day.on)), _slipped(knobs, day), _is_free()),
            tell=lambda owed, on: f"{owed / 100:,.2f} is still to be paid" if owed and owed > 0 else "it is paid",
            change="nobody is reminded of what is paid",
            of_rows=True,
        ),
    ),
    occasion=lambda knobs, day: (func.min(col(Invoice.due_on)), func.min(col(Invoice.due_on))),
    one_each=True,
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.until_days),
    not_again=lambda knobs: knobs.again_days,
    day_field="due_on",
    because="an open invoice was due on {day}",
    summary="a note about a late payment is for an open invoice up to thirty days past due",
    traits=frozenset({"debt"}),
    fields=(
        TemplateField(
            "amount", 12550, "what is owed, in cents; use money; never in a text, a subject or a call", is_private=True
        ),
        TemplateField(
            "due_on",
            date(2026, 3, 9),
            "the day it was due; use longdate; never in a text, a subject or a call",
            is_private=True,
        ),
    ),
    particulars="debt",
    likely_day=_first_due,
)
