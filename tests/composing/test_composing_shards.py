"""Composing by several processes: who writes which shard, what a killed one leaves, and that the rows are the same."""

import os
import signal
import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import select

from conftest import NOW, TODAY
from outreach.composing import run
from outreach.composing.run import Composer, compose_planned
from outreach.composing.shards import Shard, cut_shards, write_each
from outreach.database import open_database, reading
from outreach.locks import hold, try_hold
from outreach.models import Content, Decision, Message, Wording
from outreach.settings import Scaling, Settings
from planned import CHANNELS, FOUR, add_customer, compose, plan
from processes import PROCESSES

# Who writes what is the subject here, and every test has the same letters; processes beside this one print anew.
pytestmark = pytest.mark.usefixtures("printed_once")


@pytest.fixture
def small(settings: Settings) -> Settings:
    """Settings by which a shard has seven messages."""
    return settings.model_copy(update={"scaling": Scaling(shard_size=7)})


def fill(engine: Engine, customers: int = 10) -> list[str]:
    """Four messages to each customer, one by each channel; some cannot be written. Their references, in order."""
    references = []
    for number in range(customers):
        add_customer(engine, f"c{number}", **({} if number % 5 else {"given_name": None, "honorific": None}))
        for channel, kind in zip(CHANNELS, FOUR, strict=True):
            references.append(plan(engine, kind, channel, f"c{number}"))
    return sorted(references)


def rows_of(engine: Engine) -> list[Any]:
    with reading(engine) as session:
        messages = [message.model_dump() for message in session.exec(select(Message).order_by(Message.reference))]
        decisions = session.exec(select(Decision).order_by(Decision.moment_id, Decision.sequence)).all()
        contents = session.exec(select(Content.sha256, Content.body).order_by(Content.sha256)).all()
        wordings = session.exec(select(Wording.reference, Wording.words).order_by(Wording.reference)).all()
        return [
            messages,
            [one.model_dump() for one in decisions],
            list(map(tuple, contents)),
            list(map(tuple, wordings)),
        ]


def statuses(engine: Engine) -> Counter[str]:
    with reading(engine) as session:
        return Counter(session.exec(select(Message.status)))


# --- cutting ---


def test_a_day_is_cut_into_shards_of_the_size_that_was_set_in_the_order_of_references(engine: Engine) -> None:
    references = fill(engine)
    shards = cut_shards(engine, TODAY, 7)
    assert [shard.planned for shard in shards] == [7, 7, 7, 7, 7, 5]
    assert [shard.first for shard in shards] == references[::7]
    assert [shard.last for shard in shards] == [*references[6::7], references[-1]]


def test_a_composer_that_comes_later_cuts_the_same_shards_and_leaves_out_those_that_are_written(
    engine: Engine, small: Settings
) -> None:
    fill(engine)
    before = cut_shards(engine, TODAY, 7)
    list(Composer(engine, small, TODAY).write(before[1]))
    after = cut_shards(engine, TODAY, 7)
    assert [shard.name for shard in after] == [before[0].name, *(shard.name for shard in before[2:])]


def test_each_run_date_has_shards_of_its_own_and_later_days_are_left_alone(engine: Engine) -> None:
    add_customer(engine)
    plan(engine, "anniversary", "letter", "c1", run_on=TODAY - timedelta(1))
    plan(engine, "checkin", "letter", "c1")
    plan(engine, "referral_ask", "letter", "c1", run_on=TODAY + timedelta(1), send_on=TODAY + timedelta(1))
    shards = cut_shards(engine, TODAY, 100)
    assert [(shard.run_on, shard.planned) for shard in shards] == [(TODAY - timedelta(1), 1), (TODAY, 1)]
    assert cut_shards(engine, TODAY - timedelta(2), 100) == []


# --- sharing ---


def test_a_shard_that_somebody_holds_is_passed_over_and_waited_for_at_the_end(engine: Engine) -> None:
    shards = [Shard(TODAY, name, name, 1) for name in "ABCD"]
    order: list[str] = []
    taken, free = threading.Event(), threading.Event()

    def occupy() -> None:
        with hold(engine, shards[1].name):
            taken.set()
            free.wait(30)

    def write(shard: Shard) -> None:
        order.append(shard.first)
        if shard.first == "D":
            free.set()

    other = threading.Thread(target=occupy)
    other.start()
    assert taken.wait(30)
    write_each(engine, shards, write)
    other.join()
    assert order == ["A", "C", "D", "B"]


def test_nobody_else_can_take_a_shard_while_it_is_written_and_everybody_can_afterwards(engine: Engine) -> None:
    shard = Shard(TODAY, "A", "A", 1)
    seen: list[bool] = []

    def look() -> None:
        with try_hold(engine, shard.name) as is_ours:
            seen.append(is_ours)

    def write(_: Shard) -> None:
        other = threading.Thread(target=look)
        other.start()
        other.join()

    write_each(engine, [shard], write)
    look()
    assert seen == [False, True]


def _compose(url: str, settings: Settings, all_have_one: Any, counts: Any) -> None:
    """Goes on from its first shard only when every other composer has written in one too."""
    waiting = [all_have_one]

    def meet(_done: int, _of: int) -> None:
        if waiting:
            waiting.pop().wait(100)

    report = compose_planned(open_database(url), settings, TODAY, NOW, progress=meet)
    counts.put(report.composed.total() + report.withdrawn.total())


def test_three_processes_share_a_day_and_leave_the_rows_that_one_leaves(
    engine: Engine, undisturbed_engine: Engine, small: Settings
) -> None:
    alone = undisturbed_engine
    for each in (alone, engine):
        fill(each)
    compose(alone, small)
    all_have_one, counts = PROCESSES.Barrier(3), PROCESSES.Queue()
    url = engine.url.render_as_string(hide_password=False)
    composers = [PROCESSES.Process(target=_compose, args=(url, small, all_have_one, counts)) for _ in range(3)]
    for composer in composers:
        composer.start()
    written = [counts.get(timeout=120) for _ in composers]
    for composer in composers:
        composer.join()
    # What each says it wrote adds up to the day: no message was written by two.
    assert sum(written) == 40
    assert min(written) >= 5
    assert rows_of(engine) == rows_of(alone)
    assert statuses(engine) == {"composed": 32, "withdrawn": 8}


def test_two_composers_of_one_day_never_write_the_same_message(
    engine: Engine, small: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = fill(engine)
    tried: list[str] = []
    write = Composer._write

    def note(self: Composer, message: Message, *more: Any) -> Any:
        tried.append(message.reference)
        return write(self, message, *more)

    monkeypatch.setattr(Composer, "_write", note)
    composers = [threading.Thread(target=compose, args=(engine, small)) for _ in range(2)]
    for composer in composers:
        composer.start()
    for composer in composers:
        composer.join()
    assert sorted(tried) == references


# --- a composer that dies ---


def _compose_and_die(url: str, settings: Settings, after: int) -> None:
    """Dies by SIGKILL, holding a shard, once `after` chunks of five are stored."""
    run.AT_ONCE = 5

    def die(said: str) -> None:
        nonlocal after
        after -= "written" in said
        if not after:
            os.kill(os.getpid(), signal.SIGKILL)

    compose_planned(open_database(url), settings, TODAY, NOW, die)


def test_a_composer_killed_within_a_shard_leaves_nothing_that_the_next_cannot_finish(
    engine: Engine, undisturbed_engine: Engine, settings: Settings
) -> None:
    alone = undisturbed_engine
    # One text to each of more people than two chunks have, all of them in one shard.
    for each in (alone, engine):
        for number in range(12):
            add_customer(each, f"c{number:02}")
            plan(each, "checkin", "text", f"c{number:02}")
    compose(alone, settings)
    url = engine.url.render_as_string(hide_password=False)
    dying = PROCESSES.Process(target=_compose_and_die, args=(url, settings, 2))
    dying.start()
    dying.join(120)
    assert dying.exitcode == -signal.SIGKILL
    assert statuses(engine) == {"composed": 10, "planned": 2}
    [shard] = cut_shards(engine, TODAY, settings.scaling.shard_size)
    with try_hold(engine, shard.name) as is_free:
        assert is_free
    report = compose(engine, settings)
    assert report.composed.total() == 2
    assert rows_of(engine) == rows_of(alone)


# --- what it says ---


def test_help_is_called_once_with_the_number_of_shards_and_never_for_a_limited_run(
    sqlite_engine: Engine, small: Settings
) -> None:
    fill(sqlite_engine)
    called: list[int] = []
    report = compose_planned(sqlite_engine, small, TODAY, NOW, limit=10, call_help=called.append)
    assert (called, report.left) == ([], 30)
    assert statuses(sqlite_engine)["planned"] == 30
    compose_planned(sqlite_engine, small, TODAY, NOW, call_help=called.append)
    assert called == [5]
    assert statuses(sqlite_engine)["planned"] == 0


def test_progress_counts_what_others_wrote_meanwhile(sqlite_engine: Engine, small: Settings) -> None:
    fill(sqlite_engine)
    heard: list[tuple[int, int]] = []
    second = cut_shards(sqlite_engine, TODAY, 7)[1]

    def note(done: int, of: int) -> None:
        heard.append((done, of))
        if done == 7:
            list(Composer(sqlite_engine, small, TODAY).write(second))

    report = compose_planned(sqlite_engine, small, TODAY, NOW, progress=note)
    assert heard == [(7, 40), (21, 40), (28, 40), (35, 40), (40, 40)]
    assert report.composed.total() + report.withdrawn.total() == 33


def test_composers_that_write_the_same_texts_insert_them_in_one_order(
    sqlite_engine: Engine, settings: Settings
) -> None:
    fill(sqlite_engine)
    orders: list[list[str]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("INSERT INTO contents"):
            orders.append([row[0] for row in parameters])

    event.listen(sqlite_engine, "before_cursor_execute", note)
    compose(sqlite_engine, settings)
    assert orders
    assert all(order == sorted(order) for order in orders)
