"""What a drill showed: how often senders were killed, and what the vendors' logs hold in the end."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from outreach.drill.ledger import LedgerTally
from outreach.drill.options import DrillOptions


@dataclass(frozen=True)
class DrillResult:
    """What a drill showed."""

    options: DrillOptions
    #: Where its tables are.
    database: str
    tally: LedgerTally
    #: Kills by the point that the sender stood at.
    killed: Counter[str]
    #: Stops by the same.
    stopped: Counter[str]
    #: Processes that ended by themselves.
    fell_over: int
    #: Webhooks by what the pages answered.
    webhooks: dict[str, int]
    seconds: float
    #: The logs of a drill that failed.
    folder: Path | None
    restores: int = 0
    #: Restores that did not stop each machine from sending.
    unnoticed: int = 0
    #: How often a clock jumped.
    jumps: int = 0
    #: How busy the machine was.
    pace: float = 1.0
    #: Whether what still waits was being worked on when there was no more time.
    slow: bool = False

    @property
    def passed(self) -> bool:
        """Whether nothing was doubled or lost, and everything else that must be 0 is 0."""
        return self.tally.is_clean and not self.fell_over and not self.unnoticed
