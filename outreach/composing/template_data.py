"""Reads everything that the words need of the people they are about, in bulk: the fields of each assignment.

Balances, years and ages are those of the day the message was planned, so that the same data gives the same words.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from babel import Locale, UnknownLocaleError
from sqlmodel import Session, col, select

from outreach.chunks import in_chunks, select_for
from outreach.composing.moment_data import PARTICULARS, Assignment, Known, Matter, list_words
from outreach.composing.proofing.wrong_recipient import person_of
from outreach.composing.templating.engine import Value
from outreach.errors import CannotWrite, FieldMissing, SettingsError
from outreach.intake.names import greeting_of
from outreach.models import Customer, Flag
from outreach.moments import MOMENTS
from outreach.moments.recovery import TROUBLES
from outreach.moments.relationship import first_contact
from outreach.money import Amount
from outreach.planning.contact_cards import contacts_of, mailbox_of
from outreach.planning.customer_state import Standing, load_standings
from outreach.planning.rewards import gift_of, grows_with_worth
from outreach.planning.worth import NOTHING, Worth, find_worth
from outreach.settings import Business, Settings, Signatory


def public_fields(business: Business, signatory: Signatory) -> dict[str, Value]:
    """What anybody may read of the business and of whoever signs for it, by the names that templates have for it."""
    return {
        "business": business.name,
        "business_phone": business.phone,
        "business_email": business.email,
        "business_website": business.website,
        "signatory": signatory.name,
        "signatory_role": signatory.role,
    }


def business_fields(business: Business, signatory: Signatory) -> dict[str, Value]:
    """The fields by which a message names the business and whoever signs it."""
    return {**public_fields(business, signatory), "signatory_phone": signatory.direct_line or business.phone}


@dataclass(frozen=True)
class Facts:
    """All that is known for the words of one message."""

    recipient: Customer
    #: The recipient's normalised contact, by channel.
    contacts: dict[str, str]
    signatory: Signatory
    locale: str
    #: What a template may name.
    fields: dict[str, Value]
    #: The address that e-mail goes to, as it came.
    mailbox: str = ""


class FactFinder:
    """Reads all that `assignments` need; then gives the facts of each. `people`, by id, are all whom they concern.

    `key` signs links to the public pages. With `today`, what was planned before is worked out as of today: what has
    been paid since counts, and whoever signs must be there today. `known_standings` are those that were read before.
    """

    def __init__(
        self,
        session: Session,
        settings: Settings,
        assignments: Sequence[Assignment],
        key: bytes,
        today: date = date.min,
        known_standings: Mapping[date, Mapping[str, Standing]] = MappingProxyType({}),
    ) -> None:
        about = {occasion.customer_id for each in assignments for occasion in each.occasions}
        ids = about | {each.recipient_id for each in assignments}
        flags = select(Flag).where(Flag.kind == "confidential")
        confidential: dict[str, list[Flag]] = {}
        for flag in select_for(session, flags, Flag.customer_id, ids):
            confidential.setdefault(flag.customer_id, []).append(flag)
        self.known = Known(
            settings,
            {row.customer_id: row for row in select_for(session, select(Customer), Customer.customer_id, ids)},
            confidential,
            {
                on: _standings(session, settings, on, about, known_standings.get(on, {}))
                for on in {max(each.run_on, today) for each in assignments}
            },
            _first_contacts(session, about),
            _troubles(session, assignments),
            _worths(session, settings, assignments),
            key,
            today,
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

    def __init__(self, known: Known, assignment: Assignment, language: str) -> None:
        self.known, self.settings, self.assignment = known, known.settings, assignment
        self.recipient = known.customer(assignment.recipient_id)
        self.customers = [known.customer(occasion.customer_id) for occasion in assignment.occasions]
        self.as_of = max(assignment.run_on, known.today)
        standings = known.standings[self.as_of]
        self.standings = [standings[customer.customer_id] for customer in self.customers]
        self.locale = locale_of(language, self.settings)

    def facts(self) -> Facts:
        signatory = signatory_on(self.settings, max(self.assignment.send_on, self.known.today))
        fields = self._common(signatory) | self._of_moment()
        confidential = self._confidential()
        contacts = contacts_of(self.recipient, confidential, self.settings)
        mailbox = mailbox_of(self.recipient, confidential) or ""
        return Facts(self.recipient, contacts, signatory, self.locale, fields, mailbox)

    def _confidential(self) -> Flag | None:
        """The flag, if any, that says how alone they may be reached."""
        on = self.as_of
        flags = self.known.confidential.get(self.recipient.customer_id, [])
        active = [flag for flag in flags if flag.from_on <= on and (flag.until_on is None or flag.until_on >= on)]
        return active[-1] if active else None

    def _common(self, signatory: Signatory) -> dict[str, Value]:
        business = self.settings.business
        wards = [customer for customer in self.customers if customer.guardian_id == self.recipient.customer_id]
        return {
            "greeting": greeting_name(self.recipient, "greeting"),
            "wards": list_words([greeting_name(ward, "wards") for ward in wards], self.locale) if wards else None,
            "several_wards": len(wards) > 1,
            **business_fields(business, signatory),
            "currency": self.recipient.currency or business.currency,
            "locale": self.locale,
        }

    def _of_moment(self) -> dict[str, Value]:
        """The day and the key of the occasion under the moment's own names, and its particulars."""
        definition, occasions = MOMENTS[self.assignment.kind], self.assignment.occasions
        days, keys = {occasion.on for occasion in occasions}, {occasion.key for occasion in occasions}
        # Wards whose days differ share the words, but no day.
        fields: dict[str, Value] = {definition.day_field: days.pop() if len(days) == 1 else None}
        if definition.occasion_field:
            fields[definition.occasion_field] = keys.pop() if len(keys) == 1 else None
        if "reward" in definition.knobs.model_fields:
            fields["reward"] = self._reward()
        matter = Matter(
            self.settings, self.assignment, self.locale, self.recipient, self.customers, self.standings, self.known
        )
        particulars = PARTICULARS[definition.particulars] if definition.particulars else None
        return fields | (particulars(matter) if particulars else {})

    def _reward(self) -> Amount:
        """What each of them is given: of wards who share the words, none gets less than another."""
        worths = self.known.worths.get(self.assignment.run_on, {})
        each_worth = [worths.get(customer.customer_id, NOTHING) for customer in self.customers]
        gifts = [gift_of(self.settings, self.assignment.kind, each, self.recipient.currency) for each in each_worth]
        # All are in the recipient's currency, so that they can be compared.
        return max(Amount(gift.amount, gift.currency) for gift in gifts)


def greeting_name(customer: Customer, field: str) -> str:
    """What to call them, as planning has found it. Raises FieldMissing where there is no right greeting."""
    greeting = greeting_of(customer)
    if greeting is None:
        raise FieldMissing(field, "the greeting")
    return greeting


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


def _standings(
    session: Session, settings: Settings, on: date, ids: Collection[str], known: Mapping[str, Standing]
) -> dict[str, Standing]:
    """The standing of each of `ids` on a day; what the caller has read already is not read again."""
    missing = [customer_id for customer_id in ids if customer_id not in known]
    return {**known, **(load_standings(session, on, missing, settings.business.currency) if missing else {})}


def _first_contacts(session: Session, ids: Collection[str]) -> dict[str, date]:
    """The day on which each customer first had to do with us, as the anniversary counts it."""
    first: dict[str, date] = {}
    for chunk in in_chunks(ids):
        rows = session.execute(
            select(Customer.customer_id, first_contact()).where(col(Customer.customer_id).in_(chunk))
        )
        first.update({customer_id: day for customer_id, day in rows if day})
    return first


def _worths(session: Session, settings: Settings, assignments: Sequence[Assignment]) -> dict[date, dict[str, Worth]]:
    """What the customers brought until the day their message was planned, where a reward grows with it."""
    about: dict[date, set[str]] = {}
    for each in assignments:
        if grows_with_worth(settings, each.kind):
            about.setdefault(each.run_on, set()).update(occasion.customer_id for occasion in each.occasions)
    return {on: find_worth(session, settings, on, ids) for on, ids in about.items()}


def _tells_trouble(assignment: Assignment) -> bool:
    return MOMENTS[assignment.kind].particulars == "trouble"


def _troubles(session: Session, assignments: Sequence[Assignment]) -> dict[tuple[str, str], str]:
    """What went wrong, by customer and the record that says so, for those of `assignments` that tell it."""
    occasions = [occasion for each in assignments if _tells_trouble(each) for occasion in each.occasions]
    troubles: dict[tuple[str, str], str] = {}
    for chunk in in_chunks({occasion.customer_id for occasion in occasions}):
        rows = select(TROUBLES.c.customer_id, TROUBLES.c.record_id, TROUBLES.c.trouble)
        for customer_id, record_id, trouble in session.execute(rows.where(TROUBLES.c.customer_id.in_(chunk))):
            troubles[customer_id, record_id] = trouble
    return troubles
