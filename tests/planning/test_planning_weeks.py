"""Touches per moment and week: the numbers, the picture of them, and the command that shows both."""

import json
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from typer.testing import CliRunner

from conftest import NOW, TODAY
from outreach.commands.main import app
from outreach.commands.simulate import try_knobs
from outreach.database import writing
from outreach.errors import NotFound, SettingsError
from outreach.moments import MOMENTS, knobs_for
from outreach.planning.forecast import Forecast, Foreseen
from outreach.planning.forecast_chart import Weeks, count_weeks, describe, draw_weeks, monday_of, nice_step
from outreach.settings import Settings
from planning_rows import faithful

SVG = "{http://www.w3.org/2000/svg}"


def touch(day: date, moment: str = "anniversary", cost: int = 105) -> Foreseen:
    return Foreseen(day, day, moment, "letter", "c1", "c1", cost)


def weeks_of(*messages: Foreseen, last: date = date(2026, 3, 31)) -> Weeks:
    return count_weeks(Forecast(date(2026, 3, 4), last, "USD", messages))


def test_each_touch_counts_in_the_week_in_which_it_leaves() -> None:
    weeks = weeks_of(touch(date(2026, 3, 8)), touch(date(2026, 3, 9)), touch(date(2026, 3, 15), "win_back", 0))
    assert weeks.mondays[:2] == [date(2026, 3, 2), date(2026, 3, 9)]
    assert weeks.counts == {
        ("anniversary", date(2026, 3, 2)): 1,
        ("anniversary", date(2026, 3, 9)): 1,
        ("win_back", date(2026, 3, 9)): 1,
    }
    assert weeks.costs == {"anniversary": 210, "win_back": 0}


def test_a_week_without_a_touch_is_there_and_empty() -> None:
    weeks = weeks_of(touch(date(2026, 3, 30)))
    assert len(weeks.mondays) == 5
    assert [weeks.of_week(monday) for monday in weeks.mondays] == [0, 0, 0, 0, 1]


def test_a_letter_that_leaves_after_the_last_day_has_its_week() -> None:
    late = Foreseen(date(2026, 3, 31), date(2026, 4, 7), "anniversary", "letter", "c1", "c1", 105)
    assert weeks_of(late).mondays[-1] == date(2026, 4, 6)


def test_moments_stand_in_the_order_in_which_they_come_first() -> None:
    weeks = weeks_of(*(touch(date(2026, 3, 9), moment) for moment in reversed(MOMENTS)))
    assert weeks.moments == list(MOMENTS)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_week_begins_on_its_monday(day: date) -> None:
    monday = monday_of(day)
    assert (monday.weekday(), day - monday < timedelta(days=7)) == (0, True)


@given(st.integers(0, 10**7))
def test_an_axis_has_at_most_six_lines(tallest: int) -> None:
    step = nice_step(tallest)
    assert tallest <= 6 * step
    assert str(step)[0] in "125"
    assert set(str(step)[1:]) <= {"0"}


def test_the_picture_says_in_words_what_it_shows_and_names_no_person() -> None:
    weeks = weeks_of(touch(date(2026, 3, 9)), touch(date(2026, 3, 10), "late_payment"))
    picture = ET.fromstring(draw_weeks(weeks, "Touches & costs"))
    said = [element.text for element in picture.iter() if element.tag in {f"{SVG}title", f"{SVG}desc", f"{SVG}text"}]
    assert "Touches & costs" in said
    assert describe(weeks) == "Touches per week over 5 weeks: 1 late payment, 1 anniversary."
    assert describe(weeks) in said
    assert "c1" not in draw_weeks(weeks, "t")


def test_bars_stand_on_each_other_and_are_as_tall_as_their_numbers() -> None:
    weeks = weeks_of(*[touch(date(2026, 3, 9))] * 3, touch(date(2026, 3, 10), "late_payment"))
    bars = [bar for bar in ET.fromstring(draw_weeks(weeks, "t")).iter(f"{SVG}rect") if len(bar)]
    heights = [float(bar.attrib["height"]) for bar in bars]
    assert heights[1] == pytest.approx(3 * heights[0], abs=0.3)
    assert float(bars[1].attrib["y"]) == pytest.approx(float(bars[0].attrib["y"]) - heights[1], abs=0.2)


def test_a_year_without_a_touch_has_a_picture_too() -> None:
    assert ET.fromstring(draw_weeks(weeks_of(), "nothing")).tag == f"{SVG}svg"


@pytest.fixture
def run(sqlite_engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    rows = [row for number in range(4) for row in faithful(f"c{number}", email=f"{number}@home.example")]
    with writing(sqlite_engine) as session:
        session.add_all(rows)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTREACH_DATABASE_URL", str(sqlite_engine.url))
    monkeypatch.setenv("OUTREACH_SECRET", "a secret for tests only")
    monkeypatch.setenv("OUTREACH_NOW", NOW.isoformat())
    monkeypatch.setenv("COLUMNS", "160")
    return CliRunner()


def test_simulate_shows_weeks_draws_them_and_writes_nothing_else(run: CliRunner, tmp_path: Path) -> None:
    span = ["--from", str(TODAY), "--to", str(TODAY + timedelta(days=20))]
    done = run.invoke(app, ["simulate", *span, "--picture", "weeks.svg"])
    assert done.exit_code == 0, done.output
    assert "anniversary" in done.output
    assert ET.parse(tmp_path / "weeks.svg").getroot().tag == f"{SVG}svg"
    said = json.loads(run.invoke(app, ["simulate", *span, "--json"]).output)
    assert sum(week["touches"] for week in said["weeks"]) == len(said["messages"])


def test_simulate_shows_what_a_knob_would_change(run: CliRunner) -> None:
    span = ["--from", str(TODAY), "--to", str(TODAY + timedelta(days=20))]
    done = run.invoke(app, ["simulate", *span, "--knob", "anniversary.most_a_day=1"])
    assert "as it is now" in done.output


@pytest.mark.parametrize("typed", ["anniversary.reward", "reward=1", "=", "anniversary.reward=much"])
def test_a_knob_that_does_not_fit_is_refused_with_what_to_write(settings: Settings, typed: str) -> None:
    with pytest.raises(SettingsError):
        try_knobs(settings, [typed])


def test_knobs_to_try_are_read_as_their_kind(settings: Settings) -> None:
    tried = try_knobs(settings, ["anniversary.reward=500", "win_back.rhythm=learned"])
    assert knobs_for(tried, "anniversary").model_dump()["reward"] == 500
    with pytest.raises(NotFound):
        try_knobs(settings, ["birthday.reward=1"])
