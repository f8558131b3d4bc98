"""Reads the rows of a CSV file, each with the number of its line.

A row that cannot be read carries what is wrong with it and never stops the next one.
"""

import csv
import io
from collections.abc import Iterator
from functools import partial
from itertools import repeat
from typing import NamedTuple, TextIO

LINES_OF_ONE_ROW = 1000
# In letters. No cell of a customer's is as long, and Python's own reader of CSV takes no longer one either.
LONGEST_CELL = 1 << 17
# A line that does not end is no line, and a row of many lines is held whole.
LONGEST_LINE = 1 << 20
# What is read of the file at a time; less than a line may have.
AT_ONCE = 1 << 16
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


# What `Row._make` does, in a third of its time.
_ROW = partial(tuple.__new__, Row)


def row_of(line: int, cells: list[str]) -> Row:
    """The row, with a problem where a cell of it is longer than any may be; such a cell is not kept."""
    if max(map(len, cells), default=0) <= LONGEST_CELL:
        return Row(line, cells)
    return Row(line, ["" if len(cell) > LONGEST_CELL else cell for cell in cells], _TOO_LONG)


def check_width(row: Row, width: int) -> Row:
    if row.problem or len(row.cells) == width:
        return row
    return Row(row.line, row.cells, f"the row has {len(row.cells)} cells, and the header names {width} columns")


class _CutLine(str):
    """The beginning of a line that was longer than any may be."""

    __slots__ = ()


class _LineTooLong(csv.Error):
    """A line that was cut; whatever cells its beginning makes, they are not its own."""


class CsvLines:
    """Physical lines, some thousands of them in memory, that can be handed out again: after a quote that never closes,
    reading goes on behind it."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._lines: list[str] = []
        #: Of `_lines`: the first of the row that is being read, and the next to hand out.
        self._first = self._next = 0
        self._length = 0
        #: How many lines of the file were handed out.
        self.number = 0

    def __iter__(self) -> "CsvLines":
        return self

    def __next__(self) -> str:
        if self._next - self._first >= LINES_OF_ONE_ROW or self._length > LONGEST_LINE:
            raise csv.Error("too many lines")
        if self._next == len(self._lines) and not self._read_on():
            raise StopIteration
        line = self._lines[self._next]
        self.skip(1)
        self._length += len(line)
        if isinstance(line, _CutLine):
            raise _LineTooLong
        return line

    def skip(self, count: int) -> None:
        """Goes on behind so many lines."""
        self._next += count
        self.number += count

    def start_row(self) -> int:
        """The number of the line at which the next row starts."""
        self._first, self._length = self._next, 0
        return self.number + 1

    def give_back(self) -> str:
        """Keeps the row's first line, which it returns, and hands the others out again."""
        taken = self._next - self._first
        if not taken:
            return ""
        self.skip(1 - taken)
        return self._lines[self._first]

    def ahead(self) -> list[str]:
        """Whole lines from the next row on, but no line that was cut; none at the end of the file, or before a cut one.

        They count as handed out only when `skip` says so.
        """
        self.start_row()
        if self._next == len(self._lines):
            self._read_on()
        is_cut = bool(self._lines) and isinstance(self._lines[-1], _CutLine)
        return self._lines[self._next : len(self._lines) - is_cut]

    def _read_on(self) -> bool:
        """Lets go of the lines before the row, and reads further ones; whether there are any."""
        text = self._handle.read(AT_ONCE)
        if not text.endswith("\n"):
            begun = len(text) - 1 - max(text.rfind("\n"), text.rfind("\r"))
            text += self._handle.readline(LONGEST_LINE - begun)
        # A byte-order mark is never part of the text; further ones are left where files were joined.
        lines = list(io.StringIO(text.replace("\ufeff", ""), newline=""))
        if lines and len(lines[-1]) >= LONGEST_LINE and not lines[-1].endswith(("\n", "\r")):
            lines[-1] = self._cut(lines[-1])
        self._lines = self._lines[self._first :] + lines
        self._next -= self._first
        self._first = 0
        return bool(lines)

    def _cut(self, line: str) -> _CutLine:
        while (rest := self._handle.readline(LONGEST_LINE)) and not rest.endswith(("\n", "\r")):
            pass  # let go of at once: the row is refused for what was read of it
        return _CutLine(line[:LONGEST_CELL])


def read_rows(lines: CsvLines, separator: str) -> Iterator[Row]:
    """Every row but those in which no cell holds anything, as `read_each` reads them, in less than half the time.

    Python's reader goes through the lines in memory by itself; where it stops, `read_each` reads one row.
    """
    singly = read_each(lines, separator)
    while True:
        ahead = lines.ahead()
        starts, rows = _parse(ahead, separator)
        numbered = zip(map((lines.number + 1).__add__, starts), rows, repeat(""))
        lines.skip(starts[-1])
        yield from map(_ROW, (each for each in numbered if any(map(str.strip, each[1]))))
        if starts[-1] == len(ahead) > 0:
            continue
        row = next(singly, None)
        if row is None:
            return
        yield row


def _parse(lines: list[str], separator: str) -> tuple[list[int], list[list[str]]]:
    """The rows up to the first that is not sound, and the place among `lines` where each starts, and where they end."""
    starts, rows = [0], []
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=separator == " ")
    try:
        for cells in reader:
            if reader.line_num - starts[-1] > LINES_OF_ONE_ROW:
                break
            rows.append(_drop_padding(cells) if separator == " " else cells)
            starts.append(reader.line_num)
    except csv.Error:
        pass  # said by `read_each`, which reads this row again
    return starts, rows


def read_each(lines: CsvLines, separator: str) -> Iterator[Row]:
    """Every row but those in which no cell holds anything; between two of them nothing is read ahead of `lines`."""
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
            cells = _drop_padding(cells)
        if any(cell.strip() for cell in cells):
            yield Row(line, cells)


def _drop_padding(cells: list[str]) -> list[str]:
    # Behind the last value of a line there may be more spaces.
    return [cell for at, cell in enumerate(cells) if cell or 0 < at < len(cells) - 1]
