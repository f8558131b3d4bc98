"""What the law says of texts and of consent: how many a number may get, and when an unspoken consent ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from approved import add_approved
from conftest import NOW, TODAY
from outreach.clock import stopped_clock
from outreach.database import reading, writing
from outreach.delivery.reports import DeliverReport
from outreach.delivery.sender import deliver_due
from outreach.models import Consent, Customer, Message
from outreach.planning.consent import expiry_of, refusal_of
from outreach.planning.contact_cards import Person
from outreach.planning.text_cap import TOO_MANY
from outreach.settings import Settings


def deliver(engine: Engine, settings: Settings, day: int = 0) -> DeliverReport:
    return deliver_due(engine, settings, stopped_clock(NOW + timedelta(days=day)), "sender")


def add_texts(engine: Engine, *references: str, **values: Any) -> None:
    with writing(engine) as session:
        for reference in references:
            long = {"useful_until": TODAY + timedelta(days=20)}
            add_approved(session, reference, "text", **({"contact_hash": "one number"} | long | values))


def message_of(engine: Engine, reference: str) -> Message:
    with reading(engine) as session:
        return session.get_one(Message, reference)


def test_one_number_gets_one_text_about_health_a_day_and_three_a_week(engine: Engine, settings: Settings) -> None:
    add_texts(engine, "A", kind="checkin")
    add_texts(engine, "B", kind="checkin", step=2)
    add_texts(engine, "C", kind="anniversary", batch_id="B3")
    add_texts(engine, "D", kind="referral_ask", batch_id="B4")
    add_texts(engine, "E", contact_hash="another number")
    first = deliver(engine, settings)
    assert (first.sent, first.out_of_hours) == ({"text": 2}, 3)
    waits = message_of(engine, "B")
    assert (waits.status, waits.status_reason) == ("approved", TOO_MANY)
    assert waits.not_before == datetime(2026, 3, 11, 13, tzinfo=UTC)
    assert [deliver(engine, settings, day).sent.total() for day in range(1, 9)] == [1, 1, 0, 0, 0, 0, 1, 0]


def test_other_businesses_have_no_such_cap(engine: Engine, settings: Settings) -> None:
    bank = settings.model_copy(update={"business": settings.business.model_copy(update={"kind": "finance"})})
    add_texts(engine, "A", kind="checkin")
    add_texts(engine, "B", kind="anniversary", batch_id="B2")
    assert deliver(engine, bank).sent == {"text": 2}


@pytest.mark.parametrize(
    ("basis", "at", "ends"),
    [
        ("implied-purchase", "2026-03-10", "2028-03-10"),
        ("implied-purchase", "2024-02-29", "2026-02-28"),
        ("implied-inquiry", "2026-08-31", "2027-02-28"),
        ("implied-inquiry", "2026-12-01", "2027-06-01"),
        ("express", "2020-01-01", None),
        (None, "2020-01-01", None),
    ],
)
def test_a_consent_that_nobody_put_into_words_ends_by_itself(basis: str | None, at: str, ends: str | None) -> None:
    given = Consent(
        customer_id="c", channel="email", purpose="marketing", state="granted", basis=basis,
        at=datetime.fromisoformat(f"{at}T12:00Z"),
    )  # fmt: skip
    assert expiry_of(given) == (datetime.fromisoformat(f"{ends}T12:00Z") if ends else None)
    said = given.model_copy(update={"expires_at": NOW})
    assert expiry_of(said) == NOW


@pytest.mark.parametrize(
    ("channel", "basis", "months_ago", "refusal"),
    [
        ("email", "implied-purchase", 23, None),
        ("email", "implied-purchase", 25, "their consent has expired"),
        ("email", "implied-inquiry", 5, None),
        ("email", "implied-inquiry", 7, "their consent has expired"),
        (
            "text",
            "implied-purchase",
            1,
            "a promotion by text needs the words they consented to, and none are on record",
        ),
        ("text", "express", 40, None),
    ],
)
def test_an_implied_consent_carries_a_promotion_by_email_while_it_lasts_and_never_by_text(
    settings: Settings, channel: Any, basis: str, months_ago: int, refusal: str | None
) -> None:
    person = Person(Customer(customer_id="c"))
    given = Consent(
        customer_id="c", channel=channel, purpose="marketing", state="granted", basis=basis, text="Yes, please",
        at=NOW - timedelta(days=30 * months_ago + months_ago // 2),
    )  # fmt: skip
    person.consents[channel, "marketing"] = given
    assert refusal_of(person, channel, "marketing", NOW, settings) == refusal
