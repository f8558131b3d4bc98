"""prefect.yaml and flows/automations.yaml, without a server: Prefect ignores what it does not know, and we do not."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prefect import Flow
from prefect.client.schemas.schedules import CronSchedule
from prefect.events.schemas.automations import AutomationCore
from prefect.flows import load_flow_from_entrypoint

from checkout import PROJECT
from flows.automations import automation_of, read_automations, start_on
from flows.home import enter_installation, enter_project
from flows.reconcile import name_of, read_plan
from outreach.learning.alarms import KINDS

PLAN = read_plan()
DEPLOYMENTS = PLAN["deployments"]
AUTOMATIONS = read_automations()
TRIGGERS = [(each, trigger) for each in DEPLOYMENTS for trigger in each.get("triggers", [])]
KNOWN = {
    "": {"name", "prefect-version", "pull", "definitions", "deployments"},
    "deployment": {
        "name", "entrypoint", "description", "tags", "work_pool", "parameters", "concurrency_limit", "schedules",
        "triggers",
    },
    "schedule": {"slug", "cron", "timezone", "active"},
    "limit": {"limit", "collision_strategy"},
    "pool": {"name", "job_variables"},
    "trigger": {"type", "name", "enabled", "match", "match_related", "expect", "within"},
    "automation": {"name", "description", "trigger", "actions", "tell"},
}  # fmt: skip
NO_UUID = "00000000-0000-0000-0000-000000000000"
of_each_deployment = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
of_each_automation = pytest.mark.parametrize("automation", AUTOMATIONS, ids=lambda each: each["name"])


def flow_of(deployment: dict[str, Any]) -> Flow[..., Any]:
    return load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)


def test_there_is_no_word_in_the_file_that_prefect_would_ignore() -> None:
    assert PLAN.keys() == KNOWN[""]
    assert PLAN["pull"] == [{"flows.home.enter_installation": {}}]
    for deployment in DEPLOYMENTS:
        assert deployment.keys() <= KNOWN["deployment"]
        assert deployment["work_pool"].keys() <= KNOWN["pool"]
        assert deployment.get("concurrency_limit", {}).keys() <= KNOWN["limit"]
        for schedule in deployment.get("schedules", []):
            assert schedule.keys() <= KNOWN["schedule"]
    for _, trigger in TRIGGERS:
        assert trigger.keys() <= KNOWN["trigger"]


def test_no_two_deployments_schedules_or_automations_have_one_name() -> None:
    assert max(Counter(map(name_of, DEPLOYMENTS)).values()) == 1
    slugs = Counter((name_of(each), s["slug"]) for each in DEPLOYMENTS for s in each.get("schedules", []))
    assert max(slugs.values()) == 1
    assert max(Counter([each["name"] for each in AUTOMATIONS] + [t["name"] for _, t in TRIGGERS]).values()) == 1


@of_each_deployment
def test_every_deployment_can_be_loaded_and_takes_its_parameters(
    deployment: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    flow = flow_of(deployment)
    given = deployment.get("parameters", {})
    asked = {name for name, field in flow.parameters.properties.items() if "default" not in field}
    # What is started by the clock or by an event has nobody to fill in its form.
    if deployment.get("schedules") or deployment.get("triggers"):
        assert asked <= given.keys()
    flow.validate_parameters({**dict.fromkeys(asked, "x"), **given})
    assert deployment["description"]
    assert {"outreach", flow.name} == set(deployment["tags"])


@of_each_deployment
def test_a_deployment_never_runs_twice_at_once_unless_it_helps_another(deployment: dict[str, Any]) -> None:
    pool, limit = deployment["work_pool"], deployment.get("concurrency_limit")
    if pool["name"] == "outreach-shards":
        assert (deployment["name"], limit, deployment.get("schedules")) == ("shards", None, None)
        return
    assert pool["name"] == "outreach"
    assert limit["limit"] == 1
    assert limit["collision_strategy"] in {"ENQUEUE", "CANCEL_NEW"}


@of_each_deployment
def test_schedules_have_slugs_no_parameters_and_keep_out_of_the_hour_that_clocks_change(
    deployment: dict[str, Any],
) -> None:
    for schedule in deployment.get("schedules", []):
        assert schedule["slug"]
        assert CronSchedule(cron=schedule["cron"], timezone=schedule.get("timezone", "America/New_York"))
        minute, hours = schedule["cron"].split()[:2]
        first = hours.partition("-")[0]
        assert hours == "*" or int(first) * 60 + int(minute.removeprefix("*/")) > 210, "from 01:00 to 03:30 nothing"


@pytest.mark.parametrize(("deployment", "trigger"), TRIGGERS, ids=lambda each: each["name"])
def test_a_trigger_is_one_that_prefect_understands(deployment: dict[str, Any], trigger: dict[str, Any]) -> None:
    made = start_on(trigger, NO_UUID)  # type: ignore[arg-type]
    assert isinstance(made, AutomationCore)
    assert flow_of(deployment).name == "deliver"


@of_each_automation
def test_an_automation_is_one_that_prefect_understands_and_the_runbook_knows(automation: dict[str, Any]) -> None:
    assert automation.keys() <= KNOWN["automation"]
    assert ("tell" in automation) != ("actions" in automation)
    made = automation_of(automation, NO_UUID)  # type: ignore[arg-type]
    assert made.trigger.model_dump()["threshold"] == 1
    assert f"\n## {automation['name']}\n" in (PROJECT / "docs/runbook.md").read_text(encoding="utf-8")


def test_every_alarm_has_an_automation_that_tells_of_it() -> None:
    told = {event for each in AUTOMATIONS if "tell" in each for event in each["trigger"]["expect"]}
    assert {f"outreach.alarm.{kind}" for kind in KINDS} <= told


def test_a_run_begins_in_the_installation_that_its_worker_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTREACH_INSTALLATION", str(tmp_path / "alder"))
    assert enter_installation() == {"directory": str(tmp_path / "alder")}
    assert Path(os.curdir).resolve() == tmp_path / "alder"


def test_in_a_checkout_a_run_begins_in_the_checkout_wherever_the_worker_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert enter_project() == {"directory": str(PROJECT)}
    assert Path(os.curdir).resolve() == PROJECT


def test_a_deployment_of_before_that_names_its_file_is_known_by_the_same_name() -> None:
    assert name_of({"name": "daily", "entrypoint": "flows/prepare.py:prepare"}) == "prepare/daily"
    assert name_of({"name": "daily", "entrypoint": "flows.prepare.prepare"}) == "prepare/daily"
