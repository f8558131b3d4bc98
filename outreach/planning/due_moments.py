"""Gathers the moments around a day that planning must decide on, and reads them back a page at a time.

They are in temporary tables: however many there are, only a page of them is in memory. Nothing is written for good.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
)
from sqlmodel import Session, col

from outreach.clock import add_business_days
from outreach.models import LEFT, Decision, Event, Message, Moment
from outreach.moments import MOMENTS, BusinessDay, Found, business_day, find_moments, knobs_for, select_any_day
from outreach.moments.open_day import OpenDay, write_day
from outreach.settings import Settings
from outreach.stable_ids import moment_id
from outreach.temporary_tables import empty_table

PAGE = 2_000
# What has come to an end without reaching them is followed at once; what reached them only after the wait.
REACHED = ("accepted", "delivered")
MISSED = ("failed", "suppressed", "returned")
TRIED = (*LEFT, "suppressed")
AROUND = Table(
    "around",
    MetaData(),
    Column("kind", String, primary_key=True),
    Column("customer_id", String, primary_key=True),
    Column("occasion", String, primary_key=True),
    Column("day", Date, nullable=False),
    Column("looked_at", Date, nullable=False),
    # In the order of `_due_after`: without it each page would sort all that is left.
    Index("around_queue", "kind", "day", "customer_id", "occasion"),
    prefixes=["TEMPORARY"],
)
FROM_THE_START: dict[str, Any] = {"after_day": date.min, "after_customer": "", "after_occasion": ""}
# Point dates by the day on which they were found: the next run looks at most of the same days again.
POINT_DATES = Table(
    "point_dates",
    MetaData(),
    Column("kind", String, primary_key=True),
    Column("looked_at", Date, primary_key=True),
    Column("customer_id", String, primary_key=True),
    Column("occasion", String, primary_key=True),
    Column("day", Date, nullable=False),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True)
class Due:
    """A moment to decide on."""

    found: Found
    #: That of the last decision on it; 0 where there is none.
    sequence: int
    #: The last message of a ladder.
    reference: str | None


def days_around(settings: Settings, kind: str, on: date) -> list[date]:
    """The days on which a kind of moment is looked for: `lead_days` ahead and `grace_days` back for point dates."""
    knobs = knobs_for(settings, kind)
    if MOMENTS[kind].windowed:
        return [on]
    first, last = on - timedelta(days=knobs.grace_days), add_business_days(on, knobs.lead_days)
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]


Find = Callable[[Session, Settings, date, Sequence[str]], list[Found]]


def look_around(session: Session, settings: Settings, on: date, find: Find = find_moments) -> dict[str, Found]:
    """Every moment to consider on `on`, by moment id, for those who only look; `find` finds those of one day."""
    return {
        moment_id(item.kind, item.customer_id, item.occasion): item
        for kind in MOMENTS
        if knobs_for(settings, kind).enabled
        for day in days_around(settings, kind, on)
        for item in find(session, settings, day, [kind])
    }


class Surroundings:
    """The moments around one day after another, in temporary tables of the session.

    A point date that is around several days is looked for once; the settings must stay the same but for `start_on`.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.looked_at: set[tuple[str, date]] = set()
        for table in (AROUND, POINT_DATES):
            table.create(session.connection())

    def move_to(self, settings: Settings, on: date, kinds: Collection[str] = ()) -> dict[str, int]:
        """Gathers every moment of `kinds` (all where there are none) around `on`.

        Returns how many there are of each kind that there is, in the order in which kinds come first.
        """
        empty_table(self.session, AROUND)
        wanted = [kind for kind in MOMENTS if kind in (kinds or MOMENTS) and knobs_for(settings, kind).enabled]
        for kind in wanted:
            if MOMENTS[kind].windowed:
                self._gather(settings, kind, on)
        self._keep(settings, {(kind, day) for kind in wanted for day in _point_days(settings, kind, on)})
        connection = self.session.connection()
        connection.execute(_fill_with_point_dates())
        number = dict(connection.execute(_count_by_kind()).tuples().all())
        return {kind: number[kind] for kind in MOMENTS if kind in number}

    def _keep(self, settings: Settings, days: set[tuple[str, date]]) -> None:
        """Looks at those of `days` that were not looked at before, and forgets all others."""
        for kind, day in self.looked_at - days:
            gone = delete(POINT_DATES).where(POINT_DATES.c.kind == kind, POINT_DATES.c.looked_at == day)
            self.session.connection().execute(gone)
        for kind, day in sorted(days - self.looked_at):
            self._gather(settings, kind, day)
        self.looked_at = days

    def _gather(self, settings: Settings, kind: str, day: date) -> None:
        statement, on = _gather(kind, MOMENTS[kind].written_knobs(settings), business_day(settings, OpenDay()))
        self.session.connection().execute(statement, on.values_on(day))


def _point_days(settings: Settings, kind: str, on: date) -> list[date]:
    return [] if MOMENTS[kind].windowed else days_around(settings, kind, on)


@lru_cache(maxsize=128)
def _gather(kind: str, written: str, day: BusinessDay) -> tuple[Any, OpenDay]:
    """A statement for all days, and the day that is told with it."""
    query, on = select_any_day(kind, written, day)
    rows = query.add_columns(literal(kind, String), write_day(on))
    into = AROUND if MOMENTS[kind].windowed else POINT_DATES
    return insert(into).from_select(["customer_id", "occasion", "day", "kind", "looked_at"], rows), on


@cache
def _fill_with_point_dates() -> Any:
    """What stands on one day may have been found from another as well; it is around once."""
    key = POINT_DATES.c.kind, POINT_DATES.c.customer_id, POINT_DATES.c.occasion
    rows = select(*key, func.min(POINT_DATES.c.day), func.min(POINT_DATES.c.looked_at)).group_by(*key)
    return insert(AROUND).from_select([column.name for column in AROUND.columns], rows)


@cache
def _count_by_kind() -> Any:
    return select(AROUND.c.kind, func.count()).group_by(AROUND.c.kind)


def _with_decisions(settings: Settings, on: date, *what: Any) -> Any:
    """A select of the moments that are around and due, each with the decision that stands on it."""
    later = Decision.__table__.alias("later")  # type: ignore[attr-defined]
    last = select(func.max(later.c.sequence)).where(later.c.moment_id == col(Moment.moment_id)).correlate(Moment)
    same_moment = and_(
        col(Moment.kind) == AROUND.c.kind,
        col(Moment.customer_id) == AROUND.c.customer_id,
        col(Moment.occasion) == AROUND.c.occasion,
    )
    last_decision = and_(
        col(Decision.moment_id) == col(Moment.moment_id), col(Decision.sequence) == last.scalar_subquery()
    )
    climbs = [_climbs(settings, kind, on) for kind in MOMENTS if knobs_for(settings, kind).ladder]
    is_due = func.coalesce(or_(_is_due(on), *climbs), literal(True, Boolean))
    return (
        select(*what)
        .select_from(AROUND)
        .outerjoin(Moment, same_moment)
        .outerjoin(Decision, last_decision)
        .where(is_due)
    )


def _is_due(on: date) -> Any:
    """NULL where nothing was decided yet."""
    return and_(col(Decision.outcome) == "not_yet", _waited_until(on))


def _waited_until(on: date) -> Any:
    """Put off until `on` or before, by an earlier run; or by this one, for what could not be written as it was."""
    again = or_(col(Decision.run_on) != on, col(Decision.next_on) == on)
    return and_(again, func.coalesce(col(Decision.next_on), on) <= on)


def wait_of(settings: Settings, kind: str) -> timedelta:
    """How long a ladder waits for an answer: never less than the quiet days."""
    return timedelta(days=max(knobs_for(settings, kind).wait_days, settings.pacing.quiet_days))


def _climbs(settings: Settings, kind: str, on: date) -> Any:
    """The moment was sent, its ladder goes on, and its last message has brought no answer for long enough."""
    knobs = knobs_for(settings, kind)
    unanswered = and_(col(Message.status).in_(REACHED), col(Message.send_on) <= on - wait_of(settings, kind))
    answer = select(col(Event.event_id)).where(
        col(Event.reference) == col(Message.reference), col(Event.kind) == "replied"
    )
    # Counted, since the number of a message goes on when one was withdrawn before it left.
    other = Message.__table__.alias("other")  # type: ignore[attr-defined]
    tries = select(func.count()).where(other.c.moment_id == col(Message.moment_id), other.c.status.in_(TRIED))
    last = select(col(Message.reference)).where(
        col(Message.reference) == col(Decision.reference),
        tries.scalar_subquery() < len(knobs.channels),
        or_(unanswered, col(Message.status).in_(MISSED)),
        ~answer.exists(),
    )
    # Not what was sent by a run of this day: a second one must find everything decided.
    sent = and_(AROUND.c.kind == kind, col(Decision.outcome) == "send", col(Decision.run_on) != on)
    return and_(sent, last.correlate(Decision).exists())


def read_due(session: Session, settings: Settings, on: date, kinds: Iterable[str]) -> Iterator[list[Due]]:
    """The moments of `kinds` that are to be decided on, a page at a time: kind after kind, the earliest day first."""
    due = _due_after(settings, on)
    page: list[Due] = []
    for kind in kinds:
        after = FROM_THE_START
        while rows := session.connection().execute(due, {"of_kind": kind, "number": PAGE - len(page)} | after).all():
            page += [
                Due(Found(kind, row.customer_id, row.occasion, row.day, row.looked_at), row.sequence, row.reference)
                for row in rows
            ]
            if len(page) < PAGE:
                break
            yield page
            last = rows[-1]
            page, after = (
                [],
                {"after_day": last.day, "after_customer": last.customer_id, "after_occasion": last.occasion},
            )
    if page:
        yield page


def _due_after(settings: Settings, on: date) -> Any:
    """A select of the next `number` moments of a kind: put together once, since that takes longer than to run it."""
    sequence = func.coalesce(col(Decision.sequence), 0).label("sequence")
    due = _with_decisions(settings, on, AROUND, sequence, col(Decision.reference).label("reference"))
    # Under a limit whoever is soonest of no use any more comes first: the use of a moment ends so long after its day.
    queue = AROUND.c.day, AROUND.c.customer_id, AROUND.c.occasion
    after = bindparam("after_day", type_=Date), bindparam("after_customer", type_=String)
    rest = and_(
        AROUND.c.kind == bindparam("of_kind", type_=String),
        tuple_(*queue) > tuple_(*after, bindparam("after_occasion", type_=String)),
    )
    # From the last row's key and by no offset: what the pages before have decided is not in this select any more.
    in_order = due.where(rest).order_by(*queue)
    return in_order.limit(bindparam("number", type_=Integer))


def select_lost(on: date, kinds: Collection[str] = ()) -> Any:
    """A select of (moment, its kind, sequence) of what was put off until `on` and is not around any more."""
    later = Decision.__table__.alias("later")  # type: ignore[attr-defined]
    last = select(func.max(later.c.sequence)).where(later.c.moment_id == col(Decision.moment_id)).correlate(Decision)
    around = and_(
        AROUND.c.kind == col(Moment.kind),
        AROUND.c.customer_id == col(Moment.customer_id),
        AROUND.c.occasion == col(Moment.occasion),
    )
    return (
        select(col(Moment.moment_id), col(Moment.kind), col(Decision.sequence))
        .join(Decision, col(Decision.moment_id) == col(Moment.moment_id))
        .outerjoin(AROUND, around)
        .where(
            col(Decision.outcome) == "not_yet",
            _waited_until(on),
            col(Decision.sequence) == last.scalar_subquery(),
            AROUND.c.kind.is_(None),
            col(Moment.kind).in_(list(kinds or MOMENTS)),
        )
    )
