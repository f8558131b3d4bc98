"""How many messages a second go through claim, begin and settle, with a provider that answers at once.

    .venv/bin/python benchmarks/outbox.py [--database postgresql://…] [--senders 4] [--messages 20000] [--rounds 3]

Prints messages a second, the median of the rounds, and beside it what the same messages cost one by one: the peer is
the same sender held to one message a round, so the ratio says what batches are worth on this machine.
"""

import argparse
import hashlib
import json
import multiprocessing
import statistics
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import SQLModel, func, select

from outreach.clock import system_clock
from outreach.composing.digests import message_digest
from outreach.composing.store.contents import content_row
from outreach.database import insert_new, open_database, reading, upgrade_database, writing
from outreach.delivery import sender
from outreach.delivery.providers import Handover, Report, WebhookRequest
from outreach.delivery.providers.protocol import FOR_EVER
from outreach.delivery.sender import deliver_due
from outreach.models import Batch, Content, Customer, Goodwill, Message, Moment
from outreach.settings import Settings, load_settings

TODAY = datetime.now(UTC).date()
FORK = multiprocessing.get_context("fork")


class Nothing:
    """Takes everything at once and carries it nowhere."""

    name, channels = "outbox", frozenset({"text"})
    key_life, absent_after, per_second = FOR_EVER, timedelta(0), None

    def send(self, handover: Handover) -> str:
        return handover.key

    def find(self, handover: Handover) -> list[str]:
        return []

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        return []


def fill(url: str, count: int) -> None:
    """An empty database with `count` approved texts, each to a customer of its own."""
    engine = open_database(url)
    upgrade_database(engine)
    with writing(engine) as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            session.connection().execute(table.delete())
        numbers = range(count)
        # Where it is noon: at night no text may leave.
        noon = f"Etc/GMT{system_clock().hour - 12:+d}"
        person = {"given_name": "Ada", "country": "US", "timezone": noon}
        people = [person | {"customer_id": f"c{n}", "phone": phone_of(n)} for n in numbers]
        insert_new(session, Customer, people)
        # Staff named them all after an event: each message is asked whether its moment still stands.
        insert_new(session, Goodwill, [{"event": "x", "customer_id": f"c{n}", "named_on": TODAY} for n in numbers])
        moment = {"kind": "goodwill", "occasion": "x", "occasion_on": TODAY, "found_on": TODAY, "looked_on": TODAY}
        insert_new(session, Moment, [moment | {"moment_id": f"m{n}", "customer_id": f"c{n}"} for n in numbers])
        bodies = [f"Good morning, number {n}. " * 8 for n in numbers]
        contents = {hashlib.sha256(body.encode()).hexdigest(): body.encode() for body in bodies}
        insert_new(session, Content, [content_row(k, "text/plain", v) for k, v in contents.items()])
        batch = {"batch_id": "B", "kind": "goodwill", "channel": "text", "run_on": TODAY, "status": "approved"}
        more = {"author": "a", "count": count, "cost": 0, "currency": "USD", "seal": "s", "fingerprint": "f"}
        insert_new(session, Batch, [batch | more | {"opened_at": datetime.now(UTC)}])
        rows = [message_row(n, sha) for n, sha in zip(numbers, contents, strict=True)]
        session.connection().execute(Message.__table__.insert(), rows)  # type: ignore[attr-defined]
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text("ANALYZE"))


def phone_of(number: int) -> str:
    """A number that can exist, another for each of two million."""
    return f"+1{212 + number // 1_000_000}{5_000_000 + number % 1_000_000}"


def message_row(number: int, sha256: str) -> dict[str, Any]:
    message = Message(
        reference=f"R{number:07}", moment_id=f"m{number}", kind="goodwill", customer_id=f"c{number}",
        recipient_id=f"c{number}", channel="text", purpose="service", status="approved", run_on=TODAY, send_on=TODAY,
        useful_until=TODAY + timedelta(days=3), contact_hash=f"h{number}", provider="outbox", batch_id="B", size=1,
        recipient=json.dumps({"phone": phone_of(number)}), content_sha256=sha256,
    )  # fmt: skip
    message.digest = message_digest(message, sha256)
    return message.model_dump()


def work(url: str, settings: Settings, owner: str, at_most: int, start: Any) -> None:
    sender.MOST_AT_ONCE = at_most
    engine = open_database(url)
    start.wait()
    deliver_due(engine, settings, system_clock, owner, providers={"outbox": Nothing()})


def measure(url: str, settings: Settings, senders: int, count: int, at_most: int) -> float:
    """Messages a second, from the first claim to the last settling."""
    fill(url, count)
    start = FORK.Barrier(senders + 1)
    workers = [FORK.Process(target=work, args=(url, settings, f"s{n}", at_most, start)) for n in range(senders)]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    taken = time.perf_counter() - began
    with reading(open_database(url)) as session:
        accepted = session.exec(select(func.count()).where(Message.status == "accepted")).one()
    assert accepted == count, f"{accepted} of {count}"
    return count / taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="")
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite:///{folder}/bench.db"
        settings = load_settings(
            mode="live",
            daily_cap=10**9,
            start_on=date(2020, 1, 1),
            consent={"text": "opt-out"},
            delivery={"generation_file": Path(folder) / "mark"},
        )
        rounds = []
        for _ in range(options.rounds):
            many = measure(url, settings, options.senders, options.messages, 500)
            one = measure(url, settings, options.senders, max(options.messages // 20, 200), 1)
            rounds.append((many, one))
            print(f"{many:8,.0f} a second in batches, {one:6,.0f} one by one: {many / one:.1f} times", flush=True)
        print(
            f"median: {statistics.median(m for m, _ in rounds):,.0f} a second with {options.senders} senders, "
            f"{statistics.median(m / o for m, o in rounds):.1f} times one by one"
        )


if __name__ == "__main__":
    main()
