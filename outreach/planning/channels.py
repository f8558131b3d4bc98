"""Which channel carries a message: the first of the moment's that reaches them, may be used, and is in time."""

from dataclasses import dataclass
from datetime import date

from outreach.clock import add_business_days
from outreach.moments import MOMENTS
from outreach.planning.candidates import Candidate, Day
from outreach.planning.collecting import objection_to_work
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


def choose_routes(candidate: Candidate, day: Day) -> tuple[tuple[Route, ...], list[str]]:
    """The routes it goes by, and the reason against every channel of the moment that was passed over.

    It is the first channel that can carry it; every one that can, where the moment says so; none where none can.
    """
    routes: list[Route] = []
    against: list[str] = []
    for channel in candidate.knobs.channels:
        if channel in candidate.tried:
            continue
        reason = objection_to(channel, candidate, day)
        if reason is not None:
            against.append(f"{channel}: {reason}")
            continue
        routes.append(Route(channel, send_day(channel, candidate, day), tuple(against)))
        if not MOMENTS[candidate.kind].every_channel:
            break
    return tuple(routes), against


def objection_to(channel: Channel, candidate: Candidate, day: Day) -> str | None:
    """Why this channel cannot carry the message, in words; None where it can."""
    recipient = candidate.recipient
    if recipient is None or channel not in recipient.contacts:
        return _missing(channel, recipient)
    if any(channel in CLOSED_CHANNELS.get(flag, set()) for flag in recipient.flags):
        return "a flag on record closes it"
    if reason := refusal_of(recipient, channel, candidate.purpose, day.now, day.settings):
        return reason
    if reason := objection_to_work(day.settings, candidate.kind, channel, recipient.contacts[channel]):
        return reason
    if not _may_carry(channel, candidate, day.settings):
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


def _may_carry(channel: Channel, candidate: Candidate, settings: Settings) -> bool:
    provider: ProviderSettings = getattr(settings.providers, settings.provider_for(channel))
    tells_health = settings.business.kind == "health" and "health" in candidate.traits
    return (provider.health or not tells_health) and (provider.debt or "debt" not in candidate.traits)


def send_day(channel: Channel, candidate: Candidate, day: Day) -> date:
    """The day to hand it over: today, or where planning looks ahead, so that it arrives on the day itself."""
    if candidate.knobs.lead_days == 0:
        return day.on
    last = add_business_days(candidate.occasion_on, -getattr(day.settings.transit, channel))
    # Four business days before a Saturday, and four after that, is the Monday behind it.
    while arrival(channel, last, day.settings) > candidate.occasion_on:
        last = add_business_days(last, -1)
    return max(day.on, last)


def arrival(channel: Channel, send_on: date, settings: Settings) -> date:
    return add_business_days(send_on, getattr(settings.transit, channel))
