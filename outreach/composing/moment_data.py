"""Works out the fields that some moments need beyond their day: years, treatments, debts, troubles, surveys.

A moment says in its definition which of `PARTICULARS` its words need; most need nothing more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from babel.lists import format_list

from outreach.clock import years_between
from outreach.composing.bills import name_bills, sum_rest
from outreach.composing.survey_links import survey_url
from outreach.composing.templating.engine import Value
from outreach.errors import CannotWrite
from outreach.intake.names import is_name
from outreach.models import Customer, Flag
from outreach.moments.checkin import CHECKIN
from outreach.money import Amount
from outreach.planning.customer_state import Standing
from outreach.planning.receivables import bills_of, total_by_currency
from outreach.planning.worth import Worth
from outreach.settings import Settings


@dataclass(frozen=True)
class Occasion:
    """What a message is about, for one customer."""

    customer_id: str
    #: What tells it from their others of its kind.
    key: str
    #: The day that it is about.
    on: date


@dataclass(frozen=True)
class Assignment:
    """One message to write."""

    reference: str
    kind: str
    channel: str
    recipient_id: str
    #: What it is about; wards may share a message.
    occasions: tuple[Occasion, ...]
    #: The day for which it was planned: balances, years and ages are those of this day.
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
    #: The day as of which all is worked out, where that is later than the day a message was planned.
    today: date = date.min

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
    # Only those on the list of treatments that customers may be asked about.
    done = [
        treatment
        for standing, occasion in zip(matter.standings, matter.assignment.occasions, strict=True)
        for treatment in sorted(standing.treatments, key=lambda treatment: treatment.treatment_id)
        if treatment.done_on == occasion.on and (treatment.name or "").casefold() in allowed
    ]
    practitioners = list(
        dict.fromkeys(one.practitioner for one in done if one.practitioner and is_name(one.practitioner))
    )
    phones = list(dict.fromkeys(treatment.practitioner_phone for treatment in done if treatment.practitioner_phone))
    names = [treatment.name for treatment in done if treatment.name]
    return {
        "treatment": list_words(names, matter.locale) if done else None,
        "practitioner": list_words(practitioners, matter.locale) if practitioners else None,
        # Beside two names, or with two numbers, nobody could tell whom the number reaches.
        "practitioner_phone": phones[0] if len(phones) == 1 and len(practitioners) == 1 else None,
    }


def tell_debt(matter: Matter) -> dict[str, Value]:
    """The bills that are for the recipient to pay and were late on the run date, with what is left of each by now.

    Raises CannotWrite where nothing is late any more.
    """
    late = [
        bill
        for standing in matter.standings
        for bill in bills_of(
            standing.open_invoices, matter.recipient.customer_id, matter.settings, matter.assignment.run_on
        )
    ]
    late.sort(key=lambda bill: (bill.late_since, bill.invoice.invoice_id))
    if not late:
        raise CannotWrite("nothing of theirs is late any more")
    totals = [Amount(total, currency) for currency, total in total_by_currency(late).items()]
    return {
        # Two currencies have no sum.
        "amount": totals[0] if len(totals) == 1 else None,
        "due_on": late[0].late_since,
        "bills": name_bills(late),
        "more": sum_rest(late),
        "several_bills": len(late) > 1,
        "currency": late[0].currency,
    }


def tell_trouble(matter: Matter) -> dict[str, Value]:
    """Raises CannotWrite where the record of what went wrong is no longer there."""
    troubles = {
        matter.known.troubles.get((occasion.customer_id, occasion.key)) for occasion in matter.assignment.occasions
    }
    if None in troubles:
        raise CannotWrite("the record of what went wrong is no longer there")
    # Wards who share the words may have had different troubles: one is told, the same in every run.
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
