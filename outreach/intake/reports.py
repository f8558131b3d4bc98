"""What an import did: counts for each file and table, refused rows with their reasons, and what was not used.

It stays small however many rows are refused: they are counted by reason, and the first thousand of a file are listed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

_OWNERS = {"payments": "an invoice"}


def _join(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines))


@dataclass(frozen=True)
class FileCount:
    """read = accepted + refused. Rows that a mapping's conditions leave out are not read for that table."""

    file: str
    table: str
    read: int
    accepted: int
    refused: int
    #: Of those accepted: ids that were not on record …
    new: int = 0
    #: … or said something else there …
    changed: int = 0
    #: … or the same. Several rows of one id count once.
    same: int = 0
    #: Rows after another of the same id in this file; the last one stands.
    repeated: int = 0
    #: Of the first of them.
    repeated_lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class RefusedRow:
    """A row that was not taken in."""

    file: str
    #: Counted from 1 in the file.
    line: int
    #: Empty when the whole row, or the whole file, is at fault.
    column: str
    reason: str


@dataclass(frozen=True)
class ReasonCount:
    """How many rows of a file one reason concerns, and in which column."""

    file: str
    column: str
    reason: str
    rows: int
    #: Of the first of them, where they are known.
    lines: tuple[int, ...] = ()


Lines = Mapping[tuple[str, str], Sequence[int]]


def count_reasons(
    file: str, counts: Counter[tuple[str, str]], lines: Lines = MappingProxyType({})
) -> list[ReasonCount]:
    """The reasons of one file by (column, reason), the most frequent first, with the `lines` that are known of each."""
    return [ReasonCount(file, *each, rows, tuple(lines.get(each, ()))) for each, rows in counts.most_common()]


@dataclass(frozen=True)
class EncodingReading:
    """How one encoding would read a word of a file that several fit."""

    file: str
    encoding: str
    word: str


@dataclass
class ImportReport:
    """What one import did."""

    files: list[FileCount] = field(default_factory=list)
    #: The first thousand of each file …
    refusals: list[RefusedRow] = field(default_factory=list)
    #: … and all of them, counted.
    reasons: list[ReasonCount] = field(default_factory=list)
    #: Rows that were accepted without one of their cells, or with one that is in doubt, counted.
    notes: list[ReasonCount] = field(default_factory=list)
    #: Cells that were mended and used, counted.
    mended: list[ReasonCount] = field(default_factory=list)
    #: What could be told of files that several encodings fit: a word of each as they would read it. Never stored.
    readings: list[EncodingReading] = field(default_factory=list)
    #: For each file the columns that were not used; an empty list says that the whole file was not.
    ignored: dict[str, list[str]] = field(default_factory=dict)
    #: For each table that was fed: how many of its rows now belong to a customer or an invoice not on record.
    orphans: dict[str, int] = field(default_factory=dict)
    #: Customers who were made because a row named somebody whom no file has.
    made: int = 0
    #: How many lines of the mapping are still marked as a draft marks them, by the name of its file.
    marks: dict[str, int] = field(default_factory=dict)
    #: Its number in the history of imports.
    intake_id: int = 0

    @property
    def read(self) -> int:
        return sum(count.read for count in self.files)

    @property
    def accepted(self) -> int:
        return sum(count.accepted for count in self.files)

    @property
    def refused(self) -> int:
        return sum(count.refused for count in self.files)

    @property
    def remarks(self) -> list[str]:
        """What a person should know besides counts and refusals: what was not used, and what belongs to nobody."""
        unused = [
            f"Not used in {file}: {', '.join(columns) if columns else 'the whole file'}"
            for file, columns in sorted(self.ignored.items())
        ]
        taken = [
            f"{note.file}, {note.column}: {note.rows:,} accepted, but {note.reason} (see line {_join(note.lines)})"
            for note in self.notes
        ]
        mended = [f"{each.file}, {each.column}: {each.rows:,} mended: {each.reason}" for each in self.mended]
        orphans = [
            f"{table}: {rows:,} belong to {_OWNERS.get(table, 'a customer')} not on record; nothing comes of them yet"
            for table, rows in sorted(self.orphans.items())
        ]
        repeated = [
            f"{each.file} → {each.table}: {each.repeated:,} rows have an id that stood in the file before; the last of "
            f"them counts (see line {_join(each.repeated_lines)})"
            for each in self.files
            if each.repeated
        ]
        made = [f"customers: {self.made:,} made of ids that no file of customers has"] if self.made else []
        return self._marked + unused + taken + mended + repeated + made + orphans + self._counted

    @property
    def _marked(self) -> list[str]:
        return [
            f"{name} has {lines:,} lines marked UNSURE: look at them first"
            if lines > 1
            else f"{name} has a line marked UNSURE: look at it first"
            for name, lines in self.marks.items()
        ]

    @property
    def _counted(self) -> list[str]:
        """How many rows each reason concerns, where not every refused row is listed."""
        if len(self.refusals) >= self.refused:
            return []
        return [f"{each.file}, {each.column}: {each.rows:,} refused: {each.reason}" for each in self.reasons]
