"""Members of staff who are simply there: for tests whose subject is what somebody does, and not who may do it."""

from sqlalchemy import Engine

from conftest import NOW
from outreach.database import writing
from outreach.models import Staff


def know(engine: Engine, staff_id: str, role: str = "writer") -> None:
    """Makes a record of staff where there is none; the audit does not hear of it."""
    with writing(engine) as session:
        if session.get(Staff, staff_id) is None:
            session.add(Staff(staff_id=staff_id, name=staff_id.title(), role=role, added_at=NOW))
