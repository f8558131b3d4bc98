"""What is announced to Prefect after an approval, and that an approval stands whether Prefect hears of it or not."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from checkout import PROJECT
from conftest import NOW, TODAY
from loopback import Loopback, loopback
from outreach.approval.approving import approve_batch
from outreach.approval.open_batches import open_batches
from outreach.approval.staff import add_staff
from outreach.clock import system_clock
from outreach.commands.main import app
from outreach.database import reading, writing
from outreach.models import Batch
from outreach.prefect_events import announce, announce_approval, prefect_address
from outreach.settings import Settings, load_settings
from planned import add_customer, compose, know_contacts, plan
from serving import Browser, serving
from vendor_case import Answer

BATCH = "2026-03-10-anniversary-letter"


@pytest.fixture
def prefect() -> Iterator[Loopback]:
    with loopback() as server:
        yield server


def batch(**changes: Any) -> Batch:
    values: dict[str, Any] = {
        "batch_id": BATCH, "kind": "anniversary", "channel": "letter", "run_on": TODAY, "author": "the planner",
        "count": 17, "cost": 1785, "currency": "USD", "seal": "s", "fingerprint": "f", "opened_at": NOW,
    }  # fmt: skip
    return Batch(**values | changes)


def told(prefect: Loopback) -> dict[str, Any]:
    [asked] = prefect.asked
    [event] = json.loads(asked.body)
    return dict(event)


@pytest.mark.parametrize("way", ["", "/", "/api", "/api/"])
def test_an_approval_is_one_event_with_ids_and_counts(prefect: Loopback, way: str) -> None:
    prefect.will([Answer(204)])
    assert announce_approval(f"{prefect.url}{way}", batch(undo_until=NOW + timedelta(minutes=15)))
    assert prefect.asked[0].path == "/api/events"
    event = told(prefect)
    assert event["event"] == "outreach.batch.approved"
    assert event["resource"] == {"prefect.resource.id": f"outreach.batch.{BATCH}"}
    assert event["payload"] == {"batch_id": BATCH, "count": 17, "undo_until": "2026-03-10T15:15:00+00:00"}


def test_an_event_has_an_id_of_its_own_and_the_real_time(prefect: Loopback) -> None:
    prefect.will([Answer(204), Answer(204)])
    for _ in range(2):
        announce(prefect.url, "outreach.alarm.backlog", "outreach.alarm.backlog", {"count": 3})
    first, second = (json.loads(asked.body)[0] for asked in prefect.asked)
    assert UUID(first["id"]) != UUID(second["id"])
    assert system_clock() - datetime.fromisoformat(first["occurred"]) < timedelta(minutes=5)


@pytest.mark.parametrize("answer", [Answer(500), Answer(401), Answer(fault="drop"), Answer(fault="hang")], ids=str)
def test_a_server_that_does_not_take_it_is_no_error(
    prefect: Loopback, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.prefect_events.TIMEOUT_SECONDS", 0.2)
    prefect.will([answer])
    assert announce_approval(prefect.url, batch()) is False
    assert len(prefect.asked) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://[", "ftp://x", "not an address"])
def test_an_address_where_nobody_is_is_no_error(address: str) -> None:
    assert announce_approval(address, batch()) is False


def test_without_an_address_nothing_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert announce_approval(prefect_address(), batch()) is False


def test_a_server_that_asks_for_a_password_gets_prefects_own(
    prefect: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "ops:open sesame")
    prefect.will([Answer(204)])
    assert announce_approval(prefect.url, batch())
    assert prefect.asked[0].headers["authorization"] == "Basic b3BzOm9wZW4gc2VzYW1l"


def test_an_approval_at_the_desk_does_not_wait_for_prefect(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser gives up after five seconds, and Prefect says nothing for a minute."""
    monkeypatch.setattr("outreach.prefect_events.TIMEOUT_SECONDS", 60.0)
    add_customer(sqlite_engine)
    plan(sqlite_engine, "anniversary", "letter", "c1")
    compose(sqlite_engine, settings)
    know_contacts(sqlite_engine)
    [opened] = open_batches(sqlite_engine, settings, TODAY, NOW)
    seen = {"seal": opened.seal, "count": str(opened.count), "cost": str(opened.cost)}
    with loopback() as prefect:
        prefect.will([Answer(fault="hang")])
        with serving(sqlite_engine, settings, prefect=prefect.url) as client:
            nora = Browser(client, sqlite_engine, "nora", "approver")
            assert nora.post(f"/batches/{BATCH}/approve", **seen).status_code == 303
            with reading(sqlite_engine) as session:
                assert session.get_one(Batch, BATCH).status == "approved"
            prefect.over.set()
        event = told(prefect)
    assert event["payload"] == {"batch_id": BATCH, "count": 1, "undo_until": "2026-03-10T15:15:00+00:00"}


def test_what_its_rule_approves_while_a_day_is_prepared_is_announced_too(
    sqlite_engine: Engine, prefect: Loopback, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment = {
        "OUTREACH_CONFIG": str(PROJECT / "outreach.toml"), "OUTREACH_DATABASE_URL": str(sqlite_engine.url),
        "OUTREACH_SECRET": "a secret for tests only", "OUTREACH_NOW": NOW.isoformat(), "PREFECT_API_URL": prefect.url,
        "OUTREACH_PROVIDERS__OUTBOX__FOLDER": str(tmp_path / "outbox"),
        # Somebody said yes to asking about it.
        "OUTREACH_MOMENTS": '{"checkin": {"treatments": ["Filling"]}}',
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    add_customer(sqlite_engine)
    add_customer(sqlite_engine, "c2", email="ida@example.org")
    plan(sqlite_engine, "checkin", "email", "c1")
    compose(sqlite_engine, load_settings())
    # The first of its words waits for a person; the next like it does not.
    [first] = open_batches(sqlite_engine, load_settings(), TODAY, NOW)
    with writing(sqlite_engine) as session:
        add_staff(session, "maria", "Maria Stone", "approver", NOW)
    approve_batch(sqlite_engine, load_settings(), first.batch_id, "maria", NOW, "test")
    plan(sqlite_engine, "checkin", "email", "c2")
    prefect.will([Answer(204)])
    app(["prepare", "--moment", "late_payment", "--json"], standalone_mode=False)
    assert told(prefect)["payload"] == {"batch_id": f"{first.batch_id}-2", "count": 1, "undo_until": None}
