"""Today's call sheet: who is on it, what to say, and what follows from each tick."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from approved import add_approved, days
from conftest import NOW, TODAY
from outreach.contacts import contact_hash, load_key
from outreach.database import reading, writing
from outreach.errors import ApprovalError, NotAllowed, NotFound, NotWaiting
from outreach.models import AuditEntry, Customer, Suppression
from outreach.settings import Settings
from outreach.settings.limits import HoursSettings
from outreach.tracking.calls import Call, calls_now, list_calls, record_call
from outreach.tracking.pulling_back import PullReport
from waiting import hire, statuses


@pytest.fixture(autouse=True)
def _people(engine: Engine) -> None:
    hire(engine, "jon")


def add(engine: Engine, reference: str, **values: Any) -> None:
    known: dict[str, Any] = {"status": "accepted", "provider_id": f"their {reference}", "accepted_at": NOW}
    with writing(engine) as session:
        add_approved(session, reference, values.pop("channel", "call"), **{**known, **values})


def tick(
    engine: Engine, settings: Settings, outcome: str, reference: str = "A", at: datetime = NOW, by: str = "jon"
) -> PullReport:
    return record_call(engine, settings, reference, outcome, by, at)


def sheet(engine: Engine, settings: Settings, after: int = 0) -> dict[str, Call]:
    with reading(engine) as session:
        return {call.reference: call for call in list_calls(session, settings, NOW + days(after))}


def suppressed(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        return {row.channel: row.source for row in session.exec(select(Suppression))}


def test_the_sheet_says_whom_to_call_about_what_and_what_to_say(engine: Engine, settings: Settings) -> None:
    add(engine, "A")
    add(engine, "B", channel="text")
    call = sheet(engine, settings)["A"]
    assert (call.name, call.phone, call.about) == ("Ada A", "+18025550140", "how it feels")
    assert (call.script, call.is_open, call.shown_phone) == ("Good morning, A", True, "+1 802-555-0140")
    assert list(sheet(engine, settings)) == ["A"]
    assert [call.reference for call in calls_now(engine, settings, NOW)] == ["A"]


def test_the_sheet_says_by_both_clocks_when_each_may_be_called(engine: Engine, settings: Settings) -> None:
    for reference in ("A", "B", "C", "D"):
        add(engine, reference)
    places = {"B": ("America/Los_Angeles", "CA"), "C": ("Asia/Tokyo", None), "D": (None, None)}
    with writing(engine) as session:
        for reference, (zone, region) in places.items():
            customer = session.get_one(Customer, f"customer of {reference}")
            customer.timezone, customer.region, customer.country = zone, region, "JP" if reference == "C" else "US"
            customer.postal_code = None
    assert {reference: call.hours for reference, call in sheet(engine, settings).items()} == {
        "A": "09:00 until 21:00",
        "B": "11:00 until 00:00 (their 08:00 until 21:00)",
        "C": "19:00 until 08:00 (their 08:00 until 21:00)",
        # Nobody knows where they are: from nine in Honolulu until eight in New York.
        "D": "15:00 until 20:00",
    }
    closed = settings.model_copy(update={"hours": HoursSettings(closed_days=("tue",))})
    assert {call.hours for reference, call in sheet(engine, closed).items() if reference != "C"} == {"not today"}


def test_what_is_approved_is_shown_and_cannot_be_ticked_before_it_is_handed_over(
    engine: Engine, settings: Settings
) -> None:
    add(engine, "A", status="approved", provider_id=None, accepted_at=None)
    add(engine, "B", status="approved", provider_id=None, accepted_at=None, send_on=TODAY + days(1))
    calls = sheet(engine, settings)
    assert list(calls) == ["A"]
    assert not calls["A"].is_open
    with pytest.raises(NotWaiting, match="with the next delivery"):
        tick(engine, settings, "reached")


def test_nobody_is_called_who_has_died_or_asked_us_to_stop_since(engine: Engine, settings: Settings) -> None:
    add(engine, "A")
    with writing(engine) as session:
        session.get_one(Customer, "customer of A").died_on = TODAY
    call = sheet(engine, settings)["A"]
    assert (call.is_open, call.against) == (False, "they have died")


def test_reached_ends_the_call_and_keeps_it_on_todays_sheet_only(engine: Engine, settings: Settings) -> None:
    add(engine, "A")
    tick(engine, settings, "reached")
    assert statuses(engine) == {"A": "delivered"}
    assert [outcome for _, outcome in sheet(engine, settings)["A"].ticks] == ["reached"]
    assert sheet(engine, settings, after=1) == {}


def test_a_call_that_nobody_answers_stays_on_the_sheet_as_long_as_it_is_of_use(
    engine: Engine, settings: Settings
) -> None:
    add(engine, "A", useful_until=TODAY + days(1))
    tick(engine, settings, "no answer")
    tick(engine, settings, "no answer", at=NOW + timedelta(hours=3))
    call = sheet(engine, settings)["A"]
    assert call.is_open
    assert [at for at, _ in call.ticks] == [NOW, NOW + timedelta(hours=3)]
    assert statuses(engine) == {"A": "accepted"}
    assert sheet(engine, settings, after=1)["A"].is_open
    assert sheet(engine, settings, after=2) == {}


def test_a_wrong_number_is_used_no_more_for_calls_nor_for_texts(engine: Engine, settings: Settings) -> None:
    key = load_key(engine, settings)
    hashes = {channel: contact_hash(key, channel, "+18025550140") for channel in ("call", "text")}
    add(engine, "A", contact_hash=hashes["call"])
    waiting = {"status": "approved", "provider_id": None, "accepted_at": None}
    add(engine, "B", contact_hash=hashes["call"], **waiting)
    add(engine, "C", contact_hash=hashes["text"], channel="text", **waiting)
    report = tick(engine, settings, "wrong number")
    assert suppressed(engine) == {"call": "bounced", "text": "bounced"}
    assert report.withdrawn == 2
    assert statuses(engine) == {"A": "failed", "B": "suppressed", "C": "suppressed"}


def test_who_asks_to_be_called_no_more_was_reached_and_is_not_called_again(engine: Engine, settings: Settings) -> None:
    add(engine, "A")
    add(engine, "B", contact_hash="hash of A", status="approved", provider_id=None, accepted_at=None)
    tick(engine, settings, "asked to stop")
    assert suppressed(engine) == {"call": "unsubscribed"}
    assert statuses(engine) == {"A": "delivered", "B": "suppressed"}
    assert sheet(engine, settings)["A"].against == ""


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("no answer", "reached", "delivered"),
        ("reached", "no answer", "delivered"),
        ("reached", "wrong number", "failed"),
        ("wrong number", "reached", "failed"),
        ("reached", "reached", "delivered"),
    ],
)
def test_of_two_ticks_the_stronger_stands(
    engine: Engine, settings: Settings, first: str, second: str, status: str
) -> None:
    add(engine, "A")
    tick(engine, settings, first)
    tick(engine, settings, second, at=NOW + timedelta(minutes=1))
    assert statuses(engine) == {"A": status}


def test_ticks_are_audited_and_only_of_calls_by_approvers(engine: Engine, settings: Settings) -> None:
    add(engine, "A")
    add(engine, "L", channel="letter")
    hire(engine, "wendy", "writer")
    tick(engine, settings, "no answer")
    with pytest.raises(NotAllowed):
        tick(engine, settings, "reached", by="wendy")
    with pytest.raises(NotFound):
        tick(engine, settings, "reached", reference="L")
    with pytest.raises(ApprovalError, match="choose one of no answer, reached"):
        tick(engine, settings, "perhaps")
    with reading(engine) as session:
        acts = session.exec(select(AuditEntry.act, AuditEntry.subject).where(AuditEntry.actor == "jon")).all()
    assert acts == [("call: no answer", "A")]
