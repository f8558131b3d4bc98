"""The forecast against what planning really plans on the same data, day by day, and what it must not do."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func
from sqlmodel import SQLModel, select
from test_planning import at, customer, faithful, granted, happy, late, payments_fresh, treated, withdrawn

from conftest import NOW, TODAY
from outreach.commands.simulating import simulate
from outreach.database import reading, writing
from outreach.errors import SettingsError
from outreach.intake.contacts import load_key
from outreach.models import AuditEntry, Decision, Feedback, Message, Moment
from outreach.planning import plan_day
from outreach.planning.forecast import Forecast, forecast
from outreach.planning.knobs import overlay_knobs
from outreach.settings import Settings

LAST = TODAY + timedelta(days=20)


def store(engine: Engine, rows: list[SQLModel]) -> None:
    with writing(engine) as session:
        session.add_all(rows)


def practice() -> list[SQLModel]:
    """People with every moment, on several days, who collide with themselves, and two who cannot be written to."""
    rows: list[SQLModel] = [payments_fresh()]
    for number in range(12):
        since = (TODAY + timedelta(days=2 * number)).replace(year=2020)
        rows += faithful(f"year{number:02}", since=since, email=f"y{number}@home.example")
    rows += [*happy("happy1"), *happy("happy2", phone="+18025550111", email="h2@home.example")]
    rows += [
        customer("late1"),
        *late("late1", 3),
        customer("late2"),
        *late("late2", 12),
        granted("email", customer_id="late2"),
    ]
    rows += [*faithful("both", since=date(2021, 3, 16)), *late("both", 6), *treated("both", on=TODAY)]
    rows += [customer("mum"), granted("email", customer_id="mum")]
    for kid in ("kid1", "kid2"):
        rows += [
            customer(kid, born_on=date(2015, 5, 5), guardian_id="mum"),
            *treated(kid, on=TODAY - timedelta(days=1)),
        ]
    rows += [customer("away", email=None, phone=None, address_line1=None), *treated("away")]
    rows += [*faithful("no", since=date(2022, 3, 18)), withdrawn("letter", "marketing", "no")]
    return rows


def really_planned(engine: Engine, settings: Settings, first: date, last: date) -> list[tuple[Any, ...]]:
    """What plan_day plans when it runs every morning, with the payments imported before it."""
    for ahead in range((last - first).days + 1):
        now = NOW + timedelta(days=ahead)
        store(engine, [payments_fresh(now)])
        plan_day(engine, settings, first + timedelta(days=ahead), now)
    with reading(engine) as session:
        rows = session.exec(select(Message).where(Message.run_on >= first)).all()
    return sorted((m.run_on, m.send_on, m.kind, m.channel, m.customer_id, m.recipient_id) for m in rows)


def foreseen(seen: Forecast) -> list[tuple[Any, ...]]:
    return sorted((m.on, m.send_on, m.moment, m.channel, m.customer_id, m.recipient_id) for m in seen.messages)


KNOBS: list[dict[str, dict[str, Any]]] = [
    {},
    {"anniversary": {"weekdays": ["tue", "fri"], "most_a_day": 2}, "late_payment": {"most_a_day": 1}},
    {"checkin": {"enabled": False}, "anniversary": {"lead_days": 0, "grace_days": 6}},
]


@pytest.mark.parametrize("knobs", KNOBS, ids=["as they are", "weekdays and sizes", "switched off"])
def test_the_forecast_is_what_planning_plans_day_by_day(
    engine: Engine, settings: Settings, knobs: dict[str, dict[str, Any]]
) -> None:
    for moment, values in knobs.items():
        settings = overlay_knobs(settings, moment, values)
    store(engine, practice())
    seen = forecast(engine, settings, TODAY, LAST, NOW)
    real = really_planned(engine, settings, TODAY, LAST)
    assert foreseen(seen) == real
    assert len({row[2] for row in real}) >= 3, "the data must give most moments, or this shows nothing"


def test_the_forecast_leaves_quiet_days_between_what_it_foresees_itself(
    sqlite_engine: Engine, settings: Settings
) -> None:
    store(sqlite_engine, [*happy("c1"), granted("email", "marketing")])
    seen = forecast(sqlite_engine, settings, TODAY, TODAY + timedelta(days=60), NOW)
    assert [m.moment for m in seen.messages] == ["referral_ask"]
    store(sqlite_engine, [*faithful("c2", since=(TODAY + timedelta(days=20)).replace(year=2020)), *late("c2", 4)])
    store(sqlite_engine, [granted("email", customer_id="c2"), payments_fresh()])
    seen = forecast(sqlite_engine, settings, TODAY, TODAY + timedelta(days=30), NOW)
    assert [m.moment for m in seen.messages if m.customer_id == "c2"] == ["late_payment"]


def test_the_forecast_goes_on_from_what_was_decided_before(engine: Engine, settings: Settings) -> None:
    store(engine, practice())
    for ahead in range(4):
        plan_day(engine, settings, TODAY + timedelta(days=ahead), NOW + timedelta(days=ahead))
    first, now = TODAY + timedelta(days=3), NOW + timedelta(days=3)
    store(engine, [payments_fresh(now)])
    seen = forecast(engine, settings, first, LAST, now)
    before = count(engine, Message, Message.run_on == first)
    for ahead in range(1, (LAST - first).days + 1):
        store(engine, [payments_fresh(now + timedelta(days=ahead))])
        plan_day(engine, settings, first + timedelta(days=ahead), now + timedelta(days=ahead))
    with reading(engine) as session:
        later = session.exec(select(Message).where(Message.run_on > first)).all()
    real = sorted((m.run_on, m.send_on, m.kind, m.channel, m.customer_id, m.recipient_id) for m in later)
    assert before, "the first day was planned already, and must not be foreseen once more"
    assert foreseen(seen) == real
    assert real


def count(engine: Engine, table: type[SQLModel], *conditions: Any) -> int:
    with reading(engine) as session:
        return session.exec(select(func.count()).select_from(table).where(*conditions)).one()


def test_the_forecast_writes_nothing(engine: Engine, settings: Settings) -> None:
    store(engine, practice())
    forecast(engine, settings, TODAY, LAST, NOW)
    assert [count(engine, table) for table in (Moment, Decision, Message, AuditEntry)] == [0, 0, 0, 0]


def test_the_forecast_waits_for_no_writer(engine: Engine, settings: Settings) -> None:
    store(engine, practice())
    load_key(engine, settings)  # the first import has done so long since
    with writing(engine) as session:
        session.add(Feedback(feedback_id="f", customer_id="no", given_at=at(TODAY), given_on=TODAY, kind="review"))
        session.flush()
        assert forecast(engine, settings, TODAY, TODAY, NOW).messages


def test_stale_payments_hold_today_only_since_the_next_import_is_taken_for_granted(
    sqlite_engine: Engine, settings: Settings
) -> None:
    rows = [customer("late2"), *late("late2", 12), payments_fresh(NOW - timedelta(days=2))]
    store(sqlite_engine, rows)
    seen = forecast(sqlite_engine, settings, TODAY, TODAY + timedelta(days=2), NOW)
    assert [(m.on, m.moment) for m in seen.messages] == [(TODAY + timedelta(days=1), "late_payment")]
    assert seen.held["late_payment", "not_yet", "stale_payments"] == 1


def test_the_forecast_counts_and_prices_by_moment_and_channel(sqlite_engine: Engine, settings: Settings) -> None:
    store(sqlite_engine, [*faithful("a"), *faithful("b", email="b@home.example", phone=None)])
    seen = forecast(sqlite_engine, settings, TODAY, LAST, NOW)
    assert seen.counts == {("anniversary", "letter"): 2}
    gift = 2_000 * settings.rewards.redeemed_percent // 100
    assert seen.cost == 2 * (settings.postage.letter + gift)
    assert seen.of("checkin").messages == ()
    assert {day: len(rows) for day, rows in seen.of("anniversary").by_day.items()} == {TODAY: 2}


def test_what_would_change_is_seen_before_knobs_are_saved(sqlite_engine: Engine, settings: Settings) -> None:
    store(sqlite_engine, [*faithful("a"), *faithful("b", email="b@home.example", phone=None)])
    smaller = overlay_knobs(settings, "anniversary", {"most_a_day": 1, "weekdays": ["tue"]})
    assert len(forecast(sqlite_engine, settings, TODAY, LAST, NOW).messages) == 2
    assert len(forecast(sqlite_engine, smaller, TODAY, TODAY, NOW).messages) == 1


@pytest.mark.parametrize("last", [TODAY - timedelta(days=1), TODAY + timedelta(days=400)])
def test_a_forecast_backwards_or_of_years_is_refused(sqlite_engine: Engine, settings: Settings, last: date) -> None:
    with pytest.raises(SettingsError, match="within one year"):
        forecast(sqlite_engine, settings, TODAY, last, NOW)


def test_simulate_prints_the_forecast_for_programs(
    sqlite_engine: Engine, settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store(sqlite_engine, [*faithful("a")])
    monkeypatch.setenv("OUTREACH_SECRET", "a secret for tests only")
    simulate("2026-03-10", "2026-03-12", database=str(sqlite_engine.url), now="2026-03-10T15:00Z", as_json=True)
    said = json.loads(capsys.readouterr().out)
    (message,) = said["messages"]
    assert (said["from"], said["to"], said["cost"]) == ("2026-03-10", "2026-03-12", message["cost"])
    assert (message["on"], message["moment"], message["customer_id"]) == ("2026-03-10", "anniversary", "a")
    assert count(sqlite_engine, Decision) == 0
