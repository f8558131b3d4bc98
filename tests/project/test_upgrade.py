"""An installation of the version before runs unchanged: its database, its outreach.toml, its secret and its templates.

`before.sql` is a dump of a SQLite database that the version before made, with rows in every table, on 2026-11-24: two
e-mails have left, four are approved, a letter and a text wait for a person, and one message is held. `before.toml` has
every setting that version knew, and the dump was made with it. Neither is ever made anew: they are what others have on
their disks.
"""

import json
import shutil
import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from checkout import PROJECT
from outreach.approval.audit import find_break
from outreach.commands.main import app
from outreach.database import open_database, reading, upgrade_database
from outreach.delivery.recovery.restore_guard import find_restore
from outreach.settings import load_settings

HERE = Path(__file__).parent
DAY = "2026-11-25"
NOON = f"{DAY}T17:00Z"
# What that version left in delivery.generation_file.
MARK = '{"4f84d6b7b64bb246": {"generation": 1, "run": "named ea20c830d0ab6f0f", "at": "2026-11-23T15:00:00+00:00"}}'
SECRET = "the secret of the version before\n"
LETTERHEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><rect width="40" height="10" fill="#2f5d50"/></svg>'
)
# It holds no rows of ours: the number of the last migration.
MIGRATIONS = "alembic_version"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the business, as the version before left it; the tests stand in it."""
    shutil.copyfile(HERE / "before.toml", tmp_path / "outreach.toml")
    shutil.copytree(PROJECT / "templates", tmp_path / "templates")
    (tmp_path / "letterhead.svg").write_text(LETTERHEAD, encoding="utf-8")
    write_private(tmp_path / "outreach.secret", SECRET)
    for name in files_of_secrets(read_toml()):
        write_private(tmp_path / name, "{}\n" if name.endswith("storage") else "a word\n")
    path = tmp_path / "outreach.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((HERE / "before.sql").read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    return path


def write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def read_toml() -> dict[str, Any]:
    return tomllib.loads((HERE / "before.toml").read_text(encoding="utf-8"))


def files_of_secrets(part: dict[str, Any]) -> Iterator[str]:
    for name, value in part.items():
        if isinstance(value, dict):
            yield from files_of_secrets(value)
        elif name.endswith("_file") and value.startswith("secrets/"):
            yield value


def run(*words: str) -> str:
    """What the command prints. It must end with 0."""
    result = CliRunner().invoke(app, [*words, "--now", NOON])
    assert result.exit_code == 0, f"outreach {' '.join(words)}: {result.output}{result.exception!r}"
    return result.stdout


def read_rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def columns_by_table(database: Path) -> dict[str, list[str]]:
    tables = read_rows(database, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {
        table: [name for (name,) in read_rows(database, f"SELECT name FROM pragma_table_info('{table}')")]
        for (table,) in tables
    }


def keys_by_table(database: Path) -> dict[str, set[tuple[Any, ...]]]:
    """The primary keys of every row, by table."""
    keys: dict[str, set[tuple[Any, ...]]] = {}
    for table in columns_by_table(database).keys() - {MIGRATIONS}:
        key = [name for (name,) in read_rows(database, f"SELECT name FROM pragma_table_info('{table}') WHERE pk > 0")]
        keys[table] = set(read_rows(database, f"SELECT {', '.join(key)} FROM {table}"))
    return keys


def statuses(database: Path) -> dict[str, str]:
    return dict(read_rows(database, "SELECT reference, status FROM messages"))


def approved_by(database: Path, day: str) -> list[str]:
    rows = read_rows(database, f"SELECT reference FROM messages WHERE status = 'approved' AND send_on <= '{day}'")
    return [reference for (reference,) in rows]


def as_toml(value: Any) -> Any:
    """A setting as it is compared: a date as its text, a list by its parts."""
    if isinstance(value, dict):
        return {name: as_toml(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_toml(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def find_changed(written: dict[str, Any], read: dict[str, Any], above: str = "") -> Iterator[str]:
    """Each setting that is not read as it was written."""
    for name, value in written.items():
        if isinstance(value, dict) and isinstance(read.get(name), dict):
            yield from find_changed(value, read[name], f"{above}{name}.")
        elif read.get(name) != value:
            yield f"{above}{name} = {value!r} is read as {read.get(name)!r}"


def test_the_database_of_the_version_before_has_a_row_in_every_table(database: Path) -> None:
    assert [table for table, keys in keys_by_table(database).items() if not keys] == []


def test_its_tables_and_columns_keep_their_names(database: Path) -> None:
    before = columns_by_table(database)
    engine = open_database(f"sqlite:///{database}")
    upgrade_database(engine)
    engine.dispose()
    after = columns_by_table(database)
    gone = {table: set(columns) - set(after.get(table, [])) for table, columns in before.items()}
    assert {table: columns for table, columns in gone.items() if columns} == {}


def test_every_setting_of_the_version_before_is_read_as_it_was_written(database: Path) -> None:
    read = as_toml(load_settings().model_dump(mode="json", by_alias=True))
    assert list(find_changed(as_toml(read_toml()), read)) == []


def test_its_work_goes_on_by_the_new_version_and_no_row_is_lost(database: Path) -> None:
    before, due = keys_by_table(database), approved_by(database, DAY)
    assert len(due) == 3
    assert json.loads(run("status", "--json"))
    assert "2026-11-23-anniversary-letter" in run("batches")
    run("deliver")
    assert {statuses(database)[reference] for reference in due} == {"accepted"}
    run("prepare", "--on", DAY)
    run("deliver")
    after = keys_by_table(database)
    assert {table: keys - after[table] for table, keys in before.items() if keys - after[table]} == {}
    assert len(after["attempts"]) == len(before["attempts"]) + len(due)


def test_what_was_waiting_can_be_approved_and_leaves(database: Path) -> None:
    run("approve", "2026-11-23-anniversary-letter", "--by", "sam")
    run("deliver")
    assert read_rows(database, "SELECT status FROM messages WHERE channel = 'letter'") == [("accepted",)]


@pytest.mark.parametrize("customer_id", ["C1", "C3", "C6"], ids=["written to", "held back", "merged with another"])
def test_why_answers_for_a_customer_of_it(database: Path, customer_id: str) -> None:
    assert json.loads(run("why", customer_id, "--on", DAY, "--json"))


def test_it_is_not_taken_for_a_restored_backup_where_its_mark_lies(database: Path) -> None:
    engine, live = open_database(f"sqlite:///{database}"), load_settings(mode="live")
    assert find_restore(engine, live)
    Path("outreach.generation").write_text(MARK, encoding="utf-8")
    assert find_restore(engine, live) == ""


def test_its_audit_is_whole_and_goes_on(database: Path) -> None:
    run("approve", "2026-11-23-anniversary-letter", "--by", "sam")
    with reading(open_database(f"sqlite:///{database}")) as session:
        assert find_break(session) is None
