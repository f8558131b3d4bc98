"""Decides which file, or table of a database, feeds which of our tables, with a mapping or without. It reads none."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from outreach.errors import SourceUnreadable
from outreach.intake.headers import TABLES
from outreach.intake.mapping.files import ANY_NAME, FileMapping, Mapping
from outreach.intake.mapping.tables import TableMapping
from outreach.intake.sources.origins import Origin


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
        jobs = [Feed(name, tables[own]) for name in names if (own := own_name(name)) in tables]
    else:
        jobs = [
            Feed(name, one.into, file, one)
            for file in files_for(origin, mapping)
            for name in names
            if is_meant(origin, name, file)
            for table in file.table
            for one in table.copies()
        ]
    if not jobs:
        raise SourceUnreadable(_nothing_known(origin, mapping))
    # The order matters: a payment is read in the currency of its invoice, and an invoice in its customer's.
    order = list(TABLES)
    return sorted(jobs, key=lambda job: order.index(job.into))


def own_name(name: str) -> str:
    """What a name would be in a folder of its own, in lower case: of a zip's file, or a workbook's sheet, its own."""
    book, is_sheet, sheet = name.rpartition("/")[2].rpartition("#")
    return (f"{sheet}.csv" if is_sheet and book else sheet).casefold()


def files_for(origin: Origin, mapping: Mapping) -> list[FileMapping]:
    """The parts of the mapping that such a place can have: a preset may know a system's files and its database."""
    if origin.has_queries:
        # Of a database's tables many have columns such as “name” and “email”: only those that are named are read.
        return [file for file in mapping.file if file.query or file.name != ANY_NAME]
    return [file for file in mapping.file if not file.query]


def is_meant(origin: Origin, name: str, file: FileMapping) -> bool:
    """Whether a file, or a table of a database, is one that this part of the mapping is for."""
    if not any(fnmatchcase(each, pattern) for pattern in file.name for each in {name, name.rpartition("/")[2]}):
        return False
    return bool(file.query) or not file.header_has or has_header(origin, name, file)


def has_header(origin: Origin, name: str, file: FileMapping) -> bool:
    """Whether a line of the file names the columns by which the mapping knows it."""
    try:
        with origin.open(name, file) as source:
            names = {each.strip().casefold() for each in source.header}
    except SourceUnreadable:
        return False
    return {each.strip().casefold() for each in file.header_has} <= names


def _nothing_known(origin: Origin, mapping: Mapping | None) -> str:
    if mapping:
        known = [_describe(file) for file in files_for(origin, mapping)]
        what = "; ".join(known) if known else "it knows only a database of that system"
        return f"Nothing in {origin.shown} is what the mapping knows: {what}"
    return (
        f"Nothing in {origin.shown} has a name Outreach knows: {', '.join(_plain_names(origin))}. "
        "For other names, give a mapping: --mapping FILE"
    )


def _describe(file: FileMapping) -> str:
    if file.header_has:
        return "a file with the columns " + ", ".join(file.header_has)
    return ", ".join(file.name)


def _plain_names(origin: Origin) -> list[str]:
    """One name for each table: as CSV, or as a database has it."""
    return [name for name in origin.own_names if "." not in name or name.endswith(".csv")]
