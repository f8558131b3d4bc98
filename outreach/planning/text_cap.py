"""Makes texts wait that would be one too many for their number. Writes nothing.

A practice may text about health without written consent only so often (47 CFR 64.1200(a)(9)(iv)(E)).
"""

from collections import defaultdict
from datetime import date, timedelta

from sqlmodel import Session, col, or_, select

from outreach.channels import TEXT
from outreach.clock import instant_at
from outreach.models import Attempt, Message
from outreach.planning.checks import Messages
from outreach.planning.verdicts import Stop, Stops
from outreach.settings import Settings

TOO_MANY = "it waits: this number has had as many texts as the law allows"
A_WEEK = 7


def check_text_cap(session: Session, settings: Settings, messages: Messages, on: date, before: Messages = ()) -> Stops:
    """What is one too many waits for the first day on which it is not; only practices of health have the cap.

    `before` are messages that leave before these and are not on record as tried.
    """
    texts = [message for message in messages if message.channel == TEXT.name]
    if settings.business.kind != "health" or not texts:
        return {}
    # By the number and not by the customer: the law counts what a number gets, and several may share one.
    had = _texted_on(session, texts, on)
    for message in before:
        if message.channel == TEXT.name:
            had[message.contact_hash or ""].append(on)
    stops: Stops = {}
    for message in texts:
        days = had[message.contact_hash or ""]
        free = _first_free(settings, days, on)
        if free == on:
            # Counted at once, for two texts of one look may go to one number.
            days.append(on)
        else:
            at = instant_at(free, settings.business.sending_hour, settings.business.timezone)
            stops[message.reference] = Stop("approved", TOO_MANY, at)
    return stops


def _texted_on(session: Session, texts: Messages, on: date) -> dict[str, list[date]]:
    """On which days of the last week each number was texted, or may have been, by its hash."""
    # Of messages of ours, so that what is tried again is not in its own way.
    ours = {message.reference for message in texts}
    # LIVE of delivery/outbox.py, which a room before delivery may not import.
    live = or_(col(Attempt.outcome).is_(None), col(Attempt.outcome).in_(("accepted", "unknown")))
    rows = session.exec(
        select(Message.reference, Message.contact_hash, col(Attempt.started_on))
        .join(Attempt, col(Attempt.reference) == Message.reference)
        .where(
            Message.channel == TEXT.name,
            col(Message.contact_hash).in_({message.contact_hash for message in texts}),
            col(Attempt.started_on) > on - timedelta(days=A_WEEK),
            live,
        )
    )
    had: dict[str, list[date]] = defaultdict(list)
    for reference, contact, day in rows:
        if reference not in ours:
            had[contact or ""].append(day)
    return had


def _first_free(settings: Settings, days: list[date], on: date) -> date:
    cap, day = settings.texts.cap, on
    while (
        days.count(day) >= cap.health_a_day
        or sum(one > day - timedelta(days=A_WEEK) for one in days) >= cap.health_a_week
    ):
        day += timedelta(days=1)
    return day
