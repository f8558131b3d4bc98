"""Finds who may live with whom otherwise than before, after a few customers came or moved.

All who have one of the addresses that were left or taken are looked at again, and nobody else. It writes nothing.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select, union
from sqlmodel import Session, col

from outreach.chunks import in_chunks
from outreach.contacts import fold_words
from outreach.models import Customer, Flag, Import, Merge

Place = Mapping[str, str | None]
# What of a customer decides with whom they live.
PLACE = ("household_id", "address_line1", "address_line2", "postal_code", "country")
# The tables whose files change households.
TABLES = ("customers", "flags")
# From so many on, all customers are looked at in less time.
MOST = 5_000


@dataclass
class Moved:
    """The customers whom an import brought or moved."""

    ids: set[str] = field(default_factory=set)
    #: Where they lived before, and where they live now.
    places: list[Place] = field(default_factory=list)

    @property
    def is_many(self) -> bool:
        return len(self.ids) > MOST

    def join(self, other: "Moved") -> None:
        """Takes those of another as well; of too many it keeps no more."""
        if not self.is_many:
            self.ids |= other.ids
            self.places += other.places

    def add(self, rows: Collection[tuple[Any, ...]]) -> None:
        """Takes rows of an id, the values of PLACE before, and those of now; of too many it keeps no more."""
        if self.is_many:
            return
        for row in rows:
            self.ids.add(row[0])
            for values in (row[1 : 1 + len(PLACE)], row[1 + len(PLACE) :]):
                self.places.append(dict(zip(PLACE, values, strict=True)))


def is_detection_due(session: Session, own: Collection[int | None]) -> bool:
    """Whether an import of customers or flags, other than these `own`, was interrupted since the last that ended.

    An import is written down as ended after its households were detected.
    """
    theirs = select(func.max(col(Import.import_id))).where(
        col(Import.table_name).in_(TABLES), col(Import.import_id).not_in([each for each in own if each is not None])
    )
    is_open = (col(Import.read) == 0) & ~col(Import.complete)
    interrupted, ended = (session.execute(theirs.where(each)).scalar_one() for each in (is_open, ~is_open))
    return ended is None or (interrupted or 0) > ended


def select_always(kinds: Collection[str]) -> Select[Any]:
    """The ids of customers who may live otherwise without any import: by a flag of these kinds, by a merge, or because
    the only other one was erased."""
    alone = (
        select(col(Customer.household_found))
        .where(col(Customer.household_found).like("address:%"))
        .group_by(col(Customer.household_found))
        .having(func.count() == 1)
    )
    both = union(
        select(col(Flag.customer_id)).where(col(Flag.kind).in_(kinds)),
        select(col(Merge.kept_id)),
        select(col(Merge.merged_id)),
        select(col(Customer.customer_id)).where(col(Customer.household_found).in_(alone)),
    ).subquery()
    return select(both)


def list_people(session: Session, ids: Collection[str], columns: Collection[Any]) -> Iterator[dict[str, str | None]]:
    """Those of `ids` that are on record."""
    for chunk in in_chunks(ids):
        theirs = select(*columns).where(col(Customer.customer_id).in_(chunk))
        yield from (dict(row) for row in session.execute(theirs).mappings())


def list_around(
    session: Session, places: Collection[Place], columns: Collection[Any]
) -> Iterator[dict[str, str | None]]:
    """Everybody with the postal code of one of the places, however it is written."""
    wanted = {_fold(place["postal_code"]) for place in places if place["postal_code"]}
    written = session.execute(select(col(Customer.postal_code)).distinct()).scalars()
    for chunk in in_chunks([code for code in written if code and _fold(code) in wanted]):
        theirs = select(*columns).where(col(Customer.postal_code).in_(chunk))
        yield from (dict(row) for row in session.execute(theirs).mappings())


def _fold(code: str | None) -> str:
    return fold_words(code or "").replace(" ", "")
