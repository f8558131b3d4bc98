"""Rows of data about care: what was asked, called off and asked again."""

from datetime import date, datetime

from sqlmodel import SQLModel

from moment_rows import said, visit
from outreach.models import Feedback, Goodwill, Visit


def again(rows: list[SQLModel]) -> list[SQLModel]:
    """The same rows for another database: what a session has seen belongs to it."""
    return [type(row)(**row.model_dump()) for row in rows]


def called_off(day: date, by: str | None = "us", number: int = 1, status: str = "cancelled") -> Visit:
    row = visit(day, number, status)
    row.cancelled_by = by
    return row


def asked(at: datetime, on: date, number: int = 1, **values: object) -> Feedback:
    """An enquiry of an instant, and the business date it came on."""
    row = said("enquiry", on, number, **values)
    row.given_at = at
    return row


def named(day: date, event: str = "storm", who: str = "c1") -> Goodwill:
    return Goodwill(event=event, customer_id=who, named_on=day, by="nora")
