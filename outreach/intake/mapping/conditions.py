"""Conditions of a mapping on one column of theirs, such as `{ column = "Type", is_not = ["Draft", "Void"] }`."""

from collections.abc import Callable
from decimal import Decimal

from pydantic import Field, model_validator

from outreach.intake.cells.amounts import read_amount
from outreach.intake.cells.unfit import Unfit
from outreach.intake.mapping.language import MappingPart, OneOrMore

_KINDS = ("is_", "is_not", "starts", "starts_not", "has", "has_not", "above", "below", "above_column", "is_empty")


class Condition(MappingPart):
    """One condition on one column of theirs. Words are compared letter for letter, numbers as amounts are read."""

    column: str = ""
    #: Instead of a column: it is enough that one of these holds.
    any_of: list["Condition"] = []
    is_: OneOrMore | None = Field(default=None, alias="is")
    is_not: OneOrMore | None = None
    #: The cell begins with one of them.
    starts: OneOrMore | None = None
    starts_not: OneOrMore | None = None
    #: One of them stands somewhere in the cell.
    has: OneOrMore | None = None
    has_not: OneOrMore | None = None
    #: The cell is a number, and larger.
    above: float | int | None = None
    below: float | int | None = None
    #: The cell is a number, and larger than the one in this column.
    above_column: str | None = None
    is_empty: bool | None = None
    #: What `is_empty` was called first; mappings that have it stay right.
    empty: bool | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> "Condition":
        given = [name for name in (*_KINDS, "empty") if getattr(self, name) is not None]
        if self.any_of:
            if given or self.column:
                raise ValueError("any_of stands alone, and each of its conditions names a column")
            return self
        if not self.column:
            raise ValueError("give the column that the condition is about")
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(name.rstrip('_') for name in _KINDS)}")
        return self

    @property
    def used(self) -> set[str]:
        """Every column of theirs that is looked at."""
        other = {self.above_column} if self.above_column else set()
        return {name for each in self.any_of for name in each.used} or {self.column, *other}

    def holds(self, text_of: Callable[[str], str], decimal: str) -> bool:
        """Whether a row meets it, of which `text_of` gives a cell; `decimal` is the decimal mark of the file."""
        if self.any_of:
            return any(each.holds(text_of, decimal) for each in self.any_of)
        text = text_of(self.column)
        is_empty = self.is_empty if self.is_empty is not None else self.empty
        if is_empty is not None:
            return is_empty == (text == "")
        if self.above is None and self.below is None and self.above_column is None:
            return self._holds_words(text)
        number = _read_number(text, decimal)
        if self.above_column is not None:
            other = _read_number(text_of(self.above_column), decimal)
        else:
            other = Decimal(str(self.above if self.above is not None else self.below))
        # What is no number is neither above another nor below it.
        if number is None or other is None:
            return False
        return number < other if self.below is not None else number > other

    def _holds_words(self, text: str) -> bool:
        if self.starts is not None:
            return text.startswith(tuple(self.starts))
        if self.starts_not is not None:
            return not text.startswith(tuple(self.starts_not))
        if self.has is not None:
            return any(part in text for part in self.has)
        if self.has_not is not None:
            return not any(part in text for part in self.has_not)
        return text in self.is_ if self.is_ is not None else text not in (self.is_not or [])


def _read_number(text: str, decimal: str) -> Decimal | None:
    try:
        return read_amount(text, decimal)
    except Unfit:
        return None
