"""An invoice has slipped past its day, by little enough that a kind word helps."""

from datetime import date, timedelta

from sqlalchemy import Select, func, or_, select
from sqlmodel import col

from outreach.models import Customer, Invoice
from outreach.moments.definition import MomentDefinition
from outreach.moments.relationship import balance, is_alive
from outreach.settings import LatePaymentKnobs


def find_late_payments(knobs: LatePaymentKnobs, on: date) -> Select[tuple[str, date]]:
    """Some invoice is `from_days` to `until_days` past due with a balance, and not disputed, planned or lost."""
    first, last = on - timedelta(days=knobs.until_days), on - timedelta(days=knobs.from_days)
    return (
        select(col(Invoice.customer_id), func.min(col(Invoice.due_on)))
        .join(Customer, col(Customer.customer_id) == col(Invoice.customer_id))
        .where(
            col(Invoice.due_on).between(first, last),
            col(Invoice.issued_on) <= on,
            or_(col(Invoice.status).is_(None), col(Invoice.status) == "open"),
            balance(on) > 0,
            is_alive(on),
        )
        .group_by(col(Invoice.customer_id))
    )


LATE_PAYMENT = MomentDefinition(
    kind="late_payment",
    purpose="service",
    windowed=True,
    find=find_late_payments,
    useful_until=lambda knobs, day: day + timedelta(days=knobs.until_days),
    because="an open invoice was due on {day}",
    summary="a note about a late payment is for an open invoice up to thirty days past due",
)
