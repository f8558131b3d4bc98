"""An e-mail's words and its recipient in; the complete message, text and HTML, with its headers, out."""

import re
from datetime import date
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, formataddr

from markupsafe import Markup

from outreach.clock import instant_at
from outreach.composing.environment import render_template
from outreach.composing.facts import Facts
from outreach.composing.layouts import fill_layout, signature_line, small_print
from outreach.composing.templates import Words
from outreach.composing.unsubscribing import read_unsubscribe_token, unsubscribe_token
from outreach.errors import CannotWrite, FieldMissing
from outreach.settings import Business

__all__ = ["read_unsubscribe_token", "unsubscribe_token", "write_email"]
# Folding would put encoded words into the List-Unsubscribe address; RFC 5322 allows lines of 998.
_LONGEST_HEADER = 990
# The longest line of quoted-printable that RFC 2045 allows.
_LONGEST_LINE = 76


def write_email(
    facts: Facts, words: Words, to: tuple[str, str], business: Business, send_on: date, reference: str, key: bytes
) -> bytes:
    """The message to `to` (name, address), dated the business's sending hour of `send_on`. The same for the same words.

    Raises FieldMissing, and CannotWrite where a header would hold a line break.
    """
    subject, text, html = render_email(facts, words)
    around = {
        "signatory": facts.signatory,
        "signed": signature_line(facts.signatory, business),
        "why": small_print(words.language)["why_email"].format(business=business.name),
        "address": ", ".join((business.name, *business.address)),
        "stop": small_print(words.language)["stop_email"],
        "unsubscribe": f"{business.public_url.rstrip('/')}/unsubscribe/{unsubscribe_token(key, reference)}",
    }
    message = EmailMessage(policy=SMTP.clone(max_line_length=_LONGEST_LINE))
    headers = {
        "From": formataddr((business.name, business.email), "utf-8"),
        "To": _mailbox(*to),
        "Subject": subject,
        "Date": format_datetime(
            instant_at(send_on, business.sending_hour, business.timezone).astimezone(business.zone)
        ),
        "Message-ID": f"<{reference}@{business.email.rpartition('@')[2]}>",
        "List-Unsubscribe": f"<{around['unsubscribe']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "X-Outreach-Reference": reference,
    }
    _set_headers(message, headers)
    plain = {name: Markup(value) if isinstance(value, str) else value for name, value in around.items()}  # noqa: S704
    message.set_content(fill_layout("email.txt", body=Markup(text), **plain), cte="quoted-printable")  # noqa: S704
    page = fill_layout("email.html", language=words.language, subject=subject, body=Markup(html), **around)  # noqa: S704
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{reference}_=")
    as_ascii_or_not = SMTP if to[1].isascii() else SMTPUTF8
    return message.as_bytes(policy=as_ascii_or_not.clone(max_line_length=_LONGEST_HEADER))


def render_email(facts: Facts, words: Words) -> tuple[str, str, str]:
    """The subject, the text body and the HTML body. Raises FieldMissing, CannotWrite and TooLong."""
    first, _, rest = words.sources["txt"].partition("\n")
    subject = render_template(words.name("txt"), first, facts.fields, "plain").strip()
    if not subject:
        raise FieldMissing("subject", words.name("txt"))
    text = render_template(words.name("txt"), rest, facts.fields, "plain").strip()
    # Three line breaks in a row are what an untaken `if` leaves behind.
    text = re.sub(r"\n{3,}", "\n\n", text)
    return subject, text, render_template(words.name("html"), words.sources["html"], facts.fields, "email").strip()


def _mailbox(name: str, address: str) -> str:
    """The name and the address as a header holds them; letters beyond ASCII in the address stay (RFC 6532)."""
    if address.isascii():
        return formataddr((name, address), "utf-8")
    local, _, domain = address.rpartition("@")
    return str(Address(name, local, domain))


def _set_headers(message: EmailMessage, headers: dict[str, str]) -> None:
    for name, value in headers.items():
        if re.search(r"[\r\n\0]", value):
            raise CannotWrite(f"The header {name} would hold a line break; mend the customer data or the template")
        message[name] = value
