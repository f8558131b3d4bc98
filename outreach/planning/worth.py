"""What customers have brought us: their payments until a day in, two sums for each out, in the business's currency."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, case, func, or_
from sqlmodel import Session, col, select

from outreach.models import Customer, Invoice, Payment
from outreach.planning.people import in_chunks
from outreach.settings import Settings

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Worth:
    """In minor units: what came in over the last twelve months, and ever."""

    year: int = 0
    lifetime: int = 0


NOTHING = Worth()


def find_worth(session: Session, settings: Settings, on: date, ids: Collection[str]) -> dict[str, Worth]:
    """The worth of each of `ids` on `on`: payments for invoices that they pay, theirs or another's.

    Payments in other currencies than the business's are left out: two currencies have no sum.
    """
    own = settings.business.currency
    payer = func.coalesce(col(Invoice.payer_id), col(Invoice.customer_id))
    lately = case((col(Payment.paid_on) > on - YEAR, col(Payment.amount)), else_=0)
    paid = (
        select(payer, func.sum(lately), func.sum(col(Payment.amount)))
        .join(Invoice, col(Invoice.invoice_id) == col(Payment.invoice_id))
        .join(Customer, col(Customer.customer_id) == payer)
        .where(col(Payment.paid_on) <= on, func.coalesce(col(Invoice.currency), col(Customer.currency), own) == own)
    )
    worth = dict.fromkeys(ids, NOTHING)
    for chunk in in_chunks(ids):
        for who, year, lifetime in session.execute(paid.where(_paid_by(chunk)).group_by(payer)):
            worth[who] = Worth(int(year), int(lifetime))
    return worth


def _paid_by(ids: Collection[str]) -> ColumnElement[bool]:
    """Two conditions that each have their index, where the coalesced column has none."""
    theirs = col(Invoice.payer_id).is_(None) & col(Invoice.customer_id).in_(ids)
    return or_(col(Invoice.payer_id).in_(ids), theirs)
