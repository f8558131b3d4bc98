"""Counts how many messages one sender handed over, and what was answered. Reads only; counts only."""

from collections import Counter

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.models import Attempt, Message


def count_handovers(session: Session, owner: str) -> Counter[tuple[str, str, str]]:
    """The attempts that the sender `owner` made, by (moment, channel, outcome); one without an answer is “open”."""
    by = col(Message.kind), col(Message.channel), col(Attempt.outcome)
    made = select(*by, func.count()).join(Attempt, col(Attempt.reference) == Message.reference)
    rows = session.exec(made.where(Attempt.owner == owner).group_by(*by))
    return Counter({(kind, channel, outcome or "open"): number for kind, channel, outcome, number in rows})
