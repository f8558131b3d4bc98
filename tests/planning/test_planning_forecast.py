"""The forecast against what planning really plans on the same data, day by day, and what it must not do."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, col, select

from conftest import NOW, TODAY
from outreach.commands.simulate import simulate
from outreach.contacts import load_key
from outreach.database import reading, writing
from outreach.errors import SettingsError
from outreach.models import AuditEntry, Decision, Feedback, Message, Moment
from outreach.planning.budget import counted_cost
from outreach.planning.due_moments import Surroundings
from outreach.planning.forecast import Forecast, Foreseen, forecast
from outreach.planning.knobs import overlay_knobs
from outreach.planning.run import load_day, on_copies, plan_day, plan_in
from outreach.settings import Settings
from planning_rows import at, customer, faithful, granted, happy, late, payments_fresh, store, treated, withdrawn

LAST = TODAY + timedelta(days=20)


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


Row = tuple[Any, ...]


def really_planned(engine: Engine, settings: Settings, first: date, last: date) -> list[Row]:
    """What plan_day plans when it runs every morning, with the payments imported before it.

    Whatever was planned is approved and delivered in the evening, at the cost that it was counted at.
    """
    for ahead in range((last - first).days + 1):
        on, now = first + timedelta(days=ahead), NOW + (first - TODAY) + timedelta(days=ahead)
        store(engine, [payments_fresh(now)])
        plan_day(engine, settings, on, now)
        deliver_all(engine, settings)
    with reading(engine) as session:
        return sorted(row_of(m, m.run_on, m.kind) for m in session.exec(select(Message).where(Message.run_on >= first)))


def deliver_all(engine: Engine, settings: Settings) -> None:
    sent = {"status": "accepted", "provider": "outbox", "provider_id": col(Message.reference)}
    with writing(engine) as session:
        session.execute(
            update(Message).where(col(Message.status) == "planned").values(cost=counted_cost(settings), **sent)
        )


def row_of(message: Message | Foreseen, on: date, kind: str) -> Row:
    return (on, message.send_on, kind, message.channel, message.customer_id, message.recipient_id, message.reward_cost)


def foreseen(seen: Forecast) -> list[Row]:
    return sorted(row_of(message, message.on, message.moment) for message in seen.messages)


KNOBS: list[dict[str, dict[str, Any]]] = [
    {},
    {"anniversary": {"weekdays": ["tue", "fri"], "most_a_day": 2}, "late_payment": {"most_a_day": 1}},
    {"checkin": {"enabled": False}, "anniversary": {"lead_days": 0, "grace_days": 6}},
]


def on_databases() -> Iterator[Any]:
    """Each set of knobs on both databases; what they are is no matter of the database, so one of them will do first."""
    for knobs, name in zip(KNOBS, ("as they are", "weekdays and sizes", "switched off"), strict=True):
        for database in ("sqlite", "postgresql"):
            marks = [pytest.mark.drill] if knobs and database == "postgresql" else []
            yield pytest.param(database, knobs, id=f"{database}-{name}", marks=marks)


@pytest.mark.parametrize(("database_url", "knobs"), list(on_databases()), indirect=["database_url"])
def test_the_forecast_is_what_planning_plans_day_by_day(
    engine: Engine, settings: Settings, knobs: dict[str, dict[str, Any]]
) -> None:
    for moment, values in knobs.items():
        settings = overlay_knobs(settings, moment, values)
    store(engine, practice())
    seen = forecast(engine, settings, TODAY, LAST, NOW)
    real = really_planned(engine, settings, TODAY, LAST)
    assert foreseen(seen) == real
    assert seen.held == held_on(engine, TODAY, LAST)
    assert len({row[2] for row in real}) >= 3, "the data must give most moments, or this shows nothing"


def held_on(engine: Engine, first: date, last: date) -> Counter[tuple[str, str, str]]:
    """The decisions not to write, by (moment, outcome, rule)."""
    kinds = select(Moment.kind, Decision.outcome, Decision.rule).join(Decision)
    with reading(engine) as session:
        noes = kinds.where(Decision.outcome != "send", col(Decision.run_on).between(first, last))
        return Counter(session.execute(noes).tuples())


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


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.drill)], indirect=True)
def test_the_forecast_goes_on_from_what_was_decided_before(engine: Engine, settings: Settings) -> None:
    store(engine, practice())
    really_planned(engine, settings, TODAY, TODAY + timedelta(days=3))
    first, now = TODAY + timedelta(days=3), NOW + timedelta(days=3)
    seen = forecast(engine, settings, first, LAST, now)
    before = count(engine, Message, Message.run_on == first)
    real = really_planned(engine, settings, first + timedelta(days=1), LAST)
    assert before, "the first day was planned already, and must not be foreseen once more"
    assert foreseen(seen) == real
    assert real


@pytest.mark.parametrize("status", ["planned", "composed", "held", "approved", "uncertain"])
def test_what_waits_today_is_taken_to_leave_so_that_its_ladder_goes_on(
    sqlite_engine: Engine, settings: Settings, status: str
) -> None:
    settings = overlay_knobs(
        settings, "late_payment", {"channels": ["email", "letter"], "ladder": True, "until_days": 60}
    )
    store(
        sqlite_engine, [customer("late1"), *late("late1", 12), granted("email", customer_id="late1"), payments_fresh()]
    )
    plan_day(sqlite_engine, settings, TODAY, NOW)
    with writing(sqlite_engine) as session:
        session.execute(update(Message).values(status=status))
    seen = forecast(sqlite_engine, settings, TODAY, LAST, NOW)
    assert [(m.on, m.channel) for m in seen.messages] == [(TODAY + timedelta(days=14), "letter")]


def test_what_was_of_no_use_before_it_left_starts_no_next_step(sqlite_engine: Engine, settings: Settings) -> None:
    settings = overlay_knobs(
        settings, "late_payment", {"channels": ["email", "letter"], "ladder": True, "until_days": 60}
    )
    store(
        sqlite_engine, [customer("late1"), *late("late1", 12), granted("email", customer_id="late1"), payments_fresh()]
    )
    plan_day(sqlite_engine, settings, TODAY, NOW)
    with writing(sqlite_engine) as session:
        session.execute(update(Message).values(useful_until=TODAY - timedelta(days=1)))
    assert forecast(sqlite_engine, settings, TODAY, LAST, NOW).messages == ()


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


def test_others_write_and_plan_while_a_forecast_is_made_and_it_does_not_see_it(
    engine: Engine, settings: Settings
) -> None:
    store(engine, practice())
    key = load_key(engine, settings)
    with on_copies(engine) as session:
        surroundings = Surroundings(session)
        tried = plan_in(surroundings, load_day(session, settings, TODAY, NOW), key)
        # A writer that has to wait for a lock waits a minute, and then fails.
        assert plan_day(engine, settings, TODAY, NOW) == tried
        store(engine, [customer("new"), *late("new", 12)])
        tomorrow = plan_in(surroundings, load_day(session, settings, TODAY + timedelta(days=1), NOW), key)
        assert session.exec(select(func.count()).select_from(Moment)).one() >= tried.decisions.total()
        assert tomorrow.messages.total() >= 1
    assert count(engine, Message) == tried.messages.total()
    assert count(engine, Decision) == tried.decisions.total()


def test_the_copies_are_as_strict_as_the_tables(engine: Engine) -> None:
    store(engine, [customer("a")])
    row = Moment(moment_id="m", kind="k", customer_id="a", occasion="o", occasion_on=TODAY, found_on=TODAY)
    store(engine, [row])
    with on_copies(engine) as session:
        session.add(Moment(**row.model_dump() | {"moment_id": "other"}))
        with pytest.raises(IntegrityError):
            session.flush()


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
