"""What one run of composing wrote, in counts: it names nobody."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ComposeReport:
    """What this process wrote, in counts by (moment, channel); others may write the same day at the same time."""

    composed: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: Messages that one person's data did not allow.
    withdrawn: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: Messages that stay planned until something of ours is mended.
    waiting: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: What must be mended for them.
    to_mend: set[str] = field(default_factory=set)
    #: Messages that were over the limit.
    left: int = 0
    #: Kinds of moment that are decided on again at once: by another channel, or to a contact that was corrected.
    due_again: set[str] = field(default_factory=set)

    def __add__(self, other: "ComposeReport") -> "ComposeReport":
        """What both runs wrote; what waits, what must be mended and what is due again is as the later one leaves it."""
        return ComposeReport(
            self.composed + other.composed,
            self.withdrawn + other.withdrawn,
            # The later one tried again whatever the first had left planned.
            other.waiting,
            other.to_mend,
            self.left + other.left,
            other.due_again,
        )
