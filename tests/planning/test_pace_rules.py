"""Whose turn it is: fixed days before what has weeks, apologies before quiet days, and a queue that goes by use."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel

from conftest import TODAY
from grounds import add_moment, add_person
from outreach.database import writing
from outreach.models import Customer, Decision, Feedback, Message, Visit
from outreach.moments.anniversary import next_anniversary
from outreach.planning.knobs import overlay_knobs
from outreach.settings import Settings
from planning_rows import at, customer, decision, granted, messages, plan

LAST_YEAR = TODAY - timedelta(days=400)


def _silent(who: str, last: date, **values: Any) -> list[SQLModel]:
    """Somebody who has not come for over a year, and may be written to by e-mail."""
    visit = Visit(visit_id=f"old-{who}", customer_id=who, starts_at=at(last), starts_on=last, status="completed")
    return [customer(who, email=f"{who}@home.example", **values), visit, granted("email", "marketing", who)]


def _heard(engine: Engine, who: str, kind: str, days_ago: int) -> None:
    """A message of ours of this kind reached them so many days ago."""
    sent, occasion = TODAY - timedelta(days_ago), f"earlier {who}"
    with writing(engine) as session:
        add_person(session, who, who)
        moment = add_moment(session, kind, who, sent, occasion=occasion)
        row = Message(
            reference=f"EARLIER-{who}", moment_id=moment, kind=kind, customer_id=who, recipient_id=who,
            channel="email", purpose="service", status="accepted", provider="outbox", provider_id=f"earlier {who}",
            run_on=sent, send_on=sent, useful_until=sent,
        )  # fmt: skip
        decided = {"moment_id": moment, "sequence": 1, "run_on": sent, "outcome": "send", "rule": "send", "reason": ""}
        session.add(row)
        session.flush()
        session.add(Decision(**decided, reference=row.reference))


@pytest.mark.parametrize(("ahead", "rule"), [(3, "fixed_day"), (13, "fixed_day"), (14, "send")])
def test_what_has_all_year_yields_to_a_fixed_day_within_the_quiet_days(
    sqlite_engine: Engine, every_moment: Settings, ahead: int, rule: str
) -> None:
    since = (TODAY + timedelta(ahead)).replace(year=2019)
    # The anniversary itself is held: they have been silent. It keeps its day all the same.
    plan(sqlite_engine, every_moment, _silent("c1", LAST_YEAR, customer_since=since))
    decided = decision(sqlite_engine, "win_back")
    assert decided.rule == rule
    if rule == "fixed_day":
        assert (decided.next_on, "anniversary on" in decided.reason) == (TODAY + timedelta(ahead + 1), True)


def test_a_fixed_day_that_is_switched_off_keeps_nobody_waiting(sqlite_engine: Engine, every_moment: Settings) -> None:
    since = (TODAY + timedelta(3)).replace(year=2019)
    off = overlay_knobs(every_moment, "anniversary", {"enabled": False})
    plan(sqlite_engine, off, _silent("c1", LAST_YEAR, customer_since=since))
    assert decision(sqlite_engine, "win_back").rule == "send"


@pytest.mark.parametrize(
    ("since", "on", "day"),
    [
        (date(2020, 2, 29), date(2026, 2, 1), date(2026, 2, 28)),
        (date(2020, 2, 29), date(2027, 12, 1), date(2028, 2, 29)),
        (date(2019, 3, 10), date(2026, 3, 10), date(2026, 3, 10)),
        (date(2019, 3, 10), date(2026, 3, 11), date(2027, 3, 10)),
        (date(2025, 12, 30), date(2025, 12, 31), date(2026, 12, 30)),
    ],
)
def test_the_next_anniversary_is_in_a_later_year_and_29_february_is_kept_on_the_28th(
    since: date, on: date, day: date
) -> None:
    assert next_anniversary(since, on) == day


def _complaint(who: str = "c1") -> Feedback:
    return Feedback(
        feedback_id=f"f-{who}", customer_id=who, kind="complaint", status="open", given_at=at(TODAY), given_on=TODAY
    )


@pytest.mark.parametrize(("kind", "rule"), [("goodwill", "send"), ("recovery", "quiet_days")])
def test_an_apology_waits_only_for_what_was_sent_about_something_that_went_wrong(
    sqlite_engine: Engine, every_moment: Settings, kind: str, rule: str
) -> None:
    _heard(sqlite_engine, "c1", kind, days_ago=3)
    with writing(sqlite_engine) as session:
        session.add(_complaint())
    plan(sqlite_engine, every_moment, [])
    found = {
        message.kind: message for message in messages(sqlite_engine) if not message.reference.startswith("EARLIER")
    }
    assert ("recovery" in found) == (rule == "send")


def test_a_note_in_the_first_hundred_days_waits_while_we_have_written_lately(
    sqlite_engine: Engine, every_moment: Settings
) -> None:
    _heard(sqlite_engine, "c1", "goodwill", days_ago=16)
    with writing(sqlite_engine) as session:
        session.get_one(Customer, "c1").customer_since = TODAY - timedelta(30)
    plan(sqlite_engine, every_moment, [])
    assert decision(sqlite_engine, "first_hundred").rule == "wrote_lately"


def test_under_a_limit_whoever_is_soonest_of_no_use_any_more_comes_first(
    engine: Engine, every_moment: Settings
) -> None:
    """Not by the letters of their ids: c3 was seen longest ago, and is the first to be too late for."""
    few = overlay_knobs(every_moment, "win_back", {"most_a_day": 2, "rhythm": "fixed"})
    seen = {"c1": 400, "c2": 410, "c3": 700, "c4": 600}
    plan(engine, few, [row for who, days in seen.items() for row in _silent(who, TODAY - timedelta(days))])
    assert {message.customer_id for message in messages(engine) if message.kind == "win_back"} == {"c3", "c4"}
    assert [decision(engine, "win_back", who).rule for who in ("c1", "c2")] == ["size", "size"]
