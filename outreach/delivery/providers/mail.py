"""A hand-over of a sealed e-mail in; the message and the one address it may go to, out.

The sealed bytes are read here, never changed. One that names anybody besides its recipient does not leave.
"""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

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

    Raises Refused when its headers name anybody else, or when its lines could be read in two ways.
    """
    message = message_from_bytes(handover.content, policy=SMTP)
    address = handover.recipient.get("email") or ""
    if not _PLAIN_ADDRESS.fullmatch(address):
        raise Refused(f"{handover.reference} has no e-mail address that mail can go to; correct the customer's")
    if _addresses(message, "To") != [address] or any(name in message for name in FOR_OTHERS):
        raise Refused(f"{handover.reference} is not addressed to its customer alone; withdraw it and compose it anew")
    if len(_addresses(message, "From")) != 1 or len(message.get_all("Subject", [])) != 1:
        raise Refused(f"{handover.reference} does not have one sender and one subject; withdraw it and compose it anew")
    if _LONE_LINE_END.search(handover.content):
        raise Refused(f"{handover.reference} holds a broken line end; withdraw it and compose it anew")
    return message, address


def _addresses(message: EmailMessage, name: str) -> list[str]:
    return [as_written(one.addr_spec) for header in message.get_all(name, []) for one in header.addresses]


def as_written(text: str) -> str:
    """The text of a header as its writer meant it: UTF-8 in it (RFC 6532) comes out of the parser as surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
