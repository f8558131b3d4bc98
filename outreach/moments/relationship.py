"""What several moments ask of a customer: since when they are with us, whether they live, and what they owe."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Subquery, func, or_, select, union_all
from sqlmodel import col

from outreach.models import Customer, Invoice, Payment, Treatment, Visit


def is_alive(on: date) -> ColumnElement[bool]:
    """Nobody has a moment from the day they died on."""
    return or_(col(Customer.died_on).is_(None), col(Customer.died_on) > on)


def first_contacts() -> Subquery:
    """(customer_id, since): the first treatment, visit or invoice of each customer who has no `customer_since`.

    A visit that was cancelled or missed is no beginning.
    """
    took_place = or_(col(Visit.status).is_(None), col(Visit.status).not_in(("cancelled", "no_show")))
    contacts = union_all(
        select(col(Treatment.customer_id), col(Treatment.done_on).label("day")),
        select(col(Visit.customer_id), col(Visit.starts_on)).where(took_place),
        select(col(Invoice.customer_id), col(Invoice.issued_on)),
    ).subquery()
    return (
        select(contacts.c.customer_id, func.min(contacts.c.day).label("since"))
        .join(Customer, col(Customer.customer_id) == contacts.c.customer_id)
        .where(col(Customer.customer_since).is_(None))
        .group_by(contacts.c.customer_id)
        .subquery()
    )


def balance(on: date) -> Any:
    """What is unpaid of an invoice on a date, in minor units, beside Invoice; a payment of that day counts."""
    paid = (
        select(func.coalesce(func.sum(col(Payment.amount)), 0))
        .where(col(Payment.invoice_id) == col(Invoice.invoice_id), col(Payment.paid_on) <= on)
        .correlate(Invoice)
        .scalar_subquery()
    )
    return col(Invoice.amount) - paid
