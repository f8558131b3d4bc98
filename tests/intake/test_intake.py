"""The first room: files in our columns, checked cell by cell, stored once, each refusal explained."""

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import select

from intake_data import Take, import_folder, only, refusal_of, stored, write
from outreach.clock import business_date
from outreach.database import writing
from outreach.errors import SourceUnreadable
from outreach.intake.cells.parsers import Style, amount, day, instant, to_minor_units
from outreach.intake.cells.unfit import Unfit
from outreach.intake.dates import reading_dated, redate
from outreach.intake.headers import TABLES
from outreach.models import (
    Consent,
    Customer,
    Feedback,
    Flag,
    Import,
    Installation,
    Invoice,
    Payment,
    Refusal,
    Suppression,
    Treatment,
    Visit,
)
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
BILL = "invoice_id,customer_id,issued_on,due_on,amount"
NEW_YORK = Style("America/New_York", "USD")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def take(sqlite_engine: Engine, settings: Settings, data: Path) -> Take:
    """Imports the data folder."""
    return lambda mapping=None: import_folder(sqlite_engine, data, settings, NOW, mapping)


def fill_every_table(folder: Path) -> None:
    write(folder, "customers.csv", ["customer_id", "given_name", "customer_since"], ["c1", "Zoë", "2020-02-29"])
    write(folder, "treatments.csv", ["treatment_id", "customer_id", "done_at"], ["t1", "c1", "2026-03-07T23:30"])
    write(
        folder, "visits.csv", ["visit_id", "customer_id", "starts_at", "status"], ["v1", "c1", "2026-03-08", "No show"]
    )
    write(
        folder,
        "invoices.csv",
        ["invoice_id", "customer_id", "issued_on", "due_on", "amount"],
        ["0017", "c1", "2026-01-01", "2026-02-01", "55.94"],
    )
    write(
        folder, "payments.csv", ["payment_id", "invoice_id", "paid_on", "amount"], ["p1", "0017", "2026-02-03", "55.9"]
    )
    write(folder, "feedback.csv", ["feedback_id", "customer_id", "given_at", "kind", "score", "text"],
          ["f1", "c1", "2026-03-01T04:00Z", "score", "9", "Kind\nand quick"])  # fmt: skip
    write(folder, "referrals.csv", ["referral_id", "customer_id", "made_on"], ["r1", "c1", "2026-01-05"])
    write(folder, "consents.csv", ["customer_id", "channel", "purpose", "state", "at"],
          ["c1", "email", "marketing", "granted", "2026-01-05"])  # fmt: skip
    write(folder, "flags.csv", ["customer_id", "kind", "from", "until"], ["c1", "do-not-mail", "2026-01-01", ""])


# What is taken in


def test_every_table_is_filled_from_its_file_on_both_databases(engine: Engine, settings: Settings, data: Path) -> None:
    fill_every_table(data)
    report = import_folder(engine, data, settings, NOW)
    assert [(count.table, count.read, count.accepted, count.refused) for count in report.files] == [
        (name, 1, 1, 0) for name in TABLES
    ]
    assert only(engine, Customer).given_name == "Zoë"
    assert only(engine, Treatment).done_at == datetime(2026, 3, 8, 4, 30, tzinfo=UTC)
    assert only(engine, Treatment).done_on == date(2026, 3, 7)
    assert only(engine, Visit).status == "no_show"
    assert (only(engine, Invoice).invoice_id, only(engine, Invoice).amount) == ("0017", 5594)
    assert only(engine, Payment).amount == 5590
    assert only(engine, Feedback).given_on == date(2026, 2, 28)
    assert only(engine, Feedback).text == "Kind\nand quick"
    assert only(engine, Consent).at == datetime(2026, 1, 5, 5, 0, tzinfo=UTC)
    assert (only(engine, Flag).kind, only(engine, Flag).from_on, only(engine, Flag).until_on) == (
        "do_not_mail", date(2026, 1, 1), None)  # fmt: skip


def test_importing_the_same_files_again_changes_nothing(engine: Engine, settings: Settings, data: Path) -> None:
    fill_every_table(data)
    tables = (Customer, Treatment, Visit, Invoice, Payment, Feedback, Consent, Flag)
    import_folder(engine, data, settings, NOW)
    before = [[row.model_dump() for row in stored(engine, table)] for table in tables]
    import_folder(engine, data, settings, NOW + timedelta(days=1))
    assert [[row.model_dump() for row in stored(engine, table)] for table in tables] == before


def test_only_ids_and_what_a_table_is_about_are_required(take: Take, data: Path, sqlite_engine: Engine) -> None:
    write(data, "customers.csv", ["customer_id"], ["c1"])
    write(data, "visits.csv", ["visit_id", "customer_id", "starts_at"], ["v1", "c1", "2026-01-01"])
    assert take().refused == 0
    assert only(sqlite_engine, Customer).given_name is None
    assert only(sqlite_engine, Visit).status is None


def test_a_column_the_file_does_not_have_keeps_what_is_stored(take: Take, data: Path, sqlite_engine: Engine) -> None:
    write(data, "customers.csv", ["customer_id", "phone", "city"], ["c1", "+18025550101", "Burlington"])
    take()
    write(data, "customers.csv", ["customer_id", "city"], ["c1", ""])
    take()
    assert (only(sqlite_engine, Customer).phone, only(sqlite_engine, Customer).city) == ("+18025550101", None)


def test_of_two_rows_with_one_id_the_later_stands(engine: Engine, settings: Settings, data: Path) -> None:
    write(data, "customers.csv", ["customer_id", "city"], ["c1", "Barre"], ["c2", "Stowe"], ["c1", "Burlington"])
    report = import_folder(engine, data, settings, NOW)
    assert (report.read, report.accepted) == (3, 3)
    assert [customer.city for customer in stored(engine, Customer)] == ["Burlington", "Stowe"]


def test_rows_may_come_before_those_they_belong_to(take: Take, data: Path, sqlite_engine: Engine) -> None:
    write(data, "payments.csv", ["payment_id", "invoice_id", "paid_on", "amount"], ["p1", "i9", "2026-01-01", "5"])
    assert take().refused == 0
    assert only(sqlite_engine, Payment).invoice_id == "i9"


def test_rows_that_are_absent_this_time_are_left_alone(take: Take, data: Path, sqlite_engine: Engine) -> None:
    write(data, "customers.csv", ["customer_id"], ["c1"], ["c2"])
    take()
    write(data, "customers.csv", ["customer_id"], ["c2"])
    take()
    assert [customer.customer_id for customer in stored(sqlite_engine, Customer)] == ["c1", "c2"]


def test_a_consent_is_appended_and_never_overwritten(engine: Engine, settings: Settings, data: Path) -> None:
    head = ["customer_id", "channel", "purpose", "state", "at", "source"]
    write(data, "consents.csv", head, ["c1", "email", "marketing", "granted", "2026-01-05", "form"])
    import_folder(engine, data, settings, NOW)
    write(data, "consents.csv", head, ["c1", "email", "marketing", "granted", "2026-01-05", "somebody's wish"],
          ["c1", "email", "marketing", "withdrawn", "2026-02-05", "phone"])  # fmt: skip
    import_folder(engine, data, settings, NOW)
    assert [(consent.state, consent.source) for consent in stored(engine, Consent)] == [
        ("granted", "form"), ("withdrawn", "phone")]  # fmt: skip


def test_no_import_lifts_a_suppression(take: Take, data: Path, sqlite_engine: Engine) -> None:
    with writing(sqlite_engine) as session:
        session.add(Suppression(contact_hash="ab" * 32, channel="email", source="unsubscribed", at=NOW))
    fill_every_table(data)
    take()
    assert only(sqlite_engine, Suppression).source == "unsubscribed"


def test_unknown_columns_and_files_are_ignored_and_listed(take: Take, data: Path) -> None:
    write(data, "customers.csv", ["Customer_ID ", "shoe_size", "", "City"], ["c1", "43", "x", "Barre"])
    write(data, "shoes.csv", ["size"], ["43"])
    (data / ".DS_Store").write_bytes(b"\0")
    assert take().ignored == {"customers.csv": ["(column 3)", "shoe_size"], "shoes.csv": []}


def test_what_was_imported_is_written_down(take: Take, data: Path, sqlite_engine: Engine) -> None:
    write(data, "customers.csv", ["customer_id", "country"], ["c1", "US"], ["c2", "Freedonia"])
    take()
    kept, refusal = only(sqlite_engine, Import), only(sqlite_engine, Refusal)
    assert (kept.file, kept.table_name, kept.read, kept.accepted, kept.refused, kept.at, kept.mapping) == (
        "customers.csv", "customers", 2, 1, 1, NOW, None)  # fmt: skip
    assert (refusal.import_id, refusal.line, refusal.column) == (kept.import_id, 3, "country")


def test_progress_is_told_without_naming_anyone(sqlite_engine: Engine, settings: Settings, data: Path) -> None:
    write(data, "customers.csv", ["customer_id", "given_name"], ["c1", "Zoë"])
    told: list[str] = []
    import_folder(sqlite_engine, data, settings, NOW, tell=told.append)
    assert told == ["customers.csv → customers: 1 read, 1 accepted, 0 refused"]


def test_a_folder_that_is_not_there_or_has_nothing_known_is_an_error_that_says_what_to_do(
    take: Take, data: Path, sqlite_engine: Engine, settings: Settings
) -> None:
    with pytest.raises(SourceUnreadable, match="cannot be opened"):
        import_folder(sqlite_engine, data / "nowhere", settings, NOW)
    write(data, "shoes.csv", ["size"], ["43"])
    with pytest.raises(SourceUnreadable, match=r"customers\.csv.*--mapping"):
        take()
    assert stored(sqlite_engine, Installation) == []


# What is refused


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("given_name", "Bob\r\nBcc: everyone@home.example"),
        ("family_name", "Lee\nBcc: everyone@home.example"),
        ("email", "bob@home.example\rBcc: everyone@home.example"),
        ("phone", "+18025550101\n"),
        ("address_line1", "1 Elm\u2028Street"),
        ("city", "Burlington\x00"),
        ("honorific", "Dr.\x1b[2J"),
    ],
)
def test_row_37_a_name_with_a_line_break_is_refused_at_import(take: Take, data: Path, column: str, value: str) -> None:
    write(data, "customers.csv", ["customer_id", column], ["c1", "fine"], ["c2", value], ["c3", "fine"])
    report = take()
    assert (report.read, report.accepted, report.refused) == (3, 2, 1)
    assert refusal_of(report) == (3, column, "a line break or another control character stands inside the text")


@pytest.mark.parametrize(
    ("file", "head", "row", "column"),
    [
        ("customers.csv", "customer_id,born_on", ",2000-01-01", "customer_id"),
        ("customers.csv", "customer_id,born_on", "c1,03/04/2026", "born_on"),
        ("customers.csv", "customer_id,country", "c1,Narnia", "country"),
        ("customers.csv", "customer_id,currency", "c1,XQQ", "currency"),
        ("customers.csv", "customer_id,language", "c1,../../etc", "language"),
        ("customers.csv", "customer_id,timezone", "c1,Mars/Phobos", "timezone"),
        ("customers.csv", "customer_id,city", f"{'c' * 201},Barre", "customer_id"),
        ("visits.csv", "visit_id,customer_id,starts_at", "v1,c1,", "starts_at"),
        ("visits.csv", "visit_id,customer_id,starts_at,status", "v1,c1,2026-01-01,maybe", "status"),
        ("invoices.csv", BILL, 'i1,c1,2026-01-01,2026-01-01,"1,5"', "amount"),
        ("invoices.csv", BILL, "i1,c1,2026-01-01,2026-01-01,1.005", "amount"),
        ("invoices.csv", BILL, f"i1,c1,2026-01-01,2026-01-01,{10**18}", "amount"),
        ("invoices.csv", BILL, "i1,c1,2026-01-01,2026-01-01,NaN", "amount"),
        ("feedback.csv", "feedback_id,customer_id,given_at,kind,score", "f1,c1,2026-01-01,score,11", "score"),
        ("feedback.csv", "feedback_id,customer_id,given_at,kind,text", "f1,c1,2026-01-01,review,a\x00b", "text"),
        ("consents.csv", "customer_id,channel,purpose,state,at", "c1,fax,service,granted,2026-01-01", "channel"),
    ],
)  # fmt: skip
def test_a_cell_that_does_not_fit_is_refused_by_name_and_its_value_is_not_repeated(
    engine: Engine, settings: Settings, data: Path, file: str, head: str, row: str, column: str
) -> None:
    (data / file).write_text(f"{head}\n{row}\n", encoding="utf-8")
    report = import_folder(engine, data, settings, NOW)
    assert (report.read, report.accepted, report.refused) == (1, 0, 1)
    line, named, reason = refusal_of(report)
    assert (line, named) == (2, column)
    cells = next(csv.reader([row]))
    assert not any(cell and cell in reason for cell in cells)
    assert only(engine, Refusal).reason == reason


def test_a_contact_that_cannot_be_used_never_loses_the_customer(take: Take, data: Path, sqlite_engine: Engine) -> None:
    write(data, "customers.csv", ["customer_id", "email", "phone"], ["c1", "not an address", "ask at desk"])
    assert take().refused == 0
    assert (only(sqlite_engine, Customer).email, only(sqlite_engine, Customer).phone) == (
        "not an address",
        "ask at desk",
    )


def test_a_name_that_would_not_show_counts_as_missing(take: Take, data: Path, sqlite_engine: Engine) -> None:
    write(data, "customers.csv", ["customer_id", "given_name"], ["c1", "\u200b\u00a0\u202e"])
    take()
    assert only(sqlite_engine, Customer).given_name is None


# Values


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-03-08T02:30", "2026-03-08T07:30+00:00"),  # skipped by the clocks: half past three
        ("2026-11-01T01:30", "2026-11-01T05:30+00:00"),  # happens twice: the first
        ("2026-03-08", "2026-03-08T05:00+00:00"),
        ("2026-03-08T12:00:00Z", "2026-03-08T12:00+00:00"),
        ("2026-03-08 12:00+02:00", "2026-03-08T10:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_business_time_and_always_one_instant(written: str, utc: str) -> None:
    assert instant(written, NEW_YORK) == datetime.fromisoformat(utc)


def test_the_date_of_an_instant_is_the_businesss_date() -> None:
    assert day("2026-03-08T03:00:00Z", NEW_YORK) == date(2026, 3, 7)


LOCAL_TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 naive times are what is tested


@given(LOCAL_TIMES, st.sampled_from(["Asia/Tehran", "Africa/Cairo", "Australia/Lord_Howe", "UTC"]))
def test_any_local_time_becomes_an_instant_within_a_clock_change_of_itself(local: datetime, zone: str) -> None:
    utc = instant(local.isoformat(), Style(zone, "USD"))
    back = utc.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert utc.utcoffset() == timedelta(0)
    assert timedelta(0) <= back - local <= timedelta(hours=1)
    assert business_date(utc, zone) == back.date()


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("1234.50", "USD", 123450), ("1234.5", "USD", 123450), ("-5", "EUR", -500), ("100.00", "JPY", 100),
     ("1.234", "KWD", 1234), ("129.16000000000003", "USD", 12916), ("0.29", "USD", 29), (".", "USD", None),
     ("1.5", "JPY", None), ("1e5", "USD", None), ("", "USD", None)],
)  # fmt: skip
def test_money_becomes_whole_minor_units_of_its_currency(text: str, currency: str, minor: int | None) -> None:
    def convert() -> int:
        return to_minor_units(amount(text, NEW_YORK), currency)

    if minor is None:
        with pytest.raises(Unfit):
            convert()
    else:
        assert convert() == minor


@given(st.integers(-(10**15), 10**15))
def test_every_amount_of_cents_comes_back_exactly(cents: int) -> None:
    sign, whole, rest = "-" if cents < 0 else "", *divmod(abs(cents), 100)
    assert to_minor_units(amount(f"{sign}{whole}.{rest:02}", NEW_YORK), "USD") == cents


def test_a_payment_is_read_in_the_currency_of_its_invoice(take: Take, data: Path, sqlite_engine: Engine) -> None:
    write(data, "invoices.csv", ["invoice_id", "customer_id", "issued_on", "due_on", "amount", "currency"],
          ["i1", "c1", "2026-01-01", "2026-02-01", "5000", "JPY"],
          ["i2", "c1", "2026-01-01", "2026-02-01", "50", ""])  # fmt: skip
    write(data, "payments.csv", ["payment_id", "invoice_id", "paid_on", "amount"],
          ["p1", "i1", "2026-01-09", "5000"], ["p2", "i2", "2026-01-09", "50"])  # fmt: skip
    assert take().refused == 0
    # The currency is written down, so that a number means the same whatever becomes of the settings.
    money = [(5000, "JPY"), (5000, "USD")]
    assert [(invoice.amount, invoice.currency) for invoice in stored(sqlite_engine, Invoice)] == money
    assert [(payment.amount, payment.currency) for payment in stored(sqlite_engine, Payment)] == money


def test_an_invoice_and_a_payment_without_a_currency_are_in_their_customers(
    take: Take, data: Path, sqlite_engine: Engine
) -> None:
    write(data, "customers.csv", ["customer_id", "currency"], ["c1", "KWD"], ["c2", ""])
    write(data, "invoices.csv", ["invoice_id", "customer_id", "issued_on", "due_on", "amount"],
          ["i1", "c1", "2026-01-01", "2026-02-01", "12.345"],
          ["i2", "c2", "2026-01-01", "2026-02-01", "12.34"])  # fmt: skip
    write(data, "payments.csv", ["payment_id", "customer_id", "invoice_id", "paid_on", "amount"],
          ["p1", "c1", "", "2026-01-09", "2.345"], ["p2", "c1", "i2", "2026-01-09", "2.34"])  # fmt: skip
    assert take().refused == 0
    assert [(row.amount, row.currency) for row in stored(sqlite_engine, Invoice)] == [(12345, "KWD"), (1234, "USD")]
    assert [(row.amount, row.currency) for row in stored(sqlite_engine, Payment)] == [(2345, "KWD"), (234, "USD")]


def test_a_file_without_the_column_reads_an_invoice_in_the_currency_it_has(
    take: Take, data: Path, sqlite_engine: Engine
) -> None:
    columns, row = ["invoice_id", "customer_id", "issued_on", "due_on"], ["i1", "c1", "2026-01-01", "2026-02-01"]
    write(data, "invoices.csv", [*columns, "amount", "currency"], [*row, "5000", "JPY"])
    take()
    write(data, "invoices.csv", [*columns, "amount", "status"], [*row, "4000", "Cancelled"])
    take()
    invoice = only(sqlite_engine, Invoice)
    assert (invoice.amount, invoice.currency, invoice.status) == (4000, "JPY", "void")


def test_one_receipt_keeps_all_its_parts_and_the_same_rows_again_change_nothing(
    take: Take, data: Path, sqlite_engine: Engine
) -> None:
    write(data, "customers.csv", ["customer_id"], ["c1"])
    write(data, "payments.csv", ["payment_id", "invoice_id", "customer_id", "paid_on", "amount"],
          ["RCPT-9", "i1", "", "2026-03-04", "50"], ["RCPT-9", "i2", "", "2026-03-04", "70"],
          ["RCPT-9", "", "c1", "2026-03-04", "5"])  # fmt: skip
    assert (take().accepted, take().accepted) == (4, 4)
    parts = [(row.invoice_id, row.customer_id, row.amount) for row in stored(sqlite_engine, Payment)]
    assert sorted(parts) == [("", "c1", 500), ("i1", None, 5000), ("i2", None, 7000)]


def test_a_payment_is_for_an_invoice_or_a_customers_and_is_refused_where_it_is_neither(
    take: Take, data: Path, sqlite_engine: Engine
) -> None:
    write(data, "payments.csv", ["payment_id", "customer_id", "paid_on", "amount"],
          ["p1", "c9", "2026-03-04", "50"], ["p2", "", "2026-03-04", "70"])  # fmt: skip
    report = take()
    assert [(row.line, row.column) for row in report.refusals] == [(3, "invoice_id")]
    assert (only(sqlite_engine, Payment).invoice_id, report.orphans) == ("", {"payments": 1})


@pytest.mark.parametrize(
    ("written", "status"), [("paid", "paid"), ("Void", "void"), ("DRAFT", "draft"), ("canceled", "void")]
)
def test_words_for_invoices_of_which_nothing_is_owed_are_statuses(
    take: Take, data: Path, sqlite_engine: Engine, written: str, status: str
) -> None:
    write(data, "invoices.csv", ["invoice_id", "customer_id", "issued_on", "due_on", "amount", "status"],
          ["i1", "c1", "2026-01-01", "2026-02-01", "50", written])  # fmt: skip
    assert take().refused == 0
    assert only(sqlite_engine, Invoice).status == status


# The installation


def test_the_day_of_the_first_import_is_kept_and_later_ones_do_not_move_it(
    sqlite_engine: Engine, settings: Settings, data: Path
) -> None:
    fill_every_table(data)
    import_folder(sqlite_engine, data, settings, datetime(2026, 3, 10, 2, 0, tzinfo=UTC))
    import_folder(sqlite_engine, data, settings, NOW + timedelta(days=9))
    installation = only(sqlite_engine, Installation)
    assert (installation.first_import_on, installation.timezone) == (date(2026, 3, 9), "America/New_York")


def in_zone(settings: Settings, zone: str) -> Settings:
    return settings.model_copy(update={"business": settings.business.model_copy(update={"timezone": zone})})


def test_dates_of_instants_with_a_zone_follow_the_business_when_its_time_zone_changes(
    engine: Engine, settings: Settings, data: Path
) -> None:
    fill_every_table(data)
    import_folder(engine, data, settings, NOW)
    moved = in_zone(settings, "Asia/Tokyo")
    assert redate(engine, moved)
    assert only(engine, Feedback).given_on == date(2026, 3, 1)
    assert only(engine, Feedback).given_at == datetime(2026, 3, 1, 4, tzinfo=UTC)
    assert not redate(engine, moved)
    assert redate(engine, settings)
    assert only(engine, Feedback).given_on == date(2026, 2, 28)


def test_a_time_without_a_zone_stays_that_time_of_that_day_when_the_time_zone_changes(
    engine: Engine, settings: Settings, data: Path
) -> None:
    fill_every_table(data)  # the treatment was done at 2026-03-07T23:30, wherever that is
    import_folder(engine, data, settings, NOW)
    assert redate(engine, in_zone(settings, "Asia/Tokyo"))
    assert only(engine, Treatment).done_on == date(2026, 3, 7)
    assert only(engine, Treatment).done_at == datetime(2026, 3, 7, 14, 30, tzinfo=UTC)
    assert redate(engine, settings)
    assert only(engine, Treatment).done_at == datetime(2026, 3, 8, 4, 30, tzinfo=UTC)
    before = only(engine, Treatment).model_dump()
    import_folder(engine, data, settings, NOW)
    assert only(engine, Treatment).model_dump() == before


def test_dates_in_another_zone_can_be_read_without_writing_any(engine: Engine, settings: Settings, data: Path) -> None:
    fill_every_table(data)
    import_folder(engine, data, settings, NOW)
    tables = (Treatment, Visit, Feedback)
    before = [only(engine, table).model_dump() for table in tables]
    with reading_dated(engine, in_zone(settings, "Asia/Tokyo")) as session:
        seen = [session.exec(select(table)).one() for table in tables]
        assert seen[2].given_on == date(2026, 3, 1)  # 04:00 UTC
        assert [seen[0].done_on, seen[1].starts_on] == [date(2026, 3, 7), date(2026, 3, 8)]  # written without a zone
        assert session.exec(select(Feedback.feedback_id).where(Feedback.given_on == date(2026, 3, 1))).all() == ["f1"]
    assert [only(engine, table).model_dump() for table in tables] == before
    with reading_dated(engine, settings) as session:
        assert session.exec(select(Feedback)).one().given_on == date(2026, 2, 28)
