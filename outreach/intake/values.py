"""Makes the value of one of our columns from one row of theirs, step by step as the mapping says.

A reason why it cannot be made never repeats what stood in the cell.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from typing import Any, Protocol

from outreach.contacts import normalise_phone
from outreach.intake.cells.calendar_days import DayCheck
from outreach.intake.cells.parsers import Style, passage
from outreach.intake.cells.unfit import NoDay, Unfit
from outreach.intake.headers import Column
from outreach.intake.mapping.columns import TODAY, From, LookUp, is_default, layout_words
from outreach.intake.mapping.conditions import Condition
from outreach.intake.name_affixes import split_name

Cells = Sequence[str]
# What of a column says how its own text is read, and not which text that is.
OF_READING = {"column", "optional", "dates", "zone", "take"}
# In a column's name, programs say so of all its instants: Stripe's “Created (UTC)”.
_IN_UTC = re.compile(r"\(UTC\)\s*$", re.IGNORECASE)


class RowText(Protocol):
    """Gives the text of a cell, by the name of its column."""

    @property
    def style(self) -> Style: ...

    def text_of(self, cells: Cells, name: str) -> str: ...

    def passage_of(self, cells: Cells, name: str) -> str: ...

    def holds(self, cells: Cells, condition: Condition) -> bool: ...


@dataclass(frozen=True)
class ValueReader:
    """Reads one column of ours from rows of theirs."""

    column: Column
    row: RowText
    look_up: Callable[[LookUp, str], str]
    _styles: dict[int, Style] = field(default_factory=dict)

    def reader_of(self, origin: From) -> Callable[[Cells], Any]:
        """What does as `read` does for this origin, in half the time where it is one cell's text and its check."""
        name, check, style = origin.column, self.column.check, self._style(origin)
        if name is None or not is_default(origin, OF_READING):
            return partial(self.read, origin=origin)
        text_of = self.row.passage_of if check is passage else self.row.text_of

        def read(cells: Cells) -> Any:
            text = text_of(cells, name)
            return check(text, style) if text else None

        return read

    def read(self, cells: Cells, origin: From) -> Any:
        """The value, or None for an empty cell. Raises Unfit, or NoDay for a date that cannot be meant."""
        if not all(self.row.holds(cells, condition) for condition in origin.only):
            return None
        if origin.first_of:
            return self._first(cells, origin)
        text = self.text(cells, origin)
        if not text:
            return None
        style = self._style(origin)
        if text == TODAY and origin.constant == TODAY and isinstance(self.column.check, DayCheck) and style.today:
            text = style.today.isoformat()
        check = self.column.check
        if isinstance(check, DayCheck) and (origin.add_months or origin.add_days):
            # The day that is meant must be possible, and not the one that stands there: a renewal lies ahead.
            value = self._move(cells, origin, check.read(text, style, past=False))
            check.require_possible(value, style)
            return value
        return self._move(cells, origin, check(text, style))

    def _first(self, cells: Cells, origin: From) -> Any:
        fault: Unfit | None = None
        for way in origin.first_of:
            try:
                value = self.read(cells, way)
            except Unfit as error:
                fault = fault or error
                continue
            if value is not None:
                return value
        if fault:
            raise fault
        return None

    def text(self, cells: Cells, origin: From) -> str:
        """The text that is to be read as a value: taken, parted, looked up, and put into our words."""
        text = self._joined(cells, origin)
        if text and origin.line is not None:
            text = take_place(text.splitlines(), origin.line)
        if text and origin.split is not None and origin.part is not None:
            text = take_part(text, origin.split, origin.part)
        if text and origin.name_part:
            text = split_name(text)[origin.name_part == "family"]
        if origin.strip:
            text = text.strip(origin.strip + " ")
        if origin.strip_digits:
            text = re.sub(r"\d+", "", text).strip()
        if origin.fold:
            text = text.casefold()
        if text and origin.as_phone:
            text = normalise_phone(text, self.row.style.country) or ""
        for step in origin.look_up if text else ():
            text = self.look_up(step, text)
        text = _put_into_words(text, origin)
        return origin.prefix + text if text else ""

    def _joined(self, cells: Cells, origin: From) -> str:
        if origin.constant is not None:
            return origin.constant
        # Only these look at line breaks; in every other cell they are a mistake, which the check names.
        needs_lines = self.column.check is passage or origin.line is not None
        text_of = self.row.passage_of if needs_lines else self.row.text_of
        texts = [text_of(cells, name) for name in origin.sources]
        return origin.join.join(part for part in texts if part)

    def _style(self, origin: From) -> Style:
        # By the object, for every row asks: to compare what two origins say takes as long as to read a cell.
        if id(origin) not in self._styles:
            zone = origin.zone or ("UTC" if any(_IN_UTC.search(name) for name in origin.sources) else "")
            style = self.row.style
            self._styles[id(origin)] = replace(style, zone=zone or style.zone, dates=tuple(origin.dates) or style.dates)
        return self._styles[id(origin)]

    def _move(self, cells: Cells, origin: From, value: Any) -> Any:
        if origin.less:
            value = value.less(self._amount(cells, origin.less))
        if origin.negate:
            value = value.negated()
        if origin.add_months and value:
            value = add_months(value, origin.add_months)
        if origin.add_days and value:
            value = value + timedelta(days=self._days(cells, origin.add_days))
        return value

    def _amount(self, cells: Cells, name: str) -> Any:
        return self.column.check(self.row.text_of(cells, name) or "0", self.row.style)

    def _days(self, cells: Cells, days: int | str) -> int:
        if isinstance(days, int):
            return days
        # “Net 30” is thirty days, and “Due on receipt” none.
        number = re.search(r"-?\d{1,4}", self.row.text_of(cells, days))
        return int(number[0]) if number else 0


def take_place(parts: Sequence[str], place: int | str) -> str:
    """One of the parts that are not empty, by its number from 1, or from the end with a minus; else empty.

    A place of “2-” is all from the second on, joined by commas.
    """
    full = [part.strip(" \t,") for part in parts if part.strip(" \t,")]
    if isinstance(place, str) and place.endswith("-"):
        return ", ".join(full[int(place[:-1]) - 1 :])
    at = int(place)
    at = at - 1 if at > 0 else at
    return full[at] if -len(full) <= at < len(full) else ""


def take_part(text: str, split: str, part: int | str) -> str:
    """One part of a cell that `split` parts or lays out. Raises Unfit where the cell is not laid out so."""
    if not layout_words(split):
        return take_place(text.split(split), part)
    match = _layout(split).fullmatch(text)
    if match is None:
        raise Unfit(f"this is not written like “{split}”")
    return match[str(part)].strip()


@lru_cache(maxsize=64)
def _layout(split: str) -> re.Pattern[str]:
    """A pattern with a group for each word of the layout; spaces of it stand for any number of them."""
    words = layout_words(split)
    pattern = ""
    for piece in re.split(r"([^\W\d_]+|\s+)", split):
        if piece in words:
            # The first part takes what it can: “Salt Lake City UT 84101” has one state and one code at its end.
            anything = ".+" if piece == words[0] else ".+?"
            pattern += rf"(?P<{piece}>{_KINDS.get(piece, anything)})"
        else:
            pattern += r"\s+" if piece.isspace() else re.escape(piece)
    return re.compile(pattern)


# What these words of a layout can only stand for; without them “ST ZIP” could be parted anywhere.
_KINDS = {"ST": r"[A-Za-z]{2,3}\.?", "ZIP": r"\S*\d\S*(?: \S*\d\S*)?"}


def _put_into_words(text: str, origin: From) -> str:
    if origin.values is None or (not text and "" not in origin.values):
        return text
    if text in origin.values:
        return origin.values[text]
    if origin.otherwise is None:
        raise Unfit("the mapping's list of values does not have this one")
    return origin.otherwise


def add_months(when: date | datetime, months: int) -> date | datetime:
    """The same day so many months later, or the month's last where it has no such day."""
    year, month = divmod(when.year * 12 + when.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise NoDay("this date does not exist")
    last = monthrange(year, month + 1)[1]
    return when.replace(year=year, month=month + 1, day=min(when.day, last))
