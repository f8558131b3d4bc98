"""Reminders: a deputy hears once of each batch that waits too long, and a failed reminder is tried again."""

import multiprocessing
import re
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW
from mail_server import mail_server
from outreach.approval.audit import find_break
from outreach.approval.reminders import claim_reminder
from outreach.approval.staff import add_staff, remove_staff
from outreach.clock import stopped_clock
from outreach.database import open_database, reading, writing
from outreach.delivery.providers import Handover, open_providers
from outreach.delivery.providers.outbox import Outbox
from outreach.delivery.providers.sealed_mail import as_written
from outreach.delivery.staff_mail.notices import is_notice
from outreach.delivery.staff_mail.reminders import remind_deputy
from outreach.doctor.examination import examine
from outreach.errors import NotSent, OutcomeUnknown, Refused
from outreach.models import AuditEntry, Batch, Event, Incident
from outreach.settings import Settings
from outreach.tracking.events import record_event
from outreach.tracking.lookup import track_open
from processes import PROCESSES

LATE = NOW - timedelta(hours=25)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"approval": settings.approval.model_copy(update={"deputy": "jon"})})


@pytest.fixture
def deputy(engine: Engine) -> None:
    hire_deputy(engine)


def hire_deputy(engine: Engine) -> None:
    with writing(engine) as session:
        add_staff(session, "jon", "Jon Okafor", "approver", LATE, "jon@practice.example")


def wait_for_a_person(engine: Engine, batch_id: str = "2026-03-09-anniversary-letter", **other: Any) -> None:
    batch = Batch(
        batch_id=batch_id, kind="anniversary", channel="letter", run_on=LATE.date(), author="the planner", count=3,
        cost=315, currency="USD", seal="s", fingerprint="f", opened_at=LATE,
    )  # fmt: skip
    with writing(engine) as session:
        session.add(batch.sqlmodel_update(other))


def remind(engine: Engine, settings: Settings, at: datetime = NOW, told: list[str] | None = None) -> int:
    with open_providers(settings) as carriers:
        return remind_deputy(engine, settings, at, carriers, (told if told is not None else []).append)


def mails(settings: Settings) -> list[Path]:
    return sorted((settings.providers.outbox.folder or Path()).glob("*/*.eml"))


def batches(engine: Engine) -> dict[str, Batch]:
    with reading(engine) as session:
        return {batch.batch_id: batch for batch in session.exec(select(Batch)).all()}


def test_the_deputy_gets_one_e_mail_about_all_that_waits(engine: Engine, settings: Settings, deputy: None) -> None:
    wait_for_a_person(engine)
    wait_for_a_person(engine, "2026-03-09-late-payment-letter", kind="late_payment", count=1)
    wait_for_a_person(engine, "fresh", opened_at=NOW - timedelta(hours=23))
    wait_for_a_person(engine, "rejected", status="rejected")
    assert remind(engine, settings) == 2
    [path] = mails(settings)
    message = message_from_bytes(path.read_bytes(), policy=default)
    assert message["To"] == "Jon Okafor <jon@practice.example>"
    assert message["From"] == "Alder Lane Dental <hello@alderlane.example>"
    assert message["Subject"] == "2 batches wait for approval"
    words = message.get_content().replace("\r\n", "\n")
    assert "2026-03-09-anniversary-letter: 3 messages, anniversary by letter, since 9 Mar 2026, 10:00" in words
    assert "2026-03-09-late-payment-letter: 1 message, late payment by letter" in words
    assert f"{settings.business.public_url}/\n" in words
    assert not {"fresh", "rejected"} & set(words.split())


def test_each_batch_is_reminded_of_once(engine: Engine, settings: Settings, deputy: None) -> None:
    wait_for_a_person(engine)
    assert [remind(engine, settings), remind(engine, settings, NOW + timedelta(days=3))] == [1, 0]
    assert len(mails(settings)) == 1
    wait_for_a_person(engine, "another")
    assert remind(engine, settings, NOW + timedelta(hours=1)) == 1


def test_a_batch_says_who_was_reminded_of_it_and_when(engine: Engine, settings: Settings, deputy: None) -> None:
    wait_for_a_person(engine)
    remind(engine, settings)
    [batch] = batches(engine).values()
    assert (batch.reminded, batch.reminded_at) == ("jon", NOW)
    with reading(engine) as session:
        assert find_break(session) is None
        [entry] = session.exec(select(AuditEntry).where(AuditEntry.act == "deputy reminded")).all()
    assert (entry.subject, entry.detail) == ("2026-03-09-anniversary-letter", "jon")


class Failing:
    """The outbox, which fails in a way of its own before it writes anything."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(Outbox, name)

    def send(self, handover: Handover) -> str:
        raise self.error


@pytest.mark.parametrize("error", [NotSent("the mail server is busy"), Refused("no such mailbox")])
def test_a_reminder_that_surely_did_not_leave_is_tried_again_by_the_next_run(
    engine: Engine, settings: Settings, deputy: None, error: Exception
) -> None:
    wait_for_a_person(engine)
    told: list[str] = []
    assert remind_deputy(engine, settings, NOW, {"outbox": Failing(error)}, told.append) == 0
    assert told == [f"jon could not be reminded: {error}"]
    assert batches(engine)["2026-03-09-anniversary-letter"].reminded_at is None
    assert remind(engine, settings, NOW + timedelta(hours=1)) == 1


def test_a_reminder_that_may_have_left_is_not_sent_again(engine: Engine, settings: Settings, deputy: None) -> None:
    wait_for_a_person(engine)
    unknown = Failing(OutcomeUnknown("no answer"))
    assert remind_deputy(engine, settings, NOW, {"outbox": unknown}, lambda _: None) == 1
    assert remind(engine, settings, NOW + timedelta(hours=1)) == 0


@pytest.mark.parametrize("why", ["unknown", "removed", "no address"])
def test_a_deputy_who_cannot_be_reached_stops_no_tracking_and_is_told_of(
    engine: Engine, settings: Settings, why: str
) -> None:
    with writing(engine) as session:
        if why != "unknown":
            add_staff(session, "jon", "Jon", "approver", NOW, None if why == "no address" else "jon@practice.example")
        if why == "removed":
            remove_staff(session, "jon", NOW)
    wait_for_a_person(engine)
    told: list[str] = []
    assert remind(engine, settings, told=told) == 0
    assert "approval.deputy" in told[0] or "no e-mail address" in told[0]
    # As soon as it is mended, they hear of it.
    hire_deputy(engine)
    assert remind(engine, settings) == 1


def test_without_a_deputy_nobody_is_reminded(sqlite_engine: Engine, settings: Settings) -> None:
    wait_for_a_person(sqlite_engine)
    nobody = settings.model_copy(update={"approval": settings.approval.model_copy(update={"deputy": ""})})
    told: list[str] = []
    assert remind(sqlite_engine, nobody, told=told) == 0
    assert told == []


def _claim(url: str, settings: Settings, results: "multiprocessing.Queue[int]") -> None:
    with writing(open_database(url)) as session:
        reminder = claim_reminder(session, settings, NOW)
        results.put(len(reminder.batches) if reminder else 0)


def test_runs_at_the_same_time_remind_of_a_batch_once(
    database_url: str, engine: Engine, settings: Settings, deputy: None
) -> None:
    for number in range(4):
        wait_for_a_person(engine, f"batch-{number}")
    results: multiprocessing.Queue[int] = PROCESSES.Queue()
    workers = [PROCESSES.Process(target=_claim, args=(database_url, settings, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert sum(results.get(timeout=120) for _ in workers) == 4
    for worker in workers:
        worker.join()


def test_tracking_reminds_and_says_of_how_many_but_not_of_what_has_just_expired(
    engine: Engine, settings: Settings, deputy: None
) -> None:
    wait_for_a_person(engine)
    assert track_open(engine, settings, stopped_clock(NOW)).reminded == 1
    assert track_open(engine, settings, stopped_clock(NOW)).reminded == 0


def test_in_live_mode_the_e_mail_provider_in_use_carries_it(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    hire_deputy(sqlite_engine)
    wait_for_a_person(sqlite_engine)
    with mail_server() as server:
        smtp = settings.providers.smtp.model_copy(update={"host": "127.0.0.1", "port": server.port, "security": "none"})
        providers = settings.providers.model_copy(update={"email": "smtp", "smtp": smtp})
        live = settings.model_copy(update={"mode": "live", "providers": providers})
        assert remind(sqlite_engine, live) == 1
    [taken] = server.taken
    assert taken.recipients == ["jon@practice.example"]
    assert b"Auto-Submitted: auto-generated" in taken.content
    assert mails(settings) == []


def test_names_with_line_breaks_and_accents_write_no_header_of_their_own(
    sqlite_engine: Engine, settings: Settings
) -> None:
    with writing(sqlite_engine) as session:
        add_staff(session, "jon", "Jón\r\nBcc: eve@evil.example", "approver", NOW, "jón@practice.example")
    wait_for_a_person(sqlite_engine)
    assert remind(sqlite_engine, settings) == 1
    message = message_from_bytes(mails(settings)[0].read_bytes(), policy=default)
    assert message["Bcc"] is None
    assert [as_written(address.addr_spec) for address in message["To"].addresses] == ["jón@practice.example"]


def test_what_a_provider_reports_on_a_reminder_is_kept_and_alarms_nobody(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        record_event(session, "sendgrid", "1", "delivered", NOW, NOW, reference="reminder-0123456789abcdef")
        record_event(session, "sendgrid", "2", "delivered", NOW, NOW, reference="K7QF-2M9X-TB4D")
    with reading(engine) as session:
        assert len(session.exec(select(Event)).all()) == 2
        assert len(session.exec(select(Incident)).all()) == 1
    assert is_notice("reminder-0123456789abcdef")


def findings(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, toml: str) -> dict[str, str]:
    (tmp_path / "outreach.toml").write_text(toml)
    monkeypatch.chdir(tmp_path)
    found = examine(engine.url.render_as_string(hide_password=False), None)
    return {finding.what: finding.mend for finding in found if not finding.is_well}


def test_doctor_finds_staff_of_whom_nobody_could_approve_at_the_desk(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "the approvers" not in findings(sqlite_engine, monkeypatch, tmp_path, "")
    with writing(sqlite_engine) as session:
        add_staff(session, "jon", "Jon", "approver", NOW, "jon@practice.example")
        viewer = add_staff(session, "eve", "Eve", "viewer", NOW)
        viewer.password_hash = "set"
    assert "outreach staff password" in findings(sqlite_engine, monkeypatch, tmp_path, "")["the approvers"]
    monkeypatch.setenv("OUTREACH_DESK__OIDC__CLIENT_SECRET", "s")
    oidc = '[desk.oidc]\nissuer = "https://id.example"\nclient_id = "desk"\n'
    assert "the approvers" not in findings(sqlite_engine, monkeypatch, tmp_path, oidc)


@pytest.mark.parametrize(
    ("mode", "address", "is_well"),
    [
        ("live", "http://desk.alderlane.com", False),
        ("live", "https://desk.alderlane.com", True),
        ("live", "https://outreach.invalid", False),
        ("live", "https://outreach.alderlane.example", False),
        ("rehearsal", "http://x", True),
    ],
)
def test_doctor_finds_a_public_address_without_https_or_that_leads_nowhere_in_live_mode(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str, address: str, is_well: bool
) -> None:
    toml = f'mode = "{mode}"\n[business]\npublic_url = "{address}"\n'
    assert ("the public address" not in findings(sqlite_engine, monkeypatch, tmp_path, toml)) == is_well


@pytest.mark.parametrize(
    ("address", "objection"),
    [
        ("https://desk.alderlane.example", "no name ending in .example leads anywhere"),
        ("http://desk.alderlane.com", "set an https address"),
        ("https://outreach.invalid", "Set business.public_url to the https address of this desk"),
    ],
)
def test_doctor_says_what_is_wrong_with_a_public_address(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str, objection: str
) -> None:
    toml = f'mode = "live"\n[business]\npublic_url = "{address}"\n'
    told = findings(sqlite_engine, monkeypatch, tmp_path, toml)["the public address"]
    assert objection in told
    assert (address in told) == (address != "https://outreach.invalid")


def test_no_check_of_the_doctor_is_named_as_if_it_were_well_or_ill(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """“MEND no restored backup” and “MEND somebody can approve” say two things at once."""
    monkeypatch.chdir(tmp_path)
    named = [finding.what for finding in examine(sqlite_engine.url.render_as_string(hide_password=False), None)]
    assert len(named) > 10
    verdicts = re.compile(r"^no |^a |\b(can|cannot|is|are|stay|lets|missing|private)\b")
    assert [what for what in named if verdicts.search(what) and not what.startswith(("mode", "Python"))] == []


def test_doctor_finds_a_deputy_who_is_not_staff_or_has_no_address(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    toml, what = '[approval]\ndeputy = "jon"\n', "the deputy for reminders"
    assert "who is not staff" in findings(sqlite_engine, monkeypatch, tmp_path, toml)[what]
    with writing(sqlite_engine) as session:
        add_staff(session, "jon", "Jon", "approver", NOW)
    assert "no e-mail address" in findings(sqlite_engine, monkeypatch, tmp_path, toml)[what]
    hire_deputy(sqlite_engine)
    assert what not in findings(sqlite_engine, monkeypatch, tmp_path, toml)
