"""How long a batch of 5,000 letters takes to open on the desk, and how that compares with a batch of 50.

    .venv/bin/python benchmarks/desk.py [--database postgresql://…] [--letters 5000] [--rounds 9]

Prints the median seconds of server time for Today, the batch and one of its letters, measured from the first byte sent
to the last byte received on loopback, with thumbnails being drawn meanwhile as they are in real life.
"""

import argparse
import hashlib
import statistics
import tempfile
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
from sqlalchemy import Engine
from sqlmodel import SQLModel

from outreach.approval.accounts import sign_in
from outreach.approval.open_batches import open_batches
from outreach.approval.staff import add_staff
from outreach.clock import stopped_clock
from outreach.composing.digests import message_digest
from outreach.composing.handwriting.press import print_page
from outreach.composing.store.contents import LETTER, content_row
from outreach.database import insert_new, open_database, upgrade_database, writing
from outreach.models import Batch, Content, Customer, Message, Moment
from outreach.settings import Settings, load_settings
from outreach.supervisor import pages_server
from outreach.web.access import COOKIE

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)
TOKEN = "a cookie for the benchmark"
CSS = "@page { size: 8.5in 11in; margin: 1in } body { font: 14pt/1.6 serif }"


def fill(engine: Engine, settings: Settings, kind: str, count: int) -> str:
    """A batch of `count` letters of this moment, each to a customer of its own; returns the batch's id."""
    words = "It is a year since you first came to us, and we are glad of it. " * 12
    page = print_page(f'<html lang="en"><p>{words}', CSS)
    numbers = [f"{kind}-{n:05}".upper() for n in range(count)]
    with writing(engine) as session:
        insert_new(
            session, Customer, [{"customer_id": n, "given_name": "Ada", "family_name": "Quill"} for n in numbers]
        )
        insert_new(session, Moment, [moment(kind, n) for n in numbers])
        # What follows the end of a PDF is no part of its pages, and makes each content one of its own.
        bodies = {n: page + f"\n% {n}\n".encode() for n in numbers}
        hashes = {n: hashlib.sha256(body).hexdigest() for n, body in bodies.items()}
        insert_new(session, Content, [content_row(hashes[n], LETTER, bodies[n]) for n in numbers])
        session.add_all([letter(kind, n, hashes[n]) for n in numbers])
    with writing(engine) as session:
        return next(batch.batch_id for batch in open_all(engine, settings) if batch.kind == kind)


def open_all(engine: Engine, settings: Settings) -> list[Batch]:
    return open_batches(engine, settings, TODAY, NOW)


def moment(kind: str, number: str) -> dict[str, object]:
    return {
        "moment_id": f"m {number}",
        "kind": kind,
        "customer_id": number,
        "occasion": "1",
        "occasion_on": TODAY,
        "found_on": TODAY,
    }


def letter(kind: str, number: str, sha256: str) -> Message:
    message = Message(
        reference=number, moment_id=f"m {number}", kind=kind, customer_id=number, recipient_id=number, channel="letter",
        purpose="service", status="composed", run_on=TODAY, send_on=TODAY, useful_until=TODAY, contact_hash=number,
        recipient='{"name":"Ada Quill"}', content_sha256=sha256, size=1, cost=105, provider="outbox",
    )  # fmt: skip
    message.digest = message_digest(message, sha256)
    return message


def seconds_to_open(client: httpx.Client, path: str, rounds: int) -> float:
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = client.get(path, headers={"Cookie": f"{COOKIE}={TOKEN}"})
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text
    return statistics.median(took)


def measure(engine: Engine, settings: Settings, paths: list[str], rounds: int) -> list[float]:
    server = pages_server(engine, settings, stopped_clock(NOW), "127.0.0.1", 0, "")
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            return [seconds_to_open(client, path, rounds) for path in paths]
    finally:
        server.should_exit = True
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="")
    parser.add_argument("--letters", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(asked.database or f"sqlite:///{Path(folder) / 'desk.db'}")
        upgrade_database(engine)
        settings = load_settings(secret="a secret for the benchmark", business={"name": "Alder Lane Dental"})
        with writing(engine) as session:
            for table in reversed(SQLModel.metadata.sorted_tables):
                session.connection().execute(table.delete())
            add_staff(session, "ben", "Ben Ito", "admin", NOW)
            session.flush()
            sign_in(session, "ben", TOKEN, 12, NOW)
        large, small = fill(engine, settings, "anniversary", asked.letters), fill(engine, settings, "checkin", 50)
        paths = ["/", f"/batches/{large}", f"/batches/{small}", "/messages/ANNIVERSARY-00007"]
        today, opened, peer, one = measure(engine, settings, paths, asked.rounds)
    print(f"Today {today:.3f} s; a letter of {asked.letters:,} {one:.3f} s")
    print(f"a batch of {asked.letters:,} letters {opened:.3f} s, one of 50 {peer:.3f} s: {opened / peer:.1f} times")


if __name__ == "__main__":
    main()
