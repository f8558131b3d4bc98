"""Cuts a day's planned messages into shards: ranges of references that processes share out among themselves.

One run date cut twice gives the same shards, however much of it is written by then: they are cut from all its messages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine, Select, func, select
from sqlmodel import col

from outreach.database import reading
from outreach.locks import hold, try_hold
from outreach.models import STATUSES, Message


@dataclass(frozen=True)
class Shard:
    """A range of the messages of one run date."""

    run_on: date
    #: The first reference of the range, and below it the last.
    first: str
    last: str
    #: How many of them were still to be written.
    planned: int

    @property
    def name(self) -> str:
        """What a process holds while it writes the shard."""
        return f"compose {self.run_on} {self.first}"


def cut_shards(engine: Engine, on: date, size: int) -> list[Shard]:
    """The shards, of `size` messages each, that have something planned for `on` or before, in order."""
    run_on = col(Message.run_on)
    with reading(engine) as session:
        planned = select(run_on).where(col(Message.status) == "planned", run_on <= on).distinct()
        days = session.execute(planned).scalars().all()
        return [Shard(*row) for row in session.execute(_cut(days, size))] if days else []


def _cut(days: Sequence[date], size: int) -> Select[tuple[date, str, str, int]]:
    run_on, reference, status = col(Message.run_on), col(Message.reference), col(Message.status)
    place = func.row_number().over(partition_by=run_on, order_by=reference) - 1
    messages = (
        select(run_on, reference, status, place.label("place"))
        # No message is sent before its run date, and every status is named: so an index finds the days' messages.
        .where(run_on.in_(days), col(Message.send_on) >= min(days), status.in_(STATUSES))
        .subquery()
    )
    still, first = func.count().filter(messages.c.status == "planned"), func.min(messages.c.reference)
    return (
        select(messages.c.run_on, first, func.max(messages.c.reference), still)
        .group_by(messages.c.run_on, messages.c.place // size)
        .having(still > 0)
        .order_by(messages.c.run_on, first)
    )


def planned_in(engine: Engine, shard: Shard) -> Sequence[str]:
    """The references of the shard that are still to be written, in order."""
    reference = col(Message.reference)
    planned = select(reference).where(
        col(Message.status) == "planned",
        col(Message.run_on) == shard.run_on,
        reference >= shard.first,
        reference <= shard.last,
    )
    with reading(engine) as session:
        return session.execute(planned.order_by(reference)).scalars().all()


def write_each(engine: Engine, shards: Sequence[Shard], write: Callable[[Shard], None]) -> None:
    """Calls `write` once with every shard, while this process holds it: first with those that nobody else holds.

    Those that others hold come as soon as these let go, done or dead.
    """
    waiting = list(shards)
    while waiting:
        held = [shard for shard in waiting if not _write_if_free(engine, shard, write)]
        if len(held) == len(waiting):
            # All are in other hands: it waits for the first of them, and does not ask again and again.
            with hold(engine, held[0].name):
                write(held.pop(0))
        waiting = held


def _write_if_free(engine: Engine, shard: Shard, write: Callable[[Shard], None]) -> bool:
    with try_hold(engine, shard.name) as is_ours:
        if is_ours:
            write(shard)
        return is_ours
