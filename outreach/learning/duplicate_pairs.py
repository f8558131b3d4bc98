"""Shows two customers who may be one person side by side, with what staff compare them by. Reads only."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.identity.duplicates import list_doubles
from outreach.learning.search import name_of
from outreach.models import Customer, Double, Merge, Visit

A_PAGE = 10


@dataclass(frozen=True)
class Side:
    customer: Customer
    name: str
    visits: int
    last_visit: date | None


@dataclass(frozen=True)
class Pair:
    """Two customers who may be one person."""

    #: What speaks for it.
    reasons: list[str]
    #: What speaks against it; empty for nothing.
    doubt: str
    sides: tuple[Side, Side]
    #: The columns in which the two are the same.
    agree: frozenset[str]


def list_pairs(session: Session, page: int = 1) -> tuple[list[Pair], bool]:
    """One page of the pairs that wait for an answer, the surest first, and whether there is another."""
    doubles, more = list_doubles(session, page, A_PAGE)
    ids = {id_ for one in doubles for id_ in (one.first_id, one.second_id)}
    sides = _sides(session, ids)
    # Whoever was merged since the last search has no row any more; the next search drops the pair.
    pairs = [_pair(one, sides[one.first_id], sides[one.second_id]) for one in doubles
             if one.first_id in sides and one.second_id in sides]  # fmt: skip
    return pairs, more


def _pair(double: Double, first: Side, second: Side) -> Pair:
    one, other = first.customer.model_dump(), second.customer.model_dump()
    agree = frozenset(name for name, value in one.items() if value and value == other[name])
    return Pair(double.reasons.split("; "), double.doubt or "", (first, second), agree)


def _sides(session: Session, ids: set[str]) -> dict[str, Side]:
    visits = (
        select(Visit.customer_id, func.count(), func.max(Visit.starts_on))
        .where(col(Visit.customer_id).in_(ids))
        .group_by(col(Visit.customer_id))
    )
    visits_of = {row[0]: (row[1], row[2]) for row in session.execute(visits)}
    people = session.exec(select(Customer).where(col(Customer.customer_id).in_(ids)))
    return {one.customer_id: Side(one, name_of(one), *visits_of.get(one.customer_id, (0, None))) for one in people}


def list_other_numbers(session: Session, customer_id: str) -> list[Merge]:
    """The merges into this customer that stand, the latest first."""
    into = select(Merge).where(Merge.kept_id == customer_id, col(Merge.undone_at).is_(None))
    return list(session.exec(into.order_by(col(Merge.merge_id).desc())))
