"""Reads a Parquet file as rows of text, with one batch of rows in memory at a time.

A few kilobytes may say of themselves that they are a hundred gigabytes: what a file would become is added up first, and
no value is written out as often as it occurs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import compute
from pyarrow.parquet import ParquetFile

from outreach.errors import SourceUnreadable
from outreach.intake.sources.csv_files import Source, write_cell
from outreach.intake.sources.csv_rows import Row, row_of
from outreach.intake.sources.parquet_pages import LARGEST_PAGE, measure_pages
from outreach.local_files import require_regular

ROWS_AT_ONCE, BYTES_AT_ONCE = 5000, 16 * 1024 * 1024
# A row in a file of customers has an id of its own: fifty to the byte, or bytes that grow a thousandfold, are made up.
ROWS_TO_A_BYTE, GROWS, ALLOWED = 50, 1000, 64 * 1024 * 1024
NESTED = "[…]"
TOO_LARGE = "it would become far larger than any file of customers; write it anew from its source, or as CSV"


@contextmanager
def open_parquet(path: Path) -> Iterator[Source]:
    """The file, open; a row's line is its number, from 1.

    Raises SourceUnreadable for what is no Parquet file, and for one that would become too large.
    """
    try:
        require_regular(path)
        with ParquetFile(path, pre_buffer=False) as file:
            columns = _plain_columns(file)
            to_a_row = _require_bounded(path, file, columns)
            for name, length in _longest_values(path, file, columns).items():
                to_a_row[name] = max(to_a_row[name], length)
            at_once = max(1, min(ROWS_AT_ONCE, BYTES_AT_ONCE // max(sum(to_a_row.values()), 1)))
            most = GROWS * path.stat().st_size + ALLOWED
            yield Source("", "", list(file.schema_arrow.names), _rows(file, set(columns), at_once, most))
    except OSError as error:
        raise SourceUnreadable(f"it cannot be read ({error.strerror or 'it is not a whole Parquet file'})") from error
    except (pyarrow.ArrowException, MemoryError) as error:
        raise SourceUnreadable("it cannot be read (it is not a whole Parquet file)") from error


def _plain_columns(file: ParquetFile) -> dict[str, Any]:
    """The columns that have one value in each row; what is nested is nothing that a person's cell could hold."""
    columns = [file.schema.column(at) for at in range(len(file.schema))]
    return {column.name: column for column in columns if column.path == column.name}


def _require_bounded(path: Path, file: ParquetFile, columns: Mapping[str, Any]) -> dict[str, int]:
    """The bytes that a row has in each column, dictionaries aside, in the page where they are most.

    Raises SourceUnreadable where a page, or all of the file, would be too large.
    """
    size = path.stat().st_size
    pages = measure_pages(path, file.metadata, columns)
    total, largest = sum(page.size for page in pages), max((page.size for page in pages), default=0)
    if file.metadata.num_rows > ROWS_TO_A_BYTE * size or largest > LARGEST_PAGE or total > GROWS * size + ALLOWED:
        raise SourceUnreadable(TOO_LARGE)
    to_a_row = {name: max(column.length or 0, 1) for name, column in columns.items()}
    for page in pages:
        if page.values:
            to_a_row[page.column] = max(to_a_row[page.column], page.size // page.values)
    return to_a_row


def _longest_values(path: Path, file: ParquetFile, columns: Mapping[str, Any]) -> dict[str, int]:
    """The length of the longest value in the dictionaries of each column: a page of them names it in a few bits."""
    texts = [name for name, column in columns.items() if column.physical_type == "BYTE_ARRAY"]
    longest = dict.fromkeys(texts, 0)
    with ParquetFile(path, pre_buffer=False, read_dictionary=texts) as coded:
        for group in range(file.metadata.num_row_groups if texts else 0):
            # One row of a group is enough: with it comes the dictionary of the whole group.
            for batch in coded.iter_batches(batch_size=1, row_groups=[group], columns=texts):
                for name, column in zip(batch.schema.names, batch.columns, strict=True):
                    longest[name] = max(longest[name], _longest_in(column))
                break
    return longest


def _longest_in(column: Any) -> int:
    if not isinstance(column, pyarrow.DictionaryArray) or not len(column.dictionary):
        return 0
    return compute.max(compute.binary_length(column.dictionary)).as_py() or 0


def _rows(file: ParquetFile, plain: set[str], at_once: int, most: int) -> Iterator[Row]:
    names, number, written = file.schema_arrow.names, 0, 0
    for batch in file.iter_batches(batch_size=at_once, columns=[name for name in names if name in plain]):
        read = dict(zip(batch.schema.names, map(_texts_of, batch.columns), strict=True))
        for at in range(batch.num_rows):
            number += 1
            cells = [read[name][at] if name in read else NESTED for name in names]
            written += sum(map(len, cells))
            if written > most:
                raise SourceUnreadable(TOO_LARGE)
            yield row_of(number, cells)


def _texts_of(column: Any) -> list[str]:
    """The cells of a column; a value that occurs often is one text in all of them."""
    if not isinstance(column, pyarrow.DictionaryArray):
        return [write_cell(cell) for cell in column.to_pylist()]
    # Those of this batch alone: a dictionary may be of far more rows.
    used = column.indices.unique().drop_null()
    values = column.dictionary.take(used).to_pylist()
    texts = {at: write_cell(value) for at, value in zip(used.to_pylist(), values, strict=True)} | {None: ""}
    return [texts[at] for at in column.indices.to_pylist()]
