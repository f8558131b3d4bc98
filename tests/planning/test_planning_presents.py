"""Presents are for those who stayed, and no present states a beginning that cannot be one."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel

from conftest import NOW, TODAY
from outreach.database import reading, writing
from outreach.models import Invoice, Visit
from outreach.planning.data_start import find_edge
from outreach.planning.knobs import overlay_knobs
from outreach.planning.run import plan_day
from outreach.settings import Settings
from planning_rows import at, customer, decision, faithful, granted, messages, plan, seen

# Its third anniversary is two business days after TODAY.
BEGAN = date(2023, 3, 12)


def visit(who: str, on: date, status: str = "completed") -> Visit:
    return Visit(visit_id=f"{who}-{on}", customer_id=who, starts_at=at(on), starts_on=on, status=status)


def rule(engine: Engine, kind: str = "anniversary", who: str = "c1") -> str:
    return decision(engine, kind, who).rule


# --- who came once


@pytest.mark.parametrize(("again", "held"), [(None, True), (30, True), (31, False)])
def test_nobody_is_thanked_for_staying_who_came_once(
    sqlite_engine: Engine, settings: Settings, again: int | None, held: bool
) -> None:
    began = TODAY.replace(year=2025) + timedelta(days=2)
    later = [visit("c1", began + timedelta(days=again))] if again else []
    plan(sqlite_engine, settings, [customer(), visit("c1", began), *later])
    assert (rule(sqlite_engine) == "came_once") == held
    assert bool(messages(sqlite_engine)) != held


def test_a_visit_that_they_missed_is_no_coming_back(sqlite_engine: Engine, settings: Settings) -> None:
    began = TODAY.replace(year=2025) + timedelta(days=2)
    plan(sqlite_engine, settings, [customer(), visit("c1", began), visit("c1", date(2025, 11, 3), "no_show")])
    assert rule(sqlite_engine) == "came_once"


def test_whoever_has_a_visit_booked_comes_back(sqlite_engine: Engine, settings: Settings) -> None:
    began = TODAY.replace(year=2025) + timedelta(days=2)
    rows = [customer(), visit("c1", began), visit("c1", TODAY + timedelta(days=9), "booked")]
    plan(sqlite_engine, settings, rows)
    assert decision(sqlite_engine, "anniversary").outcome == "send"


def test_of_whom_nothing_but_the_start_is_known_nobody_says_they_came_once(
    sqlite_engine: Engine, settings: Settings
) -> None:
    plan(sqlite_engine, settings, [customer(customer_since=BEGAN)])
    assert decision(sqlite_engine, "anniversary").outcome == "send"


def test_silence_is_counted_on_the_day_that_the_present_is_for(sqlite_engine: Engine, settings: Settings) -> None:
    silent = overlay_knobs(settings, "anniversary", {"silent_days": 100})
    last = TODAY - timedelta(days=99)
    plan(sqlite_engine, silent, [customer(customer_since=BEGAN), visit("c1", last)])
    assert rule(sqlite_engine) == "silent"  # 99 days today, 101 on the day


# --- beginnings that cannot be


@pytest.mark.parametrize(
    ("since", "born_on", "held"),
    [
        (date(1926, 3, 12), None, True),
        (date(1927, 3, 12), None, False),
        (date(1970, 3, 12), date(1991, 5, 5), True),
        (date(1995, 3, 12), date(1990, 1, 1), False),
        (date(2015, 3, 12), date(2015, 3, 12), False),
    ],
)
def test_a_start_over_a_hundred_years_ago_or_before_their_birth_is_an_exports_default(
    sqlite_engine: Engine, settings: Settings, since: date, born_on: date | None, held: bool
) -> None:
    rows = [customer(customer_since=since, born_on=born_on, guardian_id="mum"), customer("mum")]
    plan(sqlite_engine, settings, rows)
    assert (rule(sqlite_engine) == "impossible_since") == held


def test_a_start_in_the_future_is_none(sqlite_engine: Engine, every_moment: Settings) -> None:
    plan(sqlite_engine, every_moment, [customer(customer_since=TODAY + timedelta(days=40))])
    assert rule(sqlite_engine, "thank_you") == "impossible_since"


def beginners(count: int, began: date = BEGAN) -> list[SQLModel]:
    """So many who were first seen on one day, and seen again lately, and of whom nothing says since when."""
    people = [f"e{number}" for number in range(count)]
    rows = [[customer(who, email=f"{who}@home.example"), visit(who, began), *seen(who)] for who in people]
    return [row for each in rows for row in each]


def test_a_first_contact_on_the_first_days_of_an_export_is_no_beginning(engine: Engine, settings: Settings) -> None:
    after = BEGAN + timedelta(days=8)
    inside = Invoice(invoice_id="i", customer_id="late", issued_on=after, due_on=after, amount=1)
    plan(engine, settings, [*beginners(5), *faithful("told"), customer("late"), inside, *seen("late")])
    assert rule(engine, who="e0") == "export_edge"
    assert decision(engine, "anniversary", "told").outcome == "send"
    plan(engine, settings, [], on=TODAY + timedelta(days=8))
    assert rule(engine, who="late") != "export_edge"


@pytest.mark.parametrize("since", [date(2019, 5, 4), None])
def test_one_who_was_here_long_before_the_data_begin_shows_that_they_are_cut(
    sqlite_engine: Engine, settings: Settings, since: date | None
) -> None:
    plan(sqlite_engine, settings, [*beginners(1), customer("old", customer_since=since)])
    assert (rule(sqlite_engine, who="e0") == "export_edge") == (since is not None)


def test_two_who_came_in_the_first_week_of_a_business_are_no_edge(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, beginners(2))
    assert decision(sqlite_engine, "anniversary", "e0").outcome == "send"


def test_a_day_that_nobody_filled_in_is_not_where_the_data_begin(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        session.add_all([*beginners(5), customer("x"), visit("x", date(1970, 1, 1)), visit("x", date(1900, 1, 1))])
    with reading(engine) as session:
        assert find_edge(session, 5, ()) == BEGAN + timedelta(days=6)
        assert find_edge(session, 6, ()) is None


# --- no win-back soon after a present


def test_nobody_is_missed_within_half_a_year_of_a_present(sqlite_engine: Engine, every_moment: Settings) -> None:
    soon = overlay_knobs(every_moment, "win_back", {"silent_days": 100})
    soon = overlay_knobs(soon, "thank_you", {"enabled": False})
    plan(sqlite_engine, soon, [*faithful(), granted("email", "marketing")])
    (present,) = [message for message in messages(sqlite_engine) if message.kind == "anniversary"]
    for days in (100, 179):
        on = present.send_on + timedelta(days=days)
        plan_day(sqlite_engine, soon, on, NOW + (on - TODAY))
        held = decision(sqlite_engine, "win_back")
        assert (held.rule, held.next_on) == ("after_present", present.send_on + timedelta(days=180))
    on = present.send_on + timedelta(days=180)
    plan_day(sqlite_engine, soon, on, NOW + (on - TODAY))
    assert rule(sqlite_engine, "win_back") != "after_present"
