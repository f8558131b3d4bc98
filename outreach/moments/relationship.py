"""What several moments ask of a customer: since when they are with us, whether they live, and what they owe."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, or_, select, union_all
from sqlmodel import col

from outreach.models import Customer, Invoice, Payment, Treatment, Visit


def is_alive(on: date) -> ColumnElement[bool]:
    """Nobody has a moment from the day they died on."""
    return or_(col(Customer.died_on).is_(None), col(Customer.died_on) > on)


def first_contact() -> ScalarSelect[date]:
    """The day of a customer's first treatment, visit or invoice, beside Customer; NULL when there is none.

    A visit that was cancelled or missed is no beginning.
    """
    took_place = or_(col(Visit.status).is_(None), col(Visit.status).not_in(("cancelled", "no_show")))
    # One seek in an index for each customer and table: a join on all contacts grouped took six times as long.
    firsts = union_all(
        _first(col(Treatment.done_on), col(Treatment.customer_id)),
        _first(col(Visit.starts_on), col(Visit.customer_id)).where(took_place),
        _first(col(Invoice.issued_on), col(Invoice.customer_id)),
    ).subquery()
    return select(func.min(firsts.c.day)).scalar_subquery()


def _first(day: Any, owner: Any) -> Select[tuple[date]]:
    return select(func.min(day).label("day")).where(owner == col(Customer.customer_id)).correlate(Customer)


def balance(on: date) -> Any:
    """What is unpaid of an invoice on a date, in minor units, beside Invoice; a payment of that day counts."""
    paid = (
        select(func.coalesce(func.sum(col(Payment.amount)), 0))
        .where(col(Payment.invoice_id) == col(Invoice.invoice_id), col(Payment.paid_on) <= on)
        .correlate(Invoice)
        .scalar_subquery()
    )
    return col(Invoice.amount) - paid
