"""What becomes of a message that was planned, because of what rules say of its moments. It decides nothing itself."""

from dataclasses import dataclass
from datetime import datetime

from outreach.moments.rule import Hold

#: The rules that say not that the reason is gone, but that by now something else would be written, or to somebody else.
CHANGES = frozenset({"facts", "recipient"})


@dataclass(frozen=True)
class Stop:
    """Why a message does not leave."""

    #: What it becomes; “approved” means that it only waits.
    status: str
    reason: str
    #: Until when it waits, where that is known.
    not_before: datetime | None = None
    #: What is said now of each moment that it was to carry, by moment id: with it they are decided on again.
    holds: tuple[tuple[str, Hold], ...] = ()

    @property
    def only_waits(self) -> bool:
        return self.status == "approved"

    @property
    def counted_as(self) -> str:
        """The name under which reports count it: its status, or "changed" for what is withdrawn to be written anew."""
        is_changed = self.status == "withdrawn" and any(hold.rule in CHANGES for _, hold in self.holds)
        return "changed" if is_changed else self.status


Stops = dict[str, Stop]

__all__ = ["Hold", "Stop", "Stops"]
