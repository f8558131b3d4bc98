"""The month's budget, before anything is written: what counts, what is held, and until when."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Engine

from approved import add_approved
from conftest import NOW, TODAY
from outreach.database import reading, writing
from outreach.models import STATUSES, TOUCHING
from outreach.planning.budget import find_spent, first_of_next_month, hold_for_budget, hold_for_worth, most_cost
from outreach.settings import Settings, load_settings
from outreach.settings.ops import BudgetSettings


def budget(**values: Any) -> Settings:
    return load_settings(budget=BudgetSettings(**values))


def test_the_month_counts_what_reaches_people_or_may_and_what_is_planned_at_the_most_it_may_cost(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        for number, status in enumerate(STATUSES):
            add(session, f"S{number}", status)
        add(session, "LAST MONTH", "accepted", run_on=TODAY.replace(day=1) - timedelta(days=1))
        add(session, "NEXT MONTH", "planned", run_on=date(2026, 4, 1))
        add(session, "TEXT", "planned", channel="text", kind="late_payment")
    with reading(engine) as session:
        spent = find_spent(session, settings, TODAY)
    assert most_cost(settings, "letter") == 120
    assert spent == {"checkin": (len(TOUCHING) - 1) * 7 + 120, "late_payment": 2}


def add(session: Any, reference: str, status: str, **values: Any) -> None:
    channel = values.pop("channel", "letter")
    taken: dict[str, Any] = {"cost": 0 if status == "planned" else 7, "status": status}
    if status == "accepted":
        taken["provider_id"] = reference
    if status == "sending":
        taken |= {"owner": "s", "lease_until": NOW}
    add_approved(session, reference, channel, **(taken | values))


def test_a_budget_holds_until_the_first_of_the_next_month_and_says_which_one_it_is() -> None:
    settings = budget(month=1000, moments={"late_payment": 240})
    assert hold_for_budget(settings, Counter(late_payment=120), "late_payment", 120, TODAY) is None
    hold = hold_for_budget(settings, Counter(late_payment=121), "late_payment", 120, TODAY)
    assert hold
    assert (hold.rule, hold.next_on) == ("budget", date(2026, 4, 1))
    assert hold.reason == "this month's budget for late payment is used up"
    everything = hold_for_budget(settings, Counter(checkin=900), "checkin", 120, TODAY)
    assert everything
    assert everything.reason == "this month's budget for outreach is used up"
    assert hold_for_budget(settings, Counter(checkin=5000), "checkin", 0, TODAY) is None
    assert hold_for_budget(budget(), Counter(checkin=5000), "checkin", 120, TODAY) is None
    assert hold_for_budget(budget(moments={"checkin": 0}), Counter(), "checkin", 1, TODAY)


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 300))), st.integers(1, 900), st.integers(0, 400))
def test_whatever_is_asked_no_budget_is_passed_and_nothing_that_fits_is_held(
    asked: list[tuple[str, int]], month: int, of_a: int
) -> None:
    settings, spent = budget(month=month, moments={"a": of_a}), Counter[str]()
    for kind, cost in asked:
        fits = spent.total() + cost <= month and (kind != "a" or spent["a"] + cost <= of_a)
        hold = hold_for_budget(settings, spent, kind, cost, TODAY)
        assert (hold is None) == (fits or cost == 0)
        if hold is None:
            spent[kind] += cost
    assert spent.total() <= month
    assert spent["a"] <= of_a


@pytest.mark.parametrize(("day", "next_on"), [("2026-12-31", "2027-01-01"), ("2028-01-31", "2028-02-01")])
def test_the_next_month_begins_on_its_first(day: str, next_on: str) -> None:
    assert first_of_next_month(date.fromisoformat(day)) == date.fromisoformat(next_on)


def test_a_message_that_costs_too_much_of_what_a_customer_is_worth_is_held_where_a_business_wants_that() -> None:
    settings = budget(worth_percent=2.5)
    assert hold_for_worth(settings, 4800, 120, TODAY) is None
    hold = hold_for_worth(settings, 4799, 120, TODAY)
    assert hold
    assert (hold.rule, hold.next_on) == ("worth", TODAY + timedelta(days=1))
    assert hold_for_worth(settings, 0, 0, TODAY) is None
    assert hold_for_worth(budget(), 0, 120, TODAY) is None


def test_an_amount_below_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        BudgetSettings(moments={"checkin": -1})
