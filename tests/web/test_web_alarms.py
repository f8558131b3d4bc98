"""Alarms at the desk: those that stand, on Today; and the address where Prefect's automations have ops told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import select
from typer.testing import CliRunner

from approved import add_approved, add_batch
from conftest import NOW
from mail_server import MailServer, mail_server, smtp_settings
from outreach.clock import Clock
from outreach.commands.main import app
from outreach.contacts import load_key
from outreach.database import reading, writing
from outreach.delivery.staff_mail.alarms import alarm_token
from outreach.delivery.staff_mail.notices import is_notice
from outreach.models import Event, Incident, Suppression
from outreach.settings import Settings
from outreach.settings.ops import OpsSettings
from outreach.tracking.events import record_event
from outreach.web.alarms import MAX_BODY, MOST_AN_HOUR
from serving import Browser, serving

OPS = "ops@alderlane.example"
SAID = {"subject": "Outreach: backlog", "body": "3 messages wait.\nLook at docs/runbook.md#backlog"}


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def live(settings: Settings, server: MailServer) -> Settings:
    """The business sends e-mails through its own mail server, and its alarms go to ops."""
    providers = settings.providers.model_copy(update={"email": "smtp", "smtp": smtp_settings(server)})
    changes = {"mode": "live", "providers": providers, "ops": OpsSettings(alarms_to=OPS)}
    return settings.model_copy(update=changes)


@pytest.fixture
def token(sqlite_engine: Engine, settings: Settings) -> str:
    return alarm_token(load_key(sqlite_engine, settings))


@contextmanager
def calling(engine: Engine, settings: Settings, token: str, clock: Clock | None = None) -> Iterator[httpx.Client]:
    with serving(engine, settings, clock) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def test_what_an_automation_says_reaches_ops_as_plain_text_by_the_businesss_own_mail_server(
    sqlite_engine: Engine, live: Settings, server: MailServer, token: str
) -> None:
    with calling(sqlite_engine, live, token) as client:
        answer = client.post("/alarms", json=SAID)
    assert (answer.status_code, answer.json()) == (200, {"status": "sent"})
    [taken] = server.taken
    assert taken.recipients == [OPS]
    message = message_from_bytes(taken.content, policy=default)
    assert message["Subject"] == SAID["subject"]
    assert message["From"] == "Alder Lane Dental <hello@alderlane.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    words = message.get_content().replace("\r\n", "\n")
    assert words.startswith(SAID["body"])
    assert "ops.alarms_to" in words


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        "Basic {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer \u00fc{token}",
    ],
)
def test_without_the_token_nothing_is_sent(
    sqlite_engine: Engine, live: Settings, server: MailServer, token: str, header: str | None
) -> None:
    with serving(sqlite_engine, live) as client:
        headers = {} if header is None else {"Authorization": header.format(token=token).encode("latin-1")}
        answer = client.post("/alarms", json=SAID, headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert server.taken == []


def test_the_token_is_this_installations_own(token: str) -> None:
    assert token != alarm_token(b"another secret")
    assert len(token) == 64
    assert "secret" not in token


@pytest.mark.parametrize("to", ["", "https://hooks.chat.example/T0"])
def test_where_alarms_do_not_go_to_an_e_mail_address_there_is_no_such_page(
    sqlite_engine: Engine, live: Settings, server: MailServer, token: str, to: str
) -> None:
    elsewhere = live.model_copy(update={"ops": OpsSettings(alarms_to=to)})
    with calling(sqlite_engine, elsewhere, token) as client:
        assert client.post("/alarms", json=SAID).status_code == 404
    assert server.taken == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"subject"', 400),
        (b'{"subject": "x"}', 400),
        (b'{"subject": "x", "body": 1}', 400),
        (b'{"subject": " ", "body": "x"}', 400),
        (b"[" * 15_000, 400),
        (b"\xff\xfe", 400),
        (b'{"subject": "x", "body": "' + b"a" * MAX_BODY + b'"}', 413),
    ],
    ids=lambda value: str(value[:30]) if isinstance(value, bytes) else "",
)
def test_what_is_no_alarm_or_too_long_is_refused(
    sqlite_engine: Engine, live: Settings, server: MailServer, token: str, content: bytes, status: int
) -> None:
    with calling(sqlite_engine, live, token) as client:
        assert client.post("/alarms", content=content).status_code == status
        pieces = iter([content[:5], content[5:]])  # without a word on how long it is
        assert client.post("/alarms", content=pieces).status_code == status
    assert server.taken == []


@pytest.mark.parametrize(
    "words",
    [
        "ops\r\nBcc: eve@evil.example",
        "a\nTo: eve@evil.example",
        "<b>bold</b>\x00\x1b[31m",
        "\ud800 half",
        "ü" * 400,
        "Ω\u2028x",
    ],
    ids=repr,
)
def test_whatever_the_words_are_they_write_no_header_and_stay_plain_text(
    sqlite_engine: Engine, live: Settings, server: MailServer, token: str, words: str
) -> None:
    with calling(sqlite_engine, live, token) as client:
        sent = client.post("/alarms", content=json.dumps({"subject": words, "body": f"{words}\n.\n{words}"}))
    assert sent.status_code == 200
    [taken] = server.taken
    assert taken.recipients == [OPS]
    message = message_from_bytes(taken.content, policy=default)
    assert (message["Bcc"], message["To"]) == (None, OPS)
    assert message.get_content_type() == "text/plain"
    assert 0 < len(message["Subject"]) <= 150
    shown = message.get_content()
    assert not {"\x00", "\x1b"} & set(shown)
    assert "<b>" not in words or "<b>bold</b>" in shown


def test_no_loop_of_automations_fills_a_mailbox(
    sqlite_engine: Engine, live: Settings, server: MailServer, token: str
) -> None:
    at = [NOW]
    with calling(sqlite_engine, live, token, lambda: at[0]) as client:
        for minute in range(MOST_AN_HOUR):
            at[0] = NOW + timedelta(minutes=minute)
            assert client.post("/alarms", json=SAID).status_code == 200
        refused = client.post("/alarms", json=SAID)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) == (60 - MOST_AN_HOUR + 1) * 60
        at[0] = NOW + timedelta(hours=1)
        assert client.post("/alarms", json=SAID).status_code == 200
        assert client.post("/alarms", json=SAID).status_code == 429
    assert len(server.taken) == MOST_AN_HOUR + 1


@pytest.mark.parametrize(
    ("fault", "status"), [({"RCPT": "550 no such mailbox"}, 503), ({"MAIL": "450 busy"}, 503), ({".": "drop"}, 202)]
)
def test_an_alarm_that_did_not_leave_says_so(
    sqlite_engine: Engine, live: Settings, server: MailServer, token: str, fault: dict[str, str], status: int
) -> None:
    server.faults.update(fault)
    with calling(sqlite_engine, live, token) as client:
        answer = client.post("/alarms", json=SAID)
    assert answer.status_code == status
    assert OPS not in answer.text


def test_an_alarm_goes_out_though_another_vendor_lacks_its_key(
    sqlite_engine: Engine, live: Settings, server: MailServer, token: str
) -> None:
    lacking = live.model_copy(update={"providers": live.providers.model_copy(update={"letter": "lob"})})
    with calling(sqlite_engine, lacking, token) as client:
        assert client.post("/alarms", json=SAID).status_code == 200
    assert len(server.taken) == 1


def test_a_secret_that_was_lost_is_told_to_the_log_and_to_no_stranger(
    sqlite_engine: Engine, live: Settings, token: str
) -> None:
    with writing(sqlite_engine) as session:
        session.add(Suppression(contact_hash="h", channel="email", source="unsubscribed", at=NOW))
    with calling(sqlite_engine, live.model_copy(update={"secret": SecretStr("another")}), token) as client:
        answer = client.post("/alarms", json=SAID)
    assert (answer.status_code, answer.json()) == (503, {"status": "not sent; the log of the desk says why"})


def test_in_rehearsal_an_alarm_becomes_a_file(
    sqlite_engine: Engine, live: Settings, server: MailServer, token: str, settings: Settings
) -> None:
    with calling(sqlite_engine, live.model_copy(update={"mode": "rehearsal"}), token) as client:
        assert client.post("/alarms", json=SAID).status_code == 200
    assert server.taken == []
    [file] = (settings.providers.outbox.folder or Path()).glob("*/alarm-*.eml")
    assert OPS.encode() in file.read_bytes()


def test_what_a_provider_reports_on_an_alarm_is_no_incident(engine: Engine) -> None:
    with writing(engine) as session:
        record_event(session, "sendgrid", "1", "delivered", NOW, NOW, reference="alarm-0123456789abcdef")
    with reading(engine) as session:
        assert session.get(Event, ("sendgrid", "1")) is not None
        assert session.exec(select(Incident)).all() == []
    assert is_notice("alarm-0123456789abcdef")


# --- what stands, for people to read ---


@pytest.fixture
def late(sqlite_engine: Engine) -> None:
    with writing(sqlite_engine) as session:
        add_batch(session, "B1", decided_at=NOW - timedelta(hours=30), decided_by="maria")
        add_approved(session, "A")


def test_today_tells_an_admin_what_is_wrong_and_what_to_do(
    sqlite_engine: Engine, settings: Settings, late: None
) -> None:
    with serving(sqlite_engine, settings) as client:
        page = Browser(client, sqlite_engine, "ada", "admin").get("/").text
        others = Browser(client, sqlite_engine, "ben", "approver").get("/").text
    assert "One alarm stands" in page
    assert "1 message is approved and due, and nothing holds" in page
    assert "<code>outreach deliver</code> by hand" in page
    assert "docs/runbook.md#backlog" in page
    assert "alarm" not in others.lower(), "those who approve letters can do nothing about it"


def test_today_says_nothing_of_alarms_where_none_stands(sqlite_engine: Engine, settings: Settings) -> None:
    with serving(sqlite_engine, settings) as client:
        assert "alarm" not in Browser(client, sqlite_engine, "ada", "admin").get("/").text.lower()


def test_the_status_command_says_which_alarms_stand(
    sqlite_engine: Engine, late: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = ["--database", str(sqlite_engine.url), "--now", NOW.isoformat()]
    said = CliRunner().invoke(app, ["status", "--json", *place])
    [alarm] = json.loads(said.stdout)["alarms"]
    known: dict[str, Any] = {"kind": "backlog", "count": 1}
    assert known.items() <= alarm.items()
    monkeypatch.setattr("outreach.commands.status.say", lambda line: lines.append(line))
    lines: list[str] = []
    CliRunner().invoke(app, ["status", *place])
    assert any(line.startswith("ALARM backlog: 1 message is approved and due") for line in lines)
    assert any("docs/runbook.md#backlog" in line for line in lines)
