"""The sample practice: the same each time, plausible, and with every difficulty the demo is to show."""

import csv
import re
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from intake_data import import_folder
from outreach.clock import add_business_days
from outreach.contacts import normalise_phone
from outreach.database import reading
from outreach.demo.practice import PracticeSummary, write_practice
from outreach.models import Customer, Decision, Message, Moment
from outreach.moments import find_moments
from outreach.planning.knobs import overlay_knobs
from outreach.planning.run import plan_day
from outreach.settings import Settings


@pytest.fixture
def practice(tmp_path: Path) -> tuple[Path, PracticeSummary]:
    folder = tmp_path / "practice"
    return folder, write_practice(folder, TODAY, seed=7)


def test_the_same_day_and_seed_give_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        write_practice(tmp_path / name, TODAY, seed)
    texts = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two", "three")]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


@pytest.mark.parametrize(
    ("day", "seed"), [(TODAY, 7), (date(2028, 2, 29), 1), (date(2026, 12, 30), 2), (date(2027, 2, 28), 3)]
)
def test_any_day_of_the_year_is_rich_and_believable(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, day: date, seed: int
) -> None:
    assert len(write_practice(tmp_path, day, seed).customer_ids) >= 320
    # On the day itself: before it, what is dated until then would lie in the future.
    import_folder(sqlite_engine, tmp_path, settings, datetime.combine(day, time(15), UTC))
    with reading(sqlite_engine) as session:
        found = Counter(item.kind for item in find_moments(session, settings, day))
        soon = [day + timedelta(days=ahead) for ahead in range((add_business_days(day, 5) - day).days + 1)]
        ahead = sum(len(find_moments(session, settings, on, ["anniversary"])) for on in soon)
    assert 12 <= ahead <= 22
    assert 10 <= found["checkin"] <= 18
    assert 8 <= found["late_payment"] <= 16
    assert 6 <= found["referral_ask"] <= 10


def read(folder: Path, table: str) -> list[dict[str, str]]:
    """The rows of a table that are not refused on purpose."""
    with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if next(iter(row.values())) not in {"P99998", "V99999"}]


WHEN = {
    "treatments": "done_at",
    "visits": "starts_at",
    "invoices": "issued_on",
    "feedback": "given_at",
    "referrals": "made_on",
    "consents": "at",
    "flags": "from",
}


def test_nothing_lies_in_the_future_but_booked_visits(practice: tuple[Path, PracticeSummary]) -> None:
    said = [row[column] for table, column in WHEN.items() for row in read(practice[0], table)]
    said += [row["paid_on"] for row in read(practice[0], "payments")]
    booked = [row["starts_at"] for row in read(practice[0], "visits") if row["status"] == "booked"]
    late = sorted(day for day in said if day[:10] > TODAY.isoformat())
    assert late == sorted(booked)
    assert len(booked) > 20


def test_nothing_happens_before_someone_is_a_customer_or_on_a_sunday(practice: tuple[Path, PracticeSummary]) -> None:
    since = {row["customer_id"]: row["customer_since"] for row in read(practice[0], "customers")}
    for table, column in WHEN.items():
        early = [row for row in read(practice[0], table) if row[column][:10] < since[row["customer_id"]]]
        assert early == [], table
    visits = [datetime.fromisoformat(row["starts_at"]) for row in read(practice[0], "visits")]
    assert not any(visit.weekday() == 6 for visit in visits)


def test_people_are_plausible(practice: tuple[Path, PracticeSummary]) -> None:
    people = {row["customer_id"]: row for row in read(practice[0], "customers")}
    phones = [row["phone"] for row in people.values() if row["phone"]]
    assert len(set(phones)) == len(phones)
    assert all(re.fullmatch(r"\+1 \d{3} 555 01\d\d", phone) for phone in phones)
    emails = [row["email"] for row in people.values() if row["email"]]
    assert all(email.endswith(".example") for email in emails)
    assert 0.05 < sum(not row["email"] for row in people.values() if row["phone"]) / len(phones) < 0.25
    children = [row for row in people.values() if row["guardian_id"]]
    assert len(children) > 20
    for child in children:
        guardian = people[child["guardian_id"]]
        assert child["household_id"] == guardian["household_id"]
        assert int(child["born_on"][:4]) - int(guardian["born_on"][:4]) >= 15
    assert all(row["born_on"] <= row["customer_since"] for row in people.values())


def test_only_the_deliberate_rows_are_refused(
    sqlite_engine: Engine, settings: Settings, practice: tuple[Path, PracticeSummary]
) -> None:
    report = import_folder(sqlite_engine, practice[0], settings, NOW)
    assert {(row.file, row.column) for row in report.refusals} == {
        ("payments.csv", "paid_on"),
        ("visits.csv", "starts_at"),
    }
    assert report.ignored == {}
    with reading(sqlite_engine) as session:
        phones = [phone for phone in session.exec(select(Customer.phone)) if phone]
    assert all(normalise_phone(phone, "US") for phone in phones)


def test_the_day_is_rich_and_every_difficulty_is_held_for_its_reason(
    sqlite_engine: Engine, settings: Settings, practice: tuple[Path, PracticeSummary]
) -> None:
    folder, summary = practice
    import_folder(sqlite_engine, folder, settings, NOW)
    allowed = ["Filling", "Root canal", "Extraction", "Crown", "Deep cleaning"]
    wide = overlay_knobs(settings, "checkin", {"treatments": allowed})
    plan_day(sqlite_engine, wide, TODAY, NOW)
    with reading(sqlite_engine) as session:
        kinds = Counter(session.exec(select(Message.kind)))
        rows = session.exec(select(Moment.customer_id, Decision.rule).join(Decision)).all()
    assert kinds["anniversary"] >= 10
    assert kinds["checkin"] >= 8
    assert kinds["late_payment"] >= 4
    assert kinds["referral_ask"] >= 4
    held = {
        "opted out of letters": "no_channel",
        "withdrew consent to e-mail": "no_channel",
        "moved": "flag_moved",
        "bereaved": "flag_bereaved",
        "no postal code or e-mail": "no_channel",
        "hardship": "flag_hardship",
        "open complaint": "complaint",
        "minor without guardian": "no_guardian",
        "balance too small": "min_balance",
    }
    for story, rule in held.items():
        assert (summary.trouble[story], rule) in rows, story
    silent = {customer for customer, _ in rows}
    assert summary.trouble["died"] not in silent
    assert summary.trouble["disputed invoice"] not in silent
