"""The presets: each of the twelve made-up exports comes in as its expected.json says, and every preset is sound."""

import json
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from sqlalchemy import Engine, create_engine, text

from exports import COMPARISONS, SYSTEMS, Export, compare_refusals
from intake_data import write
from outreach.database import open_database, reading
from outreach.errors import MappingRefused, NotRecognised, SourceUnreadable
from outreach.intake.mapping.files import FileMapping, list_presets, preset_path, read_preset
from outreach.intake.reports import ImportReport
from outreach.intake.sources.origins import Origin
from outreach.intake.sources.places import open_origin
from recognised import find_preset

# These are read from a database only, and from none in ../shared.
OF_DATABASES_ALONE = {"erpnext", "openemr"}


@dataclass(frozen=True)
class Imported:
    """One export, and what is on record once it is imported."""

    export: Export
    engine: Engine
    report: ImportReport


# All tests of one export run in one process, so that it is imported once.
@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in SYSTEMS])
def imported(
    request: pytest.FixtureRequest, shared: Path, sqlite_pattern: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Imported]:
    """Each export, imported once for all the comparisons."""
    path = tmp_path_factory.mktemp(request.param) / "outreach.db"
    shutil.copyfile(sqlite_pattern, path)
    engine, export = open_database(f"sqlite:///{path}"), Export(shared / "data" / "exports" / request.param)
    yield Imported(export, engine, export.take_into(engine))
    engine.dispose()


@pytest.mark.parametrize("what", COMPARISONS)
def test_an_export_comes_in_as_it_is_meant(imported: Imported, what: str) -> None:
    with reading(imported.engine) as session:
        assert COMPARISONS[what](imported.export, session) == []


def test_of_an_export_the_rows_that_cannot_be_meant_are_refused_and_no_others(imported: Imported) -> None:
    assert compare_refusals(imported.export, imported.report) == []
    assert all(count.read == count.accepted + count.refused for count in imported.report.files)


def test_an_export_that_comes_again_changes_nothing(imported: Imported) -> None:
    again = imported.export.take_into(imported.engine)
    assert [count for count in again.files if count.new or count.changed] == []
    assert again.refused == imported.report.refused


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_export_is_recognised(shared: Path, system: str) -> None:
    assert find_preset(open_origin(Export(shared / "data" / "exports" / system).source)) == system


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_folder_beside_which_a_database_lies_is_opened_as_that_database(shared: Path, system: str) -> None:
    export = Export(shared / "data" / "exports" / system)
    assert open_origin(str(export.folder)).has_queries == export.source.endswith(".db")


# Recognition


def new_origin(folder: Path, *headers: list[str]) -> Origin:
    for number, header in enumerate(headers):
        write(folder, f"file-{number}.csv", header)
    return open_origin(str(folder))


def test_files_in_our_own_format_need_no_preset(tmp_path: Path) -> None:
    write(tmp_path, "customers.csv", ["customer_id"])
    write(tmp_path, "customers_export.csv", ["Customer ID", "Email", "Accepts Email Marketing"])
    assert find_preset(open_origin(str(tmp_path))) is None


def test_of_files_that_no_system_writes_the_systems_and_the_ways_out_are_named(tmp_path: Path) -> None:
    origin = new_origin(tmp_path, ["Key", "Whose", "What"])
    with pytest.raises(SourceUnreadable, match=r"no system is recognised.*shopify.*mapping draft.*--mapping FILE"):
        find_preset(origin)


def test_files_called_as_ours_are_a_systems_where_its_columns_stand_in_them(tmp_path: Path) -> None:
    write(tmp_path, "customers.csv", read_preset("stripe").file[0].header_has)
    assert find_preset(open_origin(str(tmp_path))) == "stripe"
    write(tmp_path, "invoices.csv", ["Invoice_ID ", "customer_id", "issued_on", "due_on", "amount"])
    assert find_preset(open_origin(str(tmp_path))) is None, "one of them is in our own format"


@pytest.mark.parametrize(
    "header",
    [
        ["customer_id", "Town of birth", "Shoe size"],
        ["given_name", "family_name", "phone", "Shoe size"],
    ],
)
def test_a_file_called_as_ours_with_an_id_or_most_columns_of_ours_is_ours_with_a_fault(
    tmp_path: Path, header: list[str]
) -> None:
    write(tmp_path, "customers.csv", header)
    assert find_preset(open_origin(str(tmp_path))) is None


def test_a_file_called_as_ours_whose_columns_nobody_knows_is_not_ours(tmp_path: Path) -> None:
    write(tmp_path, "invoices.csv", ["Invoice number", "Issue date", "Patient ID", "Amount", "Status"])
    with pytest.raises(NotRecognised, match=r"mapping draft .* --to my\.toml"):
        find_preset(open_origin(str(tmp_path)))


def test_parquet_files_are_recognised_by_the_names_of_their_columns(tmp_path: Path) -> None:
    columns = {name: ["1"] for name in read_preset("stripe").file[0].header_has}
    parquet.write_table(pyarrow.table(columns), tmp_path / "export.parquet")
    assert find_preset(open_origin(str(tmp_path))) == "stripe"


def test_files_that_may_come_from_two_systems_are_a_question(tmp_path: Path) -> None:
    stripe, civicrm = (read_preset(name).file[0].header_has for name in ("stripe", "civicrm"))
    assert len(stripe) == len(civicrm), "else one of the two would be known better"
    with pytest.raises(SourceUnreadable, match=r"may come from any of civicrm, stripe; say which: --as civicrm"):
        find_preset(new_origin(tmp_path, stripe, civicrm))
    assert find_preset(new_origin(tmp_path, stripe, civicrm, stripe)) == "stripe", "most of the files are its own"


@pytest.mark.parametrize("system", [name for name in list_presets() if read_preset(name).tables])
def test_a_database_is_recognised_by_its_tables_all_of_them(tmp_path: Path, system: str) -> None:
    url = f"sqlite:///{tmp_path / 'theirs.db'}"
    tables, engine = read_preset(system).tables, create_engine(url)
    with engine.begin() as connection:
        for name in tables[1:]:
            connection.execute(text(f'CREATE TABLE "{name}" (id INTEGER)'))
    with pytest.raises(NotRecognised, match="no system is recognised"):
        find_preset(open_origin(url))
    with engine.begin() as connection:
        connection.execute(text(f'CREATE TABLE "{tables[0]}" (id INTEGER)'))
    engine.dispose()
    assert find_preset(open_origin(url)) == system


# The presets themselves


def test_a_preset_that_there_is_not_names_the_nearest() -> None:
    with pytest.raises(MappingRefused, match="There is no preset “shoppify”.*did you mean “shopify”"):
        read_preset("shoppify")


@pytest.mark.parametrize("name", list_presets())
def test_a_preset_says_what_it_is_for_and_its_parts_have_names_of_their_own(name: str) -> None:
    preset = read_preset(name)
    called = [file.called for file in preset.file]
    assert preset.title
    assert all(called)
    assert len(set(called)) == len(called)
    for file in preset.file:
        # An extending mapping could not say which of two it means.
        parts = [(table.into, table.called) for table in file.table]
        assert len(set(parts)) == len(parts)


def files_of(name: str) -> list[FileMapping]:
    return [file for file in read_preset(name).file if not file.query]


@pytest.mark.parametrize("name", [name for name in list_presets() if files_of(name)])
def test_a_preset_knows_its_files_by_columns_and_may_lack_the_others(name: str) -> None:
    for file in files_of(name):
        assert file.header_has
        required = {column for table in file.table for column in table.sources} - set(file.header_has)
        assert file.may_lack is True or required <= set(file.may_lack or [])


def test_the_presets_without_files_are_those_of_databases() -> None:
    assert {name for name in list_presets() if not files_of(name)} == OF_DATABASES_ALONE | {"odoo", "open_dental"}


@pytest.mark.parametrize("name", list_presets())
def test_every_query_of_a_preset_is_one_select(name: str) -> None:
    queries = [file.query.strip() for file in read_preset(name).file if file.query]
    assert all(query.startswith("SELECT") and ";" not in query for query in queries)


def test_the_presets_are_part_of_the_installed_package() -> None:
    root = Path(__file__).resolve().parents[2]
    packaged = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = packaged["tool"]["setuptools"]["package-data"]["outreach"]
    package = root / "outreach"
    assert preset_path("shopify") in {path for pattern in patterns for path in package.glob(pattern)}


def test_an_expected_json_stands_beside_each_export_and_no_export_is_left_out(shared: Path) -> None:
    folders = sorted(path.parent.name for path in (shared / "data" / "exports").glob("*/expected.json"))
    assert folders == sorted(SYSTEMS)
    assert all(json.loads((shared / "data/exports" / name / "expected.json").read_text())["people"] for name in folders)
