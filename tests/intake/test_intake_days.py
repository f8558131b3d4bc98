"""Days that cannot be meant: read as what they mean, or not at all, and no customer is lost for one of them."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from intake_data import import_folder, only, stored, write
from outreach.intake.cells.calendar_days import BEGINNING, BIRTH, DAY, PAST_DAY, DayCheck
from outreach.intake.cells.parsers import Style
from outreach.intake.cells.unfit import NoDay, Unfit
from outreach.intake.mapping.files import read_mapping
from outreach.intake.reports import ImportReport
from outreach.models import Consent, Customer, Flag, Payment, Treatment
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)
STYLE = Style("America/New_York", "USD", ("MM/DD/YY", "DD.MM.YYYY"), today=TODAY)
PERSON = ["customer_id", "customer_since", "born_on", "died_on"]


def take(engine: Engine, settings: Settings, folder: Path, name: str, *rows: list[str]) -> ImportReport:
    write(folder, name, *rows)
    return import_folder(engine, folder, settings, NOW)


@pytest.mark.parametrize(
    ("column", "written"),
    [
        ("born_on", "2027-01-01"), ("born_on", "1900-01-01"), ("born_on", "1899-12-30"), ("born_on", "0000-00-00"),
        ("born_on", "2026-02-30"), ("born_on", "0001-01-01"), ("born_on", "9999-12-31"), ("born_on", "1905-05-05"),
        ("customer_since", "1926-03-10"), ("customer_since", "2026-05-01"), ("customer_since", "1970-01-01"),
        ("customer_since", "1753-01-01T00:00:00Z"), ("died_on", "9999-12-31"), ("died_on", "1900-01-01"),
        ("died_on", "0001-01-01T00:00:00"),
    ],
)  # fmt: skip
def test_a_day_that_cannot_be_leaves_its_cell_empty_and_the_customer_comes_in(
    engine: Engine, settings: Settings, tmp_path: Path, column: str, written: str
) -> None:
    rows = ["customer_id", column], ["c1", written]
    report = take(engine, settings, tmp_path, "customers.csv", *rows)
    assert (report.read, report.accepted, report.refused) == (1, 1, 0)
    assert getattr(only(engine, Customer), column) is None
    (note,) = report.notes
    assert (note.file, note.column, note.rows) == ("customers.csv", column, 1)
    assert written not in note.reason
    assert any(note.reason in remark for remark in report.remarks)


def test_a_beginning_before_birth_is_none_and_one_on_the_day_of_birth_is(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    rows = [["c1", "1970-03-26", "1991-05-05", ""], ["c2", "1991-05-05", "1991-05-05", ""]]
    take(sqlite_engine, settings, tmp_path, "customers.csv", PERSON, *rows)
    assert [row.customer_since for row in stored(sqlite_engine, Customer)] == [None, date(1991, 5, 5)]


def test_a_death_ahead_of_today_is_kept(sqlite_engine: Engine, settings: Settings, tmp_path: Path) -> None:
    take(sqlite_engine, settings, tmp_path, "customers.csv", PERSON, ["c1", "", "", "2026-12-01"])
    assert only(sqlite_engine, Customer).died_on == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("check", "written", "meant"),
    [
        (BIRTH, "05/03/62", date(1962, 5, 3)), (BIRTH, "05/03/19", date(2019, 5, 3)),
        (BIRTH, "0062-05-03", date(1962, 5, 3)), (BIRTH, "02/29/00", date(2000, 2, 29)),
        (BEGINNING, "03/25/68", date(1968, 3, 25)), (BEGINNING, "0021-03-25", date(2021, 3, 25)),
        (PAST_DAY, "03/09/26", date(2026, 3, 9)), (PAST_DAY, "12/31/26", date(1926, 12, 31)),
        (DAY, "04/01/27", date(2027, 4, 1)), (DAY, "04/01/99", date(1999, 4, 1)),
    ],
)  # fmt: skip
def test_a_year_of_two_digits_is_the_one_that_can_be_meant(check: DayCheck, written: str, meant: date) -> None:
    assert check(written, STYLE) == meant


@given(st.dates(date(1907, 1, 1), TODAY))
def test_a_birthday_of_two_digits_is_never_after_today_and_keeps_month_and_day(day: date) -> None:
    written = f"{day.month:02}/{day.day:02}/{day.year % 100:02}"
    try:
        read = BIRTH(written, STYLE)
    except NoDay:
        # 29 February of a year that is no leap year in the one century that is left.
        assert (day.month, day.day) == (2, 29)
        return
    assert read is not None
    assert read <= date(2026, 3, 11)
    assert (read.month, read.day, read.year % 100) == (day.month, day.day, day.year % 100)


@pytest.mark.parametrize(
    "written",
    ["2019-03-25T00:00:00Z", "2019-03-25T00:00:00+00:00", "2019-03-25T00:00:00.000Z", "2019-03-25T00:00:00.000+00:00",
     "2019-03-25 00:00:00", "2019-03-25T04:00:00Z", "2019-03-25T00:00:00+01:00"],
)  # fmt: skip
def test_midnight_in_a_column_that_holds_a_day_is_the_day_that_is_written(written: str) -> None:
    assert BEGINNING(written, STYLE) == date(2019, 3, 25)


def test_a_payment_after_today_is_refused_for_nobody_knows_when_it_came(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    head = ["payment_id", "invoice_id", "paid_on", "amount"]
    rows = [["p1", "k1", "2026-03-10", "5"], ["p2", "k1", "2027-03-09", "5"], ["p3", "k1", "1900-01-01", "5"]]
    report = take(sqlite_engine, settings, tmp_path, "payments.csv", head, *rows)
    assert [(row.line, row.column) for row in report.refusals] == [(3, "paid_on"), (4, "paid_on")]
    assert only(sqlite_engine, Payment).payment_id == "p1"


def test_defaults_mean_no_end_and_ever_since_where_that_is_what_they_say(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    take(sqlite_engine, settings, tmp_path, "flags.csv", ["customer_id", "kind", "from", "until"],
         ["c1", "do_not_mail", "0001-01-01", "9999-12-31"])  # fmt: skip
    assert (only(sqlite_engine, Flag).from_on, only(sqlite_engine, Flag).until_on) == (date(1900, 1, 1), None)
    take(sqlite_engine, settings, tmp_path, "consents.csv",
         ["customer_id", "channel", "purpose", "state", "at", "expires_at"],
         ["c1", "email", "marketing", "withdrawn", "1753-01-01", "9999-12-31"])  # fmt: skip
    assert (only(sqlite_engine, Consent).at.year, only(sqlite_engine, Consent).expires_at) == (1900, None)


def test_a_promise_that_is_a_default_is_none(sqlite_engine: Engine, settings: Settings, tmp_path: Path) -> None:
    head = ["treatment_id", "customer_id", "done_at", "promised_at"]
    take(sqlite_engine, settings, tmp_path, "treatments.csv", head, ["t1", "c1", "2026-03-01", "1900-01-01"])
    assert only(sqlite_engine, Treatment).promised_at is None


def test_a_column_in_an_unknown_format_is_refused_and_not_emptied() -> None:
    with pytest.raises(Unfit) as caught:
        BIRTH("May the 3rd", STYLE)
    assert not isinstance(caught.value, NoDay)


def test_two_digit_years_come_in_through_a_mapping(sqlite_engine: Engine, settings: Settings, tmp_path: Path) -> None:
    write(tmp_path / "in", "people.csv", ["no", "born"], ["c1", "03.05.62"])
    (tmp_path / "m.toml").write_text(
        '[[file]]\nname = "people.csv"\ndates = "DD.MM.YY"\n[[file.table]]\ninto = "customers"\n'
        '[file.table.columns]\ncustomer_id = "no"\nborn_on = "born"\n', encoding="utf-8")  # fmt: skip
    import_folder(sqlite_engine, tmp_path / "in", settings, NOW, read_mapping(tmp_path / "m.toml"))
    assert only(sqlite_engine, Customer).born_on == date(1962, 5, 3)


@pytest.mark.parametrize("days", [["2026-02-01", ""], ["", "2026-02-01"], ["2026-02-01", "2026-02-20"]])
def test_of_two_rows_of_one_customer_in_one_file_none_brings_anybody_back_to_life(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, days: list[str]
) -> None:
    write(tmp_path, "customers.csv", PERSON, *(["c1", "2020-01-01", "", day] for day in days))
    import_folder(sqlite_engine, tmp_path, settings, NOW)
    assert only(sqlite_engine, Customer).died_on == date(2026, 2, 1)
