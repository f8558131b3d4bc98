"""Makes today's call sheet, and writes down what became of each call as staff tick it.

Of two ticks the stronger stands: no answer, reached, wrong number. A wish to be called no more always counts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_approver
from outreach.channels import CALL
from outreach.clock import business_date, instant_at
from outreach.composing.recheck import recheck
from outreach.composing.store.contents import read_row
from outreach.contacts import contact_hash, load_key, normalise_phone, show_phone
from outreach.database import reading, writing
from outreach.errors import ApprovalError, ContentLost, NotFound, NotWaiting
from outreach.locks import take_turns
from outreach.models import DESK, Event, Message
from outreach.planning.debt_collection import check_calls
from outreach.planning.hours import Leave
from outreach.planning.legal_hours import find_leaves, find_zones
from outreach.settings import Settings
from outreach.tracking.events import record_event, suppress
from outreach.tracking.pulling_back import PullReport, pull_back

# What each outcome says of the message, as kinds of events. "in_transit" says nothing final: the call is tried again.
OUTCOMES = {
    # It leaves the message accepted, and so the call on the sheet.
    "no answer": ("in_transit",),
    "reached": ("delivered",),
    "wrong number": ("bounced",),
    "asked to stop": ("delivered", "unsubscribed"),
}


@dataclass(frozen=True)
class Call:
    """One line of the sheet."""

    reference: str
    customer_id: str
    kind: str
    status: str
    send_on: date
    name: str
    phone: str
    about: str
    script: str
    #: What not to say.
    avoid: str
    #: The number to give them.
    direct_line: str
    #: When they may be called, by the business's clock and by theirs; empty for at any time.
    hours: str = ""
    #: When it was ticked, and as what.
    ticks: list[tuple[datetime, str]] = field(default_factory=list)
    #: Why they must not be called any more.
    against: str = ""

    @property
    def shown_phone(self) -> str:
        return show_phone(self.phone)

    @property
    def is_open(self) -> bool:
        """Whether it is on the sheet and still to be made."""
        return self.status == "accepted" and not self.against and not {what for _, what in self.ticks} - {"no answer"}


def list_calls(session: Session, settings: Settings, now: datetime) -> list[Call]:
    """The calls of the day: those to make, among them what was not reached before and is still of use, then those done.

    Approved ones come onto the sheet with the next delivery.
    """
    on = business_date(now, settings.business.timezone)
    messages = session.exec(
        select(Message)
        .where(
            Message.channel == CALL.name,
            col(Message.status).in_(("approved", "sending", "accepted", "delivered", "failed")),
            Message.send_on <= on,
            Message.useful_until >= on,
        )
        .order_by(Message.reference)
    ).all()
    ticks = _ticks(session, [message.reference for message in messages])
    to_make = [message for message in messages if message.status in {"approved", "accepted"}]
    stops = check_calls(session, settings, to_make, on) | recheck(session, settings, to_make, on, now)
    hours = _hours_of(session, settings, to_make, on)
    calls = [
        _read_call(
            session,
            message,
            ticks.get(message.reference, []),
            stop.reason if stop else "",
            hours.get(message.reference, ""),
        )
        for message in messages
        for stop in [stops.get(message.reference)]
        if _belongs_to(message, ticks.get(message.reference, []), on, settings)
    ]
    return sorted(calls, key=lambda call: (not call.is_open, call.name.casefold(), call.reference))


def _ticks(session: Session, references: list[str]) -> dict[str, list[tuple[datetime, str]]]:
    """What staff have ticked, by reference, in order."""
    events = select(Event).where(Event.provider == DESK, col(Event.reference).in_(references))
    ticks: dict[str, list[tuple[datetime, str]]] = {}
    for event in session.exec(events.order_by(col(Event.at), Event.event_id)):
        if event.reason in OUTCOMES and (event.at, event.reason) not in ticks.get(event.reference or "", []):
            ticks.setdefault(event.reference or "", []).append((event.at, event.reason))
    return ticks


def _belongs_to(message: Message, ticks: list[tuple[datetime, str]], on: date, settings: Settings) -> bool:
    """What is done stays on the sheet of the day on which it was done, and on no other."""
    if message.status not in {"delivered", "failed"}:
        return True
    return any(business_date(at, settings.business.timezone) == on for at, _ in ticks)


def _hours_of(session: Session, settings: Settings, messages: Sequence[Message], on: date) -> dict[str, str]:
    """When each may be called on `on`, from the sending hour on, by the business's clock, and by theirs."""
    business = settings.business
    begins = instant_at(on, business.sending_hour, business.timezone)
    leaves, zones = find_leaves(session, settings, messages, begins), find_zones(session, settings, messages)
    return {
        message.reference: say_hours(leaves[message.reference], on, business.timezone, zones[message.reference])
        for message in messages
    }


def say_hours(leave: Leave, on: date, here: str, zones: Sequence[str]) -> str:
    """The hours in words: “11:00 until 21:00 (their 08:00 until 18:00)”, “not today”, or "" for at any time."""
    if leave.at is None or business_date(leave.at, here) > on:
        return "not today"
    if leave.until is None:
        return ""
    ours = _say_clock(leave.at, leave.until, here)
    theirs = {_say_clock(leave.at, leave.until, zone) for zone in zones}
    return f"{ours} (their {theirs.pop()})" if len(theirs) == 1 and theirs != {ours} else ours


def _say_clock(begins: datetime, ends: datetime, zone: str) -> str:
    begins, ends = begins.astimezone(ZoneInfo(zone)), ends.astimezone(ZoneInfo(zone))
    return f"{begins:%H:%M} until {ends:%H:%M}"


def _read_call(session: Session, message: Message, ticks: list[tuple[datetime, str]], against: str, hours: str) -> Call:
    fields: dict[str, Any] = _read_script(session, message)
    recipient = json.loads(message.recipient or "{}")
    words = {name: str(fields.get(name) or "") for name in ("about", "script", "avoid", "direct_line")}
    # Who has just asked to be left alone is done, not overtaken by the suppression that this made.
    is_done = bool({outcome for _, outcome in ticks} - {"no answer"})
    against = "" if is_done else against
    return Call(
        message.reference, message.customer_id, message.kind, message.status, message.send_on,
        recipient.get("name", ""), recipient.get("phone", ""), **words, hours=hours, ticks=ticks, against=against,
    )  # fmt: skip


def _read_script(session: Session, message: Message) -> dict[str, Any]:
    """What to say; or, for a call that is not what was approved, why nothing must be said."""
    try:
        script = read_row(session, message.content_sha256)
    except ContentLost as lost:
        return {"script": f"Do not call. {lost}"}
    return json.loads(script) if script else {}


def record_call(engine: Engine, settings: Settings, reference: str, outcome: str, by: str, now: datetime) -> PullReport:
    """Writes down what became of a call, one of OUTCOMES, and returns what else was pulled back for it.

    "no answer" leaves it on the sheet. A wrong number is never used again, for calls nor for texts. Raises NotFound,
    NotAllowed, and NotWaiting for a call that is not on the sheet.
    """
    if outcome not in OUTCOMES:
        raise ApprovalError(f"“{outcome}” is no outcome of a call; choose one of {', '.join(OUTCOMES)}")
    key = load_key(engine, settings)
    with writing(engine) as session:
        take_turns(session, "approval")
        require_approver(session, by)
        message = _require_call(session, reference)
        for kind in OUTCOMES[outcome]:
            # A second call without an answer is another event; any other outcome is the same however often it is said.
            when = f" {now.isoformat()}" if outcome == "no answer" else ""
            record_event(
                session, DESK, f"{message.reference} {kind}{when}", kind, now, now, message.reference, reason=outcome
            )
        hashes = {message.contact_hash} if set(OUTCOMES[outcome]) & {"bounced", "unsubscribed"} else set()
        if outcome == "wrong number":
            # A suppression is of one channel: the event above closes the number for calls alone.
            hashes |= _close_for_texts(session, settings, key, message, now)
        report = PullReport()
        if hashes:
            # Not this call itself: it was made, and keeps what became of it.
            others = col(Message.contact_hash).in_(hashes) & (Message.reference != message.reference)
            report = pull_back(session, settings, others, now)
        record_act(session, by, f"call: {outcome}", message.reference, "", now)
        return report


def _require_call(session: Session, reference: str) -> Message:
    message = session.get(Message, reference, with_for_update=True)
    if message is None or message.channel != CALL.name:
        raise NotFound(f"There is no call {reference} on the sheet")
    if message.status not in {"accepted", "delivered", "failed"} or not message.accepted_at:
        raise NotWaiting(
            f"{reference} is {message.status}, and not on the sheet. What is approved comes onto it with the next "
            "delivery"
        )
    return message


def _close_for_texts(session: Session, settings: Settings, key: bytes, message: Message, now: datetime) -> set[str]:
    """Closes the same number for texts; its hash there."""
    phone = normalise_phone(json.loads(message.recipient or "{}").get("phone", ""), settings.business.country)
    if phone is None:
        return set()
    hashed = contact_hash(key, "text", phone)
    suppress(session, hashed, "text", "bounced", now)
    return {hashed}


def calls_now(engine: Engine, settings: Settings, now: datetime) -> list[Call]:
    """The sheet of the business's date at `now`."""
    with reading(engine) as session:
        return list_calls(session, settings, now)
