"""The first room: Parquet files, tables of a database, only what changed, and rows that belong to nobody on record."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet
from sqlalchemy import Engine, create_engine, text
from typer.testing import CliRunner

from intake_data import only, refusal_of, stored, write
from outreach.commands.main import app
from outreach.errors import SettingsError, SourceUnreadable
from outreach.intake.changes import read_since
from outreach.intake.mapping.files import read_mapping
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_data
from outreach.intake.sources.csv_files import write_cell
from outreach.intake.sources.database_tables import open_tables
from outreach.intake.sources.origins import Folder
from outreach.models import Customer, Import, Invoice, Payment
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
PASSWORD = "s3cret-pass"


class Theirs:
    """A business's own database, and how we read it."""

    def __init__(self, url: str, engine: Engine, settings: Settings) -> None:
        self.url, self._ours, self._settings = url, engine, settings
        self.engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def take(self, mapping: Path | None = None, since: str | None = None, now: datetime = NOW) -> ImportReport:
        read = read_mapping(mapping) if mapping else None
        changed = read_since(since, self._settings.business.timezone)
        return import_data(self._ours, open_tables(self.url), self._settings, now, read, since=changed)


@pytest.fixture
def theirs(database_url: str, tmp_path: Path, sqlite_engine: Engine, settings: Settings) -> Iterator[Theirs]:
    url = f"sqlite:///{tmp_path / 'theirs.db'}" if database_url.startswith("sqlite") else database_url
    theirs = Theirs(url, sqlite_engine, settings)
    theirs.run(
        "CREATE TABLE customers (customer_id VARCHAR PRIMARY KEY, given_name VARCHAR, email VARCHAR, "
        "customer_since DATE, updated_at TIMESTAMP)",
        "INSERT INTO customers VALUES ('c1', 'Zoë', NULL, '2020-02-29', '2026-03-01 10:00:00'), "
        "('c2', 'Ann', 'ann@home.example', NULL, '2026-03-05 10:00:00')",
    )
    yield theirs
    theirs.engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def write_parquet(path: Path, **columns: list[Any]) -> None:
    parquet.write_table(pyarrow.table(columns), path)


# Parquet


def test_a_parquet_file_is_read_as_the_same_file_in_csv_would_be(
    engine: Engine, settings: Settings, folder: Path
) -> None:
    write_parquet(folder / "customers.parquet", customer_id=[7.0, 8.0], given_name=["Zoë", None],
                  customer_since=[date(2020, 2, 29), None])  # fmt: skip
    write_parquet(folder / "invoices.parquet", invoice_id=["0017"], customer_id=[7],
                  issued_on=[datetime(2026, 1, 1, tzinfo=UTC)], due_on=[date(2026, 2, 1)],
                  amount=[Decimal("55.90")])  # fmt: skip
    report = import_data(engine, Folder(folder), settings, NOW)
    assert (report.read, report.accepted, report.orphans) == (3, 3, {})
    assert [(c.customer_id, c.given_name, c.customer_since) for c in stored(engine, Customer)] == [
        ("7", "Zoë", date(2020, 2, 29)),
        ("8", None, None),
    ]
    assert only(engine, Invoice).amount == 5590


def test_a_row_of_a_parquet_file_is_refused_by_its_number(
    sqlite_engine: Engine, settings: Settings, folder: Path
) -> None:
    ids = [str(number) for number in range(12_000)]
    days = ["2020-01-01"] * 11_000 + ["yesterday"] + ["2020-01-01"] * 999
    write_parquet(folder / "customers.parquet", customer_id=ids, customer_since=days)
    report = import_data(sqlite_engine, Folder(folder), settings, NOW)
    assert (report.read, report.accepted) == (12_000, 11_999)
    assert refusal_of(report)[:2] == (11_001, "customer_since")


def test_a_parquet_file_that_is_broken_stops_no_other_file(
    sqlite_engine: Engine, settings: Settings, folder: Path
) -> None:
    (folder / "customers.parquet").write_bytes(b"PAR1 and then nothing")
    write(folder, "customers.csv", ["customer_id"], ["c1"])
    report = import_data(sqlite_engine, Folder(folder), settings, NOW)
    assert refusal_of(report)[0] == 1
    assert only(sqlite_engine, Customer).customer_id == "c1"


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, ""), (float("nan"), ""), (17.0, "17"), (0.1, "0.1"), (1e-7, "0.0000001"), (True, "true"), (b"abc", "abc"),
     (Decimal("1E+3"), "1000"), (date(2026, 3, 1), "2026-03-01"), (0, "0")],
)  # fmt: skip
def test_a_value_is_written_as_it_would_stand_in_a_csv_file(value: object, written: str) -> None:
    assert write_cell(value) == written


def test_a_single_file_is_imported_like_a_folder_that_holds_it_alone(
    sqlite_engine: Engine, settings: Settings, folder: Path
) -> None:
    write(folder, "customers.csv", ["customer_id"], ["c1"])
    write(folder, "visits.csv", ["visit_id", "customer_id", "starts_at"], ["v1", "c1", "2026-01-03"])
    report = import_data(sqlite_engine, Folder(folder / "customers.csv"), settings, NOW)
    assert [(file.file, file.accepted) for file in report.files] == [("customers.csv", 1)]


# Tables of a database


def test_the_tables_and_views_of_a_database_are_read_as_our_files_are(theirs: Theirs, sqlite_engine: Engine) -> None:
    theirs.run(
        "CREATE VIEW payments AS SELECT 'p1' AS payment_id, 'i1' AS invoice_id, '2026-03-01' AS paid_on, 9.5 AS amount"
    )
    report = theirs.take()
    assert [(f.file, f.read, f.accepted) for f in report.files] == [("customers", 2, 2), ("payments", 1, 1)]
    assert [c.given_name for c in stored(sqlite_engine, Customer)] == ["Zoë", "Ann"]
    assert only(sqlite_engine, Payment).amount == 950
    assert theirs.take().accepted == 3
    assert len(stored(sqlite_engine, Customer)) == 2


def test_a_mapping_reads_a_table_of_any_name_and_the_answer_to_a_query(
    theirs: Theirs, sqlite_engine: Engine, tmp_path: Path
) -> None:
    theirs.run("CREATE TABLE bill (no INTEGER, who VARCHAR)", "INSERT INTO bill VALUES (1, 'c1'), (2, 'c2'), (3, NULL)")
    mapping = tmp_path / "theirs.toml"
    mapping.write_text(
        """
        [[file]]
        name = "bills of the year"
        query = "SELECT no, who, '2026-01-01' AS day FROM bill ORDER BY no"
        [[file.table]]
        into = "invoices"
        [file.table.columns]
        invoice_id = "no"
        customer_id = "who"
        issued_on = "day"
        due_on = "day"
        amount = { constant = "5" }
        [[file]]
        name = "customers"
        [[file.table]]
        into = "customers"
        [file.table.columns]
        customer_id = "customer_id"
        family_name = { column = "customer_id", look_up = { file = "bill", by = "who", take = "no" } }
        """
    )
    report = theirs.take(mapping)
    assert refusal_of(report)[:2] == (3, "customer_id")
    assert [invoice.customer_id for invoice in stored(sqlite_engine, Invoice)] == ["c1", "c2"]
    assert [customer.family_name for customer in stored(sqlite_engine, Customer)] == ["1", "2"]


def test_a_query_is_for_databases_and_nothing_in_it_can_write(
    theirs: Theirs, sqlite_engine: Engine, settings: Settings, tmp_path: Path, folder: Path
) -> None:
    mapping = tmp_path / "theirs.toml"
    table = '[[file.table]]\ninto = "customers"\ncolumns = { customer_id = "customer_id" }'
    mapping.write_text(f'[[file]]\nname = "x"\nquery = "DELETE FROM customers RETURNING customer_id"\n{table}')
    assert theirs.take(mapping).refused == 1
    with theirs.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM customers")).scalar() == 2
    with pytest.raises(SourceUnreadable, match="only a database can answer it"):
        import_data(sqlite_engine, Folder(folder), settings, NOW, read_mapping(mapping))


def test_a_password_is_neither_stored_nor_said(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, postgres_url: str
) -> None:
    for url in (
        f"postgresql://me:{PASSWORD}@127.0.0.1:9/x",
        f"mysql://me:{PASSWORD}@h/x",
        f"nonsense://{PASSWORD}@@:x",
    ):
        with pytest.raises(SourceUnreadable) as refused:
            import_data(sqlite_engine, open_tables(url), settings, NOW)
        assert PASSWORD not in str(refused.value)
        assert refused.value.__cause__ is None
    given = postgres_url.replace("postgres:@", f"postgres:{PASSWORD}@")
    assert PASSWORD in given
    admin = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(
            text("CREATE TABLE IF NOT EXISTS referrals (referral_id TEXT, customer_id TEXT, made_on DATE)")
        )
    import_data(sqlite_engine, open_tables(given), settings, NOW)
    kept = only(sqlite_engine, Import).origin
    assert PASSWORD not in kept
    assert "postgres" in kept
    admin.dispose()


def test_a_database_that_is_not_there_is_not_made(sqlite_engine: Engine, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="cannot be read"):
        import_data(sqlite_engine, open_tables(f"sqlite:///{tmp_path / 'typo.db'}"), settings, NOW)
    assert not (tmp_path / "typo.db").exists()


# Only what changed


def test_since_the_last_import_only_what_changed_is_read_and_the_same_again_changes_nothing(
    theirs: Theirs, sqlite_engine: Engine
) -> None:
    assert theirs.take(since="last").read == 2
    theirs.run("INSERT INTO customers VALUES ('c3', 'Lee', NULL, NULL, '2026-03-09 09:00:00')",
               "UPDATE customers SET given_name = 'Old' WHERE customer_id = 'c1'")  # fmt: skip
    report = theirs.take(since="last", now=NOW + timedelta(days=1))
    assert (report.read, report.accepted) == (2, 2)  # c3, and c2 of the last hour that was read
    before = [(c.customer_id, c.given_name) for c in stored(sqlite_engine, Customer)]
    assert before == [("c1", "Zoë"), ("c2", "Ann"), ("c3", "Lee")]
    assert theirs.take(since="last", now=NOW + timedelta(days=2)).read == 1
    assert [(c.customer_id, c.given_name) for c in stored(sqlite_engine, Customer)] == before


def test_since_a_day_reads_what_changed_from_that_day_on_and_what_does_not_say(theirs: Theirs) -> None:
    theirs.run("INSERT INTO customers VALUES ('c3', 'Lee', NULL, NULL, NULL)")
    assert theirs.take(since="2026-03-05").read == 2
    assert theirs.take(since="2026-03-06").read == 1
    with pytest.raises(SettingsError):
        theirs.take(since="yesterday")


def test_files_are_filtered_by_the_column_that_the_mapping_names(
    sqlite_engine: Engine, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    mapping = tmp_path / "m.toml"
    table = '[[file.table]]\ninto = "customers"\ncolumns = { customer_id = "No" }'
    mapping.write_text(f'[[file]]\nname = "p.csv"\nchanged = "Touched"\ndates = "DD.MM.YYYY"\n{table}')

    def take(*rows: list[str]) -> ImportReport:
        write(folder, "p.csv", ["No", "Touched"], *rows)
        return import_data(sqlite_engine, Folder(folder), settings, NOW, read_mapping(mapping), since="last")

    assert take(["1", "01.03.2026"], ["2", "02.03.2026"], ["3", "01.01.2099"]).read == 3
    # The row dated far ahead does not hide what changes until then.
    later = take(["1", "01.03.2026"], ["4", "11.03.2026"], ["", "12.03.2026"])
    assert (later.read, later.accepted, later.refused) == (2, 1, 1)
    mapping.write_text(mapping.read_text() + "\n# another mapping")
    assert take(["1", "01.03.2026"], ["4", "11.03.2026"]).read == 2
    write(folder, "p.csv", ["No"], ["1"])
    report = import_data(sqlite_engine, Folder(folder), settings, NOW, read_mapping(mapping))
    assert refusal_of(report)[1] == "Touched"


def test_one_row_made_of_many_is_made_of_all_of_them_whichever_changed(
    sqlite_engine: Engine, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        '[[file]]\nname = "p.csv"\nchanged = "at"\n[[file.table]]\ninto = "invoices"\none_row_per = "i"\n'
        'columns = { invoice_id = "i", customer_id = "i", issued_on = "at", due_on = "at", '
        'amount = { column = "a", take = "sum" } }'
    )
    write(folder, "p.csv", ["i", "at", "a"], ["1", "2026-01-01", "10"], ["1", "2026-03-01", "5"])
    told: list[str] = []
    since = read_since("2026-02-01", "UTC")
    import_data(sqlite_engine, Folder(folder), settings, NOW, read_mapping(mapping), told.append, since)
    assert only(sqlite_engine, Invoice).amount == 1500
    assert told[0] == "p.csv: read whole"


# Rows that belong to nobody on record


def test_rows_of_an_unknown_customer_are_kept_and_counted_until_the_customer_comes(
    engine: Engine, settings: Settings, folder: Path
) -> None:
    write(folder, "invoices.csv", ["invoice_id", "customer_id", "issued_on", "due_on", "amount"],
          ["i1", "c9", "2026-01-01", "2026-02-01", "5"], ["i2", "c1", "2026-01-01", "2026-02-01", "5"])  # fmt: skip
    write(folder, "payments.csv", ["payment_id", "invoice_id", "paid_on", "amount"], ["p1", "i8", "2026-01-01", "5"])
    write(folder, "customers.csv", ["customer_id"], ["c1"])
    report = import_data(engine, Folder(folder), settings, NOW)
    assert (report.refused, report.orphans) == (0, {"invoices": 1, "payments": 1})
    write(folder, "customers.csv", ["customer_id"], ["c1"], ["c9"])
    assert import_data(engine, Folder(folder), settings, NOW).orphans == {"payments": 1}


def test_the_command_takes_a_url_says_who_is_missing_and_reads_only_changes(theirs: Theirs, tmp_path: Path) -> None:
    theirs.run("CREATE TABLE referrals (referral_id VARCHAR, customer_id VARCHAR, made_on DATE)",
               "INSERT INTO referrals VALUES ('r1', 'nobody', '2026-03-01')")  # fmt: skip
    arguments = ["import", theirs.url, "--database", f"sqlite:///{tmp_path / 'ours.db'}", "--now", "2026-03-10T15:00Z"]
    first = CliRunner().invoke(app, arguments)
    assert first.exit_code == 0
    assert "referrals: 1 belong to a customer not on record" in first.output
    second = CliRunner().invoke(app, [*arguments, "--since", "2026-03-02", "--json"])
    assert json.loads(second.output)["files"][0]["read"] == 1
