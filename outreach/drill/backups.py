"""Backups of a drill's own database, as the tools of each database make them, and back.

Whoever restores one has stopped everything that uses the database before.
"""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, insert, select, text
from sqlmodel import SQLModel

Restore = Callable[[], None]


def take_backup(engine: Engine, path: Path) -> Restore:
    """Takes a consistent copy while the database is in use; returns what puts it back in the database's place."""
    if engine.dialect.name != "sqlite":
        rows = _read_rows(engine)
        return lambda: _write_rows(engine, rows)
    source, target = sqlite3.connect(engine.url.database or ""), sqlite3.connect(path)
    source.backup(target)
    source.close()
    target.close()
    return lambda: _put_file(Path(engine.url.database or ""), path)


def _put_file(database: Path, backup: Path) -> None:
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
