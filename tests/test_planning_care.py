"""What care that is never mentioned holds beside the check-in, and treatments of visits that never took place."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel
from test_planning import at, customer, decision, faithful, granted, late, messages, payments_fresh, plan, treated

from conftest import TODAY
from outreach.database import reading
from outreach.models import Visit
from outreach.planning.knobs import overlay_knobs
from outreach.planning.treatments import waiting_treatments
from outreach.settings import Settings

ABROAD = (
    "Human immunodeficiency virus antigen test",
    "Kaiserschnitt",
    "سزارین",
    "Tubal ligation",
    "Induction of labor",
)


def yesterdays_visit() -> list[SQLModel]:
    on = TODAY - timedelta(days=1)
    return [
        Visit(visit_id="v", customer_id="c1", starts_at=at(on), starts_on=on, status="completed"),
        granted("email"),
        granted("email", "marketing"),
    ]


@pytest.mark.parametrize("name", ABROAD)
def test_such_care_is_never_asked_about_whatever_list_it_stands_on(
    sqlite_engine: Engine, settings: Settings, name: str
) -> None:
    allowed = overlay_knobs(settings, "checkin", {"treatments": [name, "Filling"]})
    plan(sqlite_engine, allowed, [customer(), granted("email"), *treated(name=name), *treated(name="Filling")])
    assert decision(sqlite_engine, "checkin").rule == "sensitive"


def test_what_only_sounds_like_it_is_asked_about(sqlite_engine: Engine, settings: Settings) -> None:
    name = "Instrumental calculus removal"
    allowed = overlay_knobs(settings, "checkin", {"treatments": [name]})
    plan(sqlite_engine, allowed, [customer(), granted("email"), *treated(name=name)])
    assert decision(sqlite_engine, "checkin").outcome == "send"


@pytest.mark.parametrize(("days", "held"), [(1, True), (29, True), (30, False)])
def test_such_care_holds_survey_and_present_for_thirty_days(
    sqlite_engine: Engine, every_moment: Settings, days: int, held: bool
) -> None:
    rows = [*treated(name="Psychotherapy", on=TODAY - timedelta(days=days)), *yesterdays_visit()]
    plan(sqlite_engine, every_moment, [*faithful(email="ann@home.example"), *rows])
    assert (decision(sqlite_engine, "survey").rule == "after_care") == held
    assert (decision(sqlite_engine, "anniversary").rule == "after_care") == held
    assert "Psychotherapy" not in decision(sqlite_engine, "survey").reason


def test_such_care_holds_a_win_back(sqlite_engine: Engine, every_moment: Settings) -> None:
    soon = overlay_knobs(every_moment, "win_back", {"silent_days": 20})
    rows = treated(name="Miscarriage", on=TODAY - timedelta(days=25))
    plan(sqlite_engine, soon, [customer(), granted("email", "marketing"), *rows])
    assert decision(sqlite_engine, "win_back").rule == "after_care"


def test_such_care_does_not_hold_what_the_page_does_not_name(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [*treated(name="Psychotherapy", on=TODAY - timedelta(days=5)), *late(), payments_fresh()]
    plan(sqlite_engine, settings, [customer(), *rows])
    assert decision(sqlite_engine, "late_payment").outcome == "send"


@pytest.mark.parametrize(("days", "held"), [(0, True), (89, True), (90, False)])
def test_a_hospice_holds_everything_for_the_days_of_mourning(
    sqlite_engine: Engine, every_moment: Settings, days: int, held: bool
) -> None:
    rows = [*treated(name="Hospice care (regime/therapy)", on=TODAY - timedelta(days=days)), *yesterdays_visit()]
    plan(sqlite_engine, every_moment, [*faithful(), *rows, *late(), payments_fresh()])
    rules = {decision(sqlite_engine, kind).rule for kind in ("survey", "late_payment")}
    assert rules == {"end_of_life"} if held else "end_of_life" not in rules
    assert bool(messages(sqlite_engine)) != held


def test_such_care_waits_for_nobodys_yes(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [customer(), *treated(name="Kaiserschnitt"), *treated(name="Füllung")]
    plan(sqlite_engine, settings, rows)
    with reading(sqlite_engine) as session:
        assert [waiting.name for waiting in waiting_treatments(session, settings, TODAY)] == ["Füllung"]
