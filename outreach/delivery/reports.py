"""What a run of delivery did, and what waits now that it is done: counts only, and no one's name."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class DeliverReport:
    """What this run did, in messages, and what waits now that it is done."""

    #: The business's own date.
    on: date
    #: Taken by their providers, by channel.
    sent: Counter[str]
    suppressed: int
    blocked: int
    #: Because its reason is gone.
    withdrawn: int
    #: Withdrawn too: what they said, or whom they went to, is not what it was, and planning decides again.
    changed: int
    expired: int
    failed: int
    uncertain: int
    #: Surely not taken, or not answered by a provider that takes one key once; the next run tries them.
    again: int
    #: The same, by provider.
    retrying: Counter[str]
    #: Providers that failed too often in a row, and are left alone until the next run.
    resting: tuple[str, ...]
    #: Due today, and held by a pause.
    paused: int
    #: Due today, and over the day's cap.
    over_cap: int
    #: Still due once the limit of this run was reached.
    left: int
    #: Approved for a later day.
    waiting: int
    #: Due, and waiting until their approval can no longer be undone.
    undoable: int
    #: Waiting for the hours in which their recipients may be reached.
    out_of_hours: int
    #: When the first of the undoable ones leaves.
    next_at: datetime | None
    #: When the hours of the first recipient begin.
    hours_at: datetime | None
    #: When the last of the undoable ones leaves.
    undo_until: datetime | None
    #: Accepted before this run.
    before: int
    #: The lists that providers wrote.
    files: tuple[str, ...]
    #: Taken back at vendors.
    cancelled: int
    #: The cost of the cancelled ones, in minor units.
    saved: int
