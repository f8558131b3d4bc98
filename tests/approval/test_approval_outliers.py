"""What a person should look at first in a batch, and what a batch costs and when it arrives."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from conftest import NOW, TODAY
from outreach.approval.batch_summary import glance_at_batches
from outreach.approval.open_batches import open_batches
from outreach.approval.outliers import look_over, odd_name
from outreach.composing.run import compose_planned
from outreach.database import insert_new, reading, writing
from outreach.models import Message, Payment
from outreach.settings import Settings
from planned import add_customer, know_contacts, plan

ORDINARY = 6


def open_batch(engine: Engine, settings: Settings, kind: str, *changes: dict[str, Any]) -> str:
    """A batch of ordinary letters, and one for each of `changes`; returns its id."""
    for number, values in enumerate([{}] * ORDINARY + list(changes)):
        own = {"preferred_name": "Mari", "address_line1": f"{number + 1} Orchard Terrace"}
        add_customer(engine, f"c{number}", **own | values)
        plan(engine, kind, "letter", f"c{number}")
    assert not compose_planned(engine, settings, TODAY, NOW).to_mend
    know_contacts(engine)
    [batch] = open_batches(engine, settings, TODAY, NOW)
    return batch.batch_id


def reasons(engine: Engine, batch_id: str) -> dict[str, list[str]]:
    with reading(engine) as session:
        return {look.customer_id: look.reasons for look in look_over(session, batch_id)}


@pytest.mark.parametrize(
    "name",
    [
        "Test", "asdf", "MARIA", "maria", "J.", "Maria2", "Ann/Bob", "<Maria>", "N/A", "a@b.c", "Marsh (née Smith)",
        "Nowak; Anna", "Green DDS", "Green, MD", "Green, Ph.D.", "Smith [old]", "Ann's Dental, LLC", "Smith（旧姓）",
    ],
)  # fmt: skip
def test_a_name_that_looks_like_a_slip_is_noticed(name: str) -> None:
    assert odd_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "Maria", "Jo", "MacDonald", "O’Neill", "van der Berg", "李", "Ng", "Anne-Marie", "José", None, "O'Brien-Smith",
        "King Jr.", "King, Jr.", "Smith III", "María José", "نجيب", "美咲", "Md Rahman", "Ma", "Do", "Dr. Ruth", "A.J.",
    ],
)  # fmt: skip
def test_a_name_as_people_have_it_is_not(name: str | None) -> None:
    assert not odd_name(name)


def test_what_stands_out_comes_first_with_every_reason(engine: Engine, settings: Settings) -> None:
    odd = {"given_name": "MARIA", "household_id": "h1"}
    batch_id = open_batch(engine, settings, "anniversary", odd, {"household_id": "h1"})
    found = reasons(engine, batch_id)
    assert list(found)[:2] == [f"c{ORDINARY}", f"c{ORDINARY + 1}"]
    assert found[f"c{ORDINARY}"] == ["a name that looks wrong", "several in one household"]
    assert found[f"c{ORDINARY + 1}"] == ["several in one household"]
    assert not any(list(found.values())[2:])


def test_who_is_greeted_by_the_given_name_does_not_stand_out(engine: Engine, settings: Settings) -> None:
    """Nothing is to be done about a preferred name that nobody has told us."""
    batch_id = open_batch(engine, settings, "anniversary", {"preferred_name": None})
    assert not any(reasons(engine, batch_id).values())


def test_two_of_one_household_stand_out(engine: Engine, settings: Settings) -> None:
    together = {"household_id": "h1"}
    found = reasons(engine, open_batch(engine, settings, "anniversary", together, together))
    assert [who for who, why in found.items() if why] == [f"c{ORDINARY}", f"c{ORDINARY + 1}"]
    assert found[f"c{ORDINARY}"] == ["several in one household"]


def test_what_is_true_of_most_makes_nobody_stand_out(engine: Engine, settings: Settings) -> None:
    batch_id = open_batch(engine, settings, "anniversary")
    assert not any(reasons(engine, batch_id).values()), "all their addresses are new to us"


def test_an_address_we_have_not_written_to_stands_out_among_those_we_have(engine: Engine, settings: Settings) -> None:
    batch_id = open_batch(engine, settings, "anniversary", {})
    earlier_ones = [plan(engine, "checkin", "letter", f"c{number}") for number in range(ORDINARY)]
    with writing(engine) as session:
        for number, reference in enumerate(earlier_ones):
            before = session.get_one(Message, f"ANNI-LETTER-C{number}")
            earlier = session.get_one(Message, reference)
            earlier.status, earlier.provider_id, earlier.provider = "accepted", f"p{number}", "outbox"
            earlier.contact_hash = before.contact_hash = f"hash of {number}"
    found = reasons(engine, batch_id)
    assert {who: why for who, why in found.items() if why} == {f"c{ORDINARY}": ["we have not written there before"]}


def test_an_amount_far_from_the_others_stands_out(engine: Engine, settings: Settings) -> None:
    batch_id = open_batch(engine, settings, "late_payment", {})
    paid = [
        {"payment_id": f"p{n}", "invoice_id": f"i-c{n}", "paid_on": date(2026, 3, 1), "amount": 15000} for n in range(6)
    ]
    with writing(engine) as session:
        insert_new(session, Payment, paid)
    found = reasons(engine, batch_id)
    assert {who: why for who, why in found.items() if why} == {f"c{ORDINARY}": ["an unusual amount"]}


def test_a_batch_says_what_it_costs_by_provider_and_when_it_arrives(engine: Engine, settings: Settings) -> None:
    open_batch(engine, settings, "anniversary")
    with reading(engine) as session:
        [glance] = glance_at_batches(session, settings, NOW)
    gifts = ORDINARY * 2_000 * settings.rewards.redeemed_percent // 100
    assert glance.cost_by_provider == {"outbox": ORDINARY * settings.postage.letter + gifts}
    assert glance.reward_cost == gifts
    assert (glance.arrives_from, glance.arrives_until) == (date(2026, 3, 16), date(2026, 3, 16))
    assert glance.batch.count == ORDINARY
    assert not glance.looks, "what is true of all makes nobody stand out"
