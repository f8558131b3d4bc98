"""Which of our tables a file of theirs feeds, and where each column comes from; what cannot be meant is refused here.

Words that a mapping writes itself (constants, and what `values` puts in the place of theirs) are read as cells are.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from outreach.intake.cells import parsers
from outreach.intake.cells.calendar_days import DayCheck
from outreach.intake.cells.parsers import Style
from outreach.intake.cells.unfit import Unfit
from outreach.intake.headers import TABLES, Column
from outreach.intake.mapping.columns import TODAY, From
from outreach.intake.mapping.conditions import Condition
from outreach.intake.mapping.language import MappingPart, as_list, as_one_list
from outreach.intake.mapping.nearest_names import add_nearest

# Columns in which a customer's id stands.
_OF_CUSTOMERS = frozenset({"customer_id", "payer_id", "guardian_id", "referred_customer_id"})


class TableMapping(MappingPart):
    into: str
    #: By which an extending mapping names this part, where several feed the same table.
    called: str = ""
    columns: dict[str, From]
    only: Annotated[list[Condition], BeforeValidator(as_one_list)] = []
    one_row_per: Annotated[list[str], BeforeValidator(as_list)] = []
    #: One row of all that have the same id of ours, however theirs is written.
    one_row_per_id: bool = False
    #: The column of dates in whose order the rows of a group are taken, the oldest first.
    in_order_of: str | None = None
    #: Columns of ours that take each of several words in turn, a record for each.
    for_each: dict[str, list[str]] = {}
    #: Of consents: a no that also stands where nobody was asked. It counts only against a yes of the same source.
    no_takes_back: bool = False

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, written: Any) -> Any:
        """The columns of `for_each` are there, with their first word."""
        if not (isinstance(written, dict) and isinstance(written.get("for_each"), dict)):
            return written
        first = {name: {"constant": words[0]} for name, words in written["for_each"].items() if words}
        return {**written, "columns": {**first, **written.get("columns", {})}}

    def copies(self) -> list["TableMapping"]:
        """The table itself, or one for each word of `for_each`."""
        copies = [self]
        for name, words in self.for_each.items():
            copies = [one._with(name, word) for one in copies for word in words]
        return copies

    def _with(self, name: str, word: str) -> "TableMapping":
        return self.model_copy(update={"columns": {**self.columns, name: From(constant=word)}})

    @model_validator(mode="after")
    def _fits_table(self) -> "TableMapping":
        if self.into not in TABLES:
            raise ValueError(f"there is no table “{self.into}”; there are {', '.join(TABLES)}")
        ours = {column.name: column for column in TABLES[self.into].columns}
        if unknown := set(self.columns) - set(ours):
            name = min(unknown)
            raise ValueError(add_nearest(f"{self.into} has no column “{name}”; it has {', '.join(ours)}", name, ours))
        missing = [column.name for column in ours.values() if column.required and column.name not in self.columns]
        if missing:
            raise ValueError(f"{self.into} cannot do without {', '.join(missing)}")
        if self.one_row_per and self.one_row_per_id:
            raise ValueError("give one_row_per or one_row_per_id")
        if self.in_order_of and not self.is_grouped:
            raise ValueError("in_order_of needs one_row_per")
        if self.no_takes_back and not self.is_snapshot:
            raise ValueError("no_takes_back is for consents that stand so on the day of the import: at = “today”")
        for name, words in self.for_each.items():
            for word in words:
                _check_use(ours[name], From(constant=word), False)
        for name, origin in self.columns.items():
            _check_use(ours[name], origin, self.is_grouped)
        return self

    @property
    def is_snapshot(self) -> bool:
        """Whether the rows say how customers' consents stand on the day of the import, and not since when."""
        return self.into == "consents" and self.columns["at"].constant == TODAY

    @property
    def is_grouped(self) -> bool:
        """Whether one record is made of several rows."""
        return bool(self.one_row_per) or self.one_row_per_id

    @property
    def sources(self) -> set[str]:
        """Every column of theirs that is looked at."""
        used = {name for origin in self.columns.values() for name in origin.used}
        order = {self.in_order_of} if self.in_order_of else set()
        return used | order | {name for condition in self.only for name in condition.used} | set(self.one_row_per)


def _check_use(column: Column, origin: From, is_grouped: bool) -> None:
    """Raises ValueError, with the column's name, for what such a column cannot be made of."""
    is_date, is_amount = isinstance(column.check, DayCheck), column.check is parsers.amount
    if (origin.add_days or origin.add_months or origin.dates or origin.zone) and not is_date:
        raise ValueError(f"{column.name}: add_days, add_months, dates and zone are for dates")
    if (origin.negate is not None or origin.less) and not is_amount:
        raise ValueError(f"{column.name}: negate and less are for amounts")
    if origin.optional and column.required:
        raise ValueError(f"{column.name}: it cannot be optional, for a row cannot do without it")
    if origin.take != "first" and not is_grouped:
        raise ValueError(f"{column.name}: take = “{origin.take}” needs one_row_per")
    if origin.take in {"sum", "count"} and not (is_amount or column.check is parsers.score):
        raise ValueError(f"{column.name}: take = “{origin.take}” is for numbers")
    if any(step.otherwise == "customer" for step in origin.look_up) and column.name not in _OF_CUSTOMERS:
        raise ValueError(f"{column.name}: otherwise = “customer” is for ids of customers")
    for text in _own_words(origin):
        _check_word(column, text, origin)
    for way in origin.first_of:
        _check_use(column, way, is_grouped)


def _own_words(origin: From) -> set[str]:
    """What the mapping itself writes into the column; with a look-up, a constant is only what is looked up."""
    words = set((origin.values or {}).values()) | {origin.otherwise or ""}
    if origin.constant and origin.values is None and not origin.look_up:
        words.add(origin.constant)
    return words - {"", TODAY}


def _check_word(column: Column, text: str, origin: From) -> None:
    # Neither the zone nor the currency has a say in whether a single word fits.
    style = Style(timezone="UTC", currency="USD", dates=tuple(origin.dates))
    try:
        column.check(text, style)
    except Unfit as error:
        raise ValueError(f"{column.name}: “{text}” does not fit: {error}") from None
