"""Makes one row of the rows that a person's numbers have in the data: the one that the rest of the program sees.

What was set aside is kept as it came, so that taking a merge back gives each number its own row again.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from outreach.identity.aliases import point_rows
from outreach.models import Customer, Merge, Repointed, SetAside

# An address is one thing: half of one and half of another is nobody's.
ADDRESS = ("address_line1", "address_line2", "city", "region", "postal_code", "country", "timezone")
EARLIER = ("customer_since", "died_on")
# Households that are found, or that customers told us, are written by their own room and stand as they are.
_LEFT = {"customer_id", "household_found", "household_said"}
Row = dict[str, Any]


def set_aside(session: Session, customer_id: str) -> None:
    """Keeps the row of a customer as it is now, unless it is kept already."""
    if session.get(SetAside, customer_id) is None:
        row = session.get_one(Customer, customer_id).model_dump()
        row["guardian_id"] = _first_guardian(session, customer_id) or row["guardian_id"]
        session.add(SetAside(customer_id=customer_id, row=_to_json(row)))
        session.flush()


def take_in(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Keeps what data brings of people set aside; the rows that are to be stored as they are."""
    ids = {row["customer_id"] for row in rows}
    aside = {one.customer_id: one for one in session.exec(select(SetAside).where(col(SetAside.customer_id).in_(ids)))}
    for row in rows:
        if one := aside.get(row["customer_id"]):
            recorded = _from_json(one.row)
            died_on = _earlier(recorded["died_on"], row.get("died_on"))
            one.row = _to_json(recorded | dict(row) | {"died_on": died_on})
    session.flush()
    return [row for row in rows if row["customer_id"] not in aside]


def combine(session: Session, kept_id: str) -> None:
    """Writes the kept person's row anew: their own, filled up from their other numbers; of two dates the earlier."""
    own = session.get(SetAside, kept_id)
    if own is None:
        return
    row = _from_json(own.row)
    for other in _others(session, kept_id):
        _fill(row, other)
    customer = session.get_one(Customer, kept_id)
    # A death that staff recorded since is not in any row that was set aside.
    row["died_on"] = _earlier(row["died_on"], customer.died_on)
    _write(session, kept_id, row)


def _others(session: Session, kept_id: str) -> list[Row]:
    """The rows of everybody merged into this person, and into those, in the order of the merges."""
    merges = session.exec(
        select(Merge).where(Merge.kept_id == kept_id, col(Merge.undone_at).is_(None)).order_by(col(Merge.merge_id))
    ).all()
    rows: list[Row] = []
    for merge in merges:
        rows += [_from_json(session.get_one(SetAside, merge.merged_id).row), *_others(session, merge.merged_id)]
    return rows


def _fill(row: Row, other: Row) -> None:
    if not row["address_line1"] and other["address_line1"]:
        row |= {name: other[name] for name in ADDRESS}
    for name, value in other.items():
        if name in EARLIER:
            row[name] = _earlier(row[name], value)
        elif row[name] is None and name not in ADDRESS:
            row[name] = value


def _earlier(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day), default=None)


def _first_guardian(session: Session, customer_id: str) -> str | None:
    """The guardian whom the data named, where merges have put another number of theirs in the place."""
    of_it = (
        select(Merge.merged_id)
        .join(Repointed, col(Repointed.merge_id) == Merge.merge_id)
        .where(
            Repointed.table_name == "customers",
            Repointed.column_name == "guardian_id",
            Repointed.row_key == customer_id,
        )
    )
    return session.exec(of_it.order_by(col(Merge.merge_id)).limit(1)).first()


def separate(session: Session, merge: Merge) -> None:
    """Gives both numbers of a merge that was just taken back their own rows again.

    A death that staff recorded while they were one counts for both, since nobody knows for whom.
    """
    kept, merged = (session.get_one(SetAside, id_) for id_ in (merge.kept_id, merge.merged_id))
    combined = session.get_one(Customer, merge.kept_id)
    recorded = {_from_json(one.row)["died_on"] for one in (kept, merged)}
    news = combined.died_on if combined.died_on not in recorded else None
    # Emptied, or `combine` would take a death that only the merged number has for one that staff recorded.
    combined.died_on = None
    session.flush()
    household = _from_json(merged.row)["household_found"]
    session.add(Customer(customer_id=merge.merged_id, household_found=household))
    session.flush()
    for id_ in (merge.kept_id, merge.merged_id):
        _give_back(session, id_, news)


def _give_back(session: Session, customer_id: str, died_on: date | None) -> None:
    own = session.get_one(SetAside, customer_id)
    row = _from_json(own.row)
    row["died_on"] = _earlier(row["died_on"], died_on)
    _write(session, customer_id, row)
    if _others(session, customer_id):
        combine(session, customer_id)
    else:
        session.delete(own)
    session.flush()


def remove(session: Session, customer_id: str) -> None:
    """Takes a merged customer's row, which is set aside, from those whom moments look at."""
    session.flush()
    session.connection().execute(delete(Customer).where(col(Customer.customer_id) == customer_id))
    session.expire_all()


def _write(session: Session, customer_id: str, row: Row) -> None:
    pointed = point_rows(session, Customer, [row | {"customer_id": customer_id}])[0]
    values = {name: value for name, value in pointed.items() if name not in _LEFT}
    session.connection().execute(update(Customer).where(col(Customer.customer_id) == customer_id).values(values))
    session.expire_all()


def _to_json(row: Mapping[str, Any]) -> str:
    plain = {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
    return json.dumps(plain, ensure_ascii=False)


def _from_json(text: str) -> Row:
    return Customer.model_validate(json.loads(text)).model_dump()
