"""The flows on a Prefect server of their own: what ops can read there, and that no customer can be read there."""

import base64
import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from prefect import Flow
from prefect import flow as prefect_flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ParameterTypeError
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_SERVER_DATABASE_CONNECTION_URL,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness
from sqlalchemy import Engine
from sqlmodel import select

import flows
from approved import add_approved, add_batch
from canaries import CANARIES, CUSTOMERS, PROVIDER_SECRET, SECRET, TREATMENTS
from checkout import PROJECT
from conftest import NOW
from flows.approve import approve
from flows.deliver import count_late, deliver
from flows.intake import intake
from flows.prepare import prepare
from flows.report import report
from flows.runs import Run, open_run, plan_next_run
from flows.track import track
from outreach.approval.approving import AT_THE_DESK, approve_batch
from outreach.approval.staff import add_staff
from outreach.clock import read_clock, stopped_clock, system_clock
from outreach.database import open_database, reading, writing
from outreach.delivery.control.undoing import undo_approval
from outreach.delivery.due import count_due
from outreach.delivery.sender import deliver_due
from outreach.errors import NotSent
from outreach.models import AuditEntry, Import, Message
from outreach.moments import MOMENTS
from outreach.settings import Settings, load_settings

# One Prefect server for the file: with xdist, all of it goes to one process.
pytestmark = pytest.mark.xdist_group("prefect")
ON = date(2026, 3, 10)
BATCH = "2026-03-10-anniversary-letter"
IN_A_WHILE = system_clock() + timedelta(hours=1)


@dataclass(frozen=True)
class Ran:
    """One flow run as Prefect shows it, with what the flow gave back to its caller."""

    name: str
    state: str
    state_name: str
    message: str
    result: Any
    artifacts: dict[str, Any]

    @property
    def artifact(self) -> str:
        return str(self.artifacts[self.name.split(" ")[0]])


@dataclass
class Day:
    """A day's flow runs by name, and all that Prefect wrote down meanwhile."""

    runs: dict[str, Ran] = field(default_factory=dict)
    planned: list[FlowRun] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    kept_by_dry_runs: list[int] = field(default_factory=list)
    printed: str = ""
    written: bytes = b""


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """Prefect's server, and its address known to what runs here."""
    with prefect_test_harness(120):
        yield


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, server: None) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("practice")
    (folder / "data").mkdir()
    (folder / "data" / "customers.csv").write_text(CUSTOMERS)
    (folder / "data" / "treatments.csv").write_text(TREATMENTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        # Each run would wait a second for the thread that says it is alive.
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), get_client(sync_client=True) as client:
            day = Day()
            live_through(day, client, patch)
        day.printed = run_failing_flows(folder)
        day.told = told_events()
        day.written = all_that_prefect_wrote()
        yield day


def environment(folder: Path) -> dict[str, str]:
    return {
        "OUTREACH_CONFIG": str(PROJECT / "outreach.toml"),
        "OUTREACH_DATABASE_URL": f"sqlite:///{folder / 'outreach.db'}",
        "OUTREACH_NOW": "2026-03-10T15:00Z",
        "OUTREACH_SECRET": SECRET,
        "OUTREACH_PROVIDERS__LOB__API_KEY": PROVIDER_SECRET,
        "OUTREACH_PROVIDERS__OUTBOX__FOLDER": str(folder / "outbox"),
        "OUTREACH_DESK__URL": "https://desk.example",
    }


def live_through(day: Day, client: SyncPrefectClient, patch: pytest.MonkeyPatch) -> None:
    """A day as ops would see it: in, prepared in parts, approved in every way, an outage, delivered, counted."""
    runs, data = day.runs, str(Path("data").resolve())
    runs["intake"] = run(client, intake, data)
    runs["prepare dry"] = run(client, prepare, dry_run=True)
    day.kept_by_dry_runs.append(count_rows())
    patch.setattr("flows.artifacts.PROGRESS_SECONDS", 0.0)
    runs["prepare some"] = run(client, prepare, ON, limit=1)
    runs["prepare rest"] = run(client, prepare, ON)
    runs["prepare again"] = run(client, prepare)
    add_maria()
    runs["approve unknown batch"] = run(client, approve, "2026-03-10-checkin-letter", "maria")
    runs["approve unknown staff"] = run(client, approve, BATCH, "zoe")
    runs["reject without a reason"] = run(client, approve, f"{BATCH}-2", "maria", "reject")
    runs["reject"] = run(client, approve, f"{BATCH}-2", "maria", "reject", "the second page is empty")
    runs["approve rejected"] = run(client, approve, f"{BATCH}-2", "maria")
    approve_at_the_desk()
    runs["deliver while undoable"] = run(client, deliver)
    day.planned = plan_twice(client)
    undo_at_the_desk()
    runs["approve"] = run(client, approve, BATCH, "maria")
    day.acts = acts()
    runs["deliver dry"] = run(client, deliver, dry_run=True)
    day.kept_by_dry_runs.append(count_rows("accepted"))
    with pytest.MonkeyPatch.context() as down:
        down.setattr("outreach.delivery.providers.outbox.Outbox.send", refuse)
        runs["deliver while down"] = run(client, deliver)
    runs["deliver"] = run(client, deliver)
    runs["deliver again"] = run(client, deliver)
    runs["track"] = run(client, track)
    runs["report"] = run(client, report)


def run(client: SyncPrefectClient, flow: Flow[..., Any], *arguments: object, **more: object) -> Ran:
    state = flow(*arguments, return_state=True, **more)
    flow_run = client.read_flow_run(state.state_details.flow_run_id)
    keys = ArtifactFilterKey(any_=[flow.name, f"{flow.name}-progress"])
    found = client.read_artifacts(artifact_filter=ArtifactFilter(key=keys))
    artifacts = {str(one.key): one.data for one in found if one.flow_run_id == flow_run.id}
    result = state.result(raise_on_failure=False)
    return Ran(flow_run.name, state.type.value, state.name or "", state.message or "", result, artifacts)


def refuse(*_: object) -> str:
    raise NotSent("closed for lunch")


def plan_twice(client: SyncPrefectClient) -> list[FlowRun]:
    """The runs that a deployment has, once two of its runs have asked for another at the same time."""
    deployment = client.create_deployment(client.create_flow_from_name("deliver"), "office-hours")

    @prefect_flow(name="deliver")
    def ask() -> bool:
        with open_run() as run:
            ticking = replace(run, settings=run.settings.model_copy(update={"now": None}))
            return plan_next_run(ticking, IN_A_WHILE) and not plan_next_run(run, IN_A_WHILE)

    with pytest.MonkeyPatch.context() as deployed:
        deployed.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", str(deployment))
        assert [ask(), ask()] == [True, True]
    of_it = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[UUID(str(deployment))]))
    return client.read_flow_runs(flow_run_filter=of_it)


def add_maria() -> None:
    with writing(open_database(load_settings().database_url)) as session:
        add_staff(session, "maria", "Maria Stone", "approver", flows_now())


def approve_at_the_desk() -> None:
    settings = load_settings()
    approve_batch(open_database(settings.database_url), settings, BATCH, "maria", flows_now(), AT_THE_DESK)


def undo_at_the_desk() -> None:
    settings = load_settings()
    undo_approval(open_database(settings.database_url), settings, BATCH, "maria", flows_now())


def flows_now() -> datetime:
    return read_clock(load_settings().now)()


def count_rows(status: str | None = None) -> int:
    with reading(open_database(load_settings().database_url)) as session:
        return sum(status in (None, message.status) for message in session.exec(select(Message)))


def acts() -> list[str]:
    with reading(open_database(load_settings().database_url)) as session:
        return [f"{act.act}: {act.detail}" for act in session.exec(select(AuditEntry))]


def run_failing_flows(folder: Path) -> str:
    """What a process prints, as a worker would log it, in which every room fails over a customer of ours."""
    script = Path(__file__).parents[1] / "support/failing_flows.py"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_SERVER")}
    environment = inherited | {
        "PREFECT_API_URL": PREFECT_API_URL.value() or "",
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PYTHONPATH": str(PROJECT),
    }
    done = subprocess.run(
        [sys.executable, str(script), str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def told_events() -> list[dict[str, Any]]:
    """What was announced to Prefect, as its server tells it again."""
    wanted = {"filter": {"event": {"prefix": ["outreach."]}, "occurred": {"since": "2020-01-01T00:00:00Z"}}}
    answer = httpx.post(f"{PREFECT_API_URL.value()}/events/filter", json=wanted, timeout=30)
    told: list[dict[str, Any]] = answer.raise_for_status().json()["events"]
    return told


def all_that_prefect_wrote() -> bytes:
    """Its database, write-ahead log and files, as they lie on the disk, and what is hidden in them by their shape."""
    database = Path(PREFECT_SERVER_DATABASE_CONNECTION_URL.value().split("///")[1])
    home = Path(os.environ["PREFECT_HOME"])
    files = [path for folder in (database.parent, home) for path in folder.rglob("*") if path.is_file()]
    assert database in files
    kept = [path.read_bytes() for path in files if path.parent.name == "storage"]
    # A long row may lie on two pages of the file, and Prefect keeps the exception of a failed run as a pickle.
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = "\n".join(connection.iterdump()).encode()
    pickles = [base64.decodebytes(content) for content in kept]
    return b"\n".join([rows, *pickles, *(path.read_bytes() for path in files)])


def test_importing_the_flows_gives_prefect_its_defaults_before_prefect_reads_them() -> None:
    assert flows.__file__ is not None
    assert os.environ["PREFECT_SERVER_UI_V2_ENABLED"] == "false"
    assert os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] == "120"


# --- what a run says


@pytest.mark.parametrize(
    ("run", "name"),
    [
        ("intake", "intake 2026-03-10 · 4 rows · 1 refused"),
        ("prepare dry", "prepare 2026-03-10 · dry run · 2 letters"),
        ("prepare some", "prepare 2026-03-10 · 1 batch · 1 letter"),
        ("prepare rest", "prepare 2026-03-10 · 1 batch · 1 letter"),
        ("prepare again", "prepare 2026-03-10 · already done"),
        ("approve", "approve 2026-03-10 · anniversary · 1 letter approved"),
        ("reject", "approve 2026-03-10 · anniversary · rejected"),
        ("approve rejected", "approve 2026-03-10 · not waiting any more"),
        ("deliver dry", "deliver 2026-03-10 · dry run · 1 due"),
        ("deliver while down", "deliver 2026-03-10 · 0 sent · 1 again"),
        ("deliver", "deliver 2026-03-10 · 1 sent"),
        ("deliver again", "deliver 2026-03-10 · nothing sent"),
        ("track", "track 2026-03-10 · nothing open"),
        ("report", "report 2026-03-10 · 2 messages · 0 batches waiting"),
    ],
)
def test_a_run_is_named_for_its_day_its_kind_and_its_size(day: Day, run: str, name: str) -> None:
    assert day.runs[run].name == name
    assert day.runs[run].state == "COMPLETED"


def test_refused_rows_are_a_warning_and_no_failure(day: Day) -> None:
    ran = day.runs["intake"]
    assert (ran.state, ran.state_name) == ("COMPLETED", "RefusedRows")
    assert ran.message.startswith("1 of 4 rows were refused")
    assert "| 1 | customers | 3 | 2 | 1 |" in ran.artifact


def test_a_dry_run_says_the_counts_and_keeps_nothing(day: Day) -> None:
    prepared, due = day.runs["prepare dry"], day.runs["deliver dry"]
    assert "nothing was kept: 4 decisions, 2 messages" in prepared.message
    assert "| anniversary | letter | 2 |" in prepared.artifact
    assert due.message == "A dry run, nothing has left: 1 are due, 1 would be handed over"
    assert "| anniversary | letter | 1 |" in due.artifact
    assert day.kept_by_dry_runs == [0, 0]


def test_prepare_gives_its_caller_the_report_and_ops_the_counts(day: Day) -> None:
    ran = day.runs["prepare some"]
    assert ran.result.plan.messages.total() == 2
    assert "2 messages planned" in ran.message
    assert "1 message over the limit of this run, for a later one" in ran.message
    assert "| anniversary | send | send | 2 |" in ran.artifact
    assert "letters wait for a person" in ran.artifact
    assert "| decided to send | 2 |" in ran.artifact


def test_a_batch_leads_to_its_page_on_the_desk_and_to_the_pictures_of_its_letters(day: Day) -> None:
    artifact = day.runs["prepare some"].artifact
    assert f"[{BATCH}](https://desk.example/batches/{BATCH})" in artifact
    assert "](https://desk.example/messages/" in artifact
    assert "/pages/1.png)" in artifact


def test_long_work_shows_how_far_it_is(day: Day) -> None:
    assert day.runs["prepare some"].artifacts["prepare-progress"] == 100.0
    assert day.runs["deliver"].artifacts["deliver-progress"] == 100.0
    assert "prepare-progress" not in day.runs["prepare dry"].artifacts


def test_a_second_run_of_a_day_says_that_it_is_done(day: Day) -> None:
    assert day.runs["prepare again"].message == "Nothing to do: already done"


def test_an_outage_is_for_our_sender_to_wait_out_and_no_failed_run(day: Day) -> None:
    down = day.runs["deliver while down"]
    assert (down.state, down.state_name) == ("COMPLETED", "AwaitingRetry")
    assert down.message == "0 sent, 1 go again by the next run (outbox did not take 1)"
    assert "| anniversary | letter | not_sent | 1 |" in down.artifact


def test_deliver_says_what_was_sent_and_then_that_nothing_is_due(day: Day) -> None:
    first, second = day.runs["deliver"], day.runs["deliver again"]
    assert (first.state_name, first.message) == ("Completed", "1 sent")
    assert "| letter | 1 |" in first.artifact
    assert "| anniversary | letter | accepted | 1 |" in first.artifact
    assert second.message == "Nothing to do: nothing that is approved is due"


def test_track_finds_nothing_open_when_all_was_answered(day: Day) -> None:
    assert day.runs["track"].message == "Nothing to do: nothing is open"
    assert day.runs["track"].artifact.startswith("# Tracked")


def test_report_counts_every_message(day: Day) -> None:
    ran = day.runs["report"]
    assert ran.message.startswith("2 messages")
    assert "accepted" in ran.artifact
    assert "delivered" in ran.artifact


# --- approval on a form, and what follows an approval


def test_an_approval_on_the_form_is_marked_as_one_in_the_audit(day: Day) -> None:
    ran = day.runs["approve"]
    assert (ran.state_name, ran.result) == ("Completed", "approved")
    assert any(act.startswith("batch approved: ") and act.endswith(" prefect form") for act in day.acts)


def test_a_rejection_on_the_form_ends_in_words(day: Day) -> None:
    ran = day.runs["reject"]
    assert (ran.state, ran.state_name) == ("COMPLETED", "Rejected")
    assert ran.message == f"{BATCH}-2: nothing of it is sent"


def test_a_batch_that_is_decided_already_says_so_and_the_run_does_not_fail(day: Day) -> None:
    ran = day.runs["approve rejected"]
    assert (ran.state, ran.state_name) == ("COMPLETED", "Completed")
    assert ran.message.startswith(f"{BATCH}-2 is rejected already, by maria at 2026-03-10 11:00")


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ("approve unknown batch", "`outreach batches` lists those that wait"),
        ("approve unknown staff", "Add them: outreach staff add zoe"),
        ("reject without a reason", "Say why, in a few words"),
    ],
)
def test_what_cannot_be_decided_fails_and_says_what_to_do(day: Day, run: str, says: str) -> None:
    ran = day.runs[run]
    assert ran.state == "FAILED"
    assert says in ran.message


def test_a_delivery_that_waits_for_an_undo_plans_its_own_next_run_once(day: Day) -> None:
    ran = day.runs["deliver while undoable"]
    assert ran.name == "deliver 2026-03-10 · nothing sent"
    # No deployment started this one, and its clock stands still.
    assert ran.message == "1 can still be undone, the first until 11:15: the next run after that sends them"
    assert [planned.expected_start_time for planned in day.planned] == [IN_A_WHILE + timedelta(seconds=5)]


def test_what_becomes_due_during_a_delivery_is_not_left_to_the_schedule(
    sqlite_engine: Engine, settings: Settings
) -> None:
    """Two approvals a few seconds apart: the run for the second is cancelled while the first one's is under way."""
    clock = stopped_clock(NOW)
    run = Run(settings, sqlite_engine, clock, ON, logging.getLogger("run"))
    nothing, report = count_due(sqlite_engine, settings, clock), deliver_due(sqlite_engine, settings, clock, "sender")
    assert count_late(run, nothing, report) == 0
    with writing(sqlite_engine) as session:
        add_approved(session, "LATE")
    assert count_late(run, nothing, report) == 1
    # A provider in trouble, or a run that moved nothing, must not start one run after another.
    assert count_late(run, nothing, replace(report, again=1)) == 0
    assert count_late(run, nothing, replace(report, resting=("lob",))) == 0
    assert count_late(run, count_due(sqlite_engine, settings, clock), report) == 0


def test_each_approval_is_announced_with_ids_and_counts(day: Day) -> None:
    """One on the form of this process, and one of two letters in the process that fails."""
    told = [event for event in day.told if event["event"] == "outreach.batch.approved"]
    assert {event["resource"]["prefect.resource.id"] for event in told} == {f"outreach.batch.{BATCH}"}
    payloads = sorted((event["payload"] for event in told), key=lambda payload: payload["count"])
    assert payloads == [{"batch_id": BATCH, "count": count, "undo_until": None} for count in (1, 2)]


# --- alarms


@pytest.fixture
def asleep(tmp_path: Path, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A practice whose worker has slept since yesterday."""
    with writing(sqlite_engine) as session:
        add_batch(session, "B1", decided_at=NOW - timedelta(hours=20), decided_by="maria")
        for reference in ("A", "B"):
            add_approved(session, reference, to={"name": "Zephyrine Quackenbush", "lines": ["9 Marmalade Row"]})
        long_ago = NOW - timedelta(hours=50)
        session.add(Import(at=long_ago, file="c.csv", table_name="customers", read=1, accepted=1, refused=0))
    monkeypatch.chdir(tmp_path)
    # The address of Prefect is in the environment of what a worker runs.
    for name, value in (environment(tmp_path) | {"PREFECT_API_URL": str(PREFECT_API_URL.value())}).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("server", "asleep")
def test_a_tracking_run_says_which_alarms_stand() -> None:
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        state = track(return_state=True)
    assert state.type.value == "COMPLETED"
    assert state.message == "Nothing to do: nothing is open. 2 alarms stand: backlog, stale-import"
    with get_client(sync_client=True) as client:
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=["track"]))
        written = client.read_artifacts(artifact_filter=wanted)
        [page] = [str(one.data) for one in written if one.flow_run_id == state.state_details.flow_run_id]
        assert "| backlog | 2 messages are approved and due, and nothing holds them: 2 for outbox." in page
        assert "docs/runbook.md#stale-import" in page
        events = alarm_events(client)
    assert {event["event"]: event["resource"]["prefect.resource.id"] for event in events} == {
        "outreach.alarm.backlog": "outreach.alarm.backlog",
        "outreach.alarm.stale-import": "outreach.alarm.stale-import",
    }
    payload = next(event["payload"] for event in events if event["event"].endswith("backlog"))
    assert (payload["count"], payload["runbook"]) == (2, "docs/runbook.md#backlog")
    assert "Zephyrine" not in f"{events}{page}"
    assert "customer of" not in f"{events}{page}"


def alarm_events(client: Any) -> list[dict[str, Any]]:
    """The server writes events down a moment after it took them."""
    listed: list[dict[str, Any]] = []
    ends = time.monotonic() + 30
    while len(listed) < 2 and time.monotonic() < ends:
        time.sleep(0.2)
        wanted = {"filter": {"event": {"prefix": ["outreach.alarm."]}}}
        listed = client._client.post("/events/filter", json=wanted).json()["events"]
    return listed


# --- no person in Prefect


@pytest.mark.parametrize("canary", CANARIES)
def test_row_40_nothing_of_a_customer_is_in_prefects_database_files_or_logs(day: Day, canary: str) -> None:
    """The canaries went through every flow, and every room failed over them at least once."""
    assert canary.encode() not in day.written
    assert canary not in day.printed


def test_row_40_the_canaries_were_there_to_be_found(day: Day) -> None:
    """Each failure was about one of them; and what was searched holds states, logs, artifacts and pickled errors."""
    for told in (b"prepare 2026-03-10", b"| anniversary | letter |", b"Encountered exception during execution"):
        assert told in day.written
    assert re.search(rb"outreach\.errors.{1,20}OutreachError.{1,20}IntegrityError at ", day.written, re.DOTALL)
    failures = json.loads(next(line for line in day.printed.splitlines() if line.startswith("{")))
    assert failures == {
        "settings": "FAILED", "mapping": "FAILED", "intake": "FAILED", "planning": "FAILED",
        "writing": "ToMend, FAILED", "composing": "FAILED", "approval": "FAILED", "form": "FAILED",
        "hand-over": "AwaitingRetry", "delivery": "FAILED", "look-up": "Completed", "tracking": "FAILED",
        "learning": "FAILED",
    }  # fmt: skip


# --- the flows themselves

FLOWS = (intake, prepare, approve, deliver, track, report)


def test_no_flow_keeps_its_result_or_is_retried() -> None:
    for flow in FLOWS:
        assert flow.persist_result is False
        assert not flow.retries


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_field_of_a_form_has_a_title_and_says_what_it_means(flow: Flow[..., Any]) -> None:
    for name, shown in flow.parameters.properties.items():
        assert shown["title"] != name
        assert shown["description"].endswith(".")


def test_the_form_offers_the_moments_there_are_and_the_two_decisions() -> None:
    assert prepare.parameters.properties["moments"]["items"]["enum"] == list(MOMENTS)
    assert approve.parameters.properties["decision"]["enum"] == ["approve", "reject"]
    assert approve.parameters.required == ["batch_id", "by"]
    with pytest.raises(ParameterTypeError, match="greater than or equal to 1"):
        deliver.validate_parameters({"limit": 0})
