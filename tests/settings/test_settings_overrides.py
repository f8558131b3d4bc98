"""One value from the environment or the file: it is read as the page says, and takes nothing else with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from outreach.errors import SettingsError
from outreach.moments import MOMENTS, knobs_for
from outreach.settings import Providers, Settings, fixed_knobs, load_settings

PARTS = sorted(name for name, field in Providers.model_fields.items() if isinstance(field.default, BaseModel))


@pytest.fixture(autouse=True)
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "outreach.toml"
    path.write_text("")
    monkeypatch.setenv("OUTREACH_CONFIG", str(path))
    return path


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("CHECKIN__TREATMENTS", '["Filling"]', ["Filling"]),
        ("CHECKIN__TREATMENTS", "[]", []),
        ("WELCOME__CHANNELS", '["text"]', ["text"]),
        ("WELCOME__WEEKDAYS", '["mon", "tue"]', ["mon", "tue"]),
        ("WELCOME__ENABLED", "false", False),
        ("WELCOME__MOST_A_DAY", "5", 5),
        ("WELCOME__MOST_A_DAY", "null", None),
        ("WELCOME__APPROVAL", "person", "person"),
        ("WELCOME__APPROVAL", '"person"', "person"),
    ],
)
def test_a_knob_in_the_environment_is_read_as_the_page_says(
    monkeypatch: pytest.MonkeyPatch, name: str, written: str, expected: object
) -> None:
    monkeypatch.setenv(f"OUTREACH_MOMENTS__{name}", written)
    moment, knob = name.lower().split("__")
    assert getattr(knobs_for(load_settings(), moment), knob) == expected
    assert fixed_knobs(moment) == {knob}


def test_every_knob_of_every_moment_takes_its_own_default_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = {moment: definition.knobs().model_dump(mode="json") for moment, definition in MOMENTS.items()}
    for moment, knobs in defaults.items():
        for knob, value in knobs.items():
            written = value if isinstance(value, str) else json.dumps(value)
            monkeypatch.setenv(f"OUTREACH_MOMENTS__{moment}__{knob}".upper(), written)
    settings = load_settings()
    assert {moment: knobs_for(settings, moment).model_dump(mode="json") for moment in MOMENTS} == defaults


def test_a_knob_in_the_environment_keeps_the_others_of_the_file(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml.write_text('[moments.checkin]\ngrace_days = 3\ntreatments = ["Crown"]\n[moments.welcome]\nenabled = false\n')
    monkeypatch.setenv("OUTREACH_MOMENTS__CHECKIN__TREATMENTS", '["Filling"]')
    settings = load_settings()
    assert settings.moments["checkin"] == {"grace_days": 3, "treatments": ["Filling"]}
    assert settings.moments["welcome"] == {"enabled": False}


def test_a_knob_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTREACH_MOMENTS__CHECKIN__TREATMENTS", '["Filling"')
    with pytest.raises(SettingsError, match="treatments"):
        knobs_for(load_settings(), "checkin")


def other_than(value: Any) -> str:
    """Another value of the same kind, as a setting is written."""
    if isinstance(value, bool):
        return json.dumps(not value)
    if isinstance(value, int | float):
        return json.dumps(value + 1)
    return json.dumps("elsewhere")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("place", ["environment", "file"])
def test_one_setting_of_a_provider_keeps_the_defaults_of_its_others(
    toml: Path, monkeypatch: pytest.MonkeyPatch, part: str, place: str
) -> None:
    defaults = getattr(Settings().providers, part).model_dump()
    for name in [name for name in defaults if name in {"folder", "health", "debt", "url", "per_second"}]:
        value = other_than(defaults[name])
        if place == "file":
            toml.write_text(f"[providers.{part}]\n{name} = {value}\n")
        else:
            monkeypatch.setenv(f"OUTREACH_PROVIDERS__{part}__{name}".upper(), value.strip('"'))
        changed = getattr(load_settings().providers, part).model_dump()
        assert {other for other in defaults if changed[other] != defaults[other]} == {name}
        monkeypatch.delenv(f"OUTREACH_PROVIDERS__{part}__{name}".upper(), raising=False)


def parts_of(model: BaseModel, above: str = "") -> list[tuple[str, BaseModel]]:
    """Every part of the settings that has a default, with its name."""
    found = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            found += [(f"{above}{name}", value), *parts_of(value, f"{above}{name}.")]
    return found


def test_no_part_of_the_settings_has_a_default_that_one_written_value_would_lose() -> None:
    parts = parts_of(Settings())
    assert [name for name, part in parts if part != type(part)()] == []
    assert {"providers.outbox", "providers.lob", "hours"} <= {name for name, _ in parts}


def test_the_outbox_with_a_folder_of_its_own_still_carries_health_and_debt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTREACH_PROVIDERS__OUTBOX__FOLDER", "/somewhere")
    outbox = load_settings().providers.outbox
    assert (outbox.folder, outbox.health, outbox.debt) == (Path("/somewhere"), True, True)
