"""Remembers rows that were refused and have not been taken in since, and whose they are.

What such a row changes is not yet known. It marks the customers and the invoice whose ids can be read in it. The mark
goes when the row comes in, or when its file is read again without refusing it. Planning asks; nothing here holds
anybody back.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, literal, select, union_all
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from outreach.chunks import IDS_AT_ONCE, in_chunks
from outreach.clock import CLOCKS_DIFFER
from outreach.identity.aliases import resolve_ids
from outreach.intake.headers import TABLES, Table
from outreach.models import Import, Invoice, Merge, Payment, UnreadRow
from outreach.models.column_types import Instant
from outreach.staged_rows import write_staged

PARTED_BY = "|"


@dataclass(frozen=True)
class Unread:
    """A row that was refused and has not come in since."""

    table: str
    #: The row's own id; empty where it cannot be read.
    row_id: str
    #: What was at fault; empty for the row as a whole.
    column: str
    #: When it was first refused.
    since: datetime


def find_unread(session: Session, customer_ids: Collection[str]) -> dict[str, tuple[Unread, ...]]:
    """For each of `customer_ids` that has any: the rows that were refused and may change what is known of them.

    A row is theirs by its customer_id or payer_id, by its invoice_id (whose customer and payer it marks both), or,
    where whose it is cannot be read, by its own id when a row of that id is on record.
    """
    if not customer_ids or session.execute(select(UnreadRow.table_name).limit(1)).first() is None:  # type: ignore[call-overload]
        return {}
    wanted, by_owner = set(customer_ids), defaultdict(set)
    for owner, unread in _list_marks(session, wanted):
        if owner in wanted:
            by_owner[owner].add(unread)
    order = lambda each: (each.since, each.table, each.row_id, each.column)  # noqa: E731
    return {owner: tuple(sorted(rows, key=order)) for owner, rows in by_owner.items()}


def _list_marks(session: Session, wanted: Collection[str]) -> Iterator[tuple[str, Unread]]:
    marks = union_all(*_owners()).subquery()
    columns = (marks.c.owner, marks.c.table_name, marks.c.row_id, marks.c.column, marks.c.since)
    # A few marks are read at once, whoever is asked for; many, by whom they mark.
    few = session.execute(select(func.count()).select_from(UnreadRow)).scalar_one() <= IDS_AT_ONCE
    for chunk in [None] if few else in_chunks(wanted):
        asked = select(*columns) if chunk is None else select(*columns).where(marks.c.owner.in_(chunk))
        for owner, *rest in session.execute(asked):
            yield owner, Unread(*rest)
    yield from _list_marks_of_merged(session, marks)


def _list_marks_of_merged(session: Session, marks: Any) -> Iterator[tuple[str, Unread]]:
    """Rows that name a number of somebody's that was merged into another."""
    merged = select(col(Merge.merged_id)).where(col(Merge.undone_at).is_(None))
    rows = session.execute(select(marks).where(marks.c.owner.in_(merged))).all()
    persons = resolve_ids(session, {row.owner for row in rows})
    for row in rows:
        yield persons.get(row.owner, row.owner), Unread(row.table_name, row.row_id, row.column, row.since)


def _owners() -> Iterator[Any]:
    """Selects of (owner, table_name, row_id, column, since), one for each way in which a row marks somebody."""
    row: Any = UnreadRow
    yield _marks(row.customer_id).where(row.customer_id != "")
    yield _marks(row.payer_id).where(row.payer_id != "")
    bill: Any = Invoice
    for owner in (bill.customer_id, bill.payer_id):
        yield _marks(owner).join(bill, bill.invoice_id == row.invoice_id).where(owner.is_not(None))
    unknown = (row.customer_id == "") & (row.invoice_id == "")
    for owner in (bill.customer_id, bill.payer_id):
        of_payment = _marks(owner).join(Payment, _same_payment()).join(bill, bill.invoice_id == col(Payment.invoice_id))
        yield of_payment.where(unknown, owner.is_not(None))
    for name in ("treatments", "visits", "feedback", "referrals"):
        table = TABLES[name]
        model: Any = table.model
        on_record = (row.table_name == name) & (getattr(model, table.identity[0].key) == row.row_id)
        yield _marks(model.customer_id).join(model, on_record).where(unknown, model.customer_id.is_not(None))


def _marks(owner: Any) -> Any:
    row: Any = UnreadRow
    columns = (owner.label("owner"), row.table_name, row.row_id, row.column, row.since)
    return select(*columns).select_from(row)


def _same_payment() -> ColumnElement[bool]:
    # A payment is known by its own id, even where its key has a second part that could not be read.
    own_id = func.rtrim(col(UnreadRow.row_id), PARTED_BY)
    return (col(UnreadRow.table_name) == "payments") & (col(Payment.payment_id) == own_id)


def payments_unread_everywhere(session: Session) -> bool:
    """Whether there are refused payments of which nobody can say whose they are: they may be anyone's."""
    return session.execute(_select_unread_payments()).first() is not None


@cache
def _select_unread_payments() -> Any:
    whose = (col(UnreadRow.customer_id) == "") & (col(UnreadRow.invoice_id) == "")
    on_record = exists().where(_same_payment())
    return select(literal(1)).where(col(UnreadRow.table_name) == "payments", whose, ~on_record).limit(1)


def payments_read_at(session: Session, now: datetime) -> datetime | None:
    """When payments were last imported so that all of them could be read; None before the first time.

    Of several files of one import none may be missing, nor end in the middle. One that is yet to come was dated by a
    clock that was ahead, and says nothing of how fresh they are.
    """
    at: datetime | None = session.execute(_select_payments_read(), {"latest": now + CLOCKS_DIFFER}).scalar_one()
    return at


@cache
def _select_payments_read() -> Any:
    other = aliased(Import)
    whole = ~exists().where(other.table_name == "payments", other.at == Import.at, ~col(other.complete))  # type: ignore[arg-type]
    in_time = col(Import.at) <= bindparam("latest", type_=Instant)
    return select(func.max(Import.at, type_=Instant)).where(Import.table_name == "payments", whole, in_time)  # type: ignore[arg-type]


def row_id_of(table: Table, cells: Mapping[str, Any]) -> str:
    """A row's own id out of a record, or of its cells by our columns; empty where no part of it can be read."""
    parts = [str(cells.get(column.name) or "") for column in table.identity]
    return PARTED_BY.join(parts) if any(parts) else ""


def mark_rows(session: Session, marks: list[dict[str, Any]]) -> None:
    """Writes down rows that were refused; one that was refused before keeps the instant of the first time."""
    write_staged(session, UnreadRow, marks, lambda new: {"since": UnreadRow.since})


def clear_rows(session: Session, table: Table, row_ids: Iterable[str]) -> None:
    """Forgets refused rows of these ids: rows of the same ids have come in."""
    name = table.model.__tablename__
    for chunk in in_chunks({variant for row_id in row_ids for variant in _variants(row_id, table)}):
        of_them = col(UnreadRow.row_id).in_(chunk)
        session.connection().execute(delete(UnreadRow).where(col(UnreadRow.table_name) == name, of_them))


def _variants(row_id: str, table: Table) -> Iterator[str]:
    """The id, and as it was written down when one of its parts could not be read."""
    yield row_id
    parts = row_id.split(PARTED_BY)
    for at in range(len(parts)) if len(table.identity) > 1 else ():
        yield PARTED_BY.join([*parts[:at], "", *parts[at + 1 :]])


def clear_file(session: Session, kept: Import) -> None:
    """Forgets what earlier imports refused of a file that has been read again, and that was not refused this time."""
    same = (
        col(UnreadRow.table_name) == kept.table_name,
        col(UnreadRow.file) == kept.file,
        col(UnreadRow.origin) == (kept.origin or ""),
        col(UnreadRow.import_id) != kept.import_id,
    )
    session.connection().execute(delete(UnreadRow).where(*same))


def has_unread(session: Session, table_name: str) -> bool:
    """Whether any row of this table was refused and has not come in since."""
    of_it = select(literal(1)).where(col(UnreadRow.table_name) == table_name)
    return session.execute(of_it.limit(1)).first() is not None
