"""Gathers what staff should know of one customer before they write to or speak with them. Reads only, decides nothing.

Every query goes by the customer's id, so that it can stand beside each letter.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, or_, select

from outreach.channels import CHANNELS
from outreach.clock import years_between
from outreach.errors import NotFound
from outreach.learning.search import name_of
from outreach.models import PURPOSES, Consent, Customer, Flag, Message, Suppression, Treatment, Visit
from outreach.moments.relationship import was_done
from outreach.planning.contact_cards import Person, add_flags
from outreach.planning.why import MomentAnswer, list_decided
from outreach.settings import Settings

SENT_SHOWN = 8
SKIPPED_SHOWN = 8


@dataclass(frozen=True)
class StoryMessage:
    """One message to, or about, the customer."""

    reference: str
    kind: str
    channel: str
    status: str
    reason: str
    #: The day it was to leave.
    on: date
    #: The id of somebody else, where it went to them.
    to: str = ""


@dataclass(frozen=True)
class Word:
    """What a customer has said of one channel and purpose."""

    channel: str
    purpose: str
    #: Their last word; "silent" where they said nothing, and then `default` counts.
    state: str
    since: datetime | None = None
    #: What `[consent]` in outreach.toml says of the channel.
    default: str = ""
    #: Whether the contact must not be used, whatever they said.
    is_closed: bool = False


@dataclass(frozen=True)
class Story:
    """What is known of one customer."""

    customer: Customer
    name: str
    age: int | None
    #: The decisions to write that stand, the latest first, as planning put them.
    today: list[MomentAnswer]
    #: The last messages that were approved once, the latest first.
    sent: list[StoryMessage]
    words: list[Word]
    flags: list[Flag]
    last_visit: Visit | None
    next_visit: Visit | None
    last_treatment: Treatment | None
    #: The decisions not to write, the latest first.
    skipped: list[MomentAnswer]
    #: The others who live with them, their guardian, and those they are guardian of.
    household: list[Customer]


def tell_story(session: Session, settings: Settings, customer_id: str, on: date) -> Story:
    """What is known of the customer on `on`; raises NotFound."""
    customer = session.get(Customer, customer_id)
    if customer is None:
        raise NotFound(f"There is no customer “{customer_id}”. Ids are those of customers.csv")
    person = Person(customer)
    add_flags(session, {customer_id: person}, on)
    decided = sorted(list_decided(session, customer_id), key=lambda answer: answer.decided_on or on, reverse=True)
    return Story(
        customer=customer,
        name=name_of(customer),
        age=years_between(customer.born_on, on) if customer.born_on else None,
        today=[answer for answer in decided if answer.outcome == "send"][:SENT_SHOWN],
        sent=_list_sent(session, customer_id),
        words=_list_words(session, settings, customer_id),
        flags=sorted(person.flags.values(), key=lambda flag: flag.kind),
        last_visit=_visit(session, customer_id, col(Visit.starts_on) <= on, col(Visit.starts_on).desc()),
        next_visit=_visit(
            session, customer_id, (col(Visit.starts_on) > on) & (Visit.status == "booked"), col(Visit.starts_on)
        ),
        last_treatment=session.exec(
            select(Treatment)
            .where(Treatment.customer_id == customer_id, was_done(), Treatment.done_on <= on)
            .order_by(col(Treatment.done_on).desc(), Treatment.treatment_id)
        ).first(),
        skipped=[answer for answer in decided if answer.outcome != "send"][:SKIPPED_SHOWN],
        household=_list_household(session, customer),
    )


def _visit(session: Session, customer_id: str, when: Any, order: Any) -> Visit | None:
    theirs = select(Visit).where(Visit.customer_id == customer_id, when).order_by(order, Visit.visit_id)
    return session.exec(theirs).first()


def _list_sent(session: Session, customer_id: str) -> list[StoryMessage]:
    """Messages that were approved once, the latest first."""
    theirs = or_(Message.recipient_id == customer_id, Message.customer_id == customer_id)
    reached = select(Message).where(theirs, col(Message.status).not_in(("planned", "composed", "held", "rejected")))
    latest = session.exec(reached.order_by(col(Message.send_on).desc(), Message.reference).limit(SENT_SHOWN))
    return [
        StoryMessage(
            message.reference,
            message.kind,
            message.channel,
            message.status,
            message.status_reason or "",
            message.send_on,
            "" if message.recipient_id == customer_id else message.recipient_id,
        )
        for message in latest
    ]


def _list_words(session: Session, settings: Settings, customer_id: str) -> list[Word]:
    consents = session.exec(select(Consent).where(Consent.customer_id == customer_id)).all()
    # Of two words of one instant, the withdrawal stands.
    latest = {(row.channel, row.purpose): row for row in sorted(consents, key=lambda row: (row.at, row.state))}
    # Asked by way of our messages: a suppression is a hash, and they have the hashes of this person's contacts.
    closed = set(
        session.exec(
            select(Message.channel)
            .join(
                Suppression,
                (col(Suppression.contact_hash) == Message.contact_hash) & (col(Suppression.channel) == Message.channel),
            )
            .where(Message.recipient_id == customer_id)
            .distinct()
        )
    )
    words = []
    for channel in CHANNELS:
        for purpose in PURPOSES:
            row, default = latest.get((channel, purpose)), getattr(settings.consent, channel)
            state, since = (row.state, row.at) if row else ("silent", None)
            words.append(Word(channel, purpose, state, since, default, channel in closed))
    return words


def _list_household(session: Session, customer: Customer) -> list[Customer]:
    ways: list[Any] = [Customer.guardian_id == customer.customer_id]
    if customer.household:
        ways.append(Customer.lives_in([customer.household]))
    if customer.guardian_id:
        ways.append(Customer.customer_id == customer.guardian_id)
    others = select(Customer).where(or_(*ways), Customer.customer_id != customer.customer_id)
    return list(session.exec(others.order_by(Customer.customer_id).limit(20)))
