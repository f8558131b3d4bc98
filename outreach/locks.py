"""Names that one transaction or one process holds at a time, on every machine that shares the database.

A lock ends with whoever holds it, however they end. On SQLite, which one machine alone uses, they are locked files.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session


def take_turns(session: Session, name: str) -> None:
    """Waits until no other transaction holds `name`, and holds it until this one ends.

    SQLite has one writer at a time as it is; PostgreSQL takes an advisory lock.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _number_of(name)})


def _number_of(name: str) -> int:
    # PostgreSQL's advisory locks have no names, but numbers of 64 bits.
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


@contextmanager
def hold(engine: Engine, name: str) -> Iterator[None]:
    """Holds `name` across transactions until the block, or this process, ends; waits while another holds it.

    A killed process lets go at once and a paused one does not, which no lease can tell apart.
    """
    with _holding(engine, name, waits=True):
        yield


@contextmanager
def try_hold(engine: Engine, name: str) -> Iterator[bool]:
    """Holds `name` as `hold` does where nobody else holds it; gives whether it does, and never waits."""
    with _holding(engine, name, waits=False) as is_ours:
        yield is_ours


@contextmanager
def _holding(engine: Engine, name: str, waits: bool) -> Iterator[bool]:
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            is_ours = _lock_number(connection, _number_of(name), waits)
            try:
                yield is_ours
            finally:
                if is_ours:
                    _unlock_number(connection, _number_of(name))
        return
    file = _take_file(engine, name, waits)
    try:
        yield file is not None
    finally:
        if file is not None:
            _file_of(engine, name).unlink(missing_ok=True)
            os.close(file)


# A machine that is cut off says no farewell: without these, what it holds would stay held for hours.
_KEEPALIVES = text(
    "SELECT set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false), "
    "set_config('tcp_keepalives_count', '3', false)"
)


def _lock_number(connection: Connection, number: int, waits: bool) -> bool:
    connection.execute(_KEEPALIVES)
    if waits:
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": number})
        return True
    is_ours: bool = connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar_one()
    return is_ours


def _unlock_number(connection: Connection, number: int) -> None:
    # Closing the connection lets go as well, but only a moment after it returns. Where it broke, that has happened.
    with suppress(OperationalError):
        connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})


def is_held(session: Session, name: str) -> bool:
    """Whether a living process holds `name`."""
    engine = session.connection().engine
    if engine.dialect.name == "postgresql":
        free = text("SELECT pg_try_advisory_xact_lock_shared(:number)")
        return not session.connection().execute(free, {"number": _number_of(name)}).scalar_one()
    try:
        file = os.open(_file_of(engine, name), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two that ask at once do not take each other for the holder.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        # We got the lock, so whoever made the file was killed before they could remove it.
        _file_of(engine, name).unlink(missing_ok=True)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _file_of(engine: Engine, name: str) -> Path:
    return Path(f"{engine.url.database}-{hashlib.sha256(name.encode()).hexdigest()[:16]}.held")


def _take_file(engine: Engine, name: str, waits: bool) -> int | None:
    path = _file_of(engine, name)
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        # The one who held it may have removed the file while we waited: then nobody else would see our lock.
        with suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(file).st_ino:
                return file
        os.close(file)
