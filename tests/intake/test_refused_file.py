"""The file of refused rows: they stand there as they were, with the reason, and come in once they are mended."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from intake_data import stored, write
from mapped import TheirFiles, read_words
from outreach.commands.main import app
from outreach.database import open_database
from outreach.errors import SettingsError
from outreach.intake.refused_file import WHY, RefusedFile
from outreach.intake.run import import_data
from outreach.intake.sources.places import open_origin
from outreach.models import Customer, Invoice, Payment
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
MAPPING = """
[[file]]
name = ["bills*.csv", "refused*.csv"]
dates = "DD/MM/YYYY"
[[file.table]]
into = "invoices"
columns = { invoice_id = "No", customer_id = "Whose", issued_on = "Day", due_on = "Day", amount = "Sum" }
[[file.table]]
into = "payments"
columns = { payment_id = "No", invoice_id = "No", paid_on = "Day", amount = "Sum" }
"""
HEADER = ["No", "Whose", "Day", "Sum", "Remark"]


@pytest.fixture
def theirs(tmp_path: Path, sqlite_engine: Engine, settings: Settings) -> TheirFiles:
    folder = tmp_path / "theirs"
    folder.mkdir()
    return TheirFiles(folder, sqlite_engine, settings, NOW)


def take(theirs: TheirFiles, to: Path) -> list[Path]:
    """Imports the folder; returns the files of refused rows."""
    refused = RefusedFile(to)
    mapping = read_words(theirs.folder.parent, MAPPING)
    import_data(theirs.engine, open_origin(str(theirs.folder)), theirs.settings, NOW, mapping, refused=refused)
    return refused.close()


def read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_every_row_of_a_group_that_is_refused_stands_in_the_file(theirs: TheirFiles, tmp_path: Path) -> None:
    most = str(2**63 // 100 - 1)
    write(theirs.folder, "lines.csv", ["Order", "Whose", "Day", "Sum"],
          ["o1", "c1", "05/01/2026", most], ["o2", "c1", "05/01/2026", "7.00"], ["o1", "c1", "05/01/2026", most],
          ["o3", "", "05/01/2026", "1.00"])  # fmt: skip
    words = """
[[file]]
name = "lines.csv"
dates = "DD/MM/YYYY"
[[file.table]]
into = "invoices"
one_row_per = "Order"
[file.table.columns]
invoice_id = "Order"
customer_id = "Whose"
issued_on = "Day"
due_on = "Day"
amount = { column = "Sum", take = "sum" }
"""
    refused, mapping = RefusedFile(tmp_path / "mend.csv"), read_words(theirs.folder.parent, words)
    origin = open_origin(str(theirs.folder))
    report = import_data(theirs.engine, origin, theirs.settings, NOW, mapping, refused=refused)
    assert (report.read, report.accepted, report.refused) == (4, 1, 3)
    header, *rows = read(*refused.close())
    assert header[-1] == WHY
    assert [row[0] for row in rows] == ["o3", "o1", "o1"]
    assert {row[-1] for row in rows[1:]} == {"amount: the number is too large"}


def test_refused_rows_stand_in_the_file_as_they_were_each_once_with_its_reason(
    theirs: TheirFiles, tmp_path: Path
) -> None:
    write(theirs.folder, "bills.csv", HEADER, ["i1", "c1", "05/01/2026", "5.00", "a, b"],
          ["i2", "c1", "31/02/2026", "5.00", ' "so" '], ["i3", "c1", "05/01/2026", "five", "two\nlines"],
          ["i4", "c1"])  # fmt: skip
    (path,) = take(theirs, tmp_path / "refused.csv")
    header, second, third, fourth = read(path)
    assert header == [*HEADER, WHY]
    assert second[:5] == ["i2", "c1", "31/02/2026", "5.00", ' "so" ']
    assert second[5].startswith("issued_on: this is not a date that exists")
    assert third == [
        "i3",
        "c1",
        "05/01/2026",
        "five",
        "two\nlines",
        "amount: this is not an amount written like 1234.50",
    ]
    assert fourth == ["i4", "c1", "", "", "", "the row has 2 cells, and the header names 5 columns"]


def test_a_reason_never_repeats_what_stood_in_the_row(theirs: TheirFiles, tmp_path: Path) -> None:
    write(
        theirs.folder,
        "bills.csv",
        HEADER,
        ["i2", "c1", "yesterday", "5.00", ""],
        ["i3", "c1", "05/01/2026", "five", ""],
    )
    (path,) = take(theirs, tmp_path / "refused.csv")
    reasons = " ".join(row[-1] for row in read(path)[1:])
    assert not any(cell in reasons for cell in ("yesterday", "five", "i2", "c1"))


def test_mended_rows_come_in_with_the_same_mapping(theirs: TheirFiles, tmp_path: Path) -> None:
    write(
        theirs.folder,
        "bills.csv",
        HEADER,
        ["i1", "c1", "05/01/2026", "5.00", ""],
        ["i2", "c1", "05/01/2026", "six", ""],
    )
    (path,) = take(theirs, tmp_path / "refused.csv")
    text = path.read_text(encoding="utf-8")
    (theirs.folder / "bills.csv").unlink()
    (theirs.folder / "refused.csv").write_text(text.replace("six", "6.00", 1), encoding="utf-8")
    assert take(theirs, tmp_path / "again.csv") == [], "nothing was refused, and no file was made"
    assert not (tmp_path / "again.csv").exists()
    assert [(row.invoice_id, row.amount) for row in stored(theirs.engine, Invoice)] == [("i1", 500), ("i2", 600)]
    assert [row.payment_id for row in stored(theirs.engine, Payment)] == ["i1", "i2"]


def test_rows_that_are_refused_again_have_one_column_of_reasons(theirs: TheirFiles, tmp_path: Path) -> None:
    write(theirs.folder, "bills.csv", HEADER, ["i2", "c1", "05/01/2026", "six", ""])
    (path,) = take(theirs, tmp_path / "refused.csv")
    (theirs.folder / "bills.csv").write_bytes(path.read_bytes())
    (again,) = take(theirs, tmp_path / "again.csv")
    assert read(again) == read(path)


def test_each_file_of_an_import_has_a_file_of_refused_rows(theirs: TheirFiles, tmp_path: Path) -> None:
    write(theirs.folder, "bills-1.csv", HEADER, ["i1", "c1", "x", "1", ""])
    write(theirs.folder, "bills-2.csv", ["Sum", "Day", "Whose", "No"], ["2", "x", "c1", "i2"])
    paths = take(theirs, tmp_path / "refused.csv")
    assert [path.name for path in paths] == ["refused.csv", "refused-bills-2.csv"]
    assert [read(path)[0] for path in paths] == [[*HEADER, WHY], ["Sum", "Day", "Whose", "No", WHY]]


def test_files_of_one_name_and_sheets_of_one_book_have_files_of_their_own_too(tmp_path: Path) -> None:
    refused = RefusedFile(tmp_path / "refused.csv")
    sources = ["a.zip/x/bills.csv", "a.zip/y/bills.csv", "a.zip/z/bills.csv", "Book.xlsx#North", "Book.xlsx#South"]
    for source in sources:
        refused.add(source, ["No"], 2, ["i1"], "why")
    names = ["refused.csv", "refused-bills.csv", "refused-bills-2.csv", "refused-North.csv", "refused-South.csv"]
    assert [path.name for path in refused.close()] == names


def test_the_file_is_its_owners_alone_and_no_file_is_written_over(theirs: TheirFiles, tmp_path: Path) -> None:
    write(theirs.folder, "bills.csv", HEADER, ["i1", "c1", "x", "1", ""])
    (path,) = take(theirs, tmp_path / "refused.csv")
    assert path.stat().st_mode & 0o077 == 0
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="The refused rows cannot be written to"):
        take(theirs, path)
    assert path.read_bytes() == before


def test_the_command_names_the_file_and_what_was_mended_in_it_comes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data, refused = tmp_path / "data", tmp_path / "refused.csv"
    write(data, "customers.csv", ["customer_id", "given_name", "country"], ["c1", "Ann", "US"], ["c2", "Bo", "Narnia"])
    database = f"sqlite:///{tmp_path / 'ours.db'}"
    options = ["--database", database, "--now", "2026-03-10T15:00Z"]
    first = CliRunner().invoke(app, ["import", str(data), "--refused", str(refused), *options])
    assert first.exit_code == 2
    assert str(refused) in first.output.replace("\n", "")
    (data / "customers.csv").write_text(
        refused.read_text(encoding="utf-8").replace("Narnia", "Norway"), encoding="utf-8"
    )
    assert CliRunner().invoke(app, ["import", str(data), *options]).exit_code == 0
    engine = open_database(database)
    assert [(row.customer_id, row.country) for row in stored(engine, Customer)] == [("c1", "US"), ("c2", "NO")]
    engine.dispose()
