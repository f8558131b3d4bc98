"""A day as ops see it, in a real browser: deploy, prepare from its form, approve on the desk, deliver starts by itself.

`KEEP_PICTURES_IN=docs` keeps the pictures of docs/ops.md; otherwise they go where the test's other files go.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from checkout import PROJECT
from chromium import DESKTOP, PASSWORD, chromium, sign_in
from outreach.approval.accounts import set_password
from outreach.approval.staff import add_staff
from outreach.clock import system_clock
from outreach.database import writing
from prefect_house import House, open_house, wait_until
from serving import serving

__all__ = ["chromium"]
pytestmark = [pytest.mark.xdist_group("prefect"), pytest.mark.drill]
LETTERS = 12


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, is_deployed=False) as opened:
        opened.add_customers("c", LETTERS)
        with writing(opened.engine) as session:
            add_staff(session, "nora", "Nora Whitcomb", "approver", system_clock())
            session.flush()
            set_password(session, "nora", PASSWORD, must_change=False)
        yield opened


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return PROJECT / os.environ["KEEP_PICTURES_IN"] if "KEEP_PICTURES_IN" in os.environ else tmp_path


def command(house: House, *words: str) -> str:
    """What a command of ours prints, with Prefect's address in the environment as ops have it."""
    environment = {**house.start.environment, "PREFECT_API_URL": f"{house.address}/api"}
    said = subprocess.run(
        [sys.executable, "-c", "from outreach.commands.main import main; main()", *words],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return said.stdout + said.stderr


def last_run(house: House, deployment: str) -> dict[str, Any] | None:
    """The last run of a deployment that the clock did not start."""
    found = house.ask("GET", f"deployments/name/{deployment}")
    wanted = {"deployments": {"id": {"any_": [found["id"]]}}, "sort": "EXPECTED_START_TIME_DESC"}
    runs = [run for run in house.ask("POST", "flow_runs/filter", wanted) if not run["auto_scheduled"]]
    return runs[0] if runs else None


def done_run(house: House, deployment: str) -> dict[str, Any]:
    """The last run of a deployment that the clock did not start, once it is completed."""

    def completed() -> dict[str, Any] | None:
        run = last_run(house, deployment)
        return run if run and run["state_type"] == "COMPLETED" else None

    run = wait_until(completed)
    assert run is not None
    return run


def open_artifact(page: Page, house: House, run: dict[str, Any], key: str) -> None:
    """The page of the artifact of that key that a run left."""
    wanted = {"artifacts": {"flow_run_id": {"any_": [run["id"]]}, "key": {"any_": [key]}}}
    [artifact] = house.ask("POST", "artifacts/filter", wanted)
    page.goto(f"{house.address}/artifacts/artifact/{artifact['id']}")


def test_from_the_form_of_prepare_to_the_artifact_of_deliver(
    house: House, chromium: Browser, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The time to undo is a quarter of an hour otherwise, and deliver plans its run for its end.
    monkeypatch.setenv("OUTREACH_APPROVAL__UNDO_MINUTES", "0")
    said = command(house, "deploy")
    assert "automation send-what-is-approved" in said, said
    house.start_worker()
    settings = house.settings.model_copy(
        update={"approval": house.settings.approval.model_copy(update={"undo_minutes": 0})}
    )
    page = chromium.new_page(viewport=DESKTOP)
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url) if "127.0.0.1" not in request.url else None)

    wait_until(lambda: house.ask("GET", "work_pools/outreach")["status"] == "READY")
    page.goto(f"{house.address}/deployments")
    expect(page.get_by_text("office-hours")).to_be_visible()
    page.screenshot(path=pictures / "ops-deployments.png")
    daily = house.ask("GET", "deployments/name/prepare/daily")
    page.goto(f"{house.address}/deployments/deployment/{daily['id']}/run")
    expect(page.get_by_text("Dry run").first).to_be_visible()
    page.wait_for_timeout(1000)  # the form fades in
    page.screenshot(path=pictures / "ops-form.png", full_page=True)
    page.get_by_role("button", name="Submit").click()
    prepared = done_run(house, "prepare/daily")
    assert prepared["name"].endswith(f"· 1 batch · {LETTERS} letters"), prepared["name"]
    open_artifact(page, house, prepared, "prepare")
    expect(page.get_by_role("heading", name="Messages planned")).to_be_visible()
    page.screenshot(path=pictures / "ops-prepare.png")

    with serving(house.engine, settings, system_clock, prefect=house.address) as client:
        desk = chromium.new_context(base_url=str(client.base_url), viewport=DESKTOP).new_page()
        sign_in(desk, "nora")
        desk.get_by_role("link", name="Anniversary").first.click()
        desk.wait_for_load_state("networkidle")
        desk.screenshot(path=pictures / "ops-approve.png")
        desk.get_by_role("button", name=f"Approve {LETTERS}").first.click()
        desk.wait_for_load_state()

    delivered = done_run(house, "deliver/office-hours")
    assert delivered["created_by"]["type"] == "AUTOMATION"
    assert delivered["name"].endswith(f"· {LETTERS} sent"), delivered["name"]
    page.goto(f"{house.address}/runs")
    page.wait_for_timeout(2000)
    page.screenshot(path=pictures / "ops-runs.png")
    open_artifact(page, house, delivered, "deliver")
    expect(page.get_by_role("heading", name="Handed over")).to_be_visible()
    page.screenshot(path=pictures / "ops-deliver.png")
    assert house.statuses() == {"accepted": LETTERS}
    assert elsewhere == [], "the browser spoke to nobody but our own servers"
