"""Takes and restores backups of a drill's own database, as the tools of each database make them.

Whoever restores one has stopped everything that uses the database before.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, insert, select, text
from sqlmodel import SQLModel

from outreach.database import reading
from outreach.delivery.recovery.restore_marks import mark_file, read_mark
from outreach.models import Installation
from outreach.settings import Settings


@dataclass(frozen=True)
class Backup:
    """A copy of a drill's database."""

    #: Puts it in the database's place.
    restore: Callable[[], None]
    #: How far the database had come, at the latest, when it was taken.
    generation: int


def take_backup(engine: Engine, path: Path) -> Backup:
    """Takes a consistent copy while the database is in use."""
    if engine.dialect.name != "sqlite":
        rows = _read_rows(engine)
        return Backup(lambda: _write_rows(engine, rows), _generation_of(engine))
    source, target = sqlite3.connect(engine.url.database or ""), sqlite3.connect(path)
    source.backup(target)
    source.close()
    target.close()
    # The generation is read after the copy: a machine that knows this one has surely run since.
    return Backup(lambda: _put_file(Path(engine.url.database or ""), path), _generation_of(engine))


def know_better(engine: Engine, backup: Backup, machines: Iterable[Settings]) -> list[Settings]:
    """Those of the machines that have run since the backup was taken: no other can tell it from the database itself."""
    with reading(engine) as session:
        name = session.get_one(Installation, 1).name or ""
    marks = [(settings, read_mark(mark_file(settings, name), name)) for settings in machines]
    return [settings for settings, mark in marks if mark and mark.generation > backup.generation]


def _generation_of(engine: Engine) -> int:
    with reading(engine) as session:
        return session.get_one(Installation, 1).generation


def _put_file(database: Path, backup: Path) -> None:
    # With the log of the old file beside it, SQLite would write what stands there into the restored one.
    for ending in ("", "-wal", "-shm"):
        Path(f"{database}{ending}").unlink(missing_ok=True)
    shutil.copy(backup, database)


def _read_rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row at one instant, as pg_dump reads them."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in SQLModel.metadata.sorted_tables
        }


def _write_rows(engine: Engine, rows: dict[str, list[dict[str, Any]]]) -> None:
    tables = SQLModel.metadata.sorted_tables
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(table.name for table in tables)} CASCADE"))
        for table in tables:
            if rows[table.name]:
                connection.execute(insert(table), rows[table.name])
            for column in table.primary_key:
                # Numbers that the database gives out go on after the last, and after none they begin again.
                sequence = func.pg_get_serial_sequence(table.name, column.name)
                last = select(func.max(column)).scalar_subquery()
                if connection.execute(select(sequence)).scalar_one():
                    connection.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))
