"""Says in SQL what is unpaid of each invoice, in which currency, and whether somebody is overdue.

A payment of the day counts. Each part is SQL beside Invoice, Payment or Customer that runs on SQLite and on PostgreSQL.
What is left once credit notes are counted, bill by bill, is worked out in planning.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased
from sqlmodel import col

from outreach.models import Customer, Invoice, Payment
from outreach.moments.definition import BusinessDay, Clause
from outreach.moments.open_day import SqlDay

# Of these nothing is owed, whatever their amount.
NOTHING_OWED = ("paid", "void", "draft")
# Nobody is asked for these any more, so what a payer is credited goes to the others first.
WRITTEN_OFF = "written_off"
_Patient = aliased(Customer)


def paid_on(on: SqlDay) -> Any:
    """What has been paid for an invoice by a date, in minor units, beside Invoice."""
    paid = select(func.coalesce(func.sum(col(Payment.amount)), 0)).where(
        col(Payment.invoice_id) == col(Invoice.invoice_id), col(Payment.paid_on) <= on
    )
    return paid.correlate(Invoice).scalar_subquery()


def balance(on: SqlDay) -> Any:
    """What is unpaid of an invoice on a date, in minor units, beside Invoice."""
    return col(Invoice.amount) - paid_on(on)


def owed(on: SqlDay) -> Any:
    """The same as it counts in its payer's account: under nothing for a credit note, and for money paid over it."""
    paid, unpaid = paid_on(on), balance(on)
    is_credit = (col(Invoice.amount) > 0) & (unpaid < 0)
    return case(
        (col(Invoice.status) == "paid", case((is_credit, unpaid), else_=0)),
        # What was paid for a bill that is none is still the payer's money.
        (col(Invoice.status).in_(NOTHING_OWED), case((paid > 0, -paid), else_=0)),
        else_=unpaid,
    )


def currency_of_invoice(own: str, customer: Any = Customer) -> ColumnElement[str]:
    """The currency of an invoice: its own, else its customer's, else the business's `own`."""
    return func.coalesce(col(Invoice.currency), customer.currency, own)


def currency_of_payment(own: str, customer: Any = Customer) -> ColumnElement[str]:
    """The currency of a payment that belongs to a customer: its own, else the customer's, else the business's `own`."""
    return func.coalesce(col(Payment.currency), customer.currency, own)


def paid_by(day: BusinessDay, since: SqlDay) -> ColumnElement[int]:
    """What a customer paid from `since` to the day, for themselves or another, in minor units of our own currency.

    Two currencies have no sum: what they paid in another is left out.
    """
    theirs = col(Payment.paid_on).between(since, day.on)
    of_invoices = (
        select(func.sum(col(Payment.amount)))
        .join(Invoice, col(Invoice.invoice_id) == col(Payment.invoice_id))
        .join(_Patient, col(_Patient.customer_id) == Invoice.customer_id, isouter=True)
        .where(_is_payer(), theirs)
        .where(func.coalesce(col(Payment.currency), currency_of_invoice(day.currency, _Patient)) == day.currency)
    )
    on_account = select(func.sum(col(Payment.amount))).where(
        col(Payment.invoice_id) == "",
        col(Payment.customer_id) == col(Customer.customer_id),
        theirs,
        currency_of_payment(day.currency) == day.currency,
    )
    sums = (each.correlate(Customer).scalar_subquery() for each in (of_invoices, on_account))
    first, second = (func.coalesce(each, 0) for each in sums)
    return first + second


def _is_payer() -> ColumnElement[bool]:
    """The customer is to pay the invoice: one whom an insurer or a parent pays for owes nothing of it."""
    own = col(Invoice.payer_id).is_(None) & (col(Invoice.customer_id) == col(Customer.customer_id))
    return or_(own, col(Invoice.payer_id) == col(Customer.customer_id))


def _unpaid(on: SqlDay) -> tuple[ColumnElement[bool], ...]:
    """Late and unpaid, as far as it alone is known. Whatever its status: planned or disputed is the wrong day too."""
    is_owed = or_(col(Invoice.status).is_(None), col(Invoice.status).not_in(NOTHING_OWED))
    # After both days: nobody is late with a bill before they could have it (`late_since` in planning/receivables.py).
    return _is_payer(), col(Invoice.issued_on) < on, col(Invoice.due_on) < on, is_owed, balance(on) > 0


def is_overdue(day: BusinessDay) -> ColumnElement[bool]:
    """Something that they are to pay is past its day, and no credit of theirs covers it."""
    # Asked first, for it is quick, and true of few.
    return and_(exists().where(*_unpaid(day.on)).correlate(Customer), _is_left(day))


def _is_left(day: BusinessDay) -> ColumnElement[bool]:
    """What is late comes to more than the payer's credits, in one currency at least."""
    rows = _account(day)
    is_bill, is_last = ~rows.c.is_credit, rows.c.status == WRITTEN_OFF
    sums = {
        "late": _sum(rows.c.owed, is_bill & rows.c.is_late & ~is_last),
        "asked": _sum(rows.c.owed, is_bill & ~is_last),
        "late_last": _sum(rows.c.owed, is_bill & rows.c.is_late & is_last),
        "given": -_sum(rows.c.owed, rows.c.is_credit),
    }
    named = [total.label(name) for name, total in sums.items()]
    totals = select(*named).select_from(rows).group_by(rows.c.currency).subquery("totals")
    given = case((totals.c.given > 0, totals.c.given), else_=0)
    # What was written off gets what the others leave of the credits.
    rest = case((given > totals.c.asked, given - totals.c.asked), else_=0)
    return exists().where(or_(totals.c.late > given, totals.c.late_last > rest))


def _sum(value: Any, condition: Any) -> ColumnElement[int]:
    return func.sum(case((condition, value), else_=0))


def _account(day: BusinessDay) -> Any:
    """All that a customer owes and is credited as a payer: currency, status, `owed`, `is_credit`, `is_late`."""
    on, amount = day.on, owed(day.on)
    is_late = (col(Invoice.issued_on) < on) & (col(Invoice.due_on) < on)
    bills = (
        select(
            currency_of_invoice(day.currency, _Patient).label("currency"),
            func.coalesce(Invoice.status, "open").label("status"),
            amount.label("owed"),
            (amount < 0).label("is_credit"),
            is_late.label("is_late"),
        )
        .join(_Patient, col(_Patient.customer_id) == Invoice.customer_id, isouter=True)
        .where(_is_payer(), col(Invoice.issued_on) <= on)
    )
    on_account = select(
        currency_of_payment(day.currency),
        literal("open"),
        -col(Payment.amount),
        literal(True),
        literal(True),
    ).where(
        col(Payment.invoice_id) == "", col(Payment.customer_id) == col(Customer.customer_id), col(Payment.paid_on) <= on
    )
    return union_all(bills.correlate(Customer), on_account.correlate(Customer)).subquery("account")


def _first_due(on: SqlDay) -> Any:
    return select(func.min(col(Invoice.due_on))).where(*_unpaid(on)).correlate(Customer).scalar_subquery()


NOTHING_OVERDUE: Clause[Any] = Clause(
    says="nothing of theirs is overdue",
    where=lambda knobs, day: ~is_overdue(day),
    value=lambda knobs, day: case((is_overdue(day), _first_due(day.on))),
    tell=lambda due_on, on: f"an invoice of {due_on} is overdue" if due_on else "nothing is overdue",
    change="it would have to be paid",
)
