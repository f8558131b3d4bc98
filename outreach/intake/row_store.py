"""Stores checked rows of one table by their keys, at the person they belong to, in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from outreach.identity.aliases import COPIED, POINTING, forget, has_merges, key_of, merges_of, point_rows, resolve_ids
from outreach.identity.merge_consents import carry
from outreach.identity.merge_rows import combine, take_in
from outreach.identity.neighbours import PLACE, Moved
from outreach.intake.headers import Table
from outreach.models import Consent, Customer
from outreach.staged_rows import StagedCount, write_staged

Row = dict[str, Any]


@dataclass
class StoreCount:
    """What became of rows that were taken in."""

    new: int = 0
    changed: int = 0
    #: They say what is on record already.
    same: int = 0
    #: The customers among them who came, or whose address or household changed.
    moved: Moved = field(default_factory=Moved)


def store_rows(session: Session, table: Table, rows: Sequence[Row], names_moved: bool = True) -> StoreCount:
    """Stores rows of data, each of another key, and says how many are new or changed; and which customers moved.

    What names a customer who was merged lands on the person they were merged into, and counts as it came.
    """
    watched = PLACE if names_moved and table.model is Customer else ()
    count = _place(session, table, rows, watched)
    new = count.written if table.appends else len(rows) - count.known
    changed = 0 if table.appends else max(0, count.written - new)
    moved = Moved()
    moved.add(count.differing)
    return StoreCount(new, changed, len(rows) - new - changed, moved)


def drop_repeated_consents(session: Session, rows: Sequence[Row], no_takes_back: bool = False) -> list[Row]:
    """The rows of an export that say something else than the customer's last word on the channel and purpose.

    An export says how things stand and not since when: the same state is no new word. Nor is a yes against a no that
    was said elsewhere, for the export may have said yes all along. With `no_takes_back` a no is what stands there where
    nobody was asked: it is a word only where the same source said yes before.
    """
    last: dict[tuple[str, str, str], tuple[datetime, str, str]] = {}
    ids = {row["customer_id"] for row in rows}
    for consent in session.scalars(select(Consent).where(col(Consent.customer_id).in_(ids))):
        key = (consent.customer_id, consent.channel, consent.purpose)
        word = (consent.at, consent.state, consent.source or "")
        last[key] = max(last.get(key, word), word)
    said = ((row, last.get((row["customer_id"], row["channel"], row["purpose"]))) for row in rows)
    return [row for row, word in said if _is_new_word(row, word, no_takes_back)]


def _is_new_word(row: Row, word: tuple[datetime, str, str] | None, no_takes_back: bool) -> bool:
    if word is None:
        return not (no_takes_back and row["state"] == "withdrawn")
    _, state, source = word
    if row["state"] == state:
        return False
    from_same = (row.get("source") or "") == source
    return from_same or (row["state"] == "withdrawn" and not no_takes_back)


def _place(session: Session, table: Table, rows: Sequence[Row], watched: Sequence[str]) -> StagedCount:
    """Stores the rows where they belong."""
    # Asked first: most businesses have merged nobody, and then no row needs to be looked up.
    if not has_merges(session):
        return _store(session, table, rows, watched)
    if table.model in POINTING:
        if table.model is Customer:
            return _store_customers(session, table, rows, watched)
        return _store(session, table, point_rows(session, table.model, rows))
    count = _store(session, table, rows)
    if table.model in COPIED:
        _carry_over(session, table, rows)
    return count


def _store(session: Session, table: Table, rows: Sequence[Any], watched: Sequence[str] = ()) -> StagedCount:
    # Consents: one that comes again is no news, and none is ever overwritten.
    return write_staged(session, table.model, rows, table.kept, overwrite=not table.appends, watched=watched)


def _store_customers(session: Session, table: Table, rows: Sequence[Row], watched: Sequence[str]) -> StagedCount:
    kept = take_in(session, rows)
    count = _store(session, table, point_rows(session, Customer, kept), watched)
    aside = {row["customer_id"] for row in rows} - {row["customer_id"] for row in kept}
    persons = resolve_ids(session, aside)
    for person in sorted({persons.get(id_, id_) for id_ in aside}):
        combine(session, person)
    return count


def _carry_over(session: Session, table: Table, rows: Sequence[Row]) -> None:
    # What data brings now is the person's own word, also where a merge had copied a row of that key to them.
    keys = [key_of(table.model, row) for row in rows]
    forget(session, table.model, keys, [""])
    for merge in merges_of(session, {row["customer_id"] for row in rows}):
        carry(session, merge, set(keys))
