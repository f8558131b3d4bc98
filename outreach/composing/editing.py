"""Writes one composed message anew with words that a person gave it, under the rules for templates.

Recipient, layout, pen, reference and unsubscribe link stay what they are. Nothing is stored or sent here.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Engine, or_
from sqlmodel import Session, col, select

from outreach.channels import CALL, EMAIL, LETTER, TEXT
from outreach.composing.calls import write_call
from outreach.composing.digests import PENS, media_type_for
from outreach.composing.editable_words import html_from_words
from outreach.composing.emails import write_email
from outreach.composing.paper.addresses import Address
from outreach.composing.paper.card_sizes import choose, chosen_paper
from outreach.composing.paper.letters import render_letter
from outreach.composing.paper.vouchers import vouchers_for
from outreach.composing.proofing.letter_check import lines_of, own_of_edited, own_people, require_sound
from outreach.composing.proofing.wrong_recipient import Bystander, person_of
from outreach.composing.run import assignments_for
from outreach.composing.store.contents import read_row
from outreach.composing.template_data import Facts, locale_of, signatory_on
from outreach.composing.templating.engine import UNWRITABLE, Dress, Value, check_template
from outreach.composing.templating.harsh_words import require_kind_words
from outreach.composing.templating.small_print import layouts_sha256
from outreach.composing.templating.subject_line import require_whole_subject
from outreach.composing.templating.templates import Words, read_sources, saved_sources
from outreach.composing.texts import write_text
from outreach.composing.writing import WrittenMessage, cost_of_letter, letter_body, require_business
from outreach.contacts import load_key
from outreach.database import reading
from outreach.errors import CannotWrite, NotFound, TemplateRefused
from outreach.intake.names import names_to_call
from outreach.models import Customer, Edit, Message, Reward, Treatment, Wording
from outreach.money import Amount
from outreach.settings import Settings

_BRACES = re.compile(r"[{}]")
# Only what HTML takes for the beginning of a tag or a comment: a lone “<” may stand in plain words.
_TAG = re.compile(r"</?[A-Za-z!]")
_LAYING_OUT = re.compile(r"</?p>|<br>")


@dataclass(frozen=True)
class Draft:
    """A composed message that can be written anew."""

    message: Message
    recipient: Customer
    direct_line: str
    #: Words that no subject and no text may hold.
    private: frozenset[str]
    #: The ids of the customers whom it is about.
    about: tuple[str, ...]
    #: What was saved at the desk in place of templates, by the template's name.
    saved: Mapping[str, str]
    #: Those whose messages wait in the same batch, by id: with them it could be mixed up.
    people: Mapping[str, Bystander]
    #: The gift that it gives each customer it is about.
    given: Amount | None = None
    #: What the recipient, and those it is about, may be called, the longest first.
    names: tuple[str, ...] = ()


def words_of(session: Session, reference: str) -> str:
    """What a message says, as plain text: paragraphs with a blank line between, an e-mail's subject on the first line.

    Raises NotFound for a message that is not there or was composed before its words were kept.
    """
    edits = select(Edit.words).where(Edit.reference == reference).order_by(col(Edit.number).desc()).limit(1)
    if (edited := session.exec(edits).first()) is not None:
        return edited
    wording = session.get(Wording, reference)
    if wording is None:
        raise NotFound(f"The words of “{reference}” are not on record; approve it as it is, or reject it")
    return wording.words


def preview_edited(engine: Engine, settings: Settings, reference: str, words: str) -> tuple[bytes, str]:
    """The bytes and media type that the message would have with these words. Raises as `write_edited` does."""
    with reading(engine) as session:
        draft = open_draft(session, reference)
    written = write_edited(settings, load_key(engine, settings), draft, words)
    return written.body, media_type_for(draft.message.channel, draft.message.provider)


def open_draft(session: Session, reference: str) -> Draft:
    """What is needed to write a message anew. Raises NotFound for one that is not there, or not composed.

    Raises ContentLost for a call whose bytes are not what they were.
    """
    message = session.get(Message, reference)
    if message is None or message.content_sha256 is None:
        raise NotFound(f"There is no message “{reference}” whose words could be changed")
    recipient = session.get(Customer, message.recipient_id)
    if recipient is None:
        raise CannotWrite("the customer's record is no longer here")
    call = read_row(session, message.content_sha256) if message.channel == CALL.name else None
    direct_line = json.loads(call)["direct_line"] if call else ""
    about = tuple(occasion.customer_id for occasion in assignments_for(session, [message])[0].occasions)
    names = session.exec(select(Treatment.name).where(col(Treatment.customer_id).in_(about)).distinct())
    private = frozenset(name.casefold() for name in names if name)
    people = _people_beside(session, message) if message.channel == LETTER.name else {}
    rewards = select(Reward.amount, Reward.currency).where(Reward.reference == reference)
    given = session.exec(rewards.order_by(col(Reward.amount).desc()).limit(1)).first()
    gift = Amount(*given) if given else None
    whom = session.exec(select(Customer).where(col(Customer.customer_id).in_({*about, recipient.customer_id})))
    # The longest first: “Ann Marie” must not leave “Marie” behind.
    called = tuple(sorted({name for one in whom for name in names_to_call(one)}, key=lambda name: (-len(name), name)))
    return Draft(message, recipient, direct_line, private, about, saved_sources(session), people, gift, called)


def _people_beside(session: Session, message: Message) -> dict[str, Bystander]:
    """The recipients of the messages in the same batch, and whom those are about."""
    beside = select(Customer).join(
        Message,
        or_(col(Message.recipient_id) == Customer.customer_id, col(Message.customer_id) == Customer.customer_id),
    )
    customers = session.exec(beside.where(Message.batch_id == message.batch_id).distinct())
    return {customer.customer_id: person_of(customer) for customer in customers}


def write_edited(settings: Settings, key: bytes, draft: Draft, words: str) -> WrittenMessage:
    """The message with these words, in the layout it has; `words` in the result are as they will be kept.

    Raises TemplateRefused with the line for what no template may hold, CannotWrite for characters that its pen lacks,
    TooLong, and FailedCheck for a page that is not fit to be approved.
    """
    require_business(settings)
    kept = check_words(settings, draft, words)
    message, business = draft.message, settings.business
    language = message.language or business.language
    fields: dict[str, Value] = {"signatory_phone": draft.direct_line}
    facts = Facts(draft.recipient, {}, signatory_on(settings, message.send_on), locale_of(language, settings), fields)
    source = Words(message.kind, message.channel, language, _sources(message.channel, kept), sha256_of(kept))
    if message.channel == LETTER.name:
        source = _on_its_paper(settings, draft, source)
        address, provider = _address_of(message), message.provider or settings.provider_for("letter")
        given = draft.given or Amount(0)
        vouchers = vouchers_for(settings, key, given, message.reference, draft.about, given.currency)
        rendered, on, pages = render_letter(facts, source), message.send_on, 1
        try:
            body = letter_body(settings, provider, facts, source, rendered, address, on, message.reference, vouchers)
        except TemplateRefused as refused:
            # These words are of no template, and their lines are not those that were typed.
            raise CannotWrite(refused.reason) from refused
        if provider not in PENS:
            people = own_people(facts, draft.about, draft.people)
            own = own_of_edited(settings, facts, kept, lines_of(address), vouchers, people)
            pages = require_sound(settings, provider, body, address, own, draft.private, draft.people.values())
        cost = cost_of_letter(settings, provider, source, pages)
        return WrittenMessage(message.recipient or "", kept, body, pages, cost)
    if message.channel == EMAIL.name:
        to = json.loads(message.recipient or "{}")
        mailbox = to["name"], to["email"]
        body = write_email(facts, source, mailbox, business, message.reference, key)
        return WrittenMessage(message.recipient or "", kept, body, 1, settings.postage.email)
    if message.channel == TEXT.name:
        text, segments = write_text(facts, source, settings.texts.max_segments)
        cost = segments * settings.postage.text_segment
        return WrittenMessage(message.recipient or "", text, text.encode(), segments, cost)
    return WrittenMessage(message.recipient or "", kept, write_call(facts, source), 1, settings.postage.call)


def _on_its_paper(settings: Settings, draft: Draft, words: Words) -> Words:
    """The same words on the card, if any, that the message's template chooses by now."""
    written = (read_sources(settings.templates) | dict(draft.saved)).get(words.name("html"), "")
    return replace(words, sources={"html": choose(chosen_paper(written), words.sources["html"])})


def _address_of(message: Message) -> Address:
    """The address as it was composed, whatever the customer's record says by now."""
    fields = json.loads(message.recipient or "{}")
    return Address(**(fields | {"lines": tuple(fields["lines"]), "streets": tuple(fields["streets"])}))


def sha256_of(words: str) -> str:
    """What stands for the template's hash on an edited message: that of its words and of the layouts around them."""
    return hashlib.sha256("\0".join([words, layouts_sha256()]).encode()).hexdigest()


def _sources(channel: str, words: str) -> dict[str, str]:
    if channel == LETTER.name:
        return {"html": html_from_words(words)}
    if channel == EMAIL.name:
        return {"txt": words, "html": html_from_words(words.partition("\n")[2], tags_are_text=True)}
    return {"txt": words}


def check_words(settings: Settings, draft: Draft, words: str) -> str:
    """The words as they will be kept, with plain line ends. Raises TemplateRefused with the line."""
    name, channel = draft.message.reference, draft.message.channel
    # Browsers send the lines of a text area with CRLF, whatever the machine.
    lines = words.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").split("\n")
    for number, line in enumerate(lines, start=1):
        if refused := _against(line, channel):
            raise TemplateRefused(name, number, refused)
    kept = "\n".join(line.rstrip() for line in lines)
    dress: Dress = "letter" if channel == LETTER.name else "plain"
    check_template(name, kept, (), dress)
    kept = kept.strip()
    _, _, rest = kept.partition("\n")
    if not kept or (channel in {EMAIL.name, CALL.name} and not rest.strip()):
        raise TemplateRefused(name, 1, "there must be words; those of e-mails and calls begin with a subject line")
    if channel in {EMAIL.name, CALL.name}:
        require_whole_subject(name, kept)
    if channel == TEXT.name and not (settings.business.name in kept and "STOP" in kept):
        raise TemplateRefused(
            name, 1, f"a text names the business ({settings.business.name}) and says how to stop (STOP)"
        )
    # A name may be any word (Sue, Court, Crown).
    nameless = _without_names(kept, draft.names)
    require_kind_words(name, nameless, draft.message.kind, channel)
    open_to_all = {"email": nameless.partition("\n")[0], "text": nameless}.get(channel, "").casefold()
    if any(re.search(rf"\b{re.escape(private)}\b", open_to_all) for private in draft.private):
        raise TemplateRefused(name, 1, "anyone can read a subject or a text: it must not name a treatment")
    return kept


def _without_names(words: str, names: tuple[str, ...]) -> str:
    """The words with each name blanked where it stands first, as it is written; lines stay where they are."""
    for name in names:
        words = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " " * len(name), words, count=1)
    return words


def _against(line: str, channel: str) -> str:
    """Why the line may not stand; empty when it may."""
    if UNWRITABLE.search(line):
        return "it holds an invisible control character; type the line anew"
    if _BRACES.search(line):
        return "there are no fields here: write what stands for { and } as it shall be read"
    if channel != LETTER.name and _TAG.search(line):
        return "there are no tags here: write plain words"
    if _LAYING_OUT.search(line):
        return "leave a blank line for a new paragraph, and write no tag for it"
    return ""
