"""The way in for webhooks: what is genuine is kept and acted on, and anything else leaves nothing but a count."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlmodel import select

from approved import add_approved
from conftest import NOW, TODAY
from outreach.clock import stopped_clock
from outreach.composing.unsubscribe_links import unsubscribe_token
from outreach.contacts import contact_hash, load_key
from outreach.database import reading, writing
from outreach.delivery import outbox as outbox_rows
from outreach.delivery.providers import WebhookRequest, open_providers
from outreach.learning.alarms import find_alarms
from outreach.learning.counts import count_messages
from outreach.models import (
    Attempt,
    AuditEntry,
    Event,
    Incident,
    Message,
    RefusedWebhook,
    Suppression,
    Webhook,
)
from outreach.settings import Providers, Settings
from outreach.tracking.webhooks import apply_pending_webhooks
from outreach.web.webhooks import MAX_BODY
from serving import serving
from vendor_twilio import CASE, CUSTOMER, REFERENCE, SID, inbound_body, sign, status_body

CLOCK = stopped_clock(NOW)
TABLES = (Webhook, Event, Suppression, Incident, AuditEntry)


@pytest.fixture
def with_twilio(settings: Settings) -> Settings:
    """The practice with Twilio's secrets set, in rehearsal: nothing is sent, and webhooks are heard."""
    twilio = settings.providers.model_dump(exclude={"twilio"}) | {"twilio": CASE.settings}
    business = settings.business.model_copy(update={"public_url": "https://outreach.invalid"})
    return settings.model_copy(update={"providers": Providers.model_validate(twilio), "business": business})


@pytest.fixture
def client(sqlite_engine: Engine, with_twilio: Settings) -> Iterator[httpx.Client]:
    with serving(sqlite_engine, with_twilio) as client:
        yield client


@pytest.fixture
def sent_text(sqlite_engine: Engine, with_twilio: Settings) -> str:
    """A text that left without an answer; returns the hash of the number it went to."""
    hashed = contact_hash(load_key(sqlite_engine, with_twilio), "text", CUSTOMER)
    with writing(sqlite_engine) as session:
        message = add_approved(
            session, REFERENCE, "text", status="uncertain", provider="twilio", contact_hash=hashed, lease_until=NOW
        )
        attempt = outbox_rows.new_attempt(message, 1, NOW, TODAY)
        attempt.outcome = "unknown"
        outbox_rows.add_attempts(session, [attempt])
    return hashed


def post(client: httpx.Client, request: WebhookRequest) -> httpx.Response:
    """Calls as Twilio would, through a proxy that puts its own host in place of the public one."""
    parts = urlsplit(request.url)
    return client.post(f"{parts.path}?{parts.query}", content=request.body, headers=dict(request.headers))


def rows_of(engine: Engine) -> dict[str, int]:
    with reading(engine) as session:
        return {table.__tablename__: len(session.exec(select(table)).all()) for table in TABLES}


def status_of(engine: Engine) -> str:
    with reading(engine) as session:
        return session.get_one(Message, REFERENCE).status


def test_row_27_a_callback_before_our_own_answer_proves_that_the_text_was_taken(
    client: httpx.Client, sqlite_engine: Engine, sent_text: str
) -> None:
    answer = post(client, sign(status_body("sent"), NOW))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert "<Response" in answer.text
    assert "<Message>" not in answer.text
    with reading(sqlite_engine) as session:
        message, attempt = session.get_one(Message, REFERENCE), session.exec(select(Attempt)).one()
        webhook = session.exec(select(Webhook)).one()
    assert (message.status, message.provider_id, attempt.outcome) == ("accepted", SID, "accepted")
    assert (webhook.body, webhook.received_at, webhook.applied_at) == (status_body("sent"), NOW, NOW)


def test_row_27_callbacks_in_any_order_and_five_times_end_in_one_state(
    client: httpx.Client, sqlite_engine: Engine, sent_text: str
) -> None:
    for status in ("delivered", "queued", "sent", "delivered", "delivered"):
        assert post(client, sign(status_body(status), NOW)).status_code == 200
    assert status_of(sqlite_engine) == "delivered"
    rows = rows_of(sqlite_engine)
    assert (rows["events"], rows["incidents"]) == (3, 0)


def test_row_28_what_is_forged_changed_or_without_a_signature_is_refused_and_writes_nothing(
    client: httpx.Client, sqlite_engine: Engine, sent_text: str, caplog: pytest.LogCaptureFixture
) -> None:
    genuine = sign(inbound_body("STOP"), NOW, query="")
    wrong = [
        replace(genuine, body=genuine.body + b"x"),
        replace(genuine, headers={**genuine.headers, "x-twilio-signature": "forged"}),
        replace(genuine, headers={}),
        replace(genuine, url=f"{genuine.url}?reference={REFERENCE}"),
        replace(genuine, body=b""),
    ]
    with caplog.at_level(logging.WARNING, "outreach.web"):
        assert [post(client, request).status_code for request in wrong] == [401] * 5
    assert set(rows_of(sqlite_engine).values()) == {0}
    assert client.get("/healthz").json()["refused_webhooks"] == {"twilio": 5}
    assert len(caplog.records) == 5
    assert CUSTOMER[1:] not in caplog.text
    assert REFERENCE not in caplog.text


def test_row_28_a_vendor_whose_secrets_are_not_set_is_not_believed(client: httpx.Client, sqlite_engine: Engine) -> None:
    assert client.post("/webhooks/sendgrid", json=[]).status_code == 401
    assert client.get("/healthz").json()["refused_webhooks"] == {"sendgrid": 1}
    assert set(rows_of(sqlite_engine).values()) == {0}


@pytest.mark.parametrize("name", ["outbox", "printroom", "nobody", "..%2Fhealthz", "twilio%00"])
def test_nobody_else_has_a_way_in(client: httpx.Client, name: str) -> None:
    assert client.post(f"/webhooks/{name}", content=b"x").status_code == 404
    assert client.get("/healthz").json()["refused_webhooks"] == {}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_row_30_only_a_post_does_anything(
    client: httpx.Client, sqlite_engine: Engine, sent_text: str, method: str
) -> None:
    request = sign(status_body("delivered"), NOW)
    parts = urlsplit(request.url)
    answer = client.request(method, f"{parts.path}?{parts.query}", content=request.body, headers=dict(request.headers))
    assert answer.status_code == 405
    assert set(rows_of(sqlite_engine).values()) == {0}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_row_30_a_mail_scanner_that_opens_the_unsubscribe_link_unsubscribes_nobody(
    client: httpx.Client, sqlite_engine: Engine, with_twilio: Settings, sent_text: str, method: str
) -> None:
    token = unsubscribe_token(load_key(sqlite_engine, with_twilio), REFERENCE)
    for _ in range(3):
        assert client.request(method, f"/unsubscribe/{token}").status_code == 200
    assert set(rows_of(sqlite_engine).values()) == {0}
    assert client.post(f"/unsubscribe/{token}").status_code == 200
    assert rows_of(sqlite_engine)["suppressions"] == 1


def test_a_body_that_is_too_long_is_not_read(client: httpx.Client, sqlite_engine: Engine) -> None:
    def without_end() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 1024 + 1):
            yield b"x" * 1024

    assert client.post("/webhooks/twilio", content=b"x" * (MAX_BODY + 1)).status_code == 413
    assert client.post("/webhooks/twilio", content=without_end()).status_code == 413
    assert client.post("/webhooks/twilio", content=b"x" * MAX_BODY).status_code == 401
    assert set(rows_of(sqlite_engine).values()) == {0}


def test_row_25_a_stop_stops_texts_to_that_number_and_gets_no_second_confirmation(
    client: httpx.Client, sqlite_engine: Engine, sent_text: str
) -> None:
    answer = post(client, sign(inbound_body("Stop."), NOW, query=""))
    assert answer.status_code == 200
    assert "<Message>" not in answer.text
    with reading(sqlite_engine) as session:
        assert session.get_one(Suppression, (sent_text, "text")).source == "unsubscribed"
    post(client, sign(inbound_body("START", "SM" + "8" * 32), NOW, query=""))
    assert rows_of(sqlite_engine)["suppressions"] == 0


def test_help_is_answered_once_with_who_we_are(client: httpx.Client, sqlite_engine: Engine) -> None:
    request = sign(inbound_body("help"), NOW, query="")
    first, again = post(client, request), post(client, request)
    assert "<Message>Alder Lane Dental: call +1 802 555 0140" in first.text
    assert "<Message>" not in again.text


def test_other_words_wait_for_a_person(client: httpx.Client, sqlite_engine: Engine, sent_text: str) -> None:
    post(client, sign(inbound_body("please stop texting me, Ada"), NOW, query=""))
    with reading(sqlite_engine) as session:
        assert session.get_one(Suppression, (sent_text, "text")).source == "held for a person"
        [incident] = session.exec(select(Incident)).all()
    assert "Ada" not in incident.what
    assert CUSTOMER not in incident.what


def test_what_cannot_be_acted_on_now_is_kept_and_acted_on_by_the_next_tracking_run(
    client: httpx.Client, sqlite_engine: Engine, with_twilio: Settings, sent_text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite_engine.begin() as connection:
        connection.execute(text("ALTER TABLE events RENAME TO hidden"))
    assert post(client, sign(status_body("delivered"), NOW)).status_code == 200
    assert "waits for the next tracking run" in caplog.text
    with sqlite_engine.begin() as connection:
        connection.execute(text("ALTER TABLE hidden RENAME TO events"))
    assert status_of(sqlite_engine) == "uncertain"
    with open_providers(with_twilio.model_copy(update={"mode": "live"})) as carriers:
        assert apply_pending_webhooks(sqlite_engine, with_twilio, CLOCK, carriers) == 1
    assert status_of(sqlite_engine) == "delivered"


def test_a_webhook_that_cannot_be_kept_is_not_confirmed(client: httpx.Client, sqlite_engine: Engine) -> None:
    with sqlite_engine.begin() as connection:
        connection.execute(text("DROP TABLE webhooks"))
    assert post(client, sign(status_body("delivered"), NOW)).status_code == 500


def test_where_the_settings_do_not_fit_a_vendor_is_asked_to_come_again(
    sqlite_engine: Engine, with_twilio: Settings
) -> None:
    parts = with_twilio.providers
    unapproved = parts.model_copy(update={"twilio": parts.twilio.model_copy(update={"campaign": ""})})
    with serving(sqlite_engine, with_twilio.model_copy(update={"providers": unapproved})) as client:
        assert post(client, sign(inbound_body("STOP"), NOW, query="")).status_code == 503
        assert client.get("/healthz").json()["refused_webhooks"] == {}


def test_every_answer_to_a_webhook_carries_the_strict_headers(client: httpx.Client) -> None:
    for answer in (post(client, sign(status_body("read"), NOW)), client.post("/webhooks/twilio")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_refusals_are_counted_where_status_and_an_alarm_find_them_and_hold_nothing_of_what_was_said(
    client: httpx.Client, sqlite_engine: Engine, with_twilio: Settings, sent_text: str
) -> None:
    genuine = sign(inbound_body("STOP"), NOW, query="")
    for _ in range(3):
        assert post(client, replace(genuine, headers={**genuine.headers, "x-twilio-signature": "x"})).status_code == 401
    with reading(sqlite_engine) as session:
        # The first is written down at once; a flood of them costs no more than a row a minute.
        assert count_messages(session).refused_webhooks == {"twilio": 1}
        [alarm] = [one for one in find_alarms(session, with_twilio, NOW) if one.kind == "refused-webhooks"]
        later = find_alarms(session, with_twilio, NOW + timedelta(days=2))
        kept = session.exec(select(RefusedWebhook)).one()
    assert "not signed by Twilio" in alarm.sentence
    assert not [one for one in later if one.kind == "refused-webhooks"]
    assert CUSTOMER[1:] not in repr(kept)


@pytest.mark.parametrize(
    "mangled", ["{t}.", "{t},", "{t}>", "{t}%3E", "<{t}>", "{t}/", "{l}", "{l}).", "{t}?utm_source=x",
                "{t}&utm_source=x", "{t}%20", "{t}%E2%80%8B", "{t}%2E", "{t}%253E", "{q}", "%3C{t}", "{t}!", "{t}'\"",
                "{u}", "{d}", "{t}*_"],
)  # fmt: skip
def test_an_unsubscribe_link_works_however_mail_programs_mangle_it(
    client: httpx.Client, sqlite_engine: Engine, with_twilio: Settings, sent_text: str, mangled: str
) -> None:
    token = unsubscribe_token(load_key(sqlite_engine, with_twilio), REFERENCE)
    broken = f"{token[:20]}%20{token[20:]}"
    said = mangled.format(t=token, l=token.lower(), u=token.upper(), q=broken, d=token.replace("-", "%E2%80%90"))
    assert client.get(f"/unsubscribe/{said}").status_code == 200
    assert client.post(f"/unsubscribe/{said}", content=b"List-Unsubscribe=One-Click").status_code == 200
    with reading(sqlite_engine) as session:
        assert session.exec(select(Suppression.source)).all() == ["unsubscribed"]


@pytest.mark.parametrize("wrong", ["{t}0", "{s}", "K7QF-2M9X-TB4E{p}", "{t2}"])
def test_no_token_that_we_did_not_make_is_mended_into_one(
    client: httpx.Client, sqlite_engine: Engine, with_twilio: Settings, sent_text: str, wrong: str
) -> None:
    token = unsubscribe_token(load_key(sqlite_engine, with_twilio), REFERENCE)
    proof = token.partition(".")[2]
    flipped = token[:-1] + ("0" if token[-1] != "0" else "1")
    said = wrong.format(t=token, s=token[:-1], p=f".{proof}", t2=flipped)
    assert client.post(f"/unsubscribe/{said}").status_code == 404
    assert set(rows_of(sqlite_engine).values()) == {0}


def test_a_genuine_link_whose_message_is_not_on_file_is_told_to_a_person(
    client: httpx.Client, sqlite_engine: Engine, with_twilio: Settings
) -> None:
    token = unsubscribe_token(load_key(sqlite_engine, with_twilio), "K7QF-2M9X-TB4E")
    for _ in range(2):
        assert client.post(f"/unsubscribe/{token}").status_code == 404
    with reading(sqlite_engine) as session:
        [what] = session.exec(select(Incident.what)).all()
    assert "K7QF-2M9X-TB4E" in what
