"""Who has a moment on a date: each clause of each definition, and the edges where one day or one cent decides."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import SQLModel

from conftest import TODAY
from moment_rows import ago, c1, find, happy, invoice, payment, said, treatment, visit
from outreach.clock import add_business_days, anniversary_in
from outreach.database import reading, writing
from outreach.models import Customer, Message, Moment
from outreach.moments import MOMENTS, Found, find_moments, knobs_for
from outreach.moments.anniversary import beginnings
from outreach.settings import Settings, load_settings

# As the design page has it.
ORDER = [
    "recovery", "checkin", "goodwill", "late_payment", "enquiry", "review_reply", "welcome", "first_hundred",
    "anniversary", "thank_you", "survey", "surprise", "win_back", "referral_ask",
]  # fmt: skip


# --- anniversary


def test_month_and_day_come_round_in_a_later_year(engine: Engine, settings: Settings) -> None:
    rows = [c1(customer_since=date(2023, 3, 10)), Customer(customer_id="c2", customer_since=date(2023, 3, 11))]
    assert find(engine, settings, "anniversary", rows) == [("c1", "2026-03-10")]


def test_the_first_day_itself_is_no_anniversary(sqlite_engine: Engine, settings: Settings) -> None:
    assert find(sqlite_engine, settings, "anniversary", [c1(customer_since=TODAY)]) == []


@pytest.mark.parametrize(
    ("on", "has_it"),
    [(date(2027, 2, 28), True), (date(2027, 3, 1), False), (date(2028, 2, 28), False), (date(2028, 2, 29), True)],
)
def test_29_february_is_kept_on_the_28th_in_common_years(
    sqlite_engine: Engine, settings: Settings, on: date, has_it: bool
) -> None:
    found = find(sqlite_engine, settings, "anniversary", [c1(customer_since=date(2024, 2, 29))], on)
    assert bool(found) == has_it


def test_28_february_is_kept_on_the_28th_in_leap_years_too(sqlite_engine: Engine, settings: Settings) -> None:
    on = date(2028, 2, 28)
    assert find(sqlite_engine, settings, "anniversary", [c1(customer_since=date(2023, 2, 28))], on) != []


@pytest.mark.parametrize(
    "contact",
    [
        treatment(date(2024, 3, 10)),
        visit(date(2024, 3, 10)),
        visit(date(2024, 3, 10), status=None),
        invoice(date(2024, 4, 9)),
    ],
)
def test_without_a_start_date_the_first_treatment_visit_or_invoice_counts(
    engine: Engine, settings: Settings, contact: SQLModel
) -> None:
    first = type(contact)(**contact.model_dump())
    assert find(engine, settings, "anniversary", [c1(), first]) == [("c1", "2026-03-10")]


def test_only_the_first_contact_counts_and_a_start_date_stands_above_it(engine: Engine, settings: Settings) -> None:
    rows = [c1(), visit(date(2022, 1, 5), 1), visit(date(2024, 3, 10), 2)]
    rows += [Customer(customer_id="c2", customer_since=date(2022, 1, 5)), visit(date(2024, 3, 10), 3, who="c2")]
    assert find(engine, settings, "anniversary", rows) == []


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_a_visit_that_did_not_take_place_begins_nothing(sqlite_engine: Engine, settings: Settings, status: str) -> None:
    assert find(sqlite_engine, settings, "anniversary", [c1(), visit(date(2024, 3, 10), status=status)]) == []


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_the_first_visit_that_took_place_is_the_beginning(engine: Engine, settings: Settings, status: str) -> None:
    rows = [c1(), visit(date(2023, 1, 5), 1, status), visit(date(2024, 3, 10), 2)]
    assert find(engine, settings, "anniversary", rows) == [("c1", "2026-03-10")]


def test_someone_we_know_nothing_of_has_no_anniversary(sqlite_engine: Engine, settings: Settings) -> None:
    assert find(sqlite_engine, settings, "anniversary", [c1()]) == []


@given(st.dates(date(1900, 1, 1), date(2090, 1, 1)), st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_a_beginning_is_kept_on_exactly_one_day_of_each_later_year(since: date, on: date) -> None:
    kept = since.year < on.year and anniversary_in(since, on.year) == on
    assert (since in beginnings(on)) == kept


# --- check-in


@pytest.mark.parametrize(("days", "has_it"), [(1, False), (2, True), (3, True), (4, False)])
def test_a_checkin_is_two_or_three_days_after_a_treatment(
    engine: Engine, settings: Settings, days: int, has_it: bool
) -> None:
    assert bool(find(engine, settings, "checkin", [c1(), treatment(ago(days))])) == has_it


def test_two_treatments_on_one_day_are_one_occasion_and_on_two_days_two(engine: Engine, settings: Settings) -> None:
    rows = [c1(), treatment(ago(2), 1), treatment(ago(2), 2), treatment(ago(3), 3)]
    assert find(engine, settings, "checkin", rows) == [("c1", "2026-03-07"), ("c1", "2026-03-08")]


def test_a_visit_without_a_treatment_is_no_checkin(sqlite_engine: Engine, settings: Settings) -> None:
    assert find(sqlite_engine, settings, "checkin", [c1(), visit(ago(2))]) == []


def test_a_treatment_of_nobody_we_know_is_no_checkin(sqlite_engine: Engine, settings: Settings) -> None:
    assert find(sqlite_engine, settings, "checkin", [c1(), treatment(ago(2), who="stranger")]) == []


# --- late payment


@pytest.mark.parametrize(("days", "has_it"), [(0, False), (1, True), (30, True), (31, False)])
def test_an_invoice_is_late_from_one_to_thirty_days_past_due(
    engine: Engine, settings: Settings, days: int, has_it: bool
) -> None:
    assert bool(find(engine, settings, "late_payment", [c1(), invoice(ago(days))])) == has_it


@pytest.mark.parametrize(
    ("paid", "amount", "has_it"), [(0, 10000, False), (0, 9999, True), (-1, 10000, True), (12, 10001, False)]
)
def test_a_payment_dated_today_counts_as_paid_and_one_dated_tomorrow_does_not(
    engine: Engine, settings: Settings, paid: int, amount: int, has_it: bool
) -> None:
    rows = [c1(), invoice(ago(10)), payment(ago(paid), amount)]
    assert bool(find(engine, settings, "late_payment", rows)) == has_it


def test_several_payments_add_up(engine: Engine, settings: Settings) -> None:
    rows = [c1(), invoice(ago(10)), payment(ago(5), 6000, 1), payment(ago(4), 4000, 2)]
    assert find(engine, settings, "late_payment", rows) == []


def test_what_was_paid_too_much_on_one_invoice_does_not_pay_another(engine: Engine, settings: Settings) -> None:
    rows = [c1(), invoice(ago(12), number=1), invoice(ago(10), number=2), payment(ago(5), 20000, invoice=1)]
    assert find(engine, settings, "late_payment", rows) == [("c1", str(ago(10)))]


def test_an_older_invoice_that_was_paid_or_is_disputed_does_not_name_the_occasion(
    engine: Engine, settings: Settings
) -> None:
    rows = [c1(), invoice(ago(25), number=1, status="disputed"), invoice(ago(20), number=2), invoice(ago(9), number=3)]
    assert find(engine, settings, "late_payment", [*rows, payment(ago(1), invoice=2)]) == [("c1", str(ago(9)))]


def test_late_is_whoever_was_billed_not_whoever_pays(engine: Engine, settings: Settings) -> None:
    rows = [c1(), Customer(customer_id="payer"), invoice(ago(5), payer_id="payer")]
    assert find(engine, settings, "late_payment", rows) == [("c1", str(ago(5)))]


@pytest.mark.parametrize(("status", "has_it"), [
    (None, True), ("open", True), ("disputed", False), ("plan", False), ("written_off", False),
])  # fmt: skip
def test_an_invoice_that_is_disputed_planned_or_written_off_is_not_late(
    engine: Engine, settings: Settings, status: str | None, has_it: bool
) -> None:
    assert bool(find(engine, settings, "late_payment", [c1(), invoice(ago(10), status=status)])) == has_it


def test_a_dispute_over_one_invoice_leaves_the_moment_of_another(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [c1(), invoice(ago(20), number=1, status="disputed"), invoice(ago(10), number=2)]
    assert find(sqlite_engine, settings, "late_payment", rows) == [("c1", str(ago(10)))]


def test_several_late_invoices_are_one_moment_named_by_the_oldest(engine: Engine, settings: Settings) -> None:
    rows = [c1(), *(invoice(ago(days), number=days) for days in (5, 29, 31, 12))]
    assert find(engine, settings, "late_payment", rows) == [("c1", str(ago(29)))]


def test_an_invoice_issued_tomorrow_is_not_owed_today(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [c1(), invoice(ago(5), issued_on=TODAY + timedelta(days=1))]
    assert find(sqlite_engine, settings, "late_payment", rows) == []


# --- referral


def test_someone_who_meets_every_clause_just_so_is_asked(engine: Engine, settings: Settings) -> None:
    assert find(engine, settings, "referral_ask", happy()) == [("c1", str(ago(60)))]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({0: c1(customer_since=ago(89))}, id="with us for 89 days"),
        pytest.param({2: visit(TODAY, 2, "booked")}, id="the second visit is only booked"),
        pytest.param({2: visit(TODAY, 2, None)}, id="the second visit has no status"),
        pytest.param({2: visit(TODAY + timedelta(days=1), 2)}, id="the second visit is tomorrow"),
        pytest.param({2: visit(TODAY, 2, who="c2")}, id="the second visit is another's"),
        pytest.param({3: said("score", ago(61), score=10)}, id="the score is 61 days old"),
        pytest.param({3: said("score", ago(5), score=8)}, id="the score is 8"),
        pytest.param({3: said("review", ago(5), score=10)}, id="a review is no score"),
        pytest.param({3: said("score", TODAY + timedelta(days=1), score=10)}, id="the score is of tomorrow"),
        pytest.param({4: invoice(ago(1))}, id="something is overdue"),
        pytest.param({4: invoice(ago(400), status="disputed")}, id="something disputed is overdue"),
        pytest.param({4: invoice(ago(1), customer_id="kid", payer_id="c1")}, id="what they pay for another is overdue"),
        pytest.param({4: said("complaint", ago(300), 2, status="open")}, id="a complaint is open"),
        pytest.param({4: said("complaint", TODAY, 2)}, id="a complaint has no status"),
        pytest.param({0: c1(customer_since=ago(90), died_on=TODAY)}, id="they died today"),
    ],
)
def test_nobody_is_asked_when_one_clause_fails(engine: Engine, settings: Settings, change: dict[int, SQLModel]) -> None:
    rows = dict(enumerate(happy())) | {place: type(row)(**row.model_dump()) for place, row in change.items()}
    assert find(engine, settings, "referral_ask", list(rows.values())) == []


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param([invoice(TODAY)], id="an invoice due today"),
        pytest.param([invoice(ago(9)), payment(TODAY)], id="an invoice paid today"),
        pytest.param([said("complaint", ago(30), 2, status="answered")], id="a complaint that was answered"),
        pytest.param([said("complaint", ago(30), 2, status="closed")], id="a complaint that was closed"),
        pytest.param([said("complaint", TODAY + timedelta(days=1), 2, status="open")], id="a complaint of tomorrow"),
        pytest.param([said("enquiry", ago(3), 2, status="open")], id="an open enquiry"),
        pytest.param([invoice(ago(1), issued_on=TODAY + timedelta(days=1))], id="an invoice issued tomorrow"),
        pytest.param([invoice(ago(9), customer_id="c2")], id="another's overdue invoice"),
        pytest.param([said("complaint", ago(9), 2, who="c2", status="open")], id="another's open complaint"),
    ],
)
def test_what_does_not_stand_between_us_does_not_matter(
    sqlite_engine: Engine, settings: Settings, beside: list[SQLModel]
) -> None:
    rows = [*happy(), *(type(row)(**row.model_dump()) for row in beside)]
    assert len(find(sqlite_engine, settings, "referral_ask", rows)) == 1


def test_the_last_of_several_high_scores_names_the_occasion(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [*happy(), said("score", ago(7), 2, score=10), said("score", ago(3), 3, score=4)]
    assert find(sqlite_engine, settings, "referral_ask", rows) == [("c1", str(ago(7)))]


def test_without_a_start_date_tenure_counts_from_the_first_contact(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [*happy(customer_since=None), visit(ago(91), 3)]
    assert len(find(sqlite_engine, settings, "referral_ask", rows)) == 1


# --- all


@pytest.mark.parametrize(
    ("kind", "knobs", "rows"),
    [
        pytest.param("checkin", {"until_days": 4}, [c1(), treatment(ago(4))], id="until_days of a check-in"),
        pytest.param("checkin", {"after_days": 1}, [c1(), treatment(ago(1))], id="after_days"),
        pytest.param("late_payment", {"from_days": 0}, [c1(), invoice(TODAY)], id="from_days"),
        pytest.param("late_payment", {"until_days": 31}, [c1(), invoice(ago(31))], id="until_days of a late payment"),
        pytest.param("referral_ask", {"tenure_days": 89}, {0: c1(customer_since=ago(89))}, id="tenure_days"),
        pytest.param("referral_ask", {"visits": 1}, {2: visit(TODAY, 2, "no_show")}, id="visits"),
        pytest.param("referral_ask", {"score": 8}, {3: said("score", ago(5), score=8)}, id="score"),
        pytest.param("referral_ask", {"happy_days": 61}, {3: said("score", ago(61), score=9)}, id="happy_days"),
    ],
)
def test_each_knob_moves_its_edge(
    sqlite_engine: Engine, settings: Settings, kind: str, knobs: dict[str, int], rows: Sequence[SQLModel]
) -> None:
    rows = list((dict(enumerate(happy())) | rows).values()) if isinstance(rows, dict) else rows
    moved = load_settings(business=settings.business, moments={kind: knobs})
    assert find(sqlite_engine, settings, kind, [type(row)(**row.model_dump()) for row in rows]) == []
    assert len(find(sqlite_engine, moved, kind, [])) == 1


@pytest.mark.parametrize(
    ("kind", "days"), [("checkin", 4), ("late_payment", 30), ("anniversary", 7), ("referral_ask", 60)]
)
def test_each_moment_says_until_when_it_is_of_use(settings: Settings, kind: str, days: int) -> None:
    assert MOMENTS[kind].useful_until(knobs_for(settings, kind), TODAY, TODAY) == TODAY + timedelta(days=days)


def test_what_we_found_and_sent_before_changes_nothing(engine: Engine, settings: Settings) -> None:
    before = find(engine, settings, "referral_ask", happy())
    moment = Moment(
        moment_id="m",
        kind="referral_ask",
        customer_id="c1",
        occasion=before[0][1],
        occasion_on=ago(60),
        found_on=ago(1),
    )
    message = {"kind": "referral_ask", "channel": "letter", "purpose": "marketing", "status": "planned"}
    days = {"run_on": ago(1), "send_on": ago(1), "useful_until": TODAY}
    with writing(engine) as session:
        session.add(moment)
        session.flush()
        session.add(Message(reference="r", moment_id="m", customer_id="c1", recipient_id="c1", **message, **days))
    assert find(engine, settings, "referral_ask", []) == before


def test_only_the_kinds_asked_for_come_each_by_customer(engine: Engine, settings: Settings) -> None:
    people = [Customer(customer_id=who, customer_since=date(2020, 3, 10)) for who in ("c2", "c1")]
    rows = [*people, *(treatment(ago(2), who=who) for who in ("c2", "c1"))]
    assert find(engine, settings, "checkin", rows) == [("c1", str(ago(2))), ("c2", str(ago(2)))]
    assert find(engine, settings, "anniversary", []) == [("c1", str(TODAY)), ("c2", str(TODAY))]


@pytest.mark.parametrize("died_on", [TODAY, ago(1), ago(4000)])
def test_nobody_dead_has_any_moment(engine: Engine, settings: Settings, died_on: date) -> None:
    rows = [*happy(died_on=died_on), treatment(ago(2)), invoice(ago(10))]
    rows[0].customer_since = date(2020, 3, 10)  # type: ignore[attr-defined]
    with writing(engine) as session:
        session.add_all(rows)
    with reading(engine) as session:
        assert find_moments(session, settings, TODAY) == []


def test_someone_who_dies_tomorrow_still_has_todays_moments(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [c1(died_on=TODAY + timedelta(days=1)), treatment(ago(2))]
    assert find(sqlite_engine, settings, "checkin", rows) == [("c1", str(ago(2)))]


def test_moments_come_in_the_order_in_which_they_win(sqlite_engine: Engine, settings: Settings) -> None:
    assert list(MOMENTS) == ORDER
    rows = [c1(customer_since=date(2020, 3, 10)), treatment(ago(2)), invoice(ago(10))]
    with writing(sqlite_engine) as session:
        session.add_all(rows)
    with reading(sqlite_engine) as session:
        found = find_moments(session, settings, TODAY)
    assert [item.kind for item in found] == ["checkin", "late_payment", "anniversary", "thank_you"]
    assert all(isinstance(item, Found) and item.on == TODAY for item in found)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-40, 40))
def test_business_days_land_on_business_days_and_come_back(day: date, days: int) -> None:
    there = add_business_days(day, days)
    assert days == 0 or there.weekday() < 5
    if day.weekday() < 5:
        assert add_business_days(there, -days) == day
