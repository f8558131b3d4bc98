"""Writes the rows that were refused as they were, each with the reason, to be mended and imported again.

It repeats customers' data, and so is readable by its owner alone; the reasons beside the rows never do.
"""

import csv
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path, PurePath
from typing import TextIO

from outreach.errors import SettingsError
from outreach.intake.sources.origins import SHEET
from outreach.local_files import open_private

WHY = "why it was refused"


class RefusedFile:
    """A CSV file of refused rows, and a further one for each further file that rows were refused of."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: dict[str, TextIO] = {}
        self._paths: dict[str, Path] = {}
        self._seen: set[tuple[str, int]] = set()

    def add(self, source: str, header: Sequence[str], line: int, cells: Sequence[str], reason: str) -> None:
        """Writes one row; of one that is refused for several tables, the first time. Raises SettingsError where the
        file cannot be written."""
        if (source, line) in self._seen:
            return
        self._seen.add((source, line))
        if source not in self._files:
            self._files[source] = self._open(source)
            self._write(source, [*(name for name in header if name != WHY), WHY])
        width = len([name for name in header if name != WHY])
        self._write(source, [*cells[:width], *[""] * (width - len(cells)), reason])

    def close(self) -> list[Path]:
        """Ends the files, and returns where they are; nothing can be added any more."""
        for file in self._files.values():
            file.close()
        return list(self._paths.values())

    def _open(self, source: str) -> TextIO:
        path = self._beside(source) if self._files else self._path
        self._paths[source] = path
        try:
            return open_private(path)
        except OSError as error:
            raise SettingsError(f"The refused rows cannot be written to {path} ({error.strerror})") from error

    def _beside(self, source: str) -> Path:
        """A path of its own for a further file, with the name of that file, or of the sheet, in it."""
        own = PurePath(source.rpartition(SHEET)[2]).stem
        names = (f"{self._path.stem}-{own}{more}.csv" for more in chain([""], (f"-{number}" for number in count(2))))
        return next(path for name in names if (path := self._path.with_name(name)) not in self._paths.values())

    def _write(self, source: str, cells: Sequence[str]) -> None:
        csv.writer(self._files[source]).writerow(cells)
