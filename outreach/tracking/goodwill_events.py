"""Keeps whom staff name after an event, and audits it. To write to them is planning's to decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_admin, require_approver
from outreach.clock import business_date
from outreach.database import reading, writing
from outreach.intake.goodwill_lists import GoodwillReport, List, keep_named, query_list, trim_event
from outreach.locks import take_turns
from outreach.models import Goodwill
from outreach.settings import Settings

EVENTS_SHOWN = 20


@dataclass(frozen=True)
class HitEvent:
    """An event for which somebody was named."""

    event: str
    #: The first day on which somebody was named for it.
    first_on: date
    #: The last such day.
    last_on: date
    #: How many were named.
    count: int


def name_hit(engine: Engine, settings: Settings, listed: List, event: str, by: str, now: datetime) -> GoodwillReport:
    """What became of each line, once everybody on the list is named for the event by the member of staff `by`.

    Raises IntakeError for an event without a fit name, NotFound and NotAllowed for who may not.
    """
    trimmed = trim_event(event)
    with writing(engine) as session:
        take_turns(session, "import")
        require_approver(session, by)
        report = keep_named(session, listed, trimmed, by, business_date(now, settings.business.timezone))
        if report.named:
            record_act(session, by, "goodwill named", trimmed, f"{report.named} customers", now)
    return report


def name_by_query(engine: Engine, settings: Settings, query: str, event: str, by: str, now: datetime) -> GoodwillReport:
    """As `name_hit`, of those whom a SELECT yields; only an admin may ask the tables. Raises IntakeError too."""
    # Asked before the query is run: nobody else may read the tables through it.
    with reading(engine) as session:
        require_admin(session, by, "choose customers by a query")
    return name_hit(engine, settings, query_list(engine, query), event, by, now)


def list_events(session: Session) -> Sequence[HitEvent]:
    """The last events for which somebody was named, the latest first."""
    named_on, last = col(Goodwill.named_on), func.max(col(Goodwill.named_on))
    counted = select(Goodwill.event, func.min(named_on), last, func.count()).group_by(col(Goodwill.event))
    rows = session.exec(counted.order_by(last.desc(), col(Goodwill.event)).limit(EVENTS_SHOWN))
    return [HitEvent(*row) for row in rows]
