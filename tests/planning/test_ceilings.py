"""How much may be given: the ceilings on gifts hold where something is saved, planned, written and approved."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from conftest import NOW, TODAY
from outreach.approval.knob_versions import save_knobs
from outreach.approval.open_batches import open_batches
from outreach.database import writing
from outreach.errors import SettingsError, TooMuchGiven
from outreach.planning.ceilings import GiftTotals, why_too_much
from outreach.settings import Settings
from planned import add_customer, plan
from planned import compose as write
from planning_rows import decision, faithful, messages
from planning_rows import plan as plan_rows
from waiting import approve, compose, hire, statuses


def at_most(settings: Settings, **most: Any) -> Settings:
    return settings.model_copy(update={"rewards": settings.rewards.model_copy(update=most)})


@pytest.mark.parametrize(
    ("most", "kept", "named", "days"),
    [
        ({"most_per_message": 1_999}, 0, "a message would come to $20.00, over rewards.most_per_message ($19.99)", 1),
        ({"most_per_batch": 3_000}, 1, "a batch would come to $40.00, over rewards.most_per_batch ($30.00)", 1),
        ({"most_per_month": 3_000}, 1, "this month would come to $40.00, over rewards.most_per_month ($30.00)", 22),
        ({"most_per_message": 2_000, "most_per_batch": 4_000, "most_per_month": 4_000}, 2, "", 0),
    ],
)
def test_planning_holds_what_would_pass_a_ceiling_on_gifts_and_says_which_one_it_is(
    engine: Engine, settings: Settings, most: dict[str, int], kept: int, named: str, days: int
) -> None:
    own = at_most(settings, **most)
    plan_rows(engine, own, [*faithful("c1"), *faithful("c2")])
    planned = messages(engine)
    assert [message.reward_value for message in planned] == [2_000] * kept
    if named:
        held = decision(engine, "anniversary", "c2")
        assert (held.rule, named in held.reason) == ("gift", True), held.reason
        assert held.next_on is None or held.next_on == TODAY + timedelta(days=days)
        assert "raised in outreach.toml" in held.reason


def test_a_second_run_of_the_day_counts_what_the_first_one_gives(sqlite_engine: Engine, settings: Settings) -> None:
    own = at_most(settings, most_per_batch=3_000)
    plan_rows(sqlite_engine, own, faithful("c1"))
    plan_rows(sqlite_engine, own, faithful("c2"))
    assert len(messages(sqlite_engine)) == 1


def test_a_gift_above_the_ceiling_is_not_written_and_says_what_to_mend(engine: Engine, settings: Settings) -> None:
    add_customer(engine)
    reference = plan(engine, "anniversary", "letter", "c1")
    report = write(engine, at_most(settings, most_per_message=1_999))
    assert statuses(engine) == {reference: "planned"}
    assert any("rewards.most_per_message" in problem for problem in report.to_mend)
    write(engine, settings)
    assert statuses(engine) == {reference: "composed"}


@pytest.mark.parametrize("most", ["most_per_message", "most_per_batch", "most_per_month"])
def test_a_batch_above_a_ceiling_is_not_approved_and_says_what_to_do(
    engine: Engine, settings: Settings, most: str
) -> None:
    hire(engine)
    compose(engine, "A", run_on=TODAY, reward_value=1_500)
    approve(engine, settings, open_batches(engine, settings, TODAY, NOW)[0].batch_id)
    compose(engine, "B", "C", reward_value=2_000)
    (batch,) = open_batches(engine, settings, TODAY, NOW)
    ceiling = {"most_per_message": 1_999, "most_per_batch": 3_999, "most_per_month": 5_499}[most]
    with pytest.raises(TooMuchGiven, match=f"rewards.{most} .*outreach.toml"):
        approve(engine, at_most(settings, **{most: ceiling}), batch.batch_id)
    assert statuses(engine) == {"A": "approved", "B": "composed", "C": "composed"}
    approve(engine, at_most(settings, **{most: ceiling + 1}), batch.batch_id)


def test_nothing_above_a_ceiling_goes_by_rule(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    compose(sqlite_engine, "A", channel="email", reward_value=2_000)
    approve(sqlite_engine, settings, open_batches(sqlite_engine, settings, TODAY, NOW)[0].batch_id)
    compose(sqlite_engine, "B", channel="email", reward_value=2_000, run_on=TODAY + timedelta(days=1))
    (batch,) = open_batches(sqlite_engine, at_most(settings, most_per_month=3_999), TODAY, NOW)
    assert "rewards.most_per_month" in batch.why_waiting


def test_a_reward_above_the_ceiling_is_not_saved_and_other_knobs_are(sqlite_engine: Engine, settings: Settings) -> None:
    own = at_most(settings, most_per_message=1_000)
    hire(sqlite_engine)
    with writing(sqlite_engine) as session, pytest.raises(SettingsError, match=r"most_per_message \(\$10.00\)"):
        save_knobs(session, own, "anniversary", {"reward": 1_001}, "maria", NOW)
    with writing(sqlite_engine) as session:
        assert save_knobs(session, own, "anniversary", {"most_a_day": 3}, "maria", NOW)


@given(st.builds(GiftTotals, *[st.integers(0, 9_000)] * 3), st.tuples(*[st.none() | st.integers(0, 9_000)] * 3))
def test_nothing_is_above_a_ceiling_that_is_not_set_or_as_high(given: GiftTotals, most: tuple[int | None, ...]) -> None:
    ceilings = dict(zip(("most_per_message", "most_per_batch", "most_per_month"), most, strict=True))
    pairs = zip((given.message, given.batch, given.month), most, strict=True)
    is_above = any(ceiling is not None and value > ceiling for value, ceiling in pairs)
    assert bool(why_too_much(at_most(Settings(), **ceilings), given)) == is_above
