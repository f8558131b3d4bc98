"""Shows how far the messages of an approved batch have come, and the last word on each. Reads only."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func
from sqlmodel import Session, col, select

from outreach.errors import NotFound
from outreach.learning.search import name_of
from outreach.models import DESK, Batch, Customer, Event, Message

BATCHES_A_PAGE = 30
A_PAGE = 50
# In the order in which a message comes past them; "in transit" is what its provider says while we know it as accepted.
WORDS = (
    "composed", "held", "approved", "sending", "uncertain", "needs_person", "accepted", "in_transit", "delivered",
    "returned", "failed", "suppressed", "withdrawn", "cancelled", "blocked", "expired", "rejected",
)  # fmt: skip


@dataclass(frozen=True)
class Followed:
    """A batch and how many of its messages have come how far, in the order of WORDS; they add up to all of them."""

    batch: Batch
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class FollowedMessage:
    """One message on its way."""

    reference: str
    name: str
    customer_id: str
    #: How far it has come, one of WORDS.
    word: str
    #: Why, where that is known.
    reason: str
    #: When we last heard of it.
    said_at: datetime | None


def list_followed(session: Session, page: int = 1) -> tuple[list[Followed], bool]:
    """One page of the batches that were approved, the latest first, and whether there is another."""
    approved = select(Batch).where(Batch.status == "approved")
    ordered = approved.order_by(col(Batch.run_on).desc(), col(Batch.batch_id).desc())
    batches = session.exec(ordered.offset((page - 1) * BATCHES_A_PAGE).limit(BATCHES_A_PAGE + 1)).all()
    counts = _count(session, [batch.batch_id for batch in batches[:BATCHES_A_PAGE]])
    followed = [Followed(batch, counts.get(batch.batch_id, {})) for batch in batches[:BATCHES_A_PAGE]]
    return followed, len(batches) > BATCHES_A_PAGE


def follow_batch(session: Session, batch_id: str) -> Followed:
    """The batch with its counts; raises NotFound."""
    batch = session.get(Batch, batch_id)
    if batch is None:
        raise NotFound(f"There is no batch “{batch_id}”")
    return Followed(batch, _count(session, [batch_id]).get(batch_id, {}))


def follow_messages(
    session: Session, batch_id: str, page: int = 1, word: str | None = None
) -> tuple[list[FollowedMessage], bool]:
    """One page of a batch's messages by reference, and whether there is another; only those at `word` if given."""
    to = col(Customer.customer_id) == Message.recipient_id
    rows = select(Message, Customer, _word()).outerjoin(Customer, to)
    rows = rows.where(Message.batch_id == batch_id)
    if word:
        rows = rows.where(_word() == word)
    messages = session.exec(rows.order_by(Message.reference).offset((page - 1) * A_PAGE).limit(A_PAGE + 1)).all()
    last_events = _last_said(session, [message.reference for message, *_ in messages[:A_PAGE]])
    return [_read(*row, last_events.get(row[0].reference)) for row in messages[:A_PAGE]], len(messages) > A_PAGE


def _word() -> ColumnElement[str]:
    """How far a message has come, as SQL: its status, but for what its provider says is on its way."""
    moving = select(Event).where(
        Event.reference == Message.reference, Event.kind == "in_transit", Event.provider != DESK
    )
    on_its_way = (col(Message.status) == "accepted") & moving.exists()
    return case((on_its_way, "in_transit"), else_=col(Message.status))


def _count(session: Session, batch_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    word = _word().label("word")
    # In a subquery: each parameter of the CASE is another one to PostgreSQL, which would not take the CASE that is
    # grouped by for the one that is selected.
    words = select(col(Message.batch_id), word).where(col(Message.batch_id).in_(batch_ids)).subquery()
    grouped = select(words.c.batch_id, words.c.word, func.count()).group_by(words.c.batch_id, words.c.word)
    counts: dict[str, Counter[str]] = {}
    for batch_id, name, number in session.exec(grouped):
        counts.setdefault(batch_id, Counter())[name] += number
    return {batch_id: {name: count[name] for name in WORDS if count[name]} for batch_id, count in counts.items()}


def _last_said(session: Session, references: Sequence[str]) -> dict[str, Event]:
    # In the order of time: of the events of a message the last one stays in the dict.
    events = select(Event).where(col(Event.reference).in_(references)).order_by(col(Event.at), Event.event_id)
    return {event.reference or "": event for event in session.exec(events)}


def _read(message: Message, customer: Customer | None, word: str, last: Event | None) -> FollowedMessage:
    return FollowedMessage(
        message.reference,
        name_of(customer) if customer else "",
        message.recipient_id,
        word,
        message.status_reason or (last.reason if last else None) or "",
        last.at if last else message.accepted_at,
    )
