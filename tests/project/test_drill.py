"""The drill: how it counts, whether its vendors talk like the real ones, and small drills that pass or must fail."""

import hashlib
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text

from budget import IS_LONG
from conftest import TODAY
from outreach.clock import system_clock
from outreach.database import open_database
from outreach.delivery.providers import Handover, Provider, WebhookRequest
from outreach.delivery.providers import lob as real_lob
from outreach.delivery.providers import twilio as real_twilio
from outreach.delivery.recovery.restore_guard import name_installation
from outreach.drill import drill
from outreach.drill.backups import take_backup
from outreach.drill.database import make_database
from outreach.drill.drill import run_drill
from outreach.drill.ledger import LedgerTally, Line, Record, count, read_log
from outreach.drill.lob import read_multipart
from outreach.drill.messages import Feeder
from outreach.drill.options import LAG_SECONDS, DrillOptions, Plan, make_settings
from outreach.drill.postman import SPEECHES
from outreach.drill.result import DrillResult
from outreach.drill.senders import POINTS, Board
from outreach.drill.show import show_drill
from outreach.drill.vendors import FAULTS, SEARCH_FAULTS, Speech, Vendor, serve
from outreach.errors import DatabaseError, DeliveryError, NoAnswer, NotSent, OutcomeUnknown, Refused, WebhookRefused
from processes import PROCESSES

SENT_AT = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
LATER = SENT_AT + timedelta(seconds=5)


# How it counts.


def line_of(reference: str, provider_id: str = "v1", key: str = "", outcome: str = "taken") -> Line:
    return Line(SENT_AT.timestamp(), "lob", reference, key or f"{reference}.1", "none", outcome, provider_id, "bytes")


def record_of(status: str, provider_id: str | None = None, **known: Any) -> Record:
    return Record("A", status, provider_id, "bytes", **known)


def tally_of(record: Record, *lines: Line, tried_at: datetime = SENT_AT) -> LedgerTally:
    return count(lines, [record], {line.key: tried_at for line in lines})


def test_a_message_that_a_vendor_took_once_and_that_is_on_record_so_is_clean() -> None:
    for status in ("accepted", "delivered", "returned", "failed", "cancelled"):
        tally = tally_of(record_of(status, "v1"), line_of("A"))
        assert tally.is_clean, status
        assert (tally.messages, tally.accepted) == (1, 1)


def test_a_message_in_the_vendors_log_under_two_ids_is_doubled_whatever_our_tables_say() -> None:
    tally = tally_of(record_of("accepted", "v1"), line_of("A", "v1"), line_of("A", "v2", "A.2"))
    assert (tally.doubled, tally.accepted, tally.is_clean) == (["A"], 1, False)


def test_one_try_more_under_a_key_that_the_vendor_knows_is_no_second_message() -> None:
    assert tally_of(record_of("accepted", "v1"), line_of("A"), line_of("A", outcome="known")).is_clean


@pytest.mark.parametrize(
    "record",
    [
        record_of("accepted", "v1"),
        record_of("failed", "v1"),
        record_of("failed"),
        record_of("expired"),
        record_of("gone"),
        record_of("blocked"),
        record_of("suppressed"),
    ],
    ids=lambda record: f"{record.status} {record.provider_id or ''}",
)
def test_a_message_that_nobody_took_and_nothing_stopped_is_lost(record: Record) -> None:
    tally = tally_of(record)
    assert (tally.lost, tally.is_clean) == (["A"], False)


@pytest.mark.parametrize("status", ["approved", "sending"])
def test_a_message_that_is_still_on_its_way_is_waiting_and_not_lost(status: str) -> None:
    """A drill that ended on a busy machine called lost what the next run would have sent."""
    tally = tally_of(record_of(status))
    assert (tally.waiting, tally.lost, tally.is_clean) == (["A"], [], False)


def test_a_message_on_record_under_an_id_that_its_vendor_does_not_have_is_lost() -> None:
    assert tally_of(record_of("accepted", "another"), line_of("A", "v1")).lost == ["A"]


def test_what_was_refused_or_blocked_or_opted_out_for_a_reason_is_not_lost() -> None:
    assert tally_of(record_of("failed"), line_of("A", "", outcome="refused")).is_clean
    assert tally_of(record_of("blocked", is_tampered=True)).is_clean
    assert tally_of(record_of("suppressed", opted_out_at=SENT_AT)).is_clean


@pytest.mark.parametrize("status", ["uncertain", "needs_person"])
def test_what_is_still_uncertain_is_told_apart_from_what_is_lost(status: str) -> None:
    tally = tally_of(record_of(status), line_of("A"))
    assert (tally.uncertain, tally.lost, tally.denied, tally.is_clean) == (["A"], [], [], False)


@pytest.mark.parametrize("status", ["failed", "blocked", "suppressed", "approved"])
def test_a_message_that_was_taken_and_is_on_record_as_not_taken_is_denied(status: str) -> None:
    record = record_of(status, is_tampered=True, opted_out_at=LATER)
    assert tally_of(record, line_of("A"), line_of("A", "", outcome="refused")).denied == ["A"]


def test_a_try_begun_after_the_opt_out_is_late_even_where_the_vendors_clock_says_otherwise() -> None:
    record = record_of("accepted", "v1", opted_out_at=SENT_AT + timedelta(seconds=1))
    assert tally_of(record, line_of("A"), tried_at=LATER).after_opt_out == ["A"]
    assert tally_of(record, line_of("A"), tried_at=SENT_AT).is_clean


def test_without_a_record_of_the_try_the_vendors_own_time_counts() -> None:
    record = record_of("accepted", "v1", opted_out_at=SENT_AT - timedelta(seconds=1))
    assert count([line_of("A")], [record], {}).after_opt_out == ["A"]


def test_bytes_that_nobody_approved_and_messages_that_nobody_handed_in_are_noticed() -> None:
    changed = replace(line_of("A"), sha256="others")
    assert tally_of(record_of("accepted", "v1"), changed).unapproved == ["A"]
    assert count([line_of("B")], [], {}).unapproved == ["B"]


def test_a_log_is_read_line_by_line_and_never_half_a_line(tmp_path: Path) -> None:
    log = tmp_path / "lob.log"
    assert read_log(log) == ([], 0)
    whole, half = line_of("A").as_json() + "\n", line_of("B").as_json()
    log.write_text(whole + half[:20])
    assert read_log(log) == ([line_of("A")], len(whole))
    log.write_text(f"{whole}{half}\n")
    assert read_log(log, len(whole)) == ([line_of("B")], len(whole) + len(half) + 1)


# Whether its vendors talk like the real ones: the real adapters must understand them.


class Willing(Vendor):
    """Does what it is told to do next, and otherwise takes all it is given."""

    fault = "none"

    def draw(self, faults: Mapping[str, int]) -> str:
        assert self.fault in {*faults, "none"}
        return self.fault


def plan_for(tmp_path: Path, *vendors: str) -> Plan:
    return Plan(tmp_path, f"sqlite:///{tmp_path / 'drill.db'}", 1, vendors, False, 1)


@contextmanager
def talking_to(name: str, tmp_path: Path) -> Iterator[tuple[Willing, Any]]:
    """A simulated vendor, and the real adapter that is set up for it."""
    plan = plan_for(tmp_path, name)
    vendor = Willing(SPEECHES[name](), plan.log_of(name), 1)
    server = serve(vendor)
    module = {"lob": real_lob, "twilio": real_twilio}[name]
    carrier: Any = module.open_provider(make_settings(plan, {name: server.server_port}))
    try:
        yield vendor, carrier
    finally:
        carrier.close()
        server.shutdown()
        server.server_close()


@pytest.fixture(params=["lob", "twilio"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Willing, Any]]:
    with talking_to(request.param, tmp_path) as pair:
        yield pair


def handover_for(carrier: Provider, reference: str = "DRILL-000001", number: int = 1) -> Handover:
    address = {"streets": ["1 Elm St"], "city": "Burlington", "region": "VT", "postal_code": "05401", "country": "US"}
    return Handover(
        reference=reference,
        key=f"{reference}.{number}",
        channel=min(carrier.channels),
        recipient={"name": "Ada", "phone": "+18025550001", **address},
        content=f"%PDF of\r\n{reference}".encode(),
        media_type="application/pdf",
        on=TODAY,
        batch_id="B1",
        begun_at=system_clock(),
    )


def lines_of(vendor: Vendor) -> list[Line]:
    return read_log(vendor.log)[0]


def test_a_vendor_takes_what_the_real_adapter_sends_and_writes_it_down(pair: tuple[Willing, Any]) -> None:
    vendor, carrier = pair
    handover = handover_for(carrier)
    provider_id = carrier.send(handover)
    (line,) = lines_of(vendor)
    assert (line.outcome, line.provider_id) == ("taken", provider_id)
    assert (line.reference, line.key) == (handover.reference, handover.key)
    assert line.sha256 == hashlib.sha256(handover.content).hexdigest()


def test_the_one_with_keys_takes_a_key_once_and_the_one_without_takes_all(pair: tuple[Willing, Any]) -> None:
    vendor, carrier = pair
    first, again = carrier.send(handover_for(carrier)), carrier.send(handover_for(carrier))
    assert (first == again) is vendor.speech.keyed is bool(carrier.key_life)
    assert [line.outcome for line in lines_of(vendor)] == ["taken", "known" if vendor.speech.keyed else "taken"]


@pytest.mark.parametrize(
    ("fault", "known", "outcome"),
    [
        ("taken, then dropped", OutcomeUnknown, "taken"),
        ("taken, then silence", OutcomeUnknown, "taken"),
        ("taken, then 500", OutcomeUnknown, "taken"),
        ("taken late", OutcomeUnknown, "taken"),
        ("500", OutcomeUnknown, "nothing"),
        ("silence", OutcomeUnknown, "nothing"),
        ("dropped", OutcomeUnknown, "nothing"),
        ("429", NotSent, "nothing"),
        ("refused", Refused, "refused"),
    ],
)
def test_each_fault_leaves_the_real_adapter_with_what_it_can_know(
    pair: tuple[Willing, Any], fault: str, known: type[DeliveryError], outcome: str
) -> None:
    vendor, carrier = pair
    vendor.fault = fault
    with pytest.raises(known):
        carrier.send(handover_for(carrier))
    wait_for(lambda: [line.outcome for line in lines_of(vendor)] == [outcome])


def test_every_fault_is_one_that_the_tests_know() -> None:
    assert sum(FAULTS.values()) == sum(SEARCH_FAULTS.values()) == 100
    assert {*FAULTS} == {
        "none", "taken, then dropped", "taken, then silence", "taken, then 500", "taken late", "500", "silence",
        "dropped", "429", "refused",
    }  # fmt: skip


def wait_for(is_true: Callable[[], bool]) -> None:
    for _ in range(6_000):
        if is_true():
            return
        time.sleep(0.01)
    pytest.fail("it did not happen within a minute")


def test_a_look_up_finds_what_was_taken_once_the_search_has_caught_up(pair: tuple[Willing, Any]) -> None:
    _, carrier = pair
    handover = handover_for(carrier)
    assert carrier.find(handover) == []
    provider_id = carrier.send(handover)
    assert carrier.find(handover) == []
    time.sleep(LAG_SECONDS + 0.05)
    assert carrier.find(handover) == [provider_id]


@pytest.mark.parametrize("fault", [fault for fault in SEARCH_FAULTS if fault != "none"])
def test_a_search_that_is_down_proves_nothing(pair: tuple[Willing, Any], fault: str) -> None:
    vendor, carrier = pair
    vendor.fault = fault
    with pytest.raises(NoAnswer):
        carrier.find(handover_for(carrier))


def test_its_webhooks_are_understood_and_their_forgeries_are_not(pair: tuple[Willing, Any]) -> None:
    vendor, carrier = pair
    provider_id = carrier.send(handover_for(carrier))
    (line,) = lines_of(vendor)
    reports = [report for call in webhooks_of(vendor.speech, line) for report in carrier.parse_events(call)]
    assert [report.kind for report in reports][:2] == ["accepted", "in_transit"]
    assert reports[2].kind in {"delivered", "returned", "failed"}
    assert {(r.provider_id, r.reference, r.key) for r in reports} == {(provider_id, line.reference, line.key)}
    assert len({report.event_id for report in reports}) == 3

    (genuine, *_) = webhooks_of(vendor.speech, line)
    with pytest.raises(WebhookRefused):
        carrier.parse_events(replace(genuine, body=genuine.body + b"&"))


def webhooks_of(speech: Speech, line: Line) -> list[WebhookRequest]:
    calls = speech.webhooks(line, random.Random(1))
    return [
        WebhookRequest(
            call.url, {name.lower(): value for name, value in call.headers.items()}, call.body, system_clock()
        )
        for call in calls
    ]


def test_a_letter_keeps_its_line_ends_on_the_way_through_a_form() -> None:
    body = (
        b'--xx\r\nContent-Disposition: form-data; name="metadata[key]"\r\n\r\nA.1\r\n'
        b'--xx\r\nContent-Disposition: form-data; name="file"; filename="A.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n%PDF\r\n\n\r\r\n\r\n--xx--\r\n"
    )
    fields = read_multipart("multipart/form-data; boundary=xx", body)
    assert fields == {"metadata[key]": b"A.1", "file": b"%PDF\r\n\n\r\r\n"}


def test_two_requests_with_one_key_at_once_make_one_letter(tmp_path: Path) -> None:
    with talking_to("lob", tmp_path) as (vendor, carrier):
        ids: list[str] = []
        threads = [threading.Thread(target=lambda: ids.append(carrier.send(handover_for(carrier)))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ids) == 8
        assert len(set(ids)) == 1
        assert [line.outcome for line in lines_of(vendor)].count("taken") == 1


# What a drill may touch.


def test_no_setting_or_secret_of_the_users_own_reaches_a_drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('[providers]\nemail = "sendgrid"\n[providers.lob]\nurl = "https://api.lob.com/v1"\n')
    monkeypatch.setenv("OUTREACH_CONFIG", str(mine))
    monkeypatch.setenv("OUTREACH_PROVIDERS__SENDGRID__API_KEY", "a real key")
    monkeypatch.setenv("OUTREACH_PROVIDERS__LOB__API_KEY", "a real key")
    settings = make_settings(plan_for(tmp_path, "lob", "twilio"), {"lob": 1, "twilio": 2})
    assert "a real key" not in json.dumps(settings.model_dump(mode="json"))
    assert settings.providers.lob.api_key is not None
    assert settings.providers.lob.api_key.get_secret_value() == "test_drill"
    assert (settings.providers.email, settings.providers.sendgrid.api_key) == ("outbox", None)
    assert settings.providers.lob.url == "http://127.0.0.1:1/v1"
    assert settings.providers.twilio.url == "http://127.0.0.1:2"


def test_a_database_file_that_is_there_already_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "mine.db"
    mine.write_bytes(b"mine")
    with pytest.raises(DatabaseError, match="name a new file"):
        run_drill(DrillOptions(kills=1, database=f"sqlite:///{mine}"))
    assert mine.read_bytes() == b"mine"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_on_postgresql_it_has_a_schema_of_its_own_and_takes_it_away_again(engine: Engine, tmp_path: Path) -> None:
    ours = set(inspect(engine).get_table_names())
    url = engine.url.render_as_string(hide_password=False)
    database = make_database(url, tmp_path)
    inside = inspect(open_database(database.url))
    assert inside.default_schema_name == database.schema
    assert set(inside.get_table_names()) == ours
    database.drop()
    assert not [name for name in inspect(open_database(url)).get_schema_names() if name.startswith("outreach_drill")]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM public.messages")).scalar_one() == 0


def test_a_plan_reaches_the_other_processes_whole(tmp_path: Path) -> None:
    plan = plan_for(tmp_path, "lob", "twilio")
    assert Plan.from_json(plan.as_json()) == plan


def test_the_board_holds_a_sender_at_the_point_where_it_is_awaited(tmp_path: Path) -> None:
    board = Board(tmp_path / "board", 2)
    board.await_at(1, "settling")
    sender = PROCESSES.Process(target=walk, args=(tmp_path / "board", 1))
    sender.start()
    wait_for(lambda: board.where(1) == "settling")
    time.sleep(0.1)
    assert (board.where(0), board.where(1), board.is_over) == ("starting", "settling", False)
    board.await_at(1, "starting")
    sender.join(10)
    assert (sender.exitcode, board.where(1)) == (0, "idle")


def walk(path: Path, sender: int) -> None:
    board = Board(path, 2)
    for point in POINTS:
        board.stand(sender, point)


# Drills, small ones. `make drill` holds the large ones.

# What the databases do differently when a sender is killed, test_delivery_crashes.py asks of both.
both_databases = pytest.mark.parametrize(
    "database_url",
    [pytest.param("sqlite", marks=pytest.mark.longer), pytest.param("postgresql", marks=pytest.mark.drill)],
    indirect=True,
)


@pytest.fixture(scope="module")
def naive() -> DrillResult:
    return run_drill(DrillOptions(kills=6 if IS_LONG else 4, naive=True))


@pytest.fixture
def handed_in(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many messages are handed in at once: each is a hand-over with its faults, time-outs and look-ups."""
    if not IS_LONG:
        monkeypatch.setattr(drill, "FEW", 15)
        monkeypatch.setattr(drill, "FED", 20)
    return drill.FED


@both_databases
def test_a_small_drill_with_both_vendors_passes_on_both_databases(database_url: str, handed_in: int) -> None:
    told: list[str] = []
    database = database_url if database_url.startswith("postgresql") else None
    kills = 8 if IS_LONG or database else 4
    result = run_drill(DrillOptions(kills=kills, seed=3, database=database), told.append)
    assert result.passed, (result.tally, result.fell_over)
    assert result.killed.total() + result.stopped.total() == kills
    assert result.tally.messages >= handed_in
    # Where hardly any message was taken, one send each would be no feat.
    assert result.tally.accepted > result.tally.messages / 2
    assert result.webhooks["genuine, answered 200"] > 10
    assert not [name for name in result.webhooks if name.startswith("forged") and name != "forged, answered 401"]
    assert told
    assert result.folder is None


# In `make test`, test_delivery_restore.py holds what is promised of restored backups and of clocks that jump.
@pytest.mark.drill
def test_a_small_drill_with_restored_backups_and_jumping_clocks_passes(database_url: str) -> None:
    database = database_url if database_url.startswith("postgresql") else None
    result = run_drill(DrillOptions(kills=6, seed=5, database=database, restore=True, clocks=True))
    assert result.passed, (result.tally, result.fell_over, result.unnoticed)
    assert (result.restores, result.unnoticed) == (2, 0)
    assert result.tally.accepted > result.tally.messages / 2


def test_a_backup_of_either_database_is_put_back_whole(engine: Engine, tmp_path: Path) -> None:
    plan = plan_for(tmp_path, "lob")
    settings = make_settings(plan, {"lob": 1})
    feeder = Feeder(engine, settings, ["lob"], random.Random(1))
    feeder.feed(3)
    name_installation(engine, settings, system_clock())
    backup = take_backup(engine, tmp_path / "backup.db")
    feeder.feed(2)
    feeder.opt_out()
    assert len(feeder.records()) == 5
    backup.restore()
    assert [record.status for record in feeder.records()] == ["approved"] * 3 + ["gone"] * 2
    feeder.bring_do_not_contact()
    assert feeder.plan_again() == 2
    assert {record.status for record in feeder.records()} == {"approved"}


def test_a_senders_clock_is_set_for_that_sender_alone(tmp_path: Path) -> None:
    board = Board(tmp_path / "board", 2)
    Board(tmp_path / "board", 2).set_clock(1, -3600.0)
    assert abs(board.clock_of(0)() - system_clock()) < timedelta(minutes=1)
    assert abs(board.clock_of(1)() + timedelta(hours=1) - system_clock()) < timedelta(minutes=1)


def test_time_that_ran_out_is_told_from_what_was_lost(naive: DrillResult, capsys: pytest.CaptureFixture[str]) -> None:
    nothing: dict[str, list[str]] = {name: [] for name in ("doubled", "lost", "uncertain", "denied", "unapproved")}
    clean = replace(naive.tally, **nothing, waiting=["A"], after_opt_out=[])
    options = replace(naive.options, naive=False)
    slow = replace(naive, options=options, tally=clean, fell_over=0, slow=True)
    show_drill(slow, as_json=False)
    assert "Not decided" in capsys.readouterr().out
    assert not slow.passed
    show_drill(replace(slow, slow=False), as_json=False)
    assert "Failed" in capsys.readouterr().out


@pytest.mark.longer
def test_a_general_retry_sends_many_messages_twice_and_the_drill_says_so(naive: DrillResult) -> None:
    assert not naive.passed
    assert len(naive.tally.doubled) > 3


def test_a_failed_drill_prints_what_was_doubled_and_which(
    naive: DrillResult, capsys: pytest.CaptureFixture[str]
) -> None:
    show_drill(naive, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["passed"] is False
    assert said["more_than_once"] == len(said["which"]["more_than_once"]) == len(naive.tally.doubled)
    assert said["messages"] == naive.tally.messages == sum(said["statuses"].values())
    show_drill(naive, as_json=False)
    table = capsys.readouterr().out
    doubled = next(line.split() for line in table.splitlines() if line.startswith("accepted more than once"))
    assert doubled[4:6] == [str(len(naive.tally.doubled)), "0"]
    assert doubled[6].rstrip(",") == naive.tally.doubled[0]
    assert "Failed" in table
