"""Counts how many approved messages are due now, and how many wait for another time and why.

Reads only: nothing is claimed here, and nothing leaves.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from outreach.clock import Clock, business_date
from outreach.database import reading
from outreach.delivery import outbox
from outreach.delivery.control.pauses import count_messages, is_paused
from outreach.delivery.control.undoing import count_undoable
from outreach.delivery.providers import Provider, open_providers
from outreach.delivery.recovery import restore_guard
from outreach.delivery.status_reasons import TIMED
from outreach.errors import SettingsError
from outreach.models import Installation, Message
from outreach.settings import Settings


@dataclass(frozen=True)
class Waiting:
    """What is approved and does not leave now; DeliverReport says what each count is."""

    paused: int
    over_cap: int
    waiting: int
    undoable: int
    out_of_hours: int
    next_at: datetime | None
    hours_at: datetime | None
    undo_until: datetime | None


@dataclass(frozen=True)
class DueReport:
    """What a run at this moment would hand over: `due` by (moment, channel), of which `leaving` may leave.

    The cap, or the limit that was asked for, keeps the rest back. `stops` counts what the last check would stop, under
    the names that DeliverReport has for them, and as "held" what a rule makes wait; only a dry run asks it.
    """

    on: date
    due: Counter[tuple[str, str]]
    leaving: int
    waits: Waiting
    stops: Counter[str] = field(default_factory=Counter)


def count_due(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    limit: int | None = None,
    providers: Mapping[str, Provider] | None = None,
) -> DueReport:
    """What `deliver_due` would hand over now, at most `limit` of it. Raises what `deliver_due` would raise first."""
    on, at = business_date(clock(), settings.business.timezone), clock()
    restore_guard.require_no_restore(engine, settings)
    with open_providers(settings, providers) as carriers, reading(engine) as session:
        require_start(session, settings)
        still_due = outbox.due(on, at, carriers), ~is_paused(), col(Message.useful_until) >= on
        by = col(Message.kind), col(Message.channel)
        rows = session.exec(select(*by, func.count()).where(*still_due).group_by(*by))
        due = Counter({(kind, channel): number for kind, channel, number in rows})
        begun = count_messages(session, *still_due, outbox.begun())
        room = begun + max(outbox.room_left(session, settings.daily_cap, on), 0)
        waits = count_waiting(session, settings, on, at, carriers)
    leaving = min(due.total(), room, due.total() if limit is None else limit)
    return DueReport(on, due, leaving, waits)


def count_waiting(session: Session, settings: Settings, on: date, at: datetime, carriers: Collection[str]) -> Waiting:
    """What is approved and waits, as things stand at `at`."""
    still_due = outbox.due(on, at, carriers)
    is_full = outbox.room_left(session, settings.daily_cap, on) <= 0
    undoable, next_at, undo_until = count_undoable(session, on, at)
    out_of_hours, hours_at = _count_out_of_hours(session, at)
    return Waiting(
        paused=count_messages(session, still_due, is_paused()),
        over_cap=count_messages(session, still_due, ~is_paused(), ~outbox.begun()) if is_full else 0,
        waiting=count_messages(session, Message.status == "approved", col(Message.send_on) > on),
        undoable=undoable,
        out_of_hours=out_of_hours,
        next_at=next_at,
        hours_at=hours_at,
        undo_until=undo_until,
    )


def _count_out_of_hours(session: Session, at: datetime) -> tuple[int, datetime | None]:
    """How many wait for the hours of whom they are for, and when the first of these begin."""
    waiting = select(func.count(), func.min(Message.not_before)).where(
        Message.status == "approved", col(Message.status_reason).in_(TIMED), col(Message.not_before) > at
    )
    return session.exec(waiting).one()


def require_start(session: Session, settings: Settings) -> None:
    """Raises SettingsError in live mode while there is no day to start on."""
    installation = session.get(Installation, 1)
    if settings.mode == "live" and not (settings.start_on or (installation and installation.first_import_on)):
        raise SettingsError("Live sending needs a first day: import customers, or set start_on in outreach.toml")
