"""Works out business dates anew when the business's time zone changes.

An instant whose zone was written stays what it is, and its date is worked out anew. One that was written without a zone
is a time of day where the business is: its date stays, and the instant moves.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text, update
from sqlmodel import Session, col, select

from outreach.clock import business_date
from outreach.database import insert_new, reading, writing
from outreach.locks import take_turns
from outreach.models import Installation
from outreach.settings import Settings

if TYPE_CHECKING:
    from outreach.intake.headers import Column, Table

AT_ONCE = 5000


def redate(engine: Engine, settings: Settings) -> bool:
    """Whether dates had to be rewritten. It asks the database one question when the zone is still the same."""
    zone = settings.business.timezone
    with reading(engine) as session:
        if _zone_of(session) == zone:
            return False
    # One transaction: nobody may see some dates in the old zone and some in the new one.
    with writing(engine) as session:
        take_turns(session, "import")
        before = _zone_of(session)
        for table in _tables():
            _redate_table(session, table, before or zone, zone)
        insert_new(session, Installation, [{"id": 1}])
        session.connection().execute(update(Installation).where(col(Installation.id) == 1).values(timezone=zone))
    return True


def _tables() -> Collection["Table"]:
    from outreach.intake.headers import TABLES  # their parsers take half a second to import, and zones seldom change

    return TABLES.values()


def _zone_of(session: Session) -> str | None:
    """The zone in which the dates are that the database has."""
    return session.exec(select(Installation.timezone).where(Installation.id == 1)).first()


def _redate_table(session: Session, table: "Table", before: str, zone: str) -> None:
    columns = [column for column in table.columns if column.local]
    if not columns:
        return
    model = table.model
    # The first column of every table with instants that move is its key.
    key = getattr(model, table.columns[0].key)
    asked = [getattr(model, name) for each in columns for name in (each.key, each.local, each.day) if name]
    last = ""
    while rows := session.execute(select(key, *asked).where(key > last).order_by(key).limit(AT_ONCE)).all():
        moved = [
            {table.columns[0].key: row[0], **changed}
            for row in rows
            if (changed := _redate_row(row._mapping, columns, before, zone))
        ]
        for names in {tuple(each) for each in moved}:
            session.execute(update(model), [each for each in moved if tuple(each) == names])
        last = rows[-1][0]


def _redate_row(row: Any, columns: "list[Column]", before: str, zone: str) -> dict[str, Any]:
    """What changes in a row: dates of instants that stay, and instants that stay the same time of day."""
    changed: dict[str, Any] = {}
    for column in columns:
        at: datetime | None = row[column.key]
        if at is None:
            continue
        if row[column.local]:
            # As when it was read: of an hour that comes twice, the first.
            moved = at.astimezone(ZoneInfo(before)).replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
            if moved != at:
                changed[column.key] = moved
        elif column.day and (day := business_date(at, zone)) != row[column.day]:
            changed[column.day] = day
    return changed


@contextmanager
def reading_dated(engine: Engine, settings: Settings) -> Iterator[Session]:
    """A session as of `reading` that sees every business date in the zone of the settings, and writes none of them.

    Where the database has them in another zone, copies that end with the session stand before its tables.
    """
    zone = settings.business.timezone
    with reading(engine) as session:
        if _zone_of(session) not in {None, zone}:
            for table in _tables():
                for column in table.columns:
                    if column.day:
                        _show_dated(session, table, column, zone)
        yield session
        session.rollback()


def _show_dated(session: Session, table: "Table", column: "Column", zone: str) -> None:
    """Copies a table with its dates in `zone` to a temporary one, which every query then finds by the same name."""
    model: Any = table.model
    name, connection = model.__tablename__, session.connection()
    # Names of our own tables and columns stand in these statements, and a zone that the settings have checked.
    if connection.dialect.name == "postgresql":
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()
        day, source, place = f"({column.key} AT TIME ZONE '{zone}')::date", f'"{schema}".{name}', ""
    else:
        driver: Any = connection.connection.driver_connection
        driver.create_function("business_date", 2, _date_text, deterministic=True)
        day, source, place = f"business_date({column.key}, '{zone}')", f"main.{name}", "temp."
    others = ", ".join(f'"{each.name}"' for each in model.__table__.columns if each.name != column.day)
    shown = f"CASE WHEN {column.local} THEN {column.day} ELSE {day} END AS {column.day}"
    copy = f"CREATE TEMPORARY TABLE {name} AS SELECT {others}, {shown} FROM {source}"  # noqa: S608
    connection.execute(text(copy))
    if connection.dialect.name == "postgresql":
        # PostgreSQL's autovacuum does not see temporary tables, so nobody else would count these rows for its planner.
        connection.execute(text(f"ANALYZE {name}"))
    keys = [tuple(each.name for each in index.columns) for index in model.__table__.indexes]
    for number, columns in enumerate([*keys, tuple(table.key)]):
        connection.execute(text(f"CREATE INDEX {place}dated_{name}_{number} ON {name} ({', '.join(columns)})"))


def _date_text(at: str, zone: str) -> str:
    """SQLite's date of one of its instants, which are UTC without saying so."""
    return business_date(datetime.fromisoformat(f"{at}+00:00"), zone).isoformat()
