"""Reads the tables, views and queries of a database as rows of text, over a connection that cannot write.

The password in the URL is never shown, stored or repeated in an error.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Engine,
    Select,
    create_engine,
    inspect,
    literal_column,
    or_,
    select,
    table,
    text,
)
from sqlalchemy import column as sql_column
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from outreach.errors import SourceUnreadable
from outreach.intake.changes import column_of_changes
from outreach.intake.headers import TABLES
from outreach.intake.mapping.files import FileMapping
from outreach.intake.sources.csv_files import Source, write_cell
from outreach.intake.sources.csv_rows import row_of
from outreach.intake.sources.select_statements import why_not_select

ROWS_AT_ONCE = 2000
# The driver for each kind of URL that people write.
DRIVERS = {
    "postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}  # fmt: skip
_URLS = "postgresql://…, mysql://…, mariadb://… or sqlite:///file.db"


@dataclass(frozen=True)
class Tables:
    """The tables and views that a connection finds without naming a schema, and the queries of a mapping."""

    url: URL
    has_queries: bool = True

    @property
    def shown(self) -> str:
        query = {name: value for name, value in self.url.query.items() if not name.endswith("password")}
        return self.url.set(password=None, query=query).render_as_string()

    @property
    def kept(self) -> str:
        return self.shown

    @property
    def own_names(self) -> dict[str, str]:
        return {name: name for name in TABLES}

    @cached_property
    def engine(self) -> Engine:
        if self.url.get_backend_name() == "sqlite":
            # Opened by name, the driver would make an empty database of a mistyped one.
            return create_engine(f"sqlite:///file:{self.url.database}?mode=ro&uri=true", poolclass=NullPool)
        options: dict[str, Any] = {"stream_results": True}
        if self.url.get_backend_name() == "postgresql":
            options["postgresql_readonly"] = True
            return create_engine(self.url, poolclass=NullPool, execution_options=options)
        # PyMySQL runs these once it is connected: whatever a mapping's query says, the server writes nothing.
        only_read = {"init_command": "SET SESSION TRANSACTION READ ONLY", "charset": "utf8mb4"}
        return create_engine(self.url, poolclass=NullPool, execution_options=options, connect_args=only_read)

    def names(self, mapped: list[FileMapping]) -> list[str]:
        with self._connection() as connection:
            inspector = inspect(connection)
            return sorted(
                {*inspector.get_table_names(), *inspector.get_view_names(), *(f.name[0] for f in mapped if f.query)}
            )

    def peek(self, name: str) -> list[list[str]]:
        with self._connection() as connection:
            return [[column["name"] for column in inspect(connection).get_columns(name)]]

    @contextmanager
    def open(self, name: str, file: FileMapping | None = None, after: datetime | None = None) -> Iterator[Source]:
        """One table, view or query; a row's line is its number, from 1, in the order of the primary key."""
        with self._connection() as connection:
            self._require_select(file)
            wanted = text(file.query) if file and file.query else _select(connection, name, file, after)
            result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(wanted)
            rows = (row_of(number, [write_cell(cell) for cell in row]) for number, row in enumerate(result, start=1))
            yield Source("", "", list(result.keys()), rows)

    def _require_select(self, file: FileMapping | None) -> None:
        if file and file.query and (why := why_not_select(file.query, self.url.get_backend_name())):
            raise SourceUnreadable(f"The query “{file.name[0]}” cannot be read: {why}")

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise SourceUnreadable(f"{self.shown} cannot be read: {self._say(error)}") from None

    def _say(self, error: SQLAlchemyError) -> str:
        """What the database says of its tables and of who asks; of values it is not repeated."""
        if not isinstance(error, OperationalError | ProgrammingError):
            return type(error).__name__
        message = " ".join(str(error.orig).split())
        secrets = [self.url.password, self.url.query.get("password")]
        for secret in (each for each in secrets if isinstance(each, str)):
            message = message.replace(secret, "…")
        return message


def open_tables(url: str) -> Tables:
    """Raises SourceUnreadable for a URL of any other database than those that are read."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError repeats what stands in the place of the port
        raise SourceUnreadable(f"That is not a database's URL; write {_URLS}") from None
    if parsed.drivername in DRIVERS:
        parsed = parsed.set(drivername=DRIVERS[parsed.drivername])
    if parsed.drivername not in {*DRIVERS.values(), "sqlite"} or not parsed.database:
        raise SourceUnreadable(f"Data is read from PostgreSQL, MySQL, MariaDB and SQLite: write {_URLS}")
    return Tables(parsed)


def _select(connection: Connection, name: str, file: FileMapping | None, after: datetime | None) -> Select[Any]:
    inspector = inspect(connection)
    columns = {column["name"]: column["type"] for column in inspector.get_columns(name)}
    source = table(name, *(sql_column(each) for each in columns))
    # In an order that is the same each time: a refusal names its row by its number.
    wanted = select(source).order_by(
        *(source.c[each] for each in inspector.get_pk_constraint(name)["constrained_columns"])
    )
    changed = column_of_changes(list(columns), file)
    is_sqlite = connection.dialect.name == "sqlite"
    if after is None or changed is None or is_sqlite or not isinstance(columns[changed], Date | DateTime):
        return wanted
    # A day early, for a column without a zone is in one of theirs. SQLite would compare letters.
    since: ColumnElement[Any] = literal_column(f"DATE '{(after - timedelta(days=1)).date().isoformat()}'")
    return wanted.where(or_(source.c[changed].is_(None), source.c[changed] >= since))
