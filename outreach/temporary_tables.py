"""Makes tables that only one session sees: copies of real ones to try things out on, and tables that are filled again.

Nothing here changes a real table, locks one, or keeps anybody waiting.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, UniqueConstraint, text
from sqlalchemy.schema import CreateIndex
from sqlmodel import Session, SQLModel


@contextmanager
def trying_out(engine: Engine, copied: Mapping[type[SQLModel], Select[Any]]) -> Iterator[Session]:
    """A session in which each table of `copied` is a copy, with the rows of its select, that is gone at the end.

    Only the copies may be written to. The session has one consistent view of the data.
    """
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":
        # Else what is committed between two copies would be in one of them and missing in the other.
        options |= {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as connection, Session(connection) as session:
        for model, rows in copied.items():
            _copy(connection, model.__table__, rows)  # type: ignore[attr-defined]
        yield session


def _copy(connection: Connection, table: Table, rows: Select[Any]) -> None:
    """A temporary table of the same name, with its indexes: both databases look for a name among these first.

    https://www.sqlite.org/lang_naming.html, https://www.postgresql.org/docs/current/ddl-schemas.html
    """
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {table.name} AS {rows.compile(connection)}")
    unique = [rule for rule in table.constraints if isinstance(rule, UniqueConstraint)]
    for number, key in enumerate((table.primary_key, *unique)):
        columns = ", ".join(column.name for column in key.columns)
        connection.exec_driver_sql(f"CREATE UNIQUE INDEX {table.name}_key_{number} ON {table.name} ({columns})")
    for index in table.indexes:
        connection.execute(CreateIndex(index))
    if connection.dialect.name == "postgresql":
        # Nobody else does it for temporary tables.
        connection.execute(text(f"ANALYZE {table.name}"))


def empty_table(session: Session, table: Table) -> None:
    """Takes every row out of a temporary table, so that on PostgreSQL too it is as quick as a new one afterwards."""
    connection = session.connection()
    is_postgresql = connection.dialect.name == "postgresql"
    connection.exec_driver_sql(f"{'TRUNCATE' if is_postgresql else 'DELETE FROM'} {table.name}")
