"""May this channel carry this purpose to this person? Their latest word decides, and without one `[consent]`."""

from datetime import datetime

from outreach.planning.people import Person
from outreach.settings import Channel, Settings


def refusal_of(person: Person, channel: Channel, purpose: str, now: datetime, settings: Settings) -> str | None:
    """Why the channel must not be used, in words, or None where it may.

    A grant for marketing covers service too; a withdrawal for marketing leaves service alone. A suppression stands
    above every consent. Promotion by text needs the consent's own words on record (TCPA, 47 CFR 64.1200(f)(9)).
    """
    if channel in person.suppressed:
        return "they asked us not to use it, or it no longer reaches them"
    row = person.consents.get((channel, purpose))
    if purpose == "service" and row is None:
        marketing = person.consents.get((channel, "marketing"))
        row = marketing if marketing and marketing.state == "granted" else None
    if row is not None and row.state == "withdrawn":
        return "they have withdrawn their consent"
    granted = row is not None and (row.expires_at is None or row.expires_at > now)
    if granted and row and purpose == "marketing" and channel == "text" and not row.text:
        return "a promotion by text needs the words they consented to, and none are on record"
    if granted or (row is None and getattr(settings.consent, channel) == "opt-out"):
        return None
    return "their consent has expired" if row else "they have not said yes to it"
