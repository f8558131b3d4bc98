"""Finds where the data begin in the middle of a business's life: an export's first days are nobody's beginning.

Whoever has their first visit or invoice on those days may have come for years before. It judges nothing.
"""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, union
from sqlmodel import Session, col, select

from outreach.models import Customer, Invoice, Treatment, Visit
from outreach.moments.relationship import took_place, was_done

# Below this many, a day shared by over one in a hundred is chance, not the default of an import.
FEWEST_SHARED = 5
EDGE = timedelta(days=7)
# What a column holds that nobody has filled in; no record of ours is as old.
OLDEST = date(1970, 1, 1)
# Somebody who signed up shortly before the first visit does not show that there were years before it.
LONG_BEFORE = timedelta(days=30)


def find_edge(session: Session, least: int, defaults: Collection[date]) -> date | None:
    """The last of the first seven days on which anybody came, was treated or billed, where the data are cut off there.

    They are where `least` customers have their first contact on these days, or where somebody is with us since long
    before them, as their `customer_since` says (`defaults` say nothing). None where the data begin with the business.
    """
    first = min((day for table in _firsts() if (day := session.execute(table).scalar_one())), default=None)
    if first is None:
        return None
    known_before = select(Customer.customer_id).where(
        col(Customer.customer_since) > OLDEST,
        col(Customer.customer_since) < first - LONG_BEFORE,
        col(Customer.customer_since).not_in(defaults),
    )
    # Not UNION ALL: a customer counts once, however often they came in these days.
    at_once = union(*_of_first_days(first)).subquery()
    is_cut = (
        session.execute(known_before.limit(1)).first() is not None
        or session.execute(select(func.count()).select_from(at_once)).scalar_one() >= least
    )
    return first + EDGE - timedelta(days=1) if is_cut else None


def _firsts() -> Iterator[Any]:
    for day, _, counts in _contacts():
        yield select(func.min(day)).where(counts, day > OLDEST)


def _of_first_days(first: date) -> Iterator[Any]:
    for day, who, counts in _contacts():
        yield select(who).where(counts, day >= first, day < first + EDGE)


def _contacts() -> Iterator[tuple[Any, Any, Any]]:
    """The day, the customer and the condition of what `first_contact` counts."""
    yield col(Treatment.done_on), col(Treatment.customer_id), was_done()
    yield col(Visit.starts_on), col(Visit.customer_id), took_place()
    yield col(Invoice.issued_on), col(Invoice.customer_id), col(Invoice.customer_id).is_not(None)
