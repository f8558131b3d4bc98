"""Splits ids into lists that one statement can take, however many there are. It decides nothing."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam
from sqlmodel import Session

# Stays below the number of parameters one statement may have on either database.
IDS_AT_ONCE = 5_000
#: The ids in a statement that is kept and asked again and again: to put one together takes longer than to ask it.
IDS: BindParameter[Any] = bindparam("ids", expanding=True)


def in_chunks(ids: Collection[str]) -> Iterator[list[str]]:
    """The ids in order, at most IDS_AT_ONCE in each list; no list where there are none."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), IDS_AT_ONCE):
        yield ordered[start : start + IDS_AT_ONCE]


def select_for(session: Session, statement: Select[Any], column: Any, ids: Collection[str]) -> Iterator[Any]:
    """The rows of `statement` whose `column` is one of `ids`, however many ids there are."""
    for chunk in in_chunks(ids):
        yield from session.execute(statement.where(column.in_(chunk))).scalars()


def rows_for(session: Session, statement: Any, ids: Collection[str]) -> Iterator[Any]:
    """The rows of a statement that asks for IDS, of as many ids as there are."""
    for chunk in in_chunks(ids):
        yield from session.execute(statement, {IDS.key: chunk})
