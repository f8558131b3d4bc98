"""Where customer data comes from: zips, gzips, workbooks with several sheets, single files, databases of SQLite."""

import gzip
import os
import shutil
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from exports import Export
from intake_data import refusal_of, stored, write
from mapped import TheirFiles
from outreach.database import open_database
from outreach.errors import SourceUnreadable
from outreach.intake.mapping.files import read_preset
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_data
from outreach.intake.sources import archives, spreadsheets
from outreach.intake.sources.archives import list_members, unpack_gzip, unpack_member
from outreach.intake.sources.csv_files import Layout
from outreach.intake.sources.origins import Folder
from outreach.intake.sources.places import open_origin
from outreach.intake.sources.spreadsheets import list_sheets, open_sheet
from outreach.models import Customer, Invoice, Payment
from outreach.settings import Settings
from workbook import write_workbook

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
CUSTOMERS = "customer_id,given_name\nc1,Zoë\nc2,Bo\n"


@pytest.fixture
def theirs(tmp_path: Path, sqlite_engine: Engine, settings: Settings) -> TheirFiles:
    folder = tmp_path / "theirs"
    folder.mkdir()
    return TheirFiles(folder, sqlite_engine, settings, NOW)


def take(theirs: TheirFiles, source: Path) -> ImportReport:
    """Imports one place in our own format."""
    return import_data(theirs.engine, open_origin(str(source)), theirs.settings, NOW)


def names(theirs: TheirFiles) -> list[tuple[str, str | None]]:
    return [(row.customer_id, row.given_name) for row in stored(theirs.engine, Customer)]


def pack(path: Path, **members: str) -> Path:
    """Makes a zip of these files; of their names, `__` stands for a slash."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return path


# Zip


@pytest.mark.parametrize("is_named", [True, False])
def test_a_zip_is_read_as_the_folder_that_was_packed(theirs: TheirFiles, is_named: bool) -> None:
    path = pack(theirs.folder / "all.zip", **{"customers.csv": CUSTOMERS, "export__visits.csv": "visit_id\n"})
    report = take(theirs, path if is_named else theirs.folder)
    assert names(theirs) == [("c1", "Zoë"), ("c2", "Bo")]
    assert [file.file for file in report.files] == ["all.zip/customers.csv", "all.zip/export/visits.csv"]


def test_a_part_of_a_mapping_finds_its_file_in_a_zip(theirs: TheirFiles) -> None:
    pack(theirs.folder / "all.zip", **{"deep__in__people 3.csv": "No\n7\n", "other.csv": "No\n8\n"})
    words = '[[file]]\nname = "people*.csv"\n[[file.table]]\ninto = "customers"\ncolumns = { customer_id = "No" }'
    report = theirs.take(words)
    assert names(theirs) == [("7", None)]
    assert list(report.ignored) == ["all.zip/other.csv"]


def test_what_a_mac_adds_to_a_zip_is_no_data(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("customers.csv", "__MACOSX/._customers.csv", ".DS_Store", "a/.hidden/x.csv", "a/"):
            archive.writestr(name, "")
    assert list_members(path) == ["customers.csv"]


def test_a_zip_in_which_a_workbook_lies(theirs: TheirFiles) -> None:
    write_workbook(theirs.folder / "book.xlsx", Sheet1=[["No"], ["7"]])
    with zipfile.ZipFile(theirs.folder / "all.zip", "w") as archive:
        archive.write(theirs.folder / "book.xlsx", "book.xlsx")
    (theirs.folder / "book.xlsx").unlink()
    theirs.take('[[file]]\nname = "book.xlsx"\n[[file.table]]\ninto = "customers"\ncolumns = { customer_id = "No" }')
    assert names(theirs) == [("7", None)]


def test_a_member_whose_name_climbs_out_of_the_zip_is_not_listed_and_unpacked_inside(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../customers.csv", CUSTOMERS)
    assert list_members(path) == []
    with unpack_member(path, "../../customers.csv") as unpacked:
        assert (unpacked.name, unpacked.read_text()) == ("customers.csv", CUSTOMERS)
        assert tmp_path.parent not in unpacked.parents
    assert not unpacked.exists()


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that a test can reach without filling a disk."""
    monkeypatch.setattr(archives, "ALLOWED", 1 << 16)
    monkeypatch.setattr(archives, "CHUNK", 1 << 10)


BOMB = "customer_id\n" + "c1\n" * 400_000
TOO_LARGE = "it would become far larger than any file of customers"


@pytest.mark.usefixtures("narrow")
def test_a_zip_that_grows_beyond_all_measure_is_refused_while_it_grows(theirs: TheirFiles) -> None:
    pack(theirs.folder / "all.zip", **{"customers.csv": BOMB, "visits.csv": "visit_id,customer_id,starts_at\n"})
    report = take(theirs, theirs.folder)
    assert [(row.file, row.reason.partition(";")[0]) for row in report.refusals] == [
        ("all.zip/customers.csv", TOO_LARGE)]  # fmt: skip
    assert [file.file for file in report.files] == ["all.zip/customers.csv", "all.zip/visits.csv"]
    assert stored(theirs.engine, Customer) == []


@pytest.mark.usefixtures("narrow")
def test_a_gzip_that_grows_beyond_all_measure_is_refused_while_it_grows(theirs: TheirFiles) -> None:
    (theirs.folder / "customers.csv.gz").write_bytes(gzip.compress(BOMB.encode()))
    assert refusal_of(take(theirs, theirs.folder))[2].startswith(TOO_LARGE)


def test_what_a_bomb_had_become_is_thrown_away(tmp_path: Path, narrow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    path = pack(tmp_path / "all.zip", **{"customers.csv": BOMB})
    with pytest.raises(SourceUnreadable, match=TOO_LARGE), unpack_member(path, "customers.csv"):
        pytest.fail("it was unpacked")
    assert list(folder.iterdir()) == []


def test_ordinary_text_that_packs_well_is_no_bomb(theirs: TheirFiles) -> None:
    rows = "".join(f"c{number},Ann\n" for number in range(2000))
    pack(theirs.folder / "all.zip", **{"customers.csv": f"customer_id,given_name\n{rows}"})
    assert take(theirs, theirs.folder).accepted == 2000


def test_a_zip_of_very_many_files_is_not_gone_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    path = pack(tmp_path / "all.zip", a="", b="", c="")
    with pytest.raises(SourceUnreadable, match=r"all\.zip holds more than 2 files"):
        list_members(path)


def test_a_zip_that_is_broken_stops_no_other_file(theirs: TheirFiles) -> None:
    (theirs.folder / "all.zip").write_bytes(b"PK and then nothing")
    theirs.put("customers.csv", "customer_id", "c1")
    report = take(theirs, theirs.folder)
    assert (names(theirs), report.ignored) == ([("c1", None)], {"all.zip": []})


def lock(path: Path) -> None:
    """Marks the members of a zip as those that need a password."""
    content = bytearray(path.read_bytes())
    # https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT: the first bit of the flags, at these places.
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        content[at + place] |= 1
    path.write_bytes(content)


def test_a_member_with_a_password_is_refused_with_what_to_do(theirs: TheirFiles) -> None:
    lock(pack(theirs.folder / "all.zip", **{"customers.csv": CUSTOMERS}))
    assert "unpack it by hand, and import the folder" in refusal_of(take(theirs, theirs.folder))[2]


def test_what_goes_wrong_with_whoever_reads_a_member_is_no_fault_of_the_archive(tmp_path: Path) -> None:
    path = pack(tmp_path / "all.zip", **{"customers.csv": CUSTOMERS})
    (tmp_path / "customers.csv.gz").write_bytes(gzip.compress(CUSTOMERS.encode()))
    with pytest.raises(KeyError, match="their own"), unpack_member(path, "customers.csv"):
        raise KeyError("their own")
    with pytest.raises(EOFError, match="their own"), unpack_gzip(tmp_path / "customers.csv.gz"):
        raise EOFError("their own")


# Gzip


def test_a_gzip_is_read_as_the_file_that_was_packed(theirs: TheirFiles) -> None:
    (theirs.folder / "customers.csv.gz").write_bytes(gzip.compress(CUSTOMERS.encode()))
    assert take(theirs, theirs.folder).accepted == 2
    words = '[[file]]\nname = "customers.csv.gz"\n[[file.table]]\ninto = "customers"\n'
    report = theirs.take(words + 'columns = { customer_id = "customer_id" }')
    assert [(file.file, file.same) for file in report.files] == [("customers.csv.gz", 2)]


# Named here: a gzip holds the second in which it was made, and would have another name in each process of a run.
@pytest.mark.parametrize(
    "content",
    [b"no gzip at all", gzip.compress(CUSTOMERS.encode() * 99)[:-40], b""],
    ids=["no gzip", "cut short", "empty"],
)
def test_a_gzip_that_is_broken_is_refused(theirs: TheirFiles, content: bytes) -> None:
    (theirs.folder / "customers.csv.gz").write_bytes(content)
    line, column, reason = refusal_of(take(theirs, theirs.folder))
    assert (line, column) == (1, "")
    assert "no whole gzip file" in reason or "it is empty" in reason


# Workbooks


def test_quickbooks_workbooks_say_what_its_csv_files_say(shared: Path, tmp_path: Path, sqlite_pattern: Path) -> None:
    export = Export(shared / "data" / "exports" / "quickbooks")
    read = [_take_ending(export, ending, tmp_path, sqlite_pattern) for ending in (".csv", ".xlsx")]
    assert read[0] == read[1]
    assert len(read[0][0]) == 40


def _take_ending(export: Export, ending: str, folder: Path, pattern: Path) -> list[list[dict[str, object]]]:
    """Imports the files of one ending, alone, and reads back all that they say."""
    source = folder / ending
    source.mkdir()
    for path in export.folder.glob(f"*{ending}"):
        shutil.copyfile(path, source / path.name)
    shutil.copyfile(pattern, folder / f"{ending}.db")
    engine = open_database(f"sqlite:///{folder / ending}.db")
    export.take_into(engine, str(source))
    rows = [[row.model_dump() for row in stored(engine, model)] for model in (Customer, Invoice, Payment)]
    engine.dispose()
    return rows


HALF_PAST_TWO = datetime.combine(date(2026, 3, 10), time(14, 30))
CELLS = ["text", 7, 7.5, True, date(2026, 3, 10), HALF_PAST_TWO, timedelta(hours=9), None,
         "=A1&B1 gives text7", " spaced "]  # fmt: skip
WRITTEN = ["text", "7", "7.5", "true", "2026-03-10", "2026-03-10T14:30:00", "09:00:00", "", "text7", " spaced "]


def test_each_kind_of_cell_is_written_as_in_a_csv_file(tmp_path: Path) -> None:
    header = [f"c{number}" for number in range(len(CELLS))]
    write_workbook(tmp_path / "book.xlsx", Only=[header, CELLS])
    with open_sheet(tmp_path / "book.xlsx", "Only", Layout()) as source:
        (row,) = source.rows
    assert (source.header, row.cells, row.line) == (header, WRITTEN, 2)


@pytest.fixture
def book(theirs: TheirFiles) -> Path:
    """A workbook with two of our tables, a sheet of notes, and an empty one."""
    path = theirs.folder / "Book 1.xlsx"
    customers = [
        ["customer_id", "given_name"],
        ["c1", "Zoë"],
        [],
        ["c2", "Bo", None, "a remark at the side"],
        [None, "Di"],
    ]
    visits = [["visit_id", "customer_id", "starts_at"], ["v1", "c1", HALF_PAST_TWO]]
    write_workbook(path, Notes=[["nothing"]], Customers=customers, visits=visits, Empty=[])
    return path


def test_the_sheets_of_a_workbook_are_files_of_their_own(theirs: TheirFiles, book: Path) -> None:
    report = take(theirs, theirs.folder)
    assert [(file.file, file.accepted, file.refused) for file in report.files] == [
        ("Book 1.xlsx#Customers", 2, 1), ("Book 1.xlsx#visits", 1, 0)]  # fmt: skip
    # A row has its number in the sheet, also behind an empty one.
    assert refusal_of(report)[:2] == (5, "customer_id")
    unused = {"Book 1.xlsx#Customers": ["(column 3)", "(column 4)"], "Book 1.xlsx#Notes": []}
    assert report.ignored == unused, "what stands at the side is told of"
    assert list_sheets(book) == ["Notes", "Customers", "visits"], "an empty sheet is none"


@pytest.mark.parametrize("name", ["Book 1.xlsx#Customers", "*#Customers"])
def test_a_mapping_names_a_sheet_behind_its_book(theirs: TheirFiles, book: Path, name: str) -> None:
    words = (
        f'[[file]]\nname = "{name}"\n[[file.table]]\ninto = "customers"\ncolumns = {{ customer_id = "customer_id" }}'
    )
    assert [file.file for file in theirs.take(words).files] == ["Book 1.xlsx#Customers"]


def test_the_only_sheet_of_a_workbook_has_the_name_of_its_file(theirs: TheirFiles) -> None:
    write_workbook(theirs.folder / "customers.xlsx", Tabelle1=[["customer_id"], ["c1"]])
    assert [file.file for file in take(theirs, theirs.folder).files] == ["customers.xlsx"]


def test_the_header_of_a_sheet_may_stand_below_a_title(theirs: TheirFiles) -> None:
    rows = [["Alder Lane"], [], [None, "No", "First"], [None, "7", "Ann"], [None, 8, "Bo"]]
    write_workbook(theirs.folder / "report.xlsx", Sheet1=rows)
    columns = 'columns = { customer_id = "No", given_name = "First" }'
    theirs.take(f'[[file]]\nheader_has = ["No", "First"]\n[[file.table]]\ninto = "customers"\n{columns}')
    assert names(theirs) == [("7", "Ann"), ("8", "Bo")]


def test_a_workbook_that_would_need_too_much_memory_is_refused_before_it_is_opened(
    theirs: TheirFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_workbook(theirs.folder / "customers.xlsx", Sheet1=[["customer_id"], *[["c1"]] * 5000])
    assert (theirs.folder / "customers.xlsx").stat().st_size < 1 << 16
    monkeypatch.setattr(spreadsheets, "LARGEST", 1 << 16)
    assert "it would become larger than" in refusal_of(take(theirs, theirs.folder))[2]


@pytest.mark.parametrize("content", [b"no workbook", b"PK\x03\x04 torn", b""])
@pytest.mark.parametrize("name", ["customers.xlsx", "customers.xls", "customers.ods"])
def test_a_workbook_that_is_broken_is_refused_with_what_to_do(theirs: TheirFiles, name: str, content: bytes) -> None:
    (theirs.folder / name).write_bytes(content)
    line, column, reason = refusal_of(take(theirs, theirs.folder))
    assert (line, column) == (1, "")
    assert reason == "it is no workbook that can be read; save it as CSV UTF-8 or .xlsx"


def test_a_zip_that_calls_itself_a_workbook_is_none(theirs: TheirFiles) -> None:
    pack(theirs.folder / "customers.xlsx", **{"customers.csv": CUSTOMERS})
    assert "it is no workbook that can be read" in refusal_of(take(theirs, theirs.folder))[2]


def test_a_workbook_whose_sheets_are_empty_is_refused(theirs: TheirFiles) -> None:
    write_workbook(theirs.folder / "customers.xlsx", Sheet1=[], Sheet2=[])
    assert refusal_of(take(theirs, theirs.folder))[2] == "it has no sheet with anything in it"


# Whatever else may be named


@pytest.mark.parametrize("name", ["customers.csv.gz", "customers.xlsx", "customers.csv"])
def test_a_pipe_is_refused_and_never_waited_for(theirs: TheirFiles, name: str) -> None:
    os.mkfifo(theirs.folder / name)
    assert "It is a pipe or a device" in refusal_of(take(theirs, theirs.folder))[2]


def test_a_pipe_called_as_a_zip_is_none(theirs: TheirFiles) -> None:
    os.mkfifo(theirs.folder / "all.zip")
    theirs.put("customers.csv", "customer_id", "c1")
    assert take(theirs, theirs.folder).accepted == 1


@pytest.mark.parametrize("name", ["customers.csv", "customers.csv.gz", "customers.xlsx", "all.zip"])
def test_a_single_file_is_read_whatever_lies_beside_it(theirs: TheirFiles, name: str) -> None:
    write(theirs.folder, "visits.csv", ["visit_id", "customer_id", "starts_at"], ["v1", "c1", "2026-01-03"])
    write(theirs.folder, "customers.csv", ["customer_id"], ["c1"])
    (theirs.folder / "customers.csv.gz").write_bytes(gzip.compress(b"customer_id\nc1\n"))
    write_workbook(theirs.folder / "customers.xlsx", Sheet1=[["customer_id"], ["c1"]])
    pack(theirs.folder / "all.zip", **{"customers.csv": "customer_id\nc1\n"})
    report = take(theirs, theirs.folder / name)
    assert [(file.table, file.accepted) for file in report.files] == [("customers", 1)]


# SQLite


def make_sqlite(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE customers (customer_id TEXT, given_name TEXT)")
        connection.execute("INSERT INTO customers VALUES ('c1', 'Zoë')")
        connection.commit()
    return path


@pytest.mark.parametrize("name", ["theirs.db", "theirs.sqlite", "theirs", "with ?odd# name%20.db"])
def test_a_file_of_sqlite_is_known_by_what_it_holds(theirs: TheirFiles, name: str) -> None:
    path = make_sqlite(theirs.folder / name)
    before = path.read_bytes()
    assert [(file.file, file.accepted) for file in take(theirs, path).files] == [("customers", 1)]
    assert path.read_bytes() == before


def test_a_folder_with_nothing_but_a_database_is_that_database(theirs: TheirFiles) -> None:
    make_sqlite(theirs.folder / "theirs.db")
    (theirs.folder / "dump.sql").write_text("CREATE TABLE customers ();")
    assert open_origin(str(theirs.folder)).has_queries
    theirs.put("customers.csv", "customer_id", "c2")
    assert open_origin(str(theirs.folder)) == Folder(theirs.folder), "beside files it is none of them"


def test_of_two_databases_in_a_folder_none_is_chosen(theirs: TheirFiles) -> None:
    for name in ("one.db", "two.db"):
        make_sqlite(theirs.folder / name)
    assert open_origin(str(theirs.folder)) == Folder(theirs.folder)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mongodb://host/shop", "Data is read from PostgreSQL, MySQL, MariaDB and SQLite"),
        ("mysql://host", "Data is read from PostgreSQL"),
        ("mysql+mysqldb://host/shop", "Data is read from PostgreSQL"),
        ("mysql://u:pass-word@host:port/shop", "That is not a database's URL"),
        ("://", "That is not a database's URL"),
    ],
)
def test_a_url_that_cannot_be_read_says_which_can(url: str, told: str) -> None:
    with pytest.raises(SourceUnreadable, match=told) as refused:
        open_origin(url)
    assert "pass-word" not in str(refused.value)


@pytest.mark.parametrize("encoding", ["klingon", "hex", "undefined", "", "a\0b"])
def test_what_is_no_encoding_of_text_is_refused_before_anything_is_read(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(SourceUnreadable, match="is not the name of an encoding"):
        open_origin(str(tmp_path), encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "UTF-16", "cp1250", "latin-1", "mac_roman"])
def test_an_encoding_may_be_named_as_people_write_it(theirs: TheirFiles, encoding: str) -> None:
    (theirs.folder / "customers.csv").write_bytes(CUSTOMERS.replace("ë", "é").encode(encoding))
    import_data(theirs.engine, open_origin(str(theirs.folder), encoding), theirs.settings, NOW)
    assert names(theirs)[0] == ("c1", "Zoé")


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, theirs: TheirFiles) -> None:
    with pytest.raises(SourceUnreadable, match="cannot be opened"):
        take(theirs, tmp_path / "nowhere")


def test_a_preset_of_a_database_says_so_of_a_folder(theirs: TheirFiles) -> None:
    theirs.put("patients.csv", "pid", "1")
    with pytest.raises(SourceUnreadable, match="only a database can answer it"):
        import_data(theirs.engine, Folder(theirs.folder), theirs.settings, NOW, read_preset("openemr"))
