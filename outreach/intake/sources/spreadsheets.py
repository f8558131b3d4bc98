"""Reads the sheets of Excel's and OpenDocument's workbooks as rows of text. Formulas are their last results.

A workbook is a zip of text that one sheet of it is made of as a whole: one that would become too large is refused.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from outreach.errors import SourceUnreadable
from outreach.intake.sources.csv_files import Layout, Source, find_header, write_cell
from outreach.intake.sources.csv_rows import Row, check_width, row_of
from outreach.local_files import require_regular

ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
LARGEST = 1 << 30


def list_sheets(path: Path) -> list[str]:
    """The names of the sheets that hold anything. Raises SourceUnreadable for what is no workbook."""
    with _open_workbook(path) as workbook:
        return [name for name in workbook.sheet_names if workbook.get_sheet_by_name(name).height]


@contextmanager
def open_sheet(path: Path, sheet: str, layout: Layout) -> Iterator[Source]:
    """A sheet, open; without a name, the first that holds anything. A row's line is its number in the sheet."""
    with _open_workbook(path) as workbook:
        names = [sheet] if sheet else [name for name in workbook.sheet_names if workbook.get_sheet_by_name(name).height]
        if not names or names[0] not in workbook.sheet_names:
            raise SourceUnreadable("it has no sheet with anything in it")
        page = workbook.get_sheet_by_name(names[0])
        first = (page.start or (0, 0))[0] + 1
        rows = (row_of(line, [_write(cell) for cell in cells]) for line, cells in enumerate(page.iter_rows(), first))
        records = (row for row in rows if any(cell.strip() for cell in row.cells))
        header = list(layout.header) or find_header(records, layout.header_has)
        yield Source("", "", header, (check_width(_cut(row, len(header)), len(header)) for row in records))


def _cut(row: Row, width: int) -> Row:
    """A sheet is as wide as its widest row: empty cells behind the last column are none."""
    cells = row.cells
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        return row._replace(cells=cells[:width])
    return row._replace(cells=cells + [""] * (width - len(cells)))


def _write(cell: Any) -> str:
    """A cell as it would stand in a CSV file; a day that Excel keeps as an instant at midnight is a day."""
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, timedelta | time):
        return str(cell)
    return write_cell(cell if isinstance(cell, date | float | int | bool) else str(cell))


@contextmanager
def _open_workbook(path: Path) -> Iterator[CalamineWorkbook]:
    try:
        require_regular(path)
        _require_bounded(path)
        yield CalamineWorkbook.from_path(path)
    except OSError as error:
        raise SourceUnreadable(f"it cannot be read ({error.strerror or 'it is no workbook'})") from error
    except (CalamineError, zipfile.BadZipFile) as error:
        raise SourceUnreadable("it is no workbook that can be read; save it as CSV UTF-8 or .xlsx") from error


def _require_bounded(path: Path) -> None:
    """Raises SourceUnreadable where the workbook would need more memory than a machine of ours has to spare."""
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    if size > LARGEST:
        raise SourceUnreadable(f"it would become larger than {LARGEST >> 30} GB; save its sheets as CSV")
