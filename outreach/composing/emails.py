"""Writes a complete e-mail out of its words and its recipient: text and HTML, with its head.

It has no Date: that is true only when the e-mail leaves, and is written then. What is written is read back before it is
given out.
"""

import re
from email.message import EmailMessage
from email.policy import SMTP

from markupsafe import Markup

from outreach.composing.mail_headers import write_mailbox, write_token, write_unstructured
from outreach.composing.proofing.email_check import ExpectedEmail, require_sound_email
from outreach.composing.template_data import Facts
from outreach.composing.templating.engine import UNWRITABLE, render_template
from outreach.composing.templating.small_print import fill_layout, signature_line, small_print
from outreach.composing.templating.templates import Words
from outreach.composing.unsubscribe_links import read_unsubscribe_token, unsubscribe_token
from outreach.contacts import deliverable_email
from outreach.errors import FieldMissing, TemplateRefused
from outreach.settings import Business

__all__ = ["read_unsubscribe_token", "unsubscribe_token", "write_email"]
# The longest line of quoted-printable that RFC 2045 allows.
_LONGEST_LINE = 76


def write_email(
    facts: Facts, words: Words, to: tuple[str, str], business: Business, reference: str, key: bytes
) -> bytes:
    """The message to `to` (name, address). The same for the same words.

    Raises FieldMissing, CannotWrite where a header would hold a line break, and FailedCheck where what was written does
    not read back as it was meant.
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
    # The plain part is no HTML: escaped, its words would read “&amp;”.
    plain = {name: Markup(value) if isinstance(value, str) else value for name, value in around.items()}  # noqa: S704

    def fill_text(body: str) -> str:
        return fill_layout("email.txt", body=Markup(body), **plain)  # noqa: S704

    def fill_page(body: str) -> str:
        return fill_layout("email.html", language=words.language, subject=subject, body=Markup(body), **around)  # noqa: S704

    link, sender = str(around["unsubscribe"]), (business.name, deliverable_email(business.email) or business.email)
    head = [
        write_mailbox("From", *sender),
        write_mailbox("To", *to),
        write_unstructured("Subject", subject),
        write_token("Message-ID", f"<{reference}@{sender[1].rpartition('@')[2]}>"),
        write_token("List-Unsubscribe", f"<{link}>"),
        # One click in the reader's own mail program, without a page to open (RFC 8058).
        write_token("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        write_token("X-Outreach-Reference", reference),
    ]
    written = "".join(head).encode() + _body_of(fill_text(text), fill_page(html), reference)
    # The layouts are filled once more without words: so the check knows how each part must end.
    require_sound_email(written, ExpectedEmail(sender, to, subject, link, fill_text(""), fill_page("")))
    return written


def _body_of(text: str, page: str, reference: str) -> bytes:
    """Both parts, below the fields that say what they are."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=_LONGEST_LINE))
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    # Python draws one at random, and the same words must give the same bytes.
    message.set_boundary(f"=_{reference}_=")
    return message.as_bytes()


def render_email(facts: Facts, words: Words) -> tuple[str, str, str]:
    """The subject, the text body and the HTML body.

    Raises FieldMissing, CannotWrite, TooLong, and TemplateRefused where no subject can be as the template writes it.
    """
    first, _, rest = words.sources["txt"].partition("\n")
    subject = render_template(words.name("txt"), first, facts.fields, "plain").strip()
    if not subject:
        raise FieldMissing("subject", words.name("txt"))
    if UNWRITABLE.search(subject):
        raise TemplateRefused(words.name("txt"), 1, "the subject would hold a line break or a control character")
    # A line break in the place of the subject: so that lines are counted as in the file.
    text = render_template(words.name("txt"), f"\n{rest}", facts.fields, "plain").strip()
    # Three line breaks in a row are what an untaken `if` leaves behind.
    text = re.sub(r"\n{3,}", "\n\n", text)
    return subject, text, render_template(words.name("html"), words.sources["html"], facts.fields, "email").strip()
