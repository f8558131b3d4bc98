"""Writes down what providers answered: first the facts, then what follows from each failure.

A refusal of a second try proves nothing about the first. No number that a provider names is followed further than
LONGEST_WAIT.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from outreach.database import writing
from outreach.delivery import outbox
from outreach.delivery.open_attempts import RAN_OUT, Opened
from outreach.delivery.outbox import Claim, Taken
from outreach.delivery.providers import Provider
from outreach.errors import ContactRefused, DeliveryError, HeldUp, NotNow, NotSent, OutcomeUnknown, Refused
from outreach.models import Message

# Tries under one key; after them a message whose answer never came is looked up.
TRIES = 5
# A recipient's server that says “not now” is asked again after so long, and each time after twice as long. Twelve times
# are four to five days, as RFC 5321 (4.5.4.1) has it, where runs are that frequent, and twelve days at one run a day.
FIRST_WAIT = timedelta(minutes=15)
MOST_PUT_OFF = 12
# Less than a day: whatever a provider asks for, the run at the same hour of the next day tries again.
LONGEST_WAIT = timedelta(hours=16)


@dataclass(frozen=True)
class AttemptResult:
    """What is known of one attempt: it was taken, it failed, or (neither) it was not started in time."""

    claim: Claim
    #: The attempt's, within its message.
    number: int
    #: 1 where it was the first hand-over under the attempt's key.
    tries: int
    channel: str
    #: The provider's own id, where it took the message.
    provider_id: str | None = None
    error: DeliveryError | None = None


@dataclass(frozen=True)
class Ending:
    """What a failed try means for its message."""

    #: What the message becomes.
    status: str
    #: How the attempt ends; None where it stays open, to be tried again under the same key.
    outcome: str | None
    #: How long the next try waits.
    after: timedelta | None = None


def answer_of(opened: Opened, provider_id: str | None = None, error: DeliveryError | None = None) -> AttemptResult:
    """The answer to an opened attempt; an attempt that a sender was held back from was not started."""
    failure = None if isinstance(error, HeldUp) else error
    return AttemptResult(opened.claim, opened.number, opened.tries, opened.handover.channel, provider_id, failure)


def is_providers_fault(error: DeliveryError | None) -> bool:
    """Whether a failure speaks of the provider, and so of everybody's messages, and not of one recipient alone."""
    return isinstance(error, NotSent | OutcomeUnknown) and not isinstance(error, NotNow | HeldUp)


def settle(
    engine: Engine, answers: Sequence[AttemptResult], carriers: Mapping[str, Provider], at: datetime
) -> Counter[str]:
    """Writes down what became of a round; returns how many ended in each way other than being taken.

    What was taken is committed before anything is decided: should a decision fail, no fact is lost with it.
    """
    taken = [Taken(one.claim, one.number, one.provider_id) for one in answers if one.provider_id is not None]
    if taken:
        with writing(engine) as session:
            outbox.record_taken(session, taken, at)
    failed = [answer for answer in answers if answer.provider_id is None]
    if not failed:
        return Counter()
    with writing(engine) as session:
        return Counter(_settle_failure(session, answer, carriers, at) for answer in failed)


def _settle_failure(session: Session, answer: AttemptResult, carriers: Mapping[str, Provider], at: datetime) -> str:
    claim, error = answer.claim, answer.error
    message = session.get_one(Message, claim.reference)
    carrier = carriers.get(claim.provider)
    ending = ending_of(answer, bool(carrier and carrier.key_life), message.put_off)
    reason = str(error) if error else RAN_OUT.reason
    if isinstance(error, NotNow) and ending.status == "failed":
        reason = f"it was tried {message.put_off + 1} times in all, and nothing more is tried: {reason}"
    not_before = at + ending.after if ending.after else None
    if not outbox.decide(session, claim, ending.status, reason, ending.outcome, not_before):
        return "lost"
    message.put_off += isinstance(error, NotNow)
    if isinstance(error, ContactRefused) and ending.status == "failed":
        outbox.suppress(session, message, error.source, at)
    if error is None:
        return RAN_OUT.reason
    return "again" if ending.status == "approved" else ending.status


def ending_of(answer: AttemptResult, is_keyed: bool, put_off: int = 0) -> Ending:
    """What a failed try means, given what is known of it and of the tries before it.

    `put_off` is how often its recipient alone was the reason before.
    """
    is_first, error = answer.tries == 1, answer.error
    if error is None:
        return Ending("approved", "not_sent" if is_first else None)
    # Only of a first try: the provider may have taken an earlier one, whose answer was lost, and refuse the repetition.
    if is_first and isinstance(error, Refused):
        return Ending("failed", "refused")
    if is_first and isinstance(error, NotNow) and put_off + 1 >= MOST_PUT_OFF:
        return Ending("failed", "not_sent")
    after = _wait_after(error, put_off)
    if is_first and isinstance(error, NotSent):
        return Ending("approved", "not_sent", after)
    if is_keyed and answer.tries < TRIES:
        return Ending("approved", None, after)
    return Ending("uncertain", "unknown")


def _wait_after(error: DeliveryError, put_off: int) -> timedelta | None:
    """How long to wait before the next try: what was asked for, and growing steps where it is the recipient's reason.

    A number from outside may be anything, an instant in seconds for one; it counts up to LONGEST_WAIT.
    """
    asked = error.after if isinstance(error, NotSent) else None
    if not isinstance(error, NotNow):
        return min(asked, LONGEST_WAIT) if asked else None
    step: timedelta = FIRST_WAIT * (1 << min(put_off, MOST_PUT_OFF))
    return min(max(step, asked or step), LONGEST_WAIT)
