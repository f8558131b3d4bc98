"""Reads in bulk what planning must know of each person whom it may write to.

It judges nothing: the rules are in person_rules, flags, consent and channel_choice.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlmodel import Session, col, select

from outreach.channels import CALL, CHANNELS, EMAIL, LETTER, TEXT
from outreach.chunks import in_chunks, select_for
from outreach.clock import years_between
from outreach.contacts import (
    contact_hash,
    deliverable_email,
    normalise_address,
    normalise_email,
    normalise_phone,
    takes_texts,
)
from outreach.intake.postal_rules import FIELDS, missing_fields, region_of_code
from outreach.intake.unread_rows import Unread, find_unread
from outreach.models import TOUCHING, Consent, Customer, Flag, Message, Suppression
from outreach.settings import Settings

ADULT = 18


@dataclass
class Person:
    """One customer with the flags active on the day, the latest consents, and what we sent lately."""

    customer: Customer
    flags: dict[str, Flag] = field(default_factory=dict)
    consents: dict[tuple[str, str], Consent] = field(default_factory=dict)
    #: The days on which they hear from us, each with its moment.
    touches: list[tuple[date, str]] = field(default_factory=list)
    household_touches: list[date] = field(default_factory=list)
    mourning_until: date | None = None
    contacts: dict[str, str] = field(default_factory=dict)
    suppressed: set[str] = field(default_factory=set)
    #: Rows about them that were refused and have not come in since.
    unread: tuple[Unread, ...] = ()

    @property
    def id(self) -> str:
        return self.customer.customer_id

    @property
    def household(self) -> str | None:
        """The household they share; people who are going through a separation are in none."""
        return None if "separated" in self.flags else self.customer.household

    def is_dead(self, on: date) -> bool:
        return self.customer.died_on is not None and self.customer.died_on <= on

    def is_minor(self, on: date) -> bool:
        return self.customer.born_on is not None and years_between(self.customer.born_on, on) < ADULT


def load_people(
    session: Session,
    settings: Settings,
    key: bytes,
    on: date,
    ids: Collection[str],
    channels: Collection[str] = CHANNELS,
    with_touches: bool = True,
) -> dict[str, Person]:
    """A Person for each id that is a customer; ids that are not are left out.

    Only the contacts of `channels` are worked out; `with_touches` says whether what we sent lately is read as well.
    """
    people = {
        customer.customer_id: Person(customer)
        for customer in select_for(session, select(Customer), Customer.customer_id, ids)
    }
    add_flags(session, people, on)
    _add_consents(session, people)
    if with_touches:
        _add_touches(session, people, on - timedelta(days=settings.pacing.quiet_days))
        _add_household_touches(session, people, on - timedelta(days=settings.pacing.quiet_days))
    add_mourning(session, people, on, settings.pacing.mourning_days)
    _add_contacts(session, people, settings, key, channels)
    for customer_id, rows in find_unread(session, people).items():
        people[customer_id].unread = rows
    return people


def add_flags(session: Session, people: dict[str, Person], on: date) -> None:
    """Gives each person the flags that stand on them on `on`; of two of a kind, the one that began last."""
    active = select(Flag).where(Flag.from_on <= on, (col(Flag.until_on).is_(None)) | (col(Flag.until_on) >= on))
    for flag in select_for(session, active.order_by(col(Flag.from_on)), Flag.customer_id, people):
        people[flag.customer_id].flags[flag.kind] = flag


def _add_consents(session: Session, people: dict[str, Person]) -> None:
    rows = select_for(session, select(Consent), Consent.customer_id, people)
    # Of two rows of one instant the withdrawal comes last and stands.
    for row in sorted(rows, key=lambda row: (row.at, row.state == "withdrawn")):
        people[row.customer_id].consents[row.channel, row.purpose] = row


def _add_touches(session: Session, people: dict[str, Person], since: date) -> None:
    recent = select(Message).where(col(Message.status).in_(TOUCHING), Message.send_on > since)
    for message in select_for(session, recent, Message.recipient_id, people):
        people[message.recipient_id].touches.append((message.send_on, message.kind))


def _add_household_touches(session: Session, people: dict[str, Person], since: date) -> None:
    """Gives each the days on which marketing went to another member of their household."""
    households = _by_household(people)
    recent = (
        select(Customer.household_column(), Message.recipient_id, col(Message.send_on))
        .join(Message, col(Message.recipient_id) == Customer.customer_id)
        .where(col(Message.status).in_(TOUCHING), Message.send_on > since, Message.purpose == "marketing")
    )
    for chunk in in_chunks(households):
        for household, recipient_id, send_on in session.execute(recent.where(Customer.lives_in(chunk))):
            for person in households[household]:
                if person.id != recipient_id:
                    person.household_touches.append(send_on)


def _by_household(people: dict[str, Person]) -> dict[str, list[Person]]:
    households: dict[str, list[Person]] = defaultdict(list)
    for person in people.values():
        if person.household:
            households[person.household].append(person)
    return households


def add_mourning(session: Session, people: dict[str, Person], on: date, days: int) -> None:
    """Gives each person in whose household someone died in the last `days` the day on which the mourning ends."""
    households = _by_household(people)
    deaths = select(Customer).where(col(Customer.died_on) <= on, col(Customer.died_on) > on - timedelta(days=days))
    for chunk in in_chunks(households):
        for dead in session.execute(deaths.where(Customer.lives_in(chunk))).scalars():
            for person in households[dead.household or ""]:
                until = dead.died_on + timedelta(days=days)
                person.mourning_until = max(until, person.mourning_until or until)


def _add_contacts(
    session: Session, people: dict[str, Person], settings: Settings, key: bytes, channels: Collection[str]
) -> None:
    by_hash = defaultdict(list)
    for person in people.values():
        person.contacts = contacts_of(person.customer, person.flags.get("confidential"), settings, channels)
        for channel, contact in person.contacts.items():
            # A suppression is a hash and names nobody, so that the contacts of today are hashed and looked up.
            by_hash[contact_hash(key, channel, contact)].append((person, channel))
    for row in select_for(session, select(Suppression), Suppression.contact_hash, by_hash):
        for person, channel in by_hash[row.contact_hash]:
            if channel == row.channel:
                person.suppressed.add(channel)


def contacts_of(
    customer: Customer, confidential: Flag | None, settings: Settings, channels: Collection[str] = CHANNELS
) -> dict[str, str]:
    """The normalised contact of each of `channels` on which the customer can be reached at all.

    A letter needs what an address in its country cannot do without; an e-mail address or a number must be one that can
    exist, and a text a number that may be a mobile phone's. Someone who asked for confidential communication has only
    the channel, and the contact, that their flag names.
    """
    home = settings.business.country
    region = customer.country or home
    only, contact = confidential_contact(confidential)
    email = contact if only == EMAIL.name and contact else customer.email
    phone = contact if only in {TEXT.name, CALL.name} and contact else customer.phone
    number = normalise_phone(phone, region, home) if phone and {TEXT.name, CALL.name} & set(channels) else None
    # Only what is asked for: to read a number takes as long as to read the row that it stands in.
    find: dict[str, Callable[[], str | None]] = {
        LETTER.name: lambda: _postal_contact(customer, settings),
        EMAIL.name: lambda: normalise_email(email) if email else None,
        TEXT.name: lambda: number if number and takes_texts(phone or "", region, home) else None,
        CALL.name: lambda: number,
    }
    wanted = [channel for channel in find if channel in channels and only in {None, channel}]
    return {channel: value for channel in wanted if (value := find[channel]())}


def mailbox_of(customer: Customer, confidential: Flag | None) -> str | None:
    """The address that e-mail goes to: as it came, since some mail servers tell upper from lower case."""
    only, contact = confidential_contact(confidential)
    email = contact if only == EMAIL.name and contact else customer.email
    return deliverable_email(email) if email else None


def confidential_contact(flag: Flag | None) -> tuple[str | None, str | None]:
    """The one channel a confidential flag allows and the contact it fixes, from a note like `email: me@home.example`.

    (None, None) without such a flag; ("", None) when the note names no channel, and then nothing may be used.
    """
    if flag is None:
        return None, None
    channel, _, contact = (flag.note or "").partition(":")
    channel = channel.strip().lower()
    return (channel if channel in CHANNELS else ""), contact.strip() or None


def postal_fields(customer: Customer, country: str) -> dict[str, str]:
    """The fields of a postal address that `country` may ask for; an empty text where there is nothing.

    A region that nobody wrote, and that the postal code says, is filled in.
    """
    fields = {name: (getattr(customer, name) or "").strip() for name in FIELDS.values()}
    return fields | {"region": fields["region"] or region_of_code(fields["postal_code"], country)}


def _postal_contact(customer: Customer, settings: Settings) -> str | None:
    lines = [customer.address_line1, customer.address_line2, customer.city, customer.region]
    country = customer.country or settings.business.country
    if missing_fields(postal_fields(customer, country), country):
        return None
    return normalise_address([line for line in lines if line], customer.postal_code, country)
