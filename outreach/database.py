"""Opens the database, gives sessions in which messages can be claimed safely, and brings the tables to today's shape.

Writing transactions on SQLite always begin IMMEDIATE: with the driver's deferred BEGIN, four claimers doubled 401 of
800 claims.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Insert, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool
from sqlmodel import Session, SQLModel, create_engine

from outreach.database_errors import find_trouble
from outreach.errors import DatabaseError
from outreach.local_files import PRIVATE_FILE
from outreach.locks import take_turns
from outreach.text_folding import plain_letters

Kept = Callable[[Any], Mapping[str, Any]]
MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 60


def open_database(url: str) -> Engine:
    """An engine on `sqlite:///path` or `postgresql://…`; nothing is created yet, and no connection is kept open.

    Raises DatabaseError for a URL of any other kind.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError("That is not a database URL; write sqlite:///outreach.db or postgresql://…") from error
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    # Parameters are hidden from errors on both databases: they are people's data, and errors are printed and logged.
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed, poolclass=NullPool, hide_parameters=True)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise DatabaseError("Outreach keeps its data in a SQLite file or in PostgreSQL; write sqlite:///outreach.db")
    engine = create_engine(parsed, poolclass=NullPool, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "do_connect", _make_private)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(_dialect: object, _record: object, arguments: list[str], _options: object) -> None:
    # SQLite would make the file for everybody to read; its log beside it gets the file's own permissions.
    if not arguments[0].startswith("file:"):
        with suppress(OSError):  # what is wrong with it, the driver says next
            os.close(os.open(arguments[0], os.O_CREAT | os.O_EXCL, PRIVATE_FILE))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not send a BEGIN of its own
    connection.create_function("md5", 1, _md5, deterministic=True)  # PostgreSQL has it; draws need it on both
    connection.create_function("plain_letters", 1, plain_letters, deterministic=True)
    # FULL: with NORMAL a power cut may forget a commit, such as an attempt whose message has left
    # (https://www.sqlite.org/pragma.html#pragma_synchronous).
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _md5(text: str | None) -> str | None:
    return None if text is None else hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _begin_sqlite(connection: Connection) -> None:
    reading_only = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading_only else "BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session on one consistent view of the data that never waits for writers and never writes."""
    with engine.connect().execution_options(reading=True) as connection, Session(connection) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session whose one transaction commits when the block ends and rolls back when it raises."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def require_safe_claims(engine: Engine) -> None:
    """Raises DatabaseError where a transaction that means to write does not keep other writers out from its beginning.

    A second connection tries to write meanwhile, and must not be let in. PostgreSQL locks the rows that are claimed.
    """
    if engine.dialect.name != "sqlite":
        return
    with writing(engine) as session:
        session.connection()
        other = sqlite3.connect(engine.url.database or "", isolation_level=None, timeout=0)
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return
        finally:
            other.close()
    raise DatabaseError("Two senders could claim one message: transactions do not BEGIN IMMEDIATE. Nothing is sent")


def shared_instant(session: Session, clock: Callable[[], datetime]) -> datetime:
    """Now, by the one clock that all machines share: the server's; on SQLite, which is one machine's, by `clock`."""
    if session.get_bind().dialect.name != "postgresql":
        return clock()
    instant: datetime = session.connection().execute(text("SELECT clock_timestamp()")).scalar_one()
    return instant


def insert_new(session: Session, table: type[SQLModel], rows: list[dict[str, Any]]) -> int:
    """Inserts the rows whose keys are not there yet and leaves the others as they are; returns how many were new."""
    return _insert(session, table, rows, lambda statement: statement.on_conflict_do_nothing())


def upsert(session: Session, table: type[SQLModel], rows: list[dict[str, Any]], kept: Kept | None = None) -> int:
    """Inserts rows, or overwrites those with the same primary key; returns how many rows were touched.

    `kept` is given the row that comes in, and says what a column becomes where that is not simply its new value.
    """
    if not rows:
        return 0
    keys = [column.name for column in table.__table__.primary_key]  # type: ignore[attr-defined]
    changed = [name for name in rows[0] if name not in keys]

    def overwrite(statement: Any) -> Any:
        if not changed:
            return statement.on_conflict_do_nothing()
        new = {name: statement.excluded[name] for name in changed}
        settled = kept(statement.excluded) if kept else {}
        new |= {name: value for name, value in settled.items() if name in new}
        return statement.on_conflict_do_update(index_elements=keys, set_=new)

    return _insert(session, table, rows, overwrite)


def _insert(session: Session, table: type[SQLModel], rows: list[dict[str, Any]], on_conflict: Any) -> int:
    if not rows:
        return 0
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement: Insert = on_conflict(dialect.insert(table))
    # One short statement run for every row: one long statement of all rows takes several times as long to put together.
    result = session.connection().execute(statement, rows, execution_options={"preserve_rowcount": True})
    return result.rowcount


def upgrade_database(engine: Engine, revision: str = "head") -> bool:
    """Creates the tables or brings them to the shape of `revision`, today's; returns whether anything changed.

    Many may run it. Raises DatabaseError when the server cannot be reached, the file cannot be opened, or rows would
    be left that point nowhere; then nothing is changed.
    """
    newest = _newest_revision() if revision == "head" else revision
    try:
        with reading(engine) as session:
            if _revision_of(session) == newest:
                return False
        _upgrade(engine, revision)
    except DBAPIError as error:
        if trouble := find_trouble(error):
            raise DatabaseError(trouble) from None
        raise
    return True


def _upgrade(engine: Engine, revision: str) -> None:
    # Alembic takes as long to import as SQLAlchemy, and all but the first command on a database need none of it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _reshaping(engine) as session:
        take_turns(session, "upgrade")
        config.attributes["connection"] = session.connection()
        command.upgrade(config, revision)


def is_upgraded(session: Session) -> bool:
    """Whether the database has the shape that this version of the program works with, and no older or newer one."""
    return _revision_of(session) == _newest_revision()


def _revision_of(session: Session) -> str | None:
    """The revision that Alembic wrote down in the database; None where it never did."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return None
    return session.execute(text("SELECT version_num FROM alembic_version")).scalar()


@cache
def _newest_revision() -> str:
    # Each migration's file begins with its revision, and they follow each other in that order.
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).split("_")[0]


@contextmanager
def _reshaping(engine: Engine) -> Iterator[Session]:
    """A writing session that may make a table anew while others point at it; at its end every pointer must be good."""
    if engine.dialect.name != "sqlite":
        with writing(engine) as session:
            yield session
        return
    with engine.connect() as connection:
        # SQLite has no ALTER for constraints: the table is dropped and made again, which foreign keys would forbid.
        # The pragma does nothing inside a transaction (https://www.sqlite.org/lang_altertable.html#otheralter).
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        with Session(connection) as session, session.begin():
            yield session
            if driver.execute("PRAGMA foreign_key_check").fetchone():
                raise DatabaseError("The database was not upgraded: some of its rows point at rows that are not there")
