"""Knobs and answers on treatments saved at the desk: what stands, what is refused, what planning makes of it."""

import logging
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from flows.runs import open_run
from known_staff import know
from outreach.approval.knob_versions import list_knob_versions, save_knobs, undo_knobs
from outreach.approval.treatment_answers import answer_treatment
from outreach.commands.context import open_context
from outreach.composing.moment_data import Assignment, Occasion
from outreach.composing.template_data import FactFinder
from outreach.database import reading, writing
from outreach.errors import ApprovalError, NotAllowed, NotFound, SettingsError
from outreach.models import AuditEntry
from outreach.moments import knobs_for
from outreach.planning.knobs import with_saved_knobs
from outreach.planning.unanswered_treatments import waiting_treatments
from outreach.settings import MomentKnobs, Settings, load_settings
from planning_rows import customer, decision, faithful, granted, messages, plan, treated


def save(engine: Engine, settings: Settings, moment: str, **values: Any) -> None:
    know(engine, "maria")
    with writing(engine) as session:
        save_knobs(session, settings, moment, values, "maria", NOW)


def undo(engine: Engine, moment: str) -> None:
    know(engine, "maria")
    with writing(engine) as session:
        undo_knobs(session, moment, "maria", NOW)


def tuned(engine: Engine, settings: Settings) -> Settings:
    with reading(engine) as session:
        return with_saved_knobs(session, settings)


def answer(engine: Engine, name: str, said: str) -> None:
    know(engine, "maria")
    with writing(engine) as session:
        answer_treatment(session, name, said, "maria", NOW)


def audited(engine: Engine) -> list[tuple[str, str, str]]:
    with reading(engine) as session:
        return [(e.act, e.subject, e.actor) for e in session.exec(select(AuditEntry).order_by(AuditEntry.sequence))]


def test_saved_knobs_stand_above_outreach_toml_and_are_audited(engine: Engine, settings: Settings) -> None:
    save(engine, settings, "anniversary", reward=500, weekdays=["mon", "wed"])
    knobs = knobs_for(tuned(engine, settings), "anniversary")
    assert (knobs.reward, knobs.weekdays, knobs.silent_days) == (500, ["mon", "wed"], 365)
    assert knobs_for(settings, "anniversary").reward == 2000
    assert audited(engine) == [("knobs saved", "anniversary", "maria")]


def test_a_second_saving_keeps_what_the_first_one_changed(engine: Engine, settings: Settings) -> None:
    save(engine, settings, "anniversary", reward=500)
    save(engine, settings, "anniversary", most_a_day=3)
    knobs = knobs_for(tuned(engine, settings), "anniversary")
    assert (knobs.reward, knobs.most_a_day) == (500, 3)


def test_undo_is_a_new_version_with_the_values_of_the_one_before(engine: Engine, settings: Settings) -> None:
    save(engine, settings, "anniversary", reward=500)
    save(engine, settings, "anniversary", reward=700)
    undo(engine, "anniversary")
    assert knobs_for(tuned(engine, settings), "anniversary").reward == 500
    with reading(engine) as session:
        assert len(list_knob_versions(session, "anniversary")) == 3


def test_undoing_the_first_version_brings_outreach_toml_back(engine: Engine, settings: Settings) -> None:
    save(engine, settings, "anniversary", reward=500)
    undo(engine, "anniversary")
    assert tuned(engine, settings) == settings


def test_there_must_be_something_to_undo(sqlite_engine: Engine) -> None:
    with pytest.raises(ApprovalError, match="nothing to undo"):
        undo(sqlite_engine, "anniversary")


def test_saving_what_stands_already_makes_no_version(sqlite_engine: Engine, settings: Settings) -> None:
    save(sqlite_engine, settings, "anniversary", reward=2000)
    with reading(sqlite_engine) as session:
        assert list_knob_versions(session, "anniversary") == []


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"reward": -1}, "reward"),
        ({"weekdays": []}, "weekdays"),
        ({"weekdays": ["monday"]}, "weekdays"),
        ({"most_a_day": 0}, "most_a_day"),
        ({"channels": ["pigeon"]}, "channels"),
        ({"approval": "nobody"}, "approval"),
        ({"rewrd": 5}, "rewrd"),
    ],
)
def test_a_knob_that_does_not_fit_is_named_and_nothing_is_saved(
    sqlite_engine: Engine, settings: Settings, values: dict[str, Any], named: str
) -> None:
    with pytest.raises(SettingsError, match=named):
        save(sqlite_engine, settings, "anniversary", **values)
    assert tuned(sqlite_engine, settings) == settings
    assert audited(sqlite_engine) == []


def test_a_moment_that_does_not_exist_has_no_knobs(sqlite_engine: Engine, settings: Settings) -> None:
    with pytest.raises(NotFound):
        save(sqlite_engine, settings, "birthday", enabled=False)


def test_the_environment_stands_above_what_was_saved(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(sqlite_engine, settings, "anniversary", reward=500, silent_days=100)
    monkeypatch.setenv("OUTREACH_MOMENTS__ANNIVERSARY__REWARD", "900")
    knobs = knobs_for(tuned(sqlite_engine, load_settings()), "anniversary")
    assert (knobs.reward, knobs.silent_days) == (900, 100)


def test_a_knob_that_the_environment_fixes_cannot_be_saved(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTREACH_MOMENTS__ANNIVERSARY__REWARD", "900")
    with pytest.raises(SettingsError, match="OUTREACH_MOMENTS__ANNIVERSARY__REWARD"):
        save(sqlite_engine, load_settings(), "anniversary", reward=1)


# --- what planning makes of weekdays and size


def test_a_moment_is_put_off_to_the_next_of_its_weekdays(engine: Engine, settings: Settings) -> None:
    save(engine, settings, "anniversary", weekdays=["mon", "thu"])
    plan(engine, tuned(engine, settings), faithful())  # a Tuesday
    held = decision(engine, "anniversary")
    assert (held.outcome, held.rule, held.next_on) == ("not_yet", "weekday", date(2026, 3, 12))
    plan(engine, tuned(engine, settings), [], on=date(2026, 3, 12), now=NOW + timedelta(days=2))
    assert [message.run_on for message in messages(engine)] == [date(2026, 3, 12)]


def test_a_weekday_that_comes_too_late_is_never(sqlite_engine: Engine, settings: Settings) -> None:
    save(sqlite_engine, settings, "checkin", weekdays=["mon"])
    rows = [customer(), granted("email"), *treated()]
    plan(sqlite_engine, tuned(sqlite_engine, settings), rows)
    held = decision(sqlite_engine, "checkin")
    assert (held.outcome, held.rule) == ("never", "weekday")


def test_no_more_than_so_many_are_planned_on_a_day_and_the_rest_tomorrow(engine: Engine, settings: Settings) -> None:
    save(engine, settings, "anniversary", most_a_day=2)
    rows = [row for number in range(3) for row in faithful(f"c{number}", email=f"c{number}@home.example")]
    plan(engine, tuned(engine, settings), rows)
    assert len(messages(engine)) == 2
    held = decision(engine, "anniversary", "c2")
    assert (held.rule, held.next_on) == ("size", TODAY + timedelta(days=1))
    plan(engine, tuned(engine, settings), [])
    assert len(messages(engine)) == 2, "a second run of the day must not plan more"
    plan(engine, tuned(engine, settings), [], on=TODAY + timedelta(days=1))
    assert len(messages(engine)) == 3


def test_every_moment_has_all_weekdays_and_no_limit_unless_said(settings: Settings) -> None:
    assert MomentKnobs().weekdays == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert MomentKnobs().most_a_day is None


# --- treatments


def test_a_treatment_waits_until_somebody_says_yes(engine: Engine, settings: Settings) -> None:
    rows = [customer(), granted("email"), *treated(name="Crown")]
    plan(engine, tuned(engine, settings), rows)
    assert decision(engine, "checkin").rule == "treatment_not_allowed"
    with reading(engine) as session:
        (waiting,) = waiting_treatments(session, settings, TODAY)
    assert (waiting.name, waiting.times, waiting.last_on) == ("Crown", 1, TODAY - timedelta(days=2))
    answer(engine, "CROWN ", "yes")
    with reading(engine) as session:
        assert waiting_treatments(session, settings, TODAY) == []
    plan(engine, tuned(engine, settings), [], on=TODAY + timedelta(days=1))
    assert decision(engine, "checkin").outcome == "send"
    assert ("treatment answered", "crown", "maria") in audited(engine)


def test_a_no_stands_above_the_list_in_outreach_toml(engine: Engine, settings: Settings) -> None:
    answer(engine, "filling", "no")
    plan(engine, tuned(engine, settings), [customer(), granted("email"), *treated(name="Filling")])
    assert decision(engine, "checkin").rule == "treatment_not_allowed"


def test_words_name_no_treatment_that_was_answered_with_no(sqlite_engine: Engine, settings: Settings) -> None:
    answer(sqlite_engine, "filling", "no")
    two_days_ago = TODAY - timedelta(days=2)
    with writing(sqlite_engine) as session:
        session.add_all([customer(), *treated(name="Filling"), *treated(name="Extraction")])
    assignment = Assignment(
        "R", "checkin", "email", "c1", (Occasion("c1", two_days_ago.isoformat(), two_days_ago),), TODAY, TODAY
    )
    with reading(sqlite_engine) as session:
        facts = FactFinder(session, tuned(sqlite_engine, settings), [assignment], b"a key").facts_for(assignment, "en")
    assert facts.fields["treatment"] == "Extraction"


def test_an_answer_can_be_changed(sqlite_engine: Engine, settings: Settings) -> None:
    answer(sqlite_engine, "Crown", "no")
    answer(sqlite_engine, "Crown", "yes")
    assert "crown" in knobs_for(tuned(sqlite_engine, settings), "checkin").treatments


def test_care_that_is_never_asked_about_neither_waits_nor_takes_a_yes(
    sqlite_engine: Engine, settings: Settings
) -> None:
    with writing(sqlite_engine) as session:
        session.add_all([customer(), *treated(name="Pregnancy counselling"), *treated(name="Crown")])
    with reading(sqlite_engine) as session:
        assert [row.name for row in waiting_treatments(session, settings, TODAY)] == ["Crown"]
    with pytest.raises(ApprovalError, match="never mentioned"):
        answer(sqlite_engine, "Pregnancy counselling", "yes")


@pytest.mark.parametrize(("name", "said"), [("Crown", "maybe"), ("", "yes"), ("x" * 121, "no")])
def test_an_answer_is_a_yes_or_a_no_to_a_short_name(sqlite_engine: Engine, name: str, said: str) -> None:
    with pytest.raises(ApprovalError):
        answer(sqlite_engine, name, said)


def test_every_command_sees_what_was_saved_and_pages_keep_what_is_written(
    sqlite_engine: Engine, settings: Settings
) -> None:
    save(sqlite_engine, settings, "anniversary", reward=500)
    call = open_context(str(sqlite_engine.url), "2026-03-10T15:00Z")
    assert knobs_for(call.settings, "anniversary").reward == 500
    assert knobs_for(call.written, "anniversary").reward == 2000


def test_every_flow_sees_what_was_saved(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(sqlite_engine, settings, "anniversary", reward=500)
    monkeypatch.setenv("OUTREACH_DATABASE_URL", str(sqlite_engine.url))
    monkeypatch.setattr("flows.runs.get_run_logger", lambda: logging.getLogger("flow"))
    with open_run() as run:
        assert knobs_for(run.settings, "anniversary").reward == 500


def test_a_viewer_saves_no_knob_and_answers_nothing_whatever_page_let_them_in(
    sqlite_engine: Engine, settings: Settings
) -> None:
    know(sqlite_engine, "maria", "viewer")
    for act in (
        lambda: save(sqlite_engine, settings, "anniversary", reward=500),
        lambda: undo(sqlite_engine, "anniversary"),
        lambda: answer(sqlite_engine, "Crown", "yes"),
    ):
        with pytest.raises(NotAllowed, match="their role is viewer"):
            act()
    assert audited(sqlite_engine) == []
