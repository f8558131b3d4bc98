"""Reads a CSV file row by row, with the number of each row's line.

A row that cannot be read carries what is wrong with it and never stops the next one.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from outreach.errors import SourceUnreadable
from outreach.intake.sources.encodings import ERRORS, detect_encoding
from outreach.local_files import require_regular

SEPARATORS = ",;\t|"
SAMPLE = 1 << 16
LINES_OF_ONE_ROW = 1000
# Above a header that a mapping describes; reports have a name, a title and a date there.
MOST_TITLES = 50
# In letters. No cell of a customer's is as long, and Python's own reader of CSV takes no longer one either.
LONGEST_CELL = 1 << 17
# A line that does not end is no line, and a row of many lines is held whole.
LONGEST_LINE = 1 << 20
_BAD_QUOTE = "a quote does not close, or stands inside a quoted cell without being doubled"
_LINE_TOO_LONG = f"the line has more than {LONGEST_LINE:,} letters"
_TOO_LONG = f"a cell has more than {LONGEST_CELL:,} letters"


class Row(NamedTuple):
    """One row of a file."""

    #: Where the row starts, counting from 1.
    line: int
    #: With a `problem` they say nothing but whose the row may be; they are as many as could be told apart.
    cells: list[str]
    #: What is wrong with the row; empty for nothing.
    problem: str = ""


def row_of(line: int, cells: list[str]) -> Row:
    """The row, with a problem where a cell of it is longer than any may be; such a cell is not kept."""
    if max(map(len, cells), default=0) <= LONGEST_CELL:
        return Row(line, cells)
    return Row(line, ["" if len(cell) > LONGEST_CELL else cell for cell in cells], _TOO_LONG)


@dataclass(frozen=True)
class Source:
    encoding: str
    separator: str
    header: list[str]
    rows: Iterator[Row]


@dataclass(frozen=True)
class Layout:
    """How a file is written, as far as somebody says so; what is empty is found out."""

    encoding: str | None = None
    #: A space stands for any number of them.
    separator: str | None = None
    #: The header is the first line that names all of these columns.
    header_has: tuple[str, ...] = ()
    #: The names of the columns of a file that has no header.
    header: tuple[str, ...] = ()


ANYHOW = Layout()


@contextmanager
def open_source(path: Path, layout: Layout = ANYHOW) -> Iterator[Source]:
    """The file, open; encoding and separator are found out where they are not given.

    Raises SourceUnreadable for a file that cannot be opened, is not text, or has no header line.
    """
    with _open_text(path, layout.encoding) as handle:
        sample = handle.read(SAMPLE).removeprefix("\ufeff")
        handle.seek(0)
        separator = layout.separator or choose_separator(sample, layout.header_has)
        records = _read_records(_CsvLines(handle), separator)
        # Programs write this line for Excel alone: it names the separator, and no column.
        if sample[:4].lower() == "sep=":
            next(records)
        names = list(layout.header) or find_header(records, layout.header_has)
        yield Source(handle.encoding, separator, names, (check_width(row, len(names)) for row in records))


def find_header(records: Iterator[Row], has: Sequence[str]) -> list[str]:
    """The names in the first row, or in the first of many that has all of `has`; the rows behind it stay.

    Raises SourceUnreadable where there is none.
    """
    wanted = {name.strip().casefold() for name in has}
    for row in islice(records, MOST_TITLES):
        names = [name.strip() for name in row.cells]
        if wanted <= {name.casefold() for name in names} and not (row.problem and wanted):
            if row.problem:
                raise SourceUnreadable(f"its first line must name the columns, but {row.problem}")
            return names
    if wanted:
        shown = ", ".join(f"“{name}”" for name in has)
        raise SourceUnreadable(f"none of its first {MOST_TITLES} lines names the columns {shown}")
    raise SourceUnreadable("it is empty; its first line must name the columns")


def peek_rows(path: Path, encoding: str | None = None) -> list[list[str]]:
    """The first rows of a file, read with each separator in turn, for whoever looks for names that are known.

    Raises SourceUnreadable as `open_source` does.
    """
    with _open_text(path, encoding) as handle:
        sample = handle.read(SAMPLE).removeprefix("\ufeff")
    return [row for separator in SEPARATORS for row in islice(_split(sample, separator), MOST_TITLES)]


def write_cell(value: Any) -> str:
    """A value of a database or of Parquet as it would stand in a CSV file; what is missing, and no number, is empty."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):  # and a datetime, which is one
        return value.isoformat()
    if isinstance(value, float):
        # A column of whole numbers of which some are missing comes as 17.0 from programs that know no missing whole.
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return value.decode("utf-8", ERRORS)
    return str(value)


@contextmanager
def _open_text(path: Path, encoding: str | None) -> Iterator[TextIO]:
    """The file as text; what goes wrong while it is open is SourceUnreadable too."""
    try:
        require_regular(path)
        # The csv module must see the line breaks as they are (https://docs.python.org/3/library/csv.html).
        with path.open(encoding=encoding or detect_encoding(path), errors=ERRORS, newline="") as handle:
            yield handle
    except OSError as error:
        raise SourceUnreadable(f"it cannot be read ({error.strerror})") from error
    except UnicodeError as error:
        raise SourceUnreadable("it is not written in the encoding that the mapping names") from error


def choose_separator(sample: str, header_has: Sequence[str] = ()) -> str:
    """The separator by which most rows have the header's number of cells; a comma where nothing speaks for another.

    Where columns of the header are known, the separator that makes a line of them.
    """
    if sample[:4].lower() == "sep=" and sample[4:5] in SEPARATORS:
        return sample[4]
    wanted = {name.strip().casefold() for name in header_has}

    def weigh(separator: str) -> tuple[bool, float]:
        rows = [row for row in islice(_split(sample, separator), 200) if any(row)]
        known = bool(wanted) and any(wanted <= {cell.strip().casefold() for cell in row} for row in rows)
        width = len(rows[0]) if rows else 1
        return known, (width - 1) * sum(len(row) == width for row in rows)

    return max(SEPARATORS, key=weigh)


def _split(sample: str, separator: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    except csv.Error:
        return


class _CutLine(str):
    """The beginning of a line that was longer than any may be."""

    __slots__ = ()


class _LineTooLong(csv.Error):
    """A line that was cut; whatever cells its beginning makes, they are not its own."""


class _CsvLines:
    """Physical lines that can be handed out again: after a quote that never closes, reading goes on behind it."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._length = 0
        self.number = 0

    def __iter__(self) -> "_CsvLines":
        return self

    def __next__(self) -> str:
        if len(self._taken) >= LINES_OF_ONE_ROW or self._length > LONGEST_LINE:
            raise csv.Error("too many lines")
        line = self._again.popleft() if self._again else self._read()
        is_cut = isinstance(line, _CutLine)
        # A byte-order mark is never part of the text; further ones are left where files were joined.
        line = line if is_cut else line.replace("\ufeff", "")
        self.number += 1
        self._taken.append(line)
        self._length += len(line)
        if is_cut:
            raise _LineTooLong
        return line

    def _read(self) -> str:
        line = self._handle.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if len(line) < LONGEST_LINE or line.endswith(("\n", "\r")):
            return line
        while (rest := self._handle.readline(LONGEST_LINE)) and not rest.endswith(("\n", "\r")):
            pass  # let go of at once: the row is refused for what was read of it
        return _CutLine(line[:LONGEST_CELL])

    def start_row(self) -> int:
        self._taken.clear()
        self._length = 0
        return self.number + 1

    def give_back(self) -> str:
        """Keeps the row's first line, which it returns, and hands the others out again."""
        self._again.extendleft(reversed(self._taken[1:]))
        self.number -= len(self._taken) - 1
        return self._taken[0] if self._taken else ""


def _read_records(lines: _CsvLines, separator: str) -> Iterator[Row]:
    """Every row but those in which no cell holds anything."""
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=separator == " ")
    while True:
        line = lines.start_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            before = lines.give_back().partition('"')[0]
            # What stands before the first quote of the line is not touched by what is wrong with it.
            cells = before.split(separator)[:-1]
            yield Row(line, cells, _LINE_TOO_LONG if isinstance(error, _LineTooLong) else _BAD_QUOTE)
            continue
        if separator == " ":
            # Behind the last value of a line there may be more of them.
            cells = [cell for at, cell in enumerate(cells) if cell or 0 < at < len(cells) - 1]
        if any(cell.strip() for cell in cells):
            yield Row(line, cells)


def check_width(row: Row, width: int) -> Row:
    if row.problem or len(row.cells) == width:
        return row
    return Row(row.line, row.cells, f"the row has {len(row.cells)} cells, and the header names {width} columns")
