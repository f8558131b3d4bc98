"""What becomes of a message that was planned, because of what rules say of its moments. It decides nothing itself."""

from dataclasses import dataclass
from datetime import datetime

from outreach.moments.rule import Hold


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

    @property
    def only_waits(self) -> bool:
        return self.status == "approved"


Stops = dict[str, Stop]

__all__ = ["Hold", "Stop", "Stops"]
