"""Mappings for the tests of intake: of a single column, read of one row, and of whole files that are imported."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from outreach.intake.headers import TABLES
from outreach.intake.mapping.files import Mapping, read_mapping
from outreach.intake.reports import ImportReport
from outreach.intake.row_blocks import BlockReader
from outreach.intake.rows import BadCell, make_recipe
from outreach.intake.run import import_data
from outreach.intake.sources.places import open_origin
from outreach.settings import Business, Settings

# What a row of each table cannot do without, where a test is about another column of it.
ENOUGH = {
    "customers": {"customer_id": "c1"},
    "visits": {"visit_id": "v1", "customer_id": "c1", "starts_at": "2026-01-01"},
    "invoices": {"invoice_id": "i1", "customer_id": "c1", "issued_on": "2026-01-01", "due_on": "2026-01-01",
                 "amount": "1"},
    "payments": {"payment_id": "p1", "invoice_id": "i1", "paid_on": "2026-01-01", "amount": "1"},
    "consents": {"customer_id": "c1", "channel": "email", "purpose": "service", "state": "granted",
                 "at": "2026-01-01"},
}  # fmt: skip


def read_words(folder: Path, words: str) -> Mapping:
    """The mapping whose file has these words."""
    path = folder / "mapping.toml"
    path.write_text(words, encoding="utf-8")
    return read_mapping(path)


@dataclass(frozen=True)
class OneColumn:
    """A mapping in which one column is told of, and the others are constants."""

    folder: Path
    business: Business
    today: date

    def mapping(self, ours: str, origin: str, file: str = "") -> Mapping:
        """`ours` is a column such as `invoices.due_on`, `origin` what the mapping writes behind its =."""
        into, name = ours.split(".")
        enough = {column: f'{{ constant = "{text}" }}' for column, text in ENOUGH[into].items()}
        columns = "\n".join(f"{column} = {made_of}" for column, made_of in {**enough, name: origin}.items())
        table = f'[[file.table]]\ninto = "{into}"\n[file.table.columns]\n{columns}\n'
        return read_words(self.folder, f'[[file]]\nname = "theirs.csv"\n{file}\n{table}')

    def read(self, ours: str, origin: str, row: Dict[str, str], file: str = "") -> Any:
        """What our column becomes of their row. Raises Unfit where the row is refused."""
        (mapped,) = self.mapping(ours, origin, file).file
        recipe = make_recipe(mapped.table[0], mapped, list(row), self.business, self.today)
        into, name = ours.split(".")
        key = next(column.key for column in TABLES[into].columns if column.name == name)
        (record,), faults = BlockReader(recipe).read([list(row.values())], lambda at, column, reason: None)
        for fault in faults.values():
            raise BadCell(fault.column, fault.reason)
        return record[key]


@dataclass(frozen=True)
class TheirFiles:
    """A folder of another system's files, and our database."""

    folder: Path
    engine: Engine
    settings: Settings
    now: datetime

    def put(self, name: str, *lines: str) -> None:
        """Writes a file of these lines."""
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def take(self, words: str = "", now: datetime | None = None) -> ImportReport:
        """Imports the folder through a mapping with these words; without words, as files in our own format."""
        mapping = read_words(self.folder.parent, words) if words else None
        return import_data(self.engine, open_origin(str(self.folder)), self.settings, now or self.now, mapping)
