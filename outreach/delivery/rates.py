"""How fast each provider may be used, by all senders together: a number of hand-overs wanted in, those allowed out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from outreach.database import insert_new
from outreach.models import Allowance

# Nothing is allowed further ahead than this, so that a pause or an opt-out is never long in coming into force.
AHEAD = timedelta(seconds=1)


@dataclass(frozen=True)
class Allowed:
    """`count` hand-overs may start, the first of them after `wait`, each `apart` from the one before."""

    count: int
    wait: timedelta
    apart: timedelta


def allow(session: Session, provider: str, per_second: float | None, wanted: int, at: datetime) -> Allowed:
    """Sets aside a provider's next `wanted` hand-overs, as many as may start within the next second.

    None of them when others have used that second up: `wait` says when to ask again.
    """
    if per_second is None or wanted == 0:
        return Allowed(wanted, timedelta(0), timedelta(0))
    apart = timedelta(seconds=1 / per_second)
    insert_new(session, Allowance, [{"provider": provider, "used_until": at}])
    used = session.get_one(Allowance, provider, with_for_update=True)
    first = max(at, used.used_until)
    if first - at > AHEAD:
        return Allowed(0, first - at - AHEAD, apart)
    count = min(wanted, 1 + (AHEAD - (first - at)) // apart)
    used.used_until = first + count * apart
    return Allowed(count, first - at, apart)
