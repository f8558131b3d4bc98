"""Makes one record of all rows of a group, as each column's `take` says.

It holds one record per group in memory, so a file may be far larger than its groups.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outreach.intake.cells.unfit import Unfit
from outreach.intake.headers import Column
from outreach.intake.mapping.columns import From
from outreach.intake.rows import BadCell, Record, RowRecipe, check_size


@dataclass
class RowGroup:
    """The rows of one group so far."""

    record: Record
    lines: list[int]
    #: With `in_order_of` each row with its instant, until all are there.
    rows: list[tuple[datetime, Record]]


class Groups:
    """The records that a file's rows make."""

    def __init__(self, recipe: RowRecipe) -> None:
        self._recipe = recipe
        self._groups: dict[tuple[str, ...], RowGroup] = {}

    def add(self, key: tuple[str, ...], record: Record, line: int, at: datetime) -> None:
        """Takes one row into its group; `at` is its place in the order of the group, where the mapping names one."""
        for column, origin in self._recipe.columns:
            if origin.take == "count":
                record[column.key] = int(record[column.key] is not None)
        group = self._groups.get(key)
        if group is None:
            self._groups[key] = RowGroup(record, [line], [(at, record)])
            return
        group.lines.append(line)
        if self._recipe.mapping.in_order_of:
            group.rows.append((at, record))
        else:
            self._join(group, record)

    def _join(self, group: RowGroup, record: Record) -> None:
        for column, origin in self._recipe.columns:
            group.record[column.key] = _join(origin, group.record[column.key], record[column.key])

    def _put_in_order(self, group: RowGroup) -> None:
        (_, first), *others = sorted(group.rows, key=lambda row: row[0])
        group.record = dict(first)
        for _, record in others:
            self._join(group, record)

    def finished(self) -> Iterator[tuple[Record, list[int], BadCell | None]]:
        """Each group's record, the lines it came from, and what is wrong with it, if anything is."""
        for group in self._groups.values():
            problem = None
            if self._recipe.mapping.in_order_of:
                self._put_in_order(group)
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
