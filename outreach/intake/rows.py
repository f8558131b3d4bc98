"""Makes a record of one of our tables from one row of a file, or says which column is at fault and why.

Amounts are exact until the last step, which makes minor units of them in the row's own currency.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import BigInteger

from outreach.clock import business_date
from outreach.intake.cells.date_formats import read_moment
from outreach.intake.cells.mended_text import mend_text
from outreach.intake.cells.parsers import LOCAL, Style, to_instant, to_minor_units
from outreach.intake.cells.unfit import Unfit
from outreach.intake.headers import TABLES, Column, Table
from outreach.intake.mapping.columns import From, LookUp
from outreach.intake.mapping.conditions import Condition
from outreach.intake.mapping.files import FileMapping
from outreach.intake.mapping.nearest_names import add_nearest
from outreach.intake.mapping.tables import TableMapping
from outreach.intake.values import ValueReader
from outreach.invisible_characters import drop_invisible
from outreach.settings import Business

Record = dict[str, Any]


class BadCell(Unfit):
    """What is wrong with one row, and in which of our columns (empty: in the whole row)."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


# Cells of these say whose a row is.
OWNERS = ("customer_id", "payer_id", "invoice_id")
EMPTY = "it is empty, and a row cannot do without it"
# Of the columns of a file, in the reason why one is missing.
MOST_NAMES = 30


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
    #: Letters that are no part of a cell at its ends.
    strip: str = ""
    #: Which columns the file may lack; true for any.
    may_lack: bool | frozenset[str] = False
    #: Knows the currency of an amount whose row names none.
    currency_of: Callable[[Record], str | None] = lambda record: None
    #: Knows what another file says of a value.
    look_up: Callable[[LookUp, str], str] = lambda step, text: text
    #: How many cells were mended so far, by our column and what had been wrong.
    mended: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def table(self) -> Table:
        return TABLES[self.mapping.into]

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each column that is used stands. Raises BadCell when one is missing or stands there twice."""
        names = [fold_name(name) for name in self.header]
        places = {}
        for name in sorted(self.mapping.sources):
            times = names.count(fold_name(name))
            if times == 1:
                places[name] = names.index(fold_name(name))
            elif times or not self._may_lack(name):
                raise BadCell(name, self._misses(name, times))
        return places

    def _may_lack(self, name: str) -> bool:
        return self.may_lack if isinstance(self.may_lack, bool) else name in self.may_lack

    def _misses(self, name: str, times: int) -> str:
        if times:
            return "the first line names this column twice; the whole file was left out"
        shown = ", ".join(f"“{each}”" for each in list(filter(None, self.header))[:MOST_NAMES])
        more = " …" if len(self.header) > MOST_NAMES else ""
        reason = f"the file has no such column; the whole file was left out. It has {shown}{more}"
        return add_nearest(reason, name, filter(None, self.header))

    @cached_property
    def columns(self) -> list[tuple[Column, From]]:
        return [(c, self.mapping.columns[c.name]) for c in self.table.columns if c.name in self.mapping.columns]

    def reader_of(self, column: Column, origin: From) -> Callable[[Sequence[str]], Any]:
        """What makes the value of one column out of the cells of a row; None for an empty one. It raises Unfit."""
        return ValueReader(column, self, self.look_up).reader_of(origin)

    def text_of(self, cells: Sequence[str], name: str) -> str:
        at = self.positions.get(name)
        if at is None:
            return ""
        text = drop_invisible(mend_text(cells[at])[0])
        if self.strip:
            text = text.strip(self.strip + " ")
        return "" if text in self.empty or _is_invisible(text) else text

    def passage_of(self, cells: Sequence[str], name: str) -> str:
        """As `text_of`, with every letter of it."""
        return mend_text(cells[self.positions[name]])[0].strip(" \t") if self.text_of(cells, name) else ""

    def holds(self, cells: Sequence[str], condition: Condition) -> bool:
        return condition.holds(lambda name: self.text_of(cells, name), self.style.decimal)

    def wants(self, cells: Sequence[str]) -> bool:
        """Whether the row meets the mapping's conditions; a row that ends early may, where its cells do not tell."""
        # In a row with too many cells none stands where it should: it is refused, and not passed over.
        return len(cells) > len(self.header) or all(self._may_hold(cells, each) for each in self.mapping.only)

    def _may_hold(self, cells: Sequence[str], condition: Condition) -> bool:
        places = [self.positions[name] for name in condition.used if name in self.positions]
        return max(places, default=0) >= len(cells) or self.holds(cells, condition)

    def group_of(self, cells: Sequence[str], record: Record) -> tuple[str, ...]:
        """What rows have in common that one record is made of."""
        if self.mapping.one_row_per_id:
            return tuple(str(record.get(name) or "") for name in self.table.key)
        return tuple(self.text_of(cells, name) for name in self.mapping.one_row_per)

    def order_of(self, cells: Sequence[str]) -> datetime:
        """The instant by which the row stands among those of its group; without one, the first of all."""
        text = self.text_of(cells, self.mapping.in_order_of) if self.mapping.in_order_of else ""
        with suppress(Unfit):
            return to_instant(read_moment(text, self.style.dates), self.style)
        return datetime.min.replace(tzinfo=UTC)

    def count_mended(self, cells: Sequence[str]) -> None:
        """Counts the cells of a row that were put right as text."""
        # Asked first of the whole row, for most have nothing that could be mended.
        if (whole := "".join(cells)).isascii() and "&" not in whole:
            return
        for column, origin in self.columns:
            for name in origin.sources:
                if name in self.positions and (reason := mend_text(cells[self.positions[name]])[1]):
                    self.mended[column.name, reason] += 1

    def read_ids(self, cells: Sequence[str]) -> dict[str, str]:
        """What a row that cannot be taken in still says of whose it is: its ids and words that can be read.

        Under the names of our columns; a row that is torn has them from its beginning on, as far as it goes.
        """
        ids = {}
        for name, read in self._id_readers:
            with suppress(Unfit, IndexError):
                ids[name] = str(read(cells) or "")
        return ids

    @cached_property
    def _id_readers(self) -> list[tuple[str, Callable[[Sequence[str]], Any]]]:
        return [(column.name, self.reader_of(column, origin)) for column, origin in self.columns if self.names(column)]

    def names(self, column: Column) -> bool:
        """Whether the column says whose a row is, or which."""
        return column.name in OWNERS or column in self.table.identity

    def minor_units(self, column: Column, value: Decimal, record: Record) -> int:
        """The amount of a row of which `record` is read so far. Raises Unfit where its currency cannot have it."""
        units = to_minor_units(value, self._currency(record))
        return check_size(self.table, column, units)

    def _currency(self, record: Record) -> str:
        return record.get("currency") or self.currency_of(record) or self.style.currency

    @cached_property
    def completes(self) -> bool:
        """Whether `complete` has anything to do."""
        return bool(self.table.empty) or self.table.has_money

    def complete(self, record: Record) -> None:
        """Puts in what a row that leaves it out means: the currency of its amount, and an empty part of its key."""
        for name, value in self.table.empty.items():
            record[name] = record.get(name) or value
        # Stored with the amount, so that what becomes known later never changes what the number means.
        if self.table.has_money:
            record["currency"] = self._currency(record)

    def finish(self, record: Record) -> Record:
        """The record as it is stored: days beside instants, whether a zone was written, and amounts with a currency."""
        self.complete(record)
        for column in self._instants:
            at = record[column.key]
            if column.day:
                record[column.day] = business_date(at, self.style.timezone)
            if column.local:
                record[column.local] = at is not None and at.tzinfo is LOCAL
        return record

    @cached_property
    def _instants(self) -> list[Column]:
        return [column for column, _ in self.columns if column.day or column.local]


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
    if file is None:
        return RowRecipe(
            mapping, header, Style(business.timezone, business.currency, country=business.country, today=today)
        )
    style = Style(
        timezone=business.timezone,
        currency=business.currency,
        zone=file.zone or "",
        dates=tuple(file.dates),
        decimal=file.decimal,
        country=business.country,
        today=today,
    )
    may_lack = file.may_lack if isinstance(file.may_lack, bool) else frozenset(file.may_lack)
    return RowRecipe(mapping, header, style, frozenset(file.empty), file.strip, may_lack)
