"""Looks a value up in another file of the same place: an order's customer, for example, in the list of orders.

Each file is read once, its two columns kept in memory. It stores nothing.
"""

from functools import lru_cache

from outreach.errors import SourceUnreadable
from outreach.intake.mapping import LookUp
from outreach.intake.sources import Origin
from outreach.intake.unfit import Unfit


class LookUps:
    """The files of one folder, or tables of one database, that values are looked up in."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._known = lru_cache(maxsize=None)(self._read)

    def find(self, step: LookUp, text: str) -> str:
        """What the file has under `take` where it has `text` under `by`. Raises Unfit where it does not know it."""
        value = self._known(step).get(text)
        if value is None:
            raise Unfit(f"{step.file} does not know this {step.by}")
        return value

    def _read(self, step: LookUp) -> dict[str, str]:
        """Raises Unfit for a file that cannot be read, or has no such columns."""
        try:
            with self._origin.open(step.file) as source:
                for name in (step.by, step.take):
                    if source.header.count(name) != 1:
                        raise Unfit(f"{step.file} has no column “{name}”, or has it twice")
                by, take = source.header.index(step.by), source.header.index(step.take)
                rows = (row.cells for row in source.rows if not row.problem)
                return {cells[by].strip(): cells[take].strip() for cells in rows if cells[take].strip()}
        except SourceUnreadable as error:
            raise Unfit(f"{step.file}, where it is looked up: {error}") from error
