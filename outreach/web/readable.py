"""A message's stored bytes in; what its recipient will read out, in parts that a page can show."""

import json
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from typing import Any

from sqlmodel import Session

from outreach.models import Content, Message


@dataclass(frozen=True)
class Readable:
    """`sha256` is set for printed letters, which are shown as pictures; all others have `words`."""

    reference: str
    channel: str
    recipient: dict[str, Any]
    sha256: str | None = None
    subject: str = ""
    sender: str = ""
    words: str = ""
    avoid: list[str] = field(default_factory=list)


def read_message(session: Session, reference: str) -> Readable:
    """What the message says, from the very bytes that are approved and sent."""
    message = session.get_one(Message, reference)
    content = session.get(Content, message.content_sha256) if message.content_sha256 else None
    recipient = json.loads(message.recipient or "{}")
    if content is None:
        return Readable(reference, message.channel, recipient)
    if content.media_type == "application/pdf":
        return Readable(reference, message.channel, recipient, sha256=content.sha256)
    if content.media_type == "message/rfc822":
        return _read_email(reference, recipient, content.body)
    text = content.body.decode()
    if content.media_type == "application/json":
        call = json.loads(text)
        return Readable(reference, "call", recipient, subject=call.get("about", ""), words=call.get("script", text))
    return Readable(reference, message.channel, recipient, words=text)


def _read_email(reference: str, recipient: dict[str, Any], body: bytes) -> Readable:
    mail = message_from_bytes(body, policy=default)
    plain = mail.get_body(("plain",))
    words = plain.get_content() if plain else ""
    return Readable(
        reference, "email", recipient, subject=str(mail["Subject"]), sender=str(mail["From"]), words=words.strip()
    )
