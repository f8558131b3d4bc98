"""Reads the beginning of every file of a place, for whoever proposes a mapping of it. It imports nothing."""

from itertools import islice

from outreach.errors import SourceUnreadable
from outreach.intake.mapping.draft_parts import SheetSample
from outreach.intake.mapping.files import FileMapping
from outreach.intake.sources.csv_files import MOST_TITLES
from outreach.intake.sources.origins import Origin

MOST_ROWS = 500
# A header names more columns than a line of a title has cells.
FEWEST_COLUMNS = 3


def read_sheets(origin: Origin) -> list[SheetSample]:
    """The files that can be read, each with its columns and its first rows; those that have none are left out."""
    return [sheet for name in origin.names([]) if (sheet := _read_sheet(origin, name))]


def _read_sheet(origin: Origin, name: str) -> SheetSample | None:
    try:
        with origin.open(name) as source:
            header, rows = source.header, [row.cells for row in islice(source.rows, MOST_ROWS)]
        if len(list(filter(None, header))) >= FEWEST_COLUMNS:
            return SheetSample(name, header, rows)
        return _below_titles(origin, name)
    except SourceUnreadable:
        return None


def _below_titles(origin: Origin, name: str) -> SheetSample | None:
    """The same below lines of a title: the first line with several names, no number among them."""
    for row in origin.peek(name)[: 4 * MOST_TITLES]:
        names = [cell.strip() for cell in row if cell.strip()]
        if len(names) >= FEWEST_COLUMNS and not any(any(letter.isdigit() for letter in each) for each in names):
            file = FileMapping.model_validate(
                {
                    "name": name,
                    "header_has": names,
                    "table": [{"into": "customers", "columns": {"customer_id": names[0]}}],
                }
            )
            with origin.open(name, file) as source:
                rows = [each.cells for each in islice(source.rows, MOST_ROWS)]
                return SheetSample(name, source.header, rows, has_titles=True)
    return None
