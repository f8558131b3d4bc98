"""Writes many rows to a table by way of a temporary one: the driver fills that, and one statement does the rest.

What a row of that key already says stands where the table's own rule has it so; nothing else is decided here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    MetaData,
    Select,
    Table,
    and_,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable
from sqlmodel import Session, SQLModel

from outreach.database import Kept
from outreach.models.column_types import Instant

Row = dict[str, Any]
_UTC = "+00:00"
# So few that they stay in the processor's own memory while one column after another is taken from them.
_AT_ONCE = 500
# In kilobytes; SQLite's own is 2,000. With it an index that lies in the order of customers is read and written anew
# for every transaction.
_CACHE = 32_768


@dataclass(frozen=True)
class StagedCount:
    """What became of rows that were written."""

    #: Their key was there before.
    known: int
    #: They are new, or said something else than the row that was there.
    written: int
    #: Of the rows that are new, or differ in a column that is watched: the key, those columns before, and now.
    differing: Sequence[tuple[Any, ...]] = ()


def write_staged(
    session: Session,
    model: type[SQLModel],
    rows: Sequence[Row],
    kept: Kept | None = None,
    overwrite: bool = True,
    watched: Sequence[str] = (),
) -> StagedCount:
    """Inserts rows with the same columns; those whose key is there overwrite it, or stay out. The last of a key counts.

    `kept` is given the row that comes in, and says what a column becomes where that is not simply its new value.
    """
    if not rows:
        return StagedCount(0, 0)
    table: Table = model.__table__  # type: ignore[attr-defined]
    connection, names = session.connection(), list(rows[0])
    key = [column.name for column in table.primary_key]
    # One statement must not touch a row twice.
    last = dict(zip(map(itemgetter(*key), rows), rows, strict=True))
    staged = _stage(connection, table, names, list(last.values()))
    same_key = and_(*(table.c[name] == staged.c[name] for name in key))
    known = connection.execute(select(func.count()).select_from(staged.join(table, same_key))).scalar_one()
    differing = _find_differing(connection, table, staged, same_key, watched) if watched else []
    # In the order of the key, which touches fewest pages. Without the condition SQLite would take ON CONFLICT for
    # the ON of a join (https://www.sqlite.org/lang_upsert.html).
    source = select(*(staged.c[name] for name in names)).where(literal(1) == literal(1))
    ordered = source.order_by(*(staged.c[name] for name in key))
    statement = _insert(connection, table, names, ordered, kept, overwrite)
    written = connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
    staged.drop(connection)
    return StagedCount(known, written, differing)


def _find_differing(
    connection: Connection, table: Table, staged: Table, same_key: ColumnElement[bool], watched: Sequence[str]
) -> list[tuple[Any, ...]]:
    before = [table.c[name] for name in watched]
    # What the rows do not have stays as it is.
    now = [staged.c[name] if name in staged.c else table.c[name] for name in watched]
    keys = [column.name for column in table.primary_key]
    is_other = or_(
        table.c[keys[0]].is_(None), *(old.is_distinct_from(new) for old, new in zip(before, now, strict=True))
    )
    rows = select(*(staged.c[name] for name in keys), *before, *now).select_from(staged.outerjoin(table, same_key))
    return [tuple(row) for row in connection.execute(rows.where(is_other))]


def _stage(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row]) -> Table:
    """A temporary table without keys or indexes, with the rows in it."""
    columns = [Column(name, table.c[name].type) for name in names]
    staged = Table(f"staged_{table.name}", MetaData(), *columns, prefixes=["TEMPORARY"])
    connection.execute(CreateTable(staged))
    if connection.dialect.name == "sqlite":
        _driver_of(connection).execute(f"PRAGMA cache_size=-{_CACHE}")
    _fill(connection, staged.name, columns, rows)
    return staged


def insert_rows(session: Session, model: type[SQLModel], rows: Sequence[Row]) -> None:
    """Inserts rows with the same columns whose keys are all new, or made by the database."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    if rows:
        _fill(session.connection(), table.name, [table.c[name] for name in rows[0]], rows)


def _fill(connection: Connection, name: str, columns: Sequence[Column[Any]], rows: Sequence[Row]) -> None:
    listed = ", ".join(f'"{column.name}"' for column in columns)
    values, driver = _as_stored(connection, columns, rows), _driver_of(connection)
    if connection.dialect.name == "postgresql":
        with driver.cursor() as cursor, cursor.copy(f"COPY {name} ({listed}) FROM STDIN") as copy:
            for value in values:
                copy.write_row(value)
    else:
        marks = ", ".join("?" * len(columns))
        driver.executemany(f"INSERT INTO {name} ({listed}) VALUES ({marks})", values)  # noqa: S608 — our own names


def _driver_of(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _as_stored(
    connection: Connection, columns: Sequence[Column[Any]], rows: Sequence[Row]
) -> Iterator[tuple[Any, ...]]:
    """The rows as the driver takes them: each column's values made what the database stores, a column at a time."""
    processors = [(itemgetter(column.name), _processor(connection, column)) for column in columns]
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        yield from zip(*(_values_of(part, get, process) for get, process in processors), strict=True)


def _values_of(rows: Sequence[Row], get: Callable[[Row], Any], process: Callable[[Any], Any] | None) -> list[Any]:
    if process is None:
        return list(map(get, rows))
    return [None if (value := get(row)) is None else process(value) for row in rows]


def _processor(connection: Connection, column: Column[Any]) -> Callable[[Any], Any] | None:
    """What makes of a value what the driver takes; dates and instants as text, which both databases read."""
    # Those of SQLAlchemy and psycopg take five times as long, and were a sixth of an import's time.
    if isinstance(column.type, Instant):
        return _write_instant if connection.dialect.name == "postgresql" else _write_bare_instant
    if isinstance(column.type, Date):
        return date.isoformat
    if isinstance(column.type, Boolean):
        return None
    return column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)


def _write_instant(value: datetime) -> str:
    if value.utcoffset() is None:
        raise ValueError("an instant needs its time zone")
    text = value.isoformat(" ", "microseconds")
    # So it ends already where an import read it.
    return text if text.endswith(_UTC) else value.astimezone(UTC).isoformat(" ", "microseconds")


def _write_bare_instant(value: datetime) -> str:
    """As SQLite keeps instants: in UTC without saying so."""
    return _write_instant(value)[: -len(_UTC)]


def _insert(
    connection: Connection, table: Table, names: Sequence[str], source: Select[Any], kept: Kept | None, overwrite: bool
) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement: Any = dialect.insert(table).from_select(list(names), source)
    key = [column.name for column in table.primary_key]
    changed = [name for name in names if name not in key]
    if not overwrite or not changed:
        return statement.on_conflict_do_nothing()
    new = {name: statement.excluded[name] for name in changed}
    settled = kept(statement.excluded) if kept else {}
    new |= {name: value for name, value in settled.items() if name in new}
    # A row that stays the same is not written again: most of a nightly import is yesterday's.
    other = or_(*(table.c[name].is_distinct_from(value) for name, value in new.items()))
    return statement.on_conflict_do_update(index_elements=key, set_=new, where=other)
