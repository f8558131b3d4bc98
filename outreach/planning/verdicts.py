"""What a rule says of somebody, and what becomes of a message because of it. It decides nothing itself.

A `Hold` is planning's word on a moment; a `Stop` is what happens to a message that was planned before.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime


@dataclass(frozen=True)
class Hold:
    """Why a moment is not written to: the rule's name, the reason in plain words, and when to look again.

    `next_on` is the day from which the rule may no longer hold; None means never for this occasion.
    """

    rule: str
    reason: str
    next_on: date | None = None

    def within(self, useful_until: date) -> "Hold":
        """The same; for good where it would end only after the message is of no use any more."""
        if self.next_on is None or self.next_on <= useful_until:
            return self
        return replace(self, reason=f"{self.reason}, and after {useful_until} it is of no use any more", next_on=None)


@dataclass(frozen=True)
class Stop:
    """Why a message does not leave; `status` is what it becomes, and "approved" means it only waits.

    `not_before` is until when it waits, where that is known. `holds` is what is said now of each moment that it was to
    carry, by moment id: with it the moments are decided on again.
    """

    status: str
    reason: str
    not_before: datetime | None = None
    holds: tuple[tuple[str, Hold], ...] = ()


Stops = dict[str, Stop]
