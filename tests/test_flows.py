"""The flows on a Prefect server of their own: what ops can read there, and that no customer can be read there."""

import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.schedules import CronSchedule
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import PREFECT_SERVER_DATABASE_CONNECTION_URL
from prefect.testing.utilities import prefect_test_harness
from sqlalchemy.exc import IntegrityError

import flows
from flows.deliver import deliver
from flows.intake import intake
from flows.prepare import prepare
from flows.report import report
from flows.track import track
from outreach.approval import add_staff, approve_batch
from outreach.approval.batches import list_batches
from outreach.clock import read_clock
from outreach.database import open_database, reading, writing
from outreach.errors import OutreachError
from outreach.settings import PROJECT, load_settings

# One Prefect server for the file: with xdist, all of it goes to one process.
pytestmark = pytest.mark.xdist_group("prefect")
ON = date(2026, 3, 10)
CANARIES = ("Zephyrine", "Quackenbush", "zq@canary.example", "8025550199", "802 555 0199", "Marmalade Row", "R0otcanal")
CUSTOMERS = """\
customer_id,given_name,family_name,email,phone,address_line1,city,region,postal_code,country,customer_since
C1,Zephyrine,Quackenbush,zq@canary.example,+1 802 555 0199,9 Marmalade Row,Burlington,VT,05401,US,2023-03-10
C2,Zephyrine,Quackenbush,not an address,,9 Marmalade Row,Burlington,VT,05401,US,2024-03-12
,Zephyrine,Quackenbush,,,,,,,,
"""
TREATMENTS = "treatment_id,customer_id,name,done_at,practitioner\nT1,C1,R0otcanal,2026-03-08T09:00,Dr. Okafor\n"


@dataclass(frozen=True)
class Ran:
    """One flow run as Prefect shows it, with what the flow gave back to its caller."""

    name: str
    state: str
    message: str
    result: Any
    artifact: str


@dataclass(frozen=True)
class Day:
    """Each flow run twice, a failed one, and all that Prefect wrote down meanwhile."""

    runs: dict[str, list[Ran]]
    failure: OutreachError
    written: bytes


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("practice")
    (folder / "data").mkdir()
    (folder / "data" / "customers.csv").write_text(CUSTOMERS)
    (folder / "data" / "treatments.csv").write_text(TREATMENTS)
    with pytest.MonkeyPatch.context() as patch, prefect_test_harness(120):
        patch.chdir(folder)
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        with get_client(sync_client=True) as client:
            runs = {
                "intake": [run(client, intake, str(folder / "data")), run(client, intake, str(folder / "data"))],
                "prepare": [run(client, prepare, ON), run(client, prepare)],
            }
            approve_all()
            runs["deliver"] = [run(client, deliver), run(client, deliver)]
            runs["track"] = [run(client, track)]
            runs["report"] = [run(client, report)]
            failure = fail(patch)
        yield Day(runs, failure, all_that_prefect_wrote())


def environment(folder: Path) -> dict[str, str]:
    return {
        "OUTREACH_CONFIG": str(PROJECT / "outreach.toml"),
        "OUTREACH_DATABASE_URL": f"sqlite:///{folder / 'outreach.db'}",
        "OUTREACH_NOW": "2026-03-10T15:00Z",
        "OUTREACH_SECRET": "a secret for tests only",
        "OUTREACH_PROVIDERS__OUTBOX__FOLDER": str(folder / "outbox"),
    }


def run(client: SyncPrefectClient, flow: Flow[..., Any], *arguments: object) -> Ran:
    state = flow(*arguments, return_state=True)
    flow_run = client.read_flow_run(state.state_details.flow_run_id)
    artifacts = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[flow.name])))
    body = next(str(artifact.data) for artifact in artifacts if artifact.flow_run_id == flow_run.id)
    return Ran(flow_run.name, state.type.value, state.message or "", state.result(), body)


def approve_all() -> None:
    settings = load_settings()
    engine = open_database(settings.database_url)
    with writing(engine) as session:
        add_staff(session, "maria", "Maria Stone", "approver", flows_now())
    with reading(engine) as session:
        waiting = [batch.batch_id for batch in list_batches(session)]
    for batch_id in waiting:
        approve_batch(engine, settings, batch_id, "maria", flows_now(), "test")


def flows_now() -> datetime:
    return read_clock(load_settings().now)()


def fail(patch: pytest.MonkeyPatch) -> OutreachError:
    """What a database error that repeats a customer's row becomes."""

    def fall_over(*_: object) -> None:
        raise IntegrityError("INSERT INTO customers", {"given_name": "Zephyrine"}, Exception("zq@canary.example"))

    patch.setattr("flows.prepare.prepare_day", fall_over)
    with pytest.raises(OutreachError) as caught:
        prepare(ON)
    return caught.value


def all_that_prefect_wrote() -> bytes:
    """Its database, write-ahead log and files, as they lie on the disk."""
    database = Path(PREFECT_SERVER_DATABASE_CONNECTION_URL.value().split("///")[1])
    home = Path(os.environ["PREFECT_HOME"])
    files = [path for folder in (database.parent, home) for path in folder.rglob("*") if path.is_file()]
    assert database in files
    return b"\n".join(path.read_bytes() for path in files)


def test_importing_the_flows_gives_prefect_its_defaults_before_prefect_reads_them() -> None:
    assert flows.__file__ is not None
    assert os.environ["PREFECT_SERVER_UI_V2_ENABLED"] == "false"
    assert os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] == "120"


@pytest.mark.parametrize("name", ["intake", "prepare", "deliver", "track", "report"])
def test_a_run_is_named_for_what_it_does_and_its_day(day: Day, name: str) -> None:
    assert {ran.name for ran in day.runs[name]} == {f"{name} 2026-03-10"}
    assert {ran.state for ran in day.runs[name]} == {"COMPLETED"}


def test_intake_says_how_many_rows_were_refused(day: Day) -> None:
    ran = day.runs["intake"][0]
    assert ran.message.startswith("1 of 4 rows were refused")
    assert "| customers.csv | customers | 3 | 2 | 1 |" in ran.artifact


def test_prepare_gives_its_caller_the_report_and_ops_the_counts(day: Day) -> None:
    first, second = day.runs["prepare"]
    assert first.result.plan.messages.total() == 2
    assert "2 messages planned" in first.message
    assert "| anniversary | letter | 2 |" in first.artifact
    assert "letters wait for a person" in first.artifact
    assert second.message.startswith("Nothing to do")


def test_deliver_says_what_was_sent_and_then_that_nothing_is_due(day: Day) -> None:
    first, second = day.runs["deliver"]
    assert first.message == "2 sent"
    assert "| letter | 2 |" in first.artifact
    assert second.message.startswith("Nothing to do")


def test_track_finds_nothing_open_when_all_was_answered(day: Day) -> None:
    [ran] = day.runs["track"]
    assert ran.message == "Nothing to do: nothing is open"
    assert ran.artifact.startswith("# Tracked")


def test_report_counts_every_message(day: Day) -> None:
    [ran] = day.runs["report"]
    assert ran.message.startswith("2 messages")
    assert "accepted" in ran.artifact


def test_a_foreign_error_is_raised_again_without_its_text(day: Day) -> None:
    assert str(day.failure).startswith("IntegrityError at ")
    assert day.failure.__cause__ is None


@pytest.mark.parametrize("canary", CANARIES)
def test_nothing_of_a_customer_is_in_prefects_database_or_files(day: Day, canary: str) -> None:
    assert b"prepare 2026-03-10" in day.written
    assert canary.encode() not in day.written


def test_no_flow_keeps_its_result_or_is_retried() -> None:
    for flow in (intake, prepare, deliver, track, report):
        assert flow.persist_result is False
        assert not flow.retries


# prefect.yaml, read without a server: Prefect ignores what it does not know, so unknown words are looked for here.

DEPLOYMENTS = yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]
KNOWN = {"name", "entrypoint", "description", "tags", "work_pool", "parameters", "concurrency_limit", "schedules"}
KNOWN_OF_SCHEDULE = {"slug", "cron", "timezone", "active"}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["entrypoint"])
def test_every_deployment_can_be_loaded_and_says_what_it_is(
    deployment: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    flow.validate_parameters(deployment.get("parameters", {}))
    assert deployment.keys() <= KNOWN
    assert deployment["description"]
    assert {"outreach", flow.name} == set(deployment["tags"])
    assert deployment["work_pool"] == {"name": "outreach"}
    assert deployment["concurrency_limit"]["limit"] == 1
    assert deployment["concurrency_limit"]["collision_strategy"] in {"ENQUEUE", "CANCEL_NEW"}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["entrypoint"])
def test_every_schedule_has_a_slug_and_a_zone_and_no_parameters(deployment: dict[str, Any]) -> None:
    assert deployment["schedules"]
    for schedule in deployment["schedules"]:
        assert schedule.keys() <= KNOWN_OF_SCHEDULE
        assert schedule["slug"]
        assert CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
        assert ZoneInfo(schedule["timezone"])


def test_the_schedules_are_in_the_business_time_of_the_sample() -> None:
    zones = {schedule["timezone"] for deployment in DEPLOYMENTS for schedule in deployment["schedules"]}
    assert zones == {tomllib.loads((PROJECT / "outreach.toml").read_text())["business"]["timezone"]}
