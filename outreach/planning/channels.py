"""Which channel carries a message: the first of the moment's that reaches them, may be used, and is in time."""

from dataclasses import dataclass
from datetime import date

from outreach.clock import add_business_days
from outreach.moments import knobs_for
from outreach.planning.candidates import Candidate, Day
from outreach.planning.consent import refusal_of
from outreach.planning.flags import CLOSED_CHANNELS
from outreach.planning.people import Person
from outreach.settings import Channel, ProviderSettings, Settings


@dataclass(frozen=True)
class Route:
    """The channel, the day to send on, and why each channel before it was passed over."""

    channel: Channel
    send_on: date
    passed_over: tuple[str, ...]


def choose_route(candidate: Candidate, day: Day) -> tuple[Route | None, list[str]]:
    """The route, or None with the reason against every channel of the moment."""
    against: list[str] = []
    for channel in knobs_for(day.settings, candidate.kind).channels:
        reason = objection_to(channel, candidate, day)
        if reason is None:
            return Route(channel, send_day(channel, candidate, day), tuple(against)), against
        against.append(f"{channel}: {reason}")
    return None, against


def objection_to(channel: Channel, candidate: Candidate, day: Day) -> str | None:
    """Why this channel cannot carry the message, in words; None where it can."""
    recipient = candidate.recipient
    if recipient is None or channel not in recipient.contacts:
        return _missing(channel, recipient)
    if any(channel in CLOSED_CHANNELS.get(flag, set()) for flag in recipient.flags):
        return "a flag on record closes it"
    if reason := refusal_of(recipient, channel, candidate.purpose, day.now, day.settings):
        return reason
    if not _may_carry(channel, candidate.kind, day.settings):
        return f"{day.settings.provider_for(channel)} has no agreement to carry this kind of data"
    if arrival(channel, send_day(channel, candidate, day), day.settings) > candidate.useful_until:
        return f"it would arrive after {candidate.useful_until}"
    return None


def _missing(channel: Channel, recipient: Person | None) -> str:
    if recipient and "confidential" in recipient.flags:
        return "they asked for confidential communication by another channel"
    return {"letter": "no complete address", "email": "no e-mail address that works"}.get(
        channel, "no number that works"
    )


def _may_carry(channel: Channel, kind: str, settings: Settings) -> bool:
    provider: ProviderSettings = getattr(settings.providers, settings.provider_for(channel))
    health = settings.business.kind == "health" and kind == "checkin"
    return (provider.health or not health) and (provider.debt or kind != "late_payment")


def send_day(channel: Channel, candidate: Candidate, day: Day) -> date:
    """The day to hand it over: today, or for an anniversary the day from which it arrives on the day itself."""
    if candidate.kind != "anniversary":
        return day.on
    return max(day.on, add_business_days(candidate.occasion_on, -getattr(day.settings.transit, channel)))


def arrival(channel: Channel, send_on: date, settings: Settings) -> date:
    return add_business_days(send_on, getattr(settings.transit, channel))
