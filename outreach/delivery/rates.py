"""Holds each provider's rate over all senders together: hand-overs get slots, and start in no other instant.

A slot that was missed is gone. To make up for it would be two at once, and a provider counts by the second.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from outreach.clock import steady_seconds, system_clock
from outreach.database import insert_new, shared_instant, writing
from outreach.models import Allowance

# Nothing is allowed further ahead than this, so that a pause or an opt-out is never long in coming into force.
AHEAD = timedelta(seconds=1)
# So late a slot may still be used; slots are as much further apart, so that the rate holds in any second all the same.
LATE = timedelta(seconds=0.1)
# Beginning attempts takes this long at the most before the first of them is ready to leave.
MOST_READY = timedelta(seconds=0.5)
# What is used up further ahead than it can be was written by a clock that was wrong.
CLOCKS_DIFFER = timedelta(seconds=2)
# Whoever waits longer than this says why.
QUIET_SECONDS = 2


@dataclass(frozen=True)
class Allowed:
    """The slots that were set aside."""

    #: How many hand-overs may start.
    count: int
    #: When the first may start, from now; with a count of 0, when to ask again.
    wait: timedelta
    #: The time between two of them.
    apart: timedelta


def allow(
    session: Session,
    provider: str,
    per_second: float | None,
    wanted: int,
    at: datetime,
    ready: timedelta = timedelta(0),
) -> Allowed:
    """Sets aside a provider's next `wanted` slots, as many as come within a second of when the first is `ready`.

    None of them when others have used that second up: `wait` says when to ask again.
    """
    if per_second is None or wanted == 0:
        return Allowed(wanted, timedelta(0), timedelta(0))
    # Two slots, the first used as late as allowed and the second at once, must still not break the rate of a second.
    apart = (timedelta(seconds=1) + LATE) / per_second
    insert_new(session, Allowance, [{"provider": provider, "used_until": at}])
    # Locked, so that two senders are never given the same slot.
    used = session.get_one(Allowance, provider, with_for_update=True, populate_existing=True)
    begins = at + ready
    cannot_be = used.used_until > at + MOST_READY + AHEAD + apart + CLOCKS_DIFFER
    first = begins if cannot_be else max(begins, used.used_until)
    if first - begins > AHEAD:
        return Allowed(0, first - begins - AHEAD, apart)
    count = min(wanted, 1 + (AHEAD - (first - begins)) // apart)
    used.used_until = first + count * apart
    return Allowed(count, first - at, apart)


class Slots:
    """The slots of one sender with one provider."""

    def __init__(
        self, engine: Engine, provider: str, per_second: float | None, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self.engine, self.provider, self.per_second, self.tell = engine, provider, per_second, tell
        self.waiting_since: float | None = None
        self.starts: deque[float] = deque()
        #: How long it took lately from setting slots aside to being ready for the first.
        self.ready = timedelta(0)

    def set_aside(self, wanted: int, ready: timedelta | None = None) -> tuple[int, float]:
        """How many may be begun now, `wanted` at the most; where none may, the seconds after which to ask again."""
        if self.per_second is None:
            return wanted, 0.0
        with writing(self.engine) as session:
            # Read once the transaction has begun, for on SQLite that may take a while.
            at = shared_instant(session, system_clock)
            now = steady_seconds()
            allowed = allow(session, self.provider, self.per_second, wanted, at, self.ready if ready is None else ready)
        if allowed.count:
            self.waiting_since = None
        first, apart = now + allowed.wait.total_seconds(), allowed.apart.total_seconds()
        self.starts.extend(first + number * apart for number in range(allowed.count))
        return allowed.count, allowed.wait.total_seconds()

    def wait(self, seconds: float, at_most: float) -> None:
        """Waits while other senders use up what the provider allows; told once where that takes long."""
        since = self.waiting_since = steady_seconds() if self.waiting_since is None else self.waiting_since
        if steady_seconds() + seconds - since > QUIET_SECONDS:
            rate = f"{self.provider} is given {self.per_second:g} messages a second by all senders together"
            self.tell(f"{rate}; this one waits for a slot (providers.{self.provider}.per_second)")
            self.waiting_since = math.inf
        time.sleep(min(seconds, at_most))

    def note_ready(self, seconds: float) -> None:
        self.ready = min(timedelta(seconds=seconds), MOST_READY)

    def await_slot(self, left: int, until: float) -> bool:
        """Waits for the next slot, of `left` that are still wanted; False when none comes before `until`."""
        if self.per_second is None:
            return True
        while (now := steady_seconds()) < until:
            while self.starts and self.starts[0] + LATE.total_seconds() < now:
                self.starts.popleft()
            if not self.starts:
                count, wait = self.set_aside(left, timedelta(0))
                if not count:
                    time.sleep(max(0.0, min(wait, until - now)))
                continue
            if (ahead := min(self.starts[0], until) - now) > 0:
                time.sleep(ahead)
            elif self.starts[0] <= now:
                self.starts.popleft()
                return True
        return False

    def drop(self) -> None:
        """Lets go of slots that nobody is left for."""
        self.starts.clear()
