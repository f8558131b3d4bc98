"""Names the customers of a list, from a file or a query, as those whom an event hit; refuses the ids of nobody.

Nobody is named twice for one event, so the same list again changes nothing. Whether they are written to is planning's.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.database import insert_new
from outreach.errors import IntakeError, SourceUnreadable
from outreach.identity.aliases import resolve_ids
from outreach.intake.cells.parsers import Style, identifier
from outreach.intake.cells.unfit import Unfit
from outreach.intake.queries import select_ids
from outreach.intake.reports import RefusedRow
from outreach.intake.rows import fold_name
from outreach.intake.sources.csv_files import Source, open_source
from outreach.models import Customer, Goodwill

COLUMN = "customer_id"
LONGEST_EVENT = 120
AT_ONCE = 2000
# An id is read alike wherever the business is.
_ANYWHERE = Style("UTC", "USD")


@dataclass(frozen=True)
class GoodwillEntry:
    """One line of a list; with a `problem`, its id is not to be used."""

    line: int
    customer_id: str
    problem: str = ""


@dataclass(frozen=True)
class List:
    """The ids of one file or query."""

    name: str
    entries: Sequence[GoodwillEntry]
    #: Nobody said which column holds the ids, so the first line may name one, or be one.
    first_may_be_heading: bool = False


@dataclass
class GoodwillReport:
    """What became of a list. Always read = named + known + refused."""

    event: str
    read: int = 0
    named: int = 0
    #: Customers who were named for the event before.
    known: int = 0
    #: The line that was no id, where the first was none.
    heading: int | None = None
    refusals: list[RefusedRow] = field(default_factory=list)

    @property
    def refused(self) -> int:
        return len(self.refusals)


def trim_event(event: str) -> str:
    """The event's name, by which its moments are told apart. Raises IntakeError for one that no letter could name."""
    # One name in two spellings of Unicode would be two events, and its customers would hear of it twice.
    trimmed = unicodedata.normalize("NFC", event).strip()
    if not trimmed or len(trimmed) > LONGEST_EVENT or not trimmed.isprintable():
        raise IntakeError(
            f"Name the event in 1 to {LONGEST_EVENT} characters on one line, such as “water main break 12 May”"
        )
    return trimmed


def read_list(path: Path, name: str = "") -> List:
    """The ids of a file: its column customer_id, or else its first column. Raises SourceUnreadable.

    `name` is what the report calls it, where that is not the file's own name.
    """
    with open_source(path) as source:
        columns = [fold_name(column) for column in source.header]
        if columns.count(COLUMN) > 1:
            raise SourceUnreadable(f"The first line names {COLUMN} twice; leave one of the two")
        at = columns.index(COLUMN) if COLUMN in columns else 0
        first = [] if COLUMN in columns else [_entry(1, source.header[0], "")]
        return List(name or path.name, [*first, *_entries(source, at)], bool(first))


def _entries(source: Source, at: int) -> Iterable[GoodwillEntry]:
    return (_entry(row.line, "" if row.problem else row.cells[at], row.problem) for row in source.rows)


def _entry(line: int, cell: str, problem: str) -> GoodwillEntry:
    try:
        text = cell.strip(" \t")
        return GoodwillEntry(
            line, identifier(text, _ANYWHERE), problem or ("" if text else "there is no id on this line")
        )
    except Unfit as error:
        return GoodwillEntry(line, "", str(error))


def query_list(engine: Engine, query: str) -> List:
    """The ids that one SELECT over our own tables yields. Raises IntakeError."""
    ids = select_ids(engine, query)
    return List("query", [_entry(line, id_ or "", "") for line, id_ in enumerate(ids, start=1)])


def keep_named(session: Session, listed: List, event: str, by: str, on: date) -> GoodwillReport:
    """Names every customer of the list for the event, which `trim_event` has seen; refuses the ids of nobody."""
    report = GoodwillReport(event)
    for start in range(0, len(listed.entries), AT_ONCE):
        page = _as_kept(session, listed.entries[start : start + AT_ONCE])
        customers = _customers_among(session, {entry.customer_id for entry in page})
        hit = [entry.customer_id for entry in page if not entry.problem and entry.customer_id in customers]
        rows = [{"event": event, COLUMN: id_, "named_on": on, "by": by} for id_ in dict.fromkeys(hit)]
        new = insert_new(session, Goodwill, rows)
        report.read += len(page)
        report.named += new
        report.known += len(hit) - new
        _refuse(report, listed, [entry for entry in page if entry.problem or entry.customer_id not in customers])
    return report


def _as_kept(session: Session, entries: Sequence[GoodwillEntry]) -> list[GoodwillEntry]:
    """The entries, with another number of somebody who was merged being the number that is kept."""
    kept = resolve_ids(session, {entry.customer_id for entry in entries})
    return [replace(entry, customer_id=kept.get(entry.customer_id, entry.customer_id)) for entry in entries]


def _customers_among(session: Session, ids: set[str]) -> set[str]:
    return set(session.exec(select(Customer.customer_id).where(col(Customer.customer_id).in_(ids))))


def _refuse(report: GoodwillReport, listed: List, entries: Sequence[GoodwillEntry]) -> None:
    for entry in entries:
        if listed.first_may_be_heading and entry.line == listed.entries[0].line:
            report.heading, report.read = entry.line, report.read - 1
        else:
            reason = entry.problem or "no customer has this id"
            report.refusals.append(RefusedRow(listed.name, entry.line, COLUMN, reason))
