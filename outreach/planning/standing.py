"""How things stand between us and each customer on the day: money, complaints, treatments, and what we asked before."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.models import TOUCHING, Customer, Feedback, Import, Invoice, Message, Payment, Treatment, Visit
from outreach.planning.people import in_chunks, select_for


@dataclass(frozen=True)
class OpenInvoice:
    """An invoice with something left to pay; `balance` is in minor units."""

    invoice: Invoice
    balance: int


@dataclass
class Standing:
    open_invoices: list[OpenInvoice] = field(default_factory=list)
    disputing: bool = False
    complaining: bool = False
    last_contact: date | None = None
    treatments: list[Treatment] = field(default_factory=list)
    written_on: dict[str, date] = field(default_factory=dict)

    def is_overdue(self, on: date) -> bool:
        return any(item.invoice.due_on < on for item in self.open_invoices)


@dataclass(frozen=True)
class Facts:
    """What is true of the business as a whole on the day."""

    payments_imported_at: datetime | None
    shared_since: frozenset[date]


def load_standings(session: Session, on: date, ids: Collection[str]) -> dict[str, Standing]:
    """A Standing for each id, also for those of whom nothing is known."""
    standings = {customer_id: Standing() for customer_id in ids}
    _add_invoices(session, standings, on)
    _add_complaints(session, standings, on)
    _add_contacts(session, standings, on)
    _add_messages(session, standings)
    for treatment in select_for(session, select(Treatment), Treatment.customer_id, ids):
        standings[treatment.customer_id].treatments.append(treatment)
    return standings


def _add_invoices(session: Session, standings: dict[str, Standing], on: date) -> None:
    issued = select(Invoice).where(Invoice.issued_on <= on)
    invoices = list(select_for(session, issued, Invoice.customer_id, standings))
    paid: dict[str, int] = defaultdict(int)
    for chunk in in_chunks([invoice.invoice_id for invoice in invoices]):
        sums = select(Payment.invoice_id, func.sum(Payment.amount)).where(
            col(Payment.invoice_id).in_(chunk), Payment.paid_on <= on
        )
        paid.update(session.execute(sums.group_by(Payment.invoice_id)).tuples().all())
    for invoice in invoices:
        standing = standings[invoice.customer_id]
        balance = invoice.amount - int(paid[invoice.invoice_id])
        if balance > 0:
            standing.open_invoices.append(OpenInvoice(invoice, balance))
            standing.disputing = standing.disputing or invoice.status == "disputed"


def _add_complaints(session: Session, standings: dict[str, Standing], on: date) -> None:
    open_ones = select(Feedback).where(
        Feedback.kind == "complaint",
        Feedback.given_on <= on,
        col(Feedback.status).is_(None) | (col(Feedback.status) == "open"),
    )
    for feedback in select_for(session, open_ones, Feedback.customer_id, standings):
        standings[feedback.customer_id].complaining = True


def _add_contacts(session: Session, standings: dict[str, Standing], on: date) -> None:
    """The last day on which each came, was treated, was billed or paid."""
    paid = select(Invoice.customer_id, func.max(Payment.paid_on)).join(
        Invoice, col(Invoice.invoice_id) == Payment.invoice_id
    )
    sources = [
        (select(Visit.customer_id, func.max(Visit.starts_on)), Visit.customer_id, Visit.starts_on),
        (select(Treatment.customer_id, func.max(Treatment.done_on)), Treatment.customer_id, Treatment.done_on),
        (select(Invoice.customer_id, func.max(Invoice.issued_on)), Invoice.customer_id, Invoice.issued_on),
        (paid, Invoice.customer_id, Payment.paid_on),
    ]
    for statement, owner, day in sources:
        for chunk in in_chunks(standings):
            latest = statement.where(col(owner).in_(chunk), day <= on).group_by(col(owner))
            for customer_id, last in session.execute(latest):
                standing = standings[customer_id]
                standing.last_contact = max(last, standing.last_contact or last)


def _add_messages(session: Session, standings: dict[str, Standing]) -> None:
    for chunk in in_chunks(standings):
        sent = select(Message.customer_id, Message.kind, func.max(Message.send_on)).where(
            col(Message.customer_id).in_(chunk), col(Message.status).in_(TOUCHING)
        )
        for customer_id, kind, day in session.execute(sent.group_by(Message.customer_id, Message.kind)):
            standings[customer_id].written_on[kind] = day


# Below this many, a day shared by over one in a hundred is chance, not the default of an import.
FEWEST_SHARED = 5


def load_facts(session: Session, percent: float) -> Facts:
    """When payments were last imported, and the values of customer_since that over `percent` % of customers share."""
    everyone = session.execute(select(func.count()).select_from(Customer)).scalar_one()
    least = max(FEWEST_SHARED, int(everyone * percent / 100) + 1)
    shared = (
        select(col(Customer.customer_since))
        .where(col(Customer.customer_since).is_not(None))
        .group_by(col(Customer.customer_since))
        .having(func.count() >= least)
    )
    imported = select(func.max(Import.at)).where(Import.table_name == "payments")
    return Facts(
        payments_imported_at=session.execute(imported).scalar_one(),
        shared_since=frozenset(day for day in session.execute(shared).scalars() if day),
    )
