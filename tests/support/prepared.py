"""A practice that is prepared once for the tests of a file, and copied for each: its letters take a second to write."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from conftest import NOW, TODAY, practice_in
from outreach.approval.open_batches import open_batches
from outreach.composing.run import compose_planned
from outreach.database import open_database
from outreach.settings import Settings
from planned import add_customer, know_contacts, plan


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


def prepare_few(letters: int) -> Callable[[Engine, Settings], None]:
    """For `prepared`: so many letters and an e-mail that wait, in a batch each."""

    def prepare(engine: Engine, settings: Settings) -> None:
        for number in range(letters):
            add_customer(engine, f"c{number}", address_line1=f"{number + 1} Orchard Terrace")
            plan(engine, "anniversary", "letter", f"c{number}")
        plan(engine, "checkin", "email", "c1")
        open_planned(engine, settings)

    return prepare


def open_planned(engine: Engine, settings: Settings) -> None:
    """Writes all that is planned, and opens the batches that wait for a person."""
    assert not compose_planned(engine, settings, TODAY, NOW).to_mend
    know_contacts(engine)
    open_batches(engine, settings, TODAY, NOW)
