"""What the words of some moments need beyond their day: a message to write and what was read for it in, fields out.

A moment says in its definition which of `PARTICULARS` its words need; most need nothing more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from babel.lists import format_list

from outreach.clock import years_between
from outreach.composing.environment import Value
from outreach.composing.surveying import survey_url
from outreach.errors import CannotWrite
from outreach.models import Customer, Flag
from outreach.moments.checkin import CHECKIN
from outreach.moments.late_payment import LATE_PAYMENT
from outreach.planning.standing import OpenInvoice, Standing
from outreach.planning.worth import Worth
from outreach.settings import Settings


@dataclass(frozen=True)
class Occasion:
    """Whose it is, what tells it from their others of its kind, and the day it is about."""

    customer_id: str
    key: str
    on: date


@dataclass(frozen=True)
class Assignment:
    """One message to write: to whom, and about which customers' occasions. Wards may share a message."""

    reference: str
    kind: str
    channel: str
    recipient_id: str
    occasions: tuple[Occasion, ...]
    run_on: date
    send_on: date


@dataclass
class Known:
    """What was read for all assignments at once."""

    settings: Settings
    customers: dict[str, Customer]
    confidential: dict[str, list[Flag]]
    standings: dict[date, dict[str, Standing]]
    first_contacts: dict[str, date]
    troubles: dict[tuple[str, str], str]
    worths: dict[date, dict[str, Worth]]
    key: bytes

    def customer(self, customer_id: str) -> Customer:
        """Raises CannotWrite for somebody who is no longer on record."""
        if customer_id not in self.customers:
            raise CannotWrite("the customer's record is no longer here")
        return self.customers[customer_id]


@dataclass(frozen=True)
class Matter:
    """One assignment with the people and the standings that belong to its occasions, in their order."""

    settings: Settings
    assignment: Assignment
    locale: str
    recipient: Customer
    customers: Sequence[Customer]
    standings: Sequence[Standing]
    known: Known

    def since(self, customer: Customer) -> date | None:
        return customer.customer_since or self.known.first_contacts.get(customer.customer_id)


def list_words(words: Sequence[str], locale: str) -> str:
    """“Mia and Theo”, each once, as the locale joins them."""
    return format_list(list(dict.fromkeys(words)), locale=locale)


def tell_tenure(matter: Matter) -> dict[str, Value]:
    since = [matter.since(customer) for customer in matter.customers]
    days = [occasion.on for occasion in matter.assignment.occasions]
    years = {years_between(first, on) if first else None for first, on in zip(since, days, strict=True)}
    return {
        # Wards who came in different years share the words, but no number.
        "years": years.pop() if len(years) == 1 else None,
        "since": since[0] if len(set(since)) == 1 else None,
    }


def tell_treatment(matter: Matter) -> dict[str, Value]:
    allowed = {name.casefold() for name in CHECKIN.knobs_of(matter.settings).treatments}
    done = [
        treatment
        for standing, occasion in zip(matter.standings, matter.assignment.occasions, strict=True)
        for treatment in sorted(standing.treatments, key=lambda treatment: treatment.treatment_id)
        if treatment.done_on == occasion.on and (treatment.name or "").casefold() in allowed
    ]
    practitioners = list(dict.fromkeys(treatment.practitioner for treatment in done if treatment.practitioner))
    phones = list(dict.fromkeys(treatment.practitioner_phone for treatment in done if treatment.practitioner_phone))
    names = [treatment.name for treatment in done if treatment.name]
    return {
        "treatment": list_words(names, matter.locale) if done else None,
        "practitioner": list_words(practitioners, matter.locale) if practitioners else None,
        "practitioner_phone": phones[0] if len(phones) == 1 and len(practitioners) == 1 else None,
    }


def tell_debt(matter: Matter) -> dict[str, Value]:
    """Raises CannotWrite where nothing is late any more, or one sum cannot say what is."""
    late = [
        (customer, item)
        for customer, standing in zip(matter.customers, matter.standings, strict=True)
        for item in standing.open_invoices
        if _is_theirs_and_late(matter, customer, item)
    ]
    if not late:
        raise CannotWrite("nothing of theirs is late any more")
    currencies = {item.invoice.currency or customer.currency for customer, item in late} - {None}
    if len(currencies) > 1:
        raise CannotWrite("the late invoices are in several currencies, and one sum cannot say that")
    return {
        "amount": sum(item.balance for _, item in late),
        "due_on": min(item.invoice.due_on for _, item in late),
        "currency": currencies.pop() if currencies else matter.settings.business.currency,
    }


def _is_theirs_and_late(matter: Matter, customer: Customer, item: OpenInvoice) -> bool:
    """Late within the moment's days, and for the recipient to pay: nobody reads of what another owes."""
    knobs = LATE_PAYMENT.knobs_of(matter.settings)
    days = (matter.assignment.run_on - item.invoice.due_on).days
    payers = {item.invoice.payer_id} if item.invoice.payer_id else {customer.customer_id, customer.guardian_id}
    payers |= {matter.known.customers[payer].guardian_id for payer in payers if payer in matter.known.customers}
    on_time = knobs.from_days <= days <= knobs.until_days
    return on_time and item.invoice.status in {None, "open"} and matter.recipient.customer_id in payers


def tell_trouble(matter: Matter) -> dict[str, Value]:
    """Raises CannotWrite where the record of what went wrong is no longer there."""
    troubles = {
        matter.known.troubles.get((occasion.customer_id, occasion.key)) for occasion in matter.assignment.occasions
    }
    if None in troubles:
        raise CannotWrite("the record of what went wrong is no longer there")
    return {"trouble": min(trouble for trouble in troubles if trouble)}


def tell_survey(matter: Matter) -> dict[str, Value]:
    assignment = matter.assignment
    asked = assignment.occasions[0].customer_id
    return {"survey_url": survey_url(matter.settings.business, matter.known.key, assignment.reference, asked)}


PARTICULARS: dict[str, Callable[[Matter], dict[str, Value]]] = {
    "tenure": tell_tenure,
    "treatment": tell_treatment,
    "debt": tell_debt,
    "trouble": tell_trouble,
    "survey": tell_survey,
}
