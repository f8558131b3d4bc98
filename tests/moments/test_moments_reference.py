"""The reference answers, every day of them, through mapping files alone. The data is public and not kept here."""

import csv
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from budget import IS_LONG, part_of
from intake_data import import_folder
from outreach.database import open_database, reading
from outreach.day import prepare_day
from outreach.intake.dates import reading_dated
from outreach.intake.mapping.files import read_mapping
from outreach.models import Decision, Invoice, Message, Moment, Treatment
from outreach.moments import MOMENTS, find_moments
from outreach.planning.why import explain_customer
from outreach.settings import Settings, load_settings

MAPPINGS = Path(__file__).resolve().parents[2] / "examples" / "mappings"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
OLIST_DAY = date(2018, 5, 14)
Imported = Callable[[Path, str, str], tuple[Engine, Settings]]


def in_zone(timezone: str) -> Settings:
    return load_settings(secret="a secret for tests only", business={"timezone": timezone})


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory, sqlite_pattern: Path) -> Imported:
    """A folder imported through a mapping in a business's time zone, once for all tests that ask for the same."""
    known: dict[Any, tuple[Engine, Settings]] = {}

    def take_in(folder: Path, mapping: str, timezone: str) -> tuple[Engine, Settings]:
        asked = (folder, mapping, timezone)
        if asked not in known:
            path = tmp_path_factory.mktemp("reference") / "outreach.db"
            shutil.copyfile(sqlite_pattern, path)
            engine = open_database(f"sqlite:///{path}")
            settings = in_zone(timezone)
            report = import_folder(engine, folder, settings, NOW, read_mapping(MAPPINGS / mapping))
            assert report.refused == 0
            known[asked] = engine, settings
        return known[asked]

    return take_in


@pytest.fixture
def receivables(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder that holds one of the receivables files."""

    def folder_of(file: str) -> Path:
        folder = tmp_path_factory.getbasetemp() / f"receivables-{file}"
        folder.mkdir(exist_ok=True)
        (folder / file).write_bytes((shared / "data" / "ar_ibm" / file).read_bytes())
        return folder

    return folder_of


@pytest.fixture(scope="module")
def olist(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, str]]]:
    """The sample of Olist and its reference answers; in `make test` of a few days, with all who had to do with them."""
    folder, rows = shared / "data" / "olist_10k", answers(shared, "olist")
    assert len(rows) > 300
    some = part_of(rows, 50)
    if IS_LONG:
        return folder, rows
    days = [*(date.fromisoformat(row["today"]) for row in some), OLIST_DAY]
    return cut_out(folder, tmp_path_factory.mktemp("olist"), days), list(some)


def cut_out(folder: Path, into: Path, days: Sequence[date]) -> Path:
    """All rows of everybody to whom something was delivered around the days, or who once bought on such a day."""
    around = {str(day - timedelta(days=back)) for day in days for back in range(4)}
    round_again = {f"{day:%m-%d}" for day in days}
    tables = {path.name: read_rows(path) for path in folder.glob("*.csv")}
    people, orders = tables["olist_customers_dataset.csv"], tables["olist_orders_dataset.csv"]
    who = {row["customer_id"]: row["customer_unique_id"] for row in people}
    chosen = {
        who[row["customer_id"]]
        for row in orders
        if row["order_delivered_customer_date"][:10] in around or row["order_purchase_timestamp"][5:10] in round_again
    }
    numbers = {row["order_id"] for row in orders if who[row["customer_id"]] in chosen}
    for name, rows in tables.items():
        kept = [row for row in rows if row.get("order_id") in numbers or who.get(row.get("customer_id", "")) in chosen]
        with (into / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(kept)
    return into


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def answers(shared: Path, name: str) -> list[dict[str, str]]:
    return read_rows(shared / "data" / "expected" / f"{name}_daily.csv")


def ids(shared: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared / "data" / "expected" / f"{name}_ids.json").read_text())
    return found


def count_by_day(engine: Engine, settings: Settings, days: list[str], kinds: list[str]) -> list[tuple[str, ...]]:
    """For each day, the day and the number of distinct customers with each of the moments."""
    with reading(engine) as session:
        return count_of_days(session, settings, days, kinds)


def count_of_days(session: Session, settings: Settings, days: list[str], kinds: list[str]) -> list[tuple[str, ...]]:
    counted = []
    for day in days:
        found = find_moments(session, settings, date.fromisoformat(day), kinds)
        numbers = (str(len({item.customer_id for item in found if item.kind == kind})) for kind in kinds)
        counted.append((day, *numbers))
    return counted


@pytest.mark.longer
@pytest.mark.parametrize("name", ["synthea_A", "synthea_C"])
def test_synthea_has_the_reference_moments_on_every_day(shared: Path, imported: Imported, name: str) -> None:
    rows = answers(shared, name)
    engine, settings = imported(shared / "data" / name, "synthea.toml", "UTC")
    kinds = ["anniversary", "checkin", "late_payment"]
    columns = ["anniv_utc_feb28", "patients_with_procedure_2_3d_utc", "claims_same_alive_only"]
    assert len(rows) > 1000
    rows = part_of(rows, 7)
    expected = [(row["today"], *(row[column] for column in columns)) for row in rows]
    assert count_by_day(engine, settings, [row["today"] for row in rows], kinds) == expected


# The larger one by New York's dates: without a second import, the query below has the same answers.
@pytest.mark.longer
@pytest.mark.parametrize("name", [pytest.param("synthea_A", marks=pytest.mark.drill), "synthea_C"])
def test_synthea_has_the_reference_moments_by_new_york_dates(shared: Path, imported: Imported, name: str) -> None:
    rows = part_of(answers(shared, name), 7)
    engine, settings = imported(shared / "data" / name, "synthea.toml", "America/New_York")
    expected = [(r["today"], r["anniv_newyork_feb28"], r["patients_with_procedure_2_3d_newyork"]) for r in rows]
    assert count_by_day(engine, settings, [r["today"] for r in rows], ["anniversary", "checkin"]) == expected


@pytest.mark.parametrize("name", ["synthea_A", "synthea_C"])
def test_a_query_by_new_york_dates_of_a_database_in_utc_has_the_same_answers_and_writes_nothing(
    shared: Path, imported: Imported, name: str
) -> None:
    rows = answers(shared, name)[::20]
    engine, _ = imported(shared / "data" / name, "synthea.toml", "UTC")
    expected = [(r["today"], r["anniv_newyork_feb28"], r["patients_with_procedure_2_3d_newyork"]) for r in rows]
    before = Path(engine.url.database or "").read_bytes()
    settings = in_zone("America/New_York")
    with reading_dated(engine, settings) as session:
        days = [row["today"] for row in rows]
        assert count_of_days(session, settings, days, ["anniversary", "checkin"]) == expected
    assert Path(engine.url.database or "").read_bytes() == before


@pytest.mark.longer
@pytest.mark.parametrize("name", ["synthea_A", "synthea_C"])
def test_synthea_has_the_reference_customers_by_id(shared: Path, imported: Imported, name: str) -> None:
    engine, settings = imported(shared / "data" / name, "synthea.toml", "UTC")
    with reading(engine) as session:
        for day, expected in ids(shared, name).items():
            found = find_moments(session, settings, date.fromisoformat(day))
            by_kind = {k: sorted({i.customer_id for i in found if i.kind == k}) for k in ("anniversary", "checkin")}
            assert by_kind == {
                "anniversary": sorted(expected["anniversary"]),
                "checkin": sorted(expected["procedure_2_3d"]),
            }
        for row in part_of(answers(shared, name), 7):
            found = find_moments(session, settings, date.fromisoformat(row["today"]), ["anniversary"])
            assert sorted(item.customer_id for item in found) == sorted(filter(None, row["anniv_ids_utc"].split(";")))


@pytest.mark.longer
def test_the_receivables_have_the_reference_late_payers_on_every_day(
    shared: Path, imported: Imported, receivables: Callable[[str], Path]
) -> None:
    rows = part_of(answers(shared, "ar_ibm"), 7)
    folder = receivables("WA_Fn-UseC_-Accounts-Receivable.csv")
    engine, settings = imported(folder, "receivables.toml", "UTC")
    expected = [(r["today"], r["customers_1_30_undisputed"], r["anniv_first_invoice_feb28"]) for r in rows]
    days = [row["today"] for row in rows]
    assert count_by_day(engine, settings, days, ["late_payment", "anniversary"]) == expected


SNAPSHOTS = ["2012-06-15", "2013-02-28", "2013-06-15", "2013-11-30"]


@pytest.mark.parametrize(
    ("day", "as_it_stood"), [*((day, True) for day in SNAPSHOTS), *((day, False) for day in [*SNAPSHOTS, "2014-01-05"])]
)
def test_the_receivables_have_the_reference_late_payers_by_id(
    shared: Path, imported: Imported, receivables: Callable[[str], Path], day: str, as_it_stood: bool
) -> None:
    """The file as it stood on that day, and the whole file read as of that day, name the same customers."""
    file = f"asof_{day}.csv" if as_it_stood else "WA_Fn-UseC_-Accounts-Receivable.csv"
    engine, settings = imported(receivables(file), "receivables.toml", "UTC")
    with reading(engine) as session:
        undisputed = ids(shared, "ar_ibm")[day]["overdue_1_30_undisputed"]
        owners = select(Invoice.customer_id).where(Invoice.invoice_id.in_(undisputed))  # type: ignore[attr-defined]
        expected = sorted(set(session.exec(owners)))
        assert expected
        found = find_moments(session, settings, date.fromisoformat(day), ["late_payment"])
    assert [item.customer_id for item in found] == expected


def test_postgresql_gives_the_same_answers_on_the_days_with_ids(
    shared: Path, engine: Engine, imported: Imported
) -> None:
    settings = in_zone("UTC")
    import_folder(engine, shared / "data" / "synthea_C", settings, NOW, read_mapping(MAPPINGS / "synthea.toml"))
    other, _ = imported(shared / "data" / "synthea_C", "synthea.toml", "UTC")
    with reading(engine) as here, reading(other) as there:
        for day in [*ids(shared, "synthea_C"), "2022-02-28", "2023-06-01"]:
            on = date.fromisoformat(day)
            assert find_moments(here, settings, on) == find_moments(there, settings, on)


@pytest.mark.longer
def test_olist_has_the_reference_anniversaries_and_deliveries_on_every_day(
    imported: Imported, olist: tuple[Path, list[dict[str, str]]]
) -> None:
    folder, rows = olist
    engine, settings = imported(folder, "olist.toml", "America/Sao_Paulo")
    expected = [(r["today"], r["anniv_unique_customers"], r["unique_customers_delivered_2_3d"]) for r in rows]
    assert count_by_day(engine, settings, [row["today"] for row in rows], ["anniversary", "checkin"]) == expected


@pytest.mark.longer
def test_olist_has_the_reference_broken_promises_on_every_day(
    imported: Imported, olist: tuple[Path, list[dict[str, str]]]
) -> None:
    """Late by the day before yesterday or the day before: a recovery looks back from the day itself."""
    folder, rows = olist
    engine, settings = imported(folder, "olist.toml", "America/Sao_Paulo")
    with reading(engine) as session:
        late = select(Treatment).where(col(Treatment.done_at) > col(Treatment.promised_at))
        days = defaultdict(set)
        for treatment in session.exec(late):
            days[treatment.done_on].add(treatment.treatment_id)
        for row in rows:
            on = date.fromisoformat(row["today"])
            found = {item.occasion for item in find_moments(session, settings, on, ["recovery"])}
            assert found == days[on] | days[on - timedelta(days=1)] | days[on - timedelta(days=2)]
            two_and_three = days[on - timedelta(days=2)] | days[on - timedelta(days=3)]
            assert len(two_and_three) == int(row["of_which_delivered_late"])


@pytest.mark.longer
@pytest.mark.parametrize(("name", "on"), [("olist", OLIST_DAY), ("openemr", date(2008, 11, 17))])
def test_sets_mapped_for_the_first_time_run_to_the_end(
    shared: Path, tmp_path: Path, imported: Imported, olist: tuple[Path, Any], name: str, on: date
) -> None:
    folder = {"olist": olist[0], "openemr": shared / "data" / "openemr_demo"}[name]
    engine, settings = imported(folder, f"{name}.toml", "America/Sao_Paulo")
    business = {
        "name": "Loja", "address": ["Rua 1", "São Paulo"], "phone": "+55 11 5555 0100", "email": "a@loja.example",
        "timezone": "America/Sao_Paulo", "signatories": [{"name": "Ana", "consent_on": "2000-01-01"}],
    }  # fmt: skip
    settings = load_settings(
        secret="a secret for tests only", business=business, providers={"outbox": {"folder": tmp_path}}
    )
    now = datetime.combine(on, time(15), UTC)
    prepared = prepare_day(engine, settings, on, lambda: now, lambda line: None)
    with reading(engine) as session:
        decided = session.exec(select(Decision)).all()
        written = session.exec(select(Message)).all()
        someone = session.get_one(Moment, decided[0].moment_id).customer_id
    assert prepared.plan.decisions.total() == len(decided)
    assert {answer.kind for answer in explain_customer(engine, settings, someone, on, now)} == set(MOMENTS)
    # Olist has neither names nor streets: everyone is found, and held for want of a name.
    assert {message.status for message in written} <= {"composed", "approved"}
    assert (len(written) > 0) == (name == "openemr")
