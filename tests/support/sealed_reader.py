"""Reads sealed bytes back with programs that are not ours, and says what in them is not their customer's alone."""

import email.errors
import email.policy
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_string
from email.header import decode_header, make_header
from email.utils import getaddresses
from html.parser import HTMLParser
from typing import Any

from pypdf import PdfReader
from pypdf.generic import IndirectObject

from conftest import NOW
from outreach.composing.digests import message_digest
from outreach.composing.paper.addresses import full_name
from outreach.contacts import normalise_email
from outreach.delivery.providers.sealed_mail import read_sealed
from outreach.doctor.specimens import email_handover
from outreach.errors import OutreachError
from outreach.intake.names import greeting_of
from outreach.models import Customer, Message
from outreach.settings import Settings

ENCODED_WORD = re.compile(rb"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", re.IGNORECASE)
UTF8_IS_ALLOWED = email.errors.NonASCIILocalPartDefect
ACTIVE = ("/JS", "/JavaScript", "/OpenAction", "/AA", "/Launch", "/URI", "/EmbeddedFile", "/RichMedia", "/GoToR")
LONGEST_ENCODED_WORD, LONGEST_LINE = 75, 998


@dataclass(frozen=True)
class Sealed:
    """What was sealed for one person, and what is on record of them."""

    message: Message
    body: bytes
    person: Customer

    @property
    def recipient(self) -> dict[str, Any]:
        return dict(json.loads(self.message.recipient or "{}"))

    @property
    def greeting(self) -> str:
        return greeting_of(self.person) or "nobody"


def seal_faults(sealed: Sealed) -> list[str]:
    """What is wrong with the seal and the recipient, whatever the channel."""
    faults = []
    if message_digest(sealed.message, sealed.message.content_sha256 or "") != sealed.message.digest:
        faults.append("the digest is not that of the bytes")
    if sealed.recipient.get("name") != full_name(sealed.person):
        faults.append("the recipient is not the name on record")
    return faults


# --- e-mails ---


class _Skeleton(HTMLParser):
    """The tags of a page with their attributes, in order, and its text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags, self.text = list[tuple[str, tuple[tuple[str, str | None], ...]]](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple((name, _without_token(value)) for name, value in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}", ()))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", ()))

    def handle_decl(self, decl: str) -> None:
        self.tags.append((decl.lower(), ()))

    def handle_pi(self, data: str) -> None:
        self.tags.append(("instruction", ()))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _without_token(value: str | None) -> str | None:
    return re.sub(r"/unsubscribe/[\w.~=-]+$", "/unsubscribe/", value or "")


def skeleton_of(html: str) -> _Skeleton:
    parser = _Skeleton()
    parser.feed(html)
    parser.close()
    return parser


def read_email(sealed: Sealed, control: Sealed, settings: Settings) -> list[str]:
    """What is wrong with an e-mail as Python's parser and a relay read it, beside one that is surely right."""
    mail, right = parse_email(sealed.body), parse_email(control.body)
    faults = _header_faults(sealed, mail, right, settings)
    faults += _line_faults(sealed.body)
    try:
        to = (full_name(sealed.person), sealed.recipient["email"])
        read_sealed(email_handover(settings, sealed.body, to, sealed.message.reference, NOW))
    except OutreachError as refused:
        faults.append(f"its adapter would refuse it ({str(refused)[:60]})")
    html, right_html = (skeleton_of(part_of(one, "html")) for one in (mail, right))
    plain = part_of(mail, "plain")
    if html.tags != right_html.tags:
        faults.append("the tags of the page are not ours alone")
    greets = f"Dear {sealed.greeting},"
    if not plain.startswith(greets) or greets not in "".join(html.text):
        faults.append("the greeting is not the name on record")
    if [part.get_content_type() for part in mail.walk()] != [part.get_content_type() for part in right.walk()]:
        faults.append("it has other parts than ours")
    if plain.count("/unsubscribe/") != 1:
        faults.append("the text has not one unsubscribe link")
    return faults


def parse_email(body: bytes) -> Any:
    """The message as a reader that knows UTF-8 in headers (RFC 6532) takes it."""
    return message_from_string(body.decode(), policy=email.policy.default)


def _header_faults(sealed: Sealed, mail: Any, right: Any, settings: Settings) -> list[str]:
    faults = []
    broken = [fault for _, header in mail.items() for fault in header.defects if not isinstance(fault, UTF8_IS_ALLOWED)]
    if mail.keys() != right.keys() or mail.defects or broken:
        faults.append("the headers are not ours, or broken")
    sender = [(one.display_name, one.addr_spec) for one in mail["From"].addresses]
    if sender != [(settings.business.name, settings.business.email)]:
        faults.append("it has not one From, which is ours")
    if mail["Subject"] != right["Subject"]:
        faults.append("the subject is not ours")
    to = mail["To"].addresses
    if [normalise_email(one.addr_spec) for one in to] != [normalise_email(sealed.person.email or "")]:
        faults.append("it has not one To, which is theirs")
    elif _shown(_name_in_to(sealed.body)) != _shown(full_name(sealed.person)):
        faults.append("the name in To is not the one on record")
    return faults


def _name_in_to(body: bytes) -> str:
    """The name in To by RFC 2047, 6.2: the space between two encoded words is none. Python's parser of addresses keeps
    it before 3.12, so the words are decoded by the older one."""
    head = message_from_string(body.decode(), policy=email.policy.compat32)
    (name, _), *_others = getaddresses([re.sub(r"\r?\n(?=[ \t])", "", head["To"])])
    return str(make_header(decode_header(name)))


def _shown(name: str) -> str:
    return " ".join(name.split())


def _line_faults(body: bytes) -> list[str]:
    """RFC 5322, 2.1.1 and RFC 2047, 2: how long a line and an encoded word may be, and how a line ends."""
    faults = []
    if re.search(rb"(?<!\r)\n|\r(?!\n)|\0", body):
        faults.append("a line end or a zero stands where none may")
    if any(len(line) > LONGEST_LINE for line in body.split(b"\r\n")):
        faults.append("a line is longer than any may be")
    head = body.partition(b"\r\n\r\n")[0]
    if any(len(word) > LONGEST_ENCODED_WORD for word in ENCODED_WORD.findall(head)):
        faults.append("an encoded word is longer than any may be")
    return faults


def part_of(mail: Any, kind: str) -> str:
    return str(mail.get_body((kind,)).get_content())


# --- letters, texts and calls ---


def read_letter(sealed: Sealed, control: Sealed, settings: Settings) -> list[str]:
    """What is wrong with a letter as pypdf reads it: something to run or to fetch, or another's words."""
    faults = letter_faults(sealed.body)
    page = "".join(page.extract_text() for page in PdfReader(io.BytesIO(sealed.body)).pages)
    for words in (full_name(sealed.person), sealed.greeting, sealed.person.address_line1 or ""):
        # Letters of many scripts are drawn in another order than they are written in, and all are there.
        missing = Counter(_letters(words)) - Counter(_letters(page))
        if missing or (words.isascii() and _letters(words) not in _letters(page)):
            faults.append(f"the page lacks {words!a}")
    return faults


def letter_faults(body: bytes) -> list[str]:
    """Names of what a viewer would run, open or fetch, wherever it stands in the file."""
    pdf = PdfReader(io.BytesIO(body))
    ids = {number for table in pdf.xref.values() for number in table} | set(pdf.xref_objStm)
    said = "".join(repr(pdf.get_object(IndirectObject(number, 0, pdf))) for number in sorted(ids) if number)
    return [f"it carries {name}" for name in ACTIVE if f"'{name}'" in said]


def _letters(text: str) -> str:
    kept = (letter for letter in unicodedata.normalize("NFKD", text).casefold() if letter.isalnum())
    return "".join(kept)


def read_text(sealed: Sealed, control: Sealed, settings: Settings) -> list[str]:
    """A text is ours with their name in the place of the control's, and goes to their number."""
    expected = control.body.decode().replace(control.greeting, sealed.greeting)
    faults = [] if sealed.body.decode() == expected else ["the words are not ours with their name"]
    return faults + ([] if re.fullmatch(r"\+\d{7,15}", sealed.recipient["phone"]) else ["it has no one number"])


def read_call(sealed: Sealed, control: Sealed, settings: Settings) -> list[str]:
    """The same for the line of a call sheet."""
    said, right = json.loads(sealed.body), json.loads(control.body)
    expected = {name: value.replace(control.greeting, sealed.greeting) for name, value in right.items()}
    return [] if said == expected else ["the words are not ours with their name"]


Reader = Callable[[Sealed, Sealed, Settings], list[str]]
READERS: dict[str, Reader] = {"email": read_email, "letter": read_letter, "text": read_text, "call": read_call}
