"""The pages: what they show, what they never show, and that only a press of the button changes anything."""

import re
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import select

from outreach.composing.unsubscribe_links import unsubscribe_token
from outreach.contacts import contact_hash, load_key
from outreach.database import open_database, reading, writing
from outreach.models import Batch, Customer, Event, Message, Moment, Pause, Suppression
from outreach.settings import Settings
from outreach.web.desk import PAGES
from sealed_batches import alone
from serving import NOW, Browser, serving

REFERENCE = "K7QF-2M9X-TB4D"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def client(sqlite_engine: Engine, settings: Settings) -> Iterator[httpx.Client]:
    with serving(sqlite_engine, settings) as client:
        yield client


@pytest.fixture
def viewer(client: httpx.Client, sqlite_engine: Engine) -> Browser:
    return Browser(client, sqlite_engine, "vic", "viewer")


@pytest.fixture
def token(sqlite_engine: Engine, settings: Settings) -> str:
    """The token of an e-mail that was sent to Ada Quill, on a database that waits for one batch."""
    key = load_key(sqlite_engine, settings)
    hashed = contact_hash(key, "email", "ada.quill@post.example")
    with writing(sqlite_engine) as session:
        session.add(Customer(customer_id="C1", given_name="Ada", family_name="Quill", email="ada.quill@post.example"))
        session.add(
            Moment(
                moment_id="M1",
                kind="anniversary",
                customer_id="C1",
                occasion="1",
                occasion_on=NOW.date(),
                found_on=NOW.date(),
            )
        )
        session.flush()
        session.add(sent_email(hashed))
        session.add(waiting_batch())
    return unsubscribe_token(key, REFERENCE)


def sent_email(hashed: str) -> Message:
    day = date(2026, 3, 9)
    return Message(
        reference=REFERENCE, moment_id="M1", kind="anniversary", customer_id="C1", recipient_id="C1", channel="email",
        purpose="marketing", status="accepted", run_on=day, send_on=day, useful_until=day, contact_hash=hashed,
        recipient='{"email":"ada.quill@post.example","name":"Ada Quill"}', provider="outbox", provider_id="1",
        accepted_at=NOW,
    )  # fmt: skip


def waiting_batch() -> Batch:
    return Batch(
        batch_id="2026-03-10-late_payment-letter", kind="late_payment", channel="letter", run_on=NOW.date(),
        author="planning", count=3, cost=315, currency="USD", seal="s", fingerprint="f",
        why_waiting="late_payment is for a person", opened_at=NOW,
    )  # fmt: skip


def suppressions(engine: Engine) -> list[Suppression]:
    with reading(engine) as session:
        return list(session.exec(select(Suppression)).all())


def test_nobody_sees_the_desk_who_is_not_signed_in(client: httpx.Client, token: str) -> None:
    for path in ("/", "/status", "/batches/2026-03-10-late_payment-letter", f"/messages/{REFERENCE}"):
        answer = client.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/signin?next=%2F")


def test_today_shows_each_batch_that_waits_and_why(viewer: Browser, token: str) -> None:
    page = viewer.get("/").text
    assert "1 batch waits for you" in page
    assert "/batches/2026-03-10-late_payment-letter" in page
    assert "late_payment is for a person" in page


def test_whoever_had_a_hand_in_a_batch_sees_no_button_that_would_be_refused_and_reads_who_may(
    client: httpx.Client, sqlite_engine: Engine
) -> None:
    batch = waiting_batch()
    batch.author, path = "maria", f"/batches/{batch.batch_id}"
    with writing(sqlite_engine) as session:
        session.add(batch)
    maria, approve_them = Browser(client, sqlite_engine, "maria", "approver"), "Approve 3 letters"
    by_herself = maria.get(path).text
    assert approve_them not in by_herself
    assert "nobody else here may" in by_herself
    jon = Browser(client, sqlite_engine, "jon", "approver")
    Browser(client, sqlite_engine, "vic", "viewer")
    assert re.search(r"somebody else approves it: <span[^>]*>Jon Whitcomb</span>", told := maria.get(path).text)
    assert approve_them not in told
    assert "Reject them all" in told
    assert approve_them in jon.get(path).text


def test_where_a_business_has_one_person_their_own_batch_has_its_button(
    sqlite_engine: Engine, settings: Settings
) -> None:
    batch = waiting_batch()
    batch.author = "maria"
    with writing(sqlite_engine) as session:
        session.add(batch)
    with serving(sqlite_engine, alone(settings)) as client:
        page = Browser(client, sqlite_engine, "maria", "approver").get("/batches/2026-03-10-late_payment-letter").text
    assert "Approve 3 letters" in page
    assert "somebody else approves it" not in page


def test_the_status_page_counts_by_moment_channel_and_status(viewer: Browser, token: str) -> None:
    page = viewer.get("/status")
    assert page.status_code == 200
    assert re.search(r"<td>anniversary</td><td>email</td><td>accepted</td><td class=\"number\">1</td>", page.text)
    assert "Rehearsal" in page.text


def test_the_status_page_names_no_customer(viewer: Browser, token: str) -> None:
    assert not re.search(r"Ada|Quill|post\.example|C1\b|K7QF", viewer.get("/status").text)


def test_the_status_page_of_an_empty_database_says_what_to_do(viewer: Browser) -> None:
    assert "outreach prepare" in viewer.get("/status").text


def test_a_pause_shows_today_and_on_the_status_page(viewer: Browser, sqlite_engine: Engine) -> None:
    with writing(sqlite_engine) as session:
        session.add(Pause(scope="moment", name="checkin", at=NOW))
    assert "moment checkin" in viewer.get("/status").text
    assert "Moment check-in is paused" in viewer.get("/").text


def test_the_time_shown_is_the_businesss(viewer: Browser) -> None:
    assert '<time datetime="2026-03-10T11:00:00-04:00">11:00</time>' in viewer.get("/status").text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_the_unsubscribe_page_changes_nothing(
    client: httpx.Client, sqlite_engine: Engine, token: str, method: str
) -> None:
    answer = client.request(method, f"/unsubscribe/{token}")
    assert answer.status_code == 200
    assert suppressions(sqlite_engine) == []
    with reading(sqlite_engine) as session:
        assert session.exec(select(Event)).all() == []


def test_the_unsubscribe_page_has_one_button_and_names_nobody(client: httpx.Client, token: str) -> None:
    page = client.get(f"/unsubscribe/{token}").text
    assert page.count("<button") == 1
    assert 'method="post"' in page
    assert not re.search(r"Ada|Quill|post\.example", page)


def test_a_get_does_not_tell_a_good_token_from_a_bad_one(client: httpx.Client, token: str) -> None:
    assert client.get(f"/unsubscribe/{token}").text == client.get("/unsubscribe/made-up").text


def test_one_click_from_a_mail_program_stops_the_mails_without_a_login(
    client: httpx.Client, sqlite_engine: Engine, token: str
) -> None:
    answer = client.post(f"/unsubscribe/{token}", data=ONE_CLICK)
    assert answer.status_code == 200
    [suppressed] = suppressions(sqlite_engine)
    assert suppressed.channel == "email"


def test_one_click_may_come_as_a_multipart_form(client: httpx.Client, sqlite_engine: Engine, token: str) -> None:
    client.post(f"/unsubscribe/{token}", files={name: (None, value) for name, value in ONE_CLICK.items()})
    assert len(suppressions(sqlite_engine)) == 1


def test_a_second_press_says_the_same_and_changes_nothing(
    client: httpx.Client, sqlite_engine: Engine, token: str
) -> None:
    first = client.post(f"/unsubscribe/{token}", data=ONE_CLICK)
    second = client.post(f"/unsubscribe/{token}", data=ONE_CLICK)
    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert len(suppressions(sqlite_engine)) == 1


@pytest.mark.parametrize("wrong", ["made-up", f"{REFERENCE}.{'0' * 32}", "%00", "..%2F..%2Fetc", "é", "x" * 4000])
def test_a_token_we_did_not_make_stops_nothing_and_gets_a_plain_page(
    client: httpx.Client, sqlite_engine: Engine, token: str, wrong: str
) -> None:
    answer = client.post(f"/unsubscribe/{wrong}", data=ONE_CLICK)
    assert answer.status_code == 404
    assert "not complete" in answer.text
    assert suppressions(sqlite_engine) == []


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/assets/style.css", "/unsubscribe/x", "/nothing", "/signin", "/openapi.json"]
)
def test_every_answer_carries_the_strict_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == ("no-referrer" if path == "/unsubscribe/x" else "same-origin")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_the_program_does_not_describe_itself_to_strangers(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_failure_shows_a_calm_page_without_details(viewer: Browser, sqlite_engine: Engine) -> None:
    with sqlite_engine.begin() as connection:
        connection.execute(text("DROP TABLE pauses"))
    answer = viewer.get("/")
    assert answer.status_code == 500
    assert "pauses" not in answer.text
    assert "our fault" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_health_says_whether_the_database_answers(client: httpx.Client, settings: Settings, tmp_path: Path) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "refused_webhooks": {}, "version": version("outreach")}
    gone = open_database(f"sqlite:///{tmp_path / 'no-such-folder' / 'outreach.db'}")
    with serving(gone, settings) as other:
        answer = other.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "the database does not answer")


@pytest.mark.parametrize("shape", ["0002", "9999"], ids=["an older one", "one of a later version"])
def test_health_fails_on_a_database_of_another_shape(engine: Engine, settings: Settings, shape: str) -> None:
    with serving(engine, settings) as client:
        assert client.get("/healthz").status_code == 200
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :shape"), {"shape": shape})
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert "outreach init" in answer.json()["status"]


def test_health_asks_little_of_the_database_and_writes_nothing(client: httpx.Client, sqlite_engine: Engine) -> None:
    client.get("/healthz")
    statements: list[str] = []
    event.listen(sqlite_engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    client.get("/healthz")
    asked = [statement for statement in statements if not statement.startswith(("PRAGMA", "BEGIN"))]
    assert asked
    assert all("alembic_version" in statement for statement in asked)


def test_the_public_page_needs_no_script_and_no_page_needs_anything_from_elsewhere(
    client: httpx.Client, viewer: Browser, token: str
) -> None:
    public = client.get(f"/unsubscribe/{token}").text
    assert "<script" not in public
    for page in (public, viewer.get("/").text, client.get("/signin").text):
        assert not re.search(r"(src|href)=\"(https?:)?//", page)
        assert not re.search(r"style=\"|<style|<script>| on[a-z]+=", page)


def test_the_style_reads_from_either_side_and_knows_the_dark(client: httpx.Client) -> None:
    sheets = [client.get(f"/assets/{path.name}").text for path in PAGES.glob("*.css")]
    assert len(sheets) > 1
    assert any("prefers-color-scheme: dark" in style for style in sheets)
    for style in sheets:
        assert not re.search(r"(margin|padding|border)-(left|right)|text-align: (left|right)|[^-](left|right):", style)
