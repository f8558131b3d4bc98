"""What an import did: counts for each file and table, each refused row with its reason, and what was not used."""

from dataclasses import dataclass, field

_OWNERS = {"payments": "an invoice"}


@dataclass(frozen=True)
class FileCount:
    """read = accepted + refused. Rows that a mapping's conditions leave out are not read for that table."""

    file: str
    table: str
    read: int
    accepted: int
    refused: int


@dataclass(frozen=True)
class RefusedRow:
    """`line` counts from 1 in the file; `column` is empty when the whole row, or the whole file, is at fault."""

    file: str
    line: int
    column: str
    reason: str


@dataclass
class ImportReport:
    """`ignored`: for each file the columns that were not used; an empty list says that the whole file was not.

    `orphans`: for each table that was fed, how many of its rows now belong to a customer or an invoice not on record.
    """

    files: list[FileCount] = field(default_factory=list)
    refusals: list[RefusedRow] = field(default_factory=list)
    ignored: dict[str, list[str]] = field(default_factory=dict)
    orphans: dict[str, int] = field(default_factory=dict)

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
        return unused + [
            f"{table}: {rows:,} belong to {_OWNERS.get(table, 'a customer')} not on record; nothing comes of them yet"
            for table, rows in sorted(self.orphans.items())
        ]
