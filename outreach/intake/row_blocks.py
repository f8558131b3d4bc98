"""Makes records of a block of rows, column by column, and says of each row that does not fit which column is at fault.

The first column at fault, in our order, is the one that is named; a row is refused once, whatever else it holds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from outreach.clock import business_date
from outreach.email_cells import AROUND_EMAIL
from outreach.intake.cell_columns import (
    MOST,
    Block,
    CellFault,
    Cells,
    ColumnReader,
    EachRow,
    LocalInstants,
    OneCell,
    PlainText,
    is_as_it_stands,
    is_of_one_cell,
)
from outreach.intake.cells import parsers
from outreach.intake.cells.calendar_days import DayCheck
from outreach.intake.cells.parsers import LOCAL, LONGEST_ID, LONGEST_LINE
from outreach.intake.cells.unfit import NOT_USED, Unfit
from outreach.intake.headers import Column
from outreach.intake.mapping.columns import From, is_default
from outreach.intake.rows import EMPTY, OWNERS, Record, RowRecipe
from outreach.intake.sources.csv_rows import Row
from outreach.intake.values import OF_READING

#: Takes the place of a row among those that are read together, one of our columns, and a reason.
Note = Callable[[int, str, str], None]
# Beyond some thousands of rows a larger block is no quicker.
AT_ONCE, LETTERS_AT_ONCE, PART = 2000, 1 << 21, 100


def in_blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """The rows, so many at a time as are soon read and take little memory.

    Those that came before an error are given first, and then it is raised.
    """
    error: Exception | None = None
    while error is None:
        block: list[Row] = []
        letters, is_more = 0, True
        while is_more and len(block) < AT_ONCE and letters < LETTERS_AT_ONCE:
            before = len(block)
            try:
                # What the list got before the iterator raised stays in it.
                block.extend(islice(rows, PART))
            except Exception as raised:
                error = raised
            is_more = len(block) == before + PART
            letters += sum(len("".join(row.cells)) for row in block[before:])
        if block:
            yield block
        if not is_more:
            break
    if error is not None:
        raise error


@dataclass(frozen=True)
class RowFault:
    """What is wrong with a row, and in which of our columns (empty: in the whole row)."""

    column: str
    reason: str
    #: What of it says whose it may be, by the names of our columns.
    ids: dict[str, str]


class BlockReader:
    """Reads the rows of one file by its recipe."""

    def __init__(self, recipe: RowRecipe) -> None:
        self._recipe = recipe
        self._columns = [(column, origin, _reader_of(recipe, column, origin)) for column, origin in recipe.columns]
        self._ids = [column for column, _ in recipe.columns if recipe.names(column)]
        self._days = _Days(recipe.style.timezone)

    def read(self, rows: Sequence[Cells], note: Note) -> tuple[list[Record], dict[int, RowFault]]:
        """A record for each row, and what is wrong with some, by their place; such a row's record is worth nothing.

        `note` is told of each cell that is taken in as empty although something stands in it, or that stays in doubt.
        """
        block = Block(rows)
        values: dict[str, list[Any]] = {}
        faults: dict[int, tuple[str, str]] = {}
        for column, origin, reader in self._columns:
            found, is_unsure = reader.read(block)
            if column.check is parsers.amount:
                found, is_unsure = self._in_minor_units(column, found, values, faults), True
            if is_unsure or (column.required and None in found):
                self._settle(column, origin, found, faults, note)
            values[column.key] = found
        if block.may_be_mended:
            for at, cells in enumerate(rows):
                if at not in faults:
                    self._recipe.count_mended(cells)
        self._date(values)
        records = [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
        self._judge(records, faults, note)
        return records, {at: RowFault(*fault, self._ids_of(records[at])) for at, fault in faults.items()}

    def _settle(
        self, column: Column, origin: From, found: list[Any], faults: dict[int, tuple[str, str]], note: Note
    ) -> None:
        """Writes down which rows the column costs; a cell alone is lost where it may be empty."""
        for at, value in enumerate(found):
            if value is None and column.required:
                faults.setdefault(at, (column.name, EMPTY))
            if type(value) is not CellFault:
                continue
            found[at] = None
            # A date that cannot be meant costs its cell only, and so does whatever a mapping calls optional.
            if column.required or not (origin.optional or value.is_no_day):
                faults.setdefault(at, (column.name, value.reason))
            elif at not in faults:
                note(at, column.name, f"{value.reason}; {NOT_USED}")

    def _in_minor_units(
        self, column: Column, found: list[Any], values: dict[str, list[Any]], faults: dict[int, tuple[str, str]]
    ) -> list[Any]:
        units = []
        named = {name: values[name] for name in ("currency", "payment_id", *OWNERS) if name in values}
        for at, value in enumerate(found):
            if value is not None and type(value) is not CellFault and at not in faults:
                try:
                    value = self._recipe.minor_units(column, value, {name: each[at] for name, each in named.items()})
                except Unfit as error:
                    value = CellFault(error)
            units.append(value)
        return units

    def _date(self, values: dict[str, list[Any]]) -> None:
        """Adds the business's day beside an instant, and whether a zone was written."""
        self._days.shrink()
        for column, _, _ in self._columns:
            if column.day:
                values[column.day] = list(map(self._days.__getitem__, values[column.key]))
            if column.local:
                values[column.local] = [at is not None and at.tzinfo is LOCAL for at in values[column.key]]

    def _judge(self, records: list[Record], faults: dict[int, tuple[str, str]], note: Note) -> None:
        """Looks at each record as a whole."""
        table, style = self._recipe.table, self._recipe.style
        for at, record in enumerate(records) if table.fault or table.mend else ():
            if at in faults:
                continue
            if table.fault and (fault := table.fault(record)):
                faults[at] = fault
            for remark in table.mend(record, style) if table.mend and at not in faults else ():
                if remark.is_mended:
                    self._recipe.mended[remark.column, remark.reason] += 1
                else:
                    note(at, remark.column, remark.reason)

    def _ids_of(self, record: Record) -> dict[str, str]:
        return {column.name: str(record[column.key] or "") for column in self._ids}


class _Days(dict[datetime | None, date | None]):
    """The business's day of each instant that came lately."""

    def __init__(self, timezone: str) -> None:
        super().__init__({None: None})
        self._timezone = timezone

    def __missing__(self, at: datetime | None) -> date | None:
        day = self[at] = business_date(at, self._timezone) if at else None
        return day

    def shrink(self) -> None:
        if len(self) > MOST:
            self.clear()


def _reader_of(recipe: RowRecipe, column: Column, origin: From) -> ColumnReader:
    each = EachRow(recipe.reader_of(column, origin))
    at = recipe.positions.get(origin.column or "")
    if at is None or not is_of_one_cell(origin):
        return each
    if column.check in (parsers.line, parsers.identifier) and is_as_it_stands(origin):
        is_id = column.check is parsers.identifier
        longest = LONGEST_ID if is_id else LONGEST_LINE
        return PlainText(at, each, recipe.strip, recipe.empty, longest, repeats=not is_id)
    if column.check is parsers.email and is_as_it_stands(origin):
        return PlainText(at, each, recipe.strip, recipe.empty, LONGEST_LINE, repeats=False, odd=AROUND_EMAIL)
    is_read_alone = not (recipe.empty or recipe.strip) and is_default(origin, OF_READING)
    if isinstance(column.check, DayCheck) and column.check.instant and is_read_alone:
        return LocalInstants(at, each)
    # Of ids, addresses and long texts, each of which comes once, nothing is worth keeping.
    comes_once = column.check in (parsers.identifier, parsers.email, parsers.passage)
    return each if comes_once else OneCell(at, each)
