"""Decides which file, or table of a database, feeds which of our tables, with a mapping or without. It reads none."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from outreach.errors import SourceUnreadable
from outreach.intake.headers import TABLES
from outreach.intake.mapping import FileMapping, Mapping, TableMapping
from outreach.intake.sources import Origin


def show_name(name: str) -> str:
    """A name from outside, fit for a database and a terminal: neither takes bytes that are no text."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name[:80])


@dataclass(frozen=True)
class Feed:
    """One table to fill from one file, or one table of a database; without a mapping it has our own columns."""

    source: str
    into: str
    file: FileMapping | None = None
    table: TableMapping | None = None

    @property
    def name(self) -> str:
        return show_name(self.source)


def list_jobs(names: list[str], origin: Origin, mapping: Mapping | None) -> list[Feed]:
    """In the order of our tables, whichever file feeds them. Raises SourceUnreadable where none of `names` is known."""
    if mapping is None:
        tables = origin.own_names
        jobs = [Feed(name, tables[name.casefold()]) for name in names if name.casefold() in tables]
    else:
        jobs = [
            Feed(name, table.into, file, table)
            for file in mapping.file
            for name in names
            if any(fnmatchcase(name, pattern) for pattern in file.name)
            for table in file.table
        ]
    if not jobs:
        raise SourceUnreadable(_nothing_known(origin, mapping))
    # The order matters: a payment is read in the currency of its invoice, and an invoice in its customer's.
    order = list(TABLES)
    return sorted(jobs, key=lambda job: order.index(job.into))


def _nothing_known(origin: Origin, mapping: Mapping | None) -> str:
    if mapping:
        names = ", ".join(name for file in mapping.file for name in file.name)
        return f"Nothing in {origin.shown} has a name that the mapping knows: {names}"
    return (
        f"Nothing in {origin.shown} has a name Outreach knows: {', '.join(origin.own_names)}. "
        "For other names, give a mapping: --mapping FILE"
    )
