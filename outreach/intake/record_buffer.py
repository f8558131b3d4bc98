"""Holds checked records of one file until there are enough to store, and counts what became of them.

A file of payments that are all negative is a question, and none of it is stored before the question is answered.
"""

from typing import Any

from sqlalchemy import Engine

from outreach.database import writing
from outreach.intake.cells.parsers import passage
from outreach.intake.feeds import Feed
from outreach.intake.headers import TABLES
from outreach.intake.refusals import Refusals
from outreach.intake.repeats import Repeats
from outreach.intake.row_store import StoreCount, drop_repeated_consents, store_rows
from outreach.intake.rows import BadCell
from outreach.locks import take_turns

Record = dict[str, Any]
# Fewer transactions touch the pages of an index fewer times: on SQLite, 500,000 visits cost 5.7 s of processor time in
# twenties of thousands, and 11.3 s in twos.
AT_ONCE = 20_000
# Texts may be a hundred thousand letters long.
PASSAGES_AT_ONCE = 2000
# One or two that are negative are money given back.
FEWEST_NEGATIVE = 3
ALL_NEGATIVE = (
    "every payment of the file is negative; say in a mapping whether they came in (negate = true) or were given back "
    "(negate = false); the whole file was left out"
)


class RecordBuffer:
    """The records of one file, on their way to one table."""

    def __init__(self, engine: Engine, feed: Feed, refusals: Refusals) -> None:
        self._engine, self._feed, self._refusals = engine, feed, refusals
        self._table = TABLES[feed.into]
        has_passages = any(column.check is passage for column in self._table.columns)
        self._at_once = PASSAGES_AT_ONCE if has_passages else AT_ONCE
        self._waiting: dict[tuple[object, ...], Record] = {}
        #: Whether anything of the file is on record by now.
        self.has_stored = False
        self.stored = StoreCount()
        self.repeats = Repeats()

    def add(self, records: list[Record], lines: list[int]) -> None:
        """Takes records, of the rows at `lines`. Raises BadCell as `require_signs` does."""
        keys = list(zip(*([record[name] for record in records] for name in self._table.key), strict=True))
        self.repeats.add(keys, lines)
        if len(set(keys)) < len(keys) or not self._waiting.keys().isdisjoint(keys):
            # A later row of the same key stands, and behind all before it.
            for key, record in zip(keys, records, strict=True):
                before = self._waiting.pop(key, None)
                if before and self._table.kept_together:
                    self._table.kept_together(before, record)
                self._waiting[key] = record
        else:
            self._waiting.update(zip(keys, records, strict=True))
        self._refusals.accept(records)
        if len(self._waiting) >= self._at_once:
            self.require_signs()
            self.store()

    def require_signs(self) -> None:
        """Raises BadCell where all payments are negative and nobody says that they are meant so; none is stored then.

        In some programs' files what comes in is written with a minus; read as it stands, all debts would double.
        """
        rows = self._waiting.values()
        if self.has_stored or self._feed.into != "payments" or self._is_sign_said or len(rows) < FEWEST_NEGATIVE:
            return
        if all(row["amount"] < 0 for row in rows):
            self._waiting.clear()
            raise BadCell("amount", ALL_NEGATIVE)

    @property
    def _is_sign_said(self) -> bool:
        origin = self._feed.table.columns.get("amount") if self._feed.table else None
        ways = [origin, *origin.first_of] if origin else []
        return any(way.negate is not None for way in ways)

    def store(self) -> None:
        """Stores what waits, in one transaction."""
        rows = list(self._waiting.values())
        if not rows:
            return
        with writing(self._engine) as session:
            take_turns(session, "import")
            self._refusals.clear_stored(session, rows)
            if self._feed.table and self._feed.table.is_snapshot:
                rows, all_rows = drop_repeated_consents(session, rows, self._feed.table.no_takes_back), rows
                self.stored.same += len(all_rows) - len(rows)
            count = store_rows(session, self._table, rows, not self.stored.moved.is_many)
        self.stored.new += count.new
        self.stored.changed += count.changed
        self.stored.same += count.same
        self.stored.moved.join(count.moved)
        self.has_stored = self.has_stored or bool(rows)
        self._waiting.clear()
