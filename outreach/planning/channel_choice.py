"""Chooses the channel of a message: the first of the moment's that reaches them, may be used, and is in time."""

from dataclasses import dataclass
from datetime import date

from outreach.channels import CHANNELS, LETTER, ChannelName
from outreach.clock import add_business_days
from outreach.intake.postal_rules import fault_of_code, missing_fields
from outreach.models import Customer
from outreach.moments import MOMENTS
from outreach.planning.candidates import Candidate, Day
from outreach.planning.consent import refusal_of
from outreach.planning.contact_cards import Person, postal_fields
from outreach.planning.debt_collection import objection_to_work
from outreach.planning.flags import CLOSED_CHANNELS, FLAG_RULES
from outreach.planning.routes import Route
from outreach.settings import ProviderSettings, Settings

# Whose word closes a contact: what was planned is then suppressed, and not only withdrawn.
THEIR_WORD = frozenset({"suppressed", "consent"})


@dataclass(frozen=True)
class Objection:
    """Why a channel cannot carry a message: the name of the rule, and the reason in words."""

    rule: str
    reason: str


def choose_routes(candidate: Candidate, day: Day) -> tuple[tuple[Route, ...], list[str]]:
    """The routes it goes by, and the reason against every channel of the moment that was passed over.

    It is the first channel that can carry it; every one that can, where the moment says so; none where none can.
    """
    routes: list[Route] = []
    against: list[str] = []
    for channel in candidate.channels:
        objection = objection_to(channel, candidate, day)
        if objection is not None:
            against.append(f"{channel}: {objection.reason}")
            continue
        routes.append(Route(channel, send_day(channel, candidate, day), tuple(against)))
        if not MOMENTS[candidate.kind].every_channel:
            break
    return tuple(routes), against


def objection_to(channel: ChannelName, candidate: Candidate, day: Day) -> Objection | None:
    """Why this channel cannot carry the message; None where it can."""
    if objection := objection_now(channel, candidate, day):
        return objection
    if arrival(channel, send_day(channel, candidate, day), day.settings) > candidate.useful_until:
        return Objection("too_slow", f"it would arrive after {candidate.useful_until}")
    return None


def objection_now(channel: ChannelName, candidate: Candidate, day: Day) -> Objection | None:
    """The same, but for how long the channel takes: what is planned already, and is late, is late and not wrong."""
    recipient = candidate.recipient
    if recipient is None or channel not in recipient.contacts:
        return Objection("no_contact", _missing(channel, recipient, day.settings.business.country))
    if closing := next((flag for flag in sorted(recipient.flags) if channel in CLOSED_CHANNELS.get(flag, ())), None):
        return Objection("closed", FLAG_RULES[closing].reason)
    # Before consent: a contact that was closed stays closed, whatever consent data bring later.
    if channel in recipient.suppressed:
        return Objection("suppressed", "they asked us not to use it, or it no longer reaches them")
    if reason := refusal_of(recipient, channel, candidate.purpose, day.now, day.settings):
        return Objection("consent", reason)
    if reason := objection_to_work(day.settings, candidate.kind, channel, recipient.contacts[channel]):
        return Objection("work", reason)
    if not _may_carry(channel, candidate, day):
        provider = _provider(channel, candidate, day)
        return Objection("agreement", f"{provider} has no agreement to carry this kind of data")
    return None


def _provider(channel: ChannelName, candidate: Candidate, day: Day) -> str:
    return candidate.provider or day.settings.provider_for(channel)


def _missing(channel: ChannelName, recipient: Person | None, home: str) -> str:
    if recipient and "confidential" in recipient.flags:
        return "they asked for confidential communication by another channel"
    if recipient and channel == LETTER.name:
        return f"{LETTER.no_contact}: {_postal_fault(recipient.customer, home)}"
    return CHANNELS[channel].no_contact


def _postal_fault(customer: Customer, home: str) -> str:
    """What is wrong with the address, by the name of the field, so that it can be mended in the customer data."""
    country = customer.country or home
    fields = postal_fields(customer, country)
    field = next(iter(missing_fields(fields, country)), "country")
    if not fields.get(field):
        return f"{field} is empty"
    return fault_of_code(fields, country) or f"{field} is none that {country} can have"


def _may_carry(channel: ChannelName, candidate: Candidate, day: Day) -> bool:
    settings = day.settings
    provider: ProviderSettings = getattr(settings.providers, _provider(channel, candidate, day))
    # Without a recorded agreement no vendor gets data about health (HIPAA) or about debts.
    tells_health = settings.business.kind == "health" and "health" in candidate.traits
    return (provider.health or not tells_health) and (provider.debt or "debt" not in candidate.traits)


def send_day(channel: ChannelName, candidate: Candidate, day: Day) -> date:
    """The day to hand it over: today, or where planning looks ahead, so that it arrives on the day itself."""
    if candidate.knobs.lead_days == 0:
        return day.on
    last = add_business_days(candidate.occasion_on, -getattr(day.settings.transit, channel))
    # Four business days before a Saturday, and four after that, is the Monday behind it.
    while arrival(channel, last, day.settings) > candidate.occasion_on:
        last = add_business_days(last, -1)
    return max(day.on, last)


def arrival(channel: ChannelName, send_on: date, settings: Settings) -> date:
    return add_business_days(send_on, getattr(settings.transit, channel))
