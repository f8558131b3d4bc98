"""The sample practice: the same each time, plausible, and with every difficulty the demo is to show."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from outreach.database import reading
from outreach.demo.practice import PracticeSummary, write_practice
from outreach.intake import import_folder
from outreach.intake.contacts import normalise_phone
from outreach.models import Customer, Decision, Message, Moment
from outreach.planning import plan_day
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


@pytest.mark.parametrize("day", [date(2024, 2, 29), date(2026, 1, 1), date(2026, 12, 31), date(2027, 2, 28)])
def test_any_day_of_the_year_makes_a_practice(tmp_path: Path, day: date) -> None:
    assert len(write_practice(tmp_path, day, seed=1).customer_ids) >= 320


def test_only_the_deliberate_rows_are_refused(
    sqlite_engine: Engine, settings: Settings, practice: tuple[Path, PracticeSummary]
) -> None:
    report = import_folder(sqlite_engine, practice[0], settings, NOW)
    assert {(row.file, row.column) for row in report.refusals} == {
        ("payments.csv", "paid_on"),
        ("visits.csv", "starts_at"),
    }
    with reading(sqlite_engine) as session:
        phones = [phone for phone in session.exec(select(Customer.phone)) if phone]
    assert all(normalise_phone(phone, "US") for phone in phones)


def test_the_day_is_rich_and_every_difficulty_is_held_for_its_reason(
    sqlite_engine: Engine, settings: Settings, practice: tuple[Path, PracticeSummary]
) -> None:
    folder, summary = practice
    import_folder(sqlite_engine, folder, settings, NOW)
    allowed = settings.moments.checkin.model_copy(
        update={"treatments": ["Filling", "Root canal", "Extraction", "Crown", "Deep cleaning"]}
    )
    wide = settings.model_copy(update={"moments": settings.moments.model_copy(update={"checkin": allowed})})
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
