"""Everything the words need of the people they are about: assignments in, the fields of each out, read in bulk.

Balances, years and ages are those of the day the message was planned, so that the same data gives the same words.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from babel import Locale, UnknownLocaleError
from babel.lists import format_list
from sqlmodel import Session, col, select

from outreach.clock import years_between
from outreach.composing.environment import Value
from outreach.composing.guarding import person_of
from outreach.errors import CannotWrite, FieldMissing, SettingsError
from outreach.models import Customer, Flag
from outreach.moments.anniversary import ANNIVERSARY
from outreach.moments.checkin import CHECKIN
from outreach.moments.late_payment import LATE_PAYMENT
from outreach.moments.relationship import first_contact
from outreach.planning.people import contacts_of, in_chunks, select_for
from outreach.planning.standing import OpenInvoice, Standing, load_standings
from outreach.settings import Settings, Signatory


@dataclass(frozen=True)
class Assignment:
    """One message to write: to whom, and about which customers' occasions. Wards may share a message."""

    reference: str
    kind: str
    channel: str
    recipient_id: str
    occasions: tuple[tuple[str, str], ...]
    run_on: date
    send_on: date


@dataclass(frozen=True)
class Facts:
    """`fields` are what a template may name, and `contacts` the recipient's normalised contact for each channel."""

    recipient: Customer
    contacts: dict[str, str]
    signatory: Signatory
    locale: str
    fields: dict[str, Value]


@dataclass
class _Known:
    """What was read for all assignments at once."""

    settings: Settings
    customers: dict[str, Customer]
    confidential: dict[str, list[Flag]]
    standings: dict[date, dict[str, Standing]]
    first_contacts: dict[str, date]

    def customer(self, customer_id: str) -> Customer:
        if customer_id not in self.customers:
            raise CannotWrite("the customer's record is no longer here")
        return self.customers[customer_id]


class FactFinder:
    """Reads all that `assignments` need; then gives the facts of each. `people`, by id, are all whom they concern."""

    def __init__(self, session: Session, settings: Settings, assignments: Sequence[Assignment]) -> None:
        about = {customer_id for each in assignments for customer_id, _ in each.occasions}
        ids = about | {each.recipient_id for each in assignments}
        flags = select(Flag).where(Flag.kind == "confidential")
        confidential: dict[str, list[Flag]] = {}
        for flag in select_for(session, flags, Flag.customer_id, ids):
            confidential.setdefault(flag.customer_id, []).append(flag)
        self.known = _Known(
            settings,
            {row.customer_id: row for row in select_for(session, select(Customer), Customer.customer_id, ids)},
            confidential,
            {on: load_standings(session, on, about) for on in {each.run_on for each in assignments}},
            _first_contacts(session, about),
        )
        self.people = {row.customer_id: person_of(row) for row in self.known.customers.values()}

    def languages_for(self, assignment: Assignment) -> tuple[str, ...]:
        """The languages to look for words in: the recipient's, then the business's."""
        return languages_of(self.known.customer(assignment.recipient_id), self.known.settings)

    def facts_for(self, assignment: Assignment, language: str) -> Facts:
        """The facts, with names and numbers as `language` writes them.

        Raises FieldMissing for a person without a name, CannotWrite for one who is no longer on record or owes nothing.
        """
        return _Gathering(self.known, assignment, language).facts()


class _Gathering:
    """The facts of one assignment, put together."""

    def __init__(self, known: _Known, assignment: Assignment, language: str) -> None:
        self.known, self.settings, self.assignment = known, known.settings, assignment
        self.recipient = known.customer(assignment.recipient_id)
        self.customers = [known.customer(customer_id) for customer_id, _ in assignment.occasions]
        standings = known.standings[assignment.run_on]
        self.standings = [standings[customer.customer_id] for customer in self.customers]
        self.locale = locale_of(language, self.settings)

    def facts(self) -> Facts:
        signatory = signatory_on(self.settings, self.assignment.send_on)
        of_moment = {
            "anniversary": self._anniversary,
            "checkin": self._checkin,
            "late_payment": self._late_payment,
            "referral_ask": dict[str, Value],
        }
        fields = self._common(signatory) | of_moment[self.assignment.kind]()
        return Facts(self.recipient, self._contacts(), signatory, self.locale, fields)

    def _contacts(self) -> dict[str, str]:
        on = self.assignment.run_on
        flags = self.known.confidential.get(self.recipient.customer_id, [])
        active = [flag for flag in flags if flag.from_on <= on and (flag.until_on is None or flag.until_on >= on)]
        return contacts_of(self.recipient, active[-1] if active else None, self.settings)

    def _common(self, signatory: Signatory) -> dict[str, Value]:
        business = self.settings.business
        wards = [customer for customer in self.customers if customer.guardian_id == self.recipient.customer_id]
        return {
            "greeting": greeting_name(self.recipient, "greeting"),
            "wards": self._listed(greeting_name(ward, "wards") for ward in wards) if wards else None,
            "several_wards": len(wards) > 1,
            "business": business.name,
            "business_phone": business.phone,
            "business_email": business.email,
            "business_website": business.website,
            "signatory": signatory.name,
            "signatory_role": signatory.role,
            "signatory_phone": signatory.direct_line or business.phone,
            "currency": self.recipient.currency or business.currency,
            "locale": self.locale,
        }

    def _listed(self, names: Iterable[str]) -> str:
        return format_list(list(dict.fromkeys(names)), locale=self.locale)

    def _anniversary(self) -> dict[str, Value]:
        since = [self._since(customer) for customer in self.customers]
        occasions = [date.fromisoformat(occasion) for _, occasion in self.assignment.occasions]
        years = {years_between(first, on) if first else None for first, on in zip(since, occasions, strict=True)}
        return {
            # Wards who came in different years share the words, but no number.
            "years": years.pop() if len(years) == 1 else None,
            "since": since[0] if len(set(since)) == 1 else None,
            "reward": ANNIVERSARY.knobs_of(self.settings).reward,
        }

    def _since(self, customer: Customer) -> date | None:
        return customer.customer_since or self.known.first_contacts.get(customer.customer_id)

    def _checkin(self) -> dict[str, Value]:
        days = {date.fromisoformat(occasion) for _, occasion in self.assignment.occasions}
        allowed = {name.casefold() for name in CHECKIN.knobs_of(self.settings).treatments}
        done = [
            treatment
            for standing, (_, occasion) in zip(self.standings, self.assignment.occasions, strict=True)
            for treatment in sorted(standing.treatments, key=lambda treatment: treatment.treatment_id)
            if treatment.done_on.isoformat() == occasion and (treatment.name or "").casefold() in allowed
        ]
        practitioners = list(dict.fromkeys(treatment.practitioner for treatment in done if treatment.practitioner))
        phones = list(dict.fromkeys(treatment.practitioner_phone for treatment in done if treatment.practitioner_phone))
        return {
            "treated_on": days.pop() if len(days) == 1 else None,
            "treatment": self._listed(treatment.name for treatment in done if treatment.name) if done else None,
            "practitioner": self._listed(practitioners) if practitioners else None,
            "practitioner_phone": phones[0] if len(phones) == 1 and len(practitioners) == 1 else None,
        }

    def _late_payment(self) -> dict[str, Value]:
        late = [
            (customer, item)
            for customer, standing in zip(self.customers, self.standings, strict=True)
            for item in standing.open_invoices
            if self._is_theirs_and_late(customer, item)
        ]
        if not late:
            raise CannotWrite("nothing of theirs is late any more")
        currencies = {item.invoice.currency or customer.currency for customer, item in late} - {None}
        if len(currencies) > 1:
            raise CannotWrite("the late invoices are in several currencies, and one sum cannot say that")
        return {
            "amount": sum(item.balance for _, item in late),
            "due_on": min(item.invoice.due_on for _, item in late),
            "currency": currencies.pop() if currencies else self.settings.business.currency,
        }

    def _is_theirs_and_late(self, customer: Customer, item: OpenInvoice) -> bool:
        """Late within the moment's days, and for the recipient to pay: nobody reads of what another owes."""
        knobs = LATE_PAYMENT.knobs_of(self.settings)
        days = (self.assignment.run_on - item.invoice.due_on).days
        payers = {item.invoice.payer_id} if item.invoice.payer_id else {customer.customer_id, customer.guardian_id}
        payers |= {self.known.customers[payer].guardian_id for payer in payers if payer in self.known.customers}
        on_time = knobs.from_days <= days <= knobs.until_days
        return on_time and item.invoice.status in {None, "open"} and self.recipient.customer_id in payers


def greeting_name(customer: Customer, field: str) -> str:
    """What to call them: the name they prefer, their given name, or title and family name. Raises FieldMissing."""
    formal = f"{customer.honorific} {customer.family_name}" if customer.honorific and customer.family_name else None
    for name in (customer.preferred_name, customer.given_name, formal):
        if name and name.strip():
            return name.strip()
    raise FieldMissing(field, "the greeting")


def languages_of(customer: Customer, settings: Settings) -> tuple[str, ...]:
    """The languages to look for words in: theirs, then the business's."""
    written = (customer.language or "", settings.business.language)
    codes = [code.replace("_", "-").split("-")[0].strip().lower() for code in written]
    return tuple(dict.fromkeys(code for code in codes if code))


def locale_of(language: str, settings: Settings) -> str:
    """How numbers and dates are written: in the language, and as in the business's country where both go together."""
    for code in (f"{language}_{settings.business.country}", language):
        try:
            return str(Locale.parse(code))
        except (UnknownLocaleError, ValueError):
            continue
    raise CannotWrite("“language” is none we know; write its two letters, such as en, in the customer data")


def signatory_on(settings: Settings, on: date) -> Signatory:
    """The first signatory who has agreed to be signed for and is there on that day. Raises SettingsError for none."""
    for signatory in settings.business.signatories:
        begun = (signatory.from_ or date.min) <= on and (signatory.consent_on or date.max) <= on
        away = any(first <= on <= last for first, last in signatory.away)
        if begun and on <= (signatory.until or date.max) and not away:
            return signatory
    raise SettingsError(
        f"Nobody can sign on {on}: add a [[business.signatories]] with name, consent_on and direct_line"
    )


def _first_contacts(session: Session, ids: Collection[str]) -> dict[str, date]:
    """The day on which each customer first had to do with us, as the anniversary counts it."""
    first: dict[str, date] = {}
    for chunk in in_chunks(ids):
        rows = session.execute(
            select(Customer.customer_id, first_contact()).where(col(Customer.customer_id).in_(chunk))
        )
        first.update({customer_id: day for customer_id, day in rows if day})
    return first
