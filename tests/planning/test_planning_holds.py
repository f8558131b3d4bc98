"""What planning holds back, line by line, for the moments beside the first four; test_planning.py has the rest.

`LINES` says for each line of the shared page which tests hold it, and one test checks that they exist.
"""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
import test_planning
from sqlalchemy import Engine, update
from sqlmodel import SQLModel, col, select

from conftest import NOW, TODAY
from outreach.approval.open_batches import open_batches
from outreach.composing.run import compose_planned
from outreach.database import reading, writing
from outreach.models import Customer, Event, Feedback, Flag, Goodwill, Invoice, Message, Payment, Visit
from outreach.planning.knobs import overlay_knobs
from outreach.planning.run import plan_day
from outreach.settings import Settings
from planning_rows import (
    at,
    customer,
    decision,
    faithful,
    granted,
    happy,
    late,
    messages,
    payments_fresh,
    plan,
    treated,
)

LONG_AGO = TODAY - timedelta(days=400)
LATELY = TODAY - timedelta(days=20)
# What each line of "What planning holds back" begins with, and the tests that hold it.
LINES: dict[str, list[str]] = {
    "People": [
        "test_a_minor_is_written_to_through_the_guardian",
        "test_at_eighteen_the_guardian_is_dropped",
        "test_a_minor_without_a_living_adult_unflagged_guardian_is_held",
        "test_two_wards_of_one_guardian_on_one_day_share_one_message",
        "test_no_referral_is_asked_of_a_minor",
    ],
    "Flags": [
        "test_any_flag_holds_a_present",
        "test_a_flag_holds_a_late_payment_note",
        "test_a_flag_nobody_knows_holds_everything",
        "test_a_death_in_the_household_holds_everything_for_the_days_of_mourning",
        "test_separated_people_are_never_one_household",
    ],
    "Check-in": [
        "test_a_checkin_waits_until_staff_have_allowed_the_treatment",
        "test_sensitive_care_is_never_asked_about_even_when_allowed",
    ],
    "Late payment": [
        "test_goodwill_holds_late_payment_for_relief_days",
        "test_a_second_slip_within_thirty_days_is_left_alone",
    ],
    "Presents": [
        "test_presents_are_not_sent_while_something_is_overdue",
        "test_presents_are_not_sent_while_something_is_in_dispute",
        "test_presents_are_not_sent_during_an_open_complaint",
        "test_presents_are_not_sent_to_somebody_with_a_flag",
        "test_presents_are_not_sent_beyond_silent_days",
        "test_a_customer_since_shared_by_over_one_percent_is_an_imports_default_and_is_held",
    ],
    "Win-back, first_hundred": [
        "test_nobody_is_missed_who_has_a_visit_booked",
        "test_nobody_is_missed_who_paid_lately",
        "test_nobody_is_missed_whom_we_dismissed",
        "test_nobody_is_missed_whose_mail_came_back",
        "test_silent_over_verify_days_waits_for_a_person",
    ],
    "Referral, win-back, surprise, survey": ["test_favours_are_never_asked_during_complaint_hardship_or_bereavement"],
    "Households": [
        "test_pacing_across_a_household_is_for_marketing_only",
        "test_one_household_gets_one_piece_of_marketing_within_the_quiet_days",
    ],
    "Collisions": [
        "test_at_most_one_touch_per_person_within_the_quiet_days",
        "test_the_losers_decision_names_the_winner_and_its_next_date",
    ],
    "Usefulness": ["test_a_message_that_nobody_approved_in_time_is_of_no_use", "test_what_is_too_late_is_never_sent"],
    "No hold-out": ["test_care_debt_and_replies_are_never_held_out"],
}


def test_each_line_of_the_page_has_tests_and_every_test_exists(shared: Path) -> None:
    page = (shared / "moments.md").read_text().split("## What planning holds back")[1]
    assert re.findall(r"^- \*\*(.+?)\*\*", page, flags=re.MULTILINE) == [*LINES]
    known = {*globals(), *vars(test_planning)}
    assert [name for names in LINES.values() for name in names if name not in known] == []


def rule(engine: Engine, kind: str, who: str = "c1") -> str:
    return decision(engine, kind, who).rule


def silent(who: str = "c1", last: date = LONG_AGO, **values: object) -> list[SQLModel]:
    """Somebody who came once, long ago, and may be written to by e-mail."""
    visit = Visit(visit_id=f"old-{who}", customer_id=who, starts_at=at(last), starts_on=last, status="completed")
    return [customer(who, **values), visit, granted("email", "marketing", who)]


# --- presents


def test_presents_are_not_sent_while_something_is_overdue(sqlite_engine: Engine, every_moment: Settings) -> None:
    rows = [*faithful(since=date(2010, 3, 12)), *late(days=3)]
    plan(sqlite_engine, every_moment, rows)
    assert rule(sqlite_engine, "anniversary") == "overdue"
    assert rule(sqlite_engine, "thank_you") == "overdue"


def test_what_they_pay_for_another_counts_as_theirs(sqlite_engine: Engine, every_moment: Settings) -> None:
    rows = [*faithful(since=date(2010, 3, 12)), customer("kid"), *late("kid", days=3, payer_id="c1")]
    plan(sqlite_engine, every_moment, rows)
    assert rule(sqlite_engine, "anniversary") == "overdue"


def test_presents_are_not_sent_while_something_is_in_dispute(sqlite_engine: Engine, every_moment: Settings) -> None:
    due = TODAY + timedelta(days=9)
    disputed = Invoice(
        invoice_id="i", customer_id="c1", issued_on=TODAY, due_on=due, amount=5000, status="disputed"
    )  # not due yet
    plan(sqlite_engine, every_moment, [*faithful(since=date(2010, 3, 12)), disputed])
    assert {rule(sqlite_engine, kind) for kind in ("anniversary", "thank_you")} == {"dispute"}


def complaint(who: str = "c1") -> Feedback:
    day = TODAY - timedelta(days=30)
    return Feedback(feedback_id=f"c-{who}", customer_id=who, given_at=at(day), given_on=day, kind="complaint")


def test_presents_are_not_sent_during_an_open_complaint(sqlite_engine: Engine, every_moment: Settings) -> None:
    plan(sqlite_engine, every_moment, [*faithful(since=date(2010, 3, 12)), complaint()])
    assert {rule(sqlite_engine, kind) for kind in ("anniversary", "thank_you")} == {"complaint"}


@pytest.mark.parametrize("flag", ["moved", "separated", "do_not_mail", "hardship"])
def test_presents_are_not_sent_to_somebody_with_a_flag(
    sqlite_engine: Engine, every_moment: Settings, flag: str
) -> None:
    rows = [*faithful(since=date(2010, 3, 12)), Flag(customer_id="c1", kind=flag, from_on=LATELY)]
    plan(sqlite_engine, every_moment, rows)
    assert {rule(sqlite_engine, kind) for kind in ("anniversary", "thank_you")} == {f"flag_{flag}"}


def test_presents_are_not_sent_beyond_silent_days(sqlite_engine: Engine, every_moment: Settings) -> None:
    plan(sqlite_engine, every_moment, silent(customer_since=date(2010, 3, 12)))
    assert {rule(sqlite_engine, kind) for kind in ("anniversary", "thank_you")} == {"silent"}


def test_a_customer_since_shared_by_over_one_percent_is_an_imports_default_and_is_held(
    sqlite_engine: Engine, every_moment: Settings
) -> None:
    rows = [row for number in range(6) for row in faithful(f"c{number}", email=f"{number}@home.example")]
    plan(sqlite_engine, every_moment, rows)
    assert rule(sqlite_engine, "anniversary") == "shared_since"
    assert rule(sqlite_engine, "thank_you") == "shared_since"


# --- absence


def booked(who: str = "c1") -> Visit:
    day = TODAY + timedelta(days=5)
    return Visit(visit_id=f"next-{who}", customer_id=who, starts_at=at(day), starts_on=day, status="booked")


def month_in(who: str = "c1") -> list[SQLModel]:
    """Somebody on their thirtieth day with us."""
    return [customer(who, customer_since=TODAY - timedelta(days=30))]


@pytest.mark.parametrize("kind", ["win_back", "first_hundred"])
def test_nobody_is_missed_who_has_a_visit_booked(sqlite_engine: Engine, every_moment: Settings, kind: str) -> None:
    plan(sqlite_engine, every_moment, [*(silent() if kind == "win_back" else month_in()), booked()])
    held = decision(sqlite_engine, kind)
    assert (held.rule, held.reason) == ("booked", "they have a visit booked for 2026-03-15")


def test_nobody_is_missed_who_paid_lately(sqlite_engine: Engine, every_moment: Settings) -> None:
    """For a win-back, a payment is a sign of life of its own; on day 30 it is a reason to leave them in peace."""
    invoice = late(days=2)
    paid = Payment(payment_id="p", invoice_id="i-c1-2", paid_on=TODAY - timedelta(days=1), amount=9000)
    plan(sqlite_engine, every_moment, [*month_in(), *invoice, paid])
    assert rule(sqlite_engine, "first_hundred") == "paid_lately"


@pytest.mark.parametrize("kind", ["win_back", "first_hundred"])
def test_nobody_is_missed_whom_we_dismissed(sqlite_engine: Engine, every_moment: Settings, kind: str) -> None:
    rows = [*(silent() if kind == "win_back" else month_in()), Flag(customer_id="c1", kind="dismissed", from_on=LATELY)]
    plan(sqlite_engine, every_moment, rows)
    assert rule(sqlite_engine, kind) == "flag_dismissed"


def test_nobody_is_missed_whose_mail_came_back(sqlite_engine: Engine, every_moment: Settings) -> None:
    on = TODAY - timedelta(days=60)
    plan(sqlite_engine, every_moment, faithful(since=date(2010, 3, 12).replace(month=1)), on=on, now=at(on))
    with writing(sqlite_engine) as session:
        session.execute(update(Message).values(status="returned"))
        session.execute(update(Customer).values(customer_since=TODAY - timedelta(days=30)))
        session.execute(update(Visit).values(starts_on=LONG_AGO))
    plan_day(sqlite_engine, every_moment, TODAY, NOW)
    assert rule(sqlite_engine, "win_back") == "returned_mail"


def test_silent_over_verify_days_waits_for_a_person(engine: Engine, every_moment: Settings) -> None:
    rows = [*silent("near"), *silent("far", TODAY - timedelta(days=731), email="far@home.example")]
    plan(engine, every_moment, rows)
    wanted = {message.customer_id: message.wants_person for message in messages(engine) if message.kind == "win_back"}
    assert wanted == {"near": None, "far": "silent since 2024-03-09: is this still their address?"}


def test_what_a_person_must_see_is_in_a_batch_of_its_own(sqlite_engine: Engine, every_moment: Settings) -> None:
    rows = [*silent("near"), *silent("far", TODAY - timedelta(days=731), email="far@home.example")]
    plan(sqlite_engine, every_moment, rows)
    compose_planned(sqlite_engine, every_moment, TODAY, NOW)
    open_batches(sqlite_engine, every_moment, TODAY, NOW)
    with reading(sqlite_engine) as session:
        batches = {message.customer_id: message.batch_id for message in session.exec(select(Message))}
    assert batches["near"] != batches["far"]


# --- favours


@pytest.mark.parametrize("trouble", ["complaint", "hardship", "bereaved"])
@pytest.mark.parametrize("kind", ["win_back", "survey", "referral_ask"])
def test_favours_are_never_asked_during_complaint_hardship_or_bereavement(
    sqlite_engine: Engine, every_moment: Settings, kind: str, trouble: str
) -> None:
    yesterday = TODAY - timedelta(days=1)
    visit = Visit(visit_id="v", customer_id="c1", starts_at=at(yesterday), starts_on=yesterday, status="completed")
    rows = {"win_back": silent(), "survey": [customer(), visit], "referral_ask": happy()}[kind]
    rows = [*rows, complaint() if trouble == "complaint" else Flag(customer_id="c1", kind=trouble, from_on=LATELY)]
    plan(sqlite_engine, every_moment, rows)
    if (kind, trouble) == ("referral_ask", "complaint"):
        assert messages(sqlite_engine) == [], "an open complaint is a clause of the referral itself"
        return
    assert rule(sqlite_engine, kind) in {"complaint", f"flag_{trouble}"}


# --- late payment


@pytest.mark.parametrize(("days", "held"), [(29, "relief"), (30, "send")])
def test_goodwill_holds_late_payment_for_relief_days(
    sqlite_engine: Engine, settings: Settings, days: int, held: str
) -> None:
    named = Goodwill(event="storm", customer_id="c1", named_on=TODAY - timedelta(days=days), by="nora")
    plan(sqlite_engine, settings, [customer(), *late(), payments_fresh(), named])
    assert rule(sqlite_engine, "late_payment") == held


# --- households


def couple(**values: object) -> list[SQLModel]:
    """Two of one household whose anniversaries are one day apart."""
    first, second = date(2020, 3, 12), date(2021, 3, 13)
    return [
        *faithful("ann", since=first, household_id="h", **values),
        *faithful("bob", since=second, household_id="h", email="bob@home.example", **values),
    ]


def test_one_household_gets_one_piece_of_marketing_within_the_quiet_days(engine: Engine, settings: Settings) -> None:
    plan(engine, settings, couple())
    assert [message.customer_id for message in messages(engine)] == ["ann"]
    held = decision(engine, "anniversary", "bob")
    assert (held.rule, held.outcome) == ("household", "never")
    assert held.reason.startswith("somebody in their household hears from us on 2026-03-10")


def test_what_the_household_heard_before_counts_as_well(engine: Engine, settings: Settings) -> None:
    ann, bob = couple()[:2], couple()[2:]
    plan(engine, settings, ann, on=TODAY - timedelta(days=1), now=NOW - timedelta(days=1))
    plan(engine, settings, bob)
    assert decision(engine, "anniversary", "bob").rule == "household"


def test_separated_people_are_never_one_household(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [*silent("ann", household_id="h"), *silent("bob", household_id="h", email="bob@home.example")]
    on = settings.model_copy(update={"moments": {"win_back": {}}})
    separated = Flag(customer_id="bob", kind="separated", from_on=LATELY)
    plan(sqlite_engine, on, [*rows, separated])
    assert {message.customer_id for message in messages(sqlite_engine) if message.kind == "win_back"} == {"ann", "bob"}


def test_pacing_across_a_household_is_for_marketing_only(sqlite_engine: Engine, settings: Settings) -> None:
    rows: list[SQLModel] = []
    for who in ("ann", "bob"):
        rows += [customer(who, household_id="h", email=f"{who}@home.example"), granted("email", customer_id=who)]
        rows += treated(who)
    plan(sqlite_engine, settings, rows)
    assert sorted(message.customer_id for message in messages(sqlite_engine)) == ["ann", "bob"]


# --- collisions and usefulness


def test_the_losers_decision_names_the_winner_and_its_next_date(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, [*happy(), *treated(), granted("email")])
    lost = decision(sqlite_engine, "referral_ask")
    assert (lost.rule, lost.outcome, lost.next_on) == ("collision", "not_yet", TODAY + timedelta(days=14))
    assert lost.reason == "checkin comes first for this person"


def test_recovery_comes_before_all_others(sqlite_engine: Engine, every_moment: Settings) -> None:
    low = Feedback(
        feedback_id="f", customer_id="c1", given_at=at(TODAY), given_on=TODAY, kind="score", score=3, status="open"
    )
    plan(sqlite_engine, every_moment, [customer(), granted("email"), *treated(), *late(), payments_fresh(), low])
    assert [message.kind for message in messages(sqlite_engine)] == ["recovery"]
    assert decision(sqlite_engine, "checkin").reason.startswith("recovery comes first")


def test_what_is_too_late_is_never_sent(sqlite_engine: Engine, every_moment: Settings) -> None:
    asked = TODAY - timedelta(days=4)
    enquiry = Feedback(feedback_id="q", customer_id="c1", given_at=at(asked), given_on=asked, kind="enquiry")
    plan(sqlite_engine, every_moment, [customer(), enquiry])
    assert (rule(sqlite_engine, "enquiry"), decision(sqlite_engine, "enquiry").outcome) == ("too_late", "never")


def test_a_message_that_nobody_approved_in_time_is_of_no_use(sqlite_engine: Engine, every_moment: Settings) -> None:
    plan(sqlite_engine, every_moment, [customer(customer_since=TODAY - timedelta(days=1))])
    compose_planned(sqlite_engine, every_moment, TODAY, NOW)
    later = NOW + timedelta(days=12)
    open_batches(sqlite_engine, every_moment, later.date(), later)
    assert {message.status for message in messages(sqlite_engine) if message.kind == "welcome"} == {"expired"}


def test_an_enquiry_goes_by_call_and_by_email_at_once(engine: Engine, every_moment: Settings) -> None:
    yesterday = TODAY - timedelta(days=1)
    enquiry = Feedback(feedback_id="q", customer_id="c1", given_at=at(yesterday), given_on=yesterday, kind="enquiry")
    plan(engine, every_moment, [customer(), granted("email"), enquiry])
    sent = sorted((message.channel, message.step) for message in messages(engine))
    assert sent == [("call", 1), ("email", 2)]


def test_whoever_asked_just_now_is_given_time(sqlite_engine: Engine, every_moment: Settings) -> None:
    enquiry = Feedback(
        feedback_id="q", customer_id="c1", given_at=NOW - timedelta(hours=1), given_on=TODAY, kind="enquiry"
    )
    plan(sqlite_engine, every_moment, [customer(), enquiry])
    assert rule(sqlite_engine, "enquiry") == "asked_just_now"


def test_care_debt_and_replies_are_never_held_out(sqlite_engine: Engine, every_moment: Settings) -> None:
    """Everyone who has one and against whom no rule stands is written to: nobody is kept back to compare with."""
    rows: list[SQLModel] = []
    for number in range(40):
        who = f"c{number:02}"
        rows += [customer(who, email=f"{who}@home.example"), granted("email", customer_id=who), *treated(who)]
    plan(sqlite_engine, every_moment, rows)
    assert len([message for message in messages(sqlite_engine) if message.kind == "checkin"]) == 40


# --- ladders


def climb(engine: Engine, settings: Settings, days: int) -> None:
    """Marks what was sent as delivered, and plans again so many days later."""
    with writing(engine) as session:
        session.execute(update(Message).where(col(Message.status) == "planned").values(status="delivered"))
    plan_day(engine, settings, TODAY + timedelta(days=days), NOW + timedelta(days=days))


@pytest.mark.parametrize(("days", "channels"), [(13, ["email"]), (14, ["email", "letter"])])
def test_a_ladder_writes_the_letter_when_the_email_brought_no_answer(
    engine: Engine, settings: Settings, days: int, channels: list[str]
) -> None:
    on = settings.model_copy(update={"moments": {"win_back": {}, "thank_you": {"enabled": False}}})
    plan(engine, on, silent())
    climb(engine, on, days)
    assert [message.channel for message in sorted(messages(engine), key=lambda m: m.step)] == channels
    assert decision(engine, "win_back").outcome == "send"


def test_a_ladder_ends_with_an_answer(sqlite_engine: Engine, settings: Settings) -> None:
    on = settings.model_copy(update={"moments": {"win_back": {}, "thank_you": {"enabled": False}}})
    plan(sqlite_engine, on, silent())
    (email,) = messages(sqlite_engine)
    with writing(sqlite_engine) as session:
        session.add(
            Event(provider="smtp", event_id="1", reference=email.reference, kind="replied", at=NOW, received_at=NOW)
        )
    climb(sqlite_engine, on, 20)
    assert len(messages(sqlite_engine)) == 1


def test_without_a_ladder_the_first_channel_is_the_only_one(sqlite_engine: Engine, settings: Settings) -> None:
    on = settings.model_copy(update={"moments": {"win_back": {}, "thank_you": {"enabled": False}}})
    on = overlay_knobs(on, "win_back", {"ladder": False})
    plan(sqlite_engine, on, silent())
    climb(sqlite_engine, on, 20)
    assert len(messages(sqlite_engine)) == 1
