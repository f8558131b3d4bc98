"""Runs one SELECT of somebody's own over our tables, for the ids of customers. It can change nothing, whatever it says.

The query runs within another, in a transaction that only reads, and not for long. What it may ask for is decided in
query_rights.py, by the database's own reading of it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, ResourceClosedError

from outreach.clock import steady_seconds
from outreach.errors import IntakeError
from outreach.intake.query_rights import new_authorizer, require_readable

LONGEST_QUERY = 10_000
MOST_IDS = 1_000_000
MOST_SECONDS = 30
STEPS_BETWEEN_LOOKS = 100_000
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_VIEW = "named_by_query"


def select_ids(engine: Engine, query: str) -> list[str | None]:
    """The column `customer_id` of every row the query yields, at most a million.

    Raises IntakeError for anything but one SELECT, and for one that fails, yields no customer_id or takes too long.
    """
    statement = require_select(query)
    try:
        with engine.connect().execution_options(reading=True) as connection, _only_reading(connection):
            values = _run(connection, statement)
    except (DBAPIError, ResourceClosedError, engine.dialect.loaded_dbapi.Error) as error:
        raise IntakeError(f"The database would not answer the query. {_reason(error)}") from None
    return [None if value is None else str(value) for value in values]


def _run(connection: Connection, statement: str) -> list[Any]:
    wrapped = f"SELECT customer_id FROM (\n{statement}\n) AS named"  # noqa: S608 — that is its point
    most = {"most": MOST_IDS}
    if connection.dialect.name == "sqlite":
        # A colon would name a parameter; the one there is makes the driver refuse a second statement.
        escaped = wrapped.replace(":", r"\:")
        return list(connection.execute(text(f"{escaped} LIMIT :most"), most).scalars())
    # What PostgreSQL has understood is looked at, and that very thing is asked: no text is read twice.
    driver: Any = connection.connection.driver_connection
    # Prepared, because then the server takes one statement and no more.
    driver.execute(f"CREATE TEMPORARY VIEW {_VIEW} AS {wrapped}", prepare=True)
    require_readable(connection, f"pg_temp.{_VIEW}")
    connection.execute(text("SET TRANSACTION READ ONLY"))
    rows = connection.execute(text(f"SELECT customer_id FROM pg_temp.{_VIEW} LIMIT :most"), most)  # noqa: S608
    return list(rows.scalars())


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
    return statement


@contextmanager
def _only_reading(connection: Connection) -> Iterator[None]:
    """Lets the connection read and nothing else, for as long as one query may take."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL statement_timeout = {MOST_SECONDS * 1000}"))
        yield
        return
    connection.begin()
    driver: Any = connection.connection.driver_connection
    ends = steady_seconds() + MOST_SECONDS
    driver.set_progress_handler(lambda: steady_seconds() > ends, STEPS_BETWEEN_LOOKS)
    driver.set_authorizer(new_authorizer(driver))
    try:
        yield
    finally:
        driver.set_authorizer(None)
        driver.set_progress_handler(None, 0)


def _reason(error: Exception) -> str:
    """What the database said, without the rows that some of its words quote."""
    message = str(getattr(error, "orig", None) or error).partition("\n")[0]
    return re.sub(r":?\s*\".*\"|'.*'", "", message) if "invalid input" in message else message
