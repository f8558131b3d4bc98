"""Sends what an automation of Prefect has to say as one e-mail to those who run the business's outreach.

Its words are passed on as they are, as plain text; nothing of a customer is added. The token proves who asks.
"""

import hashlib
import hmac
from datetime import datetime

from outreach.channels import EMAIL
from outreach.delivery.providers import VENDORS, Closes, open_vendor, vendor_settings
from outreach.delivery.staff_mail.notices import ALARM, Notice, send_notice
from outreach.errors import SettingsError
from outreach.settings import Settings

LONGEST_SUBJECT = 150
WORDS = """{body}

--
{business} is told because ops.alarms_to in outreach.toml names this address. What each alarm means, and how to mend it,
stands in docs/runbook.md.
"""


def alarm_token(key: bytes) -> str:
    """What proves to the desk that an alarm comes from our own automations; it tells nothing of `key`."""
    return hmac.new(key, b"alarms", hashlib.sha256).hexdigest()


def mail_alarm(settings: Settings, subject: str, body: str, now: datetime) -> None:
    """Sends the words to `ops.alarms_to` through the provider that carries e-mails today.

    Raises SettingsError where alarms go nowhere by e-mail or nothing can carry them, and NotSent, Refused or
    OutcomeUnknown, as the provider does.
    """
    carrier_name, business = settings.provider_for(EMAIL.name), settings.business
    if settings.ops.alarms_go_by != "email" or not business.email:
        raise SettingsError("Alarms go out by e-mail once ops.alarms_to and business.email are set")
    if carrier_name in VENDORS and (missing := vendor_settings(settings, carrier_name).missing()):
        raise SettingsError(f"{carrier_name} carries no e-mails before these are set: {', '.join(missing)}")
    subject, body = _as_text(subject), _as_text(body)
    named = hashlib.sha256("\0".join([now.isoformat(), subject, body]).encode()).hexdigest()[:16]
    words = WORDS.format(body=body.strip(), business=business.name or "The business")
    notice = Notice(f"{ALARM}{named}", settings.ops.alarms_to, "", subject[:LONGEST_SUBJECT], words)
    # Only this one is opened: what another vendor lacks may be the very thing to tell of.
    carrier = open_vendor(carrier_name, settings)
    try:
        send_notice(carrier, settings, notice, now)
    finally:
        if isinstance(carrier, Closes):
            carrier.close()


def _as_text(words: str) -> str:
    """The words without what is no text: control characters but line ends, and halves of characters."""
    whole = words.encode("utf-8", "replace").decode()
    return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in whole.splitlines())
