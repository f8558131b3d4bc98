"""`outreach up` for real, on ports of this machine: what it starts, what it leaves alone, and that it ends it all."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from checkout import PROJECT
from flows.reconcile import deploy
from installed import own_environment
from outreach import supervisor
from outreach.errors import OutreachError, SettingsError
from outreach.installation.creation import NewBusiness, create_installation
from outreach.settings import Settings, load_settings
from ports import HOST, free_port

# Prefect's server is heavy; two at once on a small machine would only slow each other down.
pytestmark = pytest.mark.xdist_group("prefect")
PATIENCE = 120


def wait_until(what: Callable[[], Any]) -> Any:
    """The first true value of `what`; a server that is not there yet counts as false."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        try:
            if value := what():
                return value
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise AssertionError("it took too long")


class Started:
    """A running `outreach up`, and what its two addresses answer."""

    def __init__(self, outreach: Path, installation: Path) -> None:
        self.port, self.prefect_port = free_port(), free_port()
        ports = ["--port", str(self.port), "--prefect-port", str(self.prefect_port)]
        self.process = subprocess.Popen(
            [outreach, "up", *ports],
            cwd=installation,
            env=own_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ask(self, path: str, body: Any = None) -> Any:
        for patience in (1, 2, 4, 8, 16, 0):
            answer = httpx.post(f"http://{HOST}:{self.prefect_port}/api/{path}", json=body or {}, timeout=30)
            # The server says so while its database is locked, and Prefect's own client asks again.
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(patience)
        return answer.raise_for_status().json()

    def deployment(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(each for each in self.ask("deployments/filter") if each["name"] == name)
        return found

    def page(self) -> str:
        return httpx.get(f"http://{HOST}:{self.port}/signin", timeout=5).text

    def run_of(self, deployment_id: str) -> dict[str, Any]:
        """A run of a deployment, started now and waited for."""
        scheduled = {"state": {"type": "SCHEDULED"}}
        run_id = self.ask(f"deployments/{deployment_id}/create_flow_run", scheduled)["id"]
        over = {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}
        wanted = {"flow_runs": {"id": {"any_": [run_id]}, "state": over}}
        [ended] = wait_until(lambda: self.ask("flow_runs/filter", wanted))
        return dict(ended)

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=PATIENCE)
        return said


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    business = NewBusiness("Alder Lane", "US", "America/New_York", "en", "USD")
    create_installation(tmp_path / "alder", business, date(2026, 3, 10))
    return tmp_path / "alder"


@pytest.fixture
def started(installed: Path, installation: Path) -> Iterator[Started]:
    running = Started(installed, installation)
    yield running
    if running.process.poll() is None:
        running.stop()


def test_one_command_starts_everything_leaves_what_staff_changed_and_stops_without_a_trace(
    started: Started, installation: Path
) -> None:
    assert "Sign in" in wait_until(started.page)
    deliver = started.deployment("office-hours")
    assert {each["name"] for each in started.ask("deployments/filter")} == {
        "nightly",
        "daily",
        "office-hours",
        "hourly",
        "weekly",
        "by-form",
        "shards",
    }

    # Prefect's own scheduler plans the runs ahead: with some versions of SQLAlchemy it fails, and only its log says so.
    planned = {"deployments": {"id": {"any_": [deliver["id"]]}}}
    assert wait_until(lambda: started.ask("flow_runs/filter", planned))

    ended = started.run_of(deliver["id"])
    assert (ended["state_type"], ended["state"]["message"]) == (
        "COMPLETED",
        "Nothing to do: nothing that is approved is due",
    )

    staff = {"schedule": {"cron": "0 8 * * 6", "timezone": "America/New_York"}, "active": True}
    started.ask(f"deployments/{deliver['id']}/schedules", [staff])
    assert deploy(load_settings(), f"http://{HOST}:{started.prefect_port}", None)
    assert len(started.deployment("office-hours")["schedules"]) == 2

    said = started.stop()
    assert "Prefect: created intake/nightly" in said
    assert "Stopping the server" in said
    assert f"The desk      http://{HOST}:{started.port}" in said
    assert "outreach staff add maria" in said, "there is nobody yet who could sign in"
    assert started.process.returncode == 0
    assert not is_open(started.port)
    assert not is_open(started.prefect_port)
    log = (installation / ".prefect" / "logs" / "server.log").read_text()
    assert "ERROR" not in log
    # A run has no folder of its own: it worked in the installation, and knew it from the worker.
    assert (installation / "outreach.db").exists()


def test_a_port_that_is_taken_is_told_before_anything_starts(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} is taken .* --prefect-port"):
            supervisor.start_everything(settings, f"sqlite:///{tmp_path / 'outreach.db'}", free_port(), port)


def test_without_a_prefect_yaml_it_says_where_to_run(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="in an installation"):
        supervisor.start_everything(settings, f"sqlite:///{tmp_path / 'outreach.db'}")


def test_a_server_that_dies_is_told_with_its_log(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    process.wait()
    child = supervisor.Child("server", process, tmp_path / "server.log")
    with pytest.raises(OutreachError, match=r"server\.log"):
        supervisor.wait_for_health(child, f"http://{HOST}:{free_port()}")


def test_stopping_a_child_ends_what_it_started_too(tmp_path: Path) -> None:
    marker = tmp_path / "grandchild"
    script = f"sleep 60 & echo $! > {marker}; trap '' TERM; wait; sleep 60"
    process = subprocess.Popen(["/bin/sh", "-c", script], start_new_session=True)
    wait_until(lambda: marker.exists() and marker.read_text().strip())
    grandchild = int(marker.read_text())
    supervisor.Child("worker", process, tmp_path / "log").stop(patience=0.2)
    assert process.returncode is not None
    wait_until(lambda: not is_alive(grandchild))


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat")
        os.kill(pid, 0)
        # An orphan that nobody reaps stays as a zombie in some containers.
        return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
