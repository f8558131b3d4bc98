"""The last word before messages leave: claimed ones in; a Stop with its reason for some of them out. Writes nothing.

It runs in the transaction that opens the attempts, so nothing can come between the check and the record of the try.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.clock import business_date
from outreach.composing.digests import message_digest
from outreach.delivery.pauses import pauses_over
from outreach.models import (
    Attempt,
    Batch,
    Consent,
    Content,
    Customer,
    Feedback,
    Installation,
    Invoice,
    Message,
    Payment,
    Suppression,
)
from outreach.planning.flags import hold_for_flags
from outreach.planning.people import Person, add_flags, add_mourning
from outreach.settings import Settings

TOO_LATE = "not sent while it was useful"
MAY_HAVE_LEFT = "the database was restored from a backup, and it may have left before that"


@dataclass(frozen=True)
class Stop:
    """Why a message does not leave; `status` is what it becomes, and "approved" means it only waits."""

    status: str
    reason: str


Messages = Sequence[Message]
Stops = dict[str, Stop]
Check = Callable[[Session, Settings, Messages, date], Stops]


def find_stops(
    session: Session, settings: Settings, messages: Messages, on: date, checks: Sequence[Check] | None = None
) -> Stops:
    """The first reason against handing each of `messages` over on `on`, by reference; what may leave is not in it.

    `checks` are all of them unless others are named.
    """
    stops: Stops = {}
    for check in CHECKS if checks is None else checks:
        left = [message for message in messages if message.reference not in stops]
        stops |= check(session, settings, left, on) if left else {}
    return stops


def check_pauses(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    over = pauses_over(session, messages)
    return {
        reference: Stop("approved", f"paused: {paused.scope} {paused.name}".strip())
        for reference, paused in over.items()
    }


def check_usefulness(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    return {message.reference: Stop("expired", TOO_LATE) for message in messages if message.useful_until < on}


def check_restore(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """After a restored backup, whatever was planned by then may have left already: it is looked up first."""
    installation = session.get(Installation, 1)
    restored_at = installation.restored_at if installation else None
    if restored_at is None:
        return {}
    planned_by = business_date(restored_at, settings.business.timezone)
    doubtful = [message.reference for message in messages if message.run_on <= planned_by]
    looked_up = select(Attempt.reference).where(
        col(Attempt.reference).in_(doubtful), Attempt.outcome == "absent", Attempt.last_try_at >= restored_at
    )
    cleared = set(session.exec(looked_up))
    return {reference: Stop("uncertain", MAY_HAVE_LEFT) for reference in doubtful if reference not in cleared}


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
    """Death, and the flags that hold this moment, of whom it is about and of whom we write to."""
    mourning_days = settings.pacing.mourning_days
    ids = {who for message in messages for who in (message.customer_id, message.recipient_id)}
    found = session.exec(select(Customer).where(col(Customer.customer_id).in_(ids)))
    people = {customer.customer_id: Person(customer) for customer in found}
    add_flags(session, people, on)
    add_mourning(session, people, on, mourning_days)
    return {
        message.reference: stop
        for message in messages
        for stop in [_stop_for(people, message, on, mourning_days)]
        if stop
    }


def _stop_for(people: dict[str, Person], message: Message, on: date, mourning_days: int) -> Stop | None:
    for customer_id in sorted({message.customer_id, message.recipient_id}):
        person = people.get(customer_id)
        if person is None:
            return Stop("withdrawn", "the customer's record is no longer here")
        if person.is_dead(on):
            return Stop("withdrawn", "they have died")
        if hold := hold_for_flags(person, message.kind, on, mourning_days):
            return Stop("withdrawn", hold.reason)
    return None


def check_complaint(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    asked = {m.reference: m.customer_id for m in messages if m.kind not in {"checkin", "recovery"}}
    still_open = select(Feedback.customer_id).where(
        col(Feedback.customer_id).in_(set(asked.values())),
        Feedback.kind == "complaint",
        col(Feedback.status).is_(None) | (col(Feedback.status) == "open"),
    )
    complaining = set(session.exec(still_open)) if asked else set()
    stop = Stop("withdrawn", "a complaint of theirs is still open")
    return {reference: stop for reference, who in asked.items() if who in complaining}


def check_payment(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """A late payment letter is not sent once nothing is overdue, or while an invoice is in dispute."""
    late = [message for message in messages if message.kind == "late_payment"]
    if not late:
        return {}
    paid = (
        select(func.coalesce(func.sum(Payment.amount), 0))
        .where(Payment.invoice_id == Invoice.invoice_id, Payment.paid_on <= on)
        .correlate(Invoice)
        .scalar_subquery()
    )
    owed = select(Invoice.customer_id, Invoice.status).where(
        col(Invoice.customer_id).in_({message.customer_id for message in late}),
        Invoice.issued_on <= on,
        Invoice.due_on < on,
        Invoice.amount > paid,
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


def check_seal(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """What leaves is what was approved, hashed again from the bytes themselves."""
    batches = {batch_id for message in messages if (batch_id := message.batch_id)}
    rows = select(Batch.batch_id).where(col(Batch.batch_id).in_(batches), Batch.status == "approved")
    approved = set(session.exec(rows))
    stops = {}
    for message in messages:
        if message.batch_id not in approved:
            stops[message.reference] = Stop("blocked", "its batch is not approved")
            continue
        content = session.get(Content, message.content_sha256 or "")
        if content is None or message_digest(message, hashlib.sha256(content.body).hexdigest()) != message.digest:
            stop = Stop("blocked", "its recipient, words or options are not those that were approved")
            stops[message.reference] = stop
    return stops


# What the customer has said or what has befallen them; these count until the vendor can no longer cancel.
THEIR_WORD: tuple[Check, ...] = (check_people, check_suppression, check_complaint, check_payment)
CHECKS: tuple[Check, ...] = (check_pauses, check_usefulness, check_restore, *THEIR_WORD, check_seal)
