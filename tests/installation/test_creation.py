"""What `outreach new` asks and writes."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from checkout import PROJECT
from outreach.commands.new import app
from outreach.errors import SettingsError
from outreach.installation.creation import (
    NewBusiness,
    create_installation,
    known_currency,
    known_language,
    known_zone,
    write_settings,
)
from outreach.moments import MOMENTS, knobs_for
from outreach.settings import load_settings

ON = date(2026, 11, 30)
EXAMPLE = (PROJECT / "outreach.toml").read_text(encoding="utf-8")
SOL = NewBusiness(
    "Fisioterapia “Sol”", "ES", "Europe/Madrid", "en", "EUR", "health", ["Calle Mayor 1", "28013 Madrid"],
    "+34 910 000 000", "hola@sol.example", "María Peña",
)  # fmt: skip


def test_the_settings_hold_what_was_answered_and_nothing_of_the_example_practice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_installation(tmp_path / "sol", SOL, ON)
    monkeypatch.chdir(tmp_path / "sol")
    settings = load_settings()
    business = settings.business
    assert (business.name, business.country, business.timezone) == ("Fisioterapia “Sol”", "ES", "Europe/Madrid")
    assert (business.language, business.currency, business.kind) == ("en", "EUR", "health")
    assert (business.address, business.phone) == (["Calle Mayor 1", "28013 Madrid"], "+34 910 000 000")
    assert [(each.name, each.consent_on) for each in business.signatories] == [("María Peña", ON)]
    assert settings.templates == Path("templates")
    written = (tmp_path / "sol" / "outreach.toml").read_text(encoding="utf-8")
    for foreign in (
        "Alder Lane",
        "Burlington",
        "alderlane",
        "Nora",
        "Okafor",
        "Root canal",
        "802 555",
        "sample practice",
    ):
        assert foreign not in written


def test_no_comment_of_the_example_is_lost_but_those_of_its_own_business() -> None:
    def comments(text: str) -> set[str]:
        return {line.partition("#")[2].strip() for line in text.splitlines() if "#" in line}

    lost = comments(EXAMPLE) - comments(write_settings(EXAMPLE, SOL, ON))
    assert {line.split()[0] for line in lost} == {"The", "where"}, lost


def test_nobody_signs_who_has_not_agreed_to_it_and_the_file_shows_how_to_name_somebody() -> None:
    text = write_settings(EXAMPLE, replace(SOL, signed_by=""), ON)
    assert "signatories" not in tomllib.loads(text)["business"]
    uncommented = text.replace("# [[business.signatories]]", "[[business.signatories]]")
    assert "\n# [[business.signatories]]\n# name = " in text
    assert tomllib.loads(uncommented)["business"]["signatories"] == [{}]


@hypothesis.settings(max_examples=20)
@given(name=st.text(), line=st.text(), signed_by=st.text(min_size=1))
def test_any_name_can_be_written_and_is_read_back_as_it_was(name: str, line: str, signed_by: str) -> None:
    text = write_settings(EXAMPLE, replace(SOL, name=name, address=[line], signed_by=signed_by), ON)
    business: dict[str, Any] = tomllib.loads(text)["business"]
    assert (business["name"], business["address"]) == (name, [line])
    assert business["signatories"][0]["name"] == signed_by


@pytest.mark.parametrize(
    ("read", "typed", "meant"),
    [
        (partial(known_zone, country="AU"), "Melbourne", "Australia/Melbourne"),
        (partial(known_zone, country="US"), "new york", "America/New_York"),
        (partial(known_zone, country="US"), "Europe/Berlin", "Europe/Berlin"),
        (known_language, " ES ", "es"),
        (known_currency, "usd", "USD"),
    ],
)
def test_an_answer_is_taken_as_people_type_it(read: Callable[[str], str], typed: str, meant: str) -> None:
    assert read(typed) == meant


@pytest.mark.parametrize(
    ("read", "typed", "says"),
    [
        (partial(known_zone, country="NZ"), "Madrid", "no time zone “Madrid”; in NZ there are Pacific/Auckland"),
        (known_language, "spanish", "no language “spanish”; write two letters, such as en"),
        (known_currency, "euro", "no currency “euro”; write three letters, such as USD"),
    ],
)
def test_an_answer_that_names_nothing_is_refused_with_what_would_do(
    read: Callable[[str], str], typed: str, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        read(typed)


@pytest.mark.parametrize("there", ["outreach.toml", "templates", "prefect.yaml", ".gitignore"])
def test_nothing_is_written_where_a_part_of_an_installation_is_already(tmp_path: Path, there: str) -> None:
    (tmp_path / there).touch()
    with pytest.raises(SettingsError, match=f"has {there} already"):
        create_installation(tmp_path, SOL, ON)
    assert [path.name for path in tmp_path.iterdir()] == [there]


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="file.* cannot be written"):
        create_installation(tmp_path / "file" / "sol", SOL, ON)


def test_what_is_asked_has_likely_answers_and_a_wrong_one_is_asked_again_alone(tmp_path: Path) -> None:
    typed = ["Sol", "Atlantis", "Australia", "Atlantis", "melbourne", "", "dollars", ""]
    done = CliRunner().invoke(app, [str(tmp_path / "sol")], input="\n".join(typed) + "\n")
    assert done.exit_code == 0, done.output
    for said in (
        "no country “Atlantis”",
        "no time zone “Atlantis”",
        "Australia/Sydney",
        "no currency “dollars”",
        "[AUD]",
    ):
        assert said in done.output
    assert done.output.count("What is the business called?") == 1
    business = tomllib.loads((tmp_path / "sol" / "outreach.toml").read_text(encoding="utf-8"))["business"]
    assert (business["timezone"], business["currency"], business["country"]) == ("Australia/Melbourne", "AUD", "AU")


def test_a_country_of_one_time_zone_suggests_it(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [str(tmp_path / "sol")], input="Sol\nAustria\n\n\n\n")
    assert done.exit_code == 0, done.output
    assert "Its time zone? [Europe/Vienna]" in done.output


def test_a_business_that_begins_gives_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CliRunner().invoke(app, [str(tmp_path / "sol")], input="Sol\nAustria\n\n\n\n")
    monkeypatch.chdir(tmp_path / "sol")
    settings = load_settings()
    gifts = {name: getattr(knobs_for(settings, name), "reward", 0) for name in MOMENTS}
    assert {name for name, gift in gifts.items() if gift} == set()


def test_where_nobody_is_there_to_answer_the_option_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [str(tmp_path / "sol"), "--name", "Sol", "--country", "US"], input="")
    assert isinstance(done.exception, SettingsError)
    assert "--timezone" in str(done.exception)
    assert not (tmp_path / "sol").exists()
