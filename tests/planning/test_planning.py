"""Whom we write to and whom we do not: each rule of planning, and the runs that must change nothing twice."""

import os
import shutil
import signal
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, select

from budget import trials
from conftest import NOW, TODAY
from outreach.contacts import contact_hash, load_key, normalise_email
from outreach.database import open_database, reading, writing
from outreach.errors import SettingsError
from outreach.models import (
    Consent,
    Customer,
    Decision,
    Feedback,
    Flag,
    Installation,
    Message,
    Moment,
    Payment,
    Suppression,
    Visit,
)
from outreach.moments import MOMENTS
from outreach.planning.run import plan_day
from outreach.planning.why import explain_customer
from outreach.settings import Settings
from outreach.stable_ids import moment_id, reference
from planning_rows import (
    TWO_DAYS_AGO,
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
    with_knobs,
    withdrawn,
)
from processes import PROCESSES

# --- people


def test_someone_who_died_since_their_anniversary_is_not_written_to(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, faithful(since=date(2023, 3, 7), died_on=TODAY - timedelta(days=1)))
    assert (decision(sqlite_engine, "anniversary").rule, decision(sqlite_engine, "anniversary").outcome) == (
        "dead",
        "never",
    )


def test_a_minor_is_written_to_through_the_guardian(engine: Engine, settings: Settings) -> None:
    child = customer("kid", born_on=date(2015, 5, 5), guardian_id="mum", email=None, phone=None)
    plan(engine, settings, [child, customer("mum"), granted("email", customer_id="mum"), *treated("kid")])
    (message,) = messages(engine)
    assert (message.customer_id, message.recipient_id, message.channel) == ("kid", "mum", "email")


def test_at_eighteen_the_guardian_is_dropped(sqlite_engine: Engine, settings: Settings) -> None:
    grown = customer("kid", born_on=TODAY.replace(year=TODAY.year - 18), guardian_id="mum")
    plan(sqlite_engine, settings, [grown, customer("mum"), granted("email", customer_id="kid"), *treated("kid")])
    assert messages(sqlite_engine)[0].recipient_id == "kid"


@pytest.mark.parametrize(
    ("guardian", "rule"),
    [
        ([], "no_guardian"),
        ([customer("mum", died_on=date(2026, 1, 1))], "guardian_unfit"),
        ([customer("mum", born_on=date(2010, 1, 1))], "guardian_unfit"),
        ([customer("mum"), Flag(customer_id="mum", kind="moved", from_on=date(2026, 1, 1))], "guardian_flagged"),
    ],
)
def test_a_minor_without_a_living_adult_unflagged_guardian_is_held(
    sqlite_engine: Engine, settings: Settings, guardian: list[SQLModel], rule: str
) -> None:
    child = customer("kid", born_on=date(2015, 5, 5), guardian_id="mum")
    copies = [type(row)(**row.model_dump()) for row in guardian]
    plan(sqlite_engine, settings, [child, *copies, granted("email", customer_id="mum"), *treated("kid")])
    assert decision(sqlite_engine, "checkin", "kid").rule == rule
    assert messages(sqlite_engine) == []


def test_two_wards_of_one_guardian_on_one_day_share_one_message(engine: Engine, settings: Settings) -> None:
    born = date(2015, 5, 5)
    rows = [customer("mum"), granted("email", customer_id="mum")]
    for child in ("kid1", "kid2"):
        rows += [customer(child, born_on=born, guardian_id="mum"), *treated(child)]  # type: ignore[list-item]
    plan(engine, settings, rows)
    (message,) = messages(engine)
    assert decision(engine, "checkin", "kid1").reference == message.reference
    assert decision(engine, "checkin", "kid2").reference == message.reference


def test_row_17_one_number_under_two_customers_gets_the_same_news_once_a_day(
    engine: Engine, settings: Settings
) -> None:
    rows: list[SQLModel] = []
    for who, phone in (("c1", "+1 802 555 2671"), ("c2", "(802) 555-2671")):
        asked = Consent(customer_id=who, channel="text", purpose="service", state="granted", at=at(TWO_DAYS_AGO))
        rows += [customer(who, email=None, phone=phone, address_line1=None), asked, *treated(who)]
    plan(engine, settings, rows)
    assert [message.customer_id for message in messages(engine)] == ["c1"]
    held = decision(engine, "checkin", "c2")
    assert (held.outcome, held.rule, held.next_on) == ("not_yet", "same_contact", TODAY + timedelta(days=1))
    assert held.reason == "another customer with the same number gets this message today"
    again = messages(engine)[0].model_dump() | {"reference": "B", "moment_id": moment_id("checkin", "c2", "2026-03-08")}
    with pytest.raises(Exception, match=r"(?i)unique"), writing(engine) as session:
        session.add(Message(**again))


def test_no_referral_is_asked_of_a_minor(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [*happy("kid", born_on=date(2012, 1, 1), guardian_id="mum"), customer("mum")]
    plan(sqlite_engine, settings, rows)
    assert (decision(sqlite_engine, "referral_ask", "kid").rule, messages(sqlite_engine)) == ("minor", [])


def test_someone_without_any_name_is_not_written_to(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, faithful(given_name=None, family_name="Lee"))
    assert decision(sqlite_engine, "anniversary").rule == "no_name"


@pytest.mark.parametrize("word", ["-", ".", "N/A", "NULL", "nan", "{{first_name}}", "12345", "The Lee Family"])
def test_nobody_is_written_to_as_what_stands_for_no_name(sqlite_engine: Engine, settings: Settings, word: str) -> None:
    rows = [*faithful(given_name=word, family_name="Lee"), *faithful("c2", given_name="Cher", family_name=None)]
    rows += faithful("c3", given_name=word, family_name="Lee", honorific="Dr.")
    plan(sqlite_engine, settings, rows)
    held = decision(sqlite_engine, "anniversary")
    assert (held.outcome, held.rule, held.next_on) == ("not_yet", "no_name", TODAY + timedelta(days=1))
    assert held.reason.startswith("there is no name to greet them by: given_name holds ")
    assert {message.customer_id for message in messages(sqlite_engine)} == {"c2", "c3"}


@pytest.mark.parametrize("name", [{"family_name": "Lee (deceased)"}, {"given_name": "Estate of Ann"}])
def test_a_name_that_tells_of_a_death_holds_everything_until_staff_have_asked(
    sqlite_engine: Engine, settings: Settings, name: dict[str, str]
) -> None:
    plan(sqlite_engine, settings, faithful(**name))
    held = decision(sqlite_engine, "anniversary")
    assert (held.outcome, held.rule, held.next_on) == ("not_yet", "death_in_name", TODAY + timedelta(days=1))
    assert "they have died" in held.reason


# --- flags


@pytest.mark.parametrize("flag", ["bereaved", "hardship", "legal", "bankrupt", "dismissed", "wrong_person"])
def test_a_flag_holds_a_late_payment_note(sqlite_engine: Engine, settings: Settings, flag: str) -> None:
    rows = [customer(), *late(), payments_fresh(), Flag(customer_id="c1", kind=flag, from_on=TODAY)]
    plan(sqlite_engine, settings, rows)
    assert decision(sqlite_engine, "late_payment").rule == f"flag_{flag}"


def test_a_flag_that_has_ended_holds_nothing(sqlite_engine: Engine, settings: Settings) -> None:
    ended = Flag(customer_id="c1", kind="hardship", from_on=date(2025, 1, 1), until_on=TODAY - timedelta(days=1))
    plan(sqlite_engine, settings, [*faithful(), ended])
    assert decision(sqlite_engine, "anniversary").outcome == "send"


def test_any_flag_holds_a_present(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, [*faithful(), Flag(customer_id="c1", kind="separated", from_on=TODAY)])
    assert decision(sqlite_engine, "anniversary").outcome != "send"


def test_a_flag_nobody_knows_holds_everything(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [customer(), granted("email"), *treated(), Flag(customer_id="c1", kind="vip?", from_on=TODAY)]
    plan(sqlite_engine, settings, rows)
    assert decision(sqlite_engine, "checkin").outcome == "not_yet"


@pytest.mark.parametrize("flag", ["moved", "do_not_mail"])
def test_moved_and_do_not_mail_close_the_letter_and_leave_the_rest(
    sqlite_engine: Engine, settings: Settings, flag: str
) -> None:
    rows = [customer(), *late(), payments_fresh(), granted("email"), Flag(customer_id="c1", kind=flag, from_on=TODAY)]
    plan(sqlite_engine, settings, rows)
    assert messages(sqlite_engine)[0].channel == "email"


def test_a_death_in_the_household_holds_everything_for_the_days_of_mourning(engine: Engine, settings: Settings) -> None:
    dead = customer("dad", household_id="h1", died_on=TODAY - timedelta(days=89))
    plan(engine, settings, [dead, *faithful(household_id="h1")])
    assert decision(engine, "anniversary").rule == "household_death"
    assert decision(engine, "anniversary").next_on == TODAY + timedelta(days=1)


def test_mourning_ends_after_its_days(sqlite_engine: Engine, settings: Settings) -> None:
    dead = customer("dad", household_id="h1", died_on=TODAY - timedelta(days=90))
    plan(sqlite_engine, settings, [dead, *faithful(household_id="h1")])
    assert decision(sqlite_engine, "anniversary").outcome == "send"


def test_confidential_fixes_the_channel_and_the_contact(sqlite_engine: Engine, settings: Settings) -> None:
    flag = Flag(customer_id="c1", kind="confidential", from_on=TODAY, note="email: private@work.example")
    plan(sqlite_engine, settings, [customer(), *late(), payments_fresh(), granted("email"), flag])
    (message,) = messages(sqlite_engine)
    key = load_key(sqlite_engine, settings)
    assert message.channel == "email"
    assert message.contact_hash == contact_hash(key, "email", str(normalise_email("private@work.example")))


def test_confidential_without_a_channel_in_its_note_reaches_nobody(sqlite_engine: Engine, settings: Settings) -> None:
    flag = Flag(customer_id="c1", kind="confidential", from_on=TODAY)
    plan(sqlite_engine, settings, [customer(), *late(), payments_fresh(), granted("email"), flag])
    assert decision(sqlite_engine, "late_payment").rule == "no_channel"


# --- consent, suppression, channels


def test_no_consent_row_means_no_email_but_a_letter(engine: Engine, settings: Settings) -> None:
    plan(engine, settings, faithful())
    (message,) = messages(engine)
    assert message.channel == "letter"


def test_a_withdrawal_closes_the_channel_for_its_purpose_only(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, [*faithful(), withdrawn("letter", "marketing"), *late(days=-5), granted("email")])
    assert decision(sqlite_engine, "anniversary").rule == "no_channel"


def test_the_latest_word_on_consent_stands(sqlite_engine: Engine, settings: Settings) -> None:
    again = Consent(customer_id="c1", channel="letter", purpose="marketing", at=NOW, state="granted")
    plan(sqlite_engine, settings, [*faithful(), withdrawn("letter", "marketing"), again])
    assert messages(sqlite_engine)[0].channel == "letter"


def test_consent_that_has_expired_is_no_consent(sqlite_engine: Engine, settings: Settings) -> None:
    expired = granted("email", expires_at=NOW - timedelta(days=1))
    plan(sqlite_engine, settings, [customer(), *treated(), expired])
    assert messages(sqlite_engine)[0].channel == "call"


def test_a_suppressed_contact_is_not_used_in_any_spelling(engine: Engine, settings: Settings) -> None:
    key = load_key(engine, settings)
    hashed = contact_hash(key, "email", str(normalise_email("ann@home.example")))
    rows = [
        customer(email=" Ann@HOME.example "),
        granted("email"),
        *treated(),
        Suppression(contact_hash=hashed, channel="email", source="unsubscribed", at=NOW),
    ]
    plan(engine, settings, rows)
    assert messages(engine)[0].channel == "call"


def test_a_checkin_never_goes_by_a_letter_that_would_come_too_late(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, [customer(email=None, phone=None), *treated()])
    assert decision(sqlite_engine, "checkin").rule == "no_channel"
    assert "it would arrive after" in decision(sqlite_engine, "checkin").reason


def test_channels_are_tried_in_their_order_and_the_reason_says_what_was_passed_over(
    sqlite_engine: Engine, settings: Settings
) -> None:
    plan(sqlite_engine, settings, [customer(email="not an address"), granted("text"), *treated()])
    assert messages(sqlite_engine)[0].channel == "text"
    assert "email: no e-mail address that works" in decision(sqlite_engine, "checkin").reason


def test_a_provider_without_an_agreement_carries_no_debt(sqlite_engine: Engine, settings: Settings) -> None:
    outbox = settings.providers.outbox.model_copy(update={"debt": False})
    barred = settings.model_copy(update={"providers": settings.providers.model_copy(update={"outbox": outbox})})
    plan(sqlite_engine, barred, [customer(), *late(), payments_fresh()])
    assert "no agreement" in decision(sqlite_engine, "late_payment").reason


# --- anniversary


def test_an_anniversary_letter_leaves_so_that_it_arrives_on_the_day(sqlite_engine: Engine, settings: Settings) -> None:
    friday_week = date(2026, 3, 17)  # five business days after Tuesday the 10th
    plan(sqlite_engine, settings, faithful(since=friday_week.replace(year=2023)))
    assert messages(sqlite_engine)[0].send_on == date(2026, 3, 11)


def test_an_anniversary_email_waits_for_the_day_itself(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [*faithful(postal_code=None), granted("email", "marketing")]
    plan(sqlite_engine, settings, rows)
    assert (messages(sqlite_engine)[0].channel, messages(sqlite_engine)[0].send_on) == ("email", date(2026, 3, 12))


def test_a_zip_that_lost_its_zero_holds_the_letter_and_the_reason_proposes_it(
    sqlite_engine: Engine, settings: Settings
) -> None:
    plan(sqlite_engine, settings, [*faithful(postal_code="5401", region="VT"), *faithful("c2", postal_code="NONE")])
    assert "postal_code is none that US can have (05401?)" in decision(sqlite_engine, "anniversary").reason
    reason = decision(sqlite_engine, "anniversary", "c2").reason
    assert "postal_code is none that US can have" in reason
    assert "?" not in reason


def test_an_anniversary_missed_within_the_grace_days_is_still_kept(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, faithful(since=date(2023, 3, 9)))
    assert messages(sqlite_engine) != []


def test_a_present_is_not_sent_to_someone_who_is_overdue(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, [*faithful(), *late(days=40)])
    assert decision(sqlite_engine, "anniversary").rule == "overdue"


def test_a_present_is_not_sent_during_a_dispute_or_complaint(sqlite_engine: Engine, settings: Settings) -> None:
    complaint = Feedback(feedback_id="f", customer_id="c2", given_at=NOW, given_on=TODAY, kind="complaint")
    plan(sqlite_engine, settings, [*faithful(), *late(days=5, status="disputed"), *faithful("c2"), complaint])
    assert decision(sqlite_engine, "anniversary").rule == "dispute"
    assert decision(sqlite_engine, "anniversary", "c2").rule == "complaint"


def test_a_present_is_not_sent_to_someone_long_silent(sqlite_engine: Engine, settings: Settings) -> None:
    since = (TODAY + timedelta(days=2)).replace(year=2020)
    visit = Visit(visit_id="v", customer_id="c1", starts_at=at(date(2025, 3, 9)), starts_on=date(2025, 3, 9))
    plan(sqlite_engine, settings, [customer(customer_since=since), visit])
    assert decision(sqlite_engine, "anniversary").rule == "silent"


def test_a_start_date_that_many_share_is_an_imports_default(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [row for n in range(6) for row in faithful(f"c{n}")]
    others = [customer(f"x{n}", customer_since=date(2020, 1, 1) + timedelta(days=n)) for n in range(60)]
    plan(sqlite_engine, settings, [*rows, *others])
    assert decision(sqlite_engine, "anniversary", "c3").rule == "shared_since"


# --- check-in


def test_a_checkin_waits_until_staff_have_allowed_the_treatment(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [customer(), granted("email"), *treated(name="Whitening")]
    plan(sqlite_engine, settings, rows)
    held = decision(sqlite_engine, "checkin")
    assert (held.rule, held.outcome) == ("treatment_not_allowed", "not_yet")
    allowed = with_knobs(settings, "checkin", treatments=["whitening"])
    plan(sqlite_engine, allowed, [], on=TODAY + timedelta(days=1))
    assert decision(sqlite_engine, "checkin").outcome == "send"


def test_sensitive_care_is_never_asked_about_even_when_allowed(sqlite_engine: Engine, settings: Settings) -> None:
    allowed = with_knobs(settings, "checkin", treatments=["Depression screening (procedure)"])
    plan(sqlite_engine, allowed, [customer(), *treated(name="Depression screening (procedure)")])
    assert (decision(sqlite_engine, "checkin").rule, decision(sqlite_engine, "checkin").outcome) == (
        "sensitive",
        "never",
    )


# --- late payment


def test_a_late_payment_note_waits_for_the_first_touch_day(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, [customer(), *late(days=3), payments_fresh()])
    held = decision(sqlite_engine, "late_payment")
    assert (held.rule, held.next_on) == ("first_touch", TODAY + timedelta(days=7))
    with writing(sqlite_engine) as session:
        session.add(payments_fresh(NOW + timedelta(days=7)))
    plan_day(sqlite_engine, settings, TODAY + timedelta(days=7), NOW + timedelta(days=7))
    assert decision(sqlite_engine, "late_payment").outcome == "send"


def test_a_small_balance_is_not_worth_a_note(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, [customer(), *late(amount=999), payments_fresh()])
    assert decision(sqlite_engine, "late_payment").rule == "min_balance"


def test_any_open_dispute_holds_the_note(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, [customer(), *late(), *late(days=50, status="disputed"), payments_fresh()])
    assert decision(sqlite_engine, "late_payment").rule == "dispute"


def test_an_open_complaint_holds_the_note(sqlite_engine: Engine, settings: Settings) -> None:
    complaint = Feedback(
        feedback_id="f", customer_id="c1", given_at=NOW, given_on=TODAY, kind="complaint", status="open"
    )
    plan(sqlite_engine, settings, [customer(), *late(), payments_fresh(), complaint])
    assert decision(sqlite_engine, "late_payment").rule == "complaint"


@pytest.mark.parametrize("hours", [None, 25])
def test_no_note_without_fresh_payments(sqlite_engine: Engine, settings: Settings, hours: int | None) -> None:
    imported = [payments_fresh(NOW - timedelta(hours=hours))] if hours else []
    plan(sqlite_engine, settings, [customer(), *late(), *imported])
    assert decision(sqlite_engine, "late_payment").rule == "stale_payments"


def test_the_note_goes_to_the_payer(engine: Engine, settings: Settings) -> None:
    plan(engine, settings, [customer(), customer("payer"), *late(payer_id="payer"), payments_fresh()])
    assert messages(engine)[0].recipient_id == "payer"


def test_a_note_put_off_is_dropped_once_it_is_paid(engine: Engine, settings: Settings) -> None:
    plan(engine, settings, [customer(), *late(days=8), payments_fresh()])
    paid = Payment(payment_id="p", invoice_id="i-c1-8", paid_on=TODAY, amount=9000)
    plan(engine, settings, [paid], on=TODAY + timedelta(days=2))
    assert (decision(engine, "late_payment").outcome, decision(engine, "late_payment").rule) == ("never", "no_longer")


def test_a_second_slip_within_thirty_days_is_left_alone(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, [customer(), *late(days=12), payments_fresh()])
    later = TODAY + timedelta(days=20)
    rows = [
        Payment(payment_id="p", invoice_id="i-c1-12", paid_on=later, amount=9000),
        *late(days=-8),
        payments_fresh(at(later)),
    ]
    plan(sqlite_engine, settings, rows, on=later, now=at(later))
    with reading(sqlite_engine) as session:
        rules = [d.rule for d in session.exec(select(Decision).where(Decision.run_on == later))]
    assert rules == ["again"]


# --- referral


def test_a_referral_is_not_asked_twice_in_a_year(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, happy())
    assert decision(sqlite_engine, "referral_ask").outcome == "send"
    later = TODAY + timedelta(days=40)
    score = Feedback(feedback_id="f2", customer_id="c1", given_at=at(later), given_on=later, kind="score", score=9)
    plan(sqlite_engine, settings, [score], on=later, now=at(later))
    with reading(sqlite_engine) as session:
        (again,) = session.exec(select(Decision).where(Decision.run_on == later)).all()
    assert (again.outcome, again.rule) == ("never", "again")


# --- pacing and collisions


def test_when_moments_meet_the_first_in_order_wins_and_the_loser_names_it(engine: Engine, settings: Settings) -> None:
    rows = [*faithful(), granted("email"), *treated()]
    plan(engine, settings, rows)
    assert decision(engine, "checkin").outcome == "send"
    lost = decision(engine, "anniversary")
    assert lost.rule == "collision"
    assert "checkin" in lost.reason


def test_at_most_one_touch_per_person_within_the_quiet_days(engine: Engine, settings: Settings) -> None:
    plan(engine, settings, [customer(), granted("email"), *treated()])
    later = TODAY + timedelta(days=13)
    plan(engine, settings, treated(on=later - timedelta(days=2)), on=later)
    after = TODAY + timedelta(days=16)
    plan(engine, settings, treated(name="Crown", on=after - timedelta(days=2)), on=after)
    with reading(engine) as session:
        rules = sorted((d.run_on, d.rule) for d in session.exec(select(Decision)))
    assert [rule for _, rule in rules] == ["send", "quiet_days", "no_longer", "treatment_not_allowed"]


def test_a_rejected_message_is_no_touch(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, [customer(), granted("email"), *treated()])
    with writing(sqlite_engine) as session:
        session.exec(select(Message)).one().status = "rejected"
    later = TODAY + timedelta(days=5)
    plan(sqlite_engine, settings, treated(on=later - timedelta(days=2)), on=later)
    assert len(messages(sqlite_engine)) == 2


# --- the start


def test_in_live_mode_nothing_from_before_the_first_import_is_acted_on(
    sqlite_engine: Engine, settings: Settings
) -> None:
    live = settings.model_copy(update={"mode": "live"})
    rows = [Installation(first_import_on=TODAY), *faithful(since=date(2023, 3, 9)), *faithful("c2")]
    plan(sqlite_engine, live, rows)
    assert decision(sqlite_engine, "anniversary").rule == "before_start"
    assert decision(sqlite_engine, "anniversary", "c2").outcome == "send"


def test_start_on_holds_in_rehearsal_when_it_is_set(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings.model_copy(update={"start_on": TODAY}), faithful(since=date(2023, 3, 9)))
    assert decision(sqlite_engine, "anniversary").rule == "before_start"


def test_a_moment_that_is_switched_off_finds_nobody(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, with_knobs(settings, "anniversary", enabled=False), faithful())
    with reading(sqlite_engine) as session:
        assert session.exec(select(Moment)).all() == []


def test_a_day_far_ahead_is_taken_for_a_slip_and_decides_nothing(sqlite_engine: Engine, settings: Settings) -> None:
    with pytest.raises(SettingsError, match="Is it a slip"):
        plan(sqlite_engine, settings, faithful(), on=TODAY + timedelta(days=32))
    with reading(sqlite_engine) as session:
        assert session.exec(select(Moment)).all() == []


# --- why


def test_why_gives_the_decision_the_message_and_every_moment_there_is_not(
    sqlite_engine: Engine, settings: Settings
) -> None:
    plan(sqlite_engine, settings, faithful())
    answers = {answer.kind: answer for answer in explain_customer(sqlite_engine, settings, "c1", TODAY, NOW)}
    assert set(answers) == set(MOMENTS)
    assert answers["anniversary"].outcome == "send"
    assert answers["anniversary"].reference == messages(sqlite_engine)[0].reference
    assert answers["checkin"].reason == "never treated; it comes 2 to 3 days after a treatment"


def test_why_foresees_what_planning_would_say_and_writes_nothing(sqlite_engine: Engine, settings: Settings) -> None:
    with writing(sqlite_engine) as session:
        session.add_all([customer(), *treated(name="Whitening")])
    answers = {answer.kind: answer for answer in explain_customer(sqlite_engine, settings, "c1", TODAY, NOW)}
    assert (answers["checkin"].outcome, answers["checkin"].rule) == ("would be not_yet", "treatment_not_allowed")
    with reading(sqlite_engine) as session:
        assert session.exec(select(Moment)).all() == []


# --- twice, at once, and killed


def snapshot(engine: Engine) -> list[list[Any]]:
    with reading(engine) as session:
        return [
            sorted((row.model_dump() for row in session.exec(select(table))), key=str)
            for table in (Moment, Decision, Message)
        ]


def a_busy_day() -> list[SQLModel]:
    rows: list[SQLModel] = [payments_fresh()]
    for n in range(12):
        rows += faithful(f"a{n}", since=date(2020, 3, 10) + timedelta(days=n % 4))
        rows += [customer(f"b{n}"), *treated(f"b{n}"), granted("email", customer_id=f"b{n}")]
        rows += [customer(f"d{n}"), *late(f"d{n}", days=n + 5)]
        rows += happy(f"e{n}")
    return rows


@pytest.fixture
def once(tmp_path: Path, sqlite_pattern: Path, settings: Settings) -> Engine:
    """A busy day in a database of its own, planned in one undisturbed run."""
    engine = copy_of(sqlite_pattern, tmp_path / "once.db")
    with writing(engine) as session:
        session.add_all(a_busy_day())
    plan_day(engine, settings, TODAY, NOW)
    return engine


def copy_of(pattern: Path, path: Path) -> Engine:
    shutil.copyfile(pattern, path)
    return open_database(f"sqlite:///{path}")


@pytest.fixture
def busy(engine: Engine) -> Engine:
    """The same day, of which nothing is planned yet."""
    with writing(engine) as session:
        session.add_all(a_busy_day())
    return engine


def _plan_in_process(url: str, settings: Settings, begun: Path | None = None) -> None:
    plan_day(open_database(url), settings, TODAY, NOW, tell=lambda _: begun.touch() if begun else None)


def test_row_16_planning_ten_times_and_by_four_processes_at_once_adds_no_rows(
    once: Engine, busy: Engine, database_url: str, settings: Settings
) -> None:
    workers = [PROCESSES.Process(target=_plan_in_process, args=(database_url, settings)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    for _ in range(10):
        plan_day(busy, settings, TODAY, NOW)
    assert snapshot(busy) == snapshot(once)
    assert len(messages(busy)) > 20


def test_row_16_planning_killed_midway_and_run_again_leaves_the_rows_of_one_run(
    once: Engine, busy: Engine, database_url: str, tmp_path: Path, settings: Settings
) -> None:
    ended = []
    for number, delay in enumerate((0.0, 0.1, 0.2)):
        # It says so when all moments are gathered and nothing is decided on yet.
        begun = tmp_path / f"begun {number}"
        worker = PROCESSES.Process(target=_plan_in_process, args=(database_url, settings, begun))
        worker.start()
        while worker.is_alive() and not begun.exists():
            time.sleep(0.002)
        time.sleep(delay)
        if worker.is_alive():
            os.kill(worker.pid or 0, signal.SIGKILL)
        worker.join(30)
        ended.append(worker.exitcode)
    assert -signal.SIGKILL in ended, "none was killed midway, which shows nothing"
    plan_day(busy, settings, TODAY, NOW)
    assert snapshot(busy) == snapshot(once)


# --- runs that plan less than a day


def test_a_dry_run_decides_all_that_a_run_decides_and_keeps_none_of_it(
    engine: Engine, once: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        session.add_all(a_busy_day())
    tried = plan_day(engine, settings, TODAY, NOW, dry_run=True)
    assert snapshot(engine) == [[], [], []]
    assert tried == plan_day(engine, settings, TODAY, NOW)
    assert snapshot(engine) == snapshot(once)


def test_a_run_for_some_moments_leaves_the_others_to_the_next_run(
    sqlite_engine: Engine, once: Engine, settings: Settings
) -> None:
    with writing(sqlite_engine) as session:
        session.add_all(a_busy_day())
    first = plan_day(sqlite_engine, settings, TODAY, NOW, kinds=["checkin"])
    assert (
        {kind for kind, *_ in first.decisions} == {moment.kind for moment in moments_of(sqlite_engine)} == {"checkin"}
    )
    plan_day(sqlite_engine, settings, TODAY, NOW)
    # Check-ins come first anyhow: the day ends as if it had been planned at once.
    assert snapshot(sqlite_engine) == snapshot(once)


def test_a_run_for_some_moments_closes_no_moment_of_another_kind(sqlite_engine: Engine, settings: Settings) -> None:
    week = timedelta(days=7)
    plan(sqlite_engine, settings, [customer(), *late(days=3), payments_fresh()])
    with writing(sqlite_engine) as session:
        session.add(Payment(payment_id="p", invoice_id="i-c1-3", paid_on=TODAY, amount=9000))
    plan_day(sqlite_engine, settings, TODAY + week, NOW + week, kinds=["checkin"])
    assert decision(sqlite_engine, "late_payment").rule == "first_touch"
    plan_day(sqlite_engine, settings, TODAY + week, NOW + week, kinds=["late_payment"])
    assert decision(sqlite_engine, "late_payment").rule == "no_longer"


def test_a_run_for_a_moment_that_there_is_not_says_which_there_are(sqlite_engine: Engine, settings: Settings) -> None:
    with pytest.raises(SettingsError, match="no moment “birthday”; there are recovery"):
        plan_day(sqlite_engine, settings, TODAY, NOW, kinds=["birthday"])


def moments_of(engine: Engine) -> list[Moment]:
    with reading(engine) as session:
        return list(session.exec(select(Moment)))


# --- rules that hold for all


@given(st.text(), st.text(), st.text(), st.text(), st.integers(0, 99), st.integers(0, 99))
def test_ids_are_equal_only_for_equal_parts(kind: str, who: str, kind2: str, who2: str, step: int, step2: int) -> None:
    first, second = moment_id(kind, who, "o"), moment_id(kind2, who2, "o")
    assert (first == second) == ((kind, who) == (kind2, who2))
    assert (reference(first, step) == reference(first, step2)) == (step == step2)


@st.composite
def populations(draw: st.DrawFn) -> list[SQLModel]:
    rows: list[SQLModel] = [payments_fresh()]
    for n in range(draw(st.integers(1, 5))):
        who, ago = f"c{n}", draw(st.integers(-4, 8))
        since = (TODAY + timedelta(days=ago)).replace(year=draw(st.integers(2019, 2025)))
        rows.append(
            customer(
                who,
                customer_since=draw(st.sampled_from([since, None])),
                died_on=draw(st.sampled_from([None, None, TODAY, TODAY - timedelta(days=400)])),
                born_on=draw(st.sampled_from([None, date(1970, 1, 1), date(2016, 1, 1)])),
                guardian_id=draw(st.sampled_from([None, "c0", "c1"])),
                email=draw(st.sampled_from(["x@y.example", None, "nonsense"])),
                postal_code=draw(st.sampled_from(["05401", None])),
                household_id=draw(st.sampled_from([None, "h"])),
            )
        )
        rows += draw(st.sampled_from([[], treated(who), treated(who, "Abortion counselling")]))
        rows += draw(st.sampled_from([[], late(who, draw(st.integers(1, 30)))]))
        rows += draw(st.sampled_from([[], [granted("email", customer_id=who)], [withdrawn("letter", "service", who)]]))
    return rows


@trials(8)
@given(populations())
def test_every_moment_is_decided_once_and_nobody_is_touched_twice_or_when_dead(
    tmp_path_factory: pytest.TempPathFactory, sqlite_pattern: Path, settings: Settings, rows: list[SQLModel]
) -> None:
    engine = copy_of(sqlite_pattern, tmp_path_factory.mktemp("any") / "outreach.db")
    plan(engine, settings, [type(row)(**row.model_dump()) for row in rows])
    with reading(engine) as session:
        decided = [row.moment_id for row in session.exec(select(Decision))]
        assert sorted(decided) == sorted(session.exec(select(Moment.moment_id)).all())
        planned = session.exec(select(Message)).all()
        assert len({message.recipient_id for message in planned}) == len(planned)
        for message in planned:
            _check_recipient(session, message)


def _check_recipient(session: Session, message: Message) -> None:
    recipient = session.get_one(Customer, message.recipient_id)
    assert recipient.died_on is None
    assert recipient.born_on != date(2016, 1, 1)
    if message.channel == "email":
        consents = session.exec(select(Consent).where(Consent.customer_id == recipient.customer_id)).all()
        assert {row.channel for row in consents if row.state == "granted"} == {"email"}
