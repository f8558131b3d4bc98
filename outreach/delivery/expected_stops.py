"""A dry run of deliver: what would be handed over now, and what the last check would stop. It writes nothing.

It takes what is due in the order of a run and asks the very checks that open an attempt, so that it promises no more.
What providers will answer, and what a run takes back at vendors, it cannot know.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, Engine, and_, or_
from sqlmodel import col, select

from outreach.channels import TEXT
from outreach.clock import Clock, business_date
from outreach.composing.store.contents import read_bodies
from outreach.composing.store.storage import Storage, open_storage
from outreach.database import reading
from outreach.delivery import outbox
from outreach.delivery.control.pauses import count_messages, is_paused
from outreach.delivery.due import DueReport, count_due
from outreach.delivery.last_check import OUT_OF_REACH, checks_on
from outreach.delivery.open_attempts import find_all_stops
from outreach.delivery.providers import Provider, open_providers
from outreach.delivery.send_queue import TURNS, Place, Turn, select_queue
from outreach.delivery.status_reasons import TIMED
from outreach.models import Message
from outreach.planning.legal_hours import find_leaves
from outreach.planning.verdicts import Stop, Stops
from outreach.settings import Settings

AT_ONCE = 200


def foresee_delivery(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    limit: int | None = None,
    providers: Mapping[str, Provider] | None = None,
) -> DueReport:
    """What `deliver_due` would hand over now, at most `limit` of it, and what its last check would stop.

    Raises what `deliver_due` would raise first.
    """
    counted = count_due(engine, settings, clock, limit, providers)
    with open_providers(settings, providers) as carriers:
        return DryRun(engine, settings, carriers, clock()).run(counted, limit)


class DryRun:
    """One look at everything that is due at one instant."""

    def __init__(self, engine: Engine, settings: Settings, carriers: Mapping[str, Provider], at: datetime) -> None:
        self.engine, self.settings, self.carriers, self.at = engine, settings, carriers, at
        self.on: date = business_date(at, settings.business.timezone)
        self.storage: Storage = open_storage(settings.storage)
        self.leaving = 0
        self.texts: list[Message] = []
        self.stopped: list[Stop] = []

    def run(self, counted: DueReport, limit: int | None) -> DueReport:
        with reading(self.engine) as session:
            room = max(outbox.room_left(session, self.settings.daily_cap, self.on), 0)
            late = Message.status == "approved", col(Message.useful_until) < self.on, ~outbox.begun()
            expired = count_messages(session, *late)
        is_full = self._take(room, limit)
        stops = Counter(stop.counted_as for stop in self.stopped if not stop.only_waits)
        stops["expired"] += expired
        waits = [stop for stop in self.stopped if stop.only_waits]
        out_of_hours = sum(stop.reason in TIMED for stop in waits)
        stops["again"] += (unread := waits.count(OUT_OF_REACH))
        stops["held"] += len(waits) - out_of_hours - unread
        rest = counted.due.total() - self.leaving - len(self.stopped)
        held = replace(
            counted.waits,
            out_of_hours=counted.waits.out_of_hours + out_of_hours,
            over_cap=rest if is_full else 0,
        )
        stops["left"] += 0 if is_full else rest
        return replace(counted, leaving=self.leaving, waits=held, stops=+stops)

    def _take(self, room: int, limit: int | None) -> bool:
        """Lets go what may leave, and says whether it was the cap that ended it."""
        opened = 0
        for turn in TURNS:
            for message, stop in self._look_at(turn):
                if limit is not None and self.leaving >= limit:
                    return False
                # What was begun before was counted against the cap on the day it was begun.
                if turn != "begun" and opened >= room:
                    return True
                if stop:
                    self.stopped.append(stop)
                else:
                    self.leaving += 1
                    self.texts += [message] if message.channel == TEXT.name else []
                    opened += turn != "begun"
        return False

    def _look_at(self, turn: Turn) -> Iterator[tuple[Message, Stop | None]]:
        """Everything that is due in the turn, in its order, each with why it does not leave."""
        last: Place | None = None
        while rows := self._read_places(turn, last):
            references = [reference for _, _, reference in rows]
            bodies = read_bodies(self.engine, self.storage, references)
            with reading(self.engine) as session:
                found = session.exec(select(Message).where(col(Message.reference).in_(references)))
                messages = sorted(found, key=lambda message: references.index(message.reference))
                attempts = outbox.attempts_of(session, references)
                leaves = find_leaves(session, self.settings, messages, self.at)
                checks = checks_on(bodies, leaves, self.at, self.texts)
                stops: Stops = find_all_stops(
                    session, self.settings, messages, attempts, bodies, self.carriers, checks, self.on, self.at
                )
            yield from ((message, stops.get(message.reference)) for message in messages)
            last = rows[-1]

    def _read_places(self, turn: Turn, last: Place | None) -> Sequence[Place]:
        with reading(self.engine) as session:
            # From the last place on: a dry run marks nothing, so what was looked at stays in the queue.
            rows = session.execute(select_queue(self._is_due(), turn, outbox.begun(), last).limit(AT_ONCE))
            return [(useful_until, place, reference) for useful_until, place, reference, *_ in rows]

    def _is_due(self) -> ColumnElement[bool]:
        """What a run ends as too late before it claims anything is not due any more."""
        in_use = or_(col(Message.useful_until) >= self.on, outbox.begun())
        return and_(outbox.due(self.on, self.at, self.carriers), ~is_paused(), in_use)
