"""The history of imports: who asked for each, what came of it, and whether it came to its end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from intake_data import import_folder, write
from outreach.commands.main import app
from outreach.database import open_database, reading, upgrade_database, writing
from outreach.errors import MappingRefused, NotRecognised, OutreachError, SettingsError, SourceUnreadable
from outreach.intake import run as intake_run
from outreach.intake.history import (
    COMMAND_LINE,
    NIGHTLY_RUN,
    PastIntake,
    RefusalReason,
    Submission,
    find_last,
    group_refusals,
    list_intakes,
    load_reasons,
    record_failure,
)
from outreach.intake.recognition import choose_mapping
from outreach.intake.run import import_data
from outreach.intake.sources.origins import Folder
from outreach.models import Import, Intake
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
HEADER = ["customer_id", "given_name", "born_on"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path / "data", "customers.csv", HEADER, ["c1", "Ada", ""], ["", "Nobody", ""], ["", "Neither", ""])
    write(tmp_path / "data", "visits.csv", ["visit_id", "customer_id", "starts_at"], ["v1", "c1", "2026-03-01"])
    return tmp_path / "data"


def last(engine: Engine) -> PastIntake:
    with reading(engine) as session:
        found = find_last(session)
    assert found is not None
    return found


def tell_nothing(line: str) -> None:
    """For imports whose progress nobody reads."""


def test_the_history_says_who_imported_what_and_what_came_of_each_file(
    engine: Engine, settings: Settings, data: Path
) -> None:
    by_nora = Submission("nora", "the monthly export")
    import_folder(engine, data, settings, NOW)
    report = import_data(engine, Folder(data), settings, NOW, submission=by_nora)
    past = last(engine)
    assert (past.intake.by, past.intake.source, past.intake.at) == ("nora", "the monthly export", NOW)
    assert past.intake.intake_id == report.intake_id
    assert [(each.file, each.read, each.refused, each.new, each.same) for each in past.files] == [
        ("customers.csv", 3, 2, 0, 1),
        ("visits.csv", 1, 0, 0, 1),
    ]
    assert (past.read, past.refused, past.broke_off, past.is_running) == (4, 2, False, False)
    with reading(engine) as session:
        assert [each.intake.by for each in list_intakes(session, 5)] == ["nora", COMMAND_LINE]
        assert [each.intake.by for each in list_intakes(session, 5, after=1)] == [COMMAND_LINE]


def test_refusals_are_counted_by_reason_with_the_first_line_and_no_value(
    engine: Engine, settings: Settings, data: Path
) -> None:
    report = import_folder(engine, data, settings, NOW)
    [seen] = group_refusals(report)
    assert (seen.file, seen.column, seen.rows, seen.lines) == ("customers.csv", "customer_id", 2, (3, 4))
    with reading(engine) as session:
        [kept] = load_reasons(session, report.intake_id)
    assert kept == RefusalReason("customers.csv", "customer_id", seen.reason, 2, (3,))
    assert "Nobody" not in kept.reason


def test_of_an_import_that_read_nothing_the_reason_stands(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable):
        import_folder(engine, tmp_path / "nowhere", settings, NOW)
    past = last(engine)
    assert "cannot be opened" in past.intake.problem
    assert (past.broke_off, past.needs_a_look, past.read) == (False, True, 0)


def test_a_failure_before_an_import_is_written_down_too(engine: Engine) -> None:
    record_failure(engine, Submission(NIGHTLY_RUN, "data"), NOW, NotRecognised("Nothing is known of it"))
    past = last(engine)
    assert (past.intake.by, past.intake.source, past.intake.problem) == (NIGHTLY_RUN, "data", "Nothing is known of it")
    assert past.needs_a_look


def test_an_import_that_is_killed_midway_broke_off_and_one_at_work_did_not(
    engine: Engine, settings: Settings, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[PastIntake] = []

    def die(*_: object) -> None:
        seen.append(last(engine))
        raise KeyboardInterrupt

    monkeypatch.setattr(intake_run, "count_orphans", die)
    with pytest.raises(KeyboardInterrupt):
        import_folder(engine, data, settings, NOW)
    assert [(each.is_running, each.broke_off) for each in seen] == [(True, False)]
    after = last(engine)
    assert (after.is_running, after.broke_off, after.needs_a_look) == (False, True, True)


@pytest.mark.parametrize(("read", "refused", "needs_a_look"), [(100, 5, False), (100, 6, True), (0, 0, False)])
def test_an_import_that_refused_more_than_a_twentieth_needs_a_look(read: int, refused: int, needs_a_look: bool) -> None:
    file = Import(at=NOW, file="c.csv", table_name="customers", read=read, accepted=read - refused, refused=refused)
    past = PastIntake(Intake(at=NOW, by="nora", source="", finished=True), [file])
    assert past.needs_a_look is needs_a_look


def test_the_command_writes_the_same_history(tmp_path: Path, data: Path, engine: Engine, database_url: str) -> None:
    result = CliRunner().invoke(app, ["import", str(data), "--database", database_url, "--now", NOW.isoformat()])
    assert result.exit_code == 2, result.output
    assert (last(engine).intake.by, last(engine).intake.source) == (COMMAND_LINE, str(data))


# How a place is read


def test_a_named_preset_or_mapping_stands_above_what_is_recognised(data: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[[file]]\nname = "x.csv"\n[[file.table]]\ninto = "customers"\n[file.table.columns]\ncustomer_id = "Id"'
    )
    origin = Folder(data)
    assert choose_mapping(origin, tell_nothing, tmp_path) is None
    shopify = choose_mapping(origin, tell_nothing, tmp_path, "shopify")
    assert shopify is not None
    assert shopify.title.startswith("Shopify")
    mapping = choose_mapping(origin, tell_nothing, tmp_path, mapping=own)
    assert mapping is not None
    assert mapping.file[0].name == ["x.csv"]


@pytest.mark.parametrize(
    ("preset", "mapping", "error"),
    [("shopify", "own.toml", SettingsError), ("shoppify", None, MappingRefused), (None, "gone.toml", MappingRefused)],
)
def test_what_cannot_be_meant_is_refused(
    data: Path, preset: str | None, mapping: str | None, error: type[OutreachError]
) -> None:
    with pytest.raises(error):
        choose_mapping(Folder(data), tell_nothing, data, preset, data / mapping if mapping else None)


def test_what_nobody_knows_is_not_recognised(tmp_path: Path) -> None:
    write(tmp_path / "data", "list.csv", ["Ref", "Called", "Wohnt"], ["1", "Ada", "here"])
    with pytest.raises(NotRecognised):
        choose_mapping(Folder(tmp_path / "data"), tell_nothing, tmp_path)


# What was read before the history was kept


def test_files_that_were_read_at_one_instant_become_one_import_of_the_history(database_url: str) -> None:
    engine = open_database(database_url)
    upgrade_database(engine, "0016")
    files = [("a.csv", NOW), ("b.csv", NOW), ("a.csv", NOW + timedelta(days=1))]
    with writing(engine) as session:
        for file, at in files:
            session.execute(
                text(
                    "INSERT INTO imports (at, file, table_name, read, accepted, refused, complete) "
                    "VALUES (:at, :file, 'customers', 2, 2, 0, TRUE)"
                ),
                {"at": at if "postgresql" in database_url else f"{at:%Y-%m-%d %H:%M:%S.%f}", "file": file},
            )
    upgrade_database(engine)
    with reading(engine) as session:
        past = list_intakes(session, 5)
    assert [[file.file for file in each.files] for each in past] == [["a.csv"], ["a.csv", "b.csv"]]
    assert {(each.intake.by, each.broke_off, each.needs_a_look) for each in past} == {("", False, False)}
    engine.dispose()
