"""Looks a value up in another file of the same place: an order's customer, for example, in the list of orders.

Each file is read once, its two columns kept in memory. It stores nothing.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from outreach.errors import SourceUnreadable
from outreach.intake.cells.unfit import Unfit
from outreach.intake.feeds import is_meant
from outreach.intake.mapping.columns import LookUp
from outreach.intake.mapping.files import FileMapping
from outreach.intake.sources.origins import Origin
from outreach.invisible_characters import drop_invisible


class LookUps:
    """The files of one folder, or tables of one database, that values are looked up in."""

    def __init__(self, origin: Origin, names: Sequence[str] = (), mapped: Sequence[FileMapping] = ()) -> None:
        self._origin, self._names, self._mapped = origin, names, mapped
        # On the object and not as a decorator, whose cache would keep the files in memory while the program runs.
        self._known = lru_cache(maxsize=None)(self._read)
        #: Ids of customers that no file has, of whom a mapping makes some.
        self.made: set[str] = set()

    def find(self, step: LookUp, text: str) -> str:
        """What the file has under `take` where it has `text` under `by`; empty, or the text itself, where it has none
        and the mapping says so. Raises Unfit where it does not."""
        value = self._known(step).get(text.casefold() if step.fold else text)
        if value is not None:
            return value
        if step.otherwise == "empty":
            return ""
        if step.otherwise == "customer":
            made = text.casefold() if step.fold else text
            self.made.add(made)
            return made
        raise Unfit(f"{step.file} does not know this {step.by}")

    def _read(self, step: LookUp) -> dict[str, str]:
        """Raises Unfit for a file that cannot be read, or has no such columns."""
        known: dict[str, str] = {}
        try:
            for name, file in self._meant(step):
                known |= self._read_file(step, name, file)
        except SourceUnreadable as error:
            raise Unfit(f"{step.file}, where it is looked up: {error}") from error
        return known

    def _meant(self, step: LookUp) -> Iterator[tuple[str, FileMapping | None]]:
        """The files of that part of the mapping, by what it is called, or the one of that name."""
        parts = [file for file in self._mapped if file.called == step.file]
        if not parts:
            yield step.file, None
        for file in parts:
            yield from ((name, file) for name in self._names if is_meant(self._origin, name, file))

    def _read_file(self, step: LookUp, name: str, file: FileMapping | None) -> dict[str, str]:
        strip = (file.strip if file else "") + " "

        def clean(cell: str) -> str:
            return drop_invisible(cell).strip(strip)

        with self._origin.open(name, file) as source:
            for wanted in (step.by, step.take):
                if source.header.count(wanted) != 1:
                    raise Unfit(f"{name} has no column “{wanted}”, or has it twice")
            by, take = source.header.index(step.by), source.header.index(step.take)
            pairs = ((clean(row.cells[by]), clean(row.cells[take])) for row in source.rows if not row.problem)
            return {(key.casefold() if step.fold else key): value for key, value in pairs if key and value}
