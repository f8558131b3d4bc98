"""Says in SQL what several moments ask of a customer: since when they are with us, whether they live and complain.

Each part is SQL beside Customer that runs on SQLite and on PostgreSQL.
"""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, ScalarSelect, Select, exists, func, or_, select, union_all
from sqlmodel import col

from outreach.models import Customer, Feedback, Invoice, Payment, Treatment, Visit
from outreach.moments.definition import Clause, TemplateField
from outreach.moments.open_day import SqlDay


def is_alive(on: SqlDay) -> ColumnElement[bool]:
    """Nobody has a moment from the day they died on."""
    return or_(col(Customer.died_on).is_(None), col(Customer.died_on) > on)


ALIVE: Clause[Any] = Clause(
    says="they are alive",
    where=lambda knobs, day: is_alive(day.on),
    value=lambda knobs, day: col(Customer.died_on),
    tell=lambda died_on, on: f"they died on {died_on}" if died_on and died_on <= on else "they are alive",
    change="nobody who has died has a moment",
    # The rule `person` asks it again, of whoever is written to as well (planning/person_rules.py).
    is_rechecked=False,
)


def took_place() -> ColumnElement[bool]:
    """A visit that was cancelled or missed is neither a beginning nor a sign of life."""
    return or_(col(Visit.status).is_(None), col(Visit.status).not_in(NOT_HELD))


# A visit of one of these was not held; some systems go on showing what was to be done in it.
NOT_HELD = ("cancelled", "no_show")


def was_done() -> ColumnElement[bool]:
    """Beside Treatment: what hangs on a visit that was cancelled or missed was never done."""
    # Read from the visit, not joined to it: a treatment without a visit, or with one not on record, was done.
    not_held = exists().where(col(Visit.visit_id) == col(Treatment.visit_id), col(Visit.status).in_(NOT_HELD))
    return or_(col(Treatment.visit_id).is_(None), ~not_held.correlate(Treatment))


def first_contact() -> ScalarSelect[date]:
    """The day of a customer's first treatment, visit or invoice, beside Customer; NULL when there is none."""
    # One seek in an index for each customer and table: a join on all contacts grouped took six times as long.
    firsts = union_all(
        _of_customer(func.min(col(Treatment.done_on)), col(Treatment.customer_id)).where(was_done()),
        _of_customer(func.min(col(Visit.starts_on)), col(Visit.customer_id)).where(took_place()),
        _of_customer(func.min(col(Invoice.issued_on)), col(Invoice.customer_id)),
    ).subquery()
    return select(func.min(firsts.c.day, type_=Date)).scalar_subquery()


def with_us_since() -> ColumnElement[date]:
    """The day on which they came to us: what the data say, or else their first contact."""
    return func.coalesce(col(Customer.customer_since), first_contact(), type_=Date)


def tenure_fields(years: int, since: date) -> tuple[TemplateField, TemplateField]:
    """What the particulars “tenure” give a moment's words, with these samples."""
    return (
        TemplateField("years", years, "how many years they have been with us, as 3"),
        TemplateField("since", since, "the day they came to us; use longdate"),
    )


def last_contact(on: SqlDay) -> ScalarSelect[date]:
    """The last day until `on` on which a customer came, was treated, was billed or paid; NULL when there is none."""
    paid = _of_customer(func.max(col(Payment.paid_on)), col(Invoice.customer_id))
    paid_themselves = _of_customer(func.max(col(Payment.paid_on)), col(Payment.customer_id))
    lasts = union_all(
        _of_customer(func.max(col(Treatment.done_on)), col(Treatment.customer_id)).where(
            was_done(), col(Treatment.done_on) <= on
        ),
        _of_customer(func.max(col(Visit.starts_on)), col(Visit.customer_id)).where(
            took_place(), col(Visit.starts_on) <= on
        ),
        _of_customer(func.max(col(Invoice.issued_on)), col(Invoice.customer_id)).where(col(Invoice.issued_on) <= on),
        paid.join(Invoice, col(Invoice.invoice_id) == col(Payment.invoice_id)).where(col(Payment.paid_on) <= on),
        paid_themselves.where(col(Payment.paid_on) <= on),
    ).subquery()
    return select(func.max(lasts.c.day, type_=Date)).scalar_subquery()


def _of_customer(day: Any, owner: Any) -> Select[tuple[date]]:
    return select(day.label("day")).where(owner == col(Customer.customer_id)).correlate(Customer)


def completed_visits(on: SqlDay) -> ColumnElement[int]:
    """How many visits a customer has completed by `on`."""
    return (
        select(func.count())
        .select_from(Visit)
        .where(
            col(Visit.customer_id) == col(Customer.customer_id),
            # Stricter than took_place(): who asks for a favour counts only what is surely known.
            col(Visit.status) == "completed",
            col(Visit.starts_on) <= on,
        )
        .correlate(Customer)
        .scalar_subquery()
    )


def _open_complaints(on: SqlDay) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Feedback.customer_id) == col(Customer.customer_id),
        col(Feedback.kind) == "complaint",
        col(Feedback.given_on) <= on,
        or_(col(Feedback.status).is_(None), col(Feedback.status) == "open"),
    )


def complains(on: SqlDay) -> ColumnElement[bool]:
    """A complaint of theirs is still open."""
    return exists().where(*_open_complaints(on)).correlate(Customer)


NO_COMPLAINT: Clause[Any] = Clause(
    says="no complaint of theirs is open",
    where=lambda knobs, day: ~complains(day.on),
    value=lambda knobs, day: (
        select(func.min(col(Feedback.given_on))).where(*_open_complaints(day.on)).correlate(Customer).scalar_subquery()
    ),
    tell=lambda given_on, on: f"a complaint of {given_on} is open" if given_on else "no complaint is open",
    change="it would have to be answered",
)
