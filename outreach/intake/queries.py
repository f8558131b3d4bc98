"""One SELECT over our own tables in; the customers' ids it yields out. Nothing that it says can change anything.

The query is somebody's own words: it runs within another, in a transaction that only reads, and not for long.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, ResourceClosedError

from outreach.clock import steady_seconds
from outreach.errors import IntakeError

LONGEST_QUERY = 10_000
MOST_IDS = 1_000_000
MOST_SECONDS = 30
STEPS_BETWEEN_LOOKS = 100_000
# Whatever lets somebody in, and the databases' own insides and functions, are no data of a customer's.
KEPT_AWAY = re.compile(r"\b(staff|sign_ins|failures|installation|sqlite_\w+|pg_\w+|information_schema|lo_\w+)\b", re.I)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


def select_ids(engine: Engine, query: str) -> list[str | None]:
    """The column `customer_id` of every row the query yields, at most a million.

    Raises IntakeError for anything but one SELECT, and for one that fails, yields no customer_id or takes too long.
    """
    statement = require_select(query)
    # A colon would name a parameter; the one there is makes the driver refuse a second statement.
    escaped = statement.replace(":", r"\:")
    wrapped = text(f"SELECT customer_id FROM (\n{escaped}\n) AS named LIMIT :most")  # noqa: S608 — that is its point
    try:
        with engine.connect().execution_options(reading=True) as connection, _only_reading(connection):
            found = connection.execute(wrapped, {"most": MOST_IDS}).scalars().all()
    except (DBAPIError, ResourceClosedError, sqlite3.Error) as error:
        raise IntakeError(f"The database would not answer the query. {_reason(error)}") from None
    return [None if value is None else str(value) for value in found]


def require_select(query: str) -> str:
    """The query without what may stand around it. Raises IntakeError where it cannot be one SELECT of our tables."""
    statement = query.strip().removesuffix(";").strip()
    bare = _COMMENT.sub(" ", statement).strip()
    if len(query) > LONGEST_QUERY:
        raise IntakeError(f"The query is longer than {LONGEST_QUERY:,} characters; give the ids as a file")
    if not re.match(r"(select|with)\b", bare, re.IGNORECASE) or "\0" in query:
        raise IntakeError(
            "The query must be one SELECT that yields customer_id, such as SELECT customer_id FROM visits"
        )
    if named := KEPT_AWAY.search(statement):
        raise IntakeError(f"A query may not ask for {named[0].lower()}; ask the tables of docs/data.md")
    return statement


@contextmanager
def _only_reading(connection: Connection) -> Iterator[None]:
    """Lets the connection read and nothing else, for as long as one query may take."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(f"SET LOCAL statement_timeout = {MOST_SECONDS * 1000}"))
        yield
        return
    connection.begin()
    driver: Any = connection.connection.driver_connection
    ends = steady_seconds() + MOST_SECONDS
    driver.set_progress_handler(lambda: steady_seconds() > ends, STEPS_BETWEEN_LOOKS)
    driver.set_authorizer(lambda act, *_: sqlite3.SQLITE_OK if act in _ALLOWED else sqlite3.SQLITE_DENY)
    try:
        yield
    finally:
        driver.set_authorizer(None)
        driver.set_progress_handler(None, 0)


def _reason(error: Exception) -> str:
    """What the database said, without the rows that some of its words quote."""
    said = str(getattr(error, "orig", None) or error).partition("\n")[0]
    return re.sub(r":?\s*\".*\"|'.*'", "", said) if "invalid input" in said else said
