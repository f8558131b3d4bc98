"""Makes a record of one of our tables from one row of a file, or says which column is at fault and why.

Amounts are exact until the last step, which makes minor units of them in the row's own currency.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import BigInteger

from outreach.clock import business_date
from outreach.intake.headers import TABLES, Column, Table
from outreach.intake.mapping import FileMapping, From, LookUp, TableMapping
from outreach.intake.parsers import LOCAL, Style, passage, to_minor_units
from outreach.intake.unfit import NoDay, Unfit
from outreach.invisible_characters import drop_invisible
from outreach.settings import Business

Record = dict[str, Any]


class BadCell(Unfit):
    """What is wrong with one row, and in which of our columns (empty: in the whole row)."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


Note = Callable[[str, str], None]
# Cells of these say whose a row is.
OWNERS = ("customer_id", "payer_id", "invoice_id")


def fold_name(name: str) -> str:
    return drop_invisible(name).strip().casefold()


def own_columns(into: str, header: Sequence[str]) -> TableMapping:
    """The mapping of a file in our own format: every column it shares with the table, and those it must have."""
    present = {fold_name(name) for name in header}
    columns = {
        column.name: From(column=column.name)
        for column in TABLES[into].columns
        if column.required or column.name in present
    }
    return TableMapping(into=into, columns=columns)


@dataclass(frozen=True)
class RowRecipe:
    """How the rows under one header become records of one table."""

    mapping: TableMapping
    header: Sequence[str]
    style: Style
    #: What stands in a cell that means nothing.
    empty: frozenset[str] = frozenset()
    #: Knows the currency of an amount whose row names none.
    currency_of: Callable[[Record], str | None] = lambda record: None
    #: Knows what another file says of a value.
    look_up: Callable[[LookUp, str], str] = lambda step, text: text

    @property
    def table(self) -> Table:
        return TABLES[self.mapping.into]

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each column that is used stands. Raises BadCell when one is missing or stands there twice."""
        names = [fold_name(name) for name in self.header]
        for name in sorted(self.mapping.sources):
            if names.count(fold_name(name)) != 1:
                times = "has no such column" if fold_name(name) not in names else "names this column twice"
                raise BadCell(name, f"the first line {times}; the whole file was left out")
        return {name: names.index(fold_name(name)) for name in self.mapping.sources}

    @cached_property
    def columns(self) -> list[tuple[Column, From]]:
        return [(c, self.mapping.columns[c.name]) for c in self.table.columns if c.name in self.mapping.columns]

    def text_of(self, cells: Sequence[str], name: str) -> str:
        text = drop_invisible(cells[self.positions[name]])
        return "" if text in self.empty or _is_invisible(text) else text

    def _passage_of(self, cells: Sequence[str], name: str) -> str:
        """As `text_of`, with every letter of it."""
        return cells[self.positions[name]].strip(" \t") if self.text_of(cells, name) else ""

    def wants(self, cells: Sequence[str]) -> bool:
        """Whether the row meets the mapping's conditions."""
        return all(condition.holds(self.text_of(cells, condition.column)) for condition in self.mapping.only)

    def group_of(self, cells: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.text_of(cells, name) for name in self.mapping.one_row_per)

    def read(self, cells: Sequence[str], note: Note = lambda column, reason: None) -> Record:
        """Raises BadCell for the first column that does not fit; `note` is told of each cell that is taken in as empty
        although something stands in it."""
        record: Record = {}
        for column, origin in self.columns:
            try:
                record[column.key] = self._value(cells, column, origin)
                if isinstance(record[column.key], Decimal):
                    record[column.key] = self._minor_units(column, record)
            except NoDay as error:
                if column.required:
                    raise BadCell(column.name, str(error)) from None
                record[column.key] = None
                note(column.name, str(error))
            except Unfit as error:
                raise BadCell(column.name, str(error)) from None
        if fault := self.table.fault(record):
            raise BadCell(*fault)
        for name, reason in self.table.mend(record, self.style):
            note(name, reason)
        return record

    def read_ids(self, cells: Sequence[str]) -> dict[str, str]:
        """What a row that cannot be taken in still says of whose it is: its ids and words that can be read.

        Under the names of our columns; a row that is torn has them from its beginning on, as far as it goes.
        """
        ids = {}
        for column, origin in self.columns:
            if column.name in OWNERS or column in self.table.identity:
                with suppress(Unfit, IndexError):
                    ids[column.name] = str(self._value(cells, column, origin) or "")
        return ids

    def _value(self, cells: Sequence[str], column: Column, origin: From) -> Any:
        if origin.constant is not None:
            text = origin.constant
        else:
            text_of = self._passage_of if column.check is passage else self.text_of
            texts = [text_of(cells, name) for name in origin.sources]
            text = origin.join.join(part for part in texts if part)
        for step in origin.look_up if text else ():
            text = self.look_up(step, text)
        text = _convert(text, origin)
        if not text:
            if column.required:
                raise Unfit("it is empty, and a row cannot do without it")
            return None
        style = replace(self.style, dates=tuple(origin.dates)) if origin.dates else self.style
        value: Any = column.check(text, style)
        return value + timedelta(days=origin.add_days) if origin.add_days and value else value

    def _minor_units(self, column: Column, record: Record) -> int:
        units = to_minor_units(record[column.key], self._currency(record))
        return check_size(self.table, column, units)

    def _currency(self, record: Record) -> str:
        return record.get("currency") or self.currency_of(record) or self.style.currency

    def finish(self, record: Record) -> Record:
        """The record as it is stored: days beside instants, whether a zone was written, and amounts with a currency."""
        for name, value in self.table.empty.items():
            record[name] = record.get(name) or value
        # Stored with the amount, so that what becomes known later never changes what the number means.
        if self.table.has_money:
            record["currency"] = self._currency(record)
        for column, _ in self.columns:
            if column.day:
                record[column.day] = business_date(record[column.key], self.style.timezone)
            if column.local:
                at = record[column.key]
                record[column.local] = at is not None and at.tzinfo is LOCAL
        return record


def _convert(text: str, origin: From) -> str:
    if origin.strip_digits:
        text = re.sub(r"\d+", "", text).strip()
    if origin.values is None or (not text and "" not in origin.values):
        return text
    if text in origin.values:
        return origin.values[text]
    if origin.otherwise is None:
        raise Unfit("the mapping's list of values does not have this one")
    return origin.otherwise


def _is_invisible(text: str) -> bool:
    """Whether nothing in it would show: a name of such characters would leave “Dear ,”."""
    return not text.isascii() and all(unicodedata.category(letter) in {"Zs", "Cf"} for letter in text)


def check_size(table: Table, column: Column, number: int) -> int:
    """The number, when the database's column holds it. Raises Unfit otherwise."""
    stored = table.model.__table__.columns[column.key].type  # type: ignore[attr-defined]
    # SQLite would take a larger one, and PostgreSQL would fail over it in the middle of a chunk.
    if abs(number) >= 2 ** (63 if isinstance(stored, BigInteger) else 31):
        raise Unfit("the number is too large")
    return number


def make_recipe(
    mapping: TableMapping, file: FileMapping | None, header: Sequence[str], business: Business, today: date
) -> RowRecipe:
    """`today` is the business's date on the day of the import."""
    dates, decimal = (tuple(file.dates), file.decimal) if file else ((), ".")
    style = Style(business.timezone, business.currency, dates, decimal, business.country, today)
    return RowRecipe(mapping, header, style, frozenset(file.empty) if file else frozenset())
