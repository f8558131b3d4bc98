"""Runs everything on one machine: Prefect's server, its deployments, a worker, and the desk.

It listens on this machine only. It ends what it started, and nothing else.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
from sqlalchemy import Engine

import flows  # gives this process, and so its children, Prefect's defaults
from outreach.approval.staff import invite_somebody, list_staff
from outreach.clock import Clock, read_clock
from outreach.database import open_database, upgrade_database, writing
from outreach.delivery.providers import require_secrets
from outreach.errors import OutreachError, SettingsError
from outreach.local_files import make_private_folder
from outreach.settings import Settings
from outreach.web.server import Server, address_of, pages_server, refuse_taken

LOOPBACK = "127.0.0.1"
DEPLOYMENTS = Path("prefect.yaml")
POOL = "outreach"
# On a busy machine Prefect's server takes up to 40 seconds to start.
HEALTH_SECONDS = 120
STOP_SECONDS = 15
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Tell = Callable[[str], None]


def say(line: str) -> None:
    print(line, flush=True)


@dataclass(frozen=True)
class Child:
    """A process of ours with a process group of its own, so that what it starts ends with it."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def stop(self, patience: float = STOP_SECONDS) -> None:
        """Asks the process to end, then makes sure of it and of everything it started."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, how)
                self.process.wait(patience)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def serve_pages(
    engine: Engine, settings: Settings, clock: Clock, host: str, port: int, prefect: str = "", tell: Tell = say
) -> None:
    """Serves the desk, the public pages and the webhooks until this process is told to stop.

    Raises SettingsError when the port is taken, or a vendor in use lacks its key or the secret of its webhooks.
    """
    require_secrets(settings)
    refuse_taken(host, port, "--port")
    server = pages_server(engine, settings, clock, host, port, prefect)
    tell_the_desk(engine, settings, address_of(host, port), clock(), tell)
    tell("Stop with Ctrl-C.")
    server.run()


def tell_the_desk(engine: Engine, settings: Settings, address: str, now: datetime, tell: Tell) -> None:
    """Says where the desk is and, where nobody could sign in there to approve, who now can and with which password."""
    with writing(engine) as session:
        invited = invite_somebody(session, settings.desk.oidc.is_set, now)
        is_empty = not list_staff(session)
    tell(f"  The desk      {address}")
    if invited:
        tell(f"                sign in as {invited[0].staff_id} with {invited[1]}, which is shown only now")
    elif is_empty:
        tell('                nobody can sign in yet: outreach staff add maria --name "Maria Stone" --role admin')


def start_everything(
    settings: Settings, database_url: str, port: int = 8080, prefect_port: int = 4200, tell: Tell = say
) -> None:
    """Runs until Ctrl-C or SIGTERM, then stops its children.

    Raises SettingsError when a port is taken or this folder has no prefect.yaml, OutreachError when a part stops.
    """
    if not DEPLOYMENTS.is_file():
        raise SettingsError(
            f"There is no {DEPLOYMENTS} here; run `outreach up` in an installation (outreach new makes one)"
        )
    refuse_taken(LOOPBACK, port, "--port")
    refuse_taken(LOOPBACK, prefect_port, "--prefect-port")
    engine = open_database(database_url)
    upgrade_database(engine)
    address = f"http://{LOOPBACK}:{prefect_port}"
    # Runs link to the desk, and it is here unless the settings say where people reach it.
    desk = {"OUTREACH_DESK__URL": settings.desk.url or f"http://{LOOPBACK}:{port}"}
    environment = environment_for(database_url, address) | desk
    clock = read_clock(settings.now)
    server = pages_server(engine, settings, clock, LOOPBACK, port, address)
    with stopping_on_signals(), keeping_children(environment, tell) as start:
        start("server", ["server", "start", "--host", LOOPBACK, "--port", str(prefect_port)])
        tell("Prefect's server is starting (5 to 40 seconds) …")
        wait_for_health(start.children[0], address)
        deploy_all(engine, settings, address, f"http://{LOOPBACK}:{port}", tell)
        start("worker", ["worker", "start", "--pool", POOL, "--type", "process", "--name", "outreach up"])
        tell("")
        tell_the_desk(engine, settings, f"http://{LOOPBACK}:{port}", clock(), tell)
        tell(f"  Prefect       {address}")
        tell(f"  Logs          {logs_folder()}\n\nStop with Ctrl-C.")
        watch(start.children, server)
        server.run()
        gone = [child for child in start.children if child.process.poll() is not None]
        if gone:
            raise OutreachError(f"The {gone[0].name} stopped by itself; its last words are in {gone[0].log}")


def deploy_all(engine: Engine, settings: Settings, address: str, desk: str, tell: Tell) -> None:
    """Brings Prefect's server up to date, and says what staff changed there and what is new."""
    # Prefect's own settings must be in the environment before it is imported.
    from flows.reconcile import deploy, find_recipient

    changes = deploy(settings, address, find_recipient(engine, settings, desk))
    for outcome in ("created", "updated", "removed", "kept"):
        if names := [change.name for change in changes if change.outcome == outcome]:
            tell(f"Prefect: {outcome} {', '.join(names)}")


class Starter:
    """Starts `prefect …` commands as children and remembers them."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.children: list[Child] = []

    def __call__(self, name: str, command: list[str]) -> None:
        log = logs_folder() / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "prefect", *command],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                # A Ctrl-C in the terminal reaches us alone: we end the children in their order.
                start_new_session=True,
            )
        self.children.append(Child(name, process, log))


@contextmanager
def keeping_children(environment: dict[str, str], tell: Tell) -> Iterator[Starter]:
    """The children live as long as the block, the worker ending before the server it reports to."""
    starter = Starter(environment)
    try:
        yield starter
    finally:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave children behind
        for child in reversed(starter.children):
            tell(f"Stopping the {child.name} …")
            child.stop()


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the block as Ctrl-C does: quietly, and with everything put away."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before: dict[int, Any] = {number: signal.signal(number, stop) for number in STOPPING}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def environment_for(database_url: str, address: str) -> dict[str, str]:
    api = f"{address}/api"
    # The UI does not learn of --port by itself.
    prefect = {"PREFECT_API_URL": api, "PREFECT_SERVER_UI_API_URL": api, "PYTHONUNBUFFERED": "1"}
    # A run begins in a folder of Prefect's own.
    ours = {"OUTREACH_DATABASE_URL": database_url, "OUTREACH_INSTALLATION": str(Path.cwd())}
    return {**os.environ, **prefect, **ours}


def logs_folder() -> Path:
    folder = Path(os.environ.get("PREFECT_HOME", flows.PREFECT_DEFAULTS["PREFECT_HOME"])) / "logs"
    make_private_folder(folder)
    return folder


def wait_for_health(server: Child, address: str) -> None:
    ends = time.monotonic() + HEALTH_SECONDS
    while time.monotonic() < ends:
        if server.process.poll() is not None:
            break
        try:
            if httpx.get(f"{address}/api/health", timeout=2).json() is True:
                return
        except (httpx.HTTPError, ValueError):
            pass
        time.sleep(0.3)
    raise OutreachError(f"Prefect's server did not start; its last words are in {server.log}")


def watch(children: list[Child], server: Server) -> None:
    """Ends the desk, and with it everything, when a child stops by itself."""

    def look() -> None:
        while all(child.process.poll() is None for child in children):
            time.sleep(1)
        server.should_exit = True

    threading.Thread(target=look, daemon=True).start()
