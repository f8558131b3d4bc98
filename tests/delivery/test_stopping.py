"""Whichever door a person stops sending by, the same is stopped, and the same is taken back at the vendor."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from typer.testing import CliRunner

from approved import add_approved
from conftest import NOW
from loopback import Loopback, loopback
from outreach.approval.staff import COMMAND_LINE, add_staff
from outreach.clock import stopped_clock
from outreach.commands.main import app
from outreach.database import reading, writing
from outreach.delivery.control.pauses import pause, resume
from outreach.delivery.control.stopping import stop_sending
from outreach.errors import NotAllowed, NotFound
from outreach.models import AuditEntry, Message, Pause
from outreach.settings import Settings, load_settings
from serving import Browser, serving
from vendor_lob import LETTER_ID, in_json

Stop = Callable[[Engine, Settings], str]


def by_the_command(engine: Engine, settings: Settings) -> str:
    database = ["--database", str(engine.url), "--now", NOW.isoformat()]
    done = CliRunner().invoke(app, ["pause", "--moment", "checkin", *database])
    assert done.exit_code == 0, done.output
    return "command line"


def by_the_red_button(engine: Engine, settings: Settings) -> str:
    with serving(engine, settings) as client:
        said = Browser(client, engine, "nora", "approver").press("/stop")
    assert "All sending is stopped. 1 messages wait, and 0 had left" in said.text
    assert "1 letters were cancelled before they were printed" in said.text
    return "nora"


def by_marketings_page(engine: Engine, settings: Settings) -> str:
    with serving(engine, settings) as client:
        said = Browser(client, engine, "will", "writer").press("/moments/checkin/pause")
    assert "1 letters were cancelled before they were printed" in said.text
    return "will"


@pytest.fixture
def lob(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Loopback]:
    with loopback() as vendor:
        words = {
            "MODE": "live", "PROVIDERS__LETTER": "lob", "PROVIDERS__LOB__URL": vendor.url,
            "PROVIDERS__LOB__API_KEY": "key", "PROVIDERS__LOB__WEBHOOK_SECRET": "hook", "SECRET": "for tests only",
            "BUSINESS__RETURN_ADDRESS": '{"line1": "1 Elm St", "city": "Bath", "postal_code": "05401"}',
        }  # fmt: skip
        for name, value in words.items():
            monkeypatch.setenv(f"OUTREACH_{name}", value)
        monkeypatch.chdir(tmp_path)
        yield vendor


def leave_one_and_keep_one(engine: Engine) -> None:
    with writing(engine) as session:
        add_approved(session, "WAITS", provider="lob")
        add_approved(
            session, "LEFT", provider="lob", provider_id=LETTER_ID, status="accepted", accepted_at=NOW, cost=105,
            cancel_until=NOW + timedelta(hours=4),
        )  # fmt: skip


@pytest.mark.parametrize("stop", [by_the_command, by_the_red_button, by_marketings_page])
def test_every_way_to_stop_cancels_at_the_vendor_what_is_not_printed_yet(
    sqlite_engine: Engine, lob: Loopback, stop: Stop
) -> None:
    leave_one_and_keep_one(sqlite_engine)
    lob.will([in_json({"id": LETTER_ID, "deleted": True})])
    who = stop(sqlite_engine, load_settings())
    assert [(asked.method, asked.path) for asked in lob.asked] == [("DELETE", f"/letters/{LETTER_ID}")]
    with reading(sqlite_engine) as session:
        statuses = {message.reference: message.status for message in session.exec(select(Message))}
        assert session.exec(select(Pause)).one().scope in {"moment", "everything"}
        assert session.exec(select(AuditEntry).where(AuditEntry.actor == who)).one().act.endswith("paused")
    assert statuses == {"WAITS": "approved", "LEFT": "cancelled"}


def test_the_pause_is_told_of_before_any_vendor_is_asked(sqlite_engine: Engine, settings: Settings) -> None:
    leave_one_and_keep_one(sqlite_engine)
    live = settings.model_copy(
        update={"mode": "live", "providers": settings.providers.model_copy(update={"letter": "lob"})}
    )
    told: list[int] = []
    report = stop_sending(
        sqlite_engine, live, stopped_clock(NOW), "moment", "checkin", COMMAND_LINE,
        lambda paused: told.append(paused.held),
    )  # fmt: skip
    assert told == [1]
    assert "OUTREACH_PROVIDERS__LOB__API_KEY" in report.problem
    with reading(sqlite_engine) as session:
        assert session.get(Pause, ("moment", "checkin")) is not None
        assert session.get_one(Message, "LEFT").status == "accepted"


def test_what_does_not_exist_is_not_stopped(sqlite_engine: Engine, settings: Settings) -> None:
    with pytest.raises(NotFound):
        stop_sending(sqlite_engine, settings, stopped_clock(NOW), "moment", "birthday", COMMAND_LINE)


@pytest.mark.parametrize(
    ("role", "scope", "name"),
    [("viewer", "everything", ""), ("viewer", "moment", "checkin"), ("writer", "everything", ""),
     ("writer", "provider", "lob")],
)  # fmt: skip
def test_the_role_is_asked_again_where_sending_is_stopped(
    sqlite_engine: Engine, settings: Settings, role: str, scope: str, name: str
) -> None:
    with writing(sqlite_engine) as session:
        add_staff(session, "will", "Will", role, NOW)
    with pytest.raises(NotAllowed, match=f"will may not .*: their role is {role}"):
        stop_sending(sqlite_engine, settings, stopped_clock(NOW), scope, name, "will")
    with reading(sqlite_engine) as session:
        assert session.exec(select(Pause)).all() == []


def test_whoever_is_no_approver_any_more_lets_nothing_go_on(sqlite_engine: Engine) -> None:
    with writing(sqlite_engine) as session:
        pause(session, "moment", "checkin", NOW)
        add_staff(session, "nora", "Nora", "approver", NOW)
        # The page let her in, and then she was given another role.
        add_staff(session, "nora", "Nora", "writer", NOW)
    with pytest.raises(NotAllowed, match="let sending go on"), writing(sqlite_engine) as session:
        resume(session, "moment", "checkin", NOW, by="nora")
    with reading(sqlite_engine) as session:
        assert session.get(Pause, ("moment", "checkin")) is not None
