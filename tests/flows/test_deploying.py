"""`outreach deploy` on a real Prefect server: what it creates, what it keeps, what starts by itself, and the doctor."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from flows.automations import Recipient
from flows.deployed_parts import VARIABLE, Change
from flows.health import examine_prefect
from flows.reconcile import deploy, find_recipient
from outreach.learning.alarms import KINDS
from outreach.prefect_events import announce
from outreach.settings import Settings
from prefect_house import House, open_house, wait_until

# One Prefect server for the file: with xdist, all of it goes to one process.
pytestmark = pytest.mark.xdist_group("prefect")
EVENING = {"cron": "0 20 * * *", "timezone": "America/New_York"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house"), is_deployed=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def told() -> Iterator[list[dict[str, str]]]:
    """What an address on the web was told."""
    heard: list[dict[str, str]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Its list is its log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    heard.append({"address": f"http://127.0.0.1:{server.server_port}/alarms"})
    yield heard
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def first(house: House, told: list[dict[str, str]]) -> list[Change]:
    assert examine_prefect("http://127.0.0.1:9")[0].mend.startswith("Start it")
    missing = [finding.what for finding in examine_prefect(house.address) if not finding.is_well]
    assert {"work pool outreach", "deployment prepare/daily", "automation zombie"} <= set(missing)
    return deploy(house.settings, house.address, Recipient(told[0]["address"], "token"))


def again(house: House, told: list[dict[str, str]], **more: Any) -> dict[str, Change]:
    changes = deploy(house.settings, house.address, Recipient(told[0]["address"], "token"), **more)
    return {change.name: change for change in changes if change.outcome != "unchanged"}


def deployment(house: House, name: str) -> dict[str, Any]:
    found: dict[str, Any] = house.ask("GET", f"deployments/name/{name}")
    return found


def schedule(house: House, name: str, slug: str) -> dict[str, Any]:
    return next(each for each in deployment(house, name)["schedules"] if each["slug"] == slug)


def automation(house: House, name: str) -> dict[str, Any]:
    wanted = {"automations": {"name": {"any_": [f"Outreach: {name}"]}}}
    found: dict[str, Any] = house.ask("POST", "automations/filter", wanted)[0]
    return found


def test_an_empty_server_gets_everything_in_the_business_time(house: House, first: list[Change]) -> None:
    assert {change.outcome for change in first} == {"created"}
    daily = deployment(house, "prepare/daily")
    assert daily["entrypoint"] == "flows.prepare.prepare"
    assert str(Path.cwd()) not in json.dumps(daily), "a worker on another machine runs it too"
    assert daily["parameter_openapi_schema"]["properties"]["on"]["title"] == "Day"
    assert schedule(house, "prepare/daily", "every-morning")["schedule"]["timezone"] == "America/New_York"
    assert schedule(house, "intake/nightly", "nightly")["active"] is False
    size = len(json.dumps(house.ask("GET", f"variables/name/{VARIABLE}")["value"]))
    assert size < 4500, "Prefect takes variables of 5,000 characters"


def test_deploying_again_changes_nothing(house: House, first: list[Change], told: list[dict[str, str]]) -> None:
    assert again(house, told) == {}


def test_what_staff_changed_is_kept_and_a_change_of_ours_arrives(
    house: House, first: list[Change], told: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver, track, report = (
        deployment(house, name) for name in ("deliver/office-hours", "track/hourly", "report/weekly")
    )
    off = schedule(house, "track/hourly", "every-hour")
    moved = schedule(house, "deliver/office-hours", "every-five-minutes")
    gone = schedule(house, "report/weekly", "monday-morning")
    # As the UI does it: a switch, a moved schedule, one more, one less, a pause, other parameters, an automation off.
    house.ask("PATCH", f"deployments/{track['id']}/schedules/{off['id']}", {"active": False})
    house.ask("PATCH", f"deployments/{deliver['id']}/schedules/{moved['id']}", {"schedule": EVENING, "active": True})
    house.ask("POST", f"deployments/{track['id']}/schedules", [{"schedule": EVENING, "active": True}])
    house.ask("DELETE", f"deployments/{report['id']}/schedules/{gone['id']}")
    house.ask("PATCH", f"deployments/{report['id']}", {"paused": True, "description": "Ours"})
    late = automation(house, "late-runs")
    house.ask("PATCH", f"automations/{late['id']}", {"enabled": False})

    seen = again(house, told)
    assert {name: change.outcome for name, change in seen.items()} == dict.fromkeys(
        [
            "track/hourly schedule every-hour",
            "deliver/office-hours schedule every-five-minutes",
            "report/weekly schedule monday-morning",
            "report/weekly description",
            "automation late-runs",
        ],
        "kept",
    )
    assert sorted(each["active"] for each in deployment(house, "track/hourly")["schedules"]) == [False, True]
    assert schedule(house, "deliver/office-hours", "every-five-minutes")["schedule"]["cron"] == "0 20 * * *"
    assert deployment(house, "report/weekly")["schedules"] == []
    assert deployment(house, "report/weekly")["paused"] is True
    assert automation(house, "late-runs")["enabled"] is False

    zone = house.settings.business.model_copy(update={"timezone": "Europe/Berlin"})
    monkeypatch.setattr(house, "settings", house.settings.model_copy(update={"business": zone}))
    seen = again(house, told)
    assert seen["prepare/daily schedule every-morning"].outcome == "updated"
    assert seen["track/hourly schedule every-hour"].outcome == "kept"
    assert schedule(house, "prepare/daily", "every-morning")["schedule"]["timezone"] == "Europe/Berlin"


def test_the_doctor_names_what_staff_stopped_and_reset_gives_it_back_to_the_files(
    house: House, first: list[Change], told: list[dict[str, str]]
) -> None:
    mends = {finding.what: finding.mend for finding in examine_prefect(house.address) if not finding.is_well}
    assert "paused" in mends["deployment report/weekly"]
    assert "switched off" in mends["automation late-runs"]
    assert "prefect worker start" in mends["work pool outreach: 0 workers"]
    seen = again(house, told, reset=True)
    assert seen["report/weekly schedule monday-morning"].outcome == "created"
    assert schedule(house, "deliver/office-hours", "every-five-minutes")["schedule"]["cron"] == "*/5 9-17 * * *"
    assert automation(house, "late-runs")["enabled"] is True
    assert again(house, told) == {}


def test_what_the_files_no_longer_have_goes(
    house: House, first: list[Change], told: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import automations, reconcile

    plan = reconcile.read_plan()
    without = {**plan, "deployments": [{**each, "schedules": []} for each in plan["deployments"]]}
    kept = [each for each in automations.read_automations() if each["name"] != "zombie"]
    with monkeypatch.context() as patch:
        patch.setattr(reconcile, "read_plan", lambda: without)
        patch.setattr(automations, "read_automations", lambda: kept)
        seen = again(house, told)
    assert seen["automation zombie"].outcome == "removed"
    assert seen["track/hourly schedule every-hour"].outcome == "removed"
    assert deployment(house, "intake/nightly")["schedules"] == []
    assert again(house, told)["track/hourly schedule every-hour"].outcome == "created"


def test_an_approval_starts_a_delivery(house: House, first: list[Change]) -> None:
    assert announce(house.address, "outreach.batch.approved", "outreach.batch.b1", {"batch_id": "b1", "count": 1})
    wanted = {"deployments": {"id": {"any_": [deployment(house, "deliver/office-hours")["id"]]}}}

    def started() -> list[Any]:
        runs = house.ask("POST", "flow_runs/filter", wanted)
        return [run for run in runs if not run["auto_scheduled"]]

    [run] = wait_until(started)
    assert run["created_by"]["type"] == "AUTOMATION"


@pytest.mark.parametrize("kind", KINDS)
def test_an_alarm_that_stands_is_told_once(
    house: House, first: list[Change], told: list[dict[str, str]], kind: str
) -> None:
    sentence = f"{kind}: 3 of them."
    payload = {"count": 3, "sentence": sentence, "advice": "Look.", "runbook": f"docs/runbook.md#{kind}"}
    for _ in range(2):
        assert announce(house.address, f"outreach.alarm.{kind}", f"outreach.alarm.{kind}", payload)
    heard = wait_until(lambda: [each for each in told[1:] if sentence in each["body"]])
    assert heard[0]["subject"] == f"Outreach: outreach.alarm.{kind}"
    assert f"docs/runbook.md#{kind}" in heard[0]["body"]
    assert len(heard) == 1


def test_a_server_that_is_not_there_is_named_and_nothing_else_happens(settings: Settings) -> None:
    from outreach.errors import OutreachError

    with pytest.raises(OutreachError, match="Is it running"):
        deploy(settings, "http://127.0.0.1:9", None)


def test_alarms_go_to_the_address_of_the_settings_or_by_e_mail_through_the_desk(
    sqlite_engine: Any, settings: Settings
) -> None:
    def asking(to: str) -> Recipient | None:
        ops = settings.ops.model_copy(update={"alarms_to": to})
        return find_recipient(sqlite_engine, settings.model_copy(update={"ops": ops}), "http://127.0.0.1:8080/")

    assert asking("") is None
    assert asking("https://hooks.example.com/1") == Recipient("https://hooks.example.com/1")
    by_mail = asking("ops@alderlane.example")
    assert by_mail is not None
    assert by_mail.url == "http://127.0.0.1:8080/alarms"
    assert len(by_mail.token) == 64
