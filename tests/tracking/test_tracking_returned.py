"""Letters that come back: a reference as people type and scan it, and what follows from it."""

from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from approved import add_approved
from conftest import NOW, TODAY
from outreach.database import reading, writing
from outreach.delivery import outbox as outbox_rows
from outreach.errors import ApprovalError, NotAllowed, NotFound, NotWaiting
from outreach.models import Attempt, AuditEntry, Event, Message, Suppression
from outreach.settings import Settings
from outreach.stable_ids import read_reference, reference
from outreach.tracking.returned_mail import Returned, list_returned, record_returned
from waiting import hire, statuses

# One with every look-alike in it.
CODE = "K7Q0-2M1X-TB4D"


@pytest.fixture(autouse=True)
def _people(engine: Engine) -> None:
    hire(engine, "jon")


def add(engine: Engine, code: str = CODE, **values: Any) -> None:
    known: dict[str, Any] = {"status": "accepted", "provider_id": f"their {code}", "accepted_at": NOW}
    with writing(engine) as session:
        add_approved(session, code, values.pop("channel", "letter"), **{**known, **values})


def enter(engine: Engine, settings: Settings, typed: str = CODE, by: str = "jon") -> Returned:
    with writing(engine) as session:
        return record_returned(session, settings, typed, by, NOW)


@pytest.mark.parametrize(
    "typed",
    [
        "K7Q0-2M1X-TB4D",
        "k7q0-2m1x-tb4d",
        "K7Q02M1XTB4D",
        "k7qo 2mlx tb4d",
        "K7QO–2MIX–TB4D",
        "  K7Q0-2M1X-TB4D\r\n",
        "Ｋ７Ｑ０２Ｍ１ＸＴＢ４Ｄ",
    ],
)
def test_a_reference_is_read_however_it_is_typed_or_scanned(typed: str) -> None:
    assert read_reference(typed) == CODE


@pytest.mark.parametrize(
    "typed", ["", "K7Q0-2M1X-TB4", "K7Q0-2M1X-TB4DD", "K7Q0-2M1X-TB4U", "Ж7Q0-2M1X-TB4D", "🙂" * 12]
)
def test_what_can_be_no_reference_is_none(typed: str) -> None:
    assert read_reference(typed) is None


def test_every_reference_we_make_can_be_read_back() -> None:
    for number in range(200):
        made = reference(f"moment {number}", 1)
        assert read_reference(made.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == made


def test_a_letter_that_came_back_closes_its_address_and_is_on_record_once(engine: Engine, settings: Settings) -> None:
    add(engine)
    assert enter(engine, settings, "k7qo2mlxtb4d").is_new
    assert not enter(engine, settings).is_new
    assert statuses(engine) == {CODE: "returned"}
    with reading(engine) as session:
        assert session.get_one(Suppression, (f"hash of {CODE}", "letter")).source == "returned"
        assert [(event.provider, event.kind) for event in session.exec(select(Event))] == [("desk", "returned")]
        entered = [message.reference for _, message in list_returned(session, NOW)]
        acts = [entry.act for entry in session.exec(select(AuditEntry).where(AuditEntry.subject == CODE))]
    assert (entered, acts) == ([CODE], ["returned mail recorded"])


def test_what_is_open_to_the_same_address_is_pulled_back_and_nothing_else(engine: Engine, settings: Settings) -> None:
    add(engine)
    same = {"provider_id": None, "accepted_at": None, "contact_hash": f"hash of {CODE}"}
    add(engine, "A", status="approved", **same)
    add(engine, "B", status="composed", batch_id=None, **same)
    add(engine, "C", status="approved", provider_id=None, accepted_at=None)
    report = enter(engine, settings).pulled
    assert report.withdrawn == 2
    assert statuses(engine) == {CODE: "returned", "A": "suppressed", "B": "withdrawn", "C": "approved"}


@pytest.mark.parametrize("status", ["delivered", "cancelled", "failed"])
def test_a_letter_in_our_hand_counts_more_than_what_its_provider_said(
    engine: Engine, settings: Settings, status: str
) -> None:
    add(engine, status=status)
    enter(engine, settings)
    assert statuses(engine) == {CODE: "returned"}


@pytest.mark.parametrize("status", ["uncertain", "needs_person"])
def test_a_letter_in_our_hand_proves_that_it_left(engine: Engine, settings: Settings, status: str) -> None:
    add(engine, status=status, provider_id=None, accepted_at=None)
    with writing(engine) as session:
        attempt = outbox_rows.new_attempt(session.get_one(Message, CODE), 1, NOW, TODAY)
        attempt.outcome = "unknown"
        outbox_rows.add_attempts(session, [attempt])
    enter(engine, settings)
    assert statuses(engine) == {CODE: "returned"}
    with reading(engine) as session:
        attempt = session.exec(select(Attempt)).one()
        assert (attempt.outcome, attempt.evidence) == ("accepted", "it came back by post")


@pytest.mark.parametrize(
    ("typed", "values", "error", "words"),
    [
        ("hello", {}, NotFound, "no reference"),
        ("ZZZZ-ZZZZ-ZZZZ", {}, NotFound, "No message of ours"),
        (CODE, {"channel": "email"}, ApprovalError, "goes by email"),
        (CODE, {"status": "composed", "accepted_at": None}, NotWaiting, "never sent: it is composed"),
        (CODE, {"status": "approved", "accepted_at": None}, NotWaiting, "never sent"),
        (CODE, {"status": "failed", "accepted_at": None}, NotWaiting, "never sent"),
    ],
)
def test_what_cannot_have_come_back_is_said_so_and_nothing_is_written(
    engine: Engine, settings: Settings, typed: str, values: dict[str, Any], error: type[Exception], words: str
) -> None:
    add(engine, **values)
    with pytest.raises(error, match=words):
        enter(engine, settings, typed)
    with reading(engine) as session:
        assert session.exec(select(Suppression)).all() == []
        assert session.exec(select(Event)).all() == []


def test_only_approvers_enter_returned_mail(engine: Engine, settings: Settings) -> None:
    add(engine)
    hire(engine, "wendy", "writer")
    with pytest.raises(NotAllowed):
        enter(engine, settings, by="wendy")
    assert statuses(engine) == {CODE: "accepted"}
