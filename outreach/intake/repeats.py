"""Counts the rows of one file whose id stood in it before, in little memory however long the file is."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator

SHOWN = 10
# As many parts as let one of them be looked at in a few megabytes, of five million rows.
_PARTS = 256


class Repeats:
    """The ids of one file, by what Python makes of them as a number: eight bytes each, and four for the line."""

    def __init__(self) -> None:
        self._numbers = [array("q") for _ in range(_PARTS)]
        self._lines = [array("I") for _ in range(_PARTS)]

    def add(self, keys: Iterable[tuple[object, ...]], lines: Iterable[int]) -> None:
        for number, line in zip(map(hash, keys), lines, strict=True):
            self._numbers[number % _PARTS].append(number)
            self._lines[number % _PARTS].append(line)

    def find(self) -> tuple[int, list[int]]:
        """How many rows came after another of the same id, and the lines of the first of them."""
        count, lines = 0, []
        for numbers, places in zip(self._numbers, self._lines, strict=True):
            if len(numbers) > len(set(numbers)):
                repeated = list(_later(numbers, places))
                count += len(repeated)
                lines += repeated
        return count, sorted(lines)[:SHOWN]


def _later(numbers: "array[int]", places: "array[int]") -> Iterator[int]:
    seen: defaultdict[int, int] = defaultdict(int)
    for number, line in zip(numbers, places, strict=True):
        if seen[number]:
            yield line
        seen[number] += 1
