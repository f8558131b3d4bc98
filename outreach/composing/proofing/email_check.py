"""Final checks of a written e-mail: its very bytes are read again as a reader of mail would. Raises FailedCheck.

It trusts nothing that the writer knows, changes nothing, and never repeats a customer's words: what it says may stand
in logs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.headerregistry import AddressHeader
from email.message import EmailMessage, Message
from email.policy import SMTP
from html.parser import HTMLParser
from typing import cast

from outreach.composing.mail_headers import LONGEST_LINE, one_spaced, read_mailboxes, read_words
from outreach.errors import FailedCheck

# Nothing else may stand in the head. Its Date is written when it leaves.
FIELDS = (
    "From", "To", "Subject", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "X-Outreach-Reference",
    "MIME-Version", "Content-Type",
)  # fmt: skip
# RFC 5322, 2.1.1: no line may be longer, its end aside.
LONGEST = 998
# RFC 2047, 2.
LONGEST_ENCODED_WORD = 75
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[^?\s]+\?[^?\s]*\?=")
_LONE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)|\0")
_PLAIN_TAGS = frozenset({"p", "em", "strong", "br", "ul", "ol", "li"})
_LINKS = ("https://", "mailto:", "tel:")


@dataclass(frozen=True)
class ExpectedEmail:
    """What must be read back."""

    #: Name and address, as is the next.
    sender: tuple[str, str]
    to: tuple[str, str]
    subject: str
    #: The whole link.
    unsubscribe: str
    #: This and the next are the layouts around no words at all: how each part ends, with how to stop.
    text: str
    page: str


def require_sound_email(content: bytes, expected: ExpectedEmail) -> None:
    """Raises FailedCheck with the first thing that is wrong with the written e-mail, in words that name nobody."""
    for fault in _faults(content, expected):
        raise FailedCheck(f"the written e-mail fails its check: {fault}")


def _faults(content: bytes, expected: ExpectedEmail) -> Iterator[str]:
    yield from _faults_of_lines(content)
    message = message_from_bytes(content, policy=SMTP)
    # Read in two ways: what one reader takes for a name must not be a second recipient to another.
    yield from _faults_of_head(message_from_bytes(content), message, expected)
    yield from _faults_of_parts(message, expected)


def _faults_of_lines(content: bytes) -> Iterator[str]:
    if _LONE_LINE_END.search(content) or not content.endswith(b"\r\n"):
        yield "it holds a broken line end"
    if any(len(line) > LONGEST for line in content.split(b"\r\n")):
        yield f"a line is longer than {LONGEST} bytes"
    head = content.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    for line in head.split("\r\n"):
        words = _ENCODED_WORD.findall(line)
        if not line.strip():
            yield "its head holds an empty line"
        elif words and (len(line) > LONGEST_LINE or any(not _stands_alone(word) for word in words)):
            yield "an encoded word is too long, or cannot be read by itself"


def _stands_alone(word: str) -> bool:
    # U+FFFD stands for bytes that are no letter: the word was cut within one.
    return len(word) <= LONGEST_ENCODED_WORD and read_words(word) != word and "\ufffd" not in read_words(word)


def _faults_of_head(plain: Message, message: EmailMessage, expected: ExpectedEmail) -> Iterator[str]:
    if sorted(name.lower() for name in plain) != sorted(name.lower() for name in FIELDS):
        yield "its head lacks a field, or has one twice or too many"
        return
    for name, (person, address) in (("From", expected.sender), ("To", expected.to)):
        addresses = [one.addr_spec for one in cast(AddressHeader, message[name]).addresses]
        if read_mailboxes(_raw(plain, name)) != [(one_spaced(person), address)] or len(addresses) != 1:
            yield f"{name} is not the one name and address on record"
        elif addresses[0].encode("utf-8", "surrogateescape") != address.encode():
            yield f"{name} could be read as another address"
    if read_words(_raw(plain, "Subject")) != expected.subject:
        yield "its subject is not the one that was written"
    if _raw(plain, "List-Unsubscribe").strip() != f"<{expected.unsubscribe}>":
        yield "its unsubscribe link is not the one that we made"


def _raw(plain: Message, name: str) -> str:
    """The field as it stands; UTF-8 in it (RFC 6532) comes out of the parser in surrogates."""
    value = str(plain.get(name, ""))
    raw = next((text for key, text in plain.raw_items() if key.lower() == name.lower()), value)
    return str(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _faults_of_parts(message: EmailMessage, expected: ExpectedEmail) -> Iterator[str]:
    parts = [part.get_content_type() for part in message.walk()]
    if parts != ["multipart/alternative", "text/plain", "text/html"] or message.defects:
        yield "it is not one part of text and one of HTML"
        return
    text, page = (cast(EmailMessage, part).get_content() for part in message.iter_parts())
    if not one_spaced(text).endswith(one_spaced(expected.text)) or expected.unsubscribe not in text:
        yield "its text does not end with the line that says how to stop"
    seen, frame = _read_page(page), _read_page(expected.page)
    if seen.framed != frame.framed or seen.strange:
        yield "its HTML holds a tag, or something hidden, that no e-mail may hold"
    if not one_spaced(seen.text).endswith(one_spaced(frame.text)):
        yield "its HTML does not end with the line that says how to stop"


@dataclass
class _HtmlReader(HTMLParser):
    """What a page shows: its text, and every tag besides the plain ones that a template may use."""

    text: str = ""
    framed: list[tuple[str, ...]] = field(default_factory=list)
    strange: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_plain_link = tag == "a" and [name for name, _ in attrs] == ["href"] and str(attrs[0][1]).startswith(_LINKS)
        if not (is_plain_link or (tag in _PLAIN_TAGS and not attrs)):
            self.framed.append((tag, *(f"{name}={value}" for name, value in attrs)))
        # What stands before the body is not shown on the page.
        self.text = "" if tag == "body" else self.text + " " * (tag in {"p", "br", "li", "div"})

    def handle_endtag(self, tag: str) -> None:
        if tag not in _PLAIN_TAGS and tag != "a":
            self.framed.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.strange = True

    def unknown_decl(self, data: str) -> None:
        self.strange = True

    def handle_pi(self, data: str) -> None:
        self.strange = True


def _read_page(page: str) -> _HtmlReader:
    parsed = _HtmlReader()
    parsed.feed(page)
    parsed.close()
    return parsed
