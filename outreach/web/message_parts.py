"""Reads a message's stored bytes as its recipient will read them, in parts that a page can show.

Nothing of a message reaches a page as it is: words are escaped, and of an e-mail's HTML only plain tags are kept.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy import Row
from sqlmodel import Session, col, select

from outreach.composing.proofing.pdf_pages import as_png, as_proof, draw_page
from outreach.composing.store.contents import LETTER, read_rows
from outreach.errors import StorageError
from outreach.models import Content, Message
from outreach.settings.paper import ProofSettings

# No attribute is kept: neither an address to load from nor a style.
KEPT = frozenset({"p", "br", "em", "strong", "ul", "ol", "li"})
UNSEEN = frozenset({"head", "title", "style", "script"})
PREVIEW_WIDTH, PREVIEW_COLOURS = 900, 64


@dataclass(frozen=True)
class Readable:
    """What a page shows of a message."""

    channel: str
    recipient: dict[str, Any]
    #: Set for printed letters, which are shown as pictures; all others have `words`.
    sha256: str | None = None
    #: Of an e-mail; of a call, what it is about.
    subject: str = ""
    #: From whom an e-mail is.
    sender: str = ""
    words: str = ""
    #: What not to say in a call.
    avoid: str = ""
    #: An e-mail's HTML, without any attribute.
    html: Markup | None = None


def read_message(session: Session, reference: str) -> Readable:
    """What the message says, from the very bytes that are approved and sent."""
    return read_messages(session, [reference])[reference]


def read_messages(session: Session, references: Sequence[str]) -> dict[str, Readable]:
    """The same of each of a page's messages, by reference, in two statements however many they are."""
    wanted = (
        select(  # type: ignore[call-overload]
            Message.reference, Message.channel, Message.recipient, Message.content_sha256, Content.media_type
        )
        .join(Content, col(Content.sha256) == Message.content_sha256, isouter=True)
        .where(col(Message.reference).in_(references))
    )
    rows = session.execute(wanted).all()
    # The bytes of letters are not read here: a contact sheet would read sixty of them to show none.
    bodies = read_rows(session, {row.content_sha256 for row in rows if row.media_type not in (None, LETTER)})
    return {row.reference: _read(row, bodies.get(row.content_sha256, b"")) for row in rows}


def _read(row: Row[Any], body: bytes | StorageError) -> Readable:
    recipient = json.loads(row.recipient or "{}")
    if row.media_type is None:
        return Readable(row.channel, recipient)
    if row.media_type == LETTER:
        return Readable(row.channel, recipient, sha256=row.content_sha256)
    if isinstance(body, StorageError):
        return Readable(row.channel, recipient, words=str(body))
    return read_content(row.channel, recipient, body, row.media_type)


def read_content(channel: str, recipient: dict[str, Any], body: bytes, media_type: str) -> Readable:
    """The same for bytes that are not stored: an e-mail, a text, a call or a letter in plain words."""
    if media_type == "message/rfc822":
        return _read_email(recipient, body)
    if media_type == "application/json":
        call = json.loads(body)
        return Readable(
            channel, recipient, subject=call.get("about", ""), words=call["script"], avoid=call.get("avoid", "")
        )
    return Readable(channel, recipient, words=body.decode())


def preview_content(
    proof: ProofSettings, channel: str, recipient: dict[str, Any], body: bytes, media_type: str
) -> dict[str, str]:
    """What is not stored yet, for a page to show: `picture` (a data URL) of a letter, or the `words` of the rest."""
    if media_type == LETTER:
        picture = as_png(as_proof(draw_page(body, PREVIEW_WIDTH), proof), PREVIEW_COLOURS)
        # In the page itself, since it is kept nowhere that a second request could find it. HEADERS in app.py allow for
        # that.
        return {"picture": f"data:image/png;base64,{base64.b64encode(picture).decode()}"}
    content = read_content(channel, recipient, body, media_type)
    return {"words": f"{content.subject}\n\n{content.words}".strip()}


def _read_email(recipient: dict[str, Any], body: bytes) -> Readable:
    mail = message_from_bytes(body, policy=default)
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    return Readable(
        "email",
        recipient,
        subject=str(mail["Subject"]),
        sender=str(mail["From"]),
        words=plain.get_content().strip() if plain else "",
        html=keep_plain_tags(page.get_content()) if page else None,
    )


def keep_plain_tags(html: str) -> Markup:
    """The paragraphs and lists of an e-mail as its reader sees them, without any attribute."""
    reader = _PlainTags()
    reader.feed(html)
    reader.close()
    return Markup("").join(reader.kept)


class _PlainTags(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.kept: list[Markup] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.unseen += tag in UNSEEN
        if tag in KEPT:
            self.kept.append(Markup("<{}>").format(tag))
        # A link is shown, and leads nowhere: behind the one to unsubscribe, staff could sign the customer off.
        elif tag == "a":
            self.kept.append(Markup('<span class="link">'))

    def handle_endtag(self, tag: str) -> None:
        self.unseen -= tag in UNSEEN
        if tag in KEPT and tag != "br":
            self.kept.append(Markup("</{}>").format(tag))
        elif tag == "a":
            self.kept.append(Markup("</span>"))

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.kept.append(escape(data))
