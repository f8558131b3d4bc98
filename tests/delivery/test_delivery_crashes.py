"""Senders killed with SIGKILL at chosen and at random points, and four of them at once: one send each, nothing lost."""

import os
import random
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import select

from approved import add_approved
from conftest import NOW
from handovers import visible_files
from outreach.clock import stopped_clock
from outreach.database import open_database, reading, writing
from outreach.delivery import sender as sending
from outreach.delivery.outbox import owner_lock
from outreach.delivery.providers import Handover
from outreach.delivery.providers.outbox import Outbox
from outreach.delivery.providers.protocol import FOR_EVER, NO_KEYS
from outreach.delivery.sender import deliver_due
from outreach.locks import is_held
from outreach.models import Attempt, Message
from outreach.settings import Settings
from outreach.tracking.lookup import track_open
from processes import PROCESSES

CLOCK = stopped_clock(NOW)


class Killing(Outbox):
    """Counts the points a sender passes (each commit, each hand-over, each file) and kills it at one of them."""

    def __init__(self, engine: Engine, folder: Path, kill_at: int | str, keyed: bool = True) -> None:
        super().__init__(folder)
        self.kill_at, self.passed = kill_at, 0
        self.key_life = FOR_EVER if keyed else NO_KEYS
        event.listen(engine, "commit", lambda _: self.pass_point("commit"))

    def pass_point(self, name: str) -> None:
        self.passed += 1
        if self.kill_at in (self.passed, name):
            os.kill(os.getpid(), signal.SIGKILL)

    def send(self, handover: Handover) -> str:
        self.pass_point("handing over")
        provider_id = super().send(handover)
        self.pass_point("written")
        return provider_id

    def finish(self) -> list[str]:
        self.pass_point("closing")
        return super().finish()


def send_and_die(url: str, settings: Settings, owner: str, kill_at: int | str, keyed: bool) -> None:
    # The fixture that takes away the hurry of senders does not reach a process of its own.
    sending.FRESH_SECONDS = 60.0
    engine = open_database(url)
    provider = Killing(engine, settings.providers.outbox.folder or Path(), kill_at, keyed)
    deliver_due(engine, settings, CLOCK, owner, providers={"outbox": provider})


def start(url: str, settings: Settings, owner: str, kill_at: int | str = 0, keyed: bool = True) -> Any:
    sender = PROCESSES.Process(target=send_and_die, args=(url, settings, owner, kill_at, keyed))
    sender.start()
    return sender


def await_let_go(engine: Engine, *owners: str) -> None:
    """Until the killed senders' locks are free: PostgreSQL notices a moment later that a client is gone."""

    for _ in range(6_000):
        with reading(engine) as session:
            if not any(is_held(session, owner_lock(owner)) for owner in owners):
                return
        time.sleep(0.01)
    pytest.fail("the lock of a killed sender was held for a minute")


def add_messages(engine: Engine, number: int) -> None:
    with writing(engine) as session:
        for count in range(number):
            add_approved(session, f"R{count:03}", ("letter", "email", "text", "call")[count % 4])


def rows_of(engine: Engine) -> list[tuple[Any, ...]]:
    """Every message with its attempts, without what names the sender."""
    with reading(engine) as session:
        found = session.exec(select(Message, Attempt).join(Attempt).order_by(Message.reference, Attempt.number)).all()
    return [(m.reference, m.status, m.provider_id, a.number, a.key, a.outcome, a.started_on) for m, a in found]


@pytest.fixture
def undisturbed(
    tmp_path: Path, undisturbed_engine: Engine, settings: Settings
) -> tuple[dict[str, bytes], list[tuple[Any, ...]]]:
    """The files and rows that one sender leaves whom nobody disturbs."""
    add_messages(undisturbed_engine, 40)
    outbox = Outbox(tmp_path / "undisturbed")
    assert deliver_due(undisturbed_engine, settings, CLOCK, "alone", providers={"outbox": outbox}).sent.total() == 40
    return visible_files(outbox.folder), rows_of(undisturbed_engine)


def test_senders_killed_at_random_points_and_run_again_leave_what_one_undisturbed_run_leaves(
    engine: Engine, database_url: str, settings: Settings, undisturbed: Any
) -> None:
    add_messages(engine, 40)
    rng = random.Random(database_url.partition(":")[0])
    for life in range(5):
        sender = start(database_url, settings, f"life {life}", kill_at=rng.randint(1, 20))
        sender.join()
        assert sender.exitcode == -signal.SIGKILL
        await_let_go(engine, f"life {life}")
    assert deliver_due(engine, settings, CLOCK, "the last").uncertain == 0
    assert (visible_files(settings.providers.outbox.folder or Path()), rows_of(engine)) == undisturbed


def test_row_16_four_senders_at_once_two_of_them_killed_and_all_run_again_leave_what_one_leaves(
    engine: Engine, database_url: str, settings: Settings, undisturbed: Any
) -> None:
    add_messages(engine, 40)
    # Points that every sender comes to, also one that finds nothing left to send.
    senders = [start(database_url, settings, f"s{n}", kill_at) for n, kill_at in enumerate((0, 3, 0, "closing"))]
    for sender in senders:
        sender.join()
    assert sorted({sender.exitcode for sender in senders}) == [-signal.SIGKILL, 0]
    await_let_go(engine, "s1", "s3")
    for _ in range(10):
        deliver_due(engine, settings, CLOCK, "again")
    assert (visible_files(settings.providers.outbox.folder or Path()), rows_of(engine)) == undisturbed


# The commits of a run up to its first hand-over: tidying up, two claims, and the attempt.
ROWS = [
    ("row_1_before_the_attempt_is_on_record", 4),
    ("row_2_after_the_attempt_is_on_record", "handing over"),
    ("row_3_after_the_provider_took_it", "written"),
    ("before_the_lists_are_written", "closing"),
]


@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "keyless"])
@pytest.mark.parametrize("kill_at", [point for _, point in ROWS], ids=[name for name, _ in ROWS])
def test_a_sender_killed(sqlite_engine: Engine, settings: Settings, kill_at: int | str, keyed: bool) -> None:
    with writing(sqlite_engine) as session:
        add_approved(session, "A", "text")
    sender = start(str(sqlite_engine.url), settings, "killed", kill_at, keyed)
    sender.join()
    assert sender.exitcode == -signal.SIGKILL

    outbox = Outbox(settings.providers.outbox.folder or Path())
    outbox.key_life = FOR_EVER if keyed else NO_KEYS
    left = deliver_due(sqlite_engine, settings, CLOCK, "again", providers={"outbox": outbox})
    was_open = kill_at in ("handing over", "written")
    assert left.uncertain == 0
    if not keyed and was_open:
        past_its_lease = stopped_clock(NOW + timedelta(seconds=settings.delivery.lease_seconds))
        tracked = track_open(sqlite_engine, settings, past_its_lease, providers={"outbox": outbox})
        assert (tracked.found, tracked.absent) == ((1, 0) if kill_at == "written" else (0, 1))
        deliver_due(sqlite_engine, settings, CLOCK, "after the look-up", providers={"outbox": outbox})
    with reading(sqlite_engine) as session:
        assert session.exec(select(Message.status)).all() == ["accepted"]
        outcomes = session.exec(select(Attempt.outcome).order_by(Attempt.number)).all()
    assert outcomes == (["absent", "accepted"] if not keyed and kill_at == "handing over" else ["accepted"])
    assert sorted(visible_files(outbox.folder)) == ["2026-03-10/A.txt", "2026-03-10/texts.csv"]
