"""Cancels letters that a vendor took and has not printed yet, and counts what was cancelled and what that saved.

A message is only called cancelled once its vendor has said so.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine
from sqlmodel import col, select

from outreach.clock import Clock, business_date, steady_seconds
from outreach.composing.recheck import recheck
from outreach.database import reading, writing
from outreach.delivery import outbox
from outreach.delivery.control.pauses import touched_by
from outreach.delivery.providers import Cancels, Provider
from outreach.errors import DeliveryError
from outreach.models import Message
from outreach.planning.decisions import decide_again
from outreach.settings import Settings

Tell = Callable[[str], None]
# Seconds after which a pause is in force everywhere: the senders look anew before each round.
UNTIL_IN_FORCE = 2.5


@dataclass(frozen=True)
class CancelReport:
    """What vendors answered to cancellations, in messages."""

    #: They will not be printed.
    cancelled: int = 0
    #: The cost of the cancelled ones, in minor units.
    saved: int = 0
    #: They had gone to print.
    too_late: int = 0
    #: They are asked about again by the next run, as long as their window is open.
    unanswered: int = 0


def cancel_stopped(
    engine: Engine, settings: Settings, clock: Clock, carriers: Mapping[str, Provider], tell: Tell = lambda _: None
) -> CancelReport:
    """Cancels at their vendors what a rule now holds back, or what would say something else by now."""
    now = clock()
    on = business_date(now, settings.business.timezone)
    with reading(engine) as session:
        messages = session.exec(_cancellable(carriers, clock)).all()
        stops = recheck(session, settings, messages, on, now)
    # What only has to wait, and what is late, has left in time.
    final = {name: stop for name, stop in stops.items() if stop.status not in {"approved", "expired", "blocked"}}
    report = _cancel(engine, messages, {name: stop.reason for name, stop in final.items()}, carriers, clock, tell)
    if not final:
        return report
    with writing(engine) as session:
        cancelled = select(Message.reference).where(col(Message.reference).in_(final), Message.status == "cancelled")
        decide_again(session, {name: final[name] for name in session.exec(cancelled)}, on)
    return report


def cancel_messages(
    engine: Engine, clock: Clock, carriers: Mapping[str, Provider], reasons: Mapping[str, str]
) -> CancelReport:
    """Cancels at their vendors the messages named in `reasons`, each for its reason, as far as they let us."""
    with reading(engine) as session:
        messages = session.exec(_cancellable(carriers, clock, col(Message.reference).in_(reasons))).all()
    return _cancel(engine, messages, reasons, carriers, clock, lambda _: None)


def cancel_paused(
    engine: Engine,
    clock: Clock,
    carriers: Mapping[str, Provider],
    scope: str,
    name: str,
    tell: Tell = lambda _: None,
) -> CancelReport:
    """Cancels at their vendors what a pause of `scope` and `name` concerns, as far as they let us.

    What is being handed over just now is waited for: within two seconds it has left, or been given back.
    """
    patient_until = steady_seconds() + UNTIL_IN_FORCE
    while steady_seconds() < patient_until and _is_leaving(engine, scope, name):
        time.sleep(0.1)
    with reading(engine) as session:
        # Read after the wait: what has left meanwhile can be cancelled too.
        messages = session.exec(_cancellable(carriers, clock, touched_by(scope, name))).all()
    reason = f"paused: {scope} {name}".strip()
    return _cancel(engine, messages, {m.reference: reason for m in messages}, carriers, clock, tell)


def _is_leaving(engine: Engine, scope: str, name: str) -> bool:
    with reading(engine) as session:
        leaving = select(Message.reference).where(Message.status == "sending", touched_by(scope, name))
        return session.exec(leaving).first() is not None


def _cancellable(carriers: Mapping[str, Provider], clock: Clock, *conditions: ColumnElement[bool]) -> Any:
    names = sorted(name for name, carrier in carriers.items() if isinstance(carrier, Cancels))
    within = select(Message).where(
        Message.status == "accepted", col(Message.cancel_until) > clock(), col(Message.provider).in_(names)
    )
    return within.where(*conditions).order_by(Message.reference)


def _cancel(
    engine: Engine,
    messages: Sequence[Message],
    reasons: Mapping[str, str],
    carriers: Mapping[str, Provider],
    clock: Clock,
    tell: Tell,
) -> CancelReport:
    counts: Counter[str] = Counter()
    for message in messages:
        if reason := reasons.get(message.reference):
            outcome = _cancel_one(engine, message, reason, carriers)
            counts[outcome] += 1
            counts["saved"] += message.cost if outcome == "cancelled" else 0
            tell(f"{message.reference}: {outcome.replace('_', ' ')}, {reason}")
    return CancelReport(counts["cancelled"], counts["saved"], counts["too_late"], counts["unanswered"])


def _cancel_one(engine: Engine, message: Message, reason: str, carriers: Mapping[str, Provider]) -> str:
    carrier = carriers[message.provider or ""]
    try:
        # Should we die before the next line is written: cancelling twice is cancelling once, for every vendor here.
        done = isinstance(carrier, Cancels) and carrier.cancel(message.provider_id or "")
    except DeliveryError:
        return "unanswered"
    with writing(engine) as session:
        outbox.record_cancelling(session, message.reference, done, reason)
    return "cancelled" if done else "too_late"
