"""What care that is never mentioned holds beside the check-in, and treatments of visits that never took place."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel, select

from conftest import TODAY
from outreach.database import reading, writing
from outreach.models import Customer, Treatment, Visit
from outreach.moments import find_moments
from outreach.moments.relationship import first_contact, last_contact
from outreach.planning.customer_state import load_standings
from outreach.planning.knobs import overlay_knobs
from outreach.planning.unanswered_treatments import waiting_treatments
from outreach.settings import Settings
from planning_rows import at, customer, decision, faithful, granted, late, messages, payments_fresh, plan, treated

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


# --- treatments of visits that never took place


def in_a_visit(status: str | None, name: str = "Filling", **values: Any) -> list[SQLModel]:
    on = TODAY - timedelta(days=2)
    visit = Visit(visit_id="v", customer_id="c1", starts_at=at(on), starts_on=on, status=status)
    return [customer(), granted("email"), visit, treatment("v", name, **values)]


def treatment(visit_id: str, name: str = "Filling", **values: Any) -> Treatment:
    on = TODAY - timedelta(days=2)
    return Treatment(
        treatment_id="t", customer_id="c1", visit_id=visit_id, name=name, done_at=at(on), done_on=on, **values
    )


def store(engine: Engine, rows: Iterable[SQLModel]) -> None:
    with writing(engine) as session:
        session.add_all(rows)


def has(engine: Engine, settings: Settings, kind: str) -> list[str]:
    with reading(engine) as session:
        return [found.customer_id for found in find_moments(session, settings, TODAY, [kind])]


@pytest.mark.parametrize("status", ["no_show", "cancelled", "completed", None])
def test_what_was_to_be_done_in_a_visit_that_was_missed_is_not_asked_about(
    engine: Engine, settings: Settings, status: str | None
) -> None:
    store(engine, in_a_visit(status))
    assert has(engine, settings, "checkin") == ([] if status in {"no_show", "cancelled"} else ["c1"])


def test_a_treatment_of_a_visit_that_is_not_on_record_was_done(engine: Engine, settings: Settings) -> None:
    store(engine, [customer(), treatment("gone")])
    assert has(engine, settings, "checkin") == ["c1"]


@pytest.mark.parametrize("status", ["no_show", "completed"])
def test_a_promise_is_not_broken_by_a_visit_that_they_missed(engine: Engine, settings: Settings, status: str) -> None:
    store(engine, in_a_visit(status, promised_at=at(TODAY - timedelta(days=3))))
    assert has(engine, settings, "recovery") == ([] if status == "no_show" else ["c1"])


def test_a_missed_visits_treatment_is_no_contact_and_waits_for_no_yes(engine: Engine, settings: Settings) -> None:
    store(engine, in_a_visit("no_show", name="Whitening"))
    with reading(engine) as session:
        assert waiting_treatments(session, settings, TODAY) == []
        standing = load_standings(session, TODAY, {"c1"}, "USD")["c1"]
        contacts = select(first_contact(), last_contact(TODAY)).select_from(Customer)
        assert session.execute(contacts).all() == [(None, None)]
    assert (standing.treatments, standing.last_contact) == ([], None)


def visit_of(visit_id: str, on: date, status: str, by: str | None = None, until: datetime | None = None) -> Visit:
    return Visit(
        visit_id=visit_id,
        customer_id="c1",
        starts_at=at(on),
        starts_on=on,
        status=status,
        cancelled_by=by,
        ended_at=until,
    )


@pytest.mark.parametrize(
    ("status", "ahead", "found"),
    [
        ("completed", 0, []),
        ("completed", -1, []),
        ("booked", 0, ["c1"]),
        ("no_show", 0, ["c1"]),
        ("completed", -9, ["c1"]),
    ],
)
def test_a_visit_that_we_moved_and_held_all_the_same_opens_no_recovery(
    engine: Engine, settings: Settings, status: str, ahead: int, found: list[str]
) -> None:
    on = TODAY - timedelta(days=1)
    store(engine, [customer(), visit_of("a", on, "cancelled", "us"), visit_of("b", on + timedelta(days=ahead), status)])
    assert has(engine, settings, "recovery") == found


def test_another_persons_visit_does_not_hold_ours(engine: Engine, settings: Settings) -> None:
    on = TODAY - timedelta(days=1)
    other = visit_of("b", on, "completed")
    other.customer_id = "c2"
    store(engine, [customer(), customer("c2"), visit_of("a", on, "cancelled", "us"), other])
    assert has(engine, settings, "recovery") == ["c1"]


def test_a_stay_of_several_days_is_surveyed_the_day_after_it_ended(engine: Engine, settings: Settings) -> None:
    began, ended = TODAY - timedelta(days=6), TODAY - timedelta(days=1)
    store(engine, [customer(), visit_of("stay", began, "completed", until=at(ended))])
    with reading(engine) as session:
        days = {day: find_moments(session, settings, day, ["survey"]) for day in (began + timedelta(days=1), TODAY)}
    assert days[began + timedelta(days=1)] == []
    assert [(found.occasion, found.occasion_on) for found in days[TODAY]] == [(began.isoformat(), ended)]


@pytest.mark.parametrize("minutes", [40, -40, None])
def test_a_visit_of_one_day_is_surveyed_the_day_after_whatever_end_it_has(
    engine: Engine, settings: Settings, minutes: int | None
) -> None:
    on = TODAY - timedelta(days=1)
    until = None if minutes is None else at(on) + timedelta(minutes=minutes)
    store(engine, [customer(), visit_of("v", on, "completed", until=until)])
    assert has(engine, settings, "survey") == ["c1"]
