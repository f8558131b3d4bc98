"""Adds up what each customer paid us until a day: two sums, in the business's currency. It converts nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from outreach.chunks import in_chunks
from outreach.models import Customer, Invoice, Payment
from outreach.moments.balances import currency_of_invoice, currency_of_payment
from outreach.settings import Settings

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Worth:
    """In minor units: what came in over the last twelve months, and ever."""

    year: int = 0
    lifetime: int = 0


NOTHING = Worth()


def find_worth(session: Session, settings: Settings, on: date, ids: Collection[str]) -> dict[str, Worth]:
    """The worth of each of `ids` on `on`: what they paid for invoices, theirs or another's, and on account.

    Payments in other currencies than the business's are left out: two currencies have no sum.
    """
    own = settings.business.currency
    worth = dict.fromkeys(ids, NOTHING)
    for chunk in in_chunks(ids):
        for paid in (_for_invoices(own, on, chunk), _on_account(own, on, chunk)):
            for who, year, lifetime in session.execute(paid):
                # As whole numbers: PostgreSQL sums a BIGINT to a Decimal.
                worth[who] = Worth(worth[who].year + int(year), worth[who].lifetime + int(lifetime))
    return worth


def _sums(on: date) -> tuple[Any, Any]:
    lately = case((col(Payment.paid_on) > on - YEAR, col(Payment.amount)), else_=0)
    return func.sum(lately), func.sum(col(Payment.amount))


def _for_invoices(own: str, on: date, ids: Collection[str]) -> Select[Any]:
    # By who pays: what an insurer or a parent pays for somebody is not what that person brings.
    payer, paying = func.coalesce(col(Invoice.payer_id), col(Invoice.customer_id)), aliased(Customer)
    currency = func.coalesce(col(Payment.currency), currency_of_invoice(own))
    return (
        select(payer, *_sums(on))
        .join(Invoice, col(Invoice.invoice_id) == col(Payment.invoice_id))
        .join(Customer, col(Customer.customer_id) == Invoice.customer_id, isouter=True)
        .join(paying, col(paying.customer_id) == payer)
        .where(col(Payment.paid_on) <= on, currency == own, _paid_by(ids))
        .group_by(payer)
    )


def _on_account(own: str, on: date, ids: Collection[str]) -> Select[Any]:
    payer = col(Payment.customer_id)
    return (
        select(payer, *_sums(on))
        .join(Customer, col(Customer.customer_id) == payer)
        .where(Payment.invoice_id == "", Payment.paid_on <= on, currency_of_payment(own) == own, payer.in_(ids))
        .group_by(payer)
    )


def _paid_by(ids: Collection[str]) -> ColumnElement[bool]:
    """Two conditions that each have their index, where the coalesced column has none."""
    theirs = col(Invoice.payer_id).is_(None) & col(Invoice.customer_id).in_(ids)
    return or_(col(Invoice.payer_id).in_(ids), theirs)
