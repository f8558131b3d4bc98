"""Who has a moment of care on a date: recovery, goodwill, enquiry, review reply, welcome, survey; clause by clause."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel

from conftest import TODAY
from moment_rows import ago, c1, find, noon, said, treatment, visit
from moment_rows_care import again, asked, called_off, named
from outreach.models import Customer, Feedback, Treatment
from outreach.settings import Settings, load_settings


def promised(done: datetime, by: datetime | None, number: int = 1) -> Treatment:
    row = treatment(done.date(), number)
    row.done_at, row.promised_at = done, by
    return row


# --- recovery

WRONG = [
    pytest.param([said("complaint", TODAY)], "f1", id="a complaint"),
    pytest.param([said("complaint", TODAY, status="open")], "f1", id="a complaint marked open"),
    pytest.param([said("score", TODAY, score=6)], "f1", id="a score of six"),
    pytest.param([said("score", TODAY, score=0)], "f1", id="a score of nothing"),
    pytest.param([called_off(TODAY)], "vc11", id="a visit that we called off"),
    pytest.param([promised(noon(TODAY), noon(ago(1)))], "tc11", id="done a day after the promise"),
    pytest.param([promised(noon(TODAY), noon(TODAY) - timedelta(seconds=1))], "tc11", id="done a second after it"),
]
FINE = [
    pytest.param([said("score", TODAY, score=7)], id="a score of seven"),
    pytest.param([said("score", TODAY)], id="a score without a number"),
    pytest.param([said("review", TODAY, score=1)], id="a bad review has a reply of its own"),
    pytest.param([said("enquiry", TODAY, score=1)], id="an enquiry"),
    pytest.param([said("complaint", TODAY, status="answered")], id="a complaint that was answered"),
    pytest.param([said("complaint", TODAY, status="closed")], id="a complaint that was closed"),
    pytest.param([said("score", TODAY, score=1, status="closed")], id="a low score that was closed"),
    pytest.param([said("complaint", TODAY + timedelta(days=1))], id="a complaint of tomorrow"),
    pytest.param([said("complaint", TODAY, who="c2")], id="another's complaint"),
    pytest.param([called_off(TODAY, "customer")], id="a visit that they called off"),
    pytest.param([called_off(TODAY, None)], id="a visit that nobody knows who called off"),
    pytest.param([called_off(TODAY, "us", 1, "completed")], id="a visit that took place after all"),
    pytest.param([called_off(TODAY, "us", 1, "no_show")], id="a visit that they missed"),
    pytest.param([promised(noon(TODAY), noon(TODAY))], id="done in the very second"),
    pytest.param([promised(noon(TODAY), noon(TODAY) + timedelta(days=1))], id="done before the promise"),
    pytest.param([promised(noon(TODAY), None)], id="done without a promise"),
]


@pytest.mark.parametrize(("rows", "occasion"), WRONG)
def test_whatever_goes_wrong_has_a_recovery_named_by_its_record(
    engine: Engine, settings: Settings, rows: list[SQLModel], occasion: str
) -> None:
    assert find(engine, settings, "recovery", [c1(), *again(rows)]) == [("c1", occasion)]


@pytest.mark.parametrize("rows", FINE)
def test_what_did_not_go_wrong_or_is_answered_has_none(
    engine: Engine, settings: Settings, rows: list[SQLModel]
) -> None:
    assert find(engine, settings, "recovery", [c1(), *again(rows)]) == []


@pytest.mark.parametrize(("rows", "occasion"), WRONG)
@pytest.mark.parametrize(("days", "has_it"), [(0, True), (2, True), (3, False)])
def test_it_is_put_right_for_two_days_and_not_longer(
    sqlite_engine: Engine, settings: Settings, rows: list[SQLModel], occasion: str, days: int, has_it: bool
) -> None:
    later = TODAY + timedelta(days=days)
    assert bool(find(sqlite_engine, settings, "recovery", [c1(), *again(rows)], later)) == has_it


def test_three_troubles_of_one_person_are_three_occasions(engine: Engine, settings: Settings) -> None:
    rows = [c1(), said("complaint", TODAY), said("score", ago(1), 2, score=2), called_off(ago(2))]
    assert find(engine, settings, "recovery", rows) == [("c1", "f1"), ("c1", "f2"), ("c1", "vc11")]


def test_an_answered_complaint_leaves_the_other_open(engine: Engine, settings: Settings) -> None:
    rows = [c1(), said("complaint", TODAY, status="answered"), said("complaint", ago(1), 2, status="open")]
    assert find(engine, settings, "recovery", rows) == [("c1", "f2")]


def test_the_same_id_in_two_tables_is_one_occasion_where_the_day_is_one(engine: Engine, settings: Settings) -> None:
    complaint, visited = said("complaint", TODAY), called_off(TODAY)
    complaint.feedback_id = visited.visit_id = "17"
    assert find(engine, settings, "recovery", [c1(), complaint, visited]) == [("c1", "17")]


# --- goodwill


@pytest.mark.parametrize(("days", "has_it"), [(-1, False), (0, True), (14, True), (15, False)])
def test_goodwill_is_for_two_weeks_after_they_were_named(
    engine: Engine, settings: Settings, days: int, has_it: bool
) -> None:
    assert bool(find(engine, settings, "goodwill", [c1(), named(ago(days))])) == has_it


def test_each_event_is_an_occasion_and_only_for_those_it_hit(engine: Engine, settings: Settings) -> None:
    rows = [c1(), Customer(customer_id="c2"), Customer(customer_id="c3")]
    rows += [named(TODAY), named(ago(3), "water main break 12 May"), named(TODAY, who="c3")]
    found = [("c1", "storm"), ("c1", "water main break 12 May"), ("c3", "storm")]
    assert find(engine, settings, "goodwill", rows) == found


# --- enquiry: the practice's clock is New York's, four hours behind the world's in the summer, five in the winter


@pytest.mark.parametrize(
    ("at", "on", "has_it"),
    [
        pytest.param(datetime(2026, 3, 10, 13, tzinfo=UTC), TODAY, True, id="asked at nine in the morning"),
        pytest.param(datetime(2026, 3, 11, 0, 0, tzinfo=UTC), TODAY, True, id="asked at eight in the evening"),
        pytest.param(datetime(2026, 3, 11, 0, 0, 1, tzinfo=UTC), TODAY, False, id="asked a second later"),
        pytest.param(datetime(2026, 3, 11, 3, tzinfo=UTC), TODAY, False, id="asked at eleven at night"),
        pytest.param(datetime(2026, 2, 1, 13, tzinfo=UTC), date(2026, 2, 1), True, id="asked weeks ago"),
    ],
)
def test_a_question_waits_once_four_hours_have_gone_by_before_midnight_of_ours(
    engine: Engine, settings: Settings, at: datetime, on: date, has_it: bool
) -> None:
    assert settings.business.timezone == "America/New_York"
    assert bool(find(engine, settings, "enquiry", [c1(), asked(at, on)])) == has_it


def test_what_was_asked_late_at_night_has_waited_the_next_day(engine: Engine, settings: Settings) -> None:
    rows = [c1(), asked(datetime(2026, 3, 11, 3, tzinfo=UTC), TODAY)]
    assert find(engine, settings, "enquiry", rows, TODAY + timedelta(days=1)) == [("c1", "f1")]


@pytest.mark.parametrize(
    ("on", "hour", "has_it"),
    [
        pytest.param(date(2026, 3, 8), 24, True, id="a short day ends at four o'clock UTC: asked four hours before"),
        pytest.param(date(2026, 3, 8), 25, False, id="asked three hours before"),
        pytest.param(date(2026, 11, 1), 25, True, id="a long day ends at five o'clock UTC: asked four hours before"),
        pytest.param(date(2026, 11, 1), 26, False, id="asked three hours before the end of a long day"),
    ],
)
def test_the_days_on_which_clocks_change_count_hours_that_went_by(
    engine: Engine, settings: Settings, on: date, hour: int, has_it: bool
) -> None:
    at = datetime(on.year, on.month, on.day, tzinfo=UTC) + timedelta(hours=hour)
    assert bool(find(engine, settings, "enquiry", [c1(), asked(at, on)], on)) == has_it


@pytest.mark.parametrize("status", ["answered", "closed"])
def test_an_enquiry_that_was_answered_is_left_alone(engine: Engine, settings: Settings, status: str) -> None:
    assert find(engine, settings, "enquiry", [c1(), asked(noon(ago(1)), ago(1), status=status)]) == []


@pytest.mark.parametrize("kind", ["complaint", "score", "review"])
def test_only_a_question_is_an_enquiry(sqlite_engine: Engine, settings: Settings, kind: str) -> None:
    assert find(sqlite_engine, settings, "enquiry", [c1(), said(kind, ago(1), score=2)]) == []


def test_two_questions_are_two_occasions_and_anothers_is_not_theirs(engine: Engine, settings: Settings) -> None:
    rows = [c1(), Customer(customer_id="c2")]
    rows += [asked(noon(ago(1)), ago(1), number, who=who) for number, who in enumerate(("c1", "c1", "c2"), 1)]
    assert find(engine, settings, "enquiry", rows) == [("c1", "f1"), ("c1", "f2"), ("c2", "f3")]


def test_an_enquiry_of_nobody_we_know_waits_for_staff(sqlite_engine: Engine, settings: Settings) -> None:
    row = asked(noon(ago(1)), ago(1))
    row.customer_id = None
    assert find(sqlite_engine, settings, "enquiry", [c1(), row]) == []


# --- review reply


@pytest.mark.parametrize(("score", "has_it"), [(1, True), (3, True), (4, False), (None, False)])
def test_a_review_of_three_stars_or_less_waits_for_a_reply(
    engine: Engine, settings: Settings, score: int | None, has_it: bool
) -> None:
    assert bool(find(engine, settings, "review_reply", [c1(), said("review", ago(9), score=score)])) == has_it


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(said("review", TODAY + timedelta(days=1), score=1), id="a review of tomorrow"),
        pytest.param(said("score", TODAY, score=1), id="a score is not public"),
        pytest.param(said("complaint", TODAY, score=1), id="a complaint is not public"),
        pytest.param(said("review", ago(3), score=1, status="answered"), id="a review that was answered"),
        pytest.param(said("review", ago(3), score=1, status="closed"), id="a review that was closed"),
        pytest.param(said("review", ago(3), score=1, who="c2"), id="another's review"),
        pytest.param(
            Feedback(feedback_id="f1", given_at=noon(TODAY), given_on=TODAY, kind="review", score=1),
            id="a review that nobody has matched with a person",
        ),
    ],
)
def test_no_letter_answers_what_is_no_open_review_of_theirs(engine: Engine, settings: Settings, row: Feedback) -> None:
    assert find(engine, settings, "review_reply", [c1(), *again([row])]) == []


def test_each_review_is_an_occasion_named_by_its_id(engine: Engine, settings: Settings) -> None:
    rows = [c1(), said("review", TODAY, 1, score=2), said("review", ago(300), 2, score=3, status="open")]
    assert find(engine, settings, "review_reply", rows) == [("c1", "f1"), ("c1", "f2")]


# --- welcome


@pytest.mark.parametrize(("days", "has_it"), [(0, False), (1, True), (2, False)])
def test_a_welcome_is_on_the_day_after_they_came(engine: Engine, settings: Settings, days: int, has_it: bool) -> None:
    found = find(engine, settings, "welcome", [c1(customer_since=ago(days))])
    assert found == ([("c1", str(ago(1)))] if has_it else [])


def test_nobody_is_welcomed_for_a_first_visit_alone(sqlite_engine: Engine, settings: Settings) -> None:
    """Only the data say who is new: a first visit on file may be the first since the file was begun."""
    assert find(sqlite_engine, settings, "welcome", [c1(), visit(ago(1))]) == []


@pytest.mark.parametrize(
    ("since", "on"),
    [
        (date(2024, 2, 28), date(2024, 2, 29)),
        (date(2024, 2, 29), date(2024, 3, 1)),
        (date(2025, 12, 31), date(2026, 1, 1)),
    ],
)
def test_the_day_after_is_counted_over_the_ends_of_months_and_years(
    engine: Engine, settings: Settings, since: date, on: date
) -> None:
    assert find(engine, settings, "welcome", [c1(customer_since=since)], on) == [("c1", str(since))]


# --- survey


@pytest.mark.parametrize(("days", "has_it"), [(0, False), (1, True), (2, False)])
def test_a_survey_is_on_the_day_after_a_visit(engine: Engine, settings: Settings, days: int, has_it: bool) -> None:
    found = find(engine, settings, "survey", [c1(), visit(ago(days))])
    assert found == ([("c1", str(ago(1)))] if has_it else [])


@pytest.mark.parametrize("status", ["booked", "cancelled", "no_show", None])
def test_only_a_completed_visit_is_asked_about(engine: Engine, settings: Settings, status: str | None) -> None:
    assert find(engine, settings, "survey", [c1(), visit(ago(1), status=status)]) == []


def test_two_visits_on_one_day_are_asked_about_once(engine: Engine, settings: Settings) -> None:
    rows = [c1(), visit(ago(1), 1), visit(ago(1), 2), visit(ago(1), 3, who="c2")]
    assert find(engine, settings, "survey", rows) == [("c1", str(ago(1)))]


# --- all


@pytest.mark.parametrize(
    ("kind", "knobs", "rows"),
    [
        pytest.param("recovery", {"within_days": 3}, [said("complaint", ago(3))], id="within_days"),
        pytest.param("recovery", {"low_score": 7}, [said("score", TODAY, score=7)], id="low_score"),
        pytest.param("goodwill", {"useful_days": 15}, [named(ago(15))], id="useful_days of goodwill"),
        pytest.param(
            "enquiry", {"hours": 0}, [asked(datetime(2026, 3, 11, 3, 59, tzinfo=UTC), TODAY)], id="hours of an enquiry"
        ),
        pytest.param("review_reply", {"stars": 4}, [said("review", TODAY, score=4)], id="stars"),
        pytest.param("welcome", {"after_days": 2}, [], id="after_days of a welcome"),
    ],
)
def test_each_knob_of_care_moves_its_edge(
    sqlite_engine: Engine, settings: Settings, kind: str, knobs: dict[str, int], rows: list[SQLModel]
) -> None:
    moved = load_settings(business=settings.business, moments={kind: knobs})
    assert find(sqlite_engine, settings, kind, [c1(customer_since=ago(2)), *again(rows)]) == []
    assert len(find(sqlite_engine, moved, kind, [])) == 1


@pytest.mark.parametrize("kind", ["recovery", "goodwill", "enquiry", "review_reply", "welcome", "survey"])
def test_nobody_dead_has_a_moment_of_care(engine: Engine, settings: Settings, kind: str) -> None:
    rows = [said("complaint", ago(1), 1), said("enquiry", ago(1), 2), said("review", ago(1), 3, score=1)]
    found = [c1(customer_since=ago(1), died_on=TODAY + timedelta(days=1)), named(ago(1)), visit(ago(1)), *rows]
    assert len(find(engine, settings, kind, found)) == 1
    assert find(engine, settings, kind, [], TODAY + timedelta(days=1)) == []
