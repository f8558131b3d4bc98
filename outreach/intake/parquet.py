"""A Parquet file in; its header and its rows as text out, one batch of rows in memory at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow
from pyarrow.parquet import ParquetFile

from outreach.errors import SourceUnreadable
from outreach.intake.sources import Row, Source, write_cell

ROWS_AT_ONCE = 5000


@contextmanager
def open_parquet(path: Path) -> Iterator[Source]:
    """The file, open; a row's line is its number, from 1. Raises SourceUnreadable for what is no Parquet file."""
    try:
        with ParquetFile(path, pre_buffer=False) as file:
            yield Source("", "", list(file.schema_arrow.names), _rows(file))
    except OSError as error:
        raise SourceUnreadable(f"it cannot be read ({error.strerror or 'it is not a whole Parquet file'})") from error
    except pyarrow.ArrowException as error:
        raise SourceUnreadable("it cannot be read (it is not a whole Parquet file)") from error


def _rows(file: ParquetFile) -> Iterator[Row]:
    number = 0
    for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
        columns = [column.to_pylist() for column in batch.columns]
        for cells in zip(*columns, strict=True):
            number += 1
            yield Row(number, [write_cell(cell) for cell in cells])
