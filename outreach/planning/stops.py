"""Waiting or approved messages in; a Stop for those that the customer's own word, or what befell them, holds out.

It is asked whenever a batch is looked at, right before messages leave, and until a vendor can no longer cancel.
Writes nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.models import (
    Consent,
    Customer,
    Decision,
    Feedback,
    Invoice,
    Message,
    Moment,
    Payment,
    Suppression,
    Visit,
)
from outreach.moments import MOMENTS
from outreach.moments.relationship import took_place
from outreach.planning.flags import CLOSED_CHANNELS, FLAG_RULES, hold_for_flags
from outreach.planning.people import Person, add_flags, add_mourning
from outreach.settings import Settings


@dataclass(frozen=True)
class Stop:
    """Why a message does not leave; `status` is what it becomes, and "approved" means it only waits.

    `not_before` is until when it waits, where that is known.
    """

    status: str
    reason: str
    not_before: datetime | None = None


Messages = Sequence[Message]
Stops = dict[str, Stop]
Check = Callable[[Session, Settings, Messages, date], Stops]


def find_stops(session: Session, settings: Settings, messages: Messages, on: date, checks: Sequence[Check]) -> Stops:
    """The first reason of `checks` against sending each of `messages` on `on`, by reference; others are not in it."""
    stops: Stops = {}
    for check in checks:
        left = [message for message in messages if message.reference not in stops]
        stops |= check(session, settings, left, on) if left else {}
    return stops


def check_suppression(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """Their contact must not be used; or the person we write to has taken their consent back."""
    hashes = {message.contact_hash for message in messages if message.contact_hash}
    rows = select(Suppression.contact_hash, Suppression.channel).where(col(Suppression.contact_hash).in_(hashes))
    suppressed = {tuple(row) for row in session.exec(rows)}
    withdrawn = _withdrawn(session, messages)
    stops = {}
    for message in messages:
        if message.contact_hash is None:
            stop = Stop("blocked", "it has no contact to check against the do-not-contact list")
        elif (message.contact_hash, message.channel) in suppressed:
            stop = Stop("suppressed", "they asked us not to use this contact, or it no longer reaches them")
        elif (message.recipient_id, message.channel, message.purpose) in withdrawn:
            stop = Stop("suppressed", "they have withdrawn their consent")
        else:
            continue
        stops[message.reference] = stop
    return stops


def _withdrawn(session: Session, messages: Messages) -> set[tuple[str, str, str]]:
    """The (customer, channel, purpose) whose latest word is a withdrawal."""
    recipients = {message.recipient_id for message in messages}
    said = session.exec(select(Consent).where(col(Consent.customer_id).in_(recipients)))
    # "withdrawn" sorts after "granted": of two words of one instant, the withdrawal stands.
    in_order = sorted(said, key=lambda row: (row.at, row.state))
    latest = {(row.customer_id, row.channel, row.purpose): row.state for row in in_order}
    return {key for key, state in latest.items() if state == "withdrawn"}


def check_people(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """Death, and the flags that hold this moment, of all whom it is about and of whom we write to."""
    mourning_days = settings.pacing.mourning_days
    concerned = _concerned(session, messages)
    ids = {who for people in concerned.values() for who in people}
    found = session.exec(select(Customer).where(col(Customer.customer_id).in_(ids)))
    people = {customer.customer_id: Person(customer) for customer in found}
    add_flags(session, people, on)
    add_mourning(session, people, on, mourning_days)
    return {
        message.reference: stop
        for message in messages
        for stop in [_stop_for(people, message, concerned[message.reference], on, mourning_days)]
        if stop
    }


def _concerned(session: Session, messages: Messages) -> dict[str, set[str]]:
    """Whom each message goes to and whom it is about: two wards of one guardian share a message that names both."""
    concerned = {message.reference: {message.customer_id, message.recipient_id} for message in messages}
    carried = (
        select(Decision.reference, Moment.customer_id)
        .join(Moment, col(Moment.moment_id) == Decision.moment_id)
        .where(col(Decision.reference).in_(concerned))
    )
    for reference, customer_id in session.exec(carried):
        concerned[reference or ""].add(customer_id)
    return concerned


def _stop_for(
    people: dict[str, Person], message: Message, concerned: Collection[str], on: date, mourning_days: int
) -> Stop | None:
    for customer_id in sorted(concerned):
        person = people.get(customer_id)
        if person is None:
            return Stop("withdrawn", "the customer's record is no longer here")
        if person.is_dead(on):
            return Stop("withdrawn", "they have died")
        if hold := hold_for_flags(person, message.kind, on, mourning_days):
            return Stop("withdrawn", hold.reason)
    for name in sorted(people[message.recipient_id].flags):
        if message.channel in CLOSED_CHANNELS.get(name, ()):
            return Stop("withdrawn", FLAG_RULES[name].reason)
    return None


def check_complaint(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    asked = {m.reference: m.customer_id for m in messages if "care" not in MOMENTS[m.kind].traits}
    still_open = select(Feedback.customer_id).where(
        col(Feedback.customer_id).in_(set(asked.values())),
        Feedback.kind == "complaint",
        col(Feedback.status).is_(None) | (col(Feedback.status) == "open"),
    )
    complaining = set(session.exec(still_open)) if asked else set()
    stop = Stop("withdrawn", "a complaint of theirs is still open")
    return {reference: stop for reference, who in asked.items() if who in complaining}


def paid_by(on: date) -> Any:
    """What has been paid on an invoice by the day, in minor units, as part of a select of invoices."""
    sums = select(func.coalesce(func.sum(Payment.amount), 0)).where(
        Payment.invoice_id == Invoice.invoice_id, Payment.paid_on <= on
    )
    return sums.correlate(Invoice).scalar_subquery()


def check_payment(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """A late payment letter is not sent once nothing is overdue, or while an invoice is in dispute."""
    late = [message for message in messages if message.kind == "late_payment"]
    if not late:
        return {}
    owed = select(Invoice.customer_id, Invoice.status).where(
        col(Invoice.customer_id).in_({message.customer_id for message in late}),
        Invoice.issued_on <= on,
        Invoice.due_on < on,
        Invoice.amount > paid_by(on),
    )
    statuses = defaultdict(set)
    for customer_id, status in session.exec(owed):
        statuses[customer_id].add(status)
    stops = {}
    for message in late:
        if "disputed" in statuses[message.customer_id]:
            stops[message.reference] = Stop("withdrawn", "an invoice of theirs is in dispute")
        elif not statuses[message.customer_id] & {None, "open"}:
            stops[message.reference] = Stop("withdrawn", "paid")
    return stops


def check_answered(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """What was asked or complained of has been answered meanwhile."""
    records = {message.moment_id: message.reference for message in messages if "care" in MOMENTS[message.kind].traits}
    answered = (
        select(Moment.moment_id)
        .join(Feedback, col(Feedback.feedback_id) == Moment.occasion)
        .where(
            col(Moment.moment_id).in_(records),
            Feedback.customer_id == Moment.customer_id,
            col(Feedback.status).in_(("answered", "closed")),
        )
    )
    stop = Stop("withdrawn", "somebody has answered it meanwhile")
    return {records[moment]: stop for moment in session.exec(answered)} if records else {}


def check_absence(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """Whoever has come, or booked, since we missed them is not missed any more."""
    missed = {m.reference: m for m in messages if "absence" in MOMENTS[m.kind].traits}
    if not missed:
        return {}
    visits = select(Visit.customer_id, func.max(Visit.starts_on)).where(
        col(Visit.customer_id).in_({message.customer_id for message in missed.values()}), took_place()
    )
    last = dict(session.execute(visits.group_by(col(Visit.customer_id))).tuples().all())
    return {
        reference: Stop("withdrawn", "they have come, or booked a visit, meanwhile")
        for reference, message in missed.items()
        if message.customer_id in last and last[message.customer_id] >= message.run_on
    }


# What the customer has said or what has befallen them; these count until the vendor can no longer cancel.
THEIR_WORD: tuple[Check, ...] = (
    check_people,
    check_suppression,
    check_complaint,
    check_payment,
    check_answered,
    check_absence,
)
