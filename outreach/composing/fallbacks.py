"""Decides what becomes of the moments of messages that could not be written: another channel at once, or another day.

A fault in somebody's data can be mended. A moment is closed only when it is of no use any more.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlmodel import Session, col, select

from outreach.chunks import IDS
from outreach.errors import ComposingError, ContactChanged
from outreach.models import Decision, Message, Moment
from outreach.models.selects import select_latest_decisions
from outreach.moments import MOMENTS, knobs_for
from outreach.planning.earlier_messages import NOTHING_EARLIER, UNWRITABLE, Earlier, find_earlier
from outreach.planning.verdicts import Hold, Stop, Stops
from outreach.settings import Settings

CHANGED = "contact_changed"


def find_put_off(
    session: Session, settings: Settings, unwritten: Sequence[tuple[Message, ComposingError]], on: date
) -> Stops:
    """A Stop for each message that could not be written, with the Hold of every moment that it was to carry."""
    carried = find_carried(session, [message.reference for message, _ in unwritten])
    earlier = find_earlier(session, {message.moment_id for message, _ in unwritten})
    stops: Stops = {}
    for message, reason in unwritten:
        again_on = _again_on(settings, message, reason, earlier.get(message.moment_id, NOTHING_EARLIER), on)
        rule = CHANGED if isinstance(reason, ContactChanged) else UNWRITABLE
        hold = Hold(rule, str(reason), again_on)
        moments = carried[message.reference]
        holds = tuple((moment.moment_id, hold.within(_last_use(settings, moment, on))) for moment in moments)
        stops[message.reference] = Stop("withdrawn", str(reason), None, holds)
    return stops


def _again_on(settings: Settings, message: Message, reason: ComposingError, earlier: Earlier, on: date) -> date:
    """Today where there is a channel that has not failed yet, or a new contact; else tomorrow.

    Where it came back to the channel that had failed before, there is no other that could carry it.
    """
    if isinstance(reason, ContactChanged):
        return on
    if message.channel in earlier.unwritten:
        return on + timedelta(days=1)
    failed = {message.channel, *earlier.unwritten, *earlier.tried}
    untried = set(knobs_for(settings, message.kind).channels) - failed
    return on if untried else on + timedelta(days=1)


def _last_use(settings: Settings, moment: Moment, on: date) -> date:
    definition = MOMENTS[moment.kind]
    return definition.useful_until(definition.knobs_of(settings), moment.occasion_on, on)


def find_carried(session: Session, references: Sequence[str]) -> dict[str, list[Moment]]:
    """The moments that each message carries: its own first, then what a standing decision gives it, by customer."""
    asked = {IDS.key: list(references)}
    carried: dict[str, dict[str, Moment]] = {reference: {} for reference in references}
    first = session.execute(_select_own(), asked).all()
    # Sorted here: databases differ in how they sort text, and the order of names in a message must not.
    rest = sorted(session.execute(_select_shared(), asked).all(), key=lambda row: (row[1].customer_id, row[1].occasion))
    for reference, moment in (*first, *rest):
        carried[reference].setdefault(moment.moment_id, moment)
    return {reference: list(moments.values()) for reference, moments in carried.items()}


@cache
def _select_own() -> Any:
    own = select(Message.reference, Moment).join(Moment, col(Moment.moment_id) == Message.moment_id)
    return own.where(col(Message.reference).in_(IDS))


@cache
def _select_shared() -> Any:
    given = select_latest_decisions().join(Moment, col(Moment.moment_id) == Decision.moment_id)
    return given.where(col(Decision.reference).in_(IDS), Decision.outcome == "send").with_only_columns(
        Decision.reference, Moment
    )
