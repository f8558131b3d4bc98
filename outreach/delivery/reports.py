"""What a run of delivery did and what waits now that it is done: counts only, and no one's name."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class DeliverReport:
    """What this run did, in messages, and what waits now that it is done.

    `sent` counts by channel. `withdrawn` had a reason that is gone; `changed` are withdrawn too, since what they
    said, or whom they went to, is not what it was: planning decides again. `again`: surely not taken, or not
    answered by a provider that takes one key once; the next run tries them. `retrying` counts them by provider, and
    `resting` ones failed too often in a row. `waiting` are approved for a later day, `paused` and `over_cap` for
    today; `left` are still due once the limit was reached. The approval of `undoable` can be undone, until
    `next_at` for the first of them and `undo_until` for the last; then they leave. `out_of_hours` wait for the
    hours in which their recipients may be reached, the first from `hours_at` on. `before` were accepted before this
    run. `files` are the lists that providers wrote. `cancelled` were taken back at vendors, and `saved` is their
    cost in minor units.
    """

    on: date
    sent: Counter[str]
    suppressed: int
    blocked: int
    withdrawn: int
    changed: int
    expired: int
    failed: int
    uncertain: int
    again: int
    retrying: Counter[str]
    resting: tuple[str, ...]
    paused: int
    over_cap: int
    left: int
    waiting: int
    undoable: int
    out_of_hours: int
    next_at: datetime | None
    hours_at: datetime | None
    undo_until: datetime | None
    before: int
    files: tuple[str, ...]
    cancelled: int
    saved: int
