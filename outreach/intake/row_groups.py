"""Makes one record of all rows of a group, as each column's `take` says.

It holds one record per group in memory, so a file may be far larger than its groups.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from outreach.intake.headers import Column
from outreach.intake.mapping import From
from outreach.intake.rows import BadCell, Record, RowRecipe, check_size
from outreach.intake.unfit import Unfit


@dataclass
class RowGroup:
    record: Record
    lines: list[int]


class Groups:
    def __init__(self, recipe: RowRecipe) -> None:
        self._recipe = recipe
        self._groups: dict[tuple[str, ...], RowGroup] = {}

    def add(self, key: tuple[str, ...], record: Record, line: int) -> None:
        for column, origin in self._recipe.columns:
            if origin.take == "count":
                record[column.key] = int(record[column.key] is not None)
        group = self._groups.get(key)
        if group is None:
            self._groups[key] = RowGroup(record, [line])
            return
        group.lines.append(line)
        for column, origin in self._recipe.columns:
            group.record[column.key] = _join(origin, group.record[column.key], record[column.key])

    def finished(self) -> Iterator[tuple[Record, list[int], BadCell | None]]:
        """Each group's record, the lines it came from, and what is wrong with it, if anything is."""
        for group in self._groups.values():
            problem = None
            try:
                for column, origin in self._recipe.columns:
                    self._check(column, origin, group.record)
            except BadCell as error:
                problem = error
            yield group.record, group.lines, problem

    def _check(self, column: Column, origin: From, record: Record) -> None:
        # A sum may be too large although each of its parts was not.
        if origin.take == "sum" and record[column.key] is not None:
            try:
                check_size(self._recipe.table, column, record[column.key])
            except Unfit as error:
                raise BadCell(column.name, str(error)) from None


def _join(origin: From, kept: Any, new: Any) -> Any:
    if kept is None or new is None:
        return new if kept is None else kept
    match origin.take:
        case "first":
            return kept
        case "last":
            return new
        case "min":
            return min(kept, new)
        case "max":
            return max(kept, new)
        case _:
            return kept + new
