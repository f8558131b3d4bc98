"""What providers answered in; facts and decisions on record out.

A refusal of a second try proves nothing about the first.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from outreach.delivery import outbox
from outreach.delivery.beginning import RAN_OUT, Opened
from outreach.delivery.outbox import Taken
from outreach.delivery.providers import Provider
from outreach.errors import ContactRefused, DeliveryError, NotSent, Refused
from outreach.models import Message

TRIES = 5


@dataclass(frozen=True)
class Answer:
    """What is known of one attempt: taken as `provider_id`, failed with `error`, or neither: not started in time."""

    opened: Opened
    provider_id: str | None
    error: DeliveryError | None


@dataclass(frozen=True)
class Ending:
    """What a message becomes, how its attempt ends (None: it stays open, for the same key again), and from when on."""

    status: str
    outcome: str | None
    after: timedelta | None = None


def settle(session: Session, answers: Sequence[Answer], carriers: Mapping[str, Provider], at: datetime) -> Counter[str]:
    """Writes down what became of a round; returns how many ended in each way other than being taken.

    Facts come first: should a decision fail, they stand in the same transaction or are found again by a look-up.
    """
    taken = [Taken(a.opened.claim, a.opened.number, a.provider_id) for a in answers if a.provider_id is not None]
    if taken:
        outbox.record_taken(session, taken, at)
    ended: Counter[str] = Counter()
    for answer in answers:
        if answer.provider_id is None:
            ended[_settle_failure(session, answer, carriers, at)] += 1
    return ended


def _settle_failure(session: Session, answer: Answer, carriers: Mapping[str, Provider], at: datetime) -> str:
    claim, error = answer.opened.claim, answer.error
    ending = ending_of(answer, bool(carriers[claim.provider].key_life))
    reason = str(error) if error else RAN_OUT.reason
    not_before = at + ending.after if ending.after else None
    if not outbox.decide(session, claim, ending.status, reason, ending.outcome, not_before):
        return "lost"
    if isinstance(error, ContactRefused) and ending.status == "failed":
        outbox.suppress(session, session.get_one(Message, claim.reference), error.source, at)
    if error is None:
        return RAN_OUT.reason
    return "again" if ending.status == "approved" else ending.status


def ending_of(answer: Answer, is_keyed: bool) -> Ending:
    """What a failed try means, given what is known of it and of the tries before it."""
    is_first, error = answer.opened.tries == 1, answer.error
    if error is None:
        return Ending("approved", "not_sent" if is_first else None)
    if is_first and isinstance(error, Refused):
        return Ending("failed", "refused")
    after = error.after if isinstance(error, NotSent) else None
    if is_first and isinstance(error, NotSent):
        return Ending("approved", "not_sent", after)
    if is_keyed and answer.opened.tries < TRIES:
        return Ending("approved", None, after)
    return Ending("uncertain", "unknown")
