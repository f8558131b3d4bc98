"""Who is thanked, surprised, missed, or written to in their first hundred days, clause by clause and at the edges."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import SQLModel

from conftest import TODAY
from moment_rows import ago, c1, find, invoice, payment, said, treatment, visit
from moment_rows_care import again
from moment_rows_growth import LUCKY, drawn, good
from outreach.models import Customer
from outreach.moments.surprise import SURPRISE
from outreach.settings import Settings, load_settings


def with_knobs(settings: Settings, kind: str, business_kind: str = "health", **knobs: object) -> Settings:
    business = settings.business.model_copy(update={"kind": business_kind})
    return load_settings(business=business, moments={kind: knobs})


# --- the first hundred days


@pytest.mark.parametrize(
    ("days", "occasion"),
    [
        (29, None),
        (30, "30"),
        (31, None),
        (59, None),
        (60, "60"),
        (61, None),
        (89, None),
        (90, "90"),
        (91, None),
        (0, None),
    ],
)
def test_the_first_hundred_days_are_remembered_on_the_30th_60th_and_90th(
    engine: Engine, settings: Settings, days: int, occasion: str | None
) -> None:
    found = find(engine, settings, "first_hundred", [c1(customer_since=ago(days))])
    assert found == ([("c1", occasion)] if occasion else [])


@pytest.mark.parametrize(("days", "has_it"), [(-1, True), (0, False), (21, False), (22, True)])
def test_whoever_came_in_the_last_three_weeks_is_not_missed(
    engine: Engine, settings: Settings, days: int, has_it: bool
) -> None:
    rows = [c1(customer_since=ago(60)), visit(ago(days))]
    assert bool(find(engine, settings, "first_hundred", rows)) == has_it


@pytest.mark.parametrize(
    ("row", "has_it"),
    [
        pytest.param(visit(ago(3), status=None), False, id="a visit without a status took place"),
        pytest.param(visit(ago(3), status="cancelled"), True, id="a cancelled visit is no visit"),
        pytest.param(visit(ago(3), status="no_show"), True, id="a missed visit is no visit"),
        pytest.param(visit(ago(3), who="c2"), True, id="another's visit"),
    ],
)
def test_only_a_visit_that_took_place_breaks_the_silence(
    sqlite_engine: Engine, settings: Settings, row: SQLModel, has_it: bool
) -> None:
    rows = [c1(customer_since=ago(30)), *again([row])]
    assert bool(find(sqlite_engine, settings, "first_hundred", rows)) == has_it


def test_the_first_hundred_days_are_those_that_the_data_say(sqlite_engine: Engine, settings: Settings) -> None:
    assert find(sqlite_engine, settings, "first_hundred", [c1(), visit(ago(30))]) == []


def test_thirty_days_are_counted_through_a_29_february(engine: Engine, settings: Settings) -> None:
    rows = [c1(customer_since=date(2028, 2, 10)), Customer(customer_id="c2", customer_since=date(2027, 2, 10))]
    assert find(engine, settings, "first_hundred", rows, date(2028, 3, 11)) == [("c1", "30")]
    assert find(engine, settings, "first_hundred", [], date(2027, 3, 12)) == [("c2", "30")]


# --- thanks


def hundred(step: int = 1) -> list[SQLModel]:
    """p000 to p099, each a day (or `step`) longer with us than the next."""
    return [Customer(customer_id=f"p{n:03}", customer_since=ago(2000 - step * n)) for n in range(100)]


def test_the_best_tenth_by_tenure_is_thanked_and_nobody_after_it(engine: Engine, settings: Settings) -> None:
    found = find(engine, settings, "thank_you", hundred())
    assert found == [(f"p{n:03}", "2026") for n in range(10)]


def test_those_who_came_on_the_same_day_stand_on_the_same_place(engine: Engine, settings: Settings) -> None:
    rows = hundred()
    for row in rows[8:12]:
        row.customer_since = ago(1990)  # type: ignore[attr-defined]
    assert len(find(engine, settings, "thank_you", rows)) == 12


def test_the_dead_and_those_of_whom_nothing_is_known_take_no_place(engine: Engine, settings: Settings) -> None:
    rows = [*hundred(), *(Customer(customer_id=f"x{n}") for n in range(50))]
    for row in rows[:5]:
        row.died_on = TODAY  # type: ignore[attr-defined]
    assert [who for who, _ in find(engine, settings, "thank_you", rows)] == [f"p{n:03}" for n in range(5, 14)]


def test_of_a_handful_the_first_is_thanked(engine: Engine, settings: Settings) -> None:
    assert find(engine, settings, "thank_you", hundred()[:5]) == [("p000", "2026")]


def paid(who: str, amount: int, days: int, number: int, **values: object) -> list[SQLModel]:
    return [
        invoice(ago(800), amount, number, customer_id=who, **values),
        payment(ago(days), amount, number, number),
    ]


def test_a_business_may_thank_those_who_paid_most_in_twelve_months(engine: Engine, settings: Settings) -> None:
    rows = [*hundred()[:15], *paid("p007", 500, 365, 1), *paid("p009", 900, 366, 2), *paid("p003", 400, 0, 3)]
    rows += paid("p011", 9_000, 10, 4, payer_id="p012") + paid("p004", 8_000, -1, 5)
    by_value = with_knobs(settings, "thank_you", "utility", by="value", top_percent=50)
    assert find(engine, by_value, "thank_you", rows) == [("p012", "2026")]
    assert [
        who
        for who, _ in find(
            engine, with_knobs(settings, "thank_you", "utility", by="value", top_percent=67), "thank_you", []
        )
    ] == ["p007", "p012"]
    every = with_knobs(settings, "thank_you", "utility", by="value", top_percent=100)
    assert [who for who, _ in find(engine, every, "thank_you", [])] == ["p003", "p007", "p012"]


def test_a_health_business_ranks_nobody_by_what_they_paid(engine: Engine, settings: Settings) -> None:
    rows = [*hundred()[:5], *paid("p004", 9_000, 10, 1)]
    by_value = with_knobs(settings, "thank_you", "health", by="value")
    assert find(engine, by_value, "thank_you", rows) == [("p000", "2026")]


# --- a surprise


def test_a_good_customer_whom_the_draw_picked_is_surprised(engine: Engine, settings: Settings) -> None:
    assert find(engine, settings, "surprise", good()) == [(LUCKY, "2026-03")]


def test_the_draw_is_the_same_everywhere_and_whoever_else_comes(engine: Engine, settings: Settings) -> None:
    picked = [f"c{n}" for n in range(1500) if drawn(1, "2026-03", f"c{n}")]
    assert 3 <= len(picked) <= 20
    rows: list[SQLModel] = []
    for n in range(1500):
        rows += [Customer(customer_id=f"c{n}", customer_since=ago(900)), visit(ago(9), who=f"c{n}")]
    assert [who for who, _ in find(engine, settings, "surprise", rows[: 2 * 700])] == sorted(
        who for who in picked if int(who[1:]) < 700
    )
    assert [who for who, _ in find(engine, settings, "surprise", rows[2 * 700 :])] == sorted(picked)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({0: Customer(customer_id=LUCKY, customer_since=ago(364))}, id="with us for 364 days"),
        pytest.param({0: Customer(customer_id=LUCKY, customer_since=ago(365), died_on=TODAY)}, id="died today"),
        pytest.param({1: visit(ago(365), who=LUCKY)}, id="not seen for 365 days"),
        pytest.param({1: visit(ago(5), status="no_show", who=LUCKY)}, id="the last visit was missed"),
        pytest.param({1: visit(TODAY + timedelta(days=1), who=LUCKY)}, id="comes only tomorrow"),
        pytest.param({2: invoice(ago(1), customer_id=LUCKY)}, id="something is overdue"),
        pytest.param({2: invoice(ago(1), customer_id="kid", payer_id=LUCKY)}, id="what they pay for is overdue"),
        pytest.param({2: said("complaint", ago(300), who=LUCKY)}, id="a complaint is open"),
        pytest.param({0: Customer(customer_id="c0", customer_since=ago(365))}, id="the draw picked another"),
    ],
)
def test_nobody_is_surprised_when_one_clause_fails(
    engine: Engine, settings: Settings, change: dict[int, SQLModel]
) -> None:
    rows = dict(enumerate(good())) | {place: again([row])[0] for place, row in change.items()}
    assert find(engine, settings, "surprise", list(rows.values())) == []


@pytest.mark.parametrize("on", [date(2026, 3, 1), date(2026, 3, 31)])
def test_a_draw_lasts_from_the_first_to_the_last_of_its_month(engine: Engine, settings: Settings, on: date) -> None:
    rows = [good(customer_since=date(2020, 1, 1))[0], visit(date(2026, 2, 1), who=LUCKY)]
    assert find(engine, settings, "surprise", rows, on) == [(LUCKY, "2026-03")]


@given(st.dates(date(2024, 1, 1), date(2032, 12, 31)))
def test_a_surprise_is_of_use_until_its_month_ends(on: date) -> None:
    knobs = SURPRISE.knobs()
    last = SURPRISE.useful_until(knobs, on, on)
    assert last >= on
    assert last.month == on.month
    assert (last + timedelta(days=1)).day == 1


# --- winning back


@pytest.mark.parametrize(("days", "has_it"), [(364, False), (365, True), (3000, True)])
@pytest.mark.parametrize("contact", ["visit", "treatment", "invoice", "payment"])
def test_whoever_was_last_seen_a_year_ago_is_missed(
    engine: Engine, settings: Settings, contact: str, days: int, has_it: bool
) -> None:
    last: dict[str, Sequence[SQLModel]] = {
        "visit": [visit(ago(days))],
        "treatment": [treatment(ago(days))],
        "invoice": [invoice(ago(days - 30))],
        "payment": [invoice(ago(4000)), payment(ago(days))],
    }
    found = find(engine, settings, "win_back", [c1(), visit(ago(4000), 9), *last[contact]])
    assert found == ([("c1", str(ago(days)))] if has_it else [])


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_a_visit_that_did_not_take_place_is_no_sign_of_life(
    sqlite_engine: Engine, settings: Settings, status: str
) -> None:
    rows = [c1(), visit(ago(400), 1), visit(ago(10), 2, status)]
    assert find(sqlite_engine, settings, "win_back", rows) == [("c1", str(ago(400)))]


def test_whom_we_never_saw_nobody_can_miss(sqlite_engine: Engine, settings: Settings) -> None:
    assert find(sqlite_engine, settings, "win_back", [c1(customer_since=ago(2000))]) == []


def test_what_is_to_come_is_planning_s_affair_and_no_contact_yet(engine: Engine, settings: Settings) -> None:
    rows = [c1(), visit(ago(400), 1), visit(TODAY + timedelta(days=3), 2, "booked")]
    assert find(engine, settings, "win_back", rows) == [("c1", str(ago(400)))]


LEARNED = {"rhythm": "learned"}


@pytest.mark.parametrize(("last", "has_it"), [(59, False), (60, True)])
def test_a_rhythm_that_was_learned_is_twice_the_usual_gap(
    engine: Engine, settings: Settings, last: int, has_it: bool
) -> None:
    rows = [c1(), *(visit(ago(last + 30 * n), n) for n in range(4))]
    found = find(engine, with_knobs(settings, "win_back", **LEARNED), "win_back", rows)
    assert found == ([("c1", str(ago(last)))] if has_it else [])


@pytest.mark.parametrize(("last", "has_it"), [(100, False), (364, False), (365, True)])
def test_with_too_little_history_the_setting_counts(
    engine: Engine, settings: Settings, last: int, has_it: bool
) -> None:
    rows = [c1(), *(visit(ago(last + 30 * n), n) for n in range(3)), visit(ago(last), 9)]
    assert bool(find(engine, with_knobs(settings, "win_back", **LEARNED), "win_back", rows)) == has_it


@pytest.mark.parametrize(("last", "has_it"), [(29, False), (30, True)])
def test_nobody_is_missed_within_a_month_however_often_they_came(
    engine: Engine, settings: Settings, last: int, has_it: bool
) -> None:
    rows = [c1(), *(visit(ago(last + n), n) for n in range(6))]
    assert bool(find(engine, with_knobs(settings, "win_back", **LEARNED), "win_back", rows)) == has_it


# --- all


@pytest.mark.parametrize(
    ("kind", "knobs", "rows"),
    [
        pytest.param("first_hundred", {"days": [45]}, [c1(customer_since=ago(45))], id="days"),
        pytest.param(
            "first_hundred", {"silent_days": 20}, [c1(customer_since=ago(60)), visit(ago(21))], id="silent_days"
        ),
        pytest.param("surprise", {"tenure_days": 364}, good(customer_since=ago(364)), id="tenure_days"),
        pytest.param(
            "surprise", {"silent_days": 366}, [good()[0], visit(ago(365), who=LUCKY)], id="silent_days of a surprise"
        ),
        pytest.param("surprise", {"one_in": 1}, [c1(customer_since=ago(900)), visit(ago(9))], id="one_in"),
        pytest.param("win_back", {"silent_days": 364}, [c1(), visit(ago(364))], id="silent_days of a win-back"),
        pytest.param(
            "win_back", LEARNED | {"rhythm_times": 1.5}, [c1(), *(visit(ago(45 + 30 * n), n) for n in range(4))],
            id="rhythm_times",
        ),
        pytest.param(
            "win_back", LEARNED | {"history": 2}, [c1(), visit(ago(60), 1), visit(ago(90), 2)], id="history"
        ),
    ],
)  # fmt: skip
def test_each_knob_of_growth_moves_its_edge(
    sqlite_engine: Engine, settings: Settings, kind: str, knobs: dict[str, object], rows: Sequence[SQLModel]
) -> None:
    assert find(sqlite_engine, settings, kind, again(list(rows))) == []
    assert len(find(sqlite_engine, with_knobs(settings, kind, **knobs), kind, [])) == 1


def test_another_seed_is_another_draw(sqlite_engine: Engine, settings: Settings) -> None:
    other = with_knobs(settings, "surprise", seed=2)
    assert not drawn(2, "2026-03", LUCKY)
    assert find(sqlite_engine, other, "surprise", good()) == []
