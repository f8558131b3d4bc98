"""Reads how things stand between us and each customer on a day: money, complaints, treatments, what we asked before."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import func, union_all
from sqlmodel import Session, col, select

from outreach.chunks import IDS, rows_for
from outreach.intake.unread_rows import payments_read_at, payments_unread_everywhere
from outreach.models import TOUCHING, Customer, Feedback, Goodwill, Invoice, Message, Payment, Treatment, Visit
from outreach.moments.relationship import first_contact, took_place, was_done
from outreach.planning.data_start import FEWEST_SHARED, find_edge
from outreach.planning.receivables import OpenInvoice, read_receivables


@dataclass
class Standing:
    """How things stand between us and one customer on the day."""

    #: Theirs, whoever is to pay them, the oldest first.
    open_invoices: list[OpenInvoice] = field(default_factory=list)
    #: The day from which they, as the payer, are late with something; it may lie ahead.
    owes_since: date | None = None
    #: A bill of theirs, or one that they are to pay, is disputed.
    disputing: bool = False
    complaining: bool = False
    first_contact: date | None = None
    last_contact: date | None = None
    last_visit: date | None = None
    last_payment: date | None = None
    #: The next visit that is booked.
    booked_on: date | None = None
    #: When a letter to them came back.
    returned_on: date | None = None
    #: When staff last named them after an event.
    named_on: date | None = None
    #: Those of the last months.
    treatments: list[Treatment] = field(default_factory=list)
    #: When they asked what nobody has answered, by feedback id.
    asked_at: dict[str, datetime] = field(default_factory=dict)
    #: When we last wrote to them, by moment.
    written_on: dict[str, date] = field(default_factory=dict)

    def is_overdue(self, on: date) -> bool:
        return self.owes_since is not None and self.owes_since < on


@dataclass(frozen=True)
class BusinessState:
    """What is true of the business as a whole on the day."""

    #: When payments were last imported so that all of them could be read.
    payments_imported_at: datetime | None
    #: Values of customer_since that so many share that they are a default.
    shared_since: frozenset[date]
    #: Whether payments were refused of which nobody can say whose they are.
    payments_unread: bool = False
    #: The last of the first days that the data speak of, where these are an export's edge and not our beginning.
    edge_until: date | None = None


# Words and rules speak of treatments of the last days only; a customer may have hundreds.
# No rule looks back farther by default: `hold_for_end_of_life` does so for pacing.mourning_days, which is 90. Where
# that is set to more than this, care from before is not seen.
TREATMENTS_BACK = timedelta(days=120)


def load_standings(
    session: Session,
    on: date,
    ids: Collection[str],
    currency: str,
    with_messages: bool = True,
    with_beginnings: bool = True,
) -> dict[str, Standing]:
    """A Standing for each id, also for those of whom nothing is known; `currency` is the business's.

    What we wrote before, and when they first came, is read only where it is asked for.
    """
    standings = {customer_id: Standing() for customer_id in ids}
    _add_receivables(session, standings, on, currency)
    _add_feedback(session, standings, on)
    _add_contacts(session, standings, on)
    if with_beginnings:
        _add_beginnings(session, standings)
    if with_messages:
        _add_messages(session, standings)
    for (treatment,) in rows_for(session, _select_treatments(on), ids):
        standings[treatment.customer_id].treatments.append(treatment)
    return standings


def _add_receivables(session: Session, standings: dict[str, Standing], on: date, currency: str) -> None:
    receivables = read_receivables(session, on, standings, currency)
    for item in sorted(receivables.open_invoices(), key=lambda item: (item.late_since, item.invoice.invoice_id)):
        if (standing := standings.get(item.payer_id)) and standing.owes_since is None:
            standing.owes_since = item.late_since
        if item.invoice.customer_id in standings:
            standings[item.invoice.customer_id].open_invoices.append(item)
    for who in receivables.disputing() & standings.keys():
        standings[who].disputing = True


def _add_feedback(session: Session, standings: dict[str, Standing], on: date) -> None:
    for (feedback,) in rows_for(session, _select_feedback(on), standings):
        standing = standings[feedback.customer_id]
        if feedback.kind == "complaint":
            standing.complaining = True
        else:
            standing.asked_at[feedback.feedback_id] = feedback.given_at


def _add_contacts(session: Session, standings: dict[str, Standing], on: date) -> None:
    """The last days on which each came, was treated, was billed, paid or was named, and the next that is booked."""
    for name, statement in _select_contacts(on):
        for customer_id, day in rows_for(session, statement, standings):
            earlier = getattr(standings[customer_id], name)
            # Two selects may say when somebody last paid: for an invoice of theirs, or on account.
            setattr(standings[customer_id], name, max(day, earlier) if earlier else day)
    for standing in standings.values():
        seen = (standing.last_visit, standing.last_contact, standing.last_payment)
        standing.last_contact = max((day for day in seen if day), default=None)


def _add_beginnings(session: Session, standings: dict[str, Standing]) -> None:
    began = select(Customer.customer_id, first_contact()).where(col(Customer.customer_id).in_(IDS))
    for customer_id, first in rows_for(session, began, standings):
        standings[customer_id].first_contact = first


@lru_cache(maxsize=100)
def _select_treatments(on: date) -> Any:
    lately = col(Treatment.done_on).between(on - TREATMENTS_BACK, on)
    return select(Treatment).where(was_done(), lately, col(Treatment.customer_id).in_(IDS))


@lru_cache(maxsize=100)
def _select_feedback(on: date) -> Any:
    return select(Feedback).where(
        col(Feedback.customer_id).in_(IDS),
        col(Feedback.kind).in_(("complaint", "enquiry")),
        Feedback.given_on <= on,
        col(Feedback.status).is_(None) | (col(Feedback.status) == "open"),
    )


@lru_cache(maxsize=100)
def _select_contacts(on: date) -> tuple[tuple[str, Any], ...]:
    """The field of Standing, and a select of (customer, day) that asks for IDS."""
    return tuple((name, select_.where(owner.in_(IDS)).group_by(owner)) for name, select_, owner in _contacts(on))


def _contacts(on: date) -> Iterator[tuple[str, Any, Any]]:
    """The field of Standing, a select of (customer, day) and the column of the customer in it."""
    visitor, billed = col(Visit.customer_id), col(Invoice.customer_id)
    came = select(visitor, func.max(col(Visit.starts_on))).where(took_place(), col(Visit.starts_on) <= on)
    yield "last_visit", came, visitor
    booked = select(visitor, func.min(col(Visit.starts_on))).where(
        col(Visit.starts_on) >= on, col(Visit.status) == "booked"
    )
    yield "booked_on", booked, visitor
    paid = select(billed, func.max(col(Payment.paid_on))).where(col(Payment.paid_on) <= on)
    yield "last_payment", paid.join(Invoice, col(Invoice.invoice_id) == col(Payment.invoice_id)), billed
    themselves = col(Payment.customer_id)
    yield (
        "last_payment",
        select(themselves, func.max(col(Payment.paid_on))).where(col(Payment.paid_on) <= on),
        themselves,
    )
    others = union_all(
        select(col(Treatment.customer_id).label("who"), col(Treatment.done_on).label("day")).where(was_done()),
        select(billed, col(Invoice.issued_on)),
    ).subquery()
    yield "last_contact", select(others.c.who, func.max(others.c.day)).where(others.c.day <= on), others.c.who
    named = select(col(Goodwill.customer_id), func.max(col(Goodwill.named_on))).where(col(Goodwill.named_on) <= on)
    yield "named_on", named, col(Goodwill.customer_id)
    returned = select(col(Message.recipient_id), func.max(col(Message.send_on))).where(
        col(Message.status) == "returned"
    )
    yield "returned_on", returned, col(Message.recipient_id)


def _add_messages(session: Session, standings: dict[str, Standing]) -> None:
    sent = select(Message.customer_id, Message.kind, func.max(Message.send_on)).where(
        col(Message.customer_id).in_(IDS), col(Message.status).in_(TOUCHING)
    )
    for customer_id, kind, day in rows_for(session, sent.group_by(Message.customer_id, Message.kind), standings):
        standings[customer_id].written_on[kind] = day


def load_business_state(
    session: Session, percent: float, now: datetime, since: Collection[date | None] | None = None
) -> BusinessState:
    """When payments were last imported, the values of customer_since that over `percent` % share, the data's edge.

    With `since`, only these values are looked at, and the edge where it holds a None: for somebody of whom the data do
    not say it.
    """
    everywhere = since is None or None in since
    shared = _find_shared(session, percent, None if everywhere or since is None else [day for day in since if day])
    return BusinessState(
        payments_imported_at=payments_read_at(session, now),
        shared_since=frozenset(shared),
        payments_unread=payments_unread_everywhere(session),
        edge_until=find_edge(session, _least(session, percent), shared) if everywhere else None,
    )


def _find_shared(session: Session, percent: float, since: Collection[date] | None) -> list[date]:
    often = select(col(Customer.customer_since), func.count()).where(col(Customer.customer_since).is_not(None))
    if since is not None:
        often = often.where(col(Customer.customer_since).in_(since))
    often = often.group_by(col(Customer.customer_since)).having(func.count() >= FEWEST_SHARED)
    numbers = session.execute(often).all() if since is None or since else []
    # Everybody is counted only where somebody shares a day: a look at a few messages must not read all customers.
    least = _least(session, percent) if numbers else FEWEST_SHARED
    return [day for day, number in numbers if day and number >= least]


def _least(session: Session, percent: float) -> int:
    """How many must share something before it is taken for an import's default."""
    everyone = session.execute(select(func.count()).select_from(Customer)).scalar_one()
    return max(FEWEST_SHARED, int(everyone * percent / 100) + 1)
