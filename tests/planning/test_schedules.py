"""Time as it really passes: clock changes, a machine that slept for a week, and a run that comes twice or late."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import anyio
import pytest
import yaml
from prefect.server.schemas.schedules import CronSchedule
from sqlalchemy import Engine
from sqlmodel import select

from budget import IS_LONG
from checkout import PROJECT
from conftest import NOW, TODAY
from outreach.database import reading, writing
from outreach.models import Decision, Message, Moment
from outreach.moments import knobs_for
from outreach.planning.run import plan_day
from outreach.settings import Settings
from planning_rows import customer, faithful, granted, seen, treated

DAY = timedelta(days=1)
# Clocks change at night in the first three, at midnight in Santiago, and by half an hour on Lord Howe.
ZONES = ("America/New_York", "Europe/Berlin", "Australia/Sydney", "America/Santiago", "Australia/Lord_Howe")
SCHEDULES = [
    pytest.param(deployment["entrypoint"], schedule["cron"], id=f"{deployment['entrypoint']} {schedule['slug']}")
    for deployment in yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]
    for schedule in deployment.get("schedules", [])
    # What runs around the clock has more or fewer runs on a day of 25 or 23 hours, and should.
    if schedule["cron"].split()[1] != "*"
]


def days_to_ask(cron: str, zone: str) -> list[date]:
    """A year and a day. With many runs a day `make test` takes the days around each clock change and a few others."""
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(366)]
    if IS_LONG or "/" not in cron.split()[0]:
        return days
    near = {day + timedelta(days=ahead) for day in days if changes_clocks(day, zone) for ahead in range(-2, 3)}
    assert near, "a zone without clock changes shows nothing"
    return [day for day in days if day in near or day.day == 1]


def changes_clocks(day: date, zone: str) -> bool:
    midnights = (datetime(each.year, each.month, each.day, tzinfo=ZoneInfo(zone)) for each in (day, day + DAY))
    return len({midnight.utcoffset() for midnight in midnights}) > 1


def planned_by_prefect(cron: str, zone: str, days: Sequence[date]) -> Counter[date]:
    """How many runs Prefect's own scheduler plans on each of the local dates."""
    schedule, local = CronSchedule(cron=cron, timezone=zone), ZoneInfo(zone)

    async def plan() -> set[datetime]:
        found: set[datetime] = set()
        # Day by day, because Prefect plans no more than a thousand runs at a time.
        for day in days:
            begins = datetime(day.year, day.month, day.day, tzinfo=local)
            found.update(await schedule.get_dates(1000, begins, begins + DAY))
        return found

    return Counter(each.astimezone(local).date() for each in anyio.run(plan))


@pytest.mark.longer
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("entrypoint", "cron"), SCHEDULES)
def test_no_clock_change_skips_or_doubles_a_scheduled_day(entrypoint: str, cron: str, zone: str) -> None:
    days = days_to_ask(cron, zone)
    runs = planned_by_prefect(cron, zone, days)
    whole = {day: runs[day] for day in days if day.year == 2026 and runs[day]}
    assert len(set(whole.values())) == 1, f"{entrypoint} does not run equally often on all its days"
    apart = 7 if cron.split()[4] != "*" else 1
    assert len(whole) == pytest.approx(sum(day.year == 2026 for day in days) / apart, abs=1 if apart > 1 else 0)


def run_on(engine: Engine, settings: Settings, day: date) -> int:
    """Plans `day` at ten in the morning; how many messages that made."""
    ten = datetime(day.year, day.month, day.day, 10, tzinfo=ZoneInfo(settings.business.timezone))
    return plan_day(engine, settings, day, ten).messages.total()


def anniversaries(engine: Engine) -> dict[date, int]:
    """How many messages were planned for the anniversary of each day."""
    planned = select(Moment.occasion).join(Message, Message.moment_id == Moment.moment_id)  # type: ignore[arg-type]
    with reading(engine) as session:
        return Counter(date.fromisoformat(day) for day in session.exec(planned.where(Moment.kind == "anniversary")))


def test_a_machine_that_slept_for_a_week_catches_up_each_moment_once_within_its_grace(
    engine: Engine, settings: Settings
) -> None:
    fell_asleep, woke = TODAY - timedelta(days=11), TODAY
    days = [TODAY + timedelta(days=offset) for offset in range(-15, 15)]
    with writing(engine) as session:
        for number, day in enumerate(days):
            by_email = granted("email", "marketing", f"c{number}")  # a letter would come too late for some
            session.add_all(
                [*faithful(f"c{number}", day.replace(year=2023), email=f"c{number}@home.example"), by_email]
            )
    run_on(engine, settings, fell_asleep)
    before = set(anniversaries(engine))
    run_on(engine, settings, woke)
    caught_up = anniversaries(engine)
    grace, ahead = knobs_for(settings, "anniversary").grace_days, date(2026, 3, 17)
    assert set(caught_up) == before | {day for day in days if woke - timedelta(days=grace) <= day <= ahead}
    assert max(caught_up.values()) == 1
    assert [run_on(engine, settings, woke), run_on(engine, settings, woke)] == [0, 0]


def test_a_week_asleep_ends_the_windows_that_closed_meanwhile(sqlite_engine: Engine, settings: Settings) -> None:
    with writing(sqlite_engine) as session:
        session.add_all([customer("early"), *seen("early"), *treated("early", on=TODAY - timedelta(days=6))])
        session.add_all([customer("fresh"), *seen("fresh"), *treated("fresh", on=TODAY - timedelta(days=2))])
    run_on(sqlite_engine, settings, TODAY - timedelta(days=7))
    run_on(sqlite_engine, settings, TODAY)
    with reading(sqlite_engine) as session:
        asked_after = session.exec(select(Moment.customer_id).where(Moment.kind == "checkin")).all()
    assert asked_after == ["fresh"], "nobody is asked how a treatment feels that was nearly a week ago"


@pytest.mark.parametrize("changes", [date(2026, 3, 8), date(2026, 11, 1)], ids=["spring", "autumn"])
def test_running_every_day_across_a_clock_change_acts_on_each_anniversary_once(
    sqlite_engine: Engine, settings: Settings, changes: date
) -> None:
    days = [changes + timedelta(days=offset) for offset in range(-3, 4)]
    with writing(sqlite_engine) as session:
        for number, day in enumerate(days):
            session.add_all([customer(f"c{number}", customer_since=day.replace(year=2023)), *seen(f"c{number}")])
            session.add_all(treated(f"c{number}", "Cleaning", day - timedelta(days=30)))
    for day in days:
        run_on(sqlite_engine, settings, day)
    assert anniversaries(sqlite_engine) == dict.fromkeys(days, 1)


def test_a_run_that_starts_after_midnight_works_on_the_new_day(sqlite_engine: Engine, settings: Settings) -> None:
    with writing(sqlite_engine) as session:
        session.add_all(faithful())
    late = NOW + timedelta(hours=12)
    plan_day(sqlite_engine, settings, TODAY, NOW)
    assert plan_day(sqlite_engine, settings, TODAY + timedelta(days=1), late).messages.total() == 0
    with reading(sqlite_engine) as session:
        assert len(session.exec(select(Decision).where(Decision.outcome == "send")).all()) == 1
