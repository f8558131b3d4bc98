"""Imports a folder or a database of customer data, and gives an account of every row.

Rows are stored a chunk at a time, each by its key, so that an import that was interrupted is simply run again. It never
lifts a suppression, never overwrites a consent, and never takes back what staff wrote of somebody.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, update
from sqlmodel import col

from outreach.clock import business_date
from outreach.database import insert_new, writing
from outreach.errors import SourceUnreadable
from outreach.identity.households import detect_households
from outreach.intake.changes import Changes, Since, column_of_changes, find_mark
from outreach.intake.currencies import Currencies
from outreach.intake.dates import redate
from outreach.intake.feeds import Feed, list_jobs, show_name
from outreach.intake.headers import TABLES, Table
from outreach.intake.joins import LookUps
from outreach.intake.mapping.files import Mapping
from outreach.intake.orphans import count_orphans
from outreach.intake.refusals import Refusals
from outreach.intake.repeats import Repeats
from outreach.intake.reports import FileCount, ImportReport, count_reasons
from outreach.intake.row_groups import Groups
from outreach.intake.row_store import StoreCount, drop_repeated_consents, store_rows
from outreach.intake.rows import BadCell, Record, RowRecipe, make_recipe, own_columns
from outreach.intake.sources.csv_files import Row, Source
from outreach.intake.sources.origins import Folder, Origin
from outreach.intake.values import TODAY
from outreach.locks import take_turns
from outreach.models import Customer, Import, Installation
from outreach.settings import Settings

AT_ONCE = 2000
# One or two that are negative are money given back.
FEWEST_NEGATIVE = 3
ALL_NEGATIVE = (
    "every payment of the file is negative; say in a mapping whether they came in (negate = true) or were given back "
    "(negate = false); the whole file was left out"
)
TELL_EVERY = 50_000
Tell = Callable[[str], None]


def import_folder(
    engine: Engine,
    folder: Path,
    settings: Settings,
    now: datetime,
    mapping: Mapping | None = None,
    tell: Tell = lambda _line: None,
) -> ImportReport:
    """Takes in the files of `folder`, as `import_data` does."""
    return import_data(engine, Folder(folder), settings, now, mapping, tell)


def import_data(
    engine: Engine,
    origin: Origin,
    settings: Settings,
    now: datetime,
    mapping: Mapping | None = None,
    tell: Tell = lambda _line: None,
    since: Since = None,
) -> ImportReport:
    """Takes in every file, or table of a database, that has one of our names, or that the mapping names.

    With `since`, of those that say when a row changed, only what changed from then on.
    Rows with a known key replace what is there; columns a file does not have are left alone. Raises SourceUnreadable
    when there is no such place or nothing in it is known; a file or a row at fault is a refusal in the report.
    """
    names = origin.names(mapping.file if mapping else [])
    jobs = list_jobs(names, origin, mapping)
    redate(engine, settings)
    # Second: the first import of all finds the row, which this fills in, made by `redate`.
    _note_first_import(engine, settings, now)
    used = {job.source for job in jobs}
    report = ImportReport(ignored={show_name(name): [] for name in names if name not in used})
    unused: dict[str, set[str]] = {}
    look_ups = LookUps(origin, names, mapping.file if mapping else ())
    for job in jobs:
        kept = Import(at=now, file=job.name, table_name=job.into, mapping=mapping.sha256 if mapping else None,
                      origin=origin.kept, read=0, accepted=0, refused=0, complete=False)  # fmt: skip
        task = _Task(engine, job, settings, report, tell, origin, look_ups, kept)
        task.run(since)
        task.write_down()
        if task.unused is not None:
            unused[job.name] = unused.get(job.name, task.unused) & task.unused
    make_customers(engine, look_ups.made, report)
    # Flags too: some keep their customer apart from everybody at the same address.
    if any(job.into in {"customers", "flags"} for job in jobs):
        changed = detect_households(engine, settings, now)
        if changed:
            tell(f"Households: {changed:,} changed")
    report.ignored |= {name: sorted(columns) for name, columns in sorted(unused.items()) if columns}
    report.orphans = count_orphans(engine, {job.into for job in jobs})
    return report


def make_customers(engine: Engine, ids: set[str], report: ImportReport) -> None:
    """Adds those whom a mapping makes customers for rows that name somebody unknown; an id with an @ is an address."""
    rows = [{"customer_id": each, "email": each if "@" in each else None} for each in sorted(ids)]
    with writing(engine) as session:
        take_turns(session, "import")
        for first in range(0, len(rows), AT_ONCE):
            report.made += insert_new(session, Customer, rows[first : first + AT_ONCE])


def _note_first_import(engine: Engine, settings: Settings, now: datetime) -> None:
    day = business_date(now, settings.business.timezone)
    with writing(engine) as session:
        first = update(Installation).where(col(Installation.first_import_on).is_(None)).values(first_import_on=day)
        session.connection().execute(first)


def _unused(recipe: RowRecipe) -> set[str]:
    used = set(recipe.positions.values())
    return {show_name(name) or f"(column {at + 1})" for at, name in enumerate(recipe.header) if at not in used}


class _Task:
    """One job being done: it counts as it goes."""

    def __init__(
        self,
        engine: Engine,
        job: Feed,
        settings: Settings,
        report: ImportReport,
        tell: Tell,
        origin: Origin,
        look_ups: LookUps,
        kept: Import,
    ) -> None:
        self._origin, self._kept = origin, kept
        self._engine, self._job, self._settings = engine, job, settings
        self._report, self._tell, self._look_ups = report, tell, look_ups
        self._table: Table = TABLES[job.into]
        self._waiting: dict[tuple[object, ...], Record] = {}
        self._refusals = Refusals(engine, kept)
        self._notes: Counter[tuple[str, str]] = Counter()
        self._read = 0
        self._changes: Changes | None = None
        self._stored = StoreCount()
        self._repeats = Repeats()
        self._has_stored = False
        self.unused: set[str] | None = None

    def run(self, since: Since) -> None:
        try:
            after = self._after(since)
            with self._origin.open(self._job.source, self._job.file, after) as source:
                recipe = self._recipe(source)
                self.unused = _unused(recipe)
                self._changes = self._watch(recipe, since, after)
                self._take_rows(recipe, source.rows)
                # While the file can still be refused as a whole.
                self._require_signs()
        except SourceUnreadable as error:
            self._refuse_file("", error)
        except BadCell as error:
            self._refuse_file(error.column, error)
        self._store()

    @property
    def _can_leave_out(self) -> bool:
        # One row made of many needs them all, whichever of them changed.
        return not (self._job.table and self._job.table.is_grouped)

    def _after(self, since: Since) -> datetime | None:
        if since is None or not self._can_leave_out:
            return None
        if since == "last":
            return find_mark(self._engine, self._kept)
        return since

    def _watch(self, recipe: RowRecipe, since: Since, after: datetime | None) -> Changes:
        changed = column_of_changes(recipe.header, self._job.file)
        if since and not (changed and self._can_leave_out):
            self._tell(f"{self._job.name}: read whole")
        if self._job.file and self._job.file.changed and changed is None:
            raise BadCell(self._job.file.changed, "no column of this name says when a row changed; it was left out")
        return Changes(recipe.header.index(changed) if changed else None, recipe.style, after)

    def _recipe(self, source: Source) -> RowRecipe:
        business = self._settings.business
        table = self._job.table or own_columns(self._job.into, source.header)
        today = business_date(self._kept.at, business.timezone)
        recipe = make_recipe(table, self._job.file, source.header, business, today)
        currency_of = Currencies(self._engine, business.currency).reader_for(self._job.into)
        recipe = replace(recipe, look_up=self._look_ups.find, currency_of=currency_of)
        # Asked at once: a missing column refuses the file, and not each of its rows.
        _ = recipe.positions
        return recipe

    def _take_rows(self, recipe: RowRecipe, rows: Iterator[Row]) -> None:
        groups = Groups(recipe) if recipe.mapping.is_grouped else None
        for row in rows:
            self._take_row(recipe, row, groups)
        for record, lines, problem in groups.finished() if groups else ():
            if problem is None:
                self._keep(recipe.finish(record), lines[0])
                continue
            # Each was counted when it was read, and `_refuse` counts it again.
            self._read -= len(lines)
            for line in lines:
                self._refuse(line, problem.column, str(problem), record)

    def _take_row(self, recipe: RowRecipe, row: Row, groups: Groups | None) -> None:
        if not recipe.wants(row.cells):
            return None
        if row.problem:
            return self._refuse(row.line, "", row.problem, recipe.read_ids(row.cells))
        if not (self._changes and self._changes.wants(row.cells)):
            return None
        try:
            record = recipe.read(row.cells, self._note)
        except BadCell as error:
            return self._refuse(row.line, error.column, str(error), recipe.read_ids(row.cells))
        self._count()
        if groups:
            return groups.add(recipe.group_of(row.cells, record), record, row.line, recipe.order_of(row.cells))
        return self._keep(recipe.finish(record), row.line)

    def _count(self) -> None:
        self._read += 1
        if self._read % TELL_EVERY == 0:
            self._tell(f"{self._job.name}: {self._read:,} rows so far")

    def _note(self, column: str, reason: str) -> None:
        self._notes[column, reason] += 1

    def _refuse(self, line: int, column: str, reason: str, ids: Record) -> None:
        self._refusals.add(line, column, reason, ids)
        self._count()
        if self._refusals.is_page_full:
            # First the rows: what is stored clears the marks of its ids, and must not clear those of this page.
            self._store()
            self._refusals.write_page()

    def _refuse_file(self, column: str, error: Exception) -> None:
        self._refusals.add_file(column, str(error))
        self._count()

    def _keep(self, record: Record, line: int) -> None:
        # A later row of the same key stands, and one statement must not touch a row twice.
        key = tuple(record[name] for name in self._table.key)
        self._repeats.add(key, line)
        self._waiting.pop(key, None)
        self._waiting[key] = record
        self._refusals.accept(record)
        if len(self._waiting) >= AT_ONCE:
            self._require_signs()
            self._store()

    def _require_signs(self) -> None:
        """Raises BadCell where all payments are negative and nobody says that they are meant so, before any is stored.

        In some programs' files what comes in is written with a minus; read as it stands, all debts would double.
        """
        rows = self._waiting.values()
        if self._has_stored or self._job.into != "payments" or self._is_sign_said or len(rows) < FEWEST_NEGATIVE:
            return
        if all(row["amount"] < 0 for row in rows):
            self._waiting.clear()
            self._read = self._refusals.count
            raise BadCell("amount", ALL_NEGATIVE)

    @property
    def _is_sign_said(self) -> bool:
        origin = self._job.table.columns.get("amount") if self._job.table else None
        ways = [origin, *origin.first_of] if origin else []
        return any(way.negate is not None for way in ways)

    def _store(self) -> None:
        rows = list(self._waiting.values())
        with writing(self._engine) as session:
            take_turns(session, "import")
            self._refusals.clear_stored(session, rows)
            if self._is_snapshot:
                rows, all_rows = drop_repeated_consents(session, rows), rows
                self._stored.same += len(all_rows) - len(rows)
            count = store_rows(session, self._table, rows)
        self._stored.new += count.new
        self._stored.changed += count.changed
        self._stored.same += count.same
        self._has_stored = self._has_stored or bool(rows)
        self._waiting.clear()

    @property
    def _is_snapshot(self) -> bool:
        """Whether the rows say how customers' consents stand on the day of the import, and not since when."""
        at = self._job.table.columns.get("at") if self._job.table and self._job.into == "consents" else None
        return at is not None and at.constant == TODAY

    def write_down(self) -> None:
        name, into, refused = self._job.name, self._job.into, self._refusals.count
        latest = self._changes.latest if self._changes else None
        # A row dated ahead of today must not hide what changes until then.
        until = min(latest, self._kept.at) if latest else None
        is_read_whole = self._changes is not None and self._changes.after is None
        self._refusals.finish(self._read, until, is_read_whole)
        self._report.files.append(self._count_of(name, into, refused))
        self._report.refusals += self._refusals.listed
        self._report.reasons += count_reasons(name, self._refusals.reasons)
        self._report.notes += count_reasons(name, self._notes)
        accepted = self._read - refused
        self._tell(f"{name} → {into}: {self._read:,} read, {accepted:,} accepted, {refused:,} refused")

    def _count_of(self, name: str, into: str, refused: int) -> FileCount:
        repeated, lines = self._repeats.find()
        stored = self._stored
        return FileCount(
            file=name,
            table=into,
            read=self._read,
            accepted=self._read - refused,
            refused=refused,
            new=stored.new,
            changed=stored.changed,
            same=stored.same,
            repeated=repeated,
            repeated_lines=tuple(lines),
        )
