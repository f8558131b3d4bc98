"""What a moment gives, to whom, for how much, and that it is had once: from the worth of a customer to the desk."""

import re
import threading
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Engine, update
from sqlmodel import col, select

from conftest import NOW, TODAY
from outreach.approval.staff import add_staff
from outreach.composing.paper.vouchers import code_for, read_code
from outreach.contacts import load_key
from outreach.database import reading, writing
from outreach.errors import NotFound, NotWaiting, OutreachError
from outreach.models import AuditEntry, Goodwill, Invoice, Message, Payment, Reward
from outreach.planning.forecast import forecast
from outreach.planning.knobs import overlay_knobs
from outreach.planning.rewards import Gift, expected_cost, gift_of, purpose_of, reward_of
from outreach.planning.worth import NOTHING, Worth, find_worth
from outreach.settings import Settings
from outreach.settings.rewards import Proportion, RewardsSettings
from outreach.tracking.redemptions import find_reward, hash_of, redeem, rewards_of
from planned import add_customer, compose, message_of, plan, words_of
from planning_rows import customer, faithful, messages
from planning_rows import plan as plan_rows


def growing(settings: Settings, kind: str = "anniversary", **values: Any) -> Settings:
    grows = {kind: Proportion(**{"year_percent": 5, "most": 10_000, **values})}
    return settings.model_copy(update={"rewards": RewardsSettings(moments=grows)})


def paid(who: str, day: date, amount: int, number: int = 1, **values: Any) -> list[Any]:
    name = f"{who}-{number}"
    owed = {"issued_on": day, "due_on": day, "amount": amount, "customer_id": who, **values}
    return [Invoice(invoice_id=name, **owed), Payment(payment_id=name, invoice_id=name, paid_on=day, amount=amount)]


# --- worth


def worth(engine: Engine, settings: Settings, rows: list[Any], who: str = "c1") -> Worth:
    with writing(engine) as session:
        session.add_all(rows)
    with reading(engine) as session:
        return find_worth(session, settings, TODAY, [who])[who]


def test_worth_is_what_they_paid_in_twelve_months_and_ever(engine: Engine, settings: Settings) -> None:
    rows = [customer(), *paid("c1", TODAY, 100), *paid("c1", TODAY - timedelta(days=364), 20, 2)]
    rows += [*paid("c1", TODAY - timedelta(days=365), 3, 3), *paid("c1", TODAY + timedelta(days=1), 9_000, 4)]
    assert worth(engine, settings, rows) == Worth(120, 123)


def test_whoever_pays_for_another_brings_it(engine: Engine, settings: Settings) -> None:
    rows = [customer(), customer("kid"), *paid("kid", TODAY, 500, payer_id="c1")]
    assert worth(engine, settings, rows) == Worth(500, 500)
    assert worth(engine, settings, [], "kid") == NOTHING


def test_two_currencies_have_no_sum(engine: Engine, settings: Settings) -> None:
    rows = [customer(), *paid("c1", TODAY, 100), *paid("c1", TODAY, 7_000, 2, currency="EUR")]
    assert worth(engine, settings, rows) == Worth(100, 100)


def test_what_somebody_paid_for_no_bill_in_particular_counts_and_the_payments_own_currency_does(
    engine: Engine, settings: Settings
) -> None:
    own = {"customer_id": "c1", "paid_on": TODAY}
    rows = [customer(), Payment(payment_id="a", **own, amount=300), *paid("c1", TODAY, 70, 2)]
    rows += [Payment(payment_id="b", **own, amount=9_000, currency="JPY")]
    assert worth(engine, settings, rows) == Worth(370, 370)


# --- how much


@pytest.mark.parametrize(
    ("brought", "amount"),
    [(NOTHING, 2_000), (Worth(40_000, 0), 2_000), (Worth(59_999, 0), 2_500), (Worth(9_999_999, 0), 10_000)],
)
def test_a_reward_grows_with_worth_between_the_least_and_the_most(
    settings: Settings, brought: Worth, amount: int
) -> None:
    assert reward_of(growing(settings), "anniversary", brought) == amount


def test_a_moment_that_gives_nothing_does_not_begin_to(settings: Settings) -> None:
    assert reward_of(growing(settings, "checkin"), "checkin", Worth(10**9, 10**9)) == 0


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_whoever_brings_more_is_never_given_less(one: int, more: int) -> None:
    settings = Settings(rewards={"moments": {"anniversary": {"year_percent": 3, "lifetime_percent": 1}}})
    less = reward_of(settings, "anniversary", Worth(one, one))
    assert less <= reward_of(settings, "anniversary", Worth(one + more, one + more)) <= 10_000


def test_any_promotion_inside_makes_a_message_marketing() -> None:
    assert (purpose_of("service", 0), purpose_of("service", 1), purpose_of("marketing", 0)) == (
        "service",
        "marketing",
        "marketing",
    )


def test_goodwill_with_a_gift_needs_the_consent_of_marketing(sqlite_engine: Engine, every_moment: Settings) -> None:
    gifts = overlay_knobs(every_moment, "goodwill", {"reward": 500})
    named = Goodwill(event="storm", customer_id="c1", named_on=TODAY, by="nora")
    plan_rows(sqlite_engine, gifts, [customer(), named])
    assert [(message.kind, message.purpose) for message in messages(sqlite_engine)] == [("goodwill", "marketing")]


# --- what it costs


def test_a_batch_and_the_budget_count_what_gifts_are_expected_to_cost(engine: Engine, settings: Settings) -> None:
    plan_rows(engine, settings, faithful())
    (message,) = messages(engine)
    assert message.reward_cost == expected_cost(settings, 2_000) == 1_000
    compose(engine, settings)
    (message,) = messages(engine)
    assert message.cost == settings.postage.letter + 1_000


def test_the_forecast_counts_the_gifts_too(sqlite_engine: Engine, settings: Settings) -> None:
    with writing(sqlite_engine) as session:
        session.add_all(faithful())
    seen = forecast(sqlite_engine, settings, TODAY, TODAY, NOW)
    assert seen.cost == settings.postage.letter + 1_000


def test_a_letter_gives_what_the_customer_is_worth(sqlite_engine: Engine, settings: Settings) -> None:
    add_customer(sqlite_engine)
    with writing(sqlite_engine) as session:
        session.add_all(paid("c1", date(2026, 1, 5), 100_000))
    reference = plan(sqlite_engine, "anniversary", "letter", "c1")
    compose(sqlite_engine, growing(settings))
    assert "I have put $50 to your name" in words_of(message_of(sqlite_engine, reference)[1])


# --- in another currency


def in_forints(settings: Settings, **amounts: int) -> Settings:
    return settings.model_copy(update={"rewards": RewardsSettings(amounts={"HUF": amounts})})


def test_whoever_has_another_currency_is_given_what_the_settings_name_in_it_or_nothing(settings: Settings) -> None:
    forints = in_forints(settings, anniversary=700_000)
    assert gift_of(forints, "anniversary", NOTHING, "HUF") == Gift(700_000, "HUF", 1_000)
    assert gift_of(forints, "anniversary", NOTHING, "JPY") == Gift(0, "JPY", 0)
    assert gift_of(forints, "anniversary", NOTHING, None) == Gift(2_000, "USD", 1_000)
    assert gift_of(in_forints(settings, checkin=1), "checkin", NOTHING, "HUF").amount == 0, "that moment gives nothing"


@pytest.mark.parametrize("wanted", ["huf", "Ft", "FORINT"])
def test_an_amount_is_named_by_the_code_of_its_currency(wanted: str) -> None:
    with pytest.raises(ValidationError):
        RewardsSettings(amounts={wanted: {"anniversary": 1}})


@pytest.mark.parametrize(("currency", "amount", "said"), [("HUF", 700_000, "HUF 7,000 to your name"), ("JPY", 0, "")])
def test_the_letter_the_voucher_and_the_plan_give_the_same_in_another_currency(
    engine: Engine, settings: Settings, currency: str, amount: int, said: str
) -> None:
    forints = in_forints(settings, anniversary=700_000)
    forints = forints.model_copy(update={"paper": forints.paper.model_copy(update={"voucher": "strip"})})
    plan_rows(engine, forints, faithful(currency=currency))
    (planned,) = messages(engine)
    compose(engine, forints)
    message, body = message_of(engine, planned.reference)
    assert planned.reward_cost == message.reward_cost == (1_000 if amount else 0)
    words = words_of(body).replace("\u00a0", " ")
    assert (said in words, "I have put" in words, "$" in words) == (True, bool(said), False)
    with reading(engine) as session:
        given_ = [(row.amount, row.currency) for row in session.exec(select(Reward))]
    assert given_ == [(amount, currency)] * bool(amount)


# --- redeeming


@pytest.fixture
def given_one(engine: Engine, settings: Settings) -> tuple[Engine, str]:
    """An anniversary letter that has left, and the code in it."""
    add_customer(engine)
    reference = plan(engine, "anniversary", "letter", "c1")
    compose(engine, settings)
    with writing(engine) as session:
        left = {"status": "accepted", "provider_id": "1"}
        session.execute(update(Message).values(**left))
        for who in ("nora", "will"):
            add_staff(session, who, who.title(), "writer", NOW)
    return engine, code_for(load_key(engine, settings), reference, "c1")


def redeem_code(engine: Engine, settings: Settings, code: str, by: str = "nora", now: Any = NOW) -> Reward:
    return redeem(engine, settings, hash_of(engine, settings, code), by, now)


def test_a_code_is_redeemed_once_and_the_second_is_told_by_whom(
    given_one: tuple[Engine, str], settings: Settings
) -> None:
    engine, code = given_one
    reward = redeem_code(engine, settings, code)
    assert (reward.amount, reward.customer_id, reward.redeemed_by) == (2_000, "c1", "nora")
    with pytest.raises(NotWaiting, match="redeemed on 2026-03-10, by nora"):
        redeem_code(engine, settings, code, "will")
    with reading(engine) as session:
        acts = [entry for entry in session.exec(select(AuditEntry)) if entry.act == "reward redeemed"]
    assert [(entry.actor, entry.subject) for entry in acts] == [("nora", "ANNI-LETTER-C1")]


def test_a_viewer_redeems_nothing_from_the_command_line_either(
    given_one: tuple[Engine, str], settings: Settings
) -> None:
    engine, code = given_one
    with writing(engine) as session:
        add_staff(session, "vi", "Vi", "viewer", NOW)
    with pytest.raises(OutreachError, match="viewer"):
        redeem_code(engine, settings, code, "vi")
    assert redeem_code(engine, settings, code).redeemed_by == "nora"


def test_of_two_at_once_one_is_told_that_it_is_gone(given_one: tuple[Engine, str], settings: Settings) -> None:
    engine, code = given_one
    outcomes: list[str] = []

    def take(who: str) -> None:
        try:
            outcomes.append(redeem_code(engine, settings, code, who).redeemed_by or "")
        except OutreachError as refused:
            outcomes.append(type(refused).__name__)

    threads = [threading.Thread(target=take, args=(who,)) for who in ("nora", "will")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[0] == "NotWaiting"
    assert len({"nora", "will"} & set(outcomes)) == 1


@pytest.mark.parametrize("typed", ["{} ", " {}", "{0}\n", "lower"])
def test_a_code_is_read_as_people_type_it(given_one: tuple[Engine, str], settings: Settings, typed: str) -> None:
    engine, code = given_one
    said = code.lower().replace("-", " ").replace("0", "o") if typed == "lower" else typed.format(code)
    assert find_reward(engine, settings, said, NOW).objection is None


@pytest.mark.parametrize("typed", ["", "7KQ2", "7KQ2-M9XB-1", "????-????", "ZZZZ-ZZZZ"])
def test_a_code_that_we_did_not_give_is_not_found(
    given_one: tuple[Engine, str], settings: Settings, typed: str
) -> None:
    with pytest.raises(NotFound):
        find_reward(given_one[0], settings, typed, NOW)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("composed", "Its letter has not left yet (it is composed)"),
        ("held", "Its letter has not left yet (it is held)"),
        ("approved", "Its letter has not left yet (it is approved)"),
        ("withdrawn", "Its letter never left (it is withdrawn)"),
        ("rejected", "Its letter never left (it is rejected)"),
        ("cancelled", "Its letter never left (it is cancelled)"),
        ("suppressed", "Its letter never left (it is suppressed)"),
    ],
)
def test_a_gift_whose_letter_never_left_or_still_waits_is_not_to_be_had_and_the_two_are_told_apart(
    given_one: tuple[Engine, str], settings: Settings, status: str, said: str
) -> None:
    engine, code = given_one
    with writing(engine) as session:
        session.execute(update(Message).values(status=status))
    with pytest.raises(NotWaiting, match=re.escape(said)):
        redeem_code(engine, settings, code)


@pytest.mark.parametrize(("days", "is_good"), [(365, True), (366, False)])
def test_a_gift_is_to_be_had_until_its_last_day(
    given_one: tuple[Engine, str], settings: Settings, days: int, is_good: bool
) -> None:
    engine, code = given_one
    objection = find_reward(engine, settings, code, NOW + timedelta(days=days)).objection
    assert (objection is None) == is_good


def test_a_ladders_letter_repeats_the_gift_and_does_not_double_it(
    given_one: tuple[Engine, str], settings: Settings
) -> None:
    engine, code = given_one
    plan(engine, "anniversary", "email", "c1")
    compose(engine, settings)
    with writing(engine) as session:
        left = {"status": "accepted", "provider_id": col(Message.reference)}
        session.execute(update(Message).where(col(Message.status) != "accepted").values(**left))
    redeem_code(engine, settings, code)
    with reading(engine) as session:
        given = rewards_of(session, settings, "c1", NOW)
    assert sorted((each.objection or "").split(" ")[0] for each in given) == ["It", "The"]


def test_nobody_in_the_database_can_read_a_code(given_one: tuple[Engine, str], settings: Settings) -> None:
    engine, code = given_one
    with reading(engine) as session:
        kept = str([reward.model_dump() for reward in session.exec(select(Reward))])
    assert code not in kept
    assert code.replace("-", "") not in kept


@given(st.text(max_size=30))
def test_reading_a_code_never_fails_and_gives_only_codes(typed: str) -> None:
    code = read_code(typed)
    assert code is None or read_code(code) == code
