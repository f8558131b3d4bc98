"""Rows of data about one customer, and the moments found for them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import SQLModel

from conftest import TODAY
from outreach.database import reading, writing
from outreach.models import Customer, Feedback, Invoice, Payment, Treatment, Visit
from outreach.moments import find_moments
from outreach.settings import Settings


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 17, tzinfo=UTC)


def visit(day: date, number: int = 1, status: str | None = "completed", who: str = "c1") -> Visit:
    return Visit(visit_id=f"v{who}{number}", customer_id=who, starts_at=noon(day), starts_on=day, status=status)


def treatment(day: date, number: int = 1, who: str = "c1") -> Treatment:
    return Treatment(treatment_id=f"t{who}{number}", customer_id=who, name="Filling", done_at=noon(day), done_on=day)


def invoice(due: date, amount: int = 10000, number: int = 1, status: str | None = None, **values: object) -> Invoice:
    known = {"customer_id": "c1", "issued_on": due - timedelta(days=30), **values}
    return Invoice(invoice_id=f"i{number}", due_on=due, amount=amount, status=status, **known)


def payment(paid_on: date, amount: int = 10000, number: int = 1, invoice: int = 1) -> Payment:
    return Payment(payment_id=f"p{number}", invoice_id=f"i{invoice}", paid_on=paid_on, amount=amount)


def said(kind: str, day: date, number: int = 1, who: str = "c1", **values: object) -> Feedback:
    return Feedback(feedback_id=f"f{number}", customer_id=who, given_at=noon(day), given_on=day, kind=kind, **values)


def find(
    engine: Engine, settings: Settings, kind: str, rows: Sequence[SQLModel], on: date = TODAY
) -> list[tuple[str, str]]:
    """(customer, occasion) of everyone with the moment on the day."""
    with writing(engine) as session:
        session.add_all(rows)
    with reading(engine) as session:
        return [(item.customer_id, item.occasion) for item in find_moments(session, settings, on, [kind])]


def c1(**values: object) -> Customer:
    return Customer(customer_id="c1", **values)


def happy(**values: object) -> list[SQLModel]:
    """Someone who meets every clause, each just so."""
    return [
        c1(**{"customer_since": ago(90), **values}),
        visit(ago(80), 1),
        visit(TODAY, 2),
        said("score", ago(60), score=9),
    ]
