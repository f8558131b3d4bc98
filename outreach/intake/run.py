"""A folder of customer data in; its rows in the database and an account of every row out.

Rows are stored a chunk at a time, each by its key, so that an import that was interrupted is simply run again.
It never lifts a suppression, never overwrites a consent, and never takes back what staff wrote of somebody.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from babel.numbers import get_currency_precision
from sqlalchemy import Engine, update
from sqlmodel import col, select

from outreach.clock import business_date
from outreach.database import reading, take_turns, writing
from outreach.errors import SourceUnreadable
from outreach.intake.columns import TABLES, Table
from outreach.intake.dates import redate
from outreach.intake.groups import Groups
from outreach.intake.households import detect_households
from outreach.intake.look_ups import LookUps
from outreach.intake.mapping import FileMapping, Mapping, TableMapping
from outreach.intake.records import BadCell, Recipe, Record, make_recipe, own_columns
from outreach.intake.reports import FileCount, ImportReport, RefusedRow
from outreach.intake.sources import Row, Source, open_source
from outreach.intake.storing import store_rows
from outreach.models import Import, Installation, Invoice, Refusal
from outreach.settings import Settings

AT_ONCE = 2000
TELL_EVERY = 50_000
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """One table to fill from one file; without a mapping the file has our own columns."""

    path: Path
    into: str
    file: FileMapping | None = None
    table: TableMapping | None = None

    @property
    def name(self) -> str:
        return show_name(self.path.name)


def import_folder(
    engine: Engine,
    folder: Path,
    settings: Settings,
    now: datetime,
    mapping: Mapping | None = None,
    tell: Tell = lambda _line: None,
) -> ImportReport:
    """Takes in every file of `folder` that has one of our names, or that the mapping names.

    Rows with a known key replace what is there; columns a file does not have are left alone. Raises SourceUnreadable
    when there is no such folder or nothing in it is known; a file or a row at fault is a refusal in the report.
    """
    files = _list_files(folder)
    jobs = _list_jobs(files, mapping)
    if not jobs:
        raise SourceUnreadable(_nothing_known(folder, mapping))
    redate(engine, settings)
    _note_first_import(engine, settings, now)
    used = {job.path for job in jobs}
    report = ImportReport(ignored={show_name(path.name): [] for path in files if path not in used})
    unused: dict[str, set[str]] = {}
    look_ups = LookUps(folder)
    for job in jobs:
        task = _Task(engine, job, settings, report, tell, look_ups)
        task.run()
        task.write_down(now, mapping.sha256 if mapping else None)
        if task.unused is not None:
            unused[job.name] = unused.get(job.name, task.unused) & task.unused
    if any(job.into in {"customers", "flags"} for job in jobs):
        tell(f"Households: {detect_households(engine, settings, now):,} changed")
    report.ignored |= {name: sorted(columns) for name, columns in sorted(unused.items()) if columns}
    return report


def _list_files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise SourceUnreadable(f"The folder {folder} cannot be opened ({error.strerror})") from error


def _list_jobs(files: list[Path], mapping: Mapping | None) -> list[Job]:
    """In the order of our tables, whichever file feeds them."""
    if mapping is None:
        known = {f"{table}.csv": table for table in TABLES}
        jobs = [Job(path, known[path.name.casefold()]) for path in files if path.name.casefold() in known]
    else:
        jobs = [
            Job(path, table.into, file, table)
            for file in mapping.file
            for path in files
            if any(fnmatchcase(path.name, pattern) for pattern in file.name)
            for table in file.table
        ]
    order = list(TABLES)
    return sorted(jobs, key=lambda job: order.index(job.into))


def _nothing_known(folder: Path, mapping: Mapping | None) -> str:
    if mapping:
        names = ", ".join(name for file in mapping.file for name in file.name)
        return f"No file in {folder} has a name that the mapping knows: {names}"
    return (
        f"No file in {folder} has a name Outreach knows: {', '.join(f'{table}.csv' for table in TABLES)}. "
        "For other files, give a mapping: --mapping FILE"
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
        self, engine: Engine, job: Job, settings: Settings, report: ImportReport, tell: Tell, look_ups: LookUps
    ) -> None:
        self._engine, self._job, self._settings = engine, job, settings
        self._report, self._tell, self._look_ups = report, tell, look_ups
        self._table: Table = TABLES[job.into]
        self._waiting: dict[tuple[object, ...], Record] = {}
        self._refusals: list[RefusedRow] = []
        self._read = 0
        self.unused: set[str] | None = None

    def run(self) -> None:
        file = self._job.file
        try:
            encoding, separator = (file.encoding, file.separator) if file else (None, None)
            with open_source(self._job.path, encoding, separator) as source:
                recipe = self._recipe(source)
                self.unused = _unused(recipe)
                self._take_rows(recipe, source.rows)
        except SourceUnreadable as error:
            self._refuse(1, "", str(error))
        except BadCell as error:
            self._refuse(1, error.column, str(error))
        self._store()

    def _recipe(self, source: Source) -> Recipe:
        business = self._settings.business
        table = self._job.table or own_columns(self._job.into, source.header)
        recipe = make_recipe(table, self._job.file, source.header, business.timezone, business.currency)
        recipe = replace(recipe, look_up=self._look_ups.find)
        _ = recipe.positions
        if self._job.into != "payments":
            return recipe
        odd = self._odd_currencies()
        return replace(recipe, currency_of=lambda payment: odd.get(payment["invoice_id"]))

    def _odd_currencies(self) -> dict[str, str]:
        """Invoices whose currency counts in other minor units than the business's does."""
        usual = get_currency_precision(self._settings.business.currency)
        with reading(self._engine) as session:
            used = session.exec(select(Invoice.currency).distinct()).all()
            odd = [currency for currency in used if currency and get_currency_precision(currency) != usual]
            wanted = select(Invoice.invoice_id, Invoice.currency).where(col(Invoice.currency).in_(odd))
            return {invoice: currency for invoice, currency in session.execute(wanted)} if odd else {}

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
        if not recipe.wants(row.cells):
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

    def write_down(self, now: datetime, mapping: str | None) -> None:
        """Writes what became of the file, last of all: an interrupted import must not look like a fresh one."""
        name, into, refused = self._job.name, self._job.into, len(self._refusals)
        count = FileCount(name, into, self._read, self._read - refused, refused)
        with writing(self._engine) as session:
            kept = Import(at=now, file=name, table_name=into, mapping=mapping, read=count.read,
                          accepted=count.accepted, refused=refused)  # fmt: skip
            session.add(kept)
            session.flush()
            session.add_all(
                Refusal(import_id=kept.import_id or 0, line=row.line, column=row.column, reason=row.reason)
                for row in self._refusals
            )
        self._report.files.append(count)
        self._report.refusals += self._refusals
        self._tell(f"{name} → {into}: {count.read:,} read, {count.accepted:,} accepted, {refused:,} refused")
