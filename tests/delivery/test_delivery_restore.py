"""Restored backups, copied databases, second machines and marks that cannot be written: nothing goes twice."""

import itertools
import json
import shutil
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from approved import add_approved
from budget import IS_LONG
from conftest import NOW, TODAY
from ledger import Vendor
from outreach.clock import Clock, stopped_clock
from outreach.database import open_database, reading, writing
from outreach.delivery import last_check, sender
from outreach.delivery.providers import Handover, LookupResult
from outreach.delivery.recovery.restore_guard import find_restore, name_installation, raise_mark
from outreach.delivery.recovery.restore_marks import Mark, mark_file, read_mark, remember
from outreach.delivery.reports import DeliverReport
from outreach.delivery.sender import deliver_due
from outreach.errors import DatabaseError, MarkNotWritten, OutcomeUnknown
from outreach.models import Attempt, Installation, Message, Moment
from outreach.settings import Settings, load_settings
from outreach.settings.limits import HoursSettings
from outreach.tracking.events import record_event
from outreach.tracking.lookup import TrackReport, track_open

CLOCK = stopped_clock(NOW)
SENDERS = itertools.count()


@pytest.fixture
def live(settings: Settings) -> Settings:
    anytime = {"hours": HoursSettings(text="", regions={}), "mode": "live", "start_on": date(2020, 1, 1)}
    return settings.model_copy(update=anytime)


def machine(live: Settings, mark: Path) -> Settings:
    """The same installation on a machine that keeps its mark in `mark`."""
    return live.model_copy(update={"delivery": live.delivery.model_copy(update={"generation_file": mark})})


def later(**by: float) -> Clock:
    return stopped_clock(NOW + timedelta(**by))


def deliver(engine: Engine, settings: Settings, clock: Clock = CLOCK, **vendors: Vendor) -> DeliverReport:
    return deliver_due(engine, settings, clock, f"restored {next(SENDERS)}", providers=vendors)


def track(
    engine: Engine, settings: Settings, clock: Clock = CLOCK, after_restore: bool = False, **vendors: Vendor
) -> TrackReport:
    return track_open(engine, settings, clock, providers=vendors, after_restore=after_restore)


def add(engine: Engine, references: str, **changes: Any) -> None:
    long = {"useful_until": TODAY + timedelta(days=30), "channel": "text"} | changes
    with writing(engine) as session:
        for reference in references:
            add_approved(session, reference, **long)


def statuses(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        return {message.reference: message.status for message in session.exec(select(Message))}


def taken(vendor: Vendor) -> list[str]:
    return sorted(reference for reference, *_ in vendor.ledger)


def copy_to(engine: Engine, path: Path) -> Path:
    source, target = sqlite3.connect(engine.url.database or ""), sqlite3.connect(path)
    source.backup(target)
    source.close()
    target.close()
    return path


def restore(engine: Engine, backup: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        Path(f"{engine.url.database}{ending}").unlink(missing_ok=True)
    shutil.copy(backup, engine.url.database or "")


# --- which database this is ---


def test_a_backup_from_before_the_first_delivery_is_noticed_and_nothing_goes_twice(
    sqlite_engine: Engine, live: Settings, tmp_path: Path
) -> None:
    vendor = Vendor(keyed=True)
    name_installation(sqlite_engine, live, NOW)
    add(sqlite_engine, "ABCDEF")
    backup = copy_to(sqlite_engine, tmp_path / "backup.db")
    assert deliver(sqlite_engine, live, outbox=vendor).sent.total() == 6
    restore(sqlite_engine, backup)
    vendor.known_keys = {}
    with pytest.raises(DatabaseError, match="a backup has been restored"):
        deliver(sqlite_engine, live, later(hours=1), outbox=vendor)
    report = track(sqlite_engine, live, later(hours=1), after_restore=True, outbox=vendor)
    assert (report.doubted, report.found) == (6, 6)
    deliver(sqlite_engine, live, later(hours=9), outbox=vendor)
    assert taken(vendor) == list("ABCDEF")


def test_init_names_the_installation_and_writes_its_mark_where_no_restored_folder_brings_it_back(
    sqlite_engine: Engine, live: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    plain = live.model_copy(update={"delivery": load_settings().delivery, "mode": "rehearsal"})
    name_installation(sqlite_engine, plain, NOW)
    name_installation(sqlite_engine, plain, NOW + timedelta(days=1))
    with reading(sqlite_engine) as session:
        name = session.get_one(Installation, 1).name or ""
    path = tmp_path / "state" / "outreach" / f"{name}.generation"
    assert mark_file(plain, name) == path
    assert read_mark(path, name) == Mark(name, 1, read_mark(path, name).run, NOW)  # type: ignore[union-attr]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_state_directory_that_cannot_be_written_stops_no_rehearsal(sqlite_engine: Engine, live: Settings) -> None:
    nowhere = machine(live, Path("/proc/nowhere/mark"))
    name_installation(sqlite_engine, nowhere.model_copy(update={"mode": "rehearsal"}), NOW)
    with reading(sqlite_engine) as session:
        assert session.get(Installation, 1) is None
    with pytest.raises(MarkNotWritten, match="generation_file"):
        name_installation(sqlite_engine, nowhere, NOW)


def test_a_mark_of_an_earlier_version_is_understood(tmp_path: Path) -> None:
    (tmp_path / "mark").write_text('{"a": 7}')
    assert read_mark(tmp_path / "mark", "a") == Mark("a", 7)
    remember(tmp_path / "mark", Mark("a", 6))
    assert read_mark(tmp_path / "mark", "a") == Mark("a", 7)
    remember(tmp_path / "mark", Mark("a", 8, "run", NOW))
    assert read_mark(tmp_path / "mark", "a") == Mark("a", 8, "run", NOW)


def test_a_mark_written_over_a_longer_one_by_somebody_killed_in_between_is_read(tmp_path: Path) -> None:
    whole = json.dumps({"a": {"generation": 7, "run": "r", "at": None}})
    (tmp_path / "mark").write_text(whole + '": null}}')
    assert read_mark(tmp_path / "mark", "a") == Mark("a", 7, "r")


# --- what may have left ---


def test_what_is_planned_anew_the_day_after_the_restore_is_looked_up_whatever_its_run(
    sqlite_engine: Engine, live: Settings, tmp_path: Path
) -> None:
    vendor, batch = Vendor(keyed=False), "ABCDEFGHIJKL"
    name_installation(sqlite_engine, live, NOW - timedelta(hours=9))
    backup = copy_to(sqlite_engine, tmp_path / "backup.db")
    add(sqlite_engine, batch, occasion=str(TODAY))
    assert deliver(sqlite_engine, live, outbox=vendor).sent.total() == 12
    restore(sqlite_engine, backup)
    assert track(sqlite_engine, live, later(hours=2), after_restore=True, outbox=vendor).doubted == 0

    tomorrow = TODAY + timedelta(days=1)
    add(sqlite_engine, batch, occasion=str(TODAY), run_on=tomorrow, send_on=tomorrow)
    assert deliver(sqlite_engine, live, later(hours=20), outbox=vendor).uncertain == 12
    assert track(sqlite_engine, live, later(hours=21), outbox=vendor).found == 12
    assert taken(vendor) == list(batch)
    with reading(sqlite_engine) as session:
        since = {attempt.started_at for attempt in session.exec(select(Attempt))}
    # A look-up that goes by date begins before anything that the backup has forgotten.
    assert max(since) < NOW - timedelta(hours=9)


def test_what_nobody_can_have_found_by_the_day_of_the_restore_goes_as_ever(
    sqlite_engine: Engine, live: Settings, tmp_path: Path
) -> None:
    vendor = Vendor(keyed=False)
    backup = copy_to(sqlite_engine, tmp_path / "backup.db")
    name_installation(sqlite_engine, live, NOW)
    add(sqlite_engine, "A")
    deliver(sqlite_engine, live, outbox=vendor)
    restore(sqlite_engine, backup)
    name_installation(sqlite_engine, live, NOW)
    track(sqlite_engine, live, after_restore=True, outbox=vendor)
    week = TODAY + timedelta(days=7)
    add(sqlite_engine, "B", occasion=str(week), run_on=week, send_on=week)
    assert deliver(sqlite_engine, live, later(days=7, hours=1), outbox=vendor).sent == {"text": 1}


def test_a_moment_of_a_year_is_doubted_on_whatever_day_of_it_it_is_found_again(
    live: Settings,
) -> None:
    week = TODAY + timedelta(days=7)
    moment = Moment(
        moment_id="m", kind="thank_you", customer_id="c", occasion=str(week.year), occasion_on=week, found_on=week
    )
    surprise = Moment(**moment.model_dump() | {"kind": "surprise", "occasion": f"{week:%Y-%m}"})
    another = Moment(**moment.model_dump() | {"kind": "recovery", "occasion": "1834"})
    said = [last_check._was_there_by(TODAY, one, live) for one in (moment, surprise, another)]
    assert said == [True, True, False]


def test_what_would_go_by_another_provider_now_is_looked_up_at_the_one_that_carried_it(
    sqlite_engine: Engine, live: Settings, tmp_path: Path
) -> None:
    lob = live.providers.lob.model_copy(update={"health": True})
    live = live.model_copy(update={"providers": live.providers.model_copy(update={"lob": lob})})
    before, now = Vendor(keyed=True), Vendor(keyed=True)
    before.name, before.channels = "lob", frozenset({"letter"})
    name_installation(sqlite_engine, live, NOW)
    backup = copy_to(sqlite_engine, tmp_path / "backup.db")
    add(sqlite_engine, "A", channel="letter", provider="lob")
    deliver(sqlite_engine, live, outbox=now, lob=before)
    restore(sqlite_engine, backup)
    track(sqlite_engine, live, later(hours=1), after_restore=True, outbox=now, lob=before)
    add(sqlite_engine, "A", channel="text")
    deliver(sqlite_engine, live, later(hours=2), outbox=now, lob=before)
    assert track(sqlite_engine, live, later(hours=9), outbox=now, lob=before).found == 1
    assert (taken(before), taken(now)) == (["A"], [])
    with reading(sqlite_engine) as session:
        assert session.get_one(Message, "A").provider == "lob"


def test_a_report_on_what_a_backup_has_forgotten_proves_that_it_left(
    sqlite_engine: Engine, live: Settings, tmp_path: Path
) -> None:
    vendor = Vendor(keyed=True)
    name_installation(sqlite_engine, live, NOW)
    backup = copy_to(sqlite_engine, tmp_path / "backup.db")
    add(sqlite_engine, "A")
    deliver(sqlite_engine, live, outbox=vendor)
    restore(sqlite_engine, backup)
    track(sqlite_engine, live, later(hours=1), after_restore=True, outbox=vendor)
    add(sqlite_engine, "A")
    at = NOW + timedelta(hours=2)
    with writing(sqlite_engine) as session:
        assert record_event(session, "outbox", "e1", "delivered", at, at, "A", "v0", key="A.1") == "applied"
    assert statuses(sqlite_engine) == {"A": "delivered"}
    deliver(sqlite_engine, live, later(hours=3), outbox=vendor)
    assert taken(vendor) == ["A"]


# --- machines ---


def test_a_machine_that_had_nothing_to_send_notices_a_backup_as_the_one_that_sent_does(
    sqlite_engine: Engine, live: Settings, tmp_path: Path
) -> None:
    vendor, one, two = Vendor(keyed=True), machine(live, tmp_path / "one"), machine(live, tmp_path / "two")
    name_installation(sqlite_engine, one, NOW)
    shutil.copy(tmp_path / "one", tmp_path / "two")
    add(sqlite_engine, "ABCD")
    backup = copy_to(sqlite_engine, tmp_path / "backup.db")
    assert deliver(sqlite_engine, one, outbox=vendor).sent.total() == 4
    assert deliver(sqlite_engine, two, outbox=vendor).sent.total() == 0
    restore(sqlite_engine, backup)
    vendor.known_keys = {}
    with pytest.raises(DatabaseError, match="a backup has been restored"):
        deliver(sqlite_engine, two, later(hours=1), outbox=vendor)
    assert taken(vendor) == list("ABCD")


def test_once_a_restore_is_looked_after_on_one_machine_the_others_go_on_and_doubt_nothing_again(
    sqlite_engine: Engine, live: Settings, tmp_path: Path
) -> None:
    vendor, one, two = Vendor(keyed=True), machine(live, tmp_path / "one"), machine(live, tmp_path / "two")
    name_installation(sqlite_engine, one, NOW)
    shutil.copy(tmp_path / "one", tmp_path / "two")
    backup = copy_to(sqlite_engine, tmp_path / "backup.db")
    for number in range(3):
        add(sqlite_engine, f"{number}")
        deliver(sqlite_engine, two, outbox=vendor)
    restore(sqlite_engine, backup)
    track(sqlite_engine, one, later(hours=1), after_restore=True, outbox=vendor)
    week = TODAY + timedelta(days=7)
    add(sqlite_engine, "B", occasion=str(week), run_on=week, send_on=week)
    assert find_restore(sqlite_engine, two) == ""
    assert deliver(sqlite_engine, two, later(days=7), outbox=vendor).sent == {"text": 1}
    assert track(sqlite_engine, two, later(days=8), after_restore=True, outbox=vendor).doubted == 0


def test_of_two_copies_that_were_both_let_go_only_the_one_that_sent_last_goes_on(
    sqlite_engine: Engine, live: Settings, tmp_path: Path
) -> None:
    """Both count alike by then: only the names of the runs tell them apart."""
    vendor = Vendor(keyed=True)
    name_installation(sqlite_engine, live, NOW)
    add(sqlite_engine, "ABCD")
    copy = open_database(f"sqlite:///{copy_to(sqlite_engine, tmp_path / 'copy.db')}")
    deliver(sqlite_engine, live.model_copy(update={"daily_cap": 1}), outbox=vendor)
    track(copy, live, later(hours=1), after_restore=True, outbox=vendor)
    with writing(sqlite_engine) as session:
        session.get_one(Installation, 1).generation = 9
    with pytest.raises(DatabaseError, match="another copy of this database"):
        deliver(sqlite_engine, live, later(hours=2), outbox=vendor)
    for hours in (4, 5):
        deliver(copy, live, later(hours=hours), outbox=vendor)
        track(copy, live, later(hours=hours), outbox=vendor)
    assert taken(vendor) == list("ABCD")


# --- marks that cannot be written ---


@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "keyless"])
def test_a_mark_that_cannot_be_written_any_more_leaves_nothing_in_doubt(
    sqlite_engine: Engine, live: Settings, keyed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor, written = Vendor(keyed), itertools.count()
    add(sqlite_engine, "ABCDEFGHIJ")

    def fill_the_disk(path: Path, mark: Mark) -> None:
        raise MarkNotWritten(f"The mark cannot be written (no space), {next(written)}")

    with monkeypatch.context() as patched:
        patched.setattr(sender, "remember", fill_the_disk)
        with pytest.raises(MarkNotWritten):
            deliver(sqlite_engine, live, outbox=vendor)
    assert (next(written), taken(vendor), set(statuses(sqlite_engine).values())) == (1, [], {"approved"})
    with reading(sqlite_engine) as session:
        assert set(session.exec(select(Attempt.outcome))) == {"not_sent"}
    assert deliver(sqlite_engine, live, outbox=vendor).sent.total() == 10
    assert taken(vendor) == list("ABCDEFGHIJ")


def test_a_mark_that_cannot_be_written_from_the_beginning_touches_no_message(
    sqlite_engine: Engine, live: Settings, tmp_path: Path
) -> None:
    add(sqlite_engine, "AB")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DatabaseError, match="cannot be"):
        deliver(sqlite_engine, machine(live, tmp_path / "folder"), outbox=Vendor(keyed=False))
    with reading(sqlite_engine) as session:
        assert {(m.status, m.fence) for m in session.exec(select(Message))} == {("approved", 0)}
        assert session.exec(select(Attempt)).all() == []


# --- what look-ups say ---


class Telling(Vendor):
    """A vendor whose look-ups say more than whether it is there."""

    says: Callable[[], LookupResult] = LookupResult

    def find(self, handover: Handover) -> list[str]:
        return self.says()


@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "keyless"])
def test_what_was_cancelled_at_the_vendor_is_neither_there_nor_absent_and_is_not_sent_again(
    engine: Engine, live: Settings, keyed: bool
) -> None:
    vendor = Telling(keyed, ["dropped"] * 5)
    add(engine, "A", channel="letter")
    for _ in range(6):
        deliver(engine, live, outbox=vendor)
    vendor.says = lambda: LookupResult(cancelled=["v0"], at=NOW)
    report = track(engine, live, later(hours=9), outbox=vendor)
    assert (report.cancelled, report.absent, report.saved) == (1, 0, 0)
    with reading(engine) as session:
        message = session.get_one(Message, "A")
    assert (message.status, message.provider_id) == ("cancelled", "v0")
    assert message.status_reason == "it was cancelled at its provider, and is not sent again"
    deliver(engine, live, later(hours=10), outbox=vendor)
    assert taken(vendor) == ["A"]


def test_a_message_is_absent_by_the_providers_own_clock_however_ours_jumps(engine: Engine, live: Settings) -> None:
    vendor, theirs = Telling(False, ["lost"]), [NOW]
    vendor.says = lambda: LookupResult(at=theirs[0])
    add(engine, "A")
    deliver(engine, live, outbox=vendor)

    def ahead() -> datetime:
        return NOW + timedelta(hours=20)

    def look_up(**on: float) -> int:
        theirs[0] = NOW + timedelta(**on)
        return track_open(engine, live, ahead, providers={"outbox": vendor}).absent

    assert [look_up(seconds=1), look_up(minutes=1), look_up(hours=2)] == [0, 0, 0]
    assert look_up(hours=2, minutes=6) == 1


# --- the same form under the same key ---


class Comparing(Vendor):
    form = "one"

    def request_hash(self, handover: Handover) -> str:
        return f"{self.form} {handover.key} {handover.hold_until}"


def test_a_form_that_changed_is_looked_up_and_not_asked_for_again_under_its_key(engine: Engine, live: Settings) -> None:
    vendor = Comparing(True, ["dropped"])
    add(engine, "A", channel="letter")
    assert deliver(engine, live, outbox=vendor).again == 1
    vendor.form = "two"
    assert deliver(engine, live, later(minutes=1), outbox=vendor).uncertain == 1
    assert len(vendor.handovers) == 1
    assert track(engine, live, later(minutes=2), outbox=vendor).found == 1


def test_a_form_that_is_the_same_is_asked_for_again_under_its_key(engine: Engine, live: Settings) -> None:
    vendor = Comparing(True, ["dropped"])
    vendor.cancel_window = timedelta(hours=1)
    add(engine, "A", channel="letter")
    deliver(engine, live, outbox=vendor)
    assert deliver(engine, live, later(minutes=1), outbox=vendor).sent == {"letter": 1}
    assert [handover.key for handover in vendor.handovers] == ["A.1", "A.1"]
    assert taken(vendor) == ["A"]


def test_runs_that_begin_together_on_a_new_database_see_no_restore(engine: Engine, live: Settings) -> None:
    """The second to name it wrote a mark before its commit, and the first took that for a restore."""
    together = threading.Barrier(4)
    refusals: list[Exception] = []

    def run(_: int) -> None:
        together.wait()
        for _ in range(3):
            try:
                raise_mark(engine, live, NOW)
            except DatabaseError as error:
                refusals.append(error)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    with reading(engine) as session:
        assert session.get_one(Installation, 1).generation == 1
    assert refusals == []


# --- rates ---


@pytest.mark.longer
def test_no_second_holds_more_hand_overs_than_the_rate_however_long_the_attempts_take_to_begin(
    engine: Engine, live: Settings
) -> None:
    """Made up for, the turns of a slow beginning were a burst, and two senders' bursts met."""
    vendor, starts = Vendor(keyed=True), []
    vendor.per_second = 15

    def take(handover: Handover) -> str:
        starts.append(time.monotonic())
        raise OutcomeUnknown("no answer")

    vendor.send = take  # type: ignore[method-assign]
    add(engine, "".join(chr(code) for code in range(0x4E00, 0x4E00 + (40 if IS_LONG else 24))))

    def hold_up(point: str) -> None:
        if point == "begun":
            time.sleep(0.6)

    def send(number: int) -> None:
        for turn in range(3 if IS_LONG else 2):
            deliver_due(engine, live, CLOCK, f"s{number} {turn}", providers={"outbox": vendor}, at_point=hold_up)

    senders = [threading.Thread(target=send, args=(number,)) for number in range(3)]
    for one in senders:
        one.start()
    for one in senders:
        one.join()
    in_order = sorted(starts)
    assert len(in_order) > 15
    assert all(last - first >= 1 for first, last in zip(in_order, in_order[15:], strict=False))
