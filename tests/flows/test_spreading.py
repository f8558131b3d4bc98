"""A day spread over shard workers: who is asked to help, and that the day is done whether or not anybody comes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import create_autospec
from uuid import uuid4

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound
from prefect.states import Pending, Running, Scheduled, State
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from flows.compose import say
from flows.shard_runs import spreading
from outreach.composing.reports import ComposeReport
from outreach.composing.run import compose_planned
from outreach.database import reading
from outreach.day import prepare_day
from outreach.models import Batch, Message
from outreach.settings import Scaling, Settings
from planned import add_customer

# What Prefect keeps is held by a client that has the real one's methods; everything else here is real.


class Server:
    """Prefect's side: the workers that are online, the runs that were asked for, and what became of each."""

    def __init__(self, workers: int, trouble: Exception | None = None) -> None:
        self.workers, self.trouble, self.opened = workers, trouble, 0
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.states: dict[Any, State] = {}
        self.client = create_autospec(SyncPrefectClient, instance=True)
        self.client.read_workers_for_work_pool.side_effect = self._list_workers
        self.client.read_deployment_by_name.side_effect = lambda name: SimpleNamespace(id=name)
        self.client.create_flow_run_from_deployment.side_effect = self._start
        self.client.read_flow_run.side_effect = lambda run: SimpleNamespace(state=self.states[run])
        self.client.set_flow_run_state.side_effect = lambda run, state: self.states.update({run: state})

    def _list_workers(self, pool: str, worker_filter: Any, limit: int) -> list[str]:
        if self.trouble:
            raise self.trouble
        assert (pool, worker_filter.status.any_) == ("outreach-shards", ["ONLINE"])
        return ["a worker"] * min(self.workers, limit)

    def _start(self, deployment: str, parameters: dict[str, Any]) -> SimpleNamespace:
        self.asked.append((deployment, parameters))
        run = uuid4()
        self.states[run] = Scheduled()
        return SimpleNamespace(id=run)

    @contextmanager
    def open(self, sync_client: bool) -> Iterator[Any]:
        assert sync_client
        self.opened += 1
        yield self.client


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    """Puts a server with so many shard workers in the place of Prefect's."""

    def put(workers: int, trouble: Exception | None = None) -> Server:
        server = Server(workers, trouble)
        monkeypatch.setattr("flows.shard_runs.get_client", server.open)
        monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__NAME", "daily")
        return server

    return put


@pytest.mark.parametrize(("shards", "workers", "runs"), [(2, 5, 1), (9, 3, 3), (4, 4, 3), (40, 0, 0)])
def test_each_shard_worker_that_is_online_is_asked_but_no_more_than_there_are_shards_to_spare(
    serve: Callable[..., Server], shards: int, workers: int, runs: int
) -> None:
    server, said = serve(workers), []
    with spreading("compose", said.append, on="2026-03-10") as call_help:
        call_help(shards)
    assert server.asked == [("compose/shards", {"on": "2026-03-10"})] * runs
    assert said == [f"{shards} shards; {runs} shard workers were asked to help"]


@pytest.mark.parametrize("shards", [0, 1])
def test_a_day_of_one_shard_asks_nobody(serve: Callable[..., Server], shards: int) -> None:
    server = serve(workers=3)
    with spreading("compose", pytest.fail) as call_help:
        call_help(shards)
    assert server.opened == 0


@pytest.mark.parametrize(
    "trouble", [ObjectNotFound(Exception("no such pool")), httpx.ConnectError("refused"), httpx.ReadTimeout("late")]
)
def test_where_prefect_cannot_help_that_is_said_and_the_work_goes_on(
    serve: Callable[..., Server], trouble: Exception
) -> None:
    server, said = serve(workers=3, trouble=trouble), []
    with spreading("compose", said.append, on="2026-03-10") as call_help:
        call_help(9)
    assert server.asked == []
    assert said == [f"No help from shard workers: {type(trouble).__name__}"]


def test_a_run_that_helps_does_not_call_for_help_itself(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(workers=3)
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__NAME", "shards")
    with spreading("deliver", pytest.fail) as call_help:
        call_help(9)
    assert server.asked == []


def test_runs_that_no_worker_has_begun_are_called_off_and_those_under_way_are_left(
    serve: Callable[..., Server],
) -> None:
    server = serve(workers=3)
    with spreading("compose", lambda _: None, on="2026-03-10") as call_help:
        call_help(9)
        waiting, pending, running = server.states
        server.states |= {pending: Pending(), running: Running()}
    assert server.states[waiting].is_cancelled()
    assert server.states[pending].is_pending()
    assert server.states[running].is_running()


def test_a_failure_of_the_work_passes_and_its_runs_are_called_off(serve: Callable[..., Server]) -> None:
    server = serve(workers=2)

    def fail() -> None:
        with spreading("compose", lambda _: None) as call_help:
            call_help(9)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [state.is_cancelled() for state in server.states.values()] == [True, True]


# --- preparing a day with help, on real databases ---


@pytest.fixture
def one_each(settings: Settings) -> Settings:
    return settings.model_copy(update={"scaling": Scaling(shard_size=1)})


@pytest.mark.parametrize("comes", [True, False], ids=["help comes", "nobody comes"])
def test_prepare_opens_batches_with_every_message_whether_or_not_help_comes(
    engine: Engine, one_each: Settings, comes: bool
) -> None:
    for number in range(6):
        add_customer(engine, f"c{number}", email=f"c{number}@example.org", phone=f"+1 802 555 26{number:02}")
    helpers: list[threading.Thread] = []

    def call_help(shards: int) -> None:
        for _ in range(min(shards - 1, 2) if comes else 0):
            helpers.append(threading.Thread(target=compose_planned, args=(engine, one_each, TODAY, NOW)))
            helpers[-1].start()

    prepared = prepare_day(engine, one_each, TODAY, lambda: NOW, lambda _: None, call_help=call_help)
    for helper in helpers:
        helper.join()
    assert len(helpers) == (2 if comes else 0)
    with reading(engine) as session:
        messages, batches = session.exec(select(Message)).all(), session.exec(select(Batch)).all()
    assert len(messages) == prepared.plan.messages.total() == sum(batch.count for batch in batches) == 6
    assert all(message.batch_id for message in messages)


# --- what the flow says ---


def test_a_composer_that_found_nothing_to_write_says_so() -> None:
    assert say(ComposeReport()) == "Nothing to do: nothing planned for this day is left to write"


def test_a_composer_says_what_it_wrote_and_what_waits() -> None:
    report = ComposeReport()
    report.composed.update({("anniversary", "letter"): 3, ("checkin", "text"): 2})
    report.waiting["checkin", "letter"] = 4
    assert say(report) == "5 composed, 4 waiting for what must be mended (outreach prepare lists it)"
