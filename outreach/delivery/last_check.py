"""The last word before a message leaves: a claimed message in; a Stop with its reason, or None, out. Writes nothing.

It runs in the transaction that opens the attempt, so nothing can come between the check and the record of the try.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.composing.digests import message_digest
from outreach.delivery.outbox import TOO_LATE
from outreach.delivery.pauses import paused_by
from outreach.models import Batch, Consent, Content, Customer, Feedback, Flag, Invoice, Message, Payment, Suppression
from outreach.planning.flags import hold_for_flags
from outreach.planning.people import Person
from outreach.settings import Settings


@dataclass(frozen=True)
class Stop:
    """Why a message does not leave; `status` is what it becomes, and "approved" means it only waits."""

    status: str
    reason: str


Check = Callable[[Session, Settings, Message, date], Stop | None]


def find_stop(session: Session, settings: Settings, message: Message, on: date) -> Stop | None:
    """The first reason against handing `message` over on `on`."""
    return next((stop for check in CHECKS if (stop := check(session, settings, message, on))), None)


def check_pauses(session: Session, settings: Settings, message: Message, on: date) -> Stop | None:
    paused = paused_by(session, message)
    return Stop("approved", f"paused: {paused.scope} {paused.name}".strip()) if paused else None


def check_usefulness(session: Session, settings: Settings, message: Message, on: date) -> Stop | None:
    late = message.useful_until < on
    return Stop("expired", TOO_LATE) if late else None


def check_suppression(session: Session, settings: Settings, message: Message, on: date) -> Stop | None:
    """Their contact must not be used; or the person we write to has taken their consent back."""
    if message.contact_hash is None:
        return Stop("blocked", "it has no contact to check against the do-not-contact list")
    if session.get(Suppression, (message.contact_hash, message.channel)):
        return Stop("suppressed", "they asked us not to use this contact, or it no longer reaches them")
    said = select(Consent.state).where(
        Consent.customer_id == message.recipient_id,
        Consent.channel == message.channel,
        Consent.purpose == message.purpose,
    )
    # "withdrawn" sorts after "granted": of two words of one instant, the withdrawal stands.
    latest = session.exec(said.order_by(col(Consent.at).desc(), col(Consent.state).desc()).limit(1)).first()
    return Stop("suppressed", "they have withdrawn their consent") if latest == "withdrawn" else None


def check_people(session: Session, settings: Settings, message: Message, on: date) -> Stop | None:
    """Death, and the flags that hold this moment, of whom it is about and of whom we write to."""
    for customer_id in sorted({message.customer_id, message.recipient_id}):
        customer = session.get(Customer, customer_id)
        if customer is None:
            return Stop("withdrawn", "the customer's record is no longer here")
        if customer.died_on and customer.died_on <= on:
            return Stop("withdrawn", "they have died")
        person = _person(session, customer, on, settings.pacing.mourning_days)
        if hold := hold_for_flags(person, message.kind, on, settings.pacing.mourning_days):
            return Stop("withdrawn", hold.reason)
    return None


def _person(session: Session, customer: Customer, on: date, mourning_days: int) -> Person:
    raised = select(Flag).where(
        Flag.customer_id == customer.customer_id,
        Flag.from_on <= on,
        col(Flag.until_on).is_(None) | (col(Flag.until_on) >= on),
    )
    died = select(func.max(Customer.died_on)).where(
        Customer.household_id == customer.household_id, col(Customer.died_on) <= on
    )
    last = session.execute(died).scalar_one() if customer.household_id else None
    return Person(
        customer,
        flags={flag.kind: flag for flag in session.exec(raised)},
        mourning_until=last + timedelta(days=mourning_days) if last else None,
    )


def check_complaint(session: Session, settings: Settings, message: Message, on: date) -> Stop | None:
    still_open = select(Feedback).where(
        Feedback.customer_id == message.customer_id,
        Feedback.kind == "complaint",
        col(Feedback.status).is_(None) | (col(Feedback.status) == "open"),
    )
    if message.kind in {"checkin", "recovery"} or session.exec(still_open.limit(1)).first() is None:
        return None
    return Stop("withdrawn", "a complaint of theirs is still open")


def check_payment(session: Session, settings: Settings, message: Message, on: date) -> Stop | None:
    """A late payment letter is not sent once nothing is overdue, or while an invoice is in dispute."""
    if message.kind != "late_payment":
        return None
    paid = (
        select(func.coalesce(func.sum(Payment.amount), 0))
        .where(Payment.invoice_id == Invoice.invoice_id, Payment.paid_on <= on)
        .correlate(Invoice)
        .scalar_subquery()
    )
    owed = select(Invoice.status).where(
        Invoice.customer_id == message.customer_id, Invoice.issued_on <= on, Invoice.due_on < on, Invoice.amount > paid
    )
    statuses = set(session.exec(owed))
    if "disputed" in statuses:
        return Stop("withdrawn", "an invoice of theirs is in dispute")
    return None if statuses & {None, "open"} else Stop("withdrawn", "paid")


def check_seal(session: Session, settings: Settings, message: Message, on: date) -> Stop | None:
    """What leaves is what was approved, hashed again from the bytes themselves."""
    batch = session.get(Batch, message.batch_id or "")
    if batch is None or batch.status != "approved":
        return Stop("blocked", "its batch is not approved")
    content = session.get(Content, message.content_sha256 or "")
    if content is None or message_digest(message, hashlib.sha256(content.body).hexdigest()) != message.digest:
        return Stop("blocked", "its recipient, words or options are not those that were approved")
    return None


CHECKS: tuple[Check, ...] = (
    check_pauses,
    check_usefulness,
    check_people,
    check_suppression,
    check_complaint,
    check_payment,
    check_seal,
)
