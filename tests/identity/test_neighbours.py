"""After an import only those are looked at who may live with somebody else since; what comes of it is what looking at
everybody would find."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from intake_data import import_folder
from outreach.database import reading, upsert, writing
from outreach.identity import households
from outreach.identity.households import detect_households
from outreach.models import Customer, Flag
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
HEADER = "customer_id,household_id,address_line1,postal_code,country"
HOME = "27 Orchard Terrace,05404,US"


def take(engine: Engine, settings: Settings, folder: Path, *rows: str) -> None:
    (folder / "customers.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    import_folder(engine, folder, settings, NOW)


def found(engine: Engine) -> dict[str, str | None]:
    with reading(engine) as session:
        return {one.customer_id: one.household_found for one in session.exec(select(Customer))}


def rows_of(draw: random.Random, ids: Sequence[int]) -> list[str]:
    streets, codes = ["27 Orchard Terrace", "27, ORCHARD terrace", "29 Orchard Terrace", ""], ["05404", "05 404", ""]
    household = ["", "", "", "h1", "h2"]
    return [f"c{id_},{draw.choice(household)},{draw.choice(streets)},{draw.choice(codes)},US" for id_ in ids]


@pytest.mark.parametrize("seed", range(6))
def test_what_the_neighbours_of_the_moved_are_found_to_be_is_what_all_are(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    take(sqlite_engine, settings, tmp_path, *rows_of(draw, range(12)))
    for _ in range(6):
        take(sqlite_engine, settings, tmp_path, *rows_of(draw, draw.sample(range(16), 3)))
        after = found(sqlite_engine)
        assert detect_households(sqlite_engine, settings, NOW) == 0, "looking at everybody finds something else"
        assert found(sqlite_engine) == after


def test_who_stays_behind_alone_has_no_household_any_more(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    take(engine, settings, tmp_path, f"a,,{HOME}", f"b,,{HOME}")
    assert found(engine)["a"] == found(engine)["b"] is not None
    take(engine, settings, tmp_path, "b,,1 Elm Street,02134,US")
    assert found(engine) == {"a": None, "b": None}


def test_a_flag_from_the_desk_counts_at_the_next_import(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    take(engine, settings, tmp_path, f"a,,{HOME}", f"b,,{HOME}")
    with writing(engine) as session:
        upsert(session, Flag, [{"customer_id": "a", "kind": "separated", "from_on": date(2026, 3, 1)}])
    take(engine, settings, tmp_path, "c,,1 Elm Street,02134,US")
    assert found(engine) == {"a": None, "b": None, "c": None}


def test_only_neighbours_are_looked_at(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(sqlite_engine, settings, tmp_path, f"a,,{HOME}", "b,,1 Elm Street,02134,US")
    monkeypatch.setattr(households, "_pages", lambda _: pytest.fail("everybody was looked at"))
    take(sqlite_engine, settings, tmp_path, f"c,,{HOME}")
    assert found(sqlite_engine)["a"] == found(sqlite_engine)["c"] is not None


def test_after_an_import_that_was_interrupted_everybody_is_looked_at(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    take(sqlite_engine, settings, tmp_path, "x,,1 Elm Street,02134,US")
    with monkeypatch.context() as patched:
        patched.setattr("outreach.intake.run.detect_households", stop)
        with pytest.raises(KeyboardInterrupt):
            take(sqlite_engine, settings, tmp_path, f"a,,{HOME}", f"b,,{HOME}")
    # The same rows again: nobody moves now.
    take(sqlite_engine, settings, tmp_path, f"a,,{HOME}", f"b,,{HOME}")
    assert found(sqlite_engine)["a"] == found(sqlite_engine)["b"] is not None
