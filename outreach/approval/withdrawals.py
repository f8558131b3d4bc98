"""Takes out of the batches that wait whatever must not go any more: withdrawn with its reason, or expired.

Their batches only shrink: what is left of each is as it was. A moment whose message is taken out is decided on again.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from sqlmodel import Session, col, select

from outreach.approval.batches import PLANNER, SHRUNK, WAITING, reseal
from outreach.composing.recheck import recheck
from outreach.locks import take_turns
from outreach.models import Batch, Message
from outreach.planning.decisions import decide_again
from outreach.planning.verdicts import Stop
from outreach.settings import Settings

AT_ONCE = 1000


def withdraw_stopped(
    session: Session, settings: Settings, on: date, now: datetime, batch_id: str | None = None
) -> list[str]:
    """Withdraws what a rule now holds back, or what would say something else by now; returns the references.

    That is of one batch, or of all that wait. What only has to wait stays where it is.
    """
    take_turns(session, "approval")
    stopped: list[Message] = []
    for messages in _waiting(session, batch_id):
        stops = recheck(session, settings, messages, on, now)
        gone = [message for message in messages if _is_taken_out(stops.get(message.reference))]
        for message in gone:
            message.status, message.status_reason = "withdrawn", stops[message.reference].reason
        decide_again(session, {message.reference: stops[message.reference] for message in gone}, on)
        stopped += gone
    session.flush()
    _shrink(session, stopped, now, "empty")
    return [message.reference for message in stopped]


def _is_taken_out(stop: Stop | None) -> bool:
    # One that is blocked has no contact to ask about: nobody has said anything, and the last check sees to it.
    return stop is not None and stop.status not in {"blocked", "approved", "expired"}


def withdraw_messages(
    session: Session, messages: Sequence[Message], stops: Mapping[str, Stop], on: date, now: datetime
) -> None:
    """Withdraws messages that are planned or wait for a decision, and that the caller has locked, each for its reason.

    The caller holds the turn "approval".
    """
    for message in messages:
        message.status, message.status_reason = "withdrawn", stops[message.reference].reason
    decide_again(session, {message.reference: stops[message.reference] for message in messages}, on)
    _shrink(session, messages, now, "empty")


def _waiting(session: Session, batch_id: str | None) -> Iterator[Sequence[Message]]:
    """Those that wait, some at a time: a statement can name only so many customers."""
    waiting = select(Message).where(col(Message.status).in_(WAITING)).order_by(Message.reference).limit(AT_ONCE)
    if batch_id:
        waiting = waiting.where(Message.batch_id == batch_id)
    last = ""
    while messages := session.exec(waiting.where(Message.reference > last)).all():
        yield messages
        last = messages[-1].reference


def expire_unapproved(session: Session, today: date, now: datetime) -> int:
    """Ends messages nobody approved while they were useful; returns how many. The rest of their batch goes on."""
    late = select(Message).where(col(Message.status).in_(("planned", *WAITING)), Message.useful_until < today)
    messages = session.exec(late).all()
    for message in messages:
        message.status, message.status_reason = "expired", f"not approved by {message.useful_until}"
    session.flush()
    _shrink(session, messages, now, "expired")
    return len(messages)


def _shrink(session: Session, gone: Sequence[Message], now: datetime, emptied: str) -> None:
    for batch_id in sorted({message.batch_id for message in gone if message.batch_id}):
        theirs = [message for message in gone if message.batch_id == batch_id]
        reseal(session, session.get_one(Batch, batch_id), SHRUNK, theirs, PLANNER, now, emptied)
