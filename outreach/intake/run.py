"""Imports a folder or a database of customer data, and gives an account of every row.

Rows are stored a chunk at a time, each by its key, so that an import that was interrupted is simply run again. It never
lifts a suppression, never overwrites a consent, and never takes back what staff wrote of somebody.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine, update
from sqlmodel import col

from outreach.clock import business_date
from outreach.database import insert_new, reading, writing
from outreach.identity.households import detect_households
from outreach.identity.neighbours import TABLES, Moved, is_detection_due
from outreach.intake.changes import Since
from outreach.intake.dates import redate
from outreach.intake.feeds import list_jobs, show_name
from outreach.intake.file_import import FileImport, ImportRun, Tell
from outreach.intake.history import Submission, record_intake
from outreach.intake.joins import LookUps
from outreach.intake.mapping.files import Mapping
from outreach.intake.oddities import Oddities
from outreach.intake.orphans import count_orphans
from outreach.intake.refused_file import RefusedFile
from outreach.intake.reports import ImportReport
from outreach.intake.sources.origins import Origin
from outreach.locks import take_turns
from outreach.models import Customer, Import, Installation
from outreach.settings import Settings


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Has Python look less often for objects that only hold each other: rows are made in millions, and hold nothing."""
    # Measured: a fifth to a third of an import's time.
    usual = gc.get_threshold()
    gc.set_threshold(100_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@_rare_collections()
def import_data(
    engine: Engine,
    origin: Origin,
    settings: Settings,
    now: datetime,
    mapping: Mapping | None = None,
    tell: Tell = lambda _line: None,
    since: Since = None,
    oddities: Oddities | None = None,
    refused: RefusedFile | None = None,
    submission: Submission = Submission(),
) -> ImportReport:
    """Takes in every file, or table of a database, that has one of our names, or that the mapping names.

    With `since`, of those that say when a row changed, only what changed from then on. `oddities` looks at each record
    that is taken in, and `refused` writes down each row that is not. Rows with a known key replace what is there;
    columns a file does not have are left alone. Raises SourceUnreadable when there is no such place or nothing in it is
    known; a file or a row at fault is a refusal in the report. What `submission` says goes into the history.
    """
    with record_intake(engine, submission, origin.kept or origin.shown, now) as intake_id:
        report = ImportReport(intake_id=intake_id)
        _take_in(report, engine, origin, settings, now, mapping, tell, since, oddities, refused)
    return report


def _take_in(
    report: ImportReport,
    engine: Engine,
    origin: Origin,
    settings: Settings,
    now: datetime,
    mapping: Mapping | None,
    tell: Tell,
    since: Since,
    oddities: Oddities | None,
    refused: RefusedFile | None,
) -> None:
    names = origin.names(mapping.file if mapping else [])
    jobs = list_jobs(names, origin, mapping)
    redate(engine, settings)
    # Second: the first import of all finds the row, which this fills in, made by `redate`.
    _note_first_import(engine, settings, now)
    report.marks = {mapping.written_in: mapping.marks} if mapping and mapping.marks else {}
    used = {job.source for job in jobs}
    report.ignored = {show_name(name): [] for name in names if name not in used}
    unused: dict[str, set[str]] = {}
    look_ups = LookUps(origin, names, mapping.file if mapping else ())
    run = ImportRun(engine, settings, origin, look_ups, report, tell, oddities, refused)
    moving: list[tuple[FileImport, Import]] = []
    for job in jobs:
        kept = Import(at=now, intake_id=report.intake_id, file=job.name, table_name=job.into,
                      mapping=mapping.sha256 if mapping else None, origin=origin.kept, read=0, accepted=0, refused=0,
                      complete=False)  # fmt: skip
        file = FileImport(run, job, kept)
        file.take_in(since)
        file.report()
        if job.into in TABLES:
            moving.append((file, kept))
        else:
            file.write_down()
        if file.unused is not None:
            unused[job.name] = unused.get(job.name, file.unused) & file.unused
    _make_customers(engine, look_ups.made, report)
    # Flags too: some keep their customer apart from everybody at the same address.
    if moving:
        changed = detect_households(engine, settings, now, _find_moved(engine, moving))
        if changed:
            tell(f"Households: {changed:,} changed")
    # After that: an import that is interrupted before has its households detected by the next.
    for file, _ in moving:
        file.write_down()
    report.ignored |= {name: sorted(columns) for name, columns in sorted(unused.items()) if columns}
    report.orphans = count_orphans(engine, {job.into for job in jobs})


def _find_moved(engine: Engine, files: Sequence[tuple[FileImport, Import]]) -> Moved | None:
    """The customers whom these files moved; None where everybody must be looked at."""
    with reading(engine) as session:
        if is_detection_due(session, [kept.import_id for _, kept in files]):
            return None
    moved = Moved()
    for file, _ in files:
        moved.join(file.moved)
    return None if moved.is_many else moved


def _make_customers(engine: Engine, ids: set[str], report: ImportReport) -> None:
    """Adds those whom a mapping makes customers for rows that name somebody unknown; an id with an @ is an address."""
    rows = [{"customer_id": each, "email": each if "@" in each else None} for each in sorted(ids)]
    with writing(engine) as session:
        take_turns(session, "import")
        report.made = insert_new(session, Customer, rows)


def _note_first_import(engine: Engine, settings: Settings, now: datetime) -> None:
    day = business_date(now, settings.business.timezone)
    with writing(engine) as session:
        first = update(Installation).where(col(Installation.first_import_on).is_(None)).values(first_import_on=day)
        session.connection().execute(first)
