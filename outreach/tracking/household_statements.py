"""Records whom a customer says they live with. What is on record stands above data and detection."""

from datetime import datetime

from sqlalchemy import Engine

from outreach.approval.audit import record_act
from outreach.approval.staff import require_writer
from outreach.database import writing
from outreach.errors import NotWaiting
from outreach.identity.customer_ids import read_customer_id
from outreach.identity.households import say_household, take_back_household
from outreach.locks import take_turns


def record_household(engine: Engine, customer_id: str, other: str | None, by: str, now: datetime) -> None:
    """Records that a customer lives with the customer `other`, or, without one, with none of those on file with them.

    Raises NotFound for an id that is no customer's, and NotAllowed.
    """
    with writing(engine) as session:
        take_turns(session, "import")
        require_writer(session, by)
        person = read_customer_id(session, customer_id)
        with_whom = read_customer_id(session, other) if other else None
        say_household(session, person, with_whom, by, now)
        record_act(session, by, "household recorded", person, with_whom or "alone", now)


def take_household_back(engine: Engine, customer_id: str, by: str, now: datetime) -> None:
    """Forgets what they said: the data and what is detected stand again. Raises NotWaiting where nothing was said."""
    with writing(engine) as session:
        take_turns(session, "import")
        require_writer(session, by)
        person = read_customer_id(session, customer_id)
        if not take_back_household(session, person):
            raise NotWaiting("Nobody recorded whom they live with, or it has been taken back already")
        record_act(session, by, "household taken back", person, "", now)
