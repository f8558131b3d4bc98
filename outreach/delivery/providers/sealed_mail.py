"""Reads the sealed bytes of an e-mail for a hand-over, and finds the one address that it may go to.

The sealed bytes are never changed. An e-mail that names anybody besides its recipient does not leave.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from outreach.composing.mail_headers import read_mailboxes, read_words
from outreach.delivery.providers.protocol import Handover
from outreach.errors import Refused

# Relays and vendors follow these headers, or show them to everybody; composing writes none of them.
FOR_OTHERS = ("Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc")
# Intake lets no quoted local part and no domain literal in, so what looks like one was not made by us.
_PLAIN_ADDRESS = re.compile(r"""[^\s\x00-\x1f\x7f<>()\[\],;:"\\@]+@[^\s\x00-\x1f\x7f<>()\[\],;:"\\@]+""")
# A lone CR or LF is a line end to some servers and none to others: what follows may pass for a message of its own.
_LONE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")


def read_sealed(handover: Handover) -> tuple[EmailMessage, str]:
    """The sealed message, for reading only, and its one address.

    Raises Refused when its headers name anybody else, when its lines could be read in two ways, or when it cannot be
    read at all: nothing of it has left by then.
    """
    address = handover.recipient.get("email") or ""
    if not _PLAIN_ADDRESS.fullmatch(address):
        raise Refused(f"{handover.reference} has no e-mail address that mail can go to; correct the customer's")
    try:
        message = message_from_bytes(handover.content, policy=SMTP)
        faults = list(_faults(message, address, handover.content))
    except Exception as error:
        what = f"{handover.reference} cannot be read as an e-mail ({type(error).__name__})"
        raise Refused(f"{what}; withdraw it and compose it anew") from error
    if faults:
        raise Refused(f"{handover.reference} {faults[0]}; withdraw it and compose it anew")
    return message, address


def _faults(message: EmailMessage, address: str, content: bytes) -> Iterator[str]:
    # Read in two ways: what one reader takes for a name must not be a second recipient to another.
    readings = (_addresses(message, "To"), [found for _, found in _mailboxes(message, "To")])
    if any(found != [address] for found in readings) or any(name in message for name in FOR_OTHERS):
        yield "is not addressed to its customer alone"
    if len(_addresses(message, "From")) != 1 or len(message.get_all("Subject", [])) != 1:
        yield "does not have one sender and one subject"
    if _LONE_LINE_END.search(content):
        yield "holds a broken line end"


def dated(handover: Handover) -> bytes:
    """The message as it leaves: below the Date of this very try, which no seal could know, the sealed bytes."""
    if b"\r\ndate:" in b"\r\n" + handover.content.partition(b"\r\n\r\n")[0].lower():
        return handover.content
    return f"Date: {format_datetime(handover.begun_at)}\r\n".encode() + handover.content


def name_in(message: EmailMessage, header: str) -> str | None:
    """The one name that a field of the sealed message gives, or None where it gives none."""
    return next((name for name, _ in _mailboxes(message, header)), "") or None


def subject_in(message: EmailMessage) -> str:
    return read_words(_raw(message, "Subject")[0])


def _mailboxes(message: EmailMessage, name: str) -> list[tuple[str, str]]:
    return [mailbox for value in _raw(message, name) for mailbox in read_mailboxes(value)]


def _raw(message: EmailMessage, name: str) -> list[str]:
    """The values of a field as they stand, before Python reads them."""
    return [as_written(str(value)) for key, value in message.raw_items() if key.lower() == name.lower()]


def _addresses(message: EmailMessage, name: str) -> list[str]:
    return [as_written(one.addr_spec) for header in message.get_all(name, []) for one in header.addresses]


def as_written(text: str) -> str:
    """The text of a header as its writer meant it: UTF-8 in it (RFC 6532) comes out of the parser as surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
