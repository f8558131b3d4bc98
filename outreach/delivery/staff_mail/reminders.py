"""Reminds the deputy by one e-mail of batches that wait too long: counts, moments, batch ids and a link to the sign-in.

It never names a customer, and the link decides nothing.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Engine

from outreach.approval.reminders import Reminder, claim_reminder, release_reminder
from outreach.channels import EMAIL
from outreach.database import writing
from outreach.delivery.providers import Provider
from outreach.delivery.staff_mail.notices import REMINDER, Notice, one_line, send_notice
from outreach.errors import NotSent, OutcomeUnknown, Refused, SettingsError
from outreach.models import Batch
from outreach.settings import Settings


def remind_deputy(
    engine: Engine, settings: Settings, now: datetime, carriers: Mapping[str, Provider], tell: Callable[[str], None]
) -> int:
    """Tells the deputy of the batches that wait too long, each once; returns of how many.

    What surely did not leave is tried again by the next run; what may have left is not.
    """
    carrier = carriers.get(settings.provider_for(EMAIL.name))
    if carrier is None or not settings.business.email:
        return 0
    try:
        with writing(engine) as session:
            # Committed before the e-mail leaves: of two runs at once, one alone reminds.
            reminder = claim_reminder(session, settings, now)
    except SettingsError as error:
        tell(str(error))
        return 0
    if reminder is None:
        return 0
    try:
        send_notice(carrier, settings, _notice_of(reminder, settings, now), now)
    except (NotSent, Refused) as error:
        tell(f"{reminder.staff_id} could not be reminded: {error}")
        with writing(engine) as session:
            release_reminder(session, reminder.batches, now)
        return 0
    except OutcomeUnknown as error:
        tell(f"{reminder.staff_id} may not have been reminded: {error}")
    return len(reminder.batches)


def _notice_of(reminder: Reminder, settings: Settings, now: datetime) -> Notice:
    named = "\0".join([now.isoformat(), *(batch.batch_id for batch in reminder.batches)])
    reference = REMINDER + hashlib.sha256(named.encode()).hexdigest()[:16]
    subject = f"{_counted(len(reminder.batches))} for approval"
    return Notice(reference, reminder.email, reminder.name, subject, _words(reminder, settings))


def _words(reminder: Reminder, settings: Settings) -> str:
    lines = "\n".join(f"- {_line(batch, settings)}" for batch in reminder.batches)
    hours, name = settings.approval.remind_hours, one_line(reminder.name)
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
