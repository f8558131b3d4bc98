"""Says whether a channel may carry a purpose to a person: by their latest word, and without one by `[consent]`."""

import calendar
from datetime import datetime

from outreach.channels import TEXT, ChannelName
from outreach.models import Consent
from outreach.planning.contact_cards import Person
from outreach.settings import Settings

# For how many months a consent lasts that nobody put into words: Canada's Anti-Spam Legislation, S.C. 2010, c. 23, 10.
IMPLIED = {"implied-purchase": 24, "implied-inquiry": 6}


def expiry_of(consent: Consent) -> datetime | None:
    """When a consent ends: as it says; an implied one that does not say by the law; else never."""
    months = IMPLIED.get(consent.basis or "")
    if consent.expires_at is not None or months is None:
        return consent.expires_at
    years, month = divmod(consent.at.month - 1 + months, 12)
    year, month = consent.at.year + years, month + 1
    # Half a year after the 31st of August is no date: there the last day of the month counts.
    return consent.at.replace(year=year, month=month, day=min(consent.at.day, calendar.monthrange(year, month)[1]))


def refusal_of(person: Person, channel: ChannelName, purpose: str, now: datetime, settings: Settings) -> str | None:
    """Why the channel must not be used, in words, or None where it may.

    A grant for marketing covers service too; a withdrawal for marketing leaves service alone. Promotion by text needs
    the consent's own words on record (TCPA, 47 CFR 64.1200(f)(9)).
    """
    row = person.consents.get((channel, purpose))
    if purpose == "service" and row is None:
        marketing = person.consents.get((channel, "marketing"))
        row = marketing if marketing and marketing.state == "granted" else None
    if row is not None and row.state == "withdrawn":
        return "they have withdrawn their consent"
    expires_at = expiry_of(row) if row else None
    granted = row is not None and (expires_at is None or expires_at > now)
    if granted and row and purpose == "marketing" and channel == TEXT.name and (not row.text or row.basis in IMPLIED):
        return "a promotion by text needs the words they consented to, and none are on record"
    if granted or (row is None and getattr(settings.consent, channel) == "opt-out"):
        return None
    return "their consent has expired" if row else "they have not said yes to it"
