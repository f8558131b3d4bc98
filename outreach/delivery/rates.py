"""How fast each provider may be used, by all senders on all machines together.

It goes by one clock: the database's own, where machines share it. What a clock that was ahead has left is not waited
for.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from outreach.clock import Clock, system_clock
from outreach.database import insert_new, shared_instant
from outreach.models import Allowance

# Nothing is allowed further ahead than this, so that a pause or an opt-out is never long in coming into force.
AHEAD = timedelta(seconds=1)


@dataclass(frozen=True)
class Allowed:
    """`count` hand-overs may start, the first of them `wait` after `at`, each `apart` from the one before."""

    count: int
    wait: timedelta
    apart: timedelta
    at: datetime


def allow(
    session: Session, provider: str, per_second: float | None, wanted: int, clock: Clock = system_clock
) -> Allowed:
    """Sets aside a provider's next `wanted` hand-overs, as many as may start within the next second.

    None of them when others have used that second up: `wait` says when to ask again.
    """
    if per_second is None or wanted == 0:
        return Allowed(wanted, timedelta(0), timedelta(0), clock())
    apart = timedelta(seconds=1 / per_second)
    insert_new(session, Allowance, [{"provider": provider, "used_until": clock()}])
    used = session.get_one(Allowance, provider, with_for_update=True)
    # Read only now: whoever held the row before us may have held it for a while.
    at = shared_instant(session, clock)
    # Nobody is given more than AHEAD and one more: what is further ahead was written by a clock that was ahead.
    first = at if used.used_until - at > AHEAD + 2 * apart else max(at, used.used_until)
    if first - at > AHEAD:
        return Allowed(0, first - at - AHEAD, apart, at)
    count = min(wanted, 1 + (AHEAD - (first - at)) // apart)
    used.used_until = first + count * apart
    return Allowed(count, first - at, apart, at)
