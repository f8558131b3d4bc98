"""Random populations live through a year of planning, for real: what must hold whoever they are."""

import itertools
import shutil
import tempfile
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, update
from sqlmodel import col, select

from budget import IS_LONG, postgresql_in_drill
from outreach.database import open_database, reading, writing
from outreach.models import Consent, Customer, Decision, Import, Message, Moment
from outreach.planning.budget import counted_cost, most_cost
from outreach.planning.forecast import Forecast, cost_of, forecast
from outreach.planning.run import PlanReport, plan_day
from outreach.settings import Settings, load_settings
from simulated_people import FIRST, LAST, People, noon

CAP, BUDGET = 2, 1_500
# A smaller population that fails as well is not worth the minutes that it takes to find one.
GENERATE = (Phase.explicit, Phase.generate)
KNOBS = {
    "checkin": {"treatments": ["Filling"]},
    # Looking back less keeps the year short to live through.
    "anniversary": {"grace_days": 1},
    "welcome": {"grace_days": 1},
    "first_hundred": {"grace_days": 1, "most_a_day": CAP},
    "survey": {"grace_days": 1},
    "surprise": {"one_in": 20},
    "win_back": {"most_a_day": CAP},
}


def practice() -> Settings:
    return load_settings(
        secret="a secret for tests only",
        business={"timezone": "America/New_York"},
        moments=KNOBS,
        budget={"moments": {"thank_you": BUDGET, "win_back": BUDGET}},
    )


def live_through(
    engine: Engine,
    settings: Settings,
    people: People,
    last: date = LAST,
    first: date = FIRST,
    is_foretold: bool = False,
) -> None:
    """Every morning: what became known is stored, payments are imported, the day is planned, and all of it is sent.

    Where it is foretold, the forecast of each morning for its day must be what is then planned.
    """
    for ahead in range((last - first).days + 1):
        on = first + timedelta(days=ahead)
        with writing(engine) as session:
            session.add_all([*people.known.get(on, []), payments_at(on)])
        seen = forecast(engine, settings, on, on, noon(on)) if is_foretold else None
        report = plan_day(engine, settings, on, noon(on))
        if seen:
            require_foretold(engine, seen, report)
        with writing(engine) as session:
            sent = {"status": "accepted", "provider": "outbox", "provider_id": col(Message.reference)}
            sent["cost"] = counted_cost(settings)
            session.execute(update(Message).where(col(Message.status) == "planned").values(**sent))


def payments_at(on: date) -> Import:
    return Import(at=noon(on), file="p", table_name="payments", read=0, accepted=0, refused=0)


def require_foretold(engine: Engine, seen: Forecast, report: PlanReport) -> None:
    """The forecast of a day is what was planned on it: each message with its cost, and how often each rule held."""
    with reading(engine) as session:
        planned = session.exec(select(Message).where(Message.run_on == report.on)).all()
    costs = practice().postage
    real = [
        (m.kind, m.channel, m.customer_id, m.recipient_id, m.send_on, cost_of(m.channel, costs) + m.reward_cost)
        for m in planned
    ]
    foreseen = [(m.moment, m.channel, m.customer_id, m.recipient_id, m.send_on, m.cost) for m in seen.messages]
    assert sorted(foreseen) == sorted(real), report.on
    assert seen.held == Counter({no: count for no, count in report.decisions.items() if no[1] != "send"}), report.on


def fresh(pattern: Path, folder: str) -> Engine:
    path = Path(folder) / "year.db"
    shutil.copyfile(pattern, path)
    return open_database(f"sqlite:///{path}")


class Year:
    """What was planned, for whoever asks."""

    def __init__(self, engine: Engine) -> None:
        with reading(engine) as session:
            self.messages = list(session.exec(select(Message).order_by(Message.reference)))
            self.customers = {row.customer_id: row for row in session.exec(select(Customer))}
            self.consents = list(session.exec(select(Consent)))
            self.moments = list(session.exec(select(Moment)))
            self.decisions: dict[str, list[Decision]] = defaultdict(list)
            for decision in session.exec(select(Decision).order_by(col(Decision.sequence))):
                self.decisions[decision.moment_id].append(decision)

    def may_use(self, message: Message) -> bool:
        """The recipient's last word by then; without one, letters and calls are allowed, e-mails and texts are not."""
        by_then = [
            row for row in self.consents
            if (row.customer_id, row.channel) == (message.recipient_id, message.channel)
            and row.at <= noon(message.run_on)
        ]  # fmt: skip
        said = {row.purpose: row for row in sorted(by_then, key=lambda row: (row.at, row.state == "withdrawn"))}
        word = said.get(message.purpose)
        if word is None and message.purpose == "service" and "marketing" in said:
            word = said["marketing"] if said["marketing"].state == "granted" else None
        if word is None:
            return message.channel in {"letter", "call"}
        return word.state == "granted" and (word.expires_at is None or word.expires_at > noon(message.run_on))


def require_all(year: Year, people: People, settings: Settings) -> None:
    require_quiet_days(year, settings)
    for message in year.messages:
        assert year.may_use(message), message
        for who in (message.customer_id, message.recipient_id):
            died_on = year.customers[who].died_on
            assert died_on is None or died_on > message.run_on, message
    require_decisions(year)
    require_caps(year, settings)
    reached = {(message.customer_id, message.kind) for message in year.messages}
    assert {(who, kind) for who, kind in people.lone.items()} - reached == set(), (
        "somebody with every reason was missed"
    )


def require_quiet_days(year: Year, settings: Settings) -> None:
    touches: dict[str, dict[str, date]] = defaultdict(dict)
    for message in year.messages:
        # The call and the e-mail of one enquiry are one touch; a ladder's steps are days of their own.
        touches[message.recipient_id][f"{message.moment_id} {message.run_on}"] = message.send_on
    for days in touches.values():
        ordered = sorted(days.values())
        gaps = [(later - earlier).days for earlier, later in itertools.pairwise(ordered)]
        assert all(gap >= settings.pacing.quiet_days for gap in gaps)


def require_decisions(year: Year) -> None:
    assert {moment.moment_id for moment in year.moments} == set(year.decisions)
    for decisions in year.decisions.values():
        assert [decision.sequence for decision in decisions] == list(range(1, len(decisions) + 1))
        stands = decisions[-1]
        assert stands.outcome in {"send", "never"} or (stands.next_on and stands.next_on > LAST), stands
        assert all(decision.outcome == "not_yet" or decision.rule == "send" for decision in decisions[:-1]), decisions


def require_caps(year: Year, settings: Settings) -> None:
    days = Counter((message.kind, message.run_on) for message in year.messages)
    assert all(days[kind, on] <= CAP for kind, on in days if kind in {"first_hundred", "win_back"})
    months: Counter[tuple[str, int]] = Counter()
    for message in year.messages:
        months[message.kind, message.run_on.month] += most_cost(settings, message.channel)
    assert all(cost <= BUDGET for (kind, _), cost in months.items() if kind in settings.budget.moments)


def live_on_sqlite(pattern: Path, seed: int, size: int, is_foretold: bool) -> tuple[Year, People, Settings]:
    with tempfile.TemporaryDirectory() as folder:
        engine, people, settings = fresh(pattern, folder), People(seed, size), practice()
        live_through(engine, settings, people, is_foretold=is_foretold)
        return Year(engine), people, settings


# `make drill` lives through twenty, each foretold morning by morning.
@given(seed=st.integers(0, 10_000), size=st.integers(3, 12))
@hypothesis_settings(
    max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=GENERATE
)
def test_a_year_of_planning_keeps_every_promise_whoever_they_are(sqlite_pattern: Path, seed: int, size: int) -> None:
    require_all(*live_on_sqlite(sqlite_pattern, seed, size, is_foretold=False))


@pytest.mark.drill
@given(seed=st.integers(0, 10_000), size=st.integers(3, 60))
@hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=GENERATE)
def test_many_years_of_planning_keep_every_promise(sqlite_pattern: Path, seed: int, size: int) -> None:
    require_all(*live_on_sqlite(sqlite_pattern, seed, size, is_foretold=True))


@pytest.mark.longer
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_same_seed_gives_the_same_weeks_on_both_databases(engine: Engine, sqlite_pattern: Path) -> None:
    """What is drawn, found and decided is the same row for row."""
    end, settings = date(2026, 2, 15) if IS_LONG else date(2026, 1, 21), practice()
    live_through(engine, settings, People(7, 8), end)
    here, there = Year(engine), live_weeks(sqlite_pattern, end)
    require_same(here, there)
    assert here.messages, "too little happened to show anything"


@pytest.mark.longer
def test_the_same_seed_gives_the_same_weeks_again(sqlite_pattern: Path) -> None:
    end = date(2026, 2, 15) if IS_LONG else date(2026, 1, 21)
    require_same(live_weeks(sqlite_pattern, end), live_weeks(sqlite_pattern, end))


def live_weeks(pattern: Path, end: date) -> Year:
    with tempfile.TemporaryDirectory() as folder:
        engine = fresh(pattern, folder)
        live_through(engine, practice(), People(7, 8), end)
        return Year(engine)


def require_same(here: Year, there: Year) -> None:
    assert [message.model_dump() for message in here.messages] == [message.model_dump() for message in there.messages]
    assert {key: [d.model_dump() for d in value] for key, value in here.decisions.items()} == {
        key: [d.model_dump() for d in value] for key, value in there.decisions.items()
    }


# On PostgreSQL, test_planning_forecast.py holds forecasts of weeks against what is planned.
@postgresql_in_drill
def test_the_forecast_of_each_morning_is_what_is_planned_then(engine: Engine) -> None:
    """Day after day, while new facts come in and what was planned leaves."""
    live_through(engine, practice(), People(7, 14), date(2026, 1, 18), is_foretold=True)
    assert len({message.kind for message in Year(engine).messages}) >= 3, "too little happened to show anything"


@postgresql_in_drill
def test_a_forecast_of_a_month_is_what_a_month_of_planning_and_sending_comes_to(engine: Engine) -> None:
    """Where no new fact comes in but the payments, which are imported every morning."""
    settings, people = practice(), People(3, 40)
    first, last = date(2026, 4, 1), date(2026, 4, 30)
    known = [row for day, rows in sorted(people.known.items()) if day < first for row in rows]
    people.known.clear()
    with writing(engine) as session:
        session.add_all([*known, payments_at(first)])
    live_through(engine, settings, people, first - timedelta(days=1), first=first - timedelta(days=1))
    seen = forecast(engine, settings, first, last, noon(first))
    live_through(engine, settings, people, last, first=first)
    with reading(engine) as session:
        planned = session.exec(select(Message).where(Message.run_on >= first)).all()
        kinds = select(Moment.kind, Decision.outcome, Decision.rule).join(Decision)
        held = session.execute(kinds.where(Decision.run_on >= first, Decision.outcome != "send")).tuples()
        assert seen.held == Counter(held)
    real = [(m.run_on, m.send_on, m.kind, m.channel, m.customer_id, m.recipient_id) for m in planned]
    foreseen = [(m.on, m.send_on, m.moment, m.channel, m.customer_id, m.recipient_id) for m in seen.messages]
    assert sorted(foreseen) == sorted(real)
    assert len(real) >= 5, "too little happened to show anything"


def test_the_people_of_a_seed_are_the_same_again() -> None:
    one, two = People(3, 9), People(3, 9)
    assert {day: [row.model_dump() for row in rows] for day, rows in one.known.items()} == {
        day: [row.model_dump() for row in rows] for day, rows in two.known.items()
    }
    assert datetime(2026, 1, 1, 16, tzinfo=UTC) == noon(FIRST)
