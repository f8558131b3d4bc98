"""Defines a rule about whom we write to, and what it says when it holds a moment back.

A moment may bring rules along in its own file. Planning asks them with all others, for this moment alone:
outreach/planning/rules.py has the whole list.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

#: Why a rule that counts messages is not asked again.
OWN_COUNT = "its own message is in the count by now"
#: Planning's Candidate and Day: rooms are not known here that come later.
Asked = Any


@dataclass(frozen=True)
class Hold:
    """Why a moment is not written to: the rule's name, the reason in plain words, and when to look again.

    `next_on` is the day from which the rule may no longer hold; None means never for this occasion.
    """

    rule: str
    reason: str
    next_on: date | None = None

    @property
    def outcome(self) -> str:
        """What a decision that it makes is on record as."""
        return "never" if self.next_on is None else "not_yet"

    def within(self, useful_until: date) -> "Hold":
        """The same; for good where it would end only after the message is of no use any more."""
        if self.next_on is None or self.next_on <= useful_until:
            return self
        return replace(self, reason=f"{self.reason}, and after {useful_until} it is of no use any more", next_on=None)


@dataclass(frozen=True)
class Rule:
    """One reason, stated once: a function of a candidate and the day, which gives a Hold or nothing."""

    #: Its short name on the page of rules; a Hold may name the reason more closely.
    name: str
    #: What it keeps, in a sentence, for people.
    keeps: str
    hold: Callable[[Asked, Asked], Hold | None]
    #: Why it is not asked again once a message is planned; empty where it is.
    once: str = ""
    #: What becomes of a message that it holds when asked again: "approved" lets it wait.
    status: str = "withdrawn"

    @property
    def is_rechecked(self) -> bool:
        return not self.once
