"""Mapping files: other people's columns become ours, and a mapping that does not fit is refused with its place."""

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Engine, func
from sqlmodel import col, select

from intake_data import Take, import_folder, only, refusal_of, stored, write
from outreach.database import reading
from outreach.errors import MappingRefused, SourceUnreadable
from outreach.intake.cells.parsers import Style, amount
from outreach.intake.mapping.columns import layout_words
from outreach.intake.mapping.files import Mapping, read_mapping
from outreach.intake.reports import ImportReport
from outreach.intake.values import take_part
from outreach.models import Customer, Feedback, Import, Invoice
from outreach.settings import Settings

MAPPINGS = Path(__file__).resolve().parents[2] / "examples" / "mappings"
NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def take(sqlite_engine: Engine, settings: Settings, data: Path) -> Take:
    """Imports the data folder."""
    return lambda mapping=None: import_folder(sqlite_engine, data, settings, NOW, mapping)


@pytest.fixture
def mapped(take: Take, tmp_path: Path) -> Take:
    """Imports the data folder through a mapping file with these words."""

    def run(words: str) -> ImportReport:
        return take(mapping_of(tmp_path, words))

    return run


def mapping_of(folder: Path, words: str) -> Mapping:
    (folder / "mapping.toml").write_text(words, encoding="utf-8")
    return read_mapping(folder / "mapping.toml")


MEMBERS = """
[[file]]
name = "members-*.csv"
separator = ";"
decimal = ","
dates = ["DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "Mon DD, YYYY", "excel"]
empty = ["NULL", "-"]

[[file.table]]
into = "customers"
only = [{ column = "Type", is_not = ["test", "staff"] }, { column = "No", empty = false }]
[file.table.columns]
customer_id = { columns = ["Branch", "No"], join = "-" }
given_name = { column = "First", strip_digits = true }
customer_since = "Since"
language = { column = "Speaks", values = { English = "en", Deutsch = "de" }, otherwise = "en" }
country = { constant = "DE" }
"""


def test_a_mapping_joins_filters_translates_and_reads_their_dates(
    mapped: Take, data: Path, sqlite_engine: Engine
) -> None:
    (data / "members-a.csv").write_text(
        "Branch;No;Type;First;Since;Speaks\n"
        "N;1;member;Ana12;24.12.2020;Deutsch\n"
        "N;2;staff;Bo;24.12.2020;Deutsch\n"
        "N;3;member;NULL;43731;Suomi\n"
        "N;;member;Cy;-;\n"
        "N;4;member;Di;05/04/2020;English\n"
        "N;5;member;Ed;04/04/2020;English\n"
        "N;6;member;Fi;Aug 01, 2019;English\n"
    )
    (data / "members-b.csv").write_text("Branch;No;Type;First;Since;Speaks\nS;1;member;Gil;-;English\n")
    report = mapped(MEMBERS)
    kept = stored(sqlite_engine, Customer)
    assert [(row.customer_id, row.given_name, row.customer_since, row.language) for row in kept] == [
        ("N-1", "Ana", date(2020, 12, 24), "de"),
        ("N-3", None, date(2019, 9, 23), "en"),
        ("N-5", "Ed", date(2020, 4, 4), "en"),
        ("N-6", "Fi", date(2019, 8, 1), "en"),
        ("S-1", "Gil", None, "en"),
    ]  # fmt: skip
    assert refusal_of(report) == (
        6, "customer_since", "this date fits several of the mapping's formats and means different days")  # fmt: skip
    assert report.ignored == {}
    hashed = hashlib.sha256(MEMBERS.encode()).hexdigest()
    assert {row.mapping for row in stored(sqlite_engine, Import)} == {hashed}


ORDERS = """
[[file]]
name = "orders.csv"
decimal = ","
[[file.table]]
into = "invoices"
one_row_per = ["order"]
[file.table.columns]
invoice_id = "order"
customer_id = "buyer"
issued_on = { column = "day", take = "min" }
due_on = { column = "day", take = "max", add_days = 30 }
amount = { column = "price", take = "sum" }
[[file.table]]
into = "feedback"
one_row_per = "buyer"
[file.table.columns]
feedback_id = "buyer"
customer_id = "buyer"
given_at = { column = "day", take = "last" }
kind = { constant = "score" }
score = { column = "price", take = "count" }
"""


def test_a_mapping_makes_one_row_of_many(mapped: Take, data: Path, sqlite_engine: Engine) -> None:
    write(data, "orders.csv", ["order", "buyer", "day", "price"],
          ["o1", "c1", "2026-01-03", "7"], ["o1", "c1", "2026-01-01", "3"], ["o2", "c2", "2026-01-09", "x"],
          ["o3", "c1", "2026-01-02", "9"])  # fmt: skip
    report = mapped(ORDERS)
    assert [(row.invoice_id, row.issued_on, row.due_on, row.amount) for row in stored(sqlite_engine, Invoice)] == [
        ("o1", date(2026, 1, 1), date(2026, 2, 2), 1000),
        ("o3", date(2026, 1, 2), date(2026, 2, 1), 900),
    ]
    kept = only(sqlite_engine, Feedback)
    assert (kept.customer_id, kept.given_on, kept.score) == ("c1", date(2026, 1, 2), 3)
    assert [(count.read, count.accepted, count.refused) for count in report.files] == [(4, 3, 1), (4, 3, 1)]


def test_a_sum_too_large_refuses_every_row_it_was_made_of(mapped: Take, data: Path, sqlite_engine: Engine) -> None:
    is_wide = isinstance(Invoice.__table__.c.amount.type, BigInteger)  # type: ignore[attr-defined]
    half = str(2 ** (63 if is_wide else 31) // 200 + 1)
    write(data, "orders.csv", ["order", "buyer", "day", "price"],
          ["o1", "c1", "2026-01-03", half], ["o2", "c2", "2026-01-03", "2"],
          ["o1", "c1", "2026-01-03", half])  # fmt: skip
    report = mapped(ORDERS.split('[[file.table]]\ninto = "feedback"')[0])
    assert [(refusal.line, refusal.column) for refusal in report.refusals] == [(2, "amount"), (4, "amount")]
    assert (report.read, report.accepted, report.refused) == (3, 1, 2)
    assert [row.amount for row in stored(sqlite_engine, Invoice)] == [200]


def test_an_exported_decimal_comma_is_read_with_or_without_thousands() -> None:
    style = Style("UTC", "EUR", decimal=",")
    read = [amount(text, style) for text in ("1.234,56", "1 234,56", "12,5", "1.234.567")]
    assert read == [Decimal("1234.56"), Decimal("1234.56"), Decimal("12.5"), 1234567]


@pytest.mark.parametrize(
    ("cell", "layout", "parts"),
    [
        ("Salt Lake City, UT 84101", "City, ST ZIP", ["Salt Lake City", "UT", "84101"]),
        ("Ottawa ON K1A 0B1", "City ST ZIP", ["Ottawa", "ON", "K1A 0B1"]),
        ("10115 Berlin Mitte", "ZIP City", ["10115", "Berlin Mitte"]),
        ("K1A 0B1 Ottawa", "ZIP City", ["K1A 0B1", "Ottawa"]),
    ],
)
def test_a_cell_that_is_laid_out_in_words_is_parted_by_them(cell: str, layout: str, parts: list[str]) -> None:
    assert [take_part(cell, layout, word) for word in layout_words(layout)] == parts


def test_a_file_without_a_column_that_the_mapping_names_is_refused_as_a_whole(mapped: Take, data: Path) -> None:
    write(data, "orders.csv", ["order", "buyer", "price"], ["o1", "c1", "3"])
    report = mapped(ORDERS)
    assert [(refusal.line, refusal.column) for refusal in report.refusals] == [(1, "day"), (1, "day")]
    assert all(count.read == count.accepted + count.refused for count in report.files)


def test_a_folder_without_any_file_that_the_mapping_names_is_an_error(mapped: Take, data: Path) -> None:
    write(data, "customers.csv", ["customer_id"], ["c1"])
    with pytest.raises(SourceUnreadable, match=r"orders\.csv"):
        mapped(ORDERS)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("[[file]", "is not TOML"),
        ("", "file: Field required"),
        ('[[file]]\nname = "a.csv"\n[[file.table]]\ninto = "shoes"\ncolumns = {}', "there is no table “shoes”"),
        ('[[file]]\nname = "a.csv"\n[[file.table]]\ninto = "customers"\ncolumns = {}', "cannot do without customer_id"),
        ('[[file]]\nname = "a.csv"\n[[file.table]]\ninto = "customers"\ncolumns = { shoe = "x" }', "no column “shoe”"),
        ('[[file]]\nname = "a.csv"\nencoding = "klingon"', "file 1, encoding: is not the name of an encoding"),
        ('[[file]]\nname = "a.csv"\ndates = "DD.MM"', "a date format needs a year"),
        ('[[file]]\nname = "a.csv"\nshoes = 1', "file 1, shoes"),
        ('[[file]]\nname = "a.csv"\n[[file.table]]\ninto = "customers"\n[file.table.columns]\n'
         'customer_id = { column = "a", constant = "b" }', "give one of column, columns, constant and first_of"),
        ('[[file]]\nname = "a.csv"\n[[file.table]]\ninto = "customers"\n[file.table.columns]\n'
         'customer_id = { column = "a", add_days = 3 }', "dates and zone are for dates"),
        ('[[file]]\nname = "a.csv"\n[[file.table]]\ninto = "customers"\n[file.table.columns]\n'
         'customer_id = { column = "a", take = "max" }', "needs one_row_per"),
        ('[[file]]\nname = "a.csv"\n[[file.table]]\ninto = "customers"\nonly = [{ column = "a" }]\n'
         'columns = { customer_id = "a" }', "give one of is, is_not, starts"),
        ('[[file]]\nname = "a.csv"\n[[file.table]]\ninto = "customers"\n[file.table.columns]\n'
         'customer_id = { first_of = ["a", "b"], strip = "#" }', "“strip” does nothing beside first_of"),
        ('[[file]]\nname = "a.csv"\n[[file.table]]\ninto = "visits"\n[file.table.columns]\ncustomer_id = "a"\n'
         'starts_at = "b"\nvisit_id = { column = "c", look_up = '
         '{ file = "d.csv", by = "e", take = "f", otherwise = "customer" } }', "otherwise = “customer” is for ids"),
    ],
)  # fmt: skip
def test_a_mapping_that_does_not_fit_is_refused_with_the_place(tmp_path: Path, words: str, told: str) -> None:
    with pytest.raises(MappingRefused, match=told.replace("(", r"\(")):
        mapping_of(tmp_path, words)


def test_a_mapping_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MappingRefused, match="cannot be opened"):
        read_mapping(tmp_path / "nowhere.toml")


# The public sets, through the committed mappings

SYNTHEA = {
    "A": {"customers": 102, "visits": 4404, "treatments": 6460, "invoices": 8178},
    "C": {"customers": 11, "visits": 388, "treatments": 889, "invoices": 561},
}


@pytest.mark.parametrize("name", SYNTHEA)
def test_synthea_comes_in_whole_through_its_mapping(
    name: str, shared: Path, sqlite_engine: Engine, settings: Settings
) -> None:
    folder = shared / "data" / f"synthea_{name}"
    report = import_folder(sqlite_engine, folder, settings, NOW, read_mapping(MAPPINGS / "synthea.toml"))
    assert {count.table: count.accepted for count in report.files} == SYNTHEA[name]
    assert report.refused == 0
    customers = stored(sqlite_engine, Customer)
    assert not any(letter.isdigit() for row in customers for letter in f"{row.given_name}{row.family_name}")
    assert all(row.postal_code is None or row.postal_code.startswith("0") for row in customers)
    with reading(sqlite_engine) as session:
        owed = session.exec(select(func.sum(Invoice.amount))).one()
        gaps = session.exec(select(Invoice).where(col(Invoice.due_on) <= col(Invoice.issued_on))).all()
    assert (owed, gaps) == (0 if name == "A" else 4228, [])


RECEIVABLES = {
    "WA_Fn-UseC_-Accounts-Receivable.csv": (2466, 2466, 561),
    "WA_Fn-UseC_-Accounts-Receivable_with_missing.csv": (2586, 2586, 623),
    "asof_2012-06-15.csv": (561, 467, 125),
    "asof_2013-02-28.csv": (1488, 1400, None),
    "asof_2013-06-15.csv": (1887, 1790, None),
    "asof_2013-11-30.csv": (2457, 2378, None),
}


@pytest.mark.parametrize("name", RECEIVABLES)
def test_each_receivables_file_feeds_customers_invoices_and_payments(
    name: str, shared: Path, take: Take, data: Path, sqlite_engine: Engine
) -> None:
    (data / name).write_bytes((shared / "data" / "ar_ibm" / name).read_bytes())
    report = take(read_mapping(MAPPINGS / "receivables.toml"))
    invoices, payments, disputed = RECEIVABLES[name]
    assert {count.table: count.accepted for count in report.files} == {
        "customers": invoices, "invoices": invoices, "payments": payments}  # fmt: skip
    assert report.refused == 0
    assert len(stored(sqlite_engine, Customer)) == 100
    assert len(stored(sqlite_engine, Invoice)) == invoices
    if disputed is not None:
        assert sum(row.status == "disputed" for row in stored(sqlite_engine, Invoice)) == disputed
    if "missing" not in name:
        assert any(row.invoice_id.startswith("0") for row in stored(sqlite_engine, Invoice))
