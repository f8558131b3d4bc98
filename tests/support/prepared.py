"""A practice that is prepared once for the tests of a file, and copied for each: its letters take a second to write."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from conftest import practice_in
from outreach.database import open_database
from outreach.settings import Settings


def prepared(prepare: Callable[[Engine, Settings], None]) -> Any:
    """A fixture: the test's own `sqlite_engine`, with all in it that `prepare` leaves behind in such a database."""
    patterns: list[Path] = []

    @pytest.fixture
    def practice(sqlite_engine: Engine, sqlite_pattern: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
        if not patterns:
            folder = tmp_path_factory.mktemp("prepared")
            shutil.copyfile(sqlite_pattern, folder / "outreach.db")
            prepare(open_database(f"sqlite:///{folder / 'outreach.db'}"), practice_in(folder))
            patterns.append(folder / "outreach.db")
        shutil.copyfile(patterns[0], str(sqlite_engine.url.database))
        return sqlite_engine

    return practice
