"""The business's time zone in; every `…_on` beside an instant rewritten, when that zone has changed, out."""

from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from outreach.clock import business_date
from outreach.database import insert_new, reading, take_turns, writing
from outreach.intake.columns import TABLES, Table
from outreach.models import Installation
from outreach.settings import Settings

AT_ONCE = 5000


def redate(engine: Engine, settings: Settings) -> bool:
    """Whether dates had to be rewritten. It asks the database one question when the zone is still the same."""
    zone = settings.business.timezone
    with reading(engine) as session:
        installation = session.get(Installation, 1)
        if installation and installation.timezone == zone:
            return False
    # One transaction: nobody may see some dates in the old zone and some in the new one.
    with writing(engine) as session:
        take_turns(session, "import")
        for table in TABLES.values():
            _redate_table(session, table, zone)
        insert_new(session, Installation, [{"id": 1}])
        session.connection().execute(update(Installation).where(col(Installation.id) == 1).values(timezone=zone))
    return True


def _redate_table(session: Session, table: Table, zone: str) -> None:
    dated = next((column for column in table.columns if column.day), None)
    if dated is None:
        return
    key, at, on = (getattr(table.model, name) for name in (table.columns[0].key, dated.key, dated.day))
    last = ""
    while rows := session.execute(select(key, at, on).where(key > last).order_by(key).limit(AT_ONCE)).all():
        moved = [
            {table.columns[0].key: number, dated.day: business_date(instant, zone)}
            for number, instant, day in rows
            if business_date(instant, zone) != day
        ]
        if moved:
            session.execute(update(table.model), moved)
        last = rows[-1][0]
