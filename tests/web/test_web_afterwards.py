"""What comes after sending, on the desk: following, open cases, returned mail, calls and the do-not-contact list."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from approved import add_approved, days
from conftest import NOW, TODAY
from outreach.contacts import contact_hash, load_key
from outreach.database import reading, writing
from outreach.delivery import outbox as outbox_rows
from outreach.delivery.providers import Report
from outreach.models import Customer, Incident, Suppression
from outreach.settings import Settings
from outreach.tracking.do_not_contact import REASONS_TO_LIFT
from outreach.tracking.events import record_event
from outreach.tracking.replies import record_reply
from serving import Browser, serving
from waiting import statuses

LETTER, CALL, LOST = "K7QF-2M9X-TB4D", "CA11-0000-0001", "M1SS-1NG0-0001"
PHONE = "+18025550140"


@pytest.fixture
def client(sqlite_engine: Engine, settings: Settings) -> Iterator[httpx.Client]:
    """A letter and a call that left, a letter of which nobody knows, and somebody who wrote back."""
    key = load_key(sqlite_engine, settings)
    sent: dict[str, Any] = {"status": "accepted", "accepted_at": NOW}
    with writing(sqlite_engine) as session:
        session.add(Customer(customer_id="C1", given_name="Ada", family_name="Quill", phone=PHONE))
        session.flush()
        add_approved(session, LETTER, customer_id="C1", provider_id="1", **sent)
        add_approved(
            session,
            CALL,
            "call",
            customer_id="C1",
            occasion=str(TODAY - days(1)),
            provider_id="2",
            batch_id="B2",
            **sent,
        )
        lost = add_approved(session, LOST, customer_id="C1", occasion=str(TODAY - days(2)), status="needs_person")
        attempt = outbox_rows.new_attempt(lost, 1, NOW, TODAY)
        attempt.outcome = "unknown"
        outbox_rows.add_attempts(session, [attempt])
        text = contact_hash(key, "text", PHONE)
        add_approved(
            session, "TEXT", "text", customer_id="C1", occasion=str(TODAY - days(3)), provider_id="3", batch_id="B3",
            contact_hash=text, **sent,
        )  # fmt: skip
        said = Report("sid", "replied", NOW, contact=PHONE, words="leave me alone <i>please</i>", raw=b"raw")
        record_reply(session, settings, key, "twilio", said, NOW)
        record_event(session, "outbox", "e1", "in_transit", NOW, NOW, LETTER)
    with serving(sqlite_engine, settings) as client:
        yield client


@pytest.fixture
def nora(client: httpx.Client, sqlite_engine: Engine) -> Browser:
    return Browser(client, sqlite_engine, "nora", "approver")


@pytest.fixture
def vic(client: httpx.Client, sqlite_engine: Engine) -> Browser:
    return Browser(client, sqlite_engine, "vic", "viewer")


@pytest.fixture
def ada(client: httpx.Client, sqlite_engine: Engine) -> Browser:
    return Browser(client, sqlite_engine, "ada", "admin")


PAGES = ["/follow", "/follow/B1", "/open", "/returned", "/calls", "/do-not-contact", "/do-not-contact?held=1"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_for_a_viewer_without_a_button_that_acts(vic: Browser, path: str) -> None:
    page = vic.get(path)
    assert page.status_code == 200
    assert len(re.findall("<h1", page.text)) == 1
    acts = set(re.findall(r'<form[^>]* method="post" action="([^"]+)"|<form method="post" action="([^"]+)"', page.text))
    assert {found for pair in acts for found in pair if found} <= {"/signout", "/do-not-contact/find"}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (f"/open/{LOST}", {"status": "failed", "reason": "asked"}),
        ("/incidents", {"incident_id": 1, "note": "seen"}),
        ("/returned", {"typed": LETTER}),
        (f"/calls/{CALL}", {"outcome": "reached"}),
        ("/do-not-contact/add", {"typed": "a@b.example"}),
        ("/do-not-contact/lift", {"contact_hash": "h", "channel": "text", "reason": REASONS_TO_LIFT[0]}),
        ("/do-not-contact/decide", {"contact_hash": "h", "channel": "text", "keep": "true"}),
    ],
)
def test_a_viewer_can_act_on_nothing(vic: Browser, sqlite_engine: Engine, path: str, fields: dict[str, Any]) -> None:
    before = statuses(sqlite_engine)
    assert vic.post(path, **fields).status_code == 403
    assert statuses(sqlite_engine) == before


# --- following ---


def test_a_batch_is_followed_from_the_list_to_its_messages(vic: Browser) -> None:
    assert "1 in transit" in vic.get("/follow").text
    page = vic.get("/follow/B1").text
    assert LETTER in page
    assert LOST in page
    only = vic.get("/follow/B1?at=in_transit").text
    assert LETTER in only
    assert LOST not in only
    assert vic.get("/follow/nothing").status_code == 404


# --- open cases ---


def test_an_open_case_shows_what_is_known_and_is_closed_with_a_reason(nora: Browser, sqlite_engine: Engine) -> None:
    page = nora.get("/open").text
    assert f"Handed to outbox as {LOST}.1" in page
    assert nora.post(f"/open/{LOST}", status="failed", reason=" ").status_code == 400
    assert "is closed as failed" in nora.press(f"/open/{LOST}", status="failed", reason="asked the vendor").text
    assert statuses(sqlite_engine)[LOST] == "failed"
    assert nora.post(f"/open/{LOST}", status="failed", reason="again").status_code == 409


def test_what_somebody_wrote_back_is_shown_and_decided_on(nora: Browser, sqlite_engine: Engine) -> None:
    page = nora.get("/open").text
    assert "leave me alone &lt;i&gt;please&lt;/i&gt;" in page
    hashed = page.partition('name="contact_hash" value="')[2].partition('"')[0]
    assert (
        "They get no more."
        in nora.press("/do-not-contact/decide", contact_hash=hashed, channel="text", keep="true").text
    )
    with reading(sqlite_engine) as session:
        assert session.get_one(Suppression, (hashed, "text")).source == "unsubscribed"
        number = session.exec(select(Incident.incident_id)).one()
    assert "with your note" in nora.press("/incidents", incident_id=number, note="called them").text
    assert "leave me alone" not in nora.get("/open").text
    assert nora.post("/incidents", incident_id=number, note="again").status_code == 409
    assert nora.post("/incidents", incident_id=2**31 - 1, note="none").status_code == 404


# --- returned mail ---


def test_a_pile_of_returned_letters_is_entered_one_after_the_other(nora: Browser, sqlite_engine: Engine) -> None:
    assert "autofocus" in nora.get("/returned").text
    page = nora.press("/returned", typed="k7qf 2m9x tb4d").text
    assert f"{LETTER} came back" in page
    assert "autofocus" in page
    assert page.count(f">{LETTER}</a>") == 1
    assert "had been entered already" in nora.press("/returned", typed=LETTER).text
    assert statuses(sqlite_engine)[LETTER] == "returned"


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [("hello", 404, "is no reference"), ("ZZZZ-ZZZZ-ZZZZ", 404, "No message of ours"), (CALL, 400, "goes by call")],
)
def test_what_cannot_have_come_back_is_said_above_the_field_which_keeps_it(
    nora: Browser, typed: str, status: int, said: str
) -> None:
    answer = nora.post("/returned", typed=typed)
    assert answer.status_code == status
    assert said in answer.text
    assert f'value="{typed}"' in answer.text
    assert "autofocus" in answer.text


# --- calls ---


def test_a_call_shows_what_to_say_and_is_ticked_with_one_tap(nora: Browser, sqlite_engine: Engine) -> None:
    page = nora.get("/calls").text
    assert "1 call to make" in page
    assert f"Good morning, {CALL}" in page
    assert f'href="tel:{PHONE}"' in page
    later = nora.press(f"/calls/{CALL}", outcome="no answer").text
    assert "1 call to make" in later
    assert "no answer, " in later
    done = nora.press(f"/calls/{CALL}", outcome="reached").text
    assert "No calls to make" in done
    assert statuses(sqlite_engine)[CALL] == "delivered"
    assert nora.post("/calls/NONE", outcome="reached").status_code == 404
    assert nora.post(f"/calls/{CALL}", outcome="perhaps").status_code == 400


def test_somebody_who_must_not_be_called_any_more_has_no_number_on_the_page(
    nora: Browser, sqlite_engine: Engine
) -> None:
    with writing(sqlite_engine) as session:
        session.get_one(Customer, "C1").died_on = TODAY
    page = nora.get("/calls").text
    assert "Do not call: they have died" in page
    assert "tel:" not in page


# --- the do-not-contact list ---


def test_a_contact_is_added_found_and_lifted_without_ever_being_shown(
    nora: Browser, ada: Browser, sqlite_engine: Engine
) -> None:
    typed = "Someone@Example.org"
    assert "It is on the list." in nora.press("/do-not-contact/add", typed=typed).text
    found = nora.post("/do-not-contact/find", typed=typed.lower())
    assert "put on the list by staff" in found.text
    assert "someone@example.org" not in found.text.lower()
    hashed = contact_hash_of(sqlite_engine, "email")
    lift = {"contact_hash": hashed, "channel": "email", "reason": REASONS_TO_LIFT[0]}
    assert nora.post("/do-not-contact/lift", **lift).status_code == 403
    assert hashed in ada.get("/do-not-contact").text
    assert "is lifted" in ada.press("/do-not-contact/lift", **lift).text
    assert "It is not on the list." in nora.post("/do-not-contact/find", typed=typed).text
    assert nora.post("/do-not-contact/find", typed="hello").status_code == 400


def contact_hash_of(engine: Engine, channel: str) -> str:
    with reading(engine) as session:
        return session.exec(select(Suppression.contact_hash).where(Suppression.channel == channel)).one()


def test_whose_a_contact_is_can_be_looked_up_among_everybody(nora: Browser, sqlite_engine: Engine) -> None:
    nora.press("/do-not-contact/add", typed=PHONE)
    hashed = contact_hash_of(sqlite_engine, "call")
    page = nora.get(f"/do-not-contact?whose={hashed}&channel=call").text
    assert page.count("Ada Quill") == 2


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999"])
def test_a_page_that_cannot_be_is_refused_and_one_too_far_is_empty(nora: Browser, page: str) -> None:
    for path in ("/follow", "/follow/B1", "/open", "/do-not-contact", "/people"):
        assert nora.get(f"{path}?page={page}").status_code == 422
        assert nora.get(f"{path}?page=9999").status_code == 200


@pytest.mark.parametrize("path", ["/people?q=%00", "/people/%00", "/follow/%00", "/do-not-contact?whose=%00&channel=x"])
def test_a_character_that_no_database_holds_is_no_failure_of_ours(
    engine: Engine, settings: Settings, path: str
) -> None:
    with serving(engine, settings) as client:
        browser = Browser(client, engine, "ada", "admin")
        assert browser.get(path).status_code < 500
        assert browser.post("/news", customer_id="\x00", what="died").status_code < 500
