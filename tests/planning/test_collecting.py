"""Late payments: what the strict mode never does, what the first creditor may, and words that press nobody."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from approved import add_approved
from checkout import PROJECT
from conftest import NOW, TODAY
from outreach.approval.template_versions import save_template
from outreach.clock import stopped_clock
from outreach.composing.templating.harsh_words import require_kind_words
from outreach.composing.templating.templates import check_source, read_sources
from outreach.database import reading, writing
from outreach.delivery.sender import deliver_due
from outreach.errors import TemplateRefused
from outreach.models import Message
from outreach.planning.debt_collection import AT_WORK, NO_WAY_OUT, objection_to_work
from outreach.settings import Settings
from outreach.settings.limits import CollectingSettings
from outreach.tracking.calls import list_calls, record_call
from waiting import hire

MAIL = b"From: us@x.example\r\nList-Unsubscribe: <https://x.example/u>\r\n\r\nGood morning."


def collecting(settings: Settings, **values: Any) -> Settings:
    return settings.model_copy(update={"collecting": CollectingSettings(**values)})


def add_late(engine: Engine, reference: str, channel: str, **values: Any) -> None:
    with writing(engine) as session:
        add_approved(session, reference, channel, kind="late_payment", **values)


def ending_of(engine: Engine, reference: str) -> tuple[str, str | None]:
    with reading(engine) as session:
        message = session.get_one(Message, reference)
        return message.status, message.status_reason


def test_a_collector_writes_to_no_employer_and_sends_nothing_that_cannot_be_stopped(
    engine: Engine, settings: Settings
) -> None:
    strict = collecting(settings, work_domains=("Works.example",))
    at_work = {"name": "Ada", "email": "ada@mail.works.example"}
    add_late(engine, "A", "email", to=at_work, content=MAIL)
    add_late(engine, "B", "email", content=MAIL + b" ")
    add_late(engine, "C", "email", content=b"From: us@x.example\r\n\r\nNo way out: List-Unsubscribe")
    add_late(engine, "D", "text", content=b"Please call. Reply STOP to stop")
    add_late(engine, "E", "text", content=b"Please call.")
    add_late(engine, "F", "letter")
    deliver_due(engine, strict, stopped_clock(NOW), "sender")
    assert ending_of(engine, "A") == ("withdrawn", AT_WORK)
    assert [ending_of(engine, reference)[0] for reference in "BDF"] == ["accepted"] * 3
    assert [ending_of(engine, reference) for reference in "CE"] == [("blocked", NO_WAY_OUT)] * 2


def test_the_first_creditor_may_write_to_an_address_at_work(engine: Engine, settings: Settings) -> None:
    own = collecting(settings, mode="creditor", work_domains=("works.example",))
    add_late(engine, "A", "email", to={"name": "Ada", "email": "ada@works.example"}, content=MAIL)
    deliver_due(engine, own, stopped_clock(NOW), "sender")
    assert ending_of(engine, "A")[0] == "accepted"


def test_only_late_payments_by_email_are_kept_from_an_employer(settings: Settings) -> None:
    strict = collecting(settings, work_domains=("works.example",))
    assert objection_to_work(strict, "late_payment", "email", "ada@works.example") == AT_WORK
    assert objection_to_work(strict, "late_payment", "email", "ada@homeworks.example") is None
    assert objection_to_work(strict, "checkin", "email", "ada@works.example") is None
    assert objection_to_work(settings, "late_payment", "email", "ada@works.example") is None


@pytest.mark.parametrize(("mode", "is_open"), [("collector", False), ("creditor", True)])
def test_a_collector_calls_nobody_more_often_in_seven_days_than_the_law_allows(
    engine: Engine, settings: Settings, mode: str, is_open: bool
) -> None:
    hire(engine, "jon")
    # Payments count as read for as long as the calls go on.
    patient = {"moments": settings.moments | {"late_payment": {"fresh_hours": 24 * 9}}}
    told = collecting(settings.model_copy(update=patient), mode=mode, calls_a_week=2)
    add_late(
        engine, "A", "call", status="accepted", provider_id="their A", accepted_at=NOW,
        useful_until=TODAY + timedelta(days=20),
    )  # fmt: skip
    for day in (0, 1):
        with reading(engine) as session:
            assert [call.is_open for call in list_calls(session, told, NOW + timedelta(days=day))] == [True]
        record_call(engine, told, "A", "no answer", "jon", NOW + timedelta(days=day))
    with reading(engine) as session:
        open_on = [list_calls(session, told, NOW + timedelta(days=day))[0].is_open for day in (1, 6, 7)]
    assert open_on == [is_open, is_open, True]


def test_a_call_in_the_evening_counts_on_the_day_that_it_is_at_the_business(
    sqlite_engine: Engine, settings: Settings
) -> None:
    hire(sqlite_engine, "jon")
    patient = {"moments": settings.moments | {"late_payment": {"fresh_hours": 24 * 9}}}
    told = collecting(settings.model_copy(update=patient), mode="collector", calls_a_week=1)
    add_late(
        sqlite_engine, "A", "call", status="accepted", provider_id="their A", accepted_at=NOW,
        useful_until=TODAY + timedelta(days=20),
    )  # fmt: skip
    evening = datetime.combine(TODAY, time(20, 30), ZoneInfo(told.business.timezone)).astimezone(UTC)
    assert evening.date() == TODAY + timedelta(days=1)
    record_call(sqlite_engine, told, "A", "no answer", "jon", evening)
    with reading(sqlite_engine) as session:
        open_on = [list_calls(session, told, NOW + timedelta(days=day))[0].is_open for day in (6, 7)]
    assert open_on == [False, True]


@pytest.mark.parametrize(
    ("words", "line", "what"),
    [
        ("Dear Ada,\nwe shall take legal action.", 2, "legal action"),
        ("Dear Ada,\n\nplease pay by\nFriday.", 3, "by F"),
        ("<p>This is your <b>final</b>\n notice</p>", 1, "final notice"),
        ("Pay within&nbsp;10 days", 1, "within 10"),
        ("Pay before {{ due_on|monthday }}", 1, "before {{"),
        ("A late fee is added", 1, "late fee"),
        ("Wir geben es sonst ans Inkasso.", 1, "Inkasso"),
        ("Veuillez payer au plus tard lundi", 1, "au plus tard"),
        ("Pague antes del lunes", 1, "antes del"),
    ],
)
def test_words_that_press_somebody_who_is_late_are_refused_with_their_line(words: str, line: int, what: str) -> None:
    with pytest.raises(TemplateRefused, match="nobody who is late is pressed") as refused:
        require_kind_words("emails/late_payment.en.txt", words, "late_payment", "email")
    assert refused.value.line == line
    assert f"“{what}" in refused.value.reason
    require_kind_words("emails/checkin.en.txt", words, "checkin", "email")


def test_our_own_words_about_late_payments_press_nobody_and_staff_may_be_told_what_not_to_say() -> None:
    ours = {name: source for name, source in read_sources(PROJECT / "templates").items() if "late_payment" in name}
    assert len(ours) >= 5
    for name, source in ours.items():
        check_source(name, source)
    require_kind_words("calls/late_payment.en.txt", "Hello\n---\nname no deadline", "late_payment", "call")
    with pytest.raises(TemplateRefused):
        require_kind_words("calls/late_payment.en.txt", "Hello, a deadline\n---\n", "late_payment", "call")


def test_a_threat_cannot_be_saved_at_the_desk(engine: Engine, settings: Settings) -> None:
    hire(engine, "jon")
    source = "{{ business }}: pay, or we cut off your service. Reply STOP to stop"
    with pytest.raises(TemplateRefused, match="line 1: “cut off” is a consequence"):
        save_template(engine, settings, "texts/late_payment.en.txt", source, "jon", NOW)
