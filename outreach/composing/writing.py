"""Writes the finished message of one assignment: recipient, exact bytes, language, size and cost. Stores nothing."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from outreach.channels import EMAIL, LETTER
from outreach.composing.calls import write_call
from outreach.composing.digests import PENS, canonical_json
from outreach.composing.editable_words import words_from_html
from outreach.composing.emails import render_email, write_email
from outreach.composing.moment_data import Assignment
from outreach.composing.paper.addresses import Address, address_of, full_name
from outreach.composing.paper.card_sizes import CARDS, chosen_paper
from outreach.composing.paper.cards import write_card
from outreach.composing.paper.letters import render_letter, write_letter
from outreach.composing.paper.plain_letters import write_plain_letter
from outreach.composing.paper.sizes import paper_for
from outreach.composing.paper.vouchers import Voucher, vouchers_for
from outreach.composing.paper.windows import require_known
from outreach.composing.proofing.letter_check import (
    DEBT,
    amounts_in,
    currency_of,
    lines_of,
    own_of,
    own_people,
    require_sound,
)
from outreach.composing.proofing.wrong_recipient import Bystander
from outreach.composing.template_data import Facts
from outreach.composing.templating.engine import render_template
from outreach.composing.templating.templates import Words
from outreach.composing.texts import write_text
from outreach.errors import CannotWrite, SettingsError
from outreach.settings import Settings


@dataclass(frozen=True)
class WrittenMessage:
    """One message as it will be sent."""

    #: To whom it goes, as canonical JSON.
    recipient: str
    #: What the body says as plain text, without the layout around it.
    words: str
    #: The exact bytes that leave.
    body: bytes
    #: Pages of a letter, segments of a text, and 1 otherwise.
    size: int
    #: In minor units.
    cost: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def write_message(
    settings: Settings,
    key: bytes,
    assignment: Assignment,
    facts: Facts,
    words: Words,
    people: Mapping[str, Bystander],
) -> WrittenMessage:
    """The message as it will be sent. `key` signs its unsubscribe link; `people`, by id, are written at the same time.

    Raises FieldMissing, CannotWrite, TooLong or FailedCheck where these facts do not fit, SettingsError where no
    message could.
    """
    require_business(settings)
    recipient = recipient_of(settings, assignment.channel, facts)
    if assignment.channel == LETTER.name:
        return _letter(settings, key, assignment, facts, words, people, recipient)
    write = {"email": _email, "text": _text, "call": _call}[assignment.channel]
    return write(settings, key, assignment, facts, words, recipient)


def require_business(settings: Settings) -> None:
    """Raises SettingsError when outreach.toml lacks what every message says of us: name, address, phone, e-mail."""
    business = settings.business
    missing = [name for name in ("name", "address", "phone", "email") if not getattr(business, name)]
    if missing:
        raise SettingsError(f"Write {', '.join(missing)} under [business] in outreach.toml; every message names them")
    if not business.public_url.startswith("https://"):
        raise SettingsError("business.public_url must begin with https://; unsubscribe links lead there")
    # The default: a name that leads nowhere for ever (RFC 2606).
    if settings.mode == "live" and business.public_url.rstrip("/").endswith(".invalid"):
        raise SettingsError("Set business.public_url to the address of your public pages; unsubscribe links lead there")


def recipient_of(settings: Settings, channel: str, facts: Facts) -> str:
    """To whom a message goes, as it is kept with it. Raises CannotWrite where they cannot be reached so."""
    contact = facts.contacts.get(channel)
    if not contact:
        raise CannotWrite(f"they cannot be reached by {channel} any more: the contact on record is gone")
    if channel == LETTER.name:
        return canonical_json(asdict(address_of(facts.recipient, settings.business.country)))
    if channel == EMAIL.name:
        return canonical_json({"name": full_name(facts.recipient), "email": facts.mailbox or contact})
    return canonical_json({"name": full_name(facts.recipient), "phone": contact})


def _letter(
    settings: Settings,
    key: bytes,
    assignment: Assignment,
    facts: Facts,
    words: Words,
    people: Mapping[str, Bystander],
    recipient: str,
) -> WrittenMessage:
    address = address_of(facts.recipient, settings.business.country)
    provider = settings.provider_for("letter")
    about = [occasion.customer_id for occasion in assignment.occasions]
    given = reward_in(facts)
    vouchers = vouchers_for(settings, key, given, assignment.reference, about, currency_of(facts, settings))
    rendered, on = render_letter(facts, words), assignment.send_on
    body = letter_body(settings, provider, facts, words, rendered, address, on, assignment.reference, vouchers)
    plain, pages = words_from_html(rendered), 1
    # A vendor with pens of its own is given words: there is no page of ours to check.
    if provider not in PENS:
        own = own_of(settings, facts, words, plain, lines_of(address), vouchers, own_people(facts, about, people))
        private = {str(facts.fields.get("treatment") or ""), *amounts_in(facts, settings, DEBT)} - {""}
        pages = require_sound(settings, provider, body, address, own, private, people.values())
    return WrittenMessage(recipient, plain, body, pages, cost_of_letter(settings, provider, words, pages))


def reward_in(facts: Facts) -> int:
    """What the message gives each customer it is about, in minor units; 0 for nothing."""
    reward = facts.fields.get("reward")
    return reward if isinstance(reward, int) else 0


def cost_of_letter(settings: Settings, provider: str | None, words: Words, pages: int) -> int:
    """What a composed letter of so many pages, or a card, costs in minor units. Words for pens are one page."""
    if provider not in PENS and chosen_paper(words.sources["html"]) in CARDS:
        return settings.postage.card
    return settings.postage.letter + (pages - 1) * settings.postage.letter_page


def letter_body(
    settings: Settings,
    provider: str,
    facts: Facts,
    words: Words,
    rendered: str,
    address: Address,
    on: date,
    reference: str,
    vouchers: Sequence[Voucher] = (),
) -> bytes:
    """A letter as its provider takes it: printed pages, or plain words, and no voucher, for one with own pens.

    A card where the template chooses one, and with no voucher either. Raises SettingsError where nobody knows yet where
    the provider's envelope shows the address.
    """
    card = CARDS.get(chosen_paper(words.sources["html"]))
    require_known(provider, card or paper_for(address.country, provider), settings.paper.confirmed_proofs)
    if provider in PENS:
        most = settings.providers.handwrytten.most_characters
        return write_plain_letter(facts, words, settings.business, reference, most).encode()
    if card:
        return write_card(facts, words, rendered, address, settings, on, reference, card)
    return write_letter(facts, words, rendered, address, settings, on, reference, vouchers)


def _email(
    settings: Settings, key: bytes, assignment: Assignment, facts: Facts, words: Words, recipient: str
) -> WrittenMessage:
    to = full_name(facts.recipient), facts.mailbox or facts.contacts["email"]
    body = write_email(facts, words, to, settings.business, assignment.reference, key)
    subject, text, _ = render_email(facts, words)
    plain = f"{subject}\n\n{text}"
    return WrittenMessage(recipient, plain, body, 1, settings.postage.email)


def _text(
    settings: Settings, key: bytes, assignment: Assignment, facts: Facts, words: Words, recipient: str
) -> WrittenMessage:
    written, segments = write_text(facts, words, settings.texts.max_segments)
    return WrittenMessage(recipient, written, written.encode(), segments, segments * settings.postage.text_segment)


def _call(
    settings: Settings, key: bytes, assignment: Assignment, facts: Facts, words: Words, recipient: str
) -> WrittenMessage:
    plain = render_template(words.name("txt"), words.sources["txt"], facts.fields, "plain").strip()
    return WrittenMessage(recipient, plain, write_call(facts, words), 1, settings.postage.call)
