"""A folder or a database of customer data in; its rows in the database and an account of every row out.

Rows are stored a chunk at a time, each by its key, so that an import that was interrupted is simply run again.
It never lifts a suppression, never overwrites a consent, and never takes back what staff wrote of somebody.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from sqlalchemy import Engine, update
from sqlmodel import col

from outreach.clock import business_date
from outreach.database import take_turns, writing
from outreach.errors import SourceUnreadable
from outreach.intake.changes import Changes, Since, column_of_changes, find_mark
from outreach.intake.columns import TABLES, Table
from outreach.intake.currencies import Currencies
from outreach.intake.dates import redate
from outreach.intake.groups import Groups
from outreach.intake.households import detect_households
from outreach.intake.look_ups import LookUps
from outreach.intake.mapping import FileMapping, Mapping, TableMapping
from outreach.intake.origins import Folder, Origin
from outreach.intake.orphans import count_orphans
from outreach.intake.records import BadCell, Recipe, Record, make_recipe, own_columns
from outreach.intake.reports import FileCount, ImportReport, RefusedRow
from outreach.intake.sources import Row, Source
from outreach.intake.storing import store_rows
from outreach.models import Import, Installation, Refusal
from outreach.settings import Settings

AT_ONCE = 2000
TELL_EVERY = 50_000
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """One table to fill from one file, or one table of a database; without a mapping it has our own columns."""

    source: str
    into: str
    file: FileMapping | None = None
    table: TableMapping | None = None

    @property
    def name(self) -> str:
        return show_name(self.source)


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
    jobs = _list_jobs(names, origin, mapping)
    if not jobs:
        raise SourceUnreadable(_nothing_known(origin, mapping))
    redate(engine, settings)
    _note_first_import(engine, settings, now)
    used = {job.source for job in jobs}
    report = ImportReport(ignored={show_name(name): [] for name in names if name not in used})
    unused: dict[str, set[str]] = {}
    look_ups = LookUps(origin)
    for job in jobs:
        task = _Task(engine, job, settings, report, tell, origin, look_ups, mapping.sha256 if mapping else None)
        task.run(since)
        task.write_down(now)
        if task.unused is not None:
            unused[job.name] = unused.get(job.name, task.unused) & task.unused
    if any(job.into in {"customers", "flags"} for job in jobs):
        changed = detect_households(engine, settings, now)
        if changed:
            tell(f"Households: {changed:,} changed")
    report.ignored |= {name: sorted(columns) for name, columns in sorted(unused.items()) if columns}
    report.orphans = count_orphans(engine, {job.into for job in jobs})
    return report


def _list_jobs(names: list[str], origin: Origin, mapping: Mapping | None) -> list[Job]:
    """In the order of our tables, whichever file feeds them."""
    if mapping is None:
        known = origin.own_names
        jobs = [Job(name, known[name.casefold()]) for name in names if name.casefold() in known]
    else:
        jobs = [
            Job(name, table.into, file, table)
            for file in mapping.file
            for name in names
            if any(fnmatchcase(name, pattern) for pattern in file.name)
            for table in file.table
        ]
    order = list(TABLES)
    return sorted(jobs, key=lambda job: order.index(job.into))


def _nothing_known(origin: Origin, mapping: Mapping | None) -> str:
    if mapping:
        names = ", ".join(name for file in mapping.file for name in file.name)
        return f"Nothing in {origin.shown} has a name that the mapping knows: {names}"
    return (
        f"Nothing in {origin.shown} has a name Outreach knows: {', '.join(origin.own_names)}. "
        "For other names, give a mapping: --mapping FILE"
    )


def _note_first_import(engine: Engine, settings: Settings, now: datetime) -> None:
    day = business_date(now, settings.business.timezone)
    with writing(engine) as session:
        first = update(Installation).where(col(Installation.first_import_on).is_(None)).values(first_import_on=day)
        session.connection().execute(first)


def show_name(name: str) -> str:
    """A name from outside, fit for a database and a terminal: neither takes bytes that are no text."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name[:80])


def _unused(recipe: Recipe) -> set[str]:
    used = set(recipe.positions.values())
    return {show_name(name) or f"(column {at + 1})" for at, name in enumerate(recipe.header) if at not in used}


class _Task:
    """One job being done: it counts as it goes."""

    def __init__(
        self,
        engine: Engine,
        job: Job,
        settings: Settings,
        report: ImportReport,
        tell: Tell,
        origin: Origin,
        look_ups: LookUps,
        mapping: str | None,
    ) -> None:
        self._origin, self._mapping = origin, mapping
        self._engine, self._job, self._settings = engine, job, settings
        self._report, self._tell, self._look_ups = report, tell, look_ups
        self._table: Table = TABLES[job.into]
        self._waiting: dict[tuple[object, ...], Record] = {}
        self._refusals: list[RefusedRow] = []
        self._read = 0
        self._changes: Changes | None = None
        self.unused: set[str] | None = None

    def run(self, since: Since) -> None:
        try:
            after = self._after(since)
            with self._origin.open(self._job.source, self._job.file, after) as source:
                recipe = self._recipe(source)
                self.unused = _unused(recipe)
                self._changes = self._watch(recipe, since, after)
                self._take_rows(recipe, source.rows)
        except SourceUnreadable as error:
            self._refuse(1, "", str(error))
        except BadCell as error:
            self._refuse(1, error.column, str(error))
        self._store()

    @property
    def _can_leave_out(self) -> bool:
        # One row made of many needs them all, whichever of them changed.
        return not (self._job.table and self._job.table.one_row_per)

    def _after(self, since: Since) -> datetime | None:
        if since is None or not self._can_leave_out:
            return None
        if since == "last":
            return find_mark(self._engine, self._origin.kept, self._job.name, self._job.into, self._mapping)
        return since

    def _watch(self, recipe: Recipe, since: Since, after: datetime | None) -> Changes:
        changed = column_of_changes(recipe.header, self._job.file)
        if since and not (changed and self._can_leave_out):
            self._tell(f"{self._job.name}: read whole")
        if self._job.file and self._job.file.changed and changed is None:
            raise BadCell(self._job.file.changed, "no column of this name says when a row changed; it was left out")
        return Changes(recipe.header.index(changed) if changed else None, recipe.style, after)

    def _recipe(self, source: Source) -> Recipe:
        business = self._settings.business
        table = self._job.table or own_columns(self._job.into, source.header)
        recipe = make_recipe(table, self._job.file, source.header, business.timezone, business.currency)
        currency_of = Currencies(self._engine, business.currency).reader_for(self._job.into)
        recipe = replace(recipe, look_up=self._look_ups.find, currency_of=currency_of)
        _ = recipe.positions
        return recipe

    def _take_rows(self, recipe: Recipe, rows: Iterator[Row]) -> None:
        groups = Groups(recipe) if recipe.mapping.one_row_per else None
        for row in rows:
            self._take_row(recipe, row, groups)
        for record, lines, problem in groups.finished() if groups else ():
            if problem is None:
                self._keep(recipe.finish(record))
                continue
            self._read -= len(lines)
            for line in lines:
                self._refuse(line, problem.column, str(problem))

    def _take_row(self, recipe: Recipe, row: Row, groups: Groups | None) -> None:
        if row.problem:
            return self._refuse(row.line, "", row.problem)
        if not recipe.wants(row.cells) or not (self._changes and self._changes.wants(row.cells)):
            return None
        try:
            record = recipe.read(row.cells)
        except BadCell as error:
            return self._refuse(row.line, error.column, str(error))
        self._count()
        if groups:
            return groups.add(recipe.group_of(row.cells), record, row.line)
        return self._keep(recipe.finish(record))

    def _count(self) -> None:
        self._read += 1
        if self._read % TELL_EVERY == 0:
            self._tell(f"{self._job.name}: {self._read:,} rows so far")

    def _refuse(self, line: int, column: str, reason: str) -> None:
        self._refusals.append(RefusedRow(self._job.name, line, column, reason))
        self._count()

    def _keep(self, record: Record) -> None:
        # A later row of the same key stands, and one statement must not touch a row twice.
        key = tuple(record[name] for name in self._table.key)
        self._waiting.pop(key, None)
        self._waiting[key] = record
        if len(self._waiting) >= AT_ONCE:
            self._store()

    def _store(self) -> None:
        rows = list(self._waiting.values())
        with writing(self._engine) as session:
            take_turns(session, "import")
            store_rows(session, self._table, rows)
        self._waiting.clear()

    def write_down(self, now: datetime) -> None:
        """Writes what became of the file, last of all: an interrupted import must not look like a fresh one."""
        name, into, refused = self._job.name, self._job.into, len(self._refusals)
        count = FileCount(name, into, self._read, self._read - refused, refused)
        latest = self._changes.latest if self._changes else None
        # A row dated ahead of today must not hide what changes until then.
        until = min(latest, now) if latest else None
        with writing(self._engine) as session:
            kept = Import(at=now, file=name, table_name=into, mapping=self._mapping, origin=self._origin.kept,
                          changed_until=until, read=count.read, accepted=count.accepted, refused=refused)  # fmt: skip
            session.add(kept)
            session.flush()
            session.add_all(
                Refusal(import_id=kept.import_id or 0, line=row.line, column=row.column, reason=row.reason)
                for row in self._refusals
            )
        self._report.files.append(count)
        self._report.refusals += self._refusals
        self._tell(f"{name} → {into}: {count.read:,} read, {count.accepted:,} accepted, {refused:,} refused")
