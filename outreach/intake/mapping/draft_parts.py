"""What a draft is made of: the sample of a file, the tables it feeds, and names as a mapping writes them."""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

#: The mark on what a draft is not sure of.
UNSURE = "UNSURE"
#: As it stands in the text, before the reason.
MARK = f"# {UNSURE}: "
#: What stands for a column that a table must have, and the file has not.
MISSING = f'"?" {MARK}no column seems to hold it, and a row cannot do without it'


@dataclass(frozen=True)
class SheetSample:
    """The beginning of one file: its columns, and the first rows below them."""

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    #: Whether lines stand above the header.
    has_titles: bool = False

    def values(self, column: str) -> list[str]:
        at = list(self.header).index(column)
        return [row[at].strip() for row in self.rows if at < len(row) and row[at].strip()]


@dataclass
class DraftTable:
    """One table that a file seems to feed, or that somebody says it feeds."""

    into: str
    #: Their column for each of ours.
    columns: dict[str, str]
    remarks: list[str] = field(default_factory=list)
    #: What is said of its rows as a whole.
    words: list[str] = field(default_factory=list)


def fold_header(name: str) -> str:
    """A column's name in small letters without accents, with one space for all that is no letter or digit."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    folded = " ".join(re.findall(r"\w+", bare.replace("_", " ")))
    return folded if folded != name.casefold() else " ".join(re.findall(r"\w+", apart.casefold().replace("_", " ")))


def list_names(names: Sequence[str]) -> str:
    """The names on one line, as a comment must stand; in a workbook one may have several, or control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in ", ".join(names))


def quote(name: str) -> str:
    # TOML's basic strings are written as JSON's are, but for one control character.
    return json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")
