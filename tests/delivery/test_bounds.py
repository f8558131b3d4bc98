"""Numbers and instants from outside: whatever a vendor or a clock says, nobody is held up, or written to twice."""

import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import delete

from approved import add_approved, days
from budget import trials
from conftest import NOW, TODAY
from mail_server import mail_server, smtp_settings
from outreach.approval.login_throttle import count_try, subjects_of
from outreach.clock import stopped_clock
from outreach.database import open_database, reading, upgrade_database, writing
from outreach.delivery import outbox, rates, record_results
from outreach.delivery import sender as sender_module
from outreach.delivery.control.pauses import pause
from outreach.delivery.providers import Handover, LookupResult
from outreach.delivery.providers.http import LONGEST_PAUSE, ask, hand_over, open_client, retry_after
from outreach.delivery.providers.protocol import at_any_time
from outreach.delivery.providers.smtp import Smtp
from outreach.delivery.sender import deliver_due
from outreach.delivery.unrecorded_results import unsettled_file
from outreach.errors import NoAnswer, NotSent, OutcomeUnknown
from outreach.intake.unread_rows import payments_read_at
from outreach.models import Allowance, Attempt, Decision, Import, Installation, Message, Suppression
from outreach.settings import Settings
from outreach.settings.providers import LobSettings, SmtpSettings
from outreach.tracking.lookup import track_open

US = "hello@alderlane.example"
HOUR = timedelta(hours=1)


class Vendor:
    """A vendor that takes a message once for each key, can be searched, and answers as `answer` has it."""

    name = "outbox"
    channels = frozenset({"letter", "email", "text", "call"})
    key_life = timedelta(0)
    absent_after: timedelta | None = HOUR
    per_second: float | None = None

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.answer: Any = lambda handover: None
        self.now: datetime | None = None

    def send(self, handover: Handover) -> str:
        handover.require_time()
        self.answer(handover)
        self.taken.append(handover.reference)
        return f"their {handover.key}"

    def find(self, handover: Handover) -> LookupResult:
        return LookupResult(at=self.now)

    def parse_events(self, request: object) -> list[Any]:
        return []


def deliver(engine: Engine, settings: Settings, vendor: Any, at: datetime = NOW, **more: Any) -> Any:
    return deliver_due(engine, settings, stopped_clock(at), "sender", providers={vendor.name: vendor}, **more)


def add(engine: Engine, *references: str, **changes: Any) -> None:
    with writing(engine) as session:
        for reference in references:
            add_approved(session, reference, **changes)


def message_of(engine: Engine, reference: str = "A") -> Message:
    with reading(engine) as session:
        return session.get_one(Message, reference)


# --- what a vendor asks for ---

DATE = {"Date": format_datetime(NOW, usegmt=True)}
ASKED = {
    "120": timedelta(minutes=2), str(int(NOW.timestamp()) + 90): timedelta(seconds=90), "99999999": LONGEST_PAUSE,
    "1e300": LONGEST_PAUSE, "inf": LONGEST_PAUSE, "-5": timedelta(0), "nan": None, "soon": None, "": None,
    format_datetime(NOW + HOUR, usegmt=True): HOUR, format_datetime(NOW + days(900), usegmt=True): LONGEST_PAUSE,
    "Fri, 31 Dec 9999 23:59:59 GMT": LONGEST_PAUSE, "Tue, 10 Mar 2026 16:00:00": HOUR,
}  # fmt: skip


@pytest.mark.parametrize(("said", "after"), ASKED.items(), ids=ASKED)
def test_a_retry_after_is_read_as_seconds_a_date_or_an_epoch_and_never_for_longer_than_a_day(
    said: str, after: timedelta | None
) -> None:
    assert retry_after(httpx.Response(429, headers={"Retry-After": said, **DATE})) == after


@trials(30)
@given(said=st.text(st.characters(min_codepoint=32, max_codepoint=126)) | st.floats().map(str) | st.integers().map(str))
def test_no_retry_after_at_all_asks_for_more_than_a_day(said: str) -> None:
    for date in ({}, DATE):
        after = retry_after(httpx.Response(429, headers={"Retry-After": said, **date}))
        assert after is None or timedelta(0) <= after <= LONGEST_PAUSE


def test_a_wait_of_centuries_loses_no_fact_of_its_round_and_is_over_the_next_day(
    sqlite_engine: Engine, settings: Settings
) -> None:
    add(sqlite_engine, "A", "B")
    vendor = Vendor()

    def be_busy(handover: Handover) -> None:
        if handover.reference == "B":
            raise NotSent("busy", timedelta.max)

    vendor.answer = be_busy
    deliver(sqlite_engine, settings, vendor)
    assert (message_of(sqlite_engine, "A").status, message_of(sqlite_engine, "B").status) == ("accepted", "approved")
    vendor.answer = lambda handover: None
    deliver(sqlite_engine, settings, vendor, NOW + days(1))
    assert vendor.taken == ["A", "B"]


def test_what_was_taken_is_on_record_though_a_decision_of_its_round_cannot_be_written(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(sqlite_engine, "A", "B")
    vendor = Vendor()

    def fail(handover: Handover) -> None:
        if handover.reference == "B":
            raise NotSent("busy")

    vendor.answer = fail
    vendor.key_life = HOUR
    monkeypatch.setattr(outbox, "decide", _break)
    with pytest.raises(ValueError, match="broken"):
        deliver(sqlite_engine, settings, vendor)
    assert message_of(sqlite_engine, "A").status == "accepted"


def _break(*_: object, **__: object) -> bool:
    raise ValueError("broken")


# --- an answer that does not end ---


@contextmanager
def dripping(answer: bytes, before: int = 0) -> Iterator[int]:
    """A server that gives its answer a byte at a time, each well within the time-out; the first `before` at once."""
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer[:before])
            for place in range(before, len(answer)):
                if over.wait(0.05):
                    return
                try:
                    connection.sendall(answer[place : place + 1])
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


ENDLESS = b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 400 + b"\r\nContent-Length: 400\r\n\r\n" + b"y" * 400


@pytest.mark.parametrize("before", [0, 450], ids=["its head", "its body"])
def test_a_vendor_that_drips_its_answer_is_left_after_one_deadline(before: int) -> None:
    with dripping(ENDLESS, before) as port:
        client = open_client(LobSettings(url=f"http://127.0.0.1:{port}", timeout_seconds=0.3))
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown, match="did not answer"), client:
            hand_over(client, client.build_request("POST", "/letters"), at_any_time)
        assert time.monotonic() - started < 3


def test_a_question_that_is_answered_in_drips_is_not_answered() -> None:
    with dripping(ENDLESS) as port:
        client = open_client(LobSettings(url=f"http://127.0.0.1:{port}", timeout_seconds=0.3))
        with pytest.raises(NoAnswer), client:
            ask(client, client.build_request("GET", "/letters"))


def test_a_mail_server_that_drips_its_greeting_is_left_after_one_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over = threading.Event()
        thread = threading.Thread(target=_drip_greeting, args=(listening, over))
        thread.start()
        port = listening.getsockname()[1]
        smtp = Smtp(SmtpSettings(host="127.0.0.1", port=port, security="none", timeout_seconds=0.4), US)
        started = time.monotonic()
        with pytest.raises(NotSent, match="before anything had left"):
            smtp.send(_email())
        assert time.monotonic() - started < 3
        over.set()
        thread.join()


def _drip_greeting(listening: socket.socket, over: threading.Event) -> None:
    connection, _ = listening.accept()
    with connection:
        while not over.wait(0.05):
            try:
                connection.sendall(b"220-still here\r\n")
            except OSError:
                return


def _email() -> Handover:
    content = f"From: {US}\r\nTo: them@x.example\r\nSubject: x\r\n\r\nGood morning.\r\n".encode()
    to = {"name": "Ada", "email": "them@x.example"}
    return Handover("A", "A.1", "email", to, content, "message/rfc822", TODAY, "B1", NOW)


# --- freshness on the open connection ---


@pytest.mark.parametrize("step", ["EHLO", "RCPT", "DATA"])
def test_a_slow_mail_server_outlasts_neither_a_pause_nor_an_opt_out(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(sender_module, "FRESH_SECONDS", 1.0)
    add(sqlite_engine, "A", "B", channel="email", provider="smtp")
    with mail_server() as server:
        server.slow[step] = 1.5
        smtp = smtp_settings(server, health=True, per_second=None)
        providers = settings.providers.model_copy(update={"smtp": smtp})
        sender = threading.Thread(
            target=deliver,
            args=(sqlite_engine, settings.model_copy(update={"providers": providers}), Smtp(smtp, US)),
        )
        sender.start()
        while step not in server.commands:
            time.sleep(0.02)
        with writing(sqlite_engine) as session:
            opt_out = {"contact_hash": "hash of A", "channel": "email", "source": "unsubscribed", "at": NOW}
            session.add(Suppression(**opt_out))
            pause(session, "everything", "", NOW)
        sender.join()
    assert server.taken == []
    assert {message_of(sqlite_engine, one).status for one in "AB"} <= {"approved", "suppressed"}


def test_a_slow_mail_server_gets_what_nobody_stopped(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "FRESH_SECONDS", 1.0)
    add(sqlite_engine, "A", channel="email", provider="smtp")
    with mail_server() as server:
        server.slow["EHLO"] = 1.5
        smtp = smtp_settings(server, health=True, per_second=None)
        providers = settings.providers.model_copy(update={"smtp": smtp})
        deliver(sqlite_engine, settings.model_copy(update={"providers": providers}), Smtp(smtp, US))
    assert len(server.taken) == 1


# --- clocks that are wrong ---


def test_a_rate_used_up_by_a_clock_that_was_ahead_is_not_waited_for(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(Allowance(provider="lob", used_until=datetime.now(UTC) + days(800)))
    with writing(engine) as session:
        assert rates.allow(session, "lob", 5, 3, datetime.now(UTC)).count == 3


def test_a_sender_that_waits_for_a_rate_says_why(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "QUIET_SECONDS", 0.1)
    add(sqlite_engine, "A", "B")
    vendor, told = Vendor(), list[str]()
    vendor.per_second = 0.8
    deliver(sqlite_engine, settings, vendor, tell=told.append)
    assert vendor.taken == ["A", "B"]
    assert sum("waits for a slot" in line for line in told) == 1


def test_a_message_put_off_by_a_clock_that_was_ahead_goes_when_it_is_right(engine: Engine, settings: Settings) -> None:
    add(engine, "A", not_before=NOW + days(700), status_reason="busy")
    vendor = Vendor()
    deliver(engine, settings, vendor)
    assert vendor.taken == ["A"]


def test_a_sign_in_failed_under_a_clock_that_was_ahead_locks_nobody_out(engine: Engine) -> None:
    subjects = subjects_of(b"key", "maria", "192.0.2.1", "")
    with writing(engine) as session:
        for _ in range(5):
            count_try(session, subjects, NOW + days(700))
    with writing(engine) as session:
        count_try(session, subjects, NOW)


def test_payments_imported_under_a_clock_that_was_ahead_are_not_fresh_until_then(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(_import_at(NOW - days(3)))
        session.add(_import_at(NOW + days(700)))
    with reading(engine) as session:
        assert payments_read_at(session, NOW) == NOW - days(3)
        # Two machines a few minutes apart do not disagree.
        assert payments_read_at(session, NOW - days(3) - timedelta(minutes=5)) == NOW - days(3)


def _import_at(at: datetime) -> Import:
    return Import(at=at, file="payments.csv", table_name="payments", read=1, accepted=1, refused=0, complete=True)


def test_nothing_is_absent_before_the_vendors_own_clock_says_so(engine: Engine, settings: Settings) -> None:
    vendor = Vendor()
    vendor.answer = _fall_silent
    add(engine, "A")
    deliver(engine, settings, vendor)
    # Our clock was put ahead; theirs, in the answers to look-ups, says that a minute has passed.
    found = []
    for vendor.now in (NOW, NOW + timedelta(minutes=1), NOW + timedelta(hours=5)):
        found.append(track_open(engine, settings, lambda: NOW + days(1), providers={"outbox": vendor}).absent)
    assert found == [0, 0, 1]


def _fall_silent(handover: Handover) -> None:
    raise OutcomeUnknown("no answer")


def test_a_try_dated_by_a_clock_that_was_ahead_is_settled_all_the_same(engine: Engine, settings: Settings) -> None:
    vendor = Vendor()
    vendor.answer = _fall_silent
    add(engine, "A")
    deliver(engine, settings, vendor, NOW + days(2))
    found = []
    for hours in range(4):
        report = track_open(engine, settings, stopped_clock(NOW + hours * HOUR), providers={"outbox": vendor})
        found.append(report.absent)
    assert found == [0, 1, 0, 0]


def test_a_key_from_a_clock_that_was_ahead_is_never_taken_for_a_fresh_one(engine: Engine, settings: Settings) -> None:
    vendor = Vendor()
    vendor.key_life, vendor.answer = timedelta(hours=24), _fall_silent
    add(engine, "A")
    deliver(engine, settings, vendor, NOW + days(2))
    vendor.answer = lambda handover: None
    deliver(engine, settings, vendor)
    assert (vendor.taken, message_of(engine).status) == ([], "uncertain")


@trials(3)
@given(jumps=st.lists(st.sampled_from([-400, -2, -0.1, 0, 0.01, 0.2, 1, 2]), max_size=6), seed=st.integers(0, 99))
def test_however_the_clock_jumps_around_each_command_everybody_is_reached_once_and_nothing_hangs(
    jumping: Engine, settings: Settings, jumps: list[float], seed: int
) -> None:
    dice, vendor, names = random.Random(seed), Vendor(), ["J0", "J1", "J2"]
    with writing(jumping) as session:
        for table in (Attempt, Message, Decision):
            session.connection().execute(delete(table))
        for name in names:
            add_approved(session, name, send_on=TODAY - days(900))

    def answer(handover: Handover) -> None:
        if dice.random() < 0.5:
            raise dice.choice([NotSent("busy", timedelta(days=dice.choice([0, 0.5, 4000]))), OutcomeUnknown("?")])

    vendor.answer = answer
    for jump in jumps:
        at = NOW + timedelta(days=jump)
        deliver(jumping, settings, vendor, at)
        vendor.now = NOW
        track_open(jumping, settings, stopped_clock(at), providers={"outbox": vendor})
    vendor.answer = lambda handover: None
    for hour in (0, 2, 25, 27):
        # The clock is right from here on, and nothing that was put off waits for longer than a day of it.
        at = vendor.now = NOW + timedelta(hours=hour)
        track_open(jumping, settings, stopped_clock(at), providers={"outbox": vendor})
        deliver(jumping, settings, vendor, at)
    assert sorted(vendor.taken) == sorted(names)


@pytest.fixture(scope="module")
def jumping(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('jumps') / 'jumps.db'}")
    upgrade_database(engine)
    return engine


# --- what a sender was told, and could not write down ---


def _lose_database(*_: object) -> None:
    raise OperationalError("COMMIT", {}, Exception("server closed the connection"))


def test_what_providers_said_is_kept_beside_the_mark_when_the_database_is_gone_and_settled_first(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = settings.model_copy(update={"mode": "live", "start_on": TODAY - days(9)})
    add(engine, "A", "B", "C")
    vendor, told = Vendor(), list[str]()

    def refuse(handover: Handover) -> None:
        if handover.reference == "B":
            raise NotSent("busy")
        if handover.reference == "C":
            raise OutcomeUnknown("silence")

    vendor.answer = refuse
    with monkeypatch.context() as patched:
        patched.setattr(record_results.outbox, "record_taken", _lose_database)
        with pytest.raises(OperationalError):
            deliver(engine, live, vendor, tell=told.append)
    with reading(engine) as session:
        path = unsettled_file(live, session.get_one(Installation, 1).name or "")
    assert (path.stat().st_mode & 0o777, message_of(engine, "A").status) == (0o600, "sending")
    lines = [json.loads(line) for line in path.read_text().split("\n") if line]
    assert [(line["reference"], line["provider_id"], line["error"]) for line in lines] == [
        ("A", "their A.1", None), ("B", None, "NotSent"), ("C", None, "OutcomeUnknown"),
    ]  # fmt: skip
    assert not any(word in path.read_text() for word in ("Ada", "Elm", "hash of"))
    assert any("kept in" in line for line in told)
    vendor.answer = lambda handover: None
    deliver(engine, live, vendor)
    assert vendor.taken == ["A", "B"]
    assert [message_of(engine, name).status for name in "ABC"] == ["accepted", "accepted", "uncertain"]
    assert message_of(engine, "A").provider_id == "their A.1"
    assert path.read_text() == ""


def test_answers_kept_for_another_database_or_cut_off_by_a_crash_stay_where_they_are(
    engine: Engine, settings: Settings
) -> None:
    live = settings.model_copy(update={"mode": "live", "start_on": TODAY - days(9)})
    with writing(engine) as session:
        session.add(Installation(id=1, name="ours"))
    line = {
        "database": "theirs", "reference": "A", "number": 1, "tries": 1, "channel": "letter", "provider": "outbox",
        "owner": "s", "fence": 1, "provider_id": "x", "error": None, "after": None, "source": None,
    }  # fmt: skip
    kept = f'{json.dumps(line)}\n{json.dumps(line | {"database": "ours", "reference": "unknown"})}\n{{"database": "ou\n'
    path = unsettled_file(live, "ours")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(kept)
    add(engine, "A")
    vendor = Vendor()
    deliver(engine, live, vendor)
    assert vendor.taken == ["A"]
    assert path.read_text() == kept
