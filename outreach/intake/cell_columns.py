"""Reads one column of a block of rows at a time, which costs a fraction of reading the same cells row by row.

What a cell means is decided by the function that each is given, and nowhere here: a cell that says nothing odd is only
spared the way there, and a text that comes again is remembered. Nothing that is remembered grows with the file.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Protocol

from outreach.intake.cells.parsers import LOCAL
from outreach.intake.cells.unfit import NoDay, Unfit
from outreach.intake.mapping.columns import From, is_default

Cells = Sequence[str]
# Some megabytes for each column, however long the file or its texts are.
MOST, LONGEST = 1 << 16, 80
# What of a column depends on its own cell alone, whatever stands beside it in the row.
_OF_ONE_CELL = {
    "column", "optional", "dates", "zone", "take", "negate", "line", "split", "part", "name_part", "strip",
    "strip_digits", "fold", "prefix", "as_phone", "values", "otherwise", "add_months",
}  # fmt: skip
_AS_IT_STANDS = {"column", "optional", "take"}


class CellFault:
    """A cell that does not fit, and why."""

    __slots__ = ("is_no_day", "reason")

    def __init__(self, error: Unfit) -> None:
        self.reason, self.is_no_day = str(error), isinstance(error, NoDay)


class Block:
    """Rows of one width that are read together."""

    def __init__(self, rows: Sequence[Cells]) -> None:
        self.rows = rows
        self.columns: list[Cells] = list(zip(*rows, strict=True))

    @cached_property
    def may_be_mended(self) -> bool:
        """Whether a letter stands in it that `mend_text` looks at."""
        whole = "".join(map("".join, self.columns))
        return not whole.isascii() or "&" in whole


class ColumnReader(Protocol):
    def read(self, block: Block) -> tuple[list[Any], bool]:
        """The value of each row, or its CellFault, and whether there may be a CellFault among them."""
        ...


class EachRow:
    """A column whose values come of more than one cell, or never come twice."""

    def __init__(self, read: Callable[[Cells], Any]) -> None:
        self._read = read

    def read(self, block: Block) -> tuple[list[Any], bool]:
        return [self.read_one(cells) for cells in block.rows], True

    def read_one(self, cells: Cells) -> Any:
        try:
            return self._read(cells)
        except Unfit as error:
            return CellFault(error)


class Remembered(dict[str, Any]):
    """What the texts of one column were read as: most of a file's dates, words and towns come again and again."""

    def __init__(self, at: int, each: EachRow) -> None:
        super().__init__()
        self._before, self._each = [""] * at, each
        self.has_faults = False

    def __missing__(self, text: str) -> Any:
        value = self._each.read_one([*self._before, text])
        self.has_faults = self.has_faults or type(value) is CellFault
        if len(text) <= LONGEST:
            self[text] = value
        return value

    def shrink(self) -> None:
        """Forgets everything once it is too much; asked for once a block, and not for every cell."""
        if len(self) > MOST:
            self.clear()
            self.has_faults = False


class OneCell:
    """A column that is made of one cell alone, and whose texts come again."""

    def __init__(self, at: int, each: EachRow) -> None:
        self._at, self._known = at, Remembered(at, each)

    def read(self, block: Block) -> tuple[list[Any], bool]:
        self._known.shrink()
        return list(map(self._known.__getitem__, block.columns[self._at])), self._known.has_faults


class LocalInstants:
    """Instants. Of one without a zone, on a day on which no clock changes, only the time of day is read anew."""

    def __init__(self, at: int, each: EachRow) -> None:
        self._at, self._known = at, Remembered(at, each)
        #: How far the business's clocks are from UTC all that day; None where a cell of the day is read as any other.
        self._offsets: dict[str, timedelta | None] = {}

    def read(self, block: Block) -> tuple[list[Any], bool]:
        self._known.shrink()
        if len(self._offsets) > MOST:
            self._offsets.clear()
        values = [self._read_one(text) for text in block.columns[self._at]]
        return values, self._known.has_faults

    def _read_one(self, text: str) -> Any:
        # 2026-11-22T09:30 or 2026-11-22 09:30:00, in which no zone can stand.
        if len(text) == 16 or (len(text) == 19 and text[16] == ":"):
            try:
                offset = self._offsets[text[:10]]
            except KeyError:
                offset = self._offsets[text[:10]] = self._find_offset(text[:10])
            if offset is not None:
                try:
                    return datetime.fromisoformat(text).replace(tzinfo=LOCAL) - offset
                except ValueError:
                    pass  # said by whoever reads it as any other
        return self._known[text]

    def _find_offset(self, day: str) -> timedelta | None:
        first, last = f"{day}T00:00", f"{day}T23:59:59"
        offsets = {_offset_of(text, self._known[text]) for text in (first, f"{day}T12:00", last)}
        return offsets.pop() if len(offsets) == 1 else None


def _offset_of(text: str, value: Any) -> timedelta | None:
    if not isinstance(value, datetime) or value.tzinfo is not LOCAL:
        return None
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL) - value


# Matches no text.
_NOTHING = re.compile(r"(?!)")


class PlainText:
    """A text that is taken as it stands: where no letter of a block's column is odd, nothing of it needs a look."""

    def __init__(
        self,
        at: int,
        each: EachRow,
        ends: str,
        empty: frozenset[str],
        longest: int,
        repeats: bool,
        odd: re.Pattern[str] = _NOTHING,
    ) -> None:
        self._at, self._each, self._ends, self._longest = at, each, ends + " ", longest
        #: What else a text must not hold, or end in, to be taken as it stands.
        self._odd = odd
        self._empty = empty | {""}
        self._known = Remembered(at, each) if repeats else None

    def read(self, block: Block) -> tuple[list[Any], bool]:
        texts = block.columns[self._at]
        # Parted by what may stand in any of them.
        if self._is_plain(" ".join(texts)) and max(map(len, texts)) <= self._longest:
            ends, empty = self._ends, self._empty
            return [None if (bare := text.strip(ends)) in empty else bare for text in texts], False
        if self._known is not None:
            self._known.shrink()
        return [self._read_one(text, cells) for text, cells in zip(texts, block.rows, strict=True)], True

    def _read_one(self, text: str, cells: Cells) -> Any:
        if self._is_plain(text) and len(text) <= self._longest:
            bare = text.strip(self._ends)
            return None if bare in self._empty else bare
        return self._each.read_one(cells) if self._known is None else self._known[text]

    def _is_plain(self, text: str) -> bool:
        """Whether no letter is one that `mend_text`, `drop_invisible` or `line` would change or refuse."""
        return text.isascii() and text.isprintable() and "&" not in text and not self._odd.search(text)


def is_of_one_cell(origin: From) -> bool:
    """Whether the value depends on one cell of the row, and on nothing else in it."""
    return origin.column is not None and is_default(origin, _OF_ONE_CELL)


def is_as_it_stands(origin: From) -> bool:
    """Whether the text of one cell is the value, once it is found to fit."""
    return origin.column is not None and is_default(origin, _AS_IT_STANDS)
