"""Batches that wait too long in; one e-mail to the deputy out: counts, moments, batch ids and a link to the sign-in.

It never names a customer, and the link decides nothing.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from sqlalchemy import Engine

from outreach.approval.reminders import Reminder, claim_reminder, release_reminder
from outreach.clock import business_date
from outreach.database import writing
from outreach.delivery.providers import Handover, Provider
from outreach.errors import AlreadyAccepted, NotSent, OutcomeUnknown, Refused, SettingsError
from outreach.models import Batch
from outreach.settings import Settings

# What tells a reminder from a message to a customer, where a provider reports on it.
PREFIX = "reminder-"


def remind_deputy(
    engine: Engine, settings: Settings, now: datetime, carriers: Mapping[str, Provider], tell: Callable[[str], None]
) -> int:
    """Tells the deputy of the batches that wait too long, each once; returns of how many.

    What surely did not leave is tried again by the next run; what may have left is not.
    """
    carrier = carriers.get(settings.provider_for("email"))
    if carrier is None or not settings.business.email:
        return 0
    try:
        with writing(engine) as session:
            reminder = claim_reminder(session, settings, now)
    except SettingsError as error:
        tell(str(error))
        return 0
    if reminder is None:
        return 0
    try:
        carrier.send(_handover_of(reminder, settings, now))
    except (NotSent, Refused) as error:
        tell(f"{reminder.staff_id} could not be reminded: {error}")
        with writing(engine) as session:
            release_reminder(session, reminder.batches, now)
        return 0
    except OutcomeUnknown as error:
        tell(f"{reminder.staff_id} may not have been reminded: {error}")
    except AlreadyAccepted:
        pass
    return len(reminder.batches)


def is_reminder(reference: str) -> bool:
    return reference.startswith(PREFIX)


def _handover_of(reminder: Reminder, settings: Settings, now: datetime) -> Handover:
    named = "\0".join([now.isoformat(), *(batch.batch_id for batch in reminder.batches)])
    reference = PREFIX + hashlib.sha256(named.encode()).hexdigest()[:16]
    return Handover(
        reference=reference,
        key=f"{reference}.1",
        channel="email",
        recipient={"email": reminder.email, "name": reminder.name},
        content=_write(reminder, settings, reference, now),
        media_type="message/rfc822",
        on=business_date(now, settings.business.timezone),
        batch_id="",
        begun_at=now,
    )


def _write(reminder: Reminder, settings: Settings, reference: str, now: datetime) -> bytes:
    business = settings.business
    message = EmailMessage(policy=SMTP)
    message["From"] = _mailbox(business.name, business.email)
    message["To"] = _mailbox(reminder.name, reminder.email)
    message["Subject"] = f"{_counted(len(reminder.batches))} for approval"
    message["Date"] = format_datetime(now.astimezone(business.zone))
    message["Message-ID"] = f"<{reference}@{business.email.rpartition('@')[2]}>"
    # Machines that answer letters on their own shall leave this one alone (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_words(reminder, settings), cte="quoted-printable")
    return message.as_bytes(policy=SMTP if reminder.email.isascii() else SMTPUTF8)


def _mailbox(name: str, address: str) -> Address:
    """A header must not hold a line break, whoever typed it; letters beyond ASCII in the address stay (RFC 6532)."""
    username, _, domain = address.rpartition("@")
    return Address(_one_line(name), username, domain)


def _words(reminder: Reminder, settings: Settings) -> str:
    lines = "\n".join(f"- {_line(batch, settings)}" for batch in reminder.batches)
    hours, name = settings.approval.remind_hours, _one_line(reminder.name)
    return f"""Hello {name},

Nobody has decided on this for more than {"an hour" if hours == 1 else f"{hours} hours"}:

{lines}

Please look at it at the desk, or ask somebody else to:
{settings.business.public_url.rstrip("/")}/

The link only leads to the sign-in. You are reminded once of each batch.
"""


def _line(batch: Batch, settings: Settings) -> str:
    since = batch.opened_at.astimezone(settings.business.zone)
    messages = "1 message" if batch.count == 1 else f"{batch.count} messages"
    kind = batch.kind.replace("_", " ")
    return f"{batch.batch_id}: {messages}, {kind} by {batch.channel}, since {since:%-d %b %Y, %H:%M}"


def _counted(number: int) -> str:
    return "1 batch waits" if number == 1 else f"{number} batches wait"


def _one_line(text: str) -> str:
    return " ".join(text.split())
