"""Opens a CSV file: finds out its encoding, its separator and its header, and gives its rows.

A file that is no such file raises SourceUnreadable; a row that cannot be read is in `csv_rows`.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from outreach.errors import SourceUnreadable
from outreach.intake.sources.csv_rows import CsvLines, Row, check_width, read_each, read_rows
from outreach.intake.sources.encodings import ERRORS, detect_encoding
from outreach.local_files import require_regular

SEPARATORS = ",;\t|"
SAMPLE = 1 << 16
# Above a header that a mapping describes; reports have a name, a title and a date there.
MOST_TITLES = 50


@dataclass(frozen=True)
class Source:
    encoding: str
    separator: str
    header: list[str]
    rows: Iterator[Row]


@dataclass(frozen=True)
class Layout:
    """How a file is written, as far as somebody says so; what is empty is found out."""

    encoding: str | None = None
    #: A space stands for any number of them.
    separator: str | None = None
    #: The header is the first line that names all of these columns.
    header_has: tuple[str, ...] = ()
    #: The names of the columns of a file that has no header.
    header: tuple[str, ...] = ()


ANYHOW = Layout()


@contextmanager
def open_source(path: Path, layout: Layout = ANYHOW) -> Iterator[Source]:
    """The file, open; encoding and separator are found out where they are not given.

    Raises SourceUnreadable for a file that cannot be opened, is not text, or has no header line.
    """
    with _open_text(path, layout.encoding) as handle:
        sample = handle.read(SAMPLE).removeprefix("\ufeff")
        handle.seek(0)
        separator = layout.separator or choose_separator(sample, layout.header_has)
        lines = CsvLines(handle)
        records = read_each(lines, separator)
        # Programs write this line for Excel alone: it names the separator, and no column.
        if sample[:4].lower() == "sep=":
            next(records)
        names = list(layout.header) or find_header(records, layout.header_has)
        width = len(names)
        rows = (row if len(row.cells) == width else check_width(row, width) for row in read_rows(lines, separator))
        yield Source(handle.encoding, separator, names, rows)


def find_header(records: Iterator[Row], has: Sequence[str]) -> list[str]:
    """The names in the first row, or in the first of many that has all of `has`; the rows behind it stay.

    Raises SourceUnreadable where there is none.
    """
    wanted = {name.strip().casefold() for name in has}
    for row in islice(records, MOST_TITLES):
        names = [name.strip() for name in row.cells]
        if wanted <= {name.casefold() for name in names} and not (row.problem and wanted):
            if row.problem:
                raise SourceUnreadable(f"its first line must name the columns, but {row.problem}")
            return names
    if wanted:
        shown = ", ".join(f"“{name}”" for name in has)
        raise SourceUnreadable(f"none of its first {MOST_TITLES} lines names the columns {shown}")
    raise SourceUnreadable("it is empty; its first line must name the columns")


def peek_rows(path: Path, encoding: str | None = None) -> list[list[str]]:
    """The first rows of a file, read with each separator in turn, for whoever looks for names that are known.

    Raises SourceUnreadable as `open_source` does.
    """
    with _open_text(path, encoding) as handle:
        sample = handle.read(SAMPLE).removeprefix("\ufeff")
    return [row for separator in SEPARATORS for row in islice(_split(sample, separator), MOST_TITLES)]


def write_cell(value: Any) -> str:
    """A value of a database or of Parquet as it would stand in a CSV file; what is missing, and no number, is empty."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):  # and a datetime, which is one
        return value.isoformat()
    if isinstance(value, float):
        # A column of whole numbers of which some are missing comes as 17.0 from programs that know no missing whole.
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return value.decode("utf-8", ERRORS)
    return str(value)


@contextmanager
def _open_text(path: Path, encoding: str | None) -> Iterator[TextIO]:
    """The file as text; what goes wrong while it is open is SourceUnreadable too."""
    try:
        require_regular(path)
        # The csv module must see the line breaks as they are (https://docs.python.org/3/library/csv.html).
        with path.open(encoding=encoding or detect_encoding(path), errors=ERRORS, newline="") as handle:
            yield handle
    except OSError as error:
        raise SourceUnreadable(f"it cannot be read ({error.strerror})") from error
    except UnicodeError as error:
        raise SourceUnreadable("it is not written in the encoding that the mapping names") from error


def choose_separator(sample: str, header_has: Sequence[str] = ()) -> str:
    """The separator by which most rows have the header's number of cells; a comma where nothing speaks for another.

    Where columns of the header are known, the separator that makes a line of them.
    """
    if sample[:4].lower() == "sep=" and sample[4:5] in SEPARATORS:
        return sample[4]
    wanted = {name.strip().casefold() for name in header_has}

    def weigh(separator: str) -> tuple[bool, float]:
        rows = [row for row in islice(_split(sample, separator), 200) if any(row)]
        known = bool(wanted) and any(wanted <= {cell.strip().casefold() for cell in row} for row in rows)
        width = len(rows[0]) if rows else 1
        return known, (width - 1) * sum(len(row) == width for row in rows)

    return max(SEPARATORS, key=weigh)


def _split(sample: str, separator: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    except csv.Error:
        return
