"""Counts what is refused of one file while it is read, lists its first rows, and writes all of them down in pages.

The import itself is written down before its first row and is complete only at the end. One page is in memory, however
many rows are refused; whose they are goes to `unread_rows`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, update
from sqlmodel import Session, col

from outreach.database import writing
from outreach.intake.headers import TABLES
from outreach.intake.reports import RefusedRow
from outreach.intake.row_store import StoreCount
from outreach.intake.rows import OWNERS
from outreach.intake.unread_rows import clear_file, clear_rows, has_unread, mark_rows, row_id_of
from outreach.locks import take_turns
from outreach.models import Import, Refusal
from outreach.staged_rows import insert_rows

LISTED = 1000
PAGE = 2000


class Refusals:
    """The refused rows of one import of one file."""

    def __init__(self, engine: Engine, kept: Import) -> None:
        self._engine, self._kept = engine, kept
        self._table = TABLES[kept.table_name]
        self._page: list[dict[str, Any]] = []
        # By the row's own id, then by whose it is: one statement must not touch a row twice.
        self._marks: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {}
        self._of_nobody = False
        self.count = 0
        self.listed: list[RefusedRow] = []
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.is_whole_file = False
        with writing(engine) as session:
            session.add(kept)
            session.flush()
            self._is_marked = has_unread(session, kept.table_name)

    @property
    def is_page_full(self) -> bool:
        return len(self._page) >= PAGE

    def add(self, line: int, column: str, reason: str, cells: Mapping[str, Any]) -> None:
        """Notes a row that was refused; `cells` are those of its ids that can be read, by the names of our columns."""
        kept = self._kept
        self.count += 1
        self.reasons[column, reason] += 1
        if len(self.listed) < LISTED:
            self.listed.append(RefusedRow(kept.file, line, column, reason))
        self._page.append({"import_id": kept.import_id, "line": line, "column": column, "reason": reason})
        whose = {name: str(cells.get(name) or "") for name in OWNERS}
        self._of_nobody = self._of_nobody or not any(whose.values())
        row_id = row_id_of(self._table, cells)
        self._marks.setdefault(row_id, {})[tuple(whose.values())] = {
            "table_name": kept.table_name, "file": kept.file, "origin": kept.origin or "", "row_id": row_id, **whose,
            "column": column, "since": kept.at, "import_id": kept.import_id,
        }  # fmt: skip

    def add_file(self, column: str, reason: str) -> None:
        """Notes that the file as a whole was left out: whatever stands in it may be anyone's."""
        self.add(1, column, reason, {})
        self.is_whole_file = True

    def accept(self, records: Iterable[Mapping[str, Any]]) -> None:
        """A row that comes after one of the same id that was refused, and fits, has mended it."""
        for record in records if self._marks else ():
            self._marks.pop(row_id_of(self._table, record), None)

    def clear_stored(self, session: Session, records: Iterable[Mapping[str, Any]]) -> None:
        """Forgets what was refused before of rows that are being stored; before any later row's mark is written."""
        if self._is_marked:
            clear_rows(session, self._table, (row_id_of(self._table, record) for record in records))

    def write_page(self) -> None:
        with writing(self._engine) as session:
            self._write(session)

    def _write(self, session: Session) -> None:
        if self._page:
            insert_rows(session, Refusal, self._page)
        marks = [mark for of_id in self._marks.values() for mark in of_id.values()]
        if marks:
            take_turns(session, "import")
            mark_rows(session, marks)
            self._is_marked = True
        self._page.clear()
        self._marks.clear()

    def finish(self, read: int, changed_until: datetime | None, is_read_whole: bool, stored: StoreCount) -> None:
        """Writes down what became of the file, last of all: an interrupted import must not look like a fresh one."""
        kept = self._kept
        # A payment of which nobody can say whose it is may be of anybody who is about to be reminded.
        of_anyone = kept.table_name == "payments" and self._of_nobody
        outcome = {
            "read": read, "accepted": read - self.count, "refused": self.count, "changed_until": changed_until,
            "new": stored.new, "changed": stored.changed, "same": stored.same,
            "complete": not (self.is_whole_file or of_anyone),
        }  # fmt: skip
        with writing(self._engine) as session:
            self._write(session)
            session.connection().execute(update(Import).where(col(Import.import_id) == kept.import_id).values(outcome))
            if is_read_whole and not self.is_whole_file:
                clear_file(session, kept)
