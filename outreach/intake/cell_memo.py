"""Remembers what the cells of one column were read as: most of a file's dates, words and towns come again and again.

It reads nothing itself: what it does not know it asks for, once, and a cell that does not fit is remembered as that.
"""

from collections.abc import Callable, Sequence
from typing import Any

from outreach.intake.cells.unfit import NoDay, Unfit
from outreach.intake.mapping.columns import From

MOST = 1 << 16
_UNKNOWN = object()
# What of a column says how its own text is read, and not which text that is.
_OF_READING = {"column", "optional", "dates", "zone", "take", "negate"}
_PLAIN = From(column="").model_dump(exclude=_OF_READING)


class _Fault:
    """A cell that does not fit, and why."""

    __slots__ = ("is_no_day", "reason")

    def __init__(self, error: Unfit) -> None:
        self.reason, self.is_no_day = str(error), isinstance(error, NoDay)


class CellMemo:
    """One column of ours that is made of one column of theirs alone, by the text of its cell."""

    def __init__(self, at: int, read: Callable[[Sequence[str]], Any]) -> None:
        self._at, self._read = at, read
        self._known: dict[str, Any] = {}

    def read(self, cells: Sequence[str]) -> Any:
        """What the row's cell holds. Raises Unfit, or NoDay, as reading it does."""
        text = cells[self._at]
        value = self._known.get(text, _UNKNOWN)
        if value is _UNKNOWN:
            value = self._remember(text, cells)
        if type(value) is _Fault:
            raise (NoDay if value.is_no_day else Unfit)(value.reason)
        return value

    def _remember(self, text: str, cells: Sequence[str]) -> Any:
        try:
            value = self._read(cells)
        except Unfit as error:
            value = _Fault(error)
        if len(self._known) >= MOST:
            # Of ids, each of which comes once, nothing is worth keeping.
            self._known.clear()
        self._known[text] = value
        return value


def is_of_one_cell(origin: From) -> bool:
    """Whether the value depends on one cell of the row, and on nothing else in it."""
    return origin.column is not None and origin.model_dump(exclude=_OF_READING) == _PLAIN
