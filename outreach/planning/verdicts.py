"""What becomes of a message that was planned, because of what rules say of its moments. It decides nothing itself."""

from dataclasses import dataclass
from datetime import datetime

from outreach.moments.rule import Hold


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


Stops = dict[str, Stop]

__all__ = ["Hold", "Stop", "Stops"]
