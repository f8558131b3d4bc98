"""Alarms: each stands exactly when it should, to the minute and to the cent, and names nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Engine, delete, event
from sqlmodel import Session

from approved import add_approved, add_batch
from conftest import NOW, TODAY
from outreach.clock import business_date
from outreach.database import reading, writing
from outreach.delivery.outbox import new_attempt
from outreach.learning.alarms import Alarm, find_alarms
from outreach.models import STATUSES, Attempt, Batch, Import, Message, Moment, Pause, Webhook
from outreach.settings import Settings
from outreach.settings.ops import OpsSettings

# The practice is in Vermont: on this day nine o'clock there is 13:00 UTC, and NOW is eleven.
NINE = datetime(2026, 3, 10, 13, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
LOB = {"api_key": "key", "webhook_secret": "hook"}


def found(engine: Engine, settings: Settings, now: datetime = NOW) -> dict[str, Alarm]:
    with reading(engine) as session:
        return {alarm.kind: alarm for alarm in find_alarms(session, settings, now)}


def changed(settings: Settings, part: str, **values: Any) -> Settings:
    whole = getattr(settings, part)
    return settings.model_copy(update={part: type(whole).model_validate({**whole.model_dump(), **values})})


def approve(session: Session, reference: str, at: datetime = NINE - HOUR, **changes: Any) -> None:
    """An approved message of a batch of its own, decided on at `at`."""
    batch = {"decided_at": at, "decided_by": "maria", "undo_until": changes.pop("undo_until", None)}
    add_batch(session, f"B-{reference}", **batch)
    add_approved(session, reference, batch_id=f"B-{reference}", **changes)


def hand_over(session: Session, reference: str, at: datetime, outcome: str | None, **changes: Any) -> None:
    """A message and its one attempt, begun at `at`."""
    message = add_approved(session, reference, **changes)
    attempt = new_attempt(message, 1, at, business_date(at, "America/New_York"))
    attempt.outcome = outcome
    session.add(attempt)
    session.flush()


def test_a_database_in_which_all_is_well_raises_no_alarm(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", status="accepted", provider_id="1", accepted_at=NOW)
    assert found(engine, changed(settings, "budget", month=100_000)) == {}


# --- backlog ---


def test_approved_messages_that_do_not_leave_are_counted_by_provider(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        approve(session, "A", provider="lob")
        approve(session, "B", provider="lob", at=NINE + MINUTE)
        approve(session, "C", provider="outbox")
    alarm = found(engine, settings)["backlog"]
    assert (alarm.count, alarm.since) == (3, NINE)
    assert "3 messages are approved and due, and nothing holds them: 2 for lob, 1 for outbox." in alarm.sentence
    assert "since 10 Mar, 09:00" in alarm.sentence
    assert "outreach deliver" in alarm.advice


@pytest.mark.parametrize(
    ("approved", "undo_until", "now", "stands"),
    [
        pytest.param(NINE, None, NINE + HOUR, False, id="exactly an hour"),
        pytest.param(NINE, None, NINE + HOUR + SECOND, True, id="longer than an hour"),
        pytest.param(NINE - 4 * HOUR, None, NINE + HOUR, False, id="an hour since nine, when sending starts"),
        pytest.param(NINE - 4 * HOUR, None, NINE + HOUR + SECOND, True, id="longer than an hour since nine"),
        pytest.param(NINE, NINE + 15 * MINUTE, NINE + 75 * MINUTE, False, id="an hour since it could be undone"),
        pytest.param(NINE, NINE + 15 * MINUTE, NINE + 76 * MINUTE, True, id="longer since it could be undone"),
        pytest.param(NINE + 9 * HOUR, None, NINE + 11 * HOUR, True, id="in the evening"),
        pytest.param(NINE + 9 * HOUR, None, NINE + 19 * HOUR, True, id="and through the night"),
    ],
)
def test_a_message_is_late_once_it_could_have_left_for_longer_than_an_hour(
    sqlite_engine: Engine, settings: Settings, approved: datetime, undo_until: datetime | None, now: datetime,
    stands: bool,
) -> None:  # fmt: skip
    with writing(sqlite_engine) as session:
        approve(session, "A", at=approved, undo_until=undo_until)
    assert ("backlog" in found(sqlite_engine, settings, now)) == stands


@pytest.mark.parametrize("scope", [("everything", ""), ("moment", "checkin"), ("provider", "outbox"), ("batch", "B-A")])
def test_what_a_person_paused_is_no_backlog(engine: Engine, settings: Settings, scope: tuple[str, str]) -> None:
    with writing(engine) as session:
        approve(session, "A")
        session.add(Pause(scope=scope[0], name=scope[1], at=NOW))
    assert found(engine, settings) == {}


def test_what_is_for_another_day_or_not_approved_is_no_backlog(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        approve(session, "A", send_on=TODAY + timedelta(1))
        approve(session, "B", status="composed")
    assert found(engine, settings) == {}


def test_what_is_over_the_daily_cap_is_no_backlog_before_an_hour_into_the_next_day(
    engine: Engine, settings: Settings
) -> None:
    capped = settings.model_copy(update={"daily_cap": 3})
    with writing(engine) as session:
        for reference in ("A", "B"):
            taken = {"status": "accepted", "provider_id": reference, "accepted_at": NINE}
            hand_over(session, reference, NINE, "accepted", **taken)
        for reference in ("C", "D", "E"):
            approve(session, reference)
    assert found(engine, capped)["backlog"].count == 1, "one more could have left today"
    with writing(engine) as session:
        hand_over(session, "Z", NINE, "accepted", status="accepted", provider_id="Z", accepted_at=NINE)
    tomorrow = NINE + timedelta(days=1)
    assert [found(engine, capped, at) for at in (NOW, NINE + 15 * HOUR, tomorrow + HOUR)] == [{}, {}, {}]
    assert found(engine, capped, tomorrow + HOUR + SECOND)["backlog"].count == 3


def test_a_hand_over_that_was_begun_needs_no_room_under_the_cap(sqlite_engine: Engine, settings: Settings) -> None:
    full = settings.model_copy(update={"daily_cap": 1})
    with writing(sqlite_engine) as session:
        approve(session, "A")
        message = session.get_one(Message, "A")
        session.add(new_attempt(message, 1, NINE, TODAY))
        approve(session, "B")
    assert found(sqlite_engine, full)["backlog"].count == 1


@pytest.mark.parametrize("hours", [0.25, 30, 100])
def test_any_number_of_hours_may_be_set(sqlite_engine: Engine, settings: Settings, hours: float) -> None:
    patient = changed(settings, "ops", backlog_hours=hours)
    with writing(sqlite_engine) as session:
        approve(session, "A", at=NINE)
    limit = NINE + timedelta(hours=hours)
    assert [bool(found(sqlite_engine, patient, at)) for at in (limit, limit + SECOND)] == [False, True]


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    waiting=st.lists(
        st.tuples(
            st.sampled_from(["approved", "approved", "approved", "composed", "withdrawn"]),
            st.integers(-30, 3),  # hours from nine o'clock to the decision
            st.sampled_from([None, 0, 15, 90]),  # minutes in which it can be undone
            st.integers(-2, 1),  # days from today to the day of sending
            st.sampled_from(["outbox", "lob"]),
            st.sampled_from(["checkin", "anniversary"]),
        ),
        max_size=7,
    ),
    cap=st.integers(0, 8),
    paused=st.sampled_from([None, ("moment", "checkin"), ("provider", "lob")]),
)
def test_for_any_messages_the_backlog_is_what_could_have_left_an_hour_ago(
    sqlite_engine: Engine, settings: Settings, waiting: list[Any], cap: int, paused: tuple[str, str] | None
) -> None:
    expected = 0
    with writing(sqlite_engine) as session:
        for table in (Pause, Attempt, Message, Moment, Batch):
            session.execute(delete(table))
        if paused:
            session.add(Pause(scope=paused[0], name=paused[1], at=NOW))
        for number, (status, decided, undo, day, provider, kind) in enumerate(waiting):
            at = NINE + decided * HOUR
            until = None if undo is None else at + undo * MINUTE
            on = TODAY + timedelta(days=day)
            approve(
                session, f"R{number}", at=at, undo_until=until, status=status, send_on=on, provider=provider, kind=kind,
                useful_until=TODAY + timedelta(9),
            )  # fmt: skip
            free = max(until or at, NINE + timedelta(days=day))
            expected += status == "approved" and NOW - free > HOUR and not {kind, provider} & set(paused or ())
    alarm = found(sqlite_engine, settings.model_copy(update={"daily_cap": cap})).get("backlog")
    assert (alarm.count if alarm else 0) == min(expected, cap)


# --- uncertain ---


@pytest.mark.parametrize(
    ("minutes", "status", "stands"),
    [(120, "uncertain", False), (120.1, "uncertain", True), (1, "needs_person", True)],
)
def test_what_left_without_an_answer_alarms_when_no_look_up_settled_it_in_time(
    engine: Engine, settings: Settings, minutes: float, status: str, stands: bool
) -> None:
    tried = NOW - timedelta(minutes=minutes)
    with writing(engine) as session:
        hand_over(session, "A", tried, "unknown", status=status)
    alarm = found(engine, settings).get("uncertain")
    assert bool(alarm) == stands
    if alarm:
        assert (alarm.count, alarm.since) == (1, tried)


def test_those_that_only_a_person_can_settle_are_told_apart(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        hand_over(session, "A", NOW - 9 * HOUR, "unknown", status="uncertain")
        hand_over(session, "B", NOW - 80 * HOUR, "unknown", status="needs_person")
    alarm = found(engine, settings)["uncertain"]
    assert alarm.sentence.startswith("2 messages left without an answer, 1 of which only a person can settle.")
    assert alarm.since == NOW - 80 * HOUR


# --- webhook silence ---


@pytest.fixture
def by_lob(settings: Settings) -> Settings:
    return changed(settings, "providers", lob=LOB)


def webhook(session: Session, at: datetime, provider: str = "lob", applied: bool = True) -> None:
    session.add(
        Webhook(
            provider=provider, received_at=at, url="u", headers="{}", body=b"{}", applied_at=at if applied else None
        )
    )


def give(session: Session, reference: str, at: datetime, provider: str = "lob", outcome: str = "accepted") -> None:
    taken = {"status": "accepted", "provider_id": reference, "accepted_at": at, "provider": provider}
    hand_over(session, reference, at, outcome, **taken)


@pytest.mark.parametrize("applied", [True, False], ids=["acted on", "waiting"])
def test_a_vendor_that_reports_nothing_on_what_it_was_given_is_silent(
    engine: Engine, by_lob: Settings, applied: bool
) -> None:
    with writing(engine) as session:
        give(session, "A", NOW - 100 * HOUR)
        webhook(session, NOW - 90 * HOUR, applied=applied)
        give(session, "B", NOW - 80 * HOUR)
        give(session, "C", NOW - 1 * HOUR)
    alarm = found(engine, by_lob)["webhook-silence"]
    assert (alarm.count, alarm.since) == (1, NOW - 80 * HOUR)
    assert "lob has reported nothing since 7 Mar, 02:00, though it was given 2 messages since" in alarm.sentence
    with writing(engine) as session:
        webhook(session, NOW - 1 * MINUTE, applied=applied)
    assert found(engine, by_lob) == {}


@pytest.mark.parametrize(
    ("ago", "stands"),
    [
        pytest.param(72 * HOUR, False, id="exactly three days"),
        pytest.param(72 * HOUR + SECOND, True, id="longer"),
        pytest.param(timedelta(days=12), False, id="nothing was given to it of late"),
    ],
)
def test_silence_begins_with_what_could_be_reported_on(
    sqlite_engine: Engine, by_lob: Settings, ago: timedelta, stands: bool
) -> None:
    with writing(sqlite_engine) as session:
        give(session, "A", NOW - ago)
    assert ("webhook-silence" in found(sqlite_engine, by_lob)) == stands


def test_only_vendors_that_report_by_webhooks_and_are_set_up_can_be_silent(
    sqlite_engine: Engine, settings: Settings, by_lob: Settings
) -> None:
    with writing(sqlite_engine) as session:
        give(session, "A", NOW - 80 * HOUR, "outbox")
        give(session, "B", NOW - 80 * HOUR, "smtp")
        give(session, "C", NOW - 80 * HOUR, "lob", "refused")
    assert found(sqlite_engine, by_lob) == {}
    with writing(sqlite_engine) as session:
        give(session, "D", NOW - 80 * HOUR)
        webhook(session, NOW - HOUR, "twilio")
    assert found(sqlite_engine, settings) == {}
    assert "webhook-silence" in found(sqlite_engine, by_lob), "another vendor's webhooks say nothing of this one"


# --- budget ---


def test_without_a_budget_no_spending_alarms(sqlite_engine: Engine, settings: Settings) -> None:
    with writing(sqlite_engine) as session:
        approve(session, "A", cost=10**9, at=NOW)
    assert found(sqlite_engine, settings) == {}


@pytest.mark.parametrize(("month", "stands"), [(1000, True), (1001, False)])
def test_the_budget_alarms_from_eighty_percent_on(engine: Engine, settings: Settings, month: int, stands: bool) -> None:
    with writing(engine) as session:
        hand_over(session, "A", NINE, "accepted", cost=500, status="delivered", provider_id="1", accepted_at=NINE)
        approve(session, "B", at=NOW, cost=300)
    alarm = found(engine, changed(settings, "budget", month=month)).get("budget")
    assert bool(alarm) == stands
    if alarm:
        assert (alarm.count, alarm.since) == (80, datetime(2026, 3, 1, 5, tzinfo=UTC))
        assert alarm.sentence == "80 % of this month's budget is spent or approved."


def test_what_waits_for_approval_is_foretold_and_does_not_alarm_by_itself(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        approve(session, "A", at=NOW, cost=790)
        add_approved(session, "B", status="composed", cost=400)
        add_approved(session, "C", status="held", cost=10)
        add_approved(session, "D", status="composed", cost=10_000, send_on=date(2026, 4, 1))
    budget = changed(settings, "budget", month=1000)
    assert found(engine, budget) == {}
    with writing(engine) as session:
        approve(session, "E", at=NOW, cost=10)
    assert found(engine, budget)["budget"].sentence == (
        "80 % of this month's budget is spent or approved. With what waits for approval it would be 121 %."
    )


@pytest.mark.parametrize(
    ("at", "stands"),
    [
        pytest.param(datetime(2026, 3, 1, 4, 59, tzinfo=UTC), False, id="still February in Vermont"),
        pytest.param(datetime(2026, 3, 1, 5, 0, tzinfo=UTC), True, id="the first minute of March"),
        pytest.param(datetime(2026, 4, 1, 3, 59, tzinfo=UTC), True, id="the last minute of March"),
        pytest.param(datetime(2026, 4, 1, 4, 0, tzinfo=UTC), False, id="the first minute of April"),
    ],
)
def test_a_month_is_the_businesss(engine: Engine, settings: Settings, at: datetime, stands: bool) -> None:
    with writing(engine) as session:
        hand_over(session, "A", at, "accepted", cost=900, status="accepted", provider_id="1", accepted_at=at)
    assert ("budget" in found(engine, changed(settings, "budget", month=1000))) == stands


def test_what_a_vendor_let_us_cancel_or_refused_costs_nothing(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        hand_over(session, "A", NINE, "accepted", cost=900, status="cancelled", provider_id="1", accepted_at=NINE)
        hand_over(session, "B", NINE, "refused", cost=900, status="failed")
    assert found(engine, changed(settings, "budget", month=1000)) == {}


LIVE = {None, "accepted", "unknown"}


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    messages=st.lists(
        st.tuples(
            st.sampled_from(STATUSES),
            st.integers(0, 500),
            st.sampled_from(["never tried", None, "accepted", "unknown", "refused", "not_sent", "absent"]),
            st.integers(-40, 40),  # days from today to the day of sending, and of the hand-over
        ),
        max_size=7,
    ),
    month=st.integers(1, 1500),
)
def test_every_message_is_spent_once_or_not_at_all(
    sqlite_engine: Engine, settings: Settings, messages: list[Any], month: int
) -> None:
    spent = 0
    with writing(sqlite_engine) as session:
        for table in (Attempt, Message, Moment, Batch):
            session.execute(delete(table))
        for number, (status, cost, outcome, day) in enumerate(messages):
            held = {"owner": "o", "lease_until": NOW} if status == "sending" else {}
            taken = {"provider_id": f"id{number}", "accepted_at": NOW} if status == "accepted" else {}
            on = TODAY + timedelta(days=day)
            values = {"status": status, "cost": cost, "send_on": on, **held, **taken}
            if outcome == "never tried":
                add_approved(session, f"R{number}", **values)
            else:
                hand_over(session, f"R{number}", NOW + timedelta(days=day), outcome, **values)
            in_march = on.month == 3
            if outcome in LIVE:
                spent += cost * (in_march and status != "cancelled")
            elif status in {"approved", "sending"}:
                spent += cost * (on < date(2026, 4, 1))
    alarm = found(sqlite_engine, changed(settings, "budget", month=month)).get("budget")
    assert (alarm.count if alarm else None) == (spent * 100 // month if spent * 100 >= 80 * month else None)


# --- stale data ---


@pytest.mark.parametrize(
    ("ago", "stands"),
    [(36 * HOUR, False), (36 * HOUR + SECOND, True), (timedelta(days=400), True)],
)
def test_customer_data_is_stale_a_day_and_a_half_after_the_last_import(
    engine: Engine, settings: Settings, ago: timedelta, stands: bool
) -> None:
    with writing(engine) as session:
        for at in (NOW - timedelta(days=500), NOW - ago):
            session.add(Import(at=at, file="f", table_name="customers", read=1, accepted=1, refused=0))
    alarm = found(engine, settings).get("stale-import")
    assert bool(alarm) == stands
    if alarm:
        assert (alarm.count, alarm.since) == (ago // HOUR, NOW - ago)


def test_a_business_that_never_imported_has_no_stale_data(sqlite_engine: Engine, settings: Settings) -> None:
    assert found(sqlite_engine, settings) == {}


# --- all of them ---


@contextmanager
def asked(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _u: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_no_alarm_reads_through_everything_that_was_ever_sent(sqlite_engine: Engine, by_lob: Settings) -> None:
    with asked(sqlite_engine) as statements:
        found(sqlite_engine, changed(by_lob, "budget", month=1))
    selects = [(statement, parameters) for statement, parameters in statements if statement.startswith("SELECT")]
    assert len(selects) >= 8
    with sqlite_engine.connect() as connection:
        plans = [
            row[3]
            for statement, parameters in selects
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    read_through = [line for line in plans if line.startswith(("SCAN messages", "SCAN attempts", "SCAN webhooks"))]
    assert read_through == []


def test_alarms_stand_side_by_side_in_their_order_and_name_no_customer(engine: Engine, by_lob: Settings) -> None:
    with writing(engine) as session:
        approve(session, "A", cost=900)
        hand_over(session, "B", NOW - 9 * HOUR, "unknown", status="uncertain")
        give(session, "C", NOW - 80 * HOUR)
        session.add(Import(at=NOW - 99 * HOUR, file="f", table_name="customers", read=1, accepted=1, refused=0))
    alarms = found(engine, changed(by_lob, "budget", month=1000))
    assert list(alarms) == ["backlog", "uncertain", "webhook-silence", "budget", "stale-import"]
    assert [alarm.runbook for alarm in alarms.values()] == [f"docs/runbook.md#{kind}" for kind in alarms]
    said = " ".join(alarm.sentence for alarm in alarms.values())
    assert "Ada" not in said
    assert "customer of" not in said


# --- whom they go to ---


@pytest.mark.parametrize(
    ("to", "by"),
    [
        ("", None),
        ("ops@practice.example", "email"),
        ("jón@practice.example", "email"),
        ("https://hooks.chat.example/T0/B0?x=1", "web"),
        ("http://127.0.0.1:9000/alarms", "web"),
    ],
)
def test_alarms_go_to_an_e_mail_address_or_a_web_address(to: str, by: str | None) -> None:
    assert OpsSettings(alarms_to=to).alarms_go_by == by


@pytest.mark.parametrize(
    "to",
    [
        "ops", "ops@", "ftp://x.example", "https://", "https:///path", "mailto:ops@x.example",
        "a@x.example, b@x.example",
        "https://x.example/a b", "https://x.example:99999/", "ops@x.example\r\nBcc: eve@x.example", "https://[::1",
        "https://x.example/\n",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_would_fit(to: str) -> None:
    with pytest.raises(ValidationError, match="write one of the two"):
        OpsSettings(alarms_to=to)
