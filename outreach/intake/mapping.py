"""Reads a mapping file, which says which of their columns are ours. docs/data.md tells how to write one."""

import codecs
import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from outreach.errors import MappingRefused
from outreach.intake import parsers
from outreach.intake.calendar_days import DayCheck
from outreach.intake.date_formats import EXCEL_DAY_NUMBER, to_strptime
from outreach.intake.headers import TABLES, Column
from outreach.intake.unfit import Unfit
from outreach.local_files import read_regular

Take = Literal["first", "last", "min", "max", "sum", "count"]


class MappingPart(BaseModel):
    # Strict, because TOML has types: a number in quotes is a mistake, not a number.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_one_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


OneOrMore = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]


def _know_formats(dates: list[str]) -> list[str]:
    for written in dates:
        if written != EXCEL_DAY_NUMBER:
            try:
                to_strptime(written)
            except Unfit as error:
                raise ValueError(f"“{written}”: {error}") from error
    return dates


class LookUp(MappingPart):
    """The value is found in a column of another file of the folder, and what stands beside it is taken."""

    file: str
    by: str
    take: str


class From(MappingPart):
    """What one of our columns is made of: a column of theirs, several joined, or the same constant in every row."""

    column: str | None = None
    columns: list[str] = []
    join: str = " "
    constant: str | None = None
    strip_digits: bool = False
    values: dict[str, str] | None = None
    otherwise: str | None = None
    dates: list[str] = []
    look_up: Annotated[list[LookUp], BeforeValidator(_as_one_list)] = []
    add_days: int = Field(default=0, ge=-3660, le=3660)
    take: Take = "first"

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @field_validator("dates", mode="before")
    @classmethod
    def _list_dates(cls, value: Any) -> Any:
        return _as_list(value)

    @field_validator("dates")
    @classmethod
    def _known_dates(cls, value: list[str]) -> list[str]:
        return _know_formats(value)

    @model_validator(mode="after")
    def _one_origin(self) -> "From":
        if (self.column is not None) + bool(self.columns) + (self.constant is not None) != 1:
            raise ValueError("give one of column, columns and constant")
        if self.otherwise is not None and self.values is None:
            raise ValueError("“otherwise” is for values that “values” does not list; give “values” too")
        return self

    @property
    def sources(self) -> list[str]:
        return self.columns or ([self.column] if self.column is not None else [])


class Only(MappingPart):
    """One condition on one column of theirs; a row that does not meet every condition is none of this table's."""

    column: str
    is_: OneOrMore | None = Field(default=None, alias="is")
    is_not: OneOrMore | None = None
    empty: bool | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> "Only":
        if (self.is_ is not None) + (self.is_not is not None) + (self.empty is not None) != 1:
            raise ValueError("give one of is, is_not and empty")
        return self

    def holds(self, text: str) -> bool:
        if self.empty is not None:
            return self.empty == (text == "")
        return text in self.is_ if self.is_ is not None else text not in (self.is_not or [])


class TableMapping(MappingPart):
    into: str
    columns: dict[str, From]
    only: list[Only] = []
    one_row_per: Annotated[list[str], BeforeValidator(_as_list)] = []

    @model_validator(mode="after")
    def _fits_table(self) -> "TableMapping":
        if self.into not in TABLES:
            raise ValueError(f"there is no table “{self.into}”; there are {', '.join(TABLES)}")
        ours = {column.name: column for column in TABLES[self.into].columns}
        if unknown := set(self.columns) - set(ours):
            raise ValueError(f"{self.into} has no column “{min(unknown)}”; it has {', '.join(ours)}")
        missing = [column.name for column in ours.values() if column.required and column.name not in self.columns]
        if missing:
            raise ValueError(f"{self.into} cannot do without {', '.join(missing)}")
        for name, origin in self.columns.items():
            _check_use(ours[name], origin, bool(self.one_row_per))
        return self

    @property
    def sources(self) -> set[str]:
        """Every column of theirs that is looked at."""
        used = {name for origin in self.columns.values() for name in origin.sources}
        return used | {condition.column for condition in self.only} | set(self.one_row_per)


def _check_use(column: Column, origin: From, is_grouped: bool) -> None:
    is_date = isinstance(column.check, DayCheck)
    if (origin.add_days or origin.dates) and not is_date:
        raise ValueError(f"{column.name}: add_days and dates are for dates")
    if origin.take != "first" and not is_grouped:
        raise ValueError(f"{column.name}: take = “{origin.take}” needs one_row_per")
    if origin.take in {"sum", "count"} and column.check not in {parsers.amount, parsers.score}:
        raise ValueError(f"{column.name}: take = “{origin.take}” is for numbers")


class FileMapping(MappingPart):
    """One file, or all that match a pattern, and the tables it feeds; in a database, a table, a view or a query."""

    #: Names, or patterns such as `invoices-*.csv`.
    name: OneOrMore
    #: The SELECT that its rows come from; only a database has one.
    query: str | None = None
    #: The column that says when a row changed.
    changed: str | None = None
    encoding: str | None = None
    separator: Literal[",", ";", "\t", "|"] | None = None
    decimal: Literal[".", ","] = "."
    dates: list[str] = []
    #: What stands in a cell that means nothing.
    empty: list[str] = []
    table: Annotated[list[TableMapping], Field(min_length=1)]

    @field_validator("dates", mode="before")
    @classmethod
    def _list_dates(cls, value: Any) -> Any:
        return _as_list(value)

    @field_validator("dates")
    @classmethod
    def _known_dates(cls, value: list[str]) -> list[str]:
        return _know_formats(value)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                # `codecs.lookup` alone also takes codecs that are of no text, such as hex.
                b"".decode(value)
                return codecs.lookup(value).name
        except LookupError as error:
            raise ValueError("is not the name of an encoding, such as utf-8 or cp1252") from error
        return None


class Mapping(MappingPart):
    """All of a mapping file."""

    file: Annotated[list[FileMapping], Field(min_length=1)]
    #: The hash of the file; empty for our own format, which needs no mapping.
    sha256: str = ""


def read_mapping(path: Path) -> Mapping:
    """Raises MappingRefused with each place that does not fit, in the words of the file."""
    try:
        content = read_regular(path)
        # Some editors put a byte-order mark first, and TOML has none.
        written = tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise MappingRefused(f"The mapping {path} cannot be opened ({error.strerror})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingRefused(f"The mapping {path} is not TOML: {error}") from error
    try:
        return Mapping.model_validate({**written, "sha256": hashlib.sha256(content).hexdigest()})
    except ValidationError as error:
        lines = [f"  {_place(e['loc'])}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()]
        raise MappingRefused(f"The mapping {path} does not fit (see docs/data.md):\n" + "\n".join(lines)) from error


def _place(location: tuple[int | str, ...]) -> str:
    """`file 1, table 2, columns, due_on`: counted as a person counts."""
    words = [f" {part + 1}" if isinstance(part, int) else f", {part}" for part in location]
    return "".join(words).removeprefix(", ") or "the file"
