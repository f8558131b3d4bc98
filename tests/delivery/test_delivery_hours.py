"""Sending by the recipient's clock: what waits for their morning, what its provider may still deliver, what expires."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from approved import add_approved, add_batch
from conftest import NOW, TODAY
from outreach.clock import stopped_clock
from outreach.database import reading, writing
from outreach.delivery.due import count_due
from outreach.delivery.last_check import NO_HOURS
from outreach.delivery.providers import Handover
from outreach.delivery.providers.outbox import Outbox
from outreach.delivery.providers.twilio import VALIDITY, _validity
from outreach.delivery.reports import DeliverReport
from outreach.delivery.sender import deliver_due
from outreach.delivery.status_reasons import OUTSIDE_HOURS
from outreach.errors import NotSent
from outreach.learning.alarms import find_alarms
from outreach.models import Attempt, Customer, Flag, Message
from outreach.planning.legal_hours import find_leaves
from outreach.settings import Settings

# Half past two in the morning in New York, and eight there.
NIGHT = datetime.fromisoformat("2026-03-10T06:30Z")
MORNING = datetime.fromisoformat("2026-03-10T12:00Z")
HAWAII = datetime.fromisoformat("2026-03-10T18:00Z")


class Watching(Outbox):
    """Files, and what each hand-over said of the time it had."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seen: dict[str, Handover] = {}

    def send(self, handover: Handover) -> str:
        self.seen[handover.reference] = handover
        return super().send(handover)


def deliver(engine: Engine, settings: Settings, at: datetime, **more: Any) -> DeliverReport:
    return deliver_due(engine, settings, stopped_clock(at), "sender", **more)


def message_of(engine: Engine, reference: str = "A") -> Message:
    with reading(engine) as session:
        return session.get_one(Message, reference)


def move(session: Session, customer_id: str, **where: Any) -> None:
    customer = session.get_one(Customer, customer_id)
    for name, value in where.items():
        setattr(customer, name, value)
    session.add(customer)


def test_a_text_approved_at_night_waits_for_the_morning_of_whom_it_is_for_and_then_leaves_once(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "text")
        add_approved(session, "B", "letter")
    night = deliver(engine, settings, NIGHT)
    waits = message_of(engine)
    assert (night.sent, night.again, night.out_of_hours, night.hours_at) == ({"letter": 1}, 0, 1, MORNING)
    assert (waits.status, waits.status_reason, waits.not_before) == ("approved", OUTSIDE_HOURS, MORNING)
    with reading(engine) as session:
        assert session.exec(select(Attempt).where(Attempt.reference == "A")).all() == []
    before = count_due(engine, settings, stopped_clock(MORNING - timedelta(seconds=1)))
    assert (before.leaving, before.waits.out_of_hours) == (0, 1)
    assert deliver(engine, settings, MORNING - timedelta(seconds=1)).sent.total() == 0
    assert deliver(engine, settings, MORNING).sent == {"text": 1}
    assert message_of(engine).status == "accepted"
    assert deliver(engine, settings, MORNING).sent.total() == 0


def test_row_39_without_a_zone_a_text_leaves_only_when_it_is_day_in_every_plausible_zone(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "text")
        add_approved(session, "B", "text", to={"name": "B", "phone": "+18025550141"})
        add_approved(session, "C", "text", to={"name": "C", "phone": "+18025550142"})
        move(session, "customer of A", timezone=None, region=None, postal_code=None)
        move(session, "customer of B", timezone=None, region="VT", postal_code="05401")
        move(session, "customer of C", timezone=None, country="ZZ")
    carrier = Watching(settings.providers.outbox.folder or Path("outbox"))
    noon = deliver(engine, settings, NOW, providers={"outbox": carrier})
    assert (noon.sent, noon.withdrawn) == ({"text": 1}, 1)
    # Eight in Honolulu would do, and nine for the strictest of the states that they may live in.
    assert message_of(engine, "A").not_before == HAWAII + timedelta(hours=1)
    assert message_of(engine, "C").status_reason == NO_HOURS
    late = deliver(engine, settings, HAWAII + timedelta(hours=1), providers={"outbox": carrier})
    assert late.sent == {"text": 1}
    # It ends at eight in the evening in New York, the first of the plausible zones to get there.
    assert carrier.seen["A"].arrives_within == timedelta(hours=5)
    assert carrier.seen["B"].arrives_within == timedelta(hours=10)


def test_row_39_what_twilio_keeps_of_a_text_ends_before_the_quiet_hours(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "text")
        add_approved(session, "B", "text", to={"name": "B", "phone": "+18025550141"})
        move(session, "customer of B", timezone="Europe/London")
    carrier = Watching(settings.providers.outbox.folder or Path("outbox"))
    evening = datetime.fromisoformat("2026-03-10T21:30Z")
    deliver(engine, settings, evening, providers={"outbox": carrier})
    assert list(carrier.seen) == ["A"]
    handed = carrier.seen["A"]
    assert handed.arrives_within == timedelta(hours=3, minutes=30)
    assert evening + timedelta(seconds=_validity(handed)) < evening + handed.arrives_within
    assert 1 <= _validity(handed) <= 36000
    assert message_of(engine, "B").not_before == datetime.fromisoformat("2026-03-11T08:00Z")


@pytest.mark.parametrize(
    ("within", "seconds"),
    [(None, VALIDITY.total_seconds()), (timedelta(hours=9), VALIDITY.total_seconds()), (timedelta(minutes=5), 240)],
)
def test_twilio_is_never_given_longer_than_four_hours(
    engine: Engine, settings: Settings, within: timedelta | None, seconds: float
) -> None:
    assert _validity(handover(within)) == seconds


def test_a_text_whose_hours_end_while_it_is_handed_over_is_not_sent() -> None:
    with pytest.raises(NotSent):
        _validity(handover(timedelta(seconds=90)))


def handover(within: timedelta | None) -> Handover:
    return Handover("A", "A.1", "text", {}, b"", "text/plain", TODAY, "B1", NOW, arrives_within=within)


def test_a_text_that_would_arrive_in_the_last_minutes_of_the_day_waits_for_the_next(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "text")
    assert deliver(engine, settings, datetime.fromisoformat("2026-03-11T00:57Z")).sent.total() == 0
    assert message_of(engine).not_before == MORNING + timedelta(days=1)


def test_what_waited_past_its_use_expires(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "text", useful_until=TODAY)
    evening = datetime.fromisoformat("2026-03-11T01:30Z")
    assert deliver(engine, settings, evening).out_of_hours == 1
    assert deliver(engine, settings, MORNING + timedelta(days=1)).expired == 1
    assert message_of(engine).status == "expired"


def test_emails_leave_at_any_hour_but_those_about_debt_only_in_the_hours_of_the_law(
    engine: Engine, settings: Settings
) -> None:
    content = b"List-Unsubscribe: <https://x.example/u>\r\n\r\nGood morning."
    with writing(engine) as session:
        add_approved(session, "A", "email")
        add_approved(session, "B", "call", to={"name": "B", "phone": "+18025550141"})
        add_approved(session, "C", "email", kind="anniversary", content=content)
    assert deliver(engine, settings, NIGHT).sent == {"email": 2, "call": 1}


def test_hours_that_they_asked_us_to_leave_them_alone_in_are_kept(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        message = add_approved(session, "A", "text")
        session.add(Flag(customer_id="customer of A", kind="inconvenient", from_on=TODAY, note="tue 10:00-13:00, wed"))
        session.flush()
        leave = find_leaves(session, settings, [message], NOW)["A"]
    assert (leave.at, leave.until) == (NOW + timedelta(hours=2), datetime.fromisoformat("2026-03-11T01:00Z"))


def test_waiting_for_somebodys_morning_is_no_backlog_and_being_left_in_it_is(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_batch(session, opened_at=NIGHT)
        add_approved(session, "A", "text")
        move(session, "customer of A", timezone="Pacific/Honolulu", region="HI", postal_code="96813")
    deliver(engine, settings, NIGHT + timedelta(hours=2))
    with reading(engine) as session:
        soon, late = (
            [alarm.kind for alarm in find_alarms(session, settings, HAWAII + timedelta(hours=hours))]
            for hours in (-1, 2)
        )
    assert soon == []
    assert late == ["backlog"]
