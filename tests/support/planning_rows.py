"""Rows of a small practice as planning finds them, and a plan of its day."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlmodel import SQLModel, select

from conftest import NOW, TODAY
from outreach.database import reading, writing
from outreach.models import (
    Consent,
    Customer,
    Decision,
    Feedback,
    Import,
    Invoice,
    Message,
    Moment,
    Treatment,
    Visit,
)
from outreach.planning.knobs import overlay_knobs
from outreach.planning.run import plan_day
from outreach.settings import Settings

ADDRESS = {
    "address_line1": "8 Elm Street",
    "city": "Burlington",
    "region": "VT",
    "postal_code": "05401",
    "country": "US",
}

TWO_DAYS_AGO = TODAY - timedelta(days=2)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 15, tzinfo=UTC)


def customer(customer_id: str = "c1", **values: Any) -> Customer:
    known = {"given_name": "Ann", "family_name": "Lee", "email": "ann@home.example", "phone": "+18025550101", **ADDRESS}
    return Customer(customer_id=customer_id, **{**known, **values})


def granted(channel: str, purpose: str = "service", customer_id: str = "c1", **values: Any) -> Consent:
    return Consent(
        customer_id=customer_id, channel=channel, purpose=purpose, at=at(date(2025, 1, 1)), state="granted", **values
    )


def withdrawn(channel: str, purpose: str = "service", customer_id: str = "c1") -> Consent:
    day = at(date(2026, 1, 1))
    return Consent(customer_id=customer_id, channel=channel, purpose=purpose, at=day, state="withdrawn")


def treated(customer_id: str = "c1", name: str = "Filling", on: date = TWO_DAYS_AGO) -> list[SQLModel]:
    return [
        Treatment(
            treatment_id=f"t-{customer_id}-{name}-{on}", customer_id=customer_id, name=name, done_at=at(on), done_on=on,
            practitioner="Dr. Okafor", practitioner_phone="+18025550143",
        )
    ]  # fmt: skip


def late(customer_id: str = "c1", days: int = 12, amount: int = 9000, **values: Any) -> list[SQLModel]:
    due = TODAY - timedelta(days=days)
    return [
        Invoice(
            invoice_id=f"i-{customer_id}-{days}", customer_id=customer_id, issued_on=due - timedelta(days=30),
            due_on=due, amount=amount, currency="USD", **values,
        )
    ]  # fmt: skip


def payments_fresh(at: datetime = NOW) -> Import:
    return Import(at=at, file="payments.csv", table_name="payments", read=1, accepted=1, refused=0)


def faithful(customer_id: str = "c1", since: date | None = None, **values: Any) -> list[SQLModel]:
    """A customer whose third anniversary is two business days after TODAY, seen lately."""
    day = since or (TODAY + timedelta(days=2)).replace(year=TODAY.year - 3)
    return [customer(customer_id, customer_since=day, **values), *seen(customer_id)]


def seen(customer_id: str = "c1", count: int = 1) -> list[SQLModel]:
    return [
        Visit(
            visit_id=f"v-{customer_id}-{n}", customer_id=customer_id, status="completed",
            starts_at=at(TODAY - timedelta(days=30 + n)), starts_on=TODAY - timedelta(days=30 + n),
        )
        for n in range(count)
    ]  # fmt: skip


def happy(customer_id: str = "c1", **values: Any) -> list[SQLModel]:
    """A customer of a year with two visits and a score of ten five days ago."""
    day = TODAY - timedelta(days=5)
    score = Feedback(
        feedback_id=f"f-{customer_id}", customer_id=customer_id, given_at=at(day), given_on=day, kind="score", score=10
    )
    return [customer(customer_id, customer_since=TODAY - timedelta(days=400), **values), *seen(customer_id, 2), score]


def plan(engine: Engine, settings: Settings, rows: Iterable[SQLModel], on: date = TODAY, now: datetime = NOW) -> None:
    with writing(engine) as session:
        for row in rows:
            session.add(row)
    plan_day(engine, settings, on, now)


def decision(engine: Engine, kind: str, customer_id: str = "c1") -> Decision:
    """The decision that stands on the customer's only moment of this kind."""
    with reading(engine) as session:
        moment = session.exec(select(Moment).where(Moment.kind == kind, Moment.customer_id == customer_id)).one()
        rows = session.exec(select(Decision).where(Decision.moment_id == moment.moment_id)).all()
    return max(rows, key=lambda row: row.sequence)


def messages(engine: Engine) -> list[Message]:
    with reading(engine) as session:
        return list(session.exec(select(Message).order_by(Message.reference)))


def with_knobs(settings: Settings, moment: str, **knobs: Any) -> Settings:
    return overlay_knobs(settings, moment, knobs)


def store(engine: Engine, rows: list[SQLModel]) -> None:
    with writing(engine) as session:
        session.add_all(rows)
