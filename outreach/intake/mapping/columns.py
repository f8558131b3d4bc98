"""What one of our columns is made of: columns of theirs, and what is done with what stands in them, in this order.

A text is taken (from a column, several, a constant, or the first of several ways that yields any), a line or a part of
it, looked up elsewhere, and put into our words; then it is read as what the column holds.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from outreach.intake.mapping.conditions import Condition
from outreach.intake.mapping.language import DateFormats, MappingPart, Zone, as_one_list

Take = Literal["first", "last", "min", "max", "sum", "count"]
# What a mapping writes for the day of the import: an export says how things stand, and not since when.
TODAY = "today"
# What is about the column and not about the text of one of its ways.
_BESIDE_FIRST_OF = frozenset({"first_of", "only", "optional", "take"})
_PLACE = re.compile(r"-?[1-9]\d?|[1-9]\d?-")


def _know_place(value: int | str | None) -> int | str | None:
    if value is not None and not _PLACE.fullmatch(str(value)):
        raise ValueError("write a number such as 1, one from the end such as -1, or “2-” for all from the second on")
    return value


Place = Annotated[int | str | None, AfterValidator(_know_place)]


class LookUp(MappingPart):
    """The value is found in a column of another file of the folder, and what stands beside it is taken."""

    file: str
    by: str
    take: str
    #: Whether letters are compared without regard to small and capital.
    fold: bool = False
    #: What becomes of a value that the file does not have: its row is refused, the cell is left empty, or a new
    #: customer is made, whose id it is.
    otherwise: Literal["refuse", "empty", "customer"] = "refuse"


class From(MappingPart):
    """What one of our columns is made of."""

    column: str | None = None
    columns: list[str] = []
    join: str = " "
    constant: str | None = None
    #: Several ways; the first that yields a value which fits is taken.
    first_of: list["From"] = []
    #: The cell counts only where all of these hold.
    only: Annotated[list[Condition], BeforeValidator(as_one_list)] = []
    line: Place = None
    #: Where the cell is parted, such as ", ", or how it is laid out, such as "City, ST ZIP".
    split: str | None = None
    #: Which part: its number, or its word in the layout.
    part: int | str | None = None
    #: Which part of a person's whole name is meant; a company has a family name only.
    name_part: Literal["given", "family"] | None = None
    #: Taken off both ends.
    strip: str = ""
    strip_digits: bool = False
    #: Into small letters, where two files write the same id or address in other letters.
    fold: bool = False
    #: Put before a text that is not empty.
    prefix: str = ""
    #: A telephone number in its one international form, for an id.
    as_phone: bool = False
    look_up: Annotated[list[LookUp], BeforeValidator(as_one_list)] = []
    values: dict[str, str] | None = None
    otherwise: str | None = None
    #: Whether what cannot be read is left out, so that its row is taken in without it.
    optional: bool = False
    dates: DateFormats = []
    zone: Zone = None
    add_days: Annotated[int, Field(ge=-3660, le=3660)] | str = 0
    add_months: int = Field(default=0, ge=-240, le=240)
    #: Turns the sign of an amount; false says that the signs are meant as they are.
    negate: bool | None = None
    #: A column whose amount is taken from this one.
    less: str | None = None
    take: Take = "first"

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_origin(self) -> "From":
        given = (self.column is not None, bool(self.columns), self.constant is not None, bool(self.first_of))
        if sum(given) != 1:
            raise ValueError("give one of column, columns, constant and first_of")
        if self.first_of and (beside := self.model_fields_set - _BESIDE_FIRST_OF):
            raise ValueError(f"“{min(beside)}” does nothing beside first_of; write it in each of the ways")
        if self.otherwise is not None and self.values is None:
            raise ValueError("“otherwise” is for values that “values” does not list; give “values” too")
        if (self.split is None) != (self.part is None):
            raise ValueError("“split” says where a cell is parted, and “part” which part is meant; give both")
        if self.split is not None:
            self._require_part(self.split, self.part)
        return self

    @staticmethod
    def _require_part(split: str, part: int | str | None) -> None:
        words = layout_words(split)
        if not split.strip(" ") and not split:
            raise ValueError("“split” is empty; write what stands between the parts, or the layout")
        if words and part not in words:
            raise ValueError(f"“{split}” has no part “{part}”; it has {', '.join(words)}")
        if len(set(words)) != len(words):
            raise ValueError(f"“{split}” has a word twice; give each part a word of its own")
        if not words:
            _know_place(part)

    @property
    def sources(self) -> list[str]:
        """The columns of theirs whose text it is made of, without those of `first_of`."""
        return self.columns or ([self.column] if self.column is not None else [])

    @property
    def used(self) -> set[str]:
        """Every column of theirs that is looked at."""
        days = {self.add_days} if isinstance(self.add_days, str) else set()
        conditions = {name for condition in self.only for name in condition.used}
        within = {name for way in self.first_of for name in way.used}
        return {*self.sources, *days, *conditions, *within} | ({self.less} if self.less else set())


def layout_words(split: str) -> list[str]:
    """The words of a layout such as `City, ST ZIP`; none in a mere separator."""
    return re.findall(r"[^\W\d_]+", split)


def is_default(origin: From, but_for: set[str]) -> bool:
    """Whether a column's mapping says nothing but the words of `but_for`."""
    return origin.model_dump(exclude=but_for) == From(column="").model_dump(exclude=but_for)
