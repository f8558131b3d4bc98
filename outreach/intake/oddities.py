"""Keeps the oddest values of an import, each with its line, for a person to look at before it counts.

It refuses nothing and changes nothing; how odd a value is only orders the list.
"""

import heapq
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from outreach.intake.name_affixes import is_company
from outreach.intake.postal_rules import can_be_code
from outreach.money import write_money

SHOWN = 10
_USUAL_IN_NAMES = set("-'’. ,")
# What letters of UTF-8 look like that were read as Windows-1252, and those of a Mac.
_MISREAD = re.compile("[ÃÂÄÅ][\x80-\xbf‚-‟†-•…‰™€Žžšœ¡-¿]|â€|[Žš]$|�")


@dataclass(frozen=True, order=True)
class OddValue:
    """One value that stands out among those of its kind."""

    #: The higher, the odder; it only orders.
    oddness: float
    kind: str
    file: str
    line: int
    column: str
    shown: str


class Oddities:
    """The oddest names, dates, sums, codes and addresses so far: the ten of each kind that stand out most."""

    def __init__(self, today: date, home: str, currency: str) -> None:
        self._today, self._home, self._currency = today, home, currency
        self._kept: dict[str, list[OddValue]] = {}

    def look_at(self, file: str, line: int, record: Mapping[str, Any]) -> None:
        """Weighs every value of a record that a person can judge."""
        for column, value in record.items():
            if value is None or value == "":
                continue
            for kind, weigh in self._scales(column):
                if oddness := weigh(value, record):
                    self._keep(OddValue(oddness, kind, file, line, column, self._show(column, value, record)))

    @property
    def found(self) -> list[OddValue]:
        """All that are kept, by kind, the oddest of each first."""
        return [value for kind in sorted(self._kept) for value in sorted(self._kept[kind], reverse=True)]

    def _keep(self, value: OddValue) -> None:
        kept = self._kept.setdefault(value.kind, [])
        # One row may feed several tables, and is looked at once.
        if any((other.file, other.line, other.shown) == (value.file, value.line, value.shown) for other in kept):
            return
        if len(kept) < SHOWN:
            heapq.heappush(kept, value)
        else:
            heapq.heappushpop(kept, value)

    def _scales(self, column: str) -> Iterator[tuple[str, Callable[[Any, Mapping[str, Any]], float]]]:
        if column in {"given_name", "family_name", "preferred_name"}:
            yield "names", lambda value, record: weigh_name(value)
        elif column in {"address_line1", "address_line2", "city"}:
            yield "addresses", lambda value, record: weigh_address(column, value)
        elif column == "postal_code":
            yield "codes", self._weigh_code
        elif column == "amount":
            yield "sums", lambda value, record: abs(value) * (2 if value < 0 else 1)
        elif column in {"customer_since", "born_on", "issued_on", "due_on", "paid_on", "starts_at", "done_at"}:
            yield "dates", lambda value, record: self._weigh_date(value)

    def _weigh_code(self, code: str, record: Mapping[str, Any]) -> float:
        return 1.0 if not can_be_code(code, record.get("country") or self._home) else 0.0

    def _weigh_date(self, when: date) -> float:
        """How many years it lies away from what most dates of a business are: some years back, or some weeks ahead."""
        day = when.date() if isinstance(when, datetime) else when
        years = (self._today - day).days / 365
        return max(0.0, years - 20, -years * 5)

    def _show(self, column: str, value: Any, record: Mapping[str, Any]) -> str:
        if column == "amount":
            return write_money(value, record.get("currency") or self._currency)
        return str(value)


def weigh_name(name: str) -> float:
    """How unlike a name it is: digits, signs, letters of several scripts, all in capitals, or misread."""
    if is_company(name):
        return 0.0
    letters = [letter for letter in name if letter.isalpha()]
    signs = sum(not letter.isalpha() and letter not in _USUAL_IN_NAMES for letter in name)
    scripts = {unicodedata.name(letter, "?").partition(" ")[0] for letter in letters}
    oddness = 2.0 * signs + 3.0 * (len(scripts) - 1 if scripts else 3) + 5.0 * len(_MISREAD.findall(name))
    if len(letters) > 3 and (name.isupper() or name.islower()):
        oddness += 1.0
    return oddness + (1.0 if len(letters) == 1 else 0.0) + max(0.0, (len(name) - 30) / 10)


def weigh_address(column: str, text: str) -> float:
    """How unlike a line of an address it is: a street without a number, a town with one, an address of e-mail."""
    has_digit = any(letter.isdigit() for letter in text)
    oddness = 2.0 * ("@" in text) + max(0.0, (len(text) - 50) / 10) + 5.0 * len(_MISREAD.findall(text))
    if column == "address_line1" and not has_digit:
        oddness += 1.0
    if column == "city" and has_digit:
        oddness += 1.5
    return oddness
