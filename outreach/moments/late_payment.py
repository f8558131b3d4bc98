"""An invoice has slipped past its day, by little enough that a kind word helps."""

from datetime import date, timedelta
from typing import Literal

from pydantic import Field
from sqlalchemy import ColumnElement, String, cast, func, join, or_, select
from sqlmodel import Session, col

from outreach.models import Customer, Invoice
from outreach.moments.balances import balance, currency_of_invoice
from outreach.moments.definition import BusinessDay, Clause, MomentDefinition, TemplateField
from outreach.moments.evidence import tell_day
from outreach.moments.goodwill import GOODWILL
from outreach.moments.relationship import ALIVE
from outreach.moments.rule import Asked, Hold, Rule
from outreach.money import Amount, Bill, Rest, write_money
from outreach.settings import MomentKnobs
from outreach.settings.rewards import CurrencyCode, Minor


class LatePaymentKnobs(MomentKnobs):
    approval: Literal["rule", "person"] = "person"
    from_days: int = Field(
        default=1, ge=0, title="Days past due, at least", description="From this day on it counts as late"
    )
    until_days: int = Field(
        default=30,
        ge=0,
        title="Days past due, at most",
        description="After that it is no slip any more, and a person calls",
    )
    first_touch_days: int = Field(
        default=10, ge=0, title="First note on day", description="Half of the slips pay by themselves before"
    )
    again_days: int = Field(
        default=30, ge=0, title="Not again within days", description="How long after one note there is no other"
    )
    #: In minor units of the business's currency.
    min_balance: int = Field(
        default=1000,
        ge=0,
        title="Smallest balance, in cents",
        description="Nobody is written to about less; elsewhere as many major units",
    )
    #: By the codes of other currencies, in minor units of each.
    min_balances: dict[CurrencyCode, Minor] = Field(
        default={},
        title="Smallest balances in other currencies",
        description="By their codes, in their own minor units",
    )
    fresh_hours: int = Field(
        default=24, ge=0, title="Payments imported within hours", description="With older payments nobody is written to"
    )


def _slipped(knobs: LatePaymentKnobs, day: BusinessDay) -> ColumnElement[bool]:
    first, last = day.on - timedelta(days=knobs.until_days), day.on - timedelta(days=knobs.from_days)
    # By the due day, for which there is an index. Where the bill was written later than that, planning counts from then
    # on (`late_since` in planning/receivables.py).
    return col(Invoice.due_on).between(first, last) & (col(Invoice.issued_on) <= day.on)


def _is_free() -> ColumnElement[bool]:
    # In words for SQL what FREE in planning/receivables.py says of rows that were read.
    return or_(col(Invoice.status).is_(None), col(Invoice.status) == "open")


def _of_customer(value: ColumnElement[object], *where: ColumnElement[bool]) -> ColumnElement[object]:
    theirs = select(value).where(col(Invoice.customer_id) == col(Customer.customer_id), *where)
    return theirs.correlate(Customer).scalar_subquery()


def _most_unpaid(knobs: LatePaymentKnobs, day: BusinessDay) -> ColumnElement[object]:
    """The largest balance of a late invoice and its currency, as “12345 KWD”."""
    # Both in one text, since a clause has one value to show.
    unpaid = cast(balance(day.on), String) + " " + currency_of_invoice(day.currency)
    theirs = select(unpaid).where(
        col(Invoice.customer_id) == col(Customer.customer_id), _slipped(knobs, day), _is_free(), balance(day.on) > 0
    )
    return theirs.order_by(balance(day.on).desc()).limit(1).correlate(Customer).scalar_subquery()


def _tell_unpaid(unpaid: str | None, on: date) -> str:
    if not unpaid:
        return "it is paid"
    minor, currency = unpaid.split()
    return f"{write_money(int(minor), currency)} is still to be paid"


def _first_due(session: Session, customer: Customer, on: date) -> date | None:
    due = select(func.min(col(Invoice.due_on))).where(
        col(Invoice.customer_id) == customer.customer_id, col(Invoice.due_on) < on
    )
    first: date | None = session.execute(due).scalar_one()
    return first


def _hold_bills(candidate: Asked, day: Asked) -> Hold | None:
    """What is left that is late, whether its payments raise a question, and whether it is time to say so."""
    knobs, named_on = candidate.knobs, candidate.standing.named_on
    bills = candidate.late_bills(day.settings, day.on)
    if not bills:
        return Hold("nothing_late", "nothing is late once all they are credited is counted", day.tomorrow)
    if doubt := next((bill.doubt for bill in bills if bill.doubt), None):
        return Hold("refund", doubt, day.tomorrow)
    first = bills[0].late_since + timedelta(days=knobs.first_touch_days)
    if day.on < first:
        return Hold(
            "first_touch", f"half of the slips pay by themselves; we wait until day {knobs.first_touch_days}", first
        )
    relief = timedelta(days=GOODWILL.knobs_of(day.settings).relief_days)
    if named_on and day.on - named_on < relief:
        return Hold("relief", f"an event hit them on {named_on}, and we let them breathe", named_on + relief)
    if not candidate.owes_enough(day.settings, day.on):
        return Hold("min_balance", "the balance is too small to write about", day.tomorrow)
    return None


def _hold_stale_payments(candidate: Asked, day: Asked) -> Hold | None:
    """Nobody is asked for money that may have come since."""
    hours, imported = candidate.knobs.fresh_hours, day.facts.payments_imported_at
    if imported is None or day.now - imported > timedelta(hours=hours):
        return Hold("stale_payments", f"payments were not imported in the last {hours} hours", day.tomorrow)
    return None


LATE_PAYMENT = MomentDefinition(
    kind="late_payment",
    purpose="service",
    windowed=True,
    knobs=LatePaymentKnobs,
    rows=lambda knobs, day: join(Invoice, Customer, col(Customer.customer_id) == col(Invoice.customer_id)),
    clauses=(
        ALIVE,
        Clause(
            says="an invoice of theirs is {from_days} to {until_days} days past due",
            where=_slipped,
            value=lambda knobs, day: _of_customer(
                func.max(col(Invoice.due_on)), col(Invoice.issued_on) <= day.on, col(Invoice.due_on) <= day.on
            ),
            tell=tell_day("their last invoice was due", "no invoice of theirs has been due"),
            change="it is for invoices {from_days} to {until_days} days past due",
            of_rows=True,
        ),
        Clause(
            says="and that invoice is neither disputed, nor on a plan, nor written off",
            where=lambda knobs, day: _is_free(),
            value=lambda knobs, day: _of_customer(
                func.max(col(Invoice.status)), _slipped(knobs, day), col(Invoice.status) != "open"
            ),
            tell=lambda status, on: f"the invoice is marked “{status}”" if status else "the invoice is open",
            change="its mark would have to be taken off",
            of_rows=True,
        ),
        Clause(
            says="something of it is still to be paid; a payment of the day counts",
            where=lambda knobs, day: balance(day.on) > 0,
            value=_most_unpaid,
            tell=_tell_unpaid,
            change="nobody is reminded of what is paid",
            of_rows=True,
        ),
    ),
    # The oldest of them: while it stays unpaid it is one occasion, however many bills follow.
    occasion=lambda knobs, day: (func.min(col(Invoice.due_on)), func.min(col(Invoice.due_on))),
    one_each=True,
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.until_days),
    not_again=lambda knobs: knobs.again_days,
    day_field="due_on",
    because="an open invoice was due on {day}",
    summary="a note about a late payment is for an open invoice up to thirty days past due",
    traits=frozenset({"debt"}),
    rules=(
        Rule("late_payment", "not at the first slip, not after an event, not for little", _hold_bills),
        # A message that is planned waits for the next import, which may show that it is paid.
        Rule("stale_payments", "payments are fresh when a debt is named", _hold_stale_payments, status="approved"),
    ),
    fields=(
        TemplateField(
            "amount",
            Amount(16050, "USD"),
            "what is late altogether, in cents; use money; empty in two currencies; never in a text, subject or call",
            is_private=True,
        ),
        TemplateField(
            "due_on",
            date(2026, 3, 9),
            "the day the oldest bill was due; use monthday; never in a text, a subject or a call",
            is_private=True,
        ),
        TemplateField(
            "several_bills",
            True,
            "true where two bills are late or more; for an if; never in a text, a subject or a call",
            is_private=True,
        ),
        TemplateField(
            "bills",
            (
                Bill(Amount(12550, "USD"), date(2026, 3, 9), "USD"),
                Bill(Amount(3000, "USD"), date(2026, 3, 12), "USD"),
            ),
            "the late bills, the oldest first, at most four: {% for bill in bills %}, with bill.amount and "
            "bill.due_on; never in a text, a subject or a call",
            is_private=True,
        ),
        TemplateField(
            "more",
            (Rest(1, Amount(500, "USD"), "USD"),),
            "the late bills beyond these: {% for rest in more %}, with rest.count and rest.amount; mostly empty; "
            "never in a text, a subject or a call",
            is_private=True,
        ),
    ),
    particulars="debt",
    likely_day=_first_due,
)
