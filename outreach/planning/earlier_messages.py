"""Reads what became of a moment's earlier messages: the channels that were tried, and those that could not be written.

A moment is decided on again when its message was withdrawn before it left; the numbers of its messages go on.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlmodel import Session, col, select

from outreach.chunks import in_chunks, select_for
from outreach.models import LEFT, Decision, Message
from outreach.planning.candidates import Candidate

#: The rule under which composing writes down that a message could not be written.
UNWRITABLE = "composing"


@dataclass(frozen=True)
class Earlier:
    """A moment's messages so far."""

    #: The number of the last.
    last_step: int = 0
    #: The channels by which one left.
    tried: tuple[str, ...] = ()
    #: Those by which it could not be written.
    unwritten: tuple[str, ...] = ()

    def continue_with(self, candidate: Candidate) -> Candidate:
        if not self.last_step:
            return candidate
        return replace(candidate, step=self.last_step + 1, tried=self.tried, unwritten=self.unwritten)


NOTHING_EARLIER = Earlier()


def find_earlier(session: Session, moments: Collection[str]) -> dict[str, Earlier]:
    """What became of each of `moments` that ever had a message, by moment id."""
    messages: dict[str, list[Message]] = defaultdict(list)
    for message in select_for(session, select(Message), Message.moment_id, moments):
        messages[message.moment_id].append(message)
    unwritten = _find_unwritten(session, messages)
    return {
        moment: Earlier(
            max(message.step for message in theirs),
            tuple(m.channel for m in sorted(theirs, key=lambda m: m.step) if m.status in LEFT),
            tuple(unwritten.get(moment, ())),
        )
        for moment, theirs in messages.items()
    }


def _find_unwritten(session: Session, moments: Collection[str]) -> dict[str, list[str]]:
    """The channels by which each of the moments could not be written, by moment id."""
    channels: dict[str, list[str]] = defaultdict(list)
    failed = select(Message.moment_id, Message.channel).join(
        Decision, col(Decision.reference) == Message.reference
    ).where(Decision.rule == UNWRITABLE)  # fmt: skip
    for chunk in in_chunks(moments):
        for moment, channel in session.exec(failed.where(col(Message.moment_id).in_(chunk)).distinct()):
            channels[moment].append(channel)
    return channels
