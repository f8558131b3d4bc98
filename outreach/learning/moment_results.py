"""Counts what became of one moment's messages of late, by status. Counts only."""

from collections import Counter
from datetime import date, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.models import Message

DAYS_BACK = 90


def count_results(session: Session, moment: str, on: date) -> Counter[str]:
    """The messages that were planned in the 90 days up to `on`, by status."""
    planned = select(Message.status, func.count()).where(
        Message.kind == moment, Message.run_on > on - timedelta(days=DAYS_BACK), Message.run_on <= on
    )
    return Counter(dict(session.execute(planned.group_by(col(Message.status))).tuples().all()))
