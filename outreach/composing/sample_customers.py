"""Finds real customers to try a moment's templates out with: those who had it last, then those who have it next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, col, select

from outreach.chunks import select_for
from outreach.clock import years_between
from outreach.models import Customer, Moment
from outreach.moments import find_moments
from outreach.planning.contact_cards import ADULT, Person, add_flags, contacts_of
from outreach.settings import Settings

DAYS_AHEAD = 30
MOST = 8


@dataclass(frozen=True)
class Sample:
    customer_id: str
    name: str


def find_samples(
    session: Session, settings: Settings, moment: str, on: date, channel: str | None = None, most: int = MOST
) -> list[Sample]:
    """At most `most` customers, each once; those who have died are left out.

    With `channel`, whoever can be reached by it comes first: to the others there is no message to show.
    """
    found = select(Moment.customer_id).where(Moment.kind == moment)
    # More than are wanted: one customer may have had it several times.
    latest = session.exec(found.order_by(col(Moment.found_on).desc(), col(Moment.customer_id)).limit(4 * most))
    ids = dict.fromkeys(latest)
    for ahead in range(DAYS_AHEAD):
        if len(ids) >= most:
            break
        ids |= dict.fromkeys(
            item.customer_id for item in find_moments(session, settings, on + timedelta(days=ahead), [moment])
        )
    customers = [customer for id_ in ids if (customer := session.get(Customer, id_))]
    living = [customer for customer in customers if not (customer.died_on and customer.died_on <= on)]
    if channel:
        reached = _find_reached(session, settings, living, on, channel)
        living.sort(key=lambda customer: customer.customer_id not in reached)
    return [_sample(customer) for customer in living[:most]]


def recipient_id_of(customer: Customer, on: date) -> str:
    """Who would be written to: of a child with a guardian on record that guardian."""
    minor = customer.born_on is not None and years_between(customer.born_on, on) < ADULT
    return customer.guardian_id if minor and customer.guardian_id else customer.customer_id


def _find_reached(
    session: Session, settings: Settings, customers: Sequence[Customer], on: date, channel: str
) -> set[str]:
    """The ids of those whose recipient can be reached by the channel."""
    asked = {customer.customer_id: recipient_id_of(customer, on) for customer in customers}
    chosen = select_for(session, select(Customer), Customer.customer_id, set(asked.values()))
    people = {recipient.customer_id: Person(recipient) for recipient in chosen}
    add_flags(session, people, on)
    reached = {
        person.id
        for person in people.values()
        if contacts_of(person.customer, person.flags.get("confidential"), settings, [channel])
    }
    return {customer_id for customer_id, recipient_id in asked.items() if recipient_id in reached}


def _sample(customer: Customer) -> Sample:
    name = " ".join(part for part in (customer.preferred_name or customer.given_name, customer.family_name) if part)
    return Sample(customer.customer_id, name or customer.customer_id)
