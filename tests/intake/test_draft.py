"""Drafts of mappings: plain sheets of three kinds come in with a few edits, and what is unsure is marked."""

import tomllib
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from typer.testing import CliRunner

from exports import find_balances
from intake_data import stored
from mapped import TheirFiles, read_words
from outreach.commands.main import app
from outreach.database import reading
from outreach.intake.mapping.draft import draft_mapping
from outreach.intake.mapping.draft_formats import find_decimal, find_formats
from outreach.intake.mapping.draft_parts import UNSURE, SheetSample
from outreach.intake.sheets import read_sheets
from outreach.intake.sources.places import open_origin
from outreach.models import Consent, Customer, Visit
from outreach.settings import Settings
from workbook import write_workbook

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
MOST_EDITS = 3


@dataclass(frozen=True)
class PlainSheet:
    """A file that somebody keeps by hand, and what a person changes of its draft."""

    country: str
    lines: tuple[str, ...]
    currency: str = "USD"
    edits: dict[str, str] = field(default_factory=dict)


LEDGER = PlainSheet(
    "GB",
    (
        "Hartley & Sons Accountants,,,,,,",
        "Sales ledger at 28/02/2026,,,,,,",
        ",,,,,,",
        "Account No,Customer,Invoice No,Invoice Date,Due Date,Gross,Outstanding",
        'A001,"Quill, Ada",INV-1,13/01/2026,12/02/2026,"1,200.00",0.00',
        "A002,Dunn Roofing Ltd,INV-2,03/02/2026,05/03/2026,£350.50,£350.50",
        'A001,"Quill, Ada",INV-3,04/02/2026,06/03/2026,80.00,30.00',
    ),
    "GBP",
)
KUNDEN = PlainSheet(
    "DE",
    (
        "Kundennummer;Anrede;Vorname;Nachname;Straße;PLZ;Ort;Land;Telefon;E-Mail;Geburtsdatum;Kunde seit;"
        "Rechnungsnummer;Rechnungsdatum;Fällig am;Betrag;Bezahlt;Notiz",
        "10;Frau;Jürgen;Weiß;Hauptstraße 5;01067;Dresden;Deutschland;0351 1234567;j.weiss@example.de;24.12.1980;"
        "01.03.2019;R-1;05.02.2026;19.02.2026;1.234,50;234,50;",
        "11;Herr;Zoë;Müller;Am Ring 2;10115;Berlin;Österreich;030 1234567;;31.2.1970;15.06.2021;R-2;06.02.2026;"
        "20.02.2026;80,00;0,00;ruft an",
    ),
    "EUR",
    {'phone = "Telefon"\n': 'phone = "Telefon"\nlanguage = { constant = "de" }\n'},
)
CLIENTS = PlainSheet(
    "US",
    (
        "Hartwell & Pierce CPAs,,,,,,,,",
        "Client list as of 11/24/2026,,,,,,,,",
        ",,,,,,,,",
        "Client No.,Name,Salutation,Mailing Address,City,ST,Zip,Tel.,Client Since",
        '1001,"Dobbs, Harriet",Ms.,12 Quarry Rd,Barre,VT,05641,802-555-0133,3/2/2019',
        "1004,Maple Co-op,,90 Sugar Ln,Stowe,VT,05672,802-555-0121,11/30/2015",
        "Total clients: 2,,,,,,,,",
    ),
)
APPOINTMENTS = PlainSheet(
    "US",
    (
        "Client Name,Email,Mobile,Appointment Date,Service,Status,Stylist",
        '"Dunn, Cora",Cora@example.com,(802) 555-0142,3/15/2026 2:30 PM,Cut,Confirmed,Nora',
        "Ann Lee,ann@example.com,802-555-0143,3/2/2026 10:00 AM,Colour,Done,Nora",
        "Ann Lee,ann@example.com,802-555-0143,1/2/2026 10:00 AM,Cut,No show,Nora",
    ),
    "USD",
    {'status = "Status"': 'status = { column = "Status", values = { Confirmed = "booked", Done = "completed" }, '
                          'otherwise = "no_show" }'},
)  # fmt: skip


def draft_of(folder: Path, sheet: PlainSheet) -> str:
    (folder / "plain.csv").write_text("\n".join(sheet.lines), encoding="utf-8")
    return draft_mapping(read_sheets(open_origin(str(folder))), sheet.country)


@pytest.fixture
def theirs(tmp_path: Path, sqlite_engine: Engine, settings: Settings) -> TheirFiles:
    folder = tmp_path / "theirs"
    folder.mkdir()
    return TheirFiles(folder, sqlite_engine, settings, NOW)


def take_draft(theirs: TheirFiles, sheet: PlainSheet) -> None:
    """Imports the sheet by its draft, with the edits a person makes; each of them must find its place."""
    words = draft_of(theirs.folder, sheet)
    assert len(sheet.edits) <= MOST_EDITS
    for old, new in sheet.edits.items():
        assert words.count(old) == 1
        words = words.replace(old, new)
    business = theirs.settings.business.model_copy(update={"country": sheet.country, "currency": sheet.currency})
    settings = theirs.settings.model_copy(update={"business": business})
    report = replace(theirs, settings=settings).take(words)
    assert report.refusals == []


def test_an_english_accountants_ledger_comes_in_by_its_draft(theirs: TheirFiles) -> None:
    take_draft(theirs, LEDGER)
    assert [(row.customer_id, row.given_name, row.family_name) for row in stored(theirs.engine, Customer)] == [
        ("A001", "Ada", "Quill"), ("A002", None, "Dunn Roofing Ltd")]  # fmt: skip
    with reading(theirs.engine) as session:
        assert find_balances(session, date(2026, 3, 10)) == {"A001": "30.00", "A002": "350.50"}


def test_a_german_list_of_customers_comes_in_by_its_draft(theirs: TheirFiles) -> None:
    take_draft(theirs, KUNDEN)
    customers = stored(theirs.engine, Customer)
    assert [(row.given_name, row.address_line1, row.postal_code, row.country, row.language) for row in customers] == [
        ("Jürgen", "Hauptstraße 5", "01067", "DE", "de"), ("Zoë", "Am Ring 2", "10115", "AT", "de")]  # fmt: skip
    assert [(row.born_on, row.customer_since) for row in customers] == [
        (date(1980, 12, 24), date(2019, 3, 1)), (None, date(2021, 6, 15))]  # fmt: skip
    with reading(theirs.engine) as session:
        assert find_balances(session, date(2026, 3, 10)) == {"10": "1000.00", "11": "80.00"}


def test_a_file_that_has_only_names_of_customers_leaves_them_to_the_file_that_has_more(tmp_path: Path) -> None:
    (tmp_path / "bills.csv").write_text(
        "Patient ID,Patient,Invoice number,Issue date,Due date,Amount\n7,Ann Lee,R1,2026-01-05,2026-02-04,80.00\n"
    )
    alone = draft_mapping(read_sheets(open_origin(str(tmp_path))), "US")
    assert alone.count('into = "customers"') == 1, "where no other file has them, they come from the bills"
    (tmp_path / "patients.csv").write_text("Patient ID,First name,Last name,Email\n7,Ann,Lee,ann@example.com\n")
    both = draft_mapping(read_sheets(open_origin(str(tmp_path))), "US")
    assert both.count('into = "customers"') == 1
    assert both.index('into = "invoices"') < both.index('into = "customers"')


def test_the_total_below_a_list_with_a_title_is_no_customer(theirs: TheirFiles) -> None:
    take_draft(theirs, CLIENTS)
    assert [(row.customer_id, row.family_name) for row in stored(theirs.engine, Customer)] == [
        ("1001", "Dobbs"), ("1004", "Maple Co-op")]  # fmt: skip


def test_an_american_list_of_appointments_comes_in_by_its_draft(theirs: TheirFiles) -> None:
    take_draft(theirs, APPOINTMENTS)
    assert [(row.customer_id, row.given_name, row.family_name) for row in stored(theirs.engine, Customer)] == [
        ("Cora@example.com", "Cora", "Dunn"), ("ann@example.com", "Ann", "Lee")]  # fmt: skip
    visits = sorted(stored(theirs.engine, Visit), key=lambda visit: visit.starts_at)
    assert [(row.customer_id, row.starts_on, row.status) for row in visits] == [
        ("ann@example.com", date(2026, 1, 2), "no_show"),
        ("ann@example.com", date(2026, 3, 2), "completed"),
        ("Cora@example.com", date(2026, 3, 15), "booked"),
    ]


# As programs without a preset write their exports
JANE = PlainSheet(
    "CA",
    (
        "Appointment ID,Patient Number,Patient Name,Staff Member,Treatment,Start At,End At,Status,No Show,Price",
        "9001,101,Ada Quill,Dr. Lee,Massage,2026-01-02 10:00,2026-01-02 11:00,Arrived,No,110.00",
        "9002,102,Zoë Nowak,Dr. Lee,Physio,2026-02-02 10:00,2026-02-02 11:00,No Show,Yes,95.00",
        "9003,101,Ada Quill,Dr. Lee,Massage,2026-12-02 10:00,2026-12-02 11:00,Booked,No,110.00",
    ),
)
SQUARESPACE = PlainSheet(
    "US",
    (
        "Order ID,Email,Financial Status,Total,Created at,Lineitem name,Billing Name,Billing Address1,Billing City,"
        "Billing Zip,Billing Province,Billing Country",
        "00101,ann@example.com,PAID,45.50,2026-03-02 12:05:09 -0500,Soap,Ann Baker,"
        "27 Orchard Ter,Burlington,05401,VT,US",
        "00101,ann@example.com,,,,Candle,,,,,,",
        "00102,ben@example.com,PAID,25.50,2026-03-06 08:00:00 -0500,Candle,Ben Dunn,1 Main St,Barre,05641,VT,US",
    ),
)
ZOHO = PlainSheet(
    "US",
    (
        "Record Id,Contact Owner.id,Contact Owner,First Name,Last Name,Email,Mobile,Mailing Street,Mailing City,"
        "Mailing State,Mailing Zip,Mailing Country,Email Opt Out,Created Time",
        "zcrm_1,zcrm_9,Nora,Ann,Baker,ann@example.com,802-555-0142,27 Orchard Ter,Burlington,VT,05401,United States,"
        "true,2021-05-02 14:03:11",
    ),
)
PIPEDRIVE = PlainSheet(
    "US",
    (
        "Person - ID,Person - Name,Person - First name,Person - Last name,Person - Email - Work,"
        "Person - Phone - Mobile,Person - Person created,Deceased",
        "1,Ann Baker,Ann,Baker,ann@example.com,802-555-0142,2021-05-02 14:03:11,No",
    ),
)


@pytest.mark.parametrize(
    "sheet", [JANE, SQUARESPACE, ZOHO, PIPEDRIVE], ids=["jane", "squarespace", "zoho", "pipedrive"]
)
def test_an_export_of_a_program_without_a_preset_comes_in_by_its_draft_as_it_is(
    theirs: TheirFiles, sheet: PlainSheet
) -> None:
    take_draft(theirs, sheet)
    numbers = {
        "101": "Ada",
        "102": "Zoë",
        "zcrm_1": "Ann",
        "1": "Ann",
        "ann@example.com": "Ann",
        "ben@example.com": "Ben",
    }
    people = [(row.customer_id, row.given_name) for row in stored(theirs.engine, Customer)]
    assert people == [(id_, numbers[id_]) for id_, _ in people] != []


def test_the_further_lines_of_an_order_empty_nothing_and_are_no_visits(theirs: TheirFiles) -> None:
    take_draft(theirs, SQUARESPACE)
    assert [row.address_line1 for row in stored(theirs.engine, Customer)] == ["27 Orchard Ter", "1 Main St"]
    assert [(row.visit_id, row.starts_on) for row in stored(theirs.engine, Visit)] == [
        ("00101", date(2026, 3, 2)), ("00102", date(2026, 3, 6))]  # fmt: skip


def test_a_column_that_may_hold_an_opt_out_is_named_and_a_yes_or_no_is_no_day(tmp_path: Path) -> None:
    words = draft_of(tmp_path, replace(ZOHO, lines=(ZOHO.lines[0], ZOHO.lines[1].replace("true", "since May"))))
    assert "# UNSURE: Email Opt Out may say who wants to hear nothing" in words
    assert "died_on" not in draft_of(tmp_path, PIPEDRIVE)


# As a clinic's system writes its export

VISITS = PlainSheet(
    "AU",
    (
        "Appointment ID,Patient ID,Patient,Starts at,Arrived,Did not arrive,Cancelled at",
        "v1,1,Ada Quill,13/01/2026 2:15 pm,Yes,,",
        "v2,2,Bo Dunn,14/01/2026 2:15 pm,,Yes,",
        "v3,2,Bo Dunn,15/01/2026 2:15 pm,,,14/01/2026",
        "v4,1,Ada Quill,16/01/2026 2:15 pm,,Yes,15/01/2026",
        "v5,1,Ada Quill,13/12/2026 2:15 pm,,,",
    ),
)
INVOICES = PlainSheet(
    "AU",
    (
        "Invoice number,Issue date,Due date,Patient ID,Patient,Total (inc tax),Tax,Amount paid,Outstanding,Status",
        'i1,13/01/2026,27/01/2026,1,Ada Quill,"$1,250.00",$0.00,$250.00,"$1,000.00",Outstanding',
        "i2,14/01/2026,28/01/2026,2,Bo Dunn,$95.00,$0.00,$95.00,$0.00,Paid",
    ),
    "AUD",
)
PATIENTS = PlainSheet(
    "AU",
    (
        "Patient ID,First name,Last name,Email,Marketing consent,Do not call,Created",
        "1,Ada,Quill,ada@example.com,Yes,,20 Nov 2022",
        "2,Bo,Dunn,bo@example.com,No,1,21 Nov 2022",
        "3,Cy,Lee,,,0,22 Nov 2022",
    ),
)


def test_visits_have_the_state_that_one_of_several_columns_says(theirs: TheirFiles) -> None:
    take_draft(theirs, VISITS)
    assert {row.visit_id: row.status for row in stored(theirs.engine, Visit)} == {
        "v1": "completed", "v2": "no_show", "v3": "cancelled", "v4": "cancelled", "v5": "booked"}  # fmt: skip


@pytest.mark.parametrize(
    ("header", "cells", "states"),
    [
        ("No show,Canceled", ["N,N", "Y,N", "N,Y"], ["completed", "no_show", "cancelled"]),
        ("DNA,Cancellation date", ["0,", "1,", "0,2026-01-01"], ["completed", "no_show", "cancelled"]),
        ("Attended,Missed", ["TRUE,FALSE", "FALSE,TRUE", "FALSE,FALSE"], ["completed", "no_show", "booked"]),
        ("Checked in,Cancelled", ["2026-01-01 10:00,", ",", ","], ["completed", "booked", "booked"]),
        ("Status,No show", ["booked,No", "completed,Yes", "cancelled,No"], ["booked", "no_show", "cancelled"]),
    ],
)
def test_the_columns_of_states_may_have_other_names_and_values(
    theirs: TheirFiles, header: str, cells: list[str], states: list[str]
) -> None:
    rows = [f"v{number},c1,2026-01-0{number + 1},{each}" for number, each in enumerate(cells)]
    take_draft(theirs, PlainSheet("US", (f"Visit ID,Customer ID,Visit date,{header}", *rows)))
    visits = sorted(stored(theirs.engine, Visit), key=lambda visit: visit.visit_id)
    assert [visit.status for visit in visits] == states


def test_where_no_column_says_who_came_the_status_is_marked(tmp_path: Path) -> None:
    (line,) = unsure_of(tmp_path, "Visit ID,Customer ID,Visit date,No show", "v1,c1,2026-01-01,Yes")
    assert line.endswith("# UNSURE: no column says who came; a visit still ahead counts as completed too")


def test_the_amount_of_an_invoice_is_known_by_the_beginning_of_its_name(theirs: TheirFiles) -> None:
    take_draft(theirs, INVOICES)
    with reading(theirs.engine) as session:
        assert find_balances(session, date(2026, 3, 10)) == {"1": "1000.00"}


@pytest.mark.parametrize("name", ["Total tax", "Amount outstanding", "Gross balance", "Total ex GST", "Total visits"])
def test_another_amount_is_not_taken_for_that_of_the_invoice(tmp_path: Path, name: str) -> None:
    lines = (f"Invoice No,Customer ID,Invoice Date,Due Date,{name}", "i1,c1,2026-01-01,2026-02-01,5.00")
    assert "invoices" not in draft_of(tmp_path, PlainSheet("US", lines))


def test_a_yes_is_a_consent_and_a_no_a_withdrawal_and_an_empty_cell_is_neither(theirs: TheirFiles) -> None:
    take_draft(theirs, PATIENTS)
    said = {(row.customer_id, row.channel, row.purpose, row.state) for row in stored(theirs.engine, Consent)}
    marketing = {(who, channel, "marketing", state) for who, state in (("1", "granted"), ("2", "withdrawn"))
                 for channel in ("letter", "email", "text")}  # fmt: skip
    assert said == marketing | {("2", "call", purpose, "withdrawn") for purpose in ("service", "marketing")}


@pytest.mark.parametrize(
    ("name", "channels", "is_refusal"),
    [
        ("OK to e-mail?", '["email"]', False),
        ("Email opt-in", '["email"]', False),
        ("SMS marketing", '["text"]', False),
        ("Accepts calls", '["call"]', False),
        ("Consent to post", '["letter"]', False),
        ("Unsubscribed", '["letter", "email", "text", "call"]', True),
        ("Do not contact", '["letter", "email", "text", "call"]', True),
        ("Email Opt Out", '["email"]', True),
    ],
)
def test_the_name_of_a_column_of_consent_says_the_channel_and_whether_yes_is_a_no(
    tmp_path: Path, name: str, channels: str, is_refusal: bool
) -> None:
    words = draft_of(tmp_path, PlainSheet("US", (f"Customer ID,First Name,{name}", "c1,Ann,y")))
    assert f"for_each = {{ channel = {channels}" in words
    assert ("granted" not in words) is is_refusal
    assert words.count("UNSURE: taken for") == 1


def test_a_yes_to_reminders_is_no_consent(tmp_path: Path) -> None:
    words = draft_of(tmp_path, PlainSheet("US", ("Customer ID,First Name,Email notifications", "c1,Ann,Yes")))
    assert "consents" not in words.replace("a table of consents", "")


@pytest.mark.parametrize(("name", "is_marked"), [("Created", True), ("Date added", True), ("Client since", False)])
def test_the_day_on_which_a_record_was_made_is_marked(tmp_path: Path, name: str, is_marked: bool) -> None:
    marks = unsure_of(tmp_path, f"Customer ID,First Name,{name}", "c1,Ann,2020-05-13")
    assert [line.startswith("customer_since") for line in marks] == [True] * is_marked


# What is unsure is marked


def unsure_of(folder: Path, *lines: str, country: str = "US") -> list[str]:
    """The lines of the draft that are marked."""
    return [line for line in draft_of(folder, PlainSheet(country, lines)).splitlines()[2:] if UNSURE in line]


def test_a_sheet_that_leaves_nothing_open_has_no_mark(tmp_path: Path) -> None:
    lines = ("Customer ID,First Name,Date of Birth", "c1,Ann,12/24/1980")
    assert unsure_of(tmp_path, *lines) == []


@pytest.mark.parametrize(("country", "written"), [("US", "MM/DD/YYYY"), ("GB", "DD/MM/YYYY")])
def test_dates_of_which_nobody_can_tell_the_month_are_read_as_the_country_writes_and_marked(
    tmp_path: Path, country: str, written: str
) -> None:
    (line,) = unsure_of(tmp_path, "Customer ID,First Name,Date of Birth", "c1,Ann,03/04/1980", country=country)
    assert line == f'dates = ["{written}"] # UNSURE: 3/4 may be in March or in April; so your country writes it'


def test_one_date_that_can_only_be_read_one_way_settles_all_of_them(tmp_path: Path) -> None:
    lines = ("Customer ID,First Name,Date of Birth", "c1,Ann,03/04/1980", "c2,Bo,25/04/1980")
    assert unsure_of(tmp_path, *lines) == []
    assert 'dates = ["DD/MM/YYYY"]' in draft_of(tmp_path, PlainSheet("US", lines))


def test_one_column_of_dates_settles_another(tmp_path: Path) -> None:
    lines = ("Customer ID,First Name,Date of Birth,Joined", "c1,Ann,03/04/1980,01/25/2020")
    assert unsure_of(tmp_path, *lines, country="GB") == []
    assert 'dates = ["MM/DD/YYYY"]' in draft_of(tmp_path, PlainSheet("GB", lines))


@pytest.mark.parametrize(
    ("header", "row", "marks"),
    [
        ("First Name,Last Name,Email", "Ann,Lee,a@x.example",
         ["# UNSURE: the file has no number of a customer; Email stands for it"]),
        ("Name,Town,Street", "Ann Lee,Barre,1 Elm",
         ["# UNSURE: the file has no number of a customer; Name stands for it"]),
        ("First Name,Last Name,Town", "Ann,Lee,Barre",
         ['customer_id = "?" # UNSURE: no column seems to hold it, and a row cannot do without it']),
        ("Customer ID,Invoice Date,Due Date,Amount", "c1,2026-01-01,2026-02-01,5",
         ['invoice_id = { columns = ["Customer ID", "Invoice Date"] } # UNSURE: the file has no number of an invoice']),
        ("Customer ID,Invoice No,Due Date,Amount,Status", "c1,i1,2026-02-01,5,sent",
         ['issued_on = "Due Date" # UNSURE: the file does not say when it was written',
          'status = "Status" # UNSURE: see which words the file has; docs/data.md lists ours']),
        ("Customer ID,Invoice No,Invoice Date,Due Date,Amount,Paid", "c1,i1,2026-01-01,2026-02-01,5,5",
         ['paid_on = "Invoice Date" # UNSURE: the file does not say when it was paid']),
        ("Customer ID,Invoice No,Invoice Date,Due Date,Amount,Paid,Date Paid",
         "c1,i1,2026-01-01,2026-02-01,5,5,2026-01-09", []),
        ("Customer ID,Visit Date,Status", "c1,2026-01-01,done",
         ['visit_id = { columns = ["Customer ID", "Visit Date"] } # UNSURE: the file has no number of a visit',
          'status = "Status" # UNSURE: see which words the file has; docs/data.md lists ours']),
    ],
)  # fmt: skip
def test_what_the_file_does_not_say_is_marked(tmp_path: Path, header: str, row: str, marks: list[str]) -> None:
    assert unsure_of(tmp_path, header, row) == marks


def test_columns_that_were_not_used_are_listed_and_files_without_known_ones_told_of(tmp_path: Path) -> None:
    assert "# Not used: Shoe size, Hat" in draft_of(
        tmp_path, PlainSheet("US", ("Customer ID,First Name,Shoe size,Hat", "c1,Ann,7,top"))
    )
    words = draft_of(tmp_path, PlainSheet("US", ("Shoe size,Hat,Glove", "7,top,left")))
    assert "# plain.csv was left out: no column of it is known here. It has Shoe size, Hat, Glove" in words
    assert "[[file]]" not in words


def test_a_draft_of_several_sheets_has_a_part_for_each(tmp_path: Path) -> None:
    people = [["Customer ID", "First\nName", "Shoe\nsize"], ["c1", "Ann", 7]]
    bills = [["Invoice No", "Customer ID", "Invoice Date", "Due Date", "Amount"],
             ["i1", "c1", date(2026, 1, 1), date(2026, 2, 1), 5.5]]  # fmt: skip
    write_workbook(tmp_path / "book.xlsx", People=people, Bills=bills)
    words = draft_mapping(read_sheets(open_origin(str(tmp_path))), "US")
    mapping = read_words(tmp_path, words)
    assert {file.name[0] for file in mapping.file} == {"book.xlsx#Bills", "book.xlsx#People"}
    assert "# Not used: Shoe size" in words, "a name of two lines stands on one in a comment"


def test_a_name_that_would_be_a_pattern_is_still_the_name_of_its_file(theirs: TheirFiles) -> None:
    theirs.put("export [1].csv", "Customer ID,First Name,Town", "c1,Ann,Barre")
    theirs.put("export 1.csv", "Something else")
    words = draft_mapping(read_sheets(open_origin(str(theirs.folder))), "US")
    assert [file.file for file in theirs.take(words).files] == ["export [1].csv"]


def test_a_draft_that_nobody_looked_at_is_spoken_of_when_it_is_imported(theirs: TheirFiles) -> None:
    report = theirs.take(draft_of(theirs.folder, INVOICES))
    assert report.remarks[0] == "mapping.toml has 2 lines marked UNSURE: look at them first"
    assert not any("UNSURE" in line for line in theirs.take(draft_of(theirs.folder, VISITS)).remarks)


# Formats


@pytest.mark.parametrize(
    ("values", "country", "found"),
    [
        (["2026-01-05", "2026-01-06T10:00"], "US", ("", False)),
        (["05.01.2026", "31.01.2026"], "US", ("DD.MM.YYYY", False)),
        (["5 Jan 2026"], "US", ("DD Mon YYYY", False)),
        (["Jan 25, 2026"], "DE", ("Mon DD, YYYY", False)),
        (["20260125"], "US", ("YYYYMMDD", False)),
        (["46000", "46001.5"], "US", ("excel", False)),
        (["1/25/26"], "US", ("MM/DD/YY", False)),
        (["1/25/2026 2:30 PM"], "US", ("MM/DD/YYYY hh:mm AM", False)),
        (["1/2/2026"], "US", ("MM/DD/YYYY", True)),
        (["1/2/2026"], "FR", ("DD/MM/YYYY", True)),
        (["1/25/2026", "n/a"], "FR", ("MM/DD/YYYY", False)),
        (["soon", "later"], "US", ("", False)),
        ([], "US", ("", False)),
    ],
)
def test_the_format_of_dates_is_found(values: list[str], country: str, found: tuple[str, bool]) -> None:
    assert find_formats(values, country) == found


@pytest.mark.parametrize(
    ("values", "decimal"),
    [(["1.50", "20"], "."), (["1,50", "20"], ","), (["1.234,50"], ","), (["1,234.50"], "."), (["20"], "."), ([], "."),
     (["1,50", "2,50", "n/a", "3.5"], ",")],
)  # fmt: skip
def test_the_decimal_mark_is_found(values: list[str], decimal: str) -> None:
    assert find_decimal(values) == decimal


# Whatever stands in a sheet

LIKELY_NAMES = st.sampled_from(
    ["Customer ID", "Name", "E-Mail", "Invoice No", "Due Date", "Amount", "Paid", "Balance", "Status", "Visit Date",
     "Country", "DOB", "Visit ID", "Arrived", "No show", "Cancelled at", "OK to e-mail?", "Do not call",
     'Say "when"', "back\\slash", "two\nlines", "Kunde\tseit", "", "\x7f", "#", "]]"]
)  # fmt: skip
CELLS = st.text(max_size=12) | st.sampled_from(["1/2/2026", "5,50", "2026-01-01", "Yes", "no"])


@given(
    header=st.lists(LIKELY_NAMES | st.text(max_size=10), min_size=1, max_size=8),
    rows=st.lists(st.lists(CELLS, max_size=8), max_size=4),
    country=st.sampled_from(["US", "DE"]),
    has_titles=st.booleans(),
)
def test_a_draft_of_any_sheet_is_a_mapping_that_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, header: list[str], rows: list[list[str]], country: str, has_titles: bool
) -> None:
    words = draft_mapping([SheetSample("any.csv", header, rows, has_titles)], country)
    written = tomllib.loads(words)
    if "file" in written:
        (file,) = read_words(tmp_path_factory.getbasetemp(), words).file
        assert file.name == ["any.csv"]


# The command


def test_the_command_writes_a_draft_into_a_new_file_and_never_over_one(tmp_path: Path) -> None:
    data, to = tmp_path / "plain.csv", tmp_path / "draft.toml"
    data.write_text("\n".join(LEDGER.lines), encoding="utf-8")
    first = CliRunner().invoke(app, ["mapping", "draft", str(data), "--to", str(to)])
    assert (first.exit_code, to.read_text(encoding="utf-8").startswith("# A draft")) == (0, True)
    assert f"outreach import {data} --mapping {to} --look" in " ".join(first.output.split())
    again = CliRunner().invoke(app, ["mapping", "draft", str(data), "--to", str(to)])
    assert again.exit_code == 1


def test_the_command_shows_a_draft_and_says_where_there_is_nothing_to_draft(tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text("\n".join(LEDGER.lines), encoding="utf-8")
    shown = CliRunner().invoke(app, ["mapping", "draft", str(tmp_path)])
    assert (shown.exit_code, 'invoice_id = "Invoice No"' in shown.output) == (0, True)
    (tmp_path / "plain.csv").write_text("")
    assert CliRunner().invoke(app, ["mapping", "draft", str(tmp_path)]).exit_code == 1


def test_the_command_prints_a_preset_or_the_names_of_all() -> None:
    shown = CliRunner().invoke(app, ["mapping", "show", "stripe"])
    assert (shown.exit_code, 'into = "customers"' in shown.output) == (0, True)
    listed = CliRunner().invoke(app, ["mapping", "show"]).output
    assert "stripe" in listed
    assert "open_dental" in listed
    assert CliRunner().invoke(app, ["mapping", "show", "strip"]).exit_code == 1
