"""The moments around a day that planning must decide on: gathered in a temporary table, read back a page at a time.

However many customers and moments there are, only a page of them is in memory. Nothing is written for good.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    MetaData,
    String,
    Table,
    and_,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlmodel import Session, col

from outreach.clock import add_business_days
from outreach.models import Decision, Event, Message, Moment
from outreach.moments import MOMENTS, BusinessDay, Found, business_day, find_moments, knobs_for
from outreach.planning.ids import moment_id
from outreach.settings import Settings

PAGE = 2_000
# What has come to an end without reaching them is followed at once; what reached them only after the wait.
REACHED = ("accepted", "delivered")
MISSED = ("failed", "suppressed", "returned")
AROUND = Table(
    "around",
    MetaData(),
    Column("kind", String, primary_key=True),
    Column("customer_id", String, primary_key=True),
    Column("occasion", String, primary_key=True),
    Column("day", Date, nullable=False),
    Column("looked_at", Date, nullable=False),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True)
class Due:
    """A moment to decide on, and the sequence of the last decision on it; `reference` is a ladder's last message."""

    found: Found
    sequence: int
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


def gather_around(session: Session, settings: Settings, on: date, kinds: Collection[str] = ()) -> int:
    """Gathers every moment of `kinds` (all where there are none) around `on`; returns how many there are."""
    connection = session.connection()
    AROUND.create(connection)
    for kind in MOMENTS:
        if kind in (kinds or MOMENTS) and knobs_for(settings, kind).enabled:
            written = MOMENTS[kind].written_knobs(settings)
            for day in days_around(settings, kind, on):
                connection.execute(_gather(kind, written, business_day(settings, day)))
    return connection.execute(select(func.count()).select_from(AROUND)).scalar_one()


@lru_cache(maxsize=2_000)
def _gather(kind: str, written: str, day: BusinessDay) -> Any:
    """Kept from run to run: the same day is looked at on many, and to put a statement together takes milliseconds."""
    definition = MOMENTS[kind]
    found = definition.select_for(definition.read_knobs(written), day).subquery("found")
    # What stands on one day may have been found from another. ON CONFLICT is compiled anew each time it is used.
    gathered = exists().where(
        AROUND.c.kind == kind,
        AROUND.c.customer_id == found.c.customer_id,
        AROUND.c.occasion == found.c.occasion,
    )
    rows = select(literal(kind, String), found.c.customer_id, found.c.occasion, found.c.day, literal(day.on, Date))
    return insert(AROUND).from_select([column.name for column in AROUND.columns], rows.where(~gathered))


def _with_decisions(settings: Settings, on: date, *what: Any) -> Any:
    """A select of the moments that are around and due, each with the decision that stands on it."""
    later = Decision.__table__.alias("later")  # type: ignore[attr-defined]
    last = select(func.max(later.c.sequence)).where(later.c.moment_id == col(Moment.moment_id)).correlate(Moment)
    known = and_(
        col(Moment.kind) == AROUND.c.kind,
        col(Moment.customer_id) == AROUND.c.customer_id,
        col(Moment.occasion) == AROUND.c.occasion,
    )
    decided = and_(col(Decision.moment_id) == col(Moment.moment_id), col(Decision.sequence) == last.scalar_subquery())
    climbs = [_climbs(settings, kind, on) for kind in MOMENTS if knobs_for(settings, kind).ladder]
    is_due = func.coalesce(or_(_is_due(on), *climbs), literal(True, Boolean))
    return select(*what).select_from(AROUND).outerjoin(Moment, known).outerjoin(Decision, decided).where(is_due)


def _is_due(on: date) -> Any:
    """NULL where nothing was decided yet."""
    waits = and_(col(Decision.run_on) != on, func.coalesce(col(Decision.next_on), on) <= on)
    return and_(col(Decision.outcome) == "not_yet", waits)


def is_next_step(settings: Settings, kind: str, step: int, sent_on: date, on: date) -> bool:
    """Whether the ladder has a step after `step`, and its last message went out long enough ago."""
    return step < len(knobs_for(settings, kind).channels) and sent_on <= on - wait_of(settings, kind)


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
    last = select(col(Message.reference)).where(
        col(Message.reference) == col(Decision.reference),
        col(Message.step) < len(knobs.channels),
        or_(unanswered, col(Message.status).in_(MISSED)),
        ~answer.exists(),
    )
    sent = and_(AROUND.c.kind == kind, col(Decision.outcome) == "send", col(Decision.run_on) != on)
    return and_(sent, last.correlate(Decision).exists())


def read_due(session: Session, settings: Settings, on: date, kind: str) -> Iterator[list[Due]]:
    """The moments of one kind that are to be decided on, a page at a time, by customer."""
    sequence = func.coalesce(col(Decision.sequence), 0).label("sequence")
    due = _with_decisions(settings, on, AROUND, sequence, col(Decision.reference).label("reference"))
    due = due.where(AROUND.c.kind == kind).order_by(AROUND.c.customer_id, AROUND.c.occasion).limit(PAGE)
    after = ("", "")
    while True:
        # Said so that the index leads there; an OR alone reads every page before it again.
        rest = and_(
            AROUND.c.customer_id >= after[0],
            or_(AROUND.c.customer_id > after[0], AROUND.c.occasion > after[1]),
        )
        rows = session.connection().execute(due.where(rest)).all()
        if not rows:
            return
        after = (rows[-1].customer_id, rows[-1].occasion)
        yield [
            Due(Found(kind, row.customer_id, row.occasion, row.day, row.looked_at), row.sequence, row.reference)
            for row in rows
        ]


def count_due(session: Session, settings: Settings, on: date) -> dict[str, int]:
    """How many of the moments that are around are to be decided on, by kind, in the order in which kinds come first."""
    counted = _with_decisions(settings, on, AROUND.c.kind, func.count()).group_by(AROUND.c.kind)
    due = dict(session.connection().execute(counted).tuples().all())
    return {kind: due[kind] for kind in MOMENTS if kind in due}


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
            col(Decision.next_on) <= on,
            col(Decision.run_on) != on,
            col(Decision.sequence) == last.scalar_subquery(),
            AROUND.c.kind.is_(None),
            col(Moment.kind).in_(list(kinds or MOMENTS)),
        )
    )
