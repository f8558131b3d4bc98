"""What letters weigh: the same letters kept in the database, and in a folder beside it.

    .venv/bin/python benchmarks/storage.py [--database postgresql://…] [--letters 10000]

Prints bytes per letter, the size of the database (all of its files, or its tables on PostgreSQL) and of the folder, and
how fast letters are kept (twenty to a transaction, as composing does) and read one by one (as the desk does).
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from sqlalchemy import Engine, text
from sqlmodel import SQLModel

from outreach.composing.preview import preview_template
from outreach.composing.store.contents import LETTER, Row, content_row, keep_bodies, open_to_write, read_letter
from outreach.database import insert_new, open_database, upgrade_database, writing
from outreach.models import Content, Customer
from outreach.settings import Business, Settings, Signatory, load_settings
from outreach.settings.storage import StorageSettings

TODAY = date(2026, 3, 10)
AT_ONCE, READ = 20, 1000
BUSINESS = Business(
    name="Alder Lane Dental", address=["14 Alder Lane", "Burlington, VT 05401"], phone="+1 802 555 0140",
    email="hello@alderlane.example", public_url="https://outreach.invalid",
    signatories=[Signatory(name="Nora Whitcomb", role="front desk", consent_on=date(2025, 1, 1))],
)  # fmt: skip
MARIA = {
    "customer_id": "c1", "given_name": "Maria", "family_name": "Lopez", "address_line1": "27 Orchard Terrace",
    "city": "Winooski", "region": "VT", "postal_code": "05404", "country": "US", "customer_since": date(2023, 3, 10),
}  # fmt: skip


def letters(engine: Engine, settings: Settings, count: int) -> Iterator[Row]:
    page, _ = preview_template(engine, settings, "letters/anniversary.en.html", "c1", TODAY)
    for number in range(count):
        # What follows the end of a PDF is no part of its pages, and makes each content one of its own.
        body = page + f"\n% {number:07}\n".encode()
        yield content_row(hashlib.sha256(body).hexdigest(), LETTER, body)


def size_of(engine: Engine) -> int:
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return connection.execute(text("SELECT pg_total_relation_size('contents')")).scalar_one()
        connection.execute(text("COMMIT"))
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return sum(path.stat().st_size for path in Path(engine.url.database or "").parent.glob("b.db*"))


def measure(url: str, folder: Path, where: str, count: int) -> None:
    engine = open_database(url)
    settings = load_settings(secret="s", business=BUSINESS, storage=StorageSettings(url=where))
    with writing(engine) as session:
        insert_new(session, Customer, [MARIA])
    rows, before = list(letters(engine, settings, count)), size_of(engine)
    storage = open_to_write(engine, settings)
    began = time.perf_counter()
    for start in range(0, count, AT_ONCE):
        kept = [row for row in keep_bodies(storage, rows[start : start + AT_ONCE]).values() if isinstance(row, dict)]
        assert len(kept) == min(AT_ONCE, count - start), storage.fault
        with writing(engine) as session:
            insert_new(session, Content, kept)
    kept_in = time.perf_counter() - began
    began = time.perf_counter()
    for row in rows[:READ]:
        assert read_letter(engine, storage, row["sha256"]) == row["body"]
    read_in = time.perf_counter() - began
    beside = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(
        f"{'in a folder' if where else 'in the database':<16} {rows[0]['length']:,} bytes a letter; database "
        f"+{(size_of(engine) - before) / 1e6:,.1f} MB, folder {beside / 1e6:,.1f} MB; {count / kept_in:,.0f} kept and "
        f"{min(READ, count) / read_in:,.0f} read a second",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", help="a PostgreSQL database for this alone: its tables are dropped first")
    parser.add_argument("--letters", type=int, default=10_000)
    given = parser.parse_args()
    for kind in ("", "folder"):
        with tempfile.TemporaryDirectory() as place:
            url, folder = given.database or f"sqlite:///{place}/b.db", Path(place) / "letters"
            engine = open_database(url)
            if given.database:
                with engine.begin() as connection:
                    SQLModel.metadata.drop_all(connection)
                    connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
            upgrade_database(engine)
            measure(url, folder, str(folder) if kind else "", given.letters)


if __name__ == "__main__":
    main()
