"""Stores checked rows of one table by their keys, at the person they belong to, in the caller's transaction."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from outreach.database import insert_new, upsert
from outreach.identity.aliases import COPIED, POINTING, forget, has_merges, key_of, merges_of, point_rows, resolve_ids
from outreach.identity.merge_consents import carry
from outreach.identity.merge_rows import combine, take_in
from outreach.intake.headers import Table
from outreach.models import Customer

Row = dict[str, Any]


def store_rows(session: Session, table: Table, rows: Sequence[Row]) -> None:
    """Stores rows of data; what names a customer who was merged lands on the person they were merged into."""
    # Asked first: most businesses have merged nobody, and then no row needs to be looked up.
    if not has_merges(session):
        return _store(session, table, rows)
    if table.model in POINTING:
        if table.model is Customer:
            return _store_customers(session, table, rows)
        return _store(session, table, point_rows(session, table.model, rows))
    _store(session, table, rows)
    if table.model in COPIED:
        _carry_over(session, table, rows)
    return None


def _store(session: Session, table: Table, rows: Sequence[Any]) -> None:
    listed = list(rows)
    # Consents: one that comes again is no news, and none is ever overwritten.
    if table.appends:
        insert_new(session, table.model, listed)
    else:
        upsert(session, table.model, listed, table.kept)


def _store_customers(session: Session, table: Table, rows: Sequence[Row]) -> None:
    kept = take_in(session, rows)
    _store(session, table, point_rows(session, Customer, kept))
    aside = {row["customer_id"] for row in rows} - {row["customer_id"] for row in kept}
    persons = resolve_ids(session, aside)
    for person in sorted({persons.get(id_, id_) for id_ in aside}):
        combine(session, person)


def _carry_over(session: Session, table: Table, rows: Sequence[Row]) -> None:
    # What data brings now is the person's own word, also where a merge had copied a row of that key to them.
    keys = [key_of(table.model, row) for row in rows]
    forget(session, table.model, keys, [""])
    for merge in merges_of(session, {row["customer_id"] for row in rows}):
        carry(session, merge, set(keys))
