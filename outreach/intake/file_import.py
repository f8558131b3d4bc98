"""Imports one file, or one table of a database, into one of our tables, and counts as it goes.

A row that does not fit is refused, and never stops the next one; a file that cannot be read is one refusal.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from outreach.clock import business_date
from outreach.errors import EncodingUnclear, SourceUnreadable
from outreach.identity.neighbours import Moved
from outreach.intake.changes import Changes, Since, column_of_changes, find_mark
from outreach.intake.currencies import Currencies
from outreach.intake.feeds import Feed, show_name
from outreach.intake.joins import LookUps
from outreach.intake.oddities import Oddities
from outreach.intake.record_buffer import Record, RecordBuffer
from outreach.intake.refusals import Refusals
from outreach.intake.refused_file import RefusedFile
from outreach.intake.reports import EncodingReading, FileCount, ImportReport, count_reasons
from outreach.intake.row_blocks import BlockReader, RowFault, in_blocks
from outreach.intake.row_groups import Groups
from outreach.intake.rows import BadCell, RowRecipe, make_recipe, own_columns
from outreach.intake.sources.csv_files import Source
from outreach.intake.sources.csv_rows import Row
from outreach.intake.sources.origins import Origin
from outreach.models import Import
from outreach.settings import Settings

TELL_EVERY = 50_000
# So many of the rows with one remark are named by their lines.
NOTED = 5
Tell = Callable[[str], None]


@dataclass(frozen=True)
class ImportRun:
    """What all files of one import share."""

    engine: Engine
    settings: Settings
    origin: Origin
    look_ups: LookUps
    report: ImportReport
    tell: Tell
    oddities: Oddities | None = None
    refused: RefusedFile | None = None


class FileImport:
    """One file on its way into one table."""

    def __init__(self, run: ImportRun, feed: Feed, kept: Import) -> None:
        self._run, self._feed, self._kept = run, feed, kept
        self._refusals = Refusals(run.engine, kept)
        self._buffer = RecordBuffer(run.engine, feed, self._refusals)
        self._notes: Counter[tuple[str, str]] = Counter()
        self._note_lines: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._mended: Counter[tuple[str, str]] = Counter()
        # Why a whole group was refused, by the line of each of its rows.
        self._refused_groups: dict[int, str] = {}
        self._read = 0
        self._changes: Changes | None = None
        #: The columns that nothing was made of; None where the file could not be opened.
        self.unused: set[str] | None = None

    def take_in(self, since: Since) -> None:
        """Reads the file to its end, and stores what fits."""
        try:
            after = self._after(since)
            with self._run.origin.open(self._feed.source, self._feed.file, after) as source:
                recipe = self._recipe(source)
                self.unused, self._mended = _unused(recipe), recipe.mended
                self._changes = self._watch(recipe, since, after)
                self._take_rows(recipe, source.rows)
                # While the file can still be refused as a whole.
                self._buffer.require_signs()
            self._write_refused_groups(recipe)
        except EncodingUnclear as error:
            readings = [EncodingReading(self._feed.name, page, word) for page, word in error.readings]
            self._run.report.readings += [each for each in readings if each not in self._run.report.readings]
            self._refuse_file("", error)
        except SourceUnreadable as error:
            self._refuse_file("", error)
        except BadCell as error:
            self._refuse_file(error.column, error)
        self._buffer.store()

    @property
    def _can_leave_out(self) -> bool:
        # One row made of many needs them all, whichever of them changed.
        return not (self._feed.table and self._feed.table.is_grouped)

    def _after(self, since: Since) -> datetime | None:
        if since is None or not self._can_leave_out:
            return None
        if since == "last":
            return find_mark(self._run.engine, self._kept)
        return since

    def _watch(self, recipe: RowRecipe, since: Since, after: datetime | None) -> Changes:
        changed = column_of_changes(recipe.header, self._feed.file)
        if since and not (changed and self._can_leave_out):
            self._run.tell(f"{self._feed.name}: read whole")
        if self._feed.file and self._feed.file.changed and changed is None:
            raise BadCell(self._feed.file.changed, "no column of this name says when a row changed; it was left out")
        return Changes(recipe.header.index(changed) if changed else None, recipe.style, after)

    def _recipe(self, source: Source) -> RowRecipe:
        business = self._run.settings.business
        table = self._feed.table or own_columns(self._feed.into, source.header)
        today = business_date(self._kept.at, business.timezone)
        recipe = make_recipe(table, self._feed.file, source.header, business, today)
        currency_of = Currencies(self._run.engine, business.currency).reader_for(self._feed.into)
        recipe = replace(recipe, look_up=self._run.look_ups.find, currency_of=currency_of)
        # Asked at once: a missing column refuses the file, and not each of its rows.
        _ = recipe.positions
        return recipe

    def _take_rows(self, recipe: RowRecipe, rows: Iterator[Row]) -> None:
        groups = Groups(recipe) if recipe.mapping.is_grouped else None
        reader = BlockReader(recipe)
        for block in in_blocks(rows):
            self._take_block(recipe, reader, block, groups)
        for record, lines, problem in groups.finished() if groups else ():
            if problem is None:
                self._add([recipe.finish(record)], lines[:1])
                continue
            # Each was counted when it was read, and `_refuse` counts it again.
            self._read -= len(lines)
            for line in lines:
                self._refused_groups[line] = f"{problem.column}: {problem}"
                self._refuse(line, problem.column, str(problem), record)

    def _take_block(self, recipe: RowRecipe, reader: BlockReader, block: list[Row], groups: Groups | None) -> None:
        if recipe.mapping.only:
            block = [row for row in block if recipe.wants(row.cells)]
        if self._changes:
            block = [row for row in block if row.problem or self._changes.wants(row.cells)]
        sound = [row for row in block if not row.problem]
        lines = [row.line for row in sound]
        note = partial(self._note, lines)
        records, faults = reader.read([row.cells for row in sound], note) if sound else ([], {})
        if not faults and len(sound) == len(block) and not groups:
            self._take_run(recipe, records, lines)
        else:
            self._take_mixed(recipe, block, zip(records, map(faults.get, range(len(records))), strict=True), groups)

    def _take_mixed(
        self,
        recipe: RowRecipe,
        block: list[Row],
        read: Iterator[tuple[Record, RowFault | None]],
        groups: Groups | None,
    ) -> None:
        """Takes each row in its order: one that fits mends one of its id that was refused before it, and none later."""
        run: list[Record] = []
        lines: list[int] = []
        for row in block:
            record, fault = ({}, _torn(recipe, row)) if row.problem else next(read)
            if fault is None and groups:
                self._count(1)
                groups.add(recipe.group_of(row.cells, record), record, row.line, recipe.order_of(row.cells))
            elif fault is None:
                run.append(record)
                lines.append(row.line)
            else:
                if run:
                    self._take_run(recipe, run, lines)
                    run, lines = [], []
                self._write_refused(recipe, row, row.problem or f"{fault.column}: {fault.reason}")
                self._refuse(row.line, fault.column, fault.reason, fault.ids)
        self._take_run(recipe, run, lines)

    def _take_run(self, recipe: RowRecipe, records: list[Record], lines: list[int]) -> None:
        """Takes rows that fit, with nothing refused between them."""
        if recipe.completes:
            for record in records:
                recipe.complete(record)
        self._count(len(records))
        self._add(records, lines)

    def _write_refused(self, recipe: RowRecipe, row: Row, reason: str) -> None:
        if self._run.refused:
            self._run.refused.add(self._feed.name, recipe.header, row.line, row.cells, reason)

    def _write_refused_groups(self, recipe: RowRecipe) -> None:
        """Reads the rows of refused groups again to write them down: of a group only its one record was kept."""
        if not (self._run.refused and self._refused_groups):
            return
        with self._run.origin.open(self._feed.source, self._feed.file) as source:
            for row in source.rows:
                if reason := self._refused_groups.get(row.line):
                    self._write_refused(recipe, row, reason)

    def _count(self, rows: int) -> None:
        told = self._read // TELL_EVERY
        self._read += rows
        if (so_far := self._read // TELL_EVERY) > told:
            self._run.tell(f"{self._feed.name}: {so_far * TELL_EVERY:,} rows so far")

    def _note(self, lines: list[int], at: int, column: str, reason: str) -> None:
        self._notes[column, reason] += 1
        if len(noted := self._note_lines[column, reason]) < NOTED:
            noted.append(lines[at])

    def _refuse(self, line: int, column: str, reason: str, ids: Record) -> None:
        self._refusals.add(line, column, reason, ids)
        self._count(1)
        if self._refusals.is_page_full:
            # First the rows: what is stored clears the marks of its ids, and must not clear those of this page.
            self._buffer.store()
            self._refusals.write_page()

    def _add(self, records: list[Record], lines: list[int]) -> None:
        if self._run.oddities:
            for record, line in zip(records, lines, strict=True):
                self._run.oddities.look_at(self._feed.name, line, record)
        self._buffer.add(records, lines)

    def _refuse_file(self, column: str, error: Exception) -> None:
        # Of rows that were accepted before the file was refused as a whole, nothing is stored, and none counts.
        if not self._buffer.has_stored:
            self._read = self._refusals.count
        self._refusals.add_file(column, str(error))
        self._count(1)

    @property
    def moved(self) -> Moved:
        """The customers whom it brought or moved."""
        return self._buffer.stored.moved

    def write_down(self) -> None:
        """Keeps that the file was read to its end."""
        latest = self._changes.latest if self._changes else None
        # A row dated ahead of today must not hide what changes until then.
        until = min(latest, self._kept.at) if latest else None
        is_read_whole = self._changes is not None and self._changes.after is None
        self._refusals.finish(self._read, until, is_read_whole, self._buffer.stored)

    def report(self) -> None:
        """Adds to the report what became of the file."""
        name, into, refused = self._feed.name, self._feed.into, self._refusals.count
        self._run.report.files.append(self._count_of(name, into, refused))
        self._run.report.refusals += self._refusals.listed
        self._run.report.reasons += count_reasons(name, self._refusals.reasons)
        self._run.report.notes += count_reasons(name, self._notes, self._note_lines)
        self._run.report.mended += count_reasons(name, self._mended)
        accepted = self._read - refused
        self._run.tell(f"{name} → {into}: {self._read:,} read, {accepted:,} accepted, {refused:,} refused")

    def _count_of(self, name: str, into: str, refused: int) -> FileCount:
        repeated, lines = self._buffer.repeats.find()
        stored = self._buffer.stored
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


def _torn(recipe: RowRecipe, row: Row) -> RowFault:
    return RowFault("", row.problem, recipe.read_ids(row.cells))


def _unused(recipe: RowRecipe) -> set[str]:
    used = set(recipe.positions.values())
    return {show_name(name) or f"(column {at + 1})" for at, name in enumerate(recipe.header) if at not in used}
