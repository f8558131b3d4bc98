"""Points the rows of customers who were merged at the person they belong to, and back.

What a merge moves or copies is written down cell by cell, also for rows that come in later, so that it can be undone.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert, literal, update
from sqlmodel import Session, SQLModel, col, select

from outreach.chunks import in_chunks, select_for
from outreach.database import insert_new
from outreach.models import (
    Consent,
    Customer,
    Feedback,
    Flag,
    Goodwill,
    Invoice,
    Merge,
    Payment,
    Referral,
    Repointed,
    Treatment,
    Visit,
)

Record = Mapping[str, Any]
# Every cell in which a row of data names a customer. Where the name is part of the row's key, the row is copied.
POINTING: dict[type[SQLModel], tuple[str, ...]] = {
    Treatment: ("customer_id",),
    Visit: ("customer_id",),
    Invoice: ("customer_id", "payer_id"),
    Payment: ("customer_id",),
    Feedback: ("customer_id",),
    Referral: ("customer_id", "referred_customer_id"),
    Customer: ("guardian_id",),
}
COPIED: tuple[type[SQLModel], ...] = (Consent, Flag, Goodwill)


def table_of(model: type[SQLModel]) -> Any:
    return model.__table__  # type: ignore[attr-defined]


def key_of(model: type[SQLModel], row: Any) -> str:
    """A row's primary key as one text."""
    values = [row[column.name] for column in table_of(model).primary_key]
    # As it stands, and not in JSON: `move_column` writes such a key, and `move_back` compares it, in SQL.
    if len(values) == 1:
        return str(values[0])
    plain = [value.isoformat() if isinstance(value, date | datetime) else value for value in values]
    return json.dumps(plain, ensure_ascii=False)


def find_aliases(session: Session, ids: Collection[str]) -> dict[str, list[Merge]]:
    """For each of `ids` that is another number of somebody: the merges that lead from it to the person, in order."""
    merges: dict[str, Merge] = {}
    wanted = set(ids)
    while wanted:
        steps = _merges_of(session, wanted)
        merges |= {merge.merged_id: merge for merge in steps}
        wanted = {merge.kept_id for merge in steps} - merges.keys()
    return {id_: _chain(merges, id_) for id_ in ids if id_ in merges}


def _merges_of(session: Session, ids: Collection[str]) -> list[Merge]:
    standing = select(Merge).where(col(Merge.undone_at).is_(None))
    return list(select_for(session, standing, Merge.merged_id, ids))


def _chain(merges: Mapping[str, Merge], id_: str) -> list[Merge]:
    chain: list[Merge] = []
    while id_ in merges:
        chain.append(merges[id_])
        id_ = merges[id_].kept_id
    return chain


def resolve_ids(session: Session, ids: Collection[str]) -> dict[str, str]:
    """For each of `ids` that was merged into somebody, that person's id; the others are not in it."""
    return {id_: chain[-1].kept_id for id_, chain in find_aliases(session, ids).items()}


def has_merges(session: Session) -> bool:
    return session.exec(select(Merge.merge_id).where(col(Merge.undone_at).is_(None)).limit(1)).first() is not None


def point_rows(session: Session, model: type[SQLModel], rows: Sequence[Record]) -> list[dict[str, Any]]:
    """The rows about to be stored, with each customer they name being the person kept; writes down what that moved."""
    columns = [name for name in POINTING[model] if rows and name in rows[0]]
    aliases = find_aliases(session, {row[name] for row in rows for name in columns if row[name]})
    # What stands in the data now is their own word: whatever an earlier import moved is forgotten for these cells.
    forget(session, model, [key_of(model, row) for row in rows], columns)
    pointed, moved = [], []
    for row in rows:
        new = dict(row)
        for name in columns:
            if chain := aliases.get(row[name] or ""):
                new[name] = chain[-1].kept_id
                moved += [repointed(merge, model, name, key_of(model, row)) for merge in chain]
        pointed.append(new)
    insert_new(session, Repointed, moved)
    return pointed


def repointed(merge: Merge, model: type[SQLModel], column: str, key: str) -> dict[str, Any]:
    return {
        "merge_id": merge.merge_id,
        "table_name": table_of(model).name,
        "column_name": column,
        "row_key": key,
    }


def forget(session: Session, model: type[SQLModel], keys: Sequence[str], columns: Collection[str]) -> None:
    """Strikes cells, or copied rows (column ""), from what merges have moved: they are the kept person's own now."""
    for chunk in in_chunks(keys):
        struck = delete(Repointed).where(
            col(Repointed.table_name) == table_of(model).name,
            col(Repointed.column_name).in_(columns),
            col(Repointed.row_key).in_(chunk),
        )
        session.connection().execute(struck)


def move_column(session: Session, merge: Merge, model: type[SQLModel], name: str) -> None:
    """Points every row that names the merged customer in this column at the kept one, and writes down which."""
    table = table_of(model)
    theirs = table.c[name] == merge.merged_id
    if len(table.primary_key) == 1:
        (key,) = table.primary_key
        # Written down first: once the rows have moved, nothing tells which they were.
        log = table_of(Repointed).c
        rows = select(literal(merge.merge_id), literal(table.name), literal(name), key).where(theirs)
        names = [log.merge_id.name, log.table_name.name, log.column_name.name, log.row_key.name]
        session.connection().execute(insert(Repointed).from_select(names, rows))
    else:
        keys = _keys_where(session, model, theirs)
        insert_new(session, Repointed, [repointed(merge, model, name, key) for key in keys])
    session.connection().execute(update(table).where(theirs).values({name: merge.kept_id}))


def move_back(session: Session, merge: Merge, model: type[SQLModel], name: str) -> None:
    """Points the rows that this merge moved, and that nobody moved since, at the merged customer again."""
    table = table_of(model)
    moved = select(Repointed.row_key).where(
        Repointed.merge_id == merge.merge_id, Repointed.table_name == table.name, Repointed.column_name == name
    )
    kept, back = table.c[name] == merge.kept_id, update(table).values({name: merge.merged_id})
    if len(table.primary_key) == 1:
        (key,) = table.primary_key
        session.connection().execute(back.where(key.in_(moved), kept))
        return
    ours = set(session.exec(moved))
    for text, values in _keys_where(session, model, kept).items():
        if text in ours:
            session.connection().execute(back.where(*(c == values[c.name] for c in table.primary_key)))


def _keys_where(session: Session, model: type[SQLModel], condition: Any) -> dict[str, Record]:
    """The keys of a table whose key has several columns, each as one text: SQL has no words for that."""
    columns = list(table_of(model).primary_key)
    rows = session.connection().execute(select(*columns).where(condition)).mappings()
    return {key_of(model, row): dict(row) for row in rows}


def move_all(session: Session, merge: Merge) -> None:
    for model, columns in POINTING.items():
        for name in columns:
            move_column(session, merge, model, name)


def move_all_back(session: Session, merge: Merge) -> None:
    for model, columns in POINTING.items():
        for name in columns:
            move_back(session, merge, model, name)
    for model in COPIED:
        _drop_copies(session, merge, model)
    # Last of all: the steps above read from it what to move back and which copies to drop.
    session.connection().execute(delete(Repointed).where(col(Repointed.merge_id) == merge.merge_id))


def _drop_copies(session: Session, merge: Merge, model: type[SQLModel]) -> None:
    copies = copied_keys(session, merge, model)
    table = table_of(model)
    for row in list_rows(session, model, merge.kept_id):
        if key_of(model, row) in copies:
            session.connection().execute(delete(table).where(*(c == row[c.name] for c in table.primary_key)))


def copied_keys(session: Session, merge: Merge, model: type[SQLModel]) -> set[str]:
    of_it = select(Repointed.row_key).where(
        Repointed.merge_id == merge.merge_id,
        Repointed.table_name == table_of(model).name,
        Repointed.column_name == "",
    )
    return set(session.exec(of_it))


def list_rows(session: Session, model: type[SQLModel], customer_id: str) -> list[dict[str, Any]]:
    table = table_of(model)
    rows = session.connection().execute(select(table).where(table.c.customer_id == customer_id))
    return [dict(row) for row in rows.mappings()]


def copy_row(session: Session, merge: Merge, model: type[SQLModel], row: Record) -> None:
    """Gives the kept person this row unless they have one of its key already."""
    # Only what a merge has added may be taken away when it is taken back.
    if insert_new(session, model, [dict(row)]):
        insert_new(session, Repointed, [repointed(merge, model, "", key_of(model, row))])


def merges_of(session: Session, ids: Iterable[str]) -> list[Merge]:
    """The standing merges that have to do with any of `ids`, on the way to the persons kept, in the order to apply."""
    wanted = set(ids)
    into = session.exec(select(Merge).where(col(Merge.kept_id).in_(wanted), col(Merge.undone_at).is_(None))).all()
    chains = find_aliases(session, wanted | {merge.merged_id for merge in into})
    # The merge farthest from the person kept is applied first: the next one carries on what it brought.
    depth = {merge.merge_id: place for chain in chains.values() for place, merge in enumerate(reversed(chain))}
    merges = {merge.merge_id: merge for chain in chains.values() for merge in chain}
    return sorted(merges.values(), key=lambda merge: (-depth[merge.merge_id], merge.at, merge.merge_id or 0))
