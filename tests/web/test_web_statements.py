"""How often the desk asks the database: for thirty messages as often as for three, and once a request for settings."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import select

from approved import add_approved, add_batch
from conftest import NOW
from outreach.approval.audit import find_break
from outreach.approval.rejections import reject
from outreach.approval.staff import add_staff
from outreach.database import reading, writing
from outreach.models import AuditEntry, Batch, Message
from outreach.settings import Settings
from serving import Browser, serving


@contextmanager
def asked(engine: Engine) -> Iterator[list[str]]:
    """Every statement that this test, or a page that it opens, sends to the database meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        # Thumbnails are drawn by a thread of their own, whenever it comes to them.
        if threading.current_thread().name.startswith(("AnyIO worker", "MainThread")):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def add_waiting(engine: Engine, batch_id: str, channel: str, count: int) -> list[str]:
    references = [f"{batch_id}-{number:02}" for number in range(count)]
    with writing(engine) as session:
        add_batch(session, batch_id, status="waiting", channel=channel, count=count)
        for reference in references:
            add_approved(session, reference, channel=channel, batch_id=batch_id, status="composed")
    return references


@pytest.mark.parametrize("channel", ["letter", "email", "text", "call"])
def test_the_page_of_a_batch_asks_as_often_for_thirty_messages_as_for_three(
    sqlite_engine: Engine, settings: Settings, channel: str
) -> None:
    add_waiting(sqlite_engine, "FEW", channel, 3)
    many = add_waiting(sqlite_engine, "MANY", channel, 30)
    with serving(sqlite_engine, settings) as client:
        nora = Browser(client, sqlite_engine, "nora", "approver")
        counts = {}
        for batch_id in ("FEW", "MANY"):
            with asked(sqlite_engine) as statements:
                page = nora.get(f"/batches/{batch_id}")
            assert page.status_code == 200
            # That somebody was here is noted after the answer, and not each time.
            counts[batch_id] = sum("messages" in statement or "contents" in statement for statement in statements)
    assert all(reference in page.text for reference in many)
    assert counts["MANY"] == counts["FEW"]


def test_a_rejection_asks_as_often_for_thirty_messages_as_for_three(engine: Engine) -> None:
    few, many = add_waiting(engine, "FEW", "text", 3), add_waiting(engine, "MANY", "text", 30)
    with writing(engine) as session:
        add_staff(session, "nora", "Nora Whitcomb", "approver", NOW)
    counts = {}
    for batch_id in ("FEW", "MANY"):
        with asked(engine) as statements:
            reject(engine, batch_id, "nora", "too formal", NOW, "desk")
        counts[batch_id] = len(statements)
    assert counts["MANY"] == counts["FEW"]
    with reading(engine) as session:
        rows = session.exec(select(Message)).all()
        entries = session.exec(select(AuditEntry).order_by(AuditEntry.sequence)).all()  # type: ignore[arg-type]
        assert session.get_one(Batch, "MANY").status == "rejected"
        assert find_break(session) is None
    assert {(row.status, row.status_reason) for row in rows} == {("rejected", "too formal")}
    assert [entry.subject for entry in entries if entry.act == "message rejected"] == [*few, *many]


@pytest.mark.parametrize(
    "path",
    ["/", "/moments", "/moments/checkin", "/moments/treatments", "/feedback", "/calls", "/messages/FEW-00"],
)
def test_a_request_reads_what_was_saved_at_the_desk_once(sqlite_engine: Engine, settings: Settings, path: str) -> None:
    add_waiting(sqlite_engine, "FEW", "text", 3)
    with serving(sqlite_engine, settings) as client:
        nora = Browser(client, sqlite_engine, "nora", "approver")
        with asked(sqlite_engine) as statements:
            assert nora.get(path).status_code == 200
    assert sum("GROUP BY knob_versions.moment" in statement for statement in statements) == 1
