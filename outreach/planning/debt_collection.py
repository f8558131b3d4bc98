"""Stops messages about a late payment that Regulation F (12 CFR 1006) does not allow, in mode “collector”.

The first creditor, who asks in its own name, is not bound by it and may say so: `[collecting] mode`. Writes nothing.
"""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

from sqlmodel import Session, col, select

from outreach.channels import CALL, EMAIL, TEXT
from outreach.clock import business_date
from outreach.models import DESK, Event, Message
from outreach.moments import MOMENTS
from outreach.planning.checks import Messages
from outreach.planning.verdicts import Stop, Stops
from outreach.settings import Settings

DEBTS = frozenset(kind for kind, definition in MOMENTS.items() if "debt" in definition.traits)
AT_WORK = "their e-mail address is their employer's, and nobody at work may learn of it"
NO_WAY_OUT = "it does not say how to stop these messages"
# What every e-mail and text must hold (12 CFR 1006.6(e)).
WAY_OUT: dict[str, bytes] = {EMAIL.name: b"\nList-Unsubscribe: <", TEXT.name: b"STOP"}
A_WEEK = timedelta(days=7)


def objection_to_work(settings: Settings, kind: str, channel: str, contact: str) -> str | None:
    """Why this contact must not carry the moment, in words, where it is an employer's (12 CFR 1006.22(f)(3))."""
    if kind not in DEBTS or channel != EMAIL.name or settings.collecting.mode != "collector":
        return None
    domain = contact.rpartition("@")[2].casefold()
    employers = [employer.casefold().lstrip("@") for employer in settings.collecting.work_domains]
    # With the dot, so that notacme.example is not taken for a part of acme.example.
    return AT_WORK if any(domain == employer or domain.endswith(f".{employer}") for employer in employers) else None


def check_collecting(
    session: Session, settings: Settings, messages: Messages, on: date, whole: Mapping[str, bytes]
) -> Stops:
    """Nothing goes to an employer, and nothing without a way to stop it. `whole` are the bytes, by their SHA-256."""
    stops: Stops = {}
    for message in messages:
        if message.kind not in DEBTS or settings.collecting.mode != "collector":
            continue
        contact = str(json.loads(message.recipient or "{}").get("email") or "")
        way_out = WAY_OUT.get(message.channel, b"")
        if objection_to_work(settings, message.kind, message.channel, contact):
            stops[message.reference] = Stop("withdrawn", AT_WORK)
        # A line feed is put before it, since the header may be the first line of the message.
        elif way_out not in b"\n" + whole.get(message.content_sha256 or "", b""):
            stops[message.reference] = Stop("blocked", NO_WAY_OUT)
    return stops


def check_calls(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """Nobody is called about a debt more than so often within seven days (12 CFR 1006.14(b)(2)(i)), answered or not."""
    late = [message for message in messages if message.kind in DEBTS and message.channel == CALL.name]
    if not late or settings.collecting.mode != "collector":
        return {}
    made = _calls_made(session, settings.business.timezone, {message.recipient_id for message in late}, on)
    most = settings.collecting.calls_a_week
    return {
        message.reference: Stop("approved", f"they were called {most} times in seven days, and more are not allowed")
        for message in late
        if made[message.recipient_id] >= most
    }


def _calls_made(session: Session, timezone: str, people: set[str], on: date) -> Counter[str]:
    """How often each was called about a debt in the seven days up to `on`, as staff ticked it."""
    # One call may be told by two events of one instant: that it reached them, and that they asked to stop.
    ticks = (
        select(Message.recipient_id, Event.reference, col(Event.at))
        .join(Event, col(Event.reference) == Message.reference)
        .where(
            Event.provider == DESK,
            col(Message.kind).in_(DEBTS),
            Message.channel == CALL.name,
            col(Message.recipient_id).in_(people),
        )
        .distinct()
    )
    # By the business's own days: in America an evening's call stands under the next day in UTC.
    return Counter(person for person, _, at in session.exec(ticks) if on - business_date(at, timezone) < A_WEEK)
