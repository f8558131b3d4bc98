"""A look at an import before it counts: it keeps nothing, shows the oddest values, and says who could be written to."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from intake_data import import_folder, stored, write
from outreach import import_look
from outreach.commands.main import app
from outreach.database import reading
from outreach.errors import SourceUnreadable
from outreach.import_look import ImportLook, WeekCount, look_at_import, tell_reach
from outreach.intake.oddities import SHOWN, Oddities, weigh_address, weigh_name
from outreach.intake.sources.places import open_origin
from outreach.models import Customer, Import, Visit
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
HEADER = ["customer_id", "given_name", "family_name", "email", "phone", "address_line1", "city", "region",
          "postal_code", "country", "customer_since"]  # fmt: skip
ADA = ["c1", "Ada", "Quill", "ada@example.com", "802-555-0142", "12 Elm Street", "Burlington", "VT", "05401", "",
       "2020-03-14"]  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def look(engine: Engine, folder: Path, settings: Settings) -> ImportLook:
    return look_at_import(engine, open_origin(str(folder)), settings, NOW, None, lambda _: None)


def count_rows(engine: Engine) -> dict[str, int]:
    """How many rows each of our tables has."""
    with reading(engine) as session:
        tables = Customer.metadata.sorted_tables
        return {table.name: session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


# Nothing is kept


def test_a_look_keeps_nothing_on_either_database(engine: Engine, settings: Settings, data: Path) -> None:
    write(data, "customers.csv", HEADER, ADA)
    import_folder(engine, data, settings, NOW)
    before = count_rows(engine)
    write(data, "customers.csv", HEADER, ["c1", "Anna", *ADA[2:]], ["c2", *ADA[1:]], ["", *ADA[1:]])
    write(data, "visits.csv", ["visit_id", "customer_id", "starts_at"], ["v1", "c1", "2026-03-01"])
    seen = look(engine, data, settings)
    assert (seen.report.accepted, seen.report.refused) == (3, 1)
    assert count_rows(engine) == before
    assert [customer.given_name for customer in stored(engine, Customer)] == ["Ada"]


def test_a_look_leaves_the_bytes_of_a_database_of_sqlite_as_they_are(
    sqlite_engine: Engine, settings: Settings, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(data, "customers.csv", HEADER, ADA)
    import_folder(sqlite_engine, data, settings, NOW)
    sqlite_engine.dispose()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = (tmp_path / "outreach.db").read_bytes()
    look(sqlite_engine, data, settings)
    sqlite_engine.dispose()
    assert (tmp_path / "outreach.db").read_bytes() == before
    assert list(temporary.iterdir()) == [], "the copy holds customers' data, and is thrown away"


def test_the_copy_is_thrown_away_where_the_look_fails(
    sqlite_engine: Engine, settings: Settings, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with pytest.raises(SourceUnreadable, match="has a name Outreach knows"):
        look(sqlite_engine, data, settings)
    assert list(temporary.iterdir()) == []


def test_a_look_goes_by_what_is_on_record_in_sqlite_and_says_so_where_it_does_not(
    engine: Engine, settings: Settings, data: Path
) -> None:
    write(data, "customers.csv", HEADER, ADA)
    import_folder(engine, data, settings, NOW)
    write(data, "customers.csv", HEADER, ["c2", *ADA[1:]])
    seen = look(engine, data, settings)
    is_sqlite = engine.dialect.name == "sqlite"
    assert (seen.is_beside_record, seen.reach.customers) == (is_sqlite, 2 if is_sqlite else 1)
    assert ("What is on record already is not counted here" in tell_reach(seen)[-1]) is not is_sqlite


def test_a_look_does_not_move_what_was_read_up_to(sqlite_engine: Engine, settings: Settings, data: Path) -> None:
    write(data, "customers.csv", [*HEADER, "updated_at"], [*ADA, "2026-03-01T10:00:00Z"])
    look(sqlite_engine, data, settings)
    assert stored(sqlite_engine, Import) == []


def test_a_first_look_makes_neither_a_database_nor_a_secret_nor_a_mark(
    settings: Settings, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    write(data, "customers.csv", HEADER, ADA, ["", *ADA[1:]])
    shown = CliRunner().invoke(app, ["import", str(data), "--look", "--refused", "mend.csv", "--now", NOW.isoformat()])
    assert shown.exit_code == 2, shown.output
    assert "Nothing was kept of this" in shown.output
    assert [path.name for path in home.rglob("*")] == ["mend.csv"]
    assert (home / "mend.csv").read_text().count("Quill") == 1


def test_a_look_counts_only_what_changed_since_the_day_that_is_asked_for(
    sqlite_engine: Engine, settings: Settings, data: Path
) -> None:
    write(data, "customers.csv", [*HEADER, "updated_at"], [*ADA, "2026-03-01T10:00:00Z"],
          ["c2", *ADA[1:], "2026-01-01T10:00:00Z"])  # fmt: skip
    origin, since = open_origin(str(data)), datetime(2026, 2, 1, tzinfo=UTC)
    seen = look_at_import(sqlite_engine, origin, settings, NOW, None, lambda _: None, since=since)
    assert (seen.report.read, seen.reach.customers) == (1, 1)


# Who could be written to


def test_customers_are_counted_page_by_page_however_many_they_are(
    engine: Engine, settings: Settings, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_look, "AT_ONCE", 2)
    write(data, "customers.csv", HEADER, *([f"c{number}", *ADA[1:]] for number in range(5)))
    assert look(engine, data, settings).reach.customers == 5


def test_the_sentences_of_reach_tell_who_could_be_written_to_and_what_the_others_lack(
    sqlite_engine: Engine, settings: Settings, data: Path
) -> None:
    def somebody(id_: str, **cells: str) -> list[str]:
        return [id_, *(cells.get(name, value) for name, value in zip(HEADER[1:], ADA[1:], strict=True))]

    write(data, "customers.csv", [*HEADER, "died_on"],
          [*somebody("c1"), ""],
          [*somebody("c2", address_line1="", email="nobody at home"), ""],
          [*somebody("c3", city="", phone="12"), ""],
          [*somebody("c4", postal_code="ABCDE"), ""],
          [*somebody("c5", postal_code="", region=""), ""],
          [*somebody("c6", address_line1="", email="", phone=""), ""],
          [*somebody("c7"), "2025-01-01"])  # fmt: skip
    seen = look(sqlite_engine, data, settings)
    assert (seen.reach.customers, seen.reach.reachable, seen.reach.without_email) == (6, 5, 2)
    first, second = tell_reach(seen)
    assert first == "Of 6 customers 5 could be written to today."
    assert second == (
        "By letter 1 (2 have no street; 1 has no town; 1 has no postal code, or one that the country cannot have; "
        "1 has no state or region); by e-mail 4; by text 4."
    )


def test_a_visit_before_the_day_in_customer_since_is_told_for_anniversaries_would_be_false(
    engine: Engine, settings: Settings, data: Path
) -> None:
    since = ["customer_id", "customer_since"]
    write(data, "customers.csv", since, ["c1", "2026-01-05"], ["c2", "2026-01-05"], ["c3", "2026-01-05"], ["c4", ""])
    visits = [("c1", "2026-01-04", "completed"), ("c2", "2026-01-05", "completed"), ("c3", "2026-01-04", "cancelled"),
              ("c4", "2026-01-04", "completed")]  # fmt: skip
    write(data, "visits.csv", ["visit_id", "customer_id", "starts_at", "status"],
          *([f"v{id_}", id_, f"{day}T10:00", status] for id_, day, status in visits))  # fmt: skip
    seen = look(engine, data, settings)
    assert seen.seen_before == 1
    assert any(line.startswith("1 came before the day in customer_since") for line in tell_reach(seen))


def test_where_all_can_be_written_to_nothing_is_lacking(sqlite_engine: Engine, settings: Settings, data: Path) -> None:
    write(data, "customers.csv", HEADER, ADA)
    assert tell_reach(look(sqlite_engine, data, settings)) == [
        "Of 1 customers 1 could be written to today.",
        "By letter 1; by e-mail 1; by text 1.",
    ]


def test_the_week_ahead_tells_how_many_would_hear_from_us_of_what(
    sqlite_engine: Engine, settings: Settings, data: Path
) -> None:
    days = {"c1": "2020-03-17", "c2": "2021-03-18", "c3": "2021-09-16"}
    # Each at an address of their own, for of one household one person hears from us.
    people = ([id_, "Ann", "Lee", "", "", f"{id_} Elm Street", *ADA[6:10], day] for id_, day in days.items())
    write(data, "customers.csv", HEADER, *people)
    write(data, "visits.csv", ["visit_id", "customer_id", "starts_at", "status"],
          *([f"v{id_}", id_, "2026-01-05", "completed"] for id_ in ("c1", "c2", "c3")))  # fmt: skip
    seen = look(sqlite_engine, data, settings)
    assert seen.week == [WeekCount("anniversary", "letter", 2)]
    assert stored(sqlite_engine, Visit) == []


# The oddest values


def oddities() -> Oddities:
    return Oddities(date(2026, 3, 10), "US", "USD")


def test_of_each_kind_the_oddest_come_first_with_their_lines() -> None:
    odd = oddities()
    for line, name in enumerate(["Ada", "ADAM", "Ada1", "Zoë", "Zo√´", "J", "Иван", "Иваn"], start=2):
        odd.look_at("a.csv", line, {"given_name": name})
    assert {value.kind for value in odd.found} == {"names"}
    assert [(value.shown, value.line) for value in odd.found] == [
        ("Zo√´", 6), ("Иваn", 9), ("Ada1", 4), ("J", 7), ("ADAM", 3)]  # fmt: skip


def test_at_most_ten_of_each_kind_are_kept() -> None:
    odd = oddities()
    for line in range(100):
        odd.look_at("a.csv", line, {"amount": line * 100, "currency": "USD", "given_name": f"Ann{line}"})
    sums = [value for value in odd.found if value.kind == "sums"]
    assert ([value.line for value in sums], sums[0].shown) == (list(range(99, 99 - SHOWN, -1)), "$99.00")
    assert len([value for value in odd.found if value.kind == "names"]) == SHOWN


def test_a_value_that_one_row_says_for_several_tables_is_shown_once() -> None:
    odd = oddities()
    for _ in range(3):
        odd.look_at("a.csv", 2, {"amount": -500})
    assert [(value.shown, value.column) for value in odd.found] == [("-$5.00", "amount")]


@pytest.mark.parametrize(
    ("name", "is_odd"),
    [("Ada", False), ("van der Berg", False), ("O’Neill-Smith", False), ("J.", True), ("Zoë", False),
     ("Jos√©", True), ("JosÃ©", True), ("ADA", False), ("ADAM", True), ("adam", True), ("Ann2", True), ("(test)", True),
     ("Ann/Bo", True),
     ("Dunn Roofing, LLC", False), ("12345", True), ("A" + "b" * 60, True), ("Müller", False), ("李", True)],
)  # fmt: skip
def test_what_is_unlike_a_name_is_odd(name: str, is_odd: bool) -> None:
    assert (weigh_name(name) > 0) is is_odd


@pytest.mark.parametrize(
    ("column", "text", "is_odd"),
    [("address_line1", "12 Elm Street", False), ("address_line1", "Elm Street", True),
     ("address_line2", "Unit B", False),
     ("address_line1", "1 ada@x.example", True), ("city", "Burlington", False), ("city", "05401 Burlington", True),
     ("city", "MÃ¼nchen", True), ("address_line1", "1 " + "very long " * 9, True)],
)  # fmt: skip
def test_what_is_unlike_an_address_is_odd(column: str, text: str, is_odd: bool) -> None:
    assert (weigh_address(column, text) > 0) is is_odd


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ({"postal_code": "05401"}, []),
        ({"postal_code": "ABCDE"}, ["ABCDE"]),
        ({"postal_code": "H2X 1Y4", "country": "CA"}, []),
        ({"postal_code": "H2X 1Y4"}, ["H2X 1Y4"]),
        ({"born_on": date(1990, 1, 1)}, ["1990-01-01"]),
        ({"issued_on": date(2025, 1, 1)}, []),
        ({"due_on": date(2031, 1, 1)}, ["2031-01-01"]),
        ({"starts_at": datetime(2026, 3, 9, 10, tzinfo=UTC)}, []),
        ({"amount": 500, "currency": "EUR"}, ["€5.00"]),
        ({"amount": 0}, []),
        ({"given_name": "", "city": None}, []),
        ({"note": "(!!)"}, []),
    ],
)
def test_codes_dates_and_sums_are_weighed_by_their_own_rules(record: dict[str, object], shown: list[str]) -> None:
    odd = oddities()
    odd.look_at("a.csv", 2, record)
    assert [value.shown for value in odd.found] == shown


def test_a_look_shows_odd_values_of_rows_that_are_taken_in_and_of_no_others(
    sqlite_engine: Engine, settings: Settings, data: Path
) -> None:
    write(data, "customers.csv", HEADER, ADA, ["c2", "Jo§é", *ADA[2:]], ["", "§§§§", *ADA[2:]])
    (odd,) = look(sqlite_engine, data, settings).odd
    assert (odd.kind, odd.file, odd.line, odd.column, odd.shown) == (
        "names", "customers.csv", 3, "given_name", "Jo§é")  # fmt: skip


# The command


@pytest.fixture
def arguments(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of `outreach import` of a folder in which one row cannot be taken in."""
    monkeypatch.chdir(tmp_path)
    write(data, "customers.csv", HEADER, ADA, ["c2", "Jo§é", *ADA[2:]], ["", *ADA[1:]])
    return ["import", str(data), "--database", f"sqlite:///{tmp_path / 'ours.db'}", "--now", "2026-03-10T15:00Z"]


def test_the_command_shows_a_look_and_counts_nothing(arguments: list[str], tmp_path: Path) -> None:
    seen = CliRunner().invoke(app, [*arguments, "--look"])
    told = " ".join(seen.output.split())
    assert seen.exit_code == 2, "as an import with refused rows"
    for part in ("Jo§é", "Of 2 customers 2 could be written to today.", "Nothing was kept of this.", "Refused"):
        assert part in told
    kept = CliRunner().invoke(app, [*arguments, "--json"])
    assert json.loads(kept.output)["files"][0]["new"] == 2, "none of them was there yet"


def test_the_command_gives_a_look_as_json(arguments: list[str]) -> None:
    seen = json.loads(CliRunner().invoke(app, [*arguments, "--look", "--json"]).output)
    assert (seen["report"]["files"][0]["accepted"], seen["reach"]["customers"]) == (2, 2)
    assert seen["odd"][0]["shown"] == "Jo§é"


def test_the_command_takes_a_system_or_a_mapping_and_not_both(arguments: list[str], tmp_path: Path) -> None:
    both = CliRunner().invoke(app, [*arguments, "--as", "shopify", "--mapping", str(tmp_path / "own.toml")])
    assert both.exit_code == 1


def test_the_command_says_which_system_it_recognises(arguments: list[str], data: Path) -> None:
    write(data, "customers.csv", ["id", "Email", "Name", "Created (UTC)", "Delinquent"],
          ["cus_1", "ada@example.com", "Ada Quill", "2024-03-12 09:14", "false"])  # fmt: skip
    seen = CliRunner().invoke(app, [*arguments, "--look"])
    assert seen.exit_code == 0
    assert "read as with --as stripe" in " ".join(seen.output.split())


def test_a_refused_row_is_shown_by_the_command_without_what_stood_in_it(arguments: list[str], data: Path) -> None:
    write(data, "customers.csv", HEADER, [*ADA[:-2], "Narnia", ""])
    seen = CliRunner().invoke(app, [*arguments, "--look"])
    assert "no country's name" in " ".join(seen.output.split())
    assert "Narnia" not in seen.output


def test_the_files_of_a_look_are_readable_by_their_owner_alone(
    sqlite_engine: Engine, settings: Settings, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(data, "customers.csv", HEADER, ADA)
    modes = []

    def note(_line: str) -> None:
        modes.extend(path.stat().st_mode & 0o077 for path in tmp_path.glob("outreach-look-*"))

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    look_at_import(sqlite_engine, open_origin(str(data)), settings, NOW, None, note)
    assert set(modes) == {0}
