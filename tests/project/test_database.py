"""What both databases must do alike, and what SQLite would get wrong if it were left to its driver."""

import multiprocessing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

from conftest import NOW
from outreach.database import insert_new, open_database, reading, upgrade_database, upsert, writing
from outreach.errors import DatabaseError
from outreach.models import Batch, Content, Customer, Event, Invoice, Message, Moment, Pause, Payment, Staff
from processes import PROCESSES


def test_the_migrations_make_exactly_the_tables_of_the_models(engine: Engine) -> None:
    with reading(engine) as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_upgrading_twice_changes_nothing_the_second_time(engine: Engine) -> None:
    assert upgrade_database(engine) is False


def test_a_database_in_use_is_upgraded_with_all_its_rows(database_url: str) -> None:
    engine = open_database(database_url)
    upgrade_database(engine, "0002")
    day, when = "2026-03-10", "2026-03-10 15:00:00"
    rows: dict[str, dict[str, object]] = {
        "staff": {"staff_id": "nora", "name": "Nora Whitcomb", "role": "approver", "added_at": when},
        "customers": {"customer_id": "c1"},
        "moments": {"moment_id": "m1", "kind": "checkin", "customer_id": "c1", "occasion": "1", "found_on": day},
        "batches": {
            "batch_id": "b1", "kind": "checkin", "channel": "letter", "run_on": day, "status": "waiting", "author": "x",
            "count": 1, "cost": 0, "currency": "USD", "seal": "s", "fingerprint": "f", "why_waiting": "",
            "opened_at": when,
        },
        "contents": {"sha256": "s1", "media_type": "application/pdf", "body": b"\x00 a letter"},
        "messages": {
            "reference": "r1", "moment_id": "m1", "step": 1, "kind": "checkin", "customer_id": "c1",
            "recipient_id": "c1", "channel": "letter", "purpose": "service", "status": "composed", "run_on": day,
            "send_on": day, "useful_until": day, "cost": 0, "fence": 0, "batch_id": "b1", "content_sha256": "s1",
        },
        "invoices": {"invoice_id": "i1", "customer_id": "c1", "issued_on": day, "due_on": day, "amount": 5000},
        "payments": {"payment_id": "p1", "invoice_id": "i1", "paid_on": day, "amount": 2000},
        "events": {
            "provider": "lob", "event_id": "e1", "reference": "r1", "kind": "accepted", "at": when,
            "received_at": when, "raw": b"",
        },
    }  # fmt: skip
    with engine.begin() as connection:
        for table, row in rows.items():
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"), row)
        ahead = {"moment_id": "m2", "kind": "anniversary", "customer_id": "c1", "occasion": "2026-03-17"}
        row = ahead | {"found_on": day}
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO moments ({', '.join(row)}) VALUES ({values})"), row)
    assert upgrade_database(engine)
    with reading(engine) as session:
        # An anniversary is found days ahead; asked again, it is looked for on its own day.
        assert session.get_one(Moment, "m2").looked_on == date(2026, 3, 17)
        assert session.get_one(Message, "r1").batch_id == "b1"
        assert session.get_one(Batch, "b1").single_person is False
        assert session.get_one(Payment, ("p1", "i1")).amount == 2000
        assert session.get_one(Invoice, "i1").amount == 5000
        content = session.get_one(Content, "s1")
        assert (content.body, content.length) == (b"\x00 a letter", 10)
        assert session.get_one(Staff, "nora").password_hash is None
        assert session.get_one(Event, ("lob", "e1")).reference == "r1"
    with writing(engine) as session:
        session.get_one(Invoice, "i1").status = "void"
        session.add(Payment(payment_id="p1", customer_id="c1", paid_on=NOW.date(), amount=1, currency="JPY"))
    with pytest.raises(IntegrityError), writing(engine) as session:
        session.execute(text("UPDATE invoices SET status = 'forgotten'"))
    with pytest.raises(IntegrityError), writing(engine) as session:
        session.execute(text("DELETE FROM batches"))


def test_an_instant_comes_back_as_the_same_instant_in_utc(engine: Engine) -> None:
    berlin_noon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    with writing(engine) as session:
        session.add(Pause(scope="everything", at=berlin_noon))
    with reading(engine) as session:
        stored = session.exec(select(Pause)).one().at
    assert stored == berlin_noon
    assert stored.tzinfo is UTC


def test_a_naive_instant_is_refused(engine: Engine) -> None:
    with pytest.raises(Exception, match="needs its time zone"), writing(engine) as session:
        session.add(Pause(scope="everything", at=datetime(2026, 7, 1, 12)))  # noqa: DTZ001


def test_insert_new_leaves_rows_that_are_there_as_they_are(engine: Engine) -> None:
    with writing(engine) as session:
        assert insert_new(session, Customer, [{"customer_id": "c1", "city": "Bath"}]) == 1
        assert insert_new(session, Customer, [{"customer_id": "c1", "city": "York"}]) == 0
    with reading(engine) as session:
        assert session.exec(select(Customer.city)).all() == ["Bath"]


def test_upsert_overwrites_by_primary_key(engine: Engine) -> None:
    with writing(engine) as session:
        upsert(session, Customer, [{"customer_id": "c1", "city": "Bath"}])
        upsert(session, Customer, [{"customer_id": "c1", "city": "York"}, {"customer_id": "c2", "city": None}])
    with reading(engine) as session:
        assert session.exec(select(Customer.city).order_by(Customer.customer_id)).all() == ["York", None]


def test_a_second_message_for_one_moment_and_step_is_impossible(engine: Engine) -> None:
    day = datetime(2026, 3, 10, tzinfo=UTC).date()
    with writing(engine) as session:
        session.add(
            Moment(moment_id="m", kind="checkin", customer_id="c", occasion="2026-03-08", occasion_on=day, found_on=day)
        )

    def add(reference: str) -> None:
        with writing(engine) as session:
            session.add(
                Message(
                    reference=reference, moment_id="m", kind="checkin", customer_id="c", recipient_id="c",
                    channel="letter", purpose="service", run_on=day, send_on=day, useful_until=day,
                )
            )  # fmt: skip

    add("A")
    with pytest.raises(Exception, match=r"(?i)unique"):
        add("B")


def test_a_url_of_another_database_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(DatabaseError, match="sqlite:///outreach.db"):
        open_database("mysql://localhost/x")
    with pytest.raises(DatabaseError, match="sqlite:///outreach.db"):
        open_database("not a url")


def _claim_all(url: str, owner: str, claimed: "multiprocessing.Queue[list[str]]") -> None:
    engine, mine = open_database(url), []
    while True:
        with writing(engine) as session:
            free = session.exec(
                select(Staff).where(Staff.role == "viewer").order_by(Staff.staff_id).limit(1).with_for_update()
            ).first()
            if free is None:
                break
            free.role, free.name = "writer", owner
            mine.append(free.staff_id)
    claimed.put(mine)


def test_four_processes_that_read_and_then_write_never_claim_the_same_row(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'claims.db'}"
    engine = open_database(url)
    upgrade_database(engine)
    with writing(engine) as session:
        rows = [
            {"staff_id": f"s{n:03}", "name": "", "role": "viewer", "added_at": datetime.now(UTC)} for n in range(80)
        ]
        insert_new(session, Staff, rows)
    claimed: multiprocessing.Queue[list[str]] = PROCESSES.Queue()
    workers = [PROCESSES.Process(target=_claim_all, args=(url, f"w{n}", claimed)) for n in range(4)]
    for worker in workers:
        worker.start()
    ids = [staff_id for _ in workers for staff_id in claimed.get(timeout=60)]
    for worker in workers:
        worker.join()
    assert sorted(ids) == [f"s{n:03}" for n in range(80)]


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'r.db'}")
    upgrade_database(engine)
    with writing(engine) as writer:
        writer.connection().execute(text("INSERT INTO pauses VALUES ('everything', '', '2026-01-01 00:00:00')"))
        with reading(engine) as reader:
            assert reader.exec(select(Pause)).all() == []
