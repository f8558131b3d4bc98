"""Delivering by many: how many shards what is due would fill, and a provider's rate that holds for all processes."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from approved import add_approved
from conftest import NOW, TODAY
from outreach.clock import system_clock
from outreach.database import open_database, shared_instant, writing
from outreach.delivery import rates
from outreach.delivery.control.pauses import pause
from outreach.delivery.sender import deliver_due
from outreach.delivery.shards import count_shards
from outreach.settings import Scaling, Settings
from processes import PROCESSES

PER_SECOND = 40


@pytest.fixture
def small(settings: Settings) -> Settings:
    """Settings by which a shard has four messages."""
    return settings.model_copy(update={"scaling": Scaling(shard_size=4)})


def add(engine: Engine, references: str, **changes: Any) -> None:
    with writing(engine) as session:
        for reference in references:
            add_approved(session, reference, "text", **changes)


def test_what_is_due_fills_shards_and_what_is_for_later_does_not(engine: Engine, small: Settings) -> None:
    assert count_shards(engine, small, lambda: NOW) == 0
    add(engine, "ABCDE")
    add(engine, "FGHIJKL", send_on=TODAY + timedelta(1), useful_until=TODAY + timedelta(9))
    assert count_shards(engine, small, lambda: NOW) == 2


def test_what_is_paused_or_over_the_cap_fills_no_shard(engine: Engine, small: Settings) -> None:
    add(engine, "ABCDEFGHIJ")
    capped = small.model_copy(update={"daily_cap": 8})
    assert count_shards(engine, capped, lambda: NOW) == 2
    deliver_due(engine, small.model_copy(update={"daily_cap": 6}), lambda: NOW, "s1")
    # Six left today already: two more may.
    assert count_shards(engine, capped, lambda: NOW) == 1
    with writing(engine) as session:
        pause(session, "everything", "", NOW)
    assert count_shards(engine, capped, lambda: NOW) == 0


def _use(url: str, wanted: int, all_have_some: Any, starts: Any) -> None:
    """Asks for hand-overs as a sender does, until it has had `wanted`; says when each may start.

    It asks again only when every other sender has been allowed some too.
    """
    engine, mine = open_database(url), []
    while len(mine) < wanted:
        with writing(engine) as session:
            at = shared_instant(session, system_clock)
            allowed = rates.allow(session, "lob", PER_SECOND, min(5, wanted - len(mine)), at)
        if allowed.count and not mine:
            all_have_some.wait(100)
        mine += [at + allowed.wait + number * allowed.apart for number in range(allowed.count)]
    starts.put(mine)


def test_a_providers_rate_holds_for_the_senders_of_several_processes_together(engine: Engine) -> None:
    all_have_some, starts = PROCESSES.Barrier(3), PROCESSES.Queue()
    url = engine.url.render_as_string(hide_password=False)
    senders = [PROCESSES.Process(target=_use, args=(url, 30, all_have_some, starts)) for _ in range(3)]
    for sender in senders:
        sender.start()
    each: list[list[datetime]] = [starts.get(timeout=120) for _ in senders]
    for sender in senders:
        sender.join()
    in_order = sorted(itertools.chain.from_iterable(each))
    assert len(in_order) == 90
    apart = timedelta(seconds=1 / PER_SECOND)
    assert all(after - before >= apart - timedelta(microseconds=9) for before, after in itertools.pairwise(in_order))
