"""Sends one plain e-mail to the business's own people, by its own e-mail provider. Never to a customer."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from outreach.channels import EMAIL
from outreach.clock import business_date
from outreach.composing.mail_headers import write_mailbox, write_token, write_unstructured
from outreach.composing.templating.engine import UNWRITABLE
from outreach.delivery.providers import Handover, Provider
from outreach.errors import AlreadyAccepted
from outreach.settings import Settings

# What tells these from a message to a customer, where a provider reports on one.
REMINDER, ALARM, TEST = "reminder-", "alarm-", "test-"


@dataclass(frozen=True)
class Notice:
    """One e-mail to somebody of the business."""

    #: It begins with REMINDER, ALARM or TEST, and names the e-mail for ever.
    reference: str
    email: str
    name: str
    subject: str
    words: str


def send_notice(carrier: Provider, settings: Settings, notice: Notice, now: datetime) -> None:
    """Hands it over once. Raises NotSent, Refused or OutcomeUnknown, as its provider does."""
    handover = Handover(
        reference=notice.reference,
        key=f"{notice.reference}.1",
        channel=EMAIL.name,
        recipient={"email": notice.email, "name": notice.name},
        content=_write(notice, settings, now),
        media_type="message/rfc822",
        on=business_date(now, settings.business.timezone),
        batch_id="",
        begun_at=now,
    )
    try:
        carrier.send(handover)
    # It has arrived by an earlier hand-over of the same reference, which is all that was wanted.
    except AlreadyAccepted:
        return


def is_notice(reference: str) -> bool:
    return reference.startswith((REMINDER, ALARM, TEST))


def one_line(text: str) -> str:
    """The text without line breaks, control characters and runs of spaces, fit for a header."""
    return " ".join(UNWRITABLE.sub(" ", text).split())


def _write(notice: Notice, settings: Settings, now: datetime) -> bytes:
    business = settings.business
    head = [
        write_mailbox("From", one_line(business.name), business.email),
        write_mailbox("To", one_line(notice.name), notice.email),
        write_unstructured("Subject", one_line(notice.subject)),
        write_token("Message-ID", f"<{notice.reference}@{business.email.rpartition('@')[2]}>"),
        f"Date: {format_datetime(now.astimezone(business.zone))}\r\n",
        # Machines that answer letters on their own shall leave this one alone (RFC 3834).
        write_token("Auto-Submitted", "auto-generated"),
    ]
    message = EmailMessage(policy=SMTP)
    message.set_content(notice.words, cte="quoted-printable")
    return "".join(head).encode() + message.as_bytes()
