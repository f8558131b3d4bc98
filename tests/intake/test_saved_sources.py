"""Sources that the settings name: the desk and the nightly flow know them, and history tells how each night went."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from intake_data import stored, write
from outreach.database import reading
from outreach.errors import NotFound, NotRecognised
from outreach.intake.history import NIGHTLY_RUN, PastIntake, find_last
from outreach.intake.saved_sources import import_at_night, require_source, source_of
from outreach.models import Customer
from outreach.settings import Settings
from outreach.settings.sources import SavedSource

NOW = datetime(2026, 3, 10, 4, 30, tzinfo=UTC)


def saved(settings: Settings, **values: str) -> Settings:
    return settings.model_copy(update={"sources": (SavedSource.model_validate({"name": "Till", **values}),)})


def last(engine: Engine) -> PastIntake:
    with reading(engine) as session:
        found = find_last(session)
    assert found is not None
    return found


def test_a_source_is_known_by_its_name_and_anything_else_is_a_folder(settings: Settings) -> None:
    named = saved(settings, place="till/", preset="shopify")
    assert source_of(named, "Till").place == "till/"
    assert source_of(named, "data").place == "data"
    by_mapping = source_of(named, "Till", Path("own.toml"))
    assert (by_mapping.mapping, by_mapping.preset) == (Path("own.toml"), None)
    with pytest.raises(NotFound, match=r"outreach.toml names Till"):
        require_source(named, "Tills")


def test_a_night_is_written_down_under_the_name_of_its_source(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    write(tmp_path / "till", "customers.csv", ["customer_id", "given_name"], ["c1", "Ada"])
    source = require_source(saved(settings, place=str(tmp_path / "till")), "Till")
    assert import_at_night(engine, source, settings, NOW).accepted == 1
    assert (last(engine).intake.by, last(engine).intake.source, last(engine).read) == (NIGHTLY_RUN, "Till", 1)


def test_at_night_the_export_of_a_known_system_is_recognised(engine: Engine, settings: Settings, shared: Path) -> None:
    source = source_of(settings, str(shared / "data" / "exports" / "shopify"))
    assert import_at_night(engine, source, settings, NOW).accepted
    assert stored(engine, Customer)


def test_a_night_in_which_nothing_is_recognised_stands_in_the_history(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    write(tmp_path / "data", "list.csv", ["Ref", "Called", "Wohnt"], ["1", "Ada", "here"])
    with pytest.raises(NotRecognised):
        import_at_night(engine, source_of(settings, str(tmp_path / "data")), settings, NOW)
    assert last(engine).needs_a_look
    assert "no system is recognised" in last(engine).intake.problem
