"""What is particular to SendGrid: what it is told, its answers, its activity feed, and its signed events."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine

from conftest import NOW
from outreach.delivery.providers import Handover, WebhookRequest
from outreach.delivery.providers.protocol import NO_KEYS, Cancels, Provider, stand_in
from outreach.delivery.providers.sendgrid import Sendgrid, open_provider
from outreach.errors import DeliveryError, NoAnswer, NotSent, OutcomeUnknown, Refused, WebhookRefused
from outreach.settings import Settings
from outreach.settings.providers import SendgridSettings
from planned import write_one
from vendor_case import Answer
from vendor_sendgrid import (
    CALLED,
    CASE,
    HTML,
    KEY,
    REFERENCE,
    THEIRS,
    WHOLE,
    accepted,
    body_of,
    email_to,
    event,
    found,
    in_json,
    not_found,
    refused,
    report,
    sign,
)

TEXT = "Dear Zoë, thank you.\r\n\r\n-- \r\nStop: https://outreach.invalid/unsubscribe/x"


class Vendor:
    """A server on this machine that answers as it is told, one answer a request, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                vendor.requests.append((self.command, self.path, dict(self.headers), body))
                answer = vendor.answers.pop(0)
                self.send_response_only(answer.status)
                for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    thread = threading.Thread(target=vendor.server.serve_forever, args=(0.01,))
    thread.start()
    yield vendor
    vendor.server.shutdown()
    vendor.server.server_close()
    thread.join()


@pytest.fixture
def sendgrid(vendor: Vendor) -> Iterator[Sendgrid]:
    url = f"http://127.0.0.1:{vendor.server.server_port}"
    sendgrid = Sendgrid(SendgridSettings(**(CASE.settings | {"url": url, "timeout_seconds": 2})))
    yield sendgrid
    sendgrid.close()


@pytest.fixture
def silent() -> Iterator[Sendgrid]:
    """SendGrid where nothing is asked of it: it only reads webhooks."""
    sendgrid = Sendgrid(SendgridSettings(**CASE.settings, url="http://127.0.0.1:9"))
    yield sendgrid
    sendgrid.close()


def sent_by(vendor: Vendor, sendgrid: Sendgrid, handover: Handover | None = None) -> dict[str, Any]:
    """The JSON that one hand-over became."""
    vendor.answers = accepted()
    assert sendgrid.send(handover or email_to()) == THEIRS
    [(method, path, headers, body)] = vendor.requests
    assert (method, path) == ("POST", "/v3/mail/send")
    assert headers["Authorization"] == "Bearer SG.for.tests-only"
    told = json.loads(body)
    assert isinstance(told, dict)
    return told


# --- what it is told ---


def test_the_sealed_words_go_to_one_person_with_our_reference_and_key(vendor: Vendor, sendgrid: Sendgrid) -> None:
    told = sent_by(vendor, sendgrid)
    assert told["personalizations"] == [
        {
            "to": [{"email": "zoe@customer.example", "name": "Zoë, Mrs. Quill"}],
            "custom_args": {"reference": REFERENCE, "key": KEY},
        }
    ]
    assert told["from"] == {"email": "hello@alderlane.example", "name": "Alder Lane Dental"}
    assert told["subject"] == "A small anniversary, and a thank you — Zoë"
    assert told["content"] == [
        {"type": "text/plain", "value": TEXT},
        {"type": "text/html", "value": HTML},
    ]


def test_one_click_unsubscribing_and_our_message_id_go_with_it(vendor: Vendor, sendgrid: Sendgrid) -> None:
    assert sent_by(vendor, sendgrid)["headers"] == {
        "Message-ID": f"<{REFERENCE}@alderlane.example>",
        "List-Unsubscribe": f"<https://outreach.invalid/unsubscribe/{REFERENCE}.{'5b344966785ad896' * 4}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "X-Outreach-Reference": REFERENCE,
    }


def test_nothing_may_rewrite_or_count_what_was_approved(vendor: Vendor, sendgrid: Sendgrid) -> None:
    told = sent_by(vendor, sendgrid)
    off = {"enable": False}
    assert told["tracking_settings"] == {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": off,
        "subscription_tracking": off,
        "ganalytics": off,
    }
    assert told["mail_settings"] == {"footer": off}
    known = {"personalizations", "from", "subject", "content", "headers", "tracking_settings", "mail_settings"}
    assert told.keys() == known


@pytest.mark.parametrize("address", ["maria@example.org", "jörg@example.org"])
def test_a_composed_email_is_told_whole(
    vendor: Vendor, sendgrid: Sendgrid, sqlite_engine: Engine, settings: Settings, address: str
) -> None:
    _, content = write_one(sqlite_engine, settings, "anniversary", "email", email=address, given_name="Mária")
    told = sent_by(vendor, sendgrid, email_to(content=content, recipient={"name": "x", "email": address}))
    [person] = told["personalizations"]
    assert person["to"] == [{"email": address, "name": "Mrs. Mária Lopez"}]
    assert told["subject"] == "A small anniversary, and a thank you"
    text, html = (part["value"] for part in told["content"])
    assert "It is three years since you first came to Alder Lane Dental." in text
    assert "It is three years since you first came to Alder Lane Dental." in html
    assert told["headers"]["List-Unsubscribe"].strip("<>") in text


def test_a_sealed_message_with_a_bcc_does_not_leave(vendor: Vendor, sendgrid: Sendgrid) -> None:
    content = email_to().content.replace(b"Subject: ", b"Bcc: thief@evil.example\r\nSubject: ")
    with pytest.raises(Refused, match="customer alone"):
        sendgrid.send(email_to(content=content))
    assert vendor.requests == []


def test_a_key_of_sendgrids_in_the_words_does_not_leave(vendor: Vendor, sendgrid: Sendgrid) -> None:
    content = email_to().content.replace(b"Dear Zo=C3=AB", b"SG.abc.def")
    with pytest.raises(Refused, match="take it out"):
        sendgrid.send(email_to(content=content))
    assert vendor.requests == []


# --- what it answers ---


def test_a_202_without_an_id_is_acceptance_all_the_same(vendor: Vendor, sendgrid: Sendgrid) -> None:
    vendor.answers = [Answer(202, b"", {})]
    assert sendgrid.send(email_to()) == stand_in(KEY)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"Retry-After": "7"}, timedelta(seconds=7)),
        ({"X-RateLimit-Reset": "1773154830", "Date": "Tue, 10 Mar 2026 15:00:00 GMT"}, timedelta(seconds=30)),
        ({"X-RateLimit-Reset": "1773154700", "Date": "Tue, 10 Mar 2026 15:00:00 GMT"}, timedelta(0)),
        ({"X-RateLimit-Reset": "soon", "Date": "Tue, 10 Mar 2026 15:00:00 GMT"}, None),
        ({"X-RateLimit-Reset": "9" * 30, "Date": "Tue, 10 Mar 2026 15:00:00 GMT"}, None),
        ({"X-RateLimit-Reset": "1773154830"}, None),
        ({}, None),
    ],
)
def test_a_429_is_surely_not_sent_and_says_when_to_try_again(
    vendor: Vendor, sendgrid: Sendgrid, headers: dict[str, str], after: timedelta | None
) -> None:
    vendor.answers = [refused(429, **headers)]
    with pytest.raises(NotSent) as busy:
        sendgrid.send(email_to())
    assert busy.value.after == after


def test_a_refusal_names_the_field_and_nobody(vendor: Vendor, sendgrid: Sendgrid) -> None:
    vendor.answers = [refused(400, "personalizations.0.to.0.email")]
    with pytest.raises(Refused, match=r"400, personalizations\.0\.to\.0\.email") as said:
        sendgrid.send(email_to())
    assert "@" not in str(said.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"errors": null}', b'{"errors": [1, {"field": "a b@c"}]}'])
def test_a_refusal_in_no_form_of_theirs_is_a_refusal(vendor: Vendor, sendgrid: Sendgrid, body: bytes) -> None:
    vendor.answers = [Answer(400, body)]
    with pytest.raises(Refused, match=r"\(400\)"):
        sendgrid.send(email_to())


def test_nothing_is_ever_sent_a_second_time(vendor: Vendor, sendgrid: Sendgrid) -> None:
    vendor.answers = [refused(503), *accepted()]
    with pytest.raises(OutcomeUnknown):
        sendgrid.send(email_to())
    assert len(vendor.requests) == 1


def test_nobody_listening_means_surely_not_sent(silent: Sendgrid) -> None:
    with pytest.raises(NotSent, match="before anything had left"):
        silent.send(email_to())


def test_a_sender_that_ran_out_of_time_lets_nothing_leave(vendor: Vendor, sendgrid: Sendgrid) -> None:
    def too_late() -> None:
        raise NotSent("this sender was held up for too long")

    with pytest.raises(NotSent, match="held up"):
        sendgrid.send(email_to(require_time=too_late))
    assert vendor.requests == []


@pytest.mark.parametrize(("name", "answer", "known"), CASE.failures, ids=[name for name, _, _ in CASE.failures])
def test_an_answer_means_what_its_contract_says(
    vendor: Vendor, sendgrid: Sendgrid, name: str, answer: Answer, known: type[DeliveryError]
) -> None:
    vendor.answers = [answer]
    with pytest.raises(DeliveryError) as raised:
        sendgrid.send(email_to())
    assert type(raised.value) is known, name
    assert "@" not in str(raised.value)


# --- looking it up ---


def test_it_is_looked_up_by_our_reference_and_named_as_the_202_named_it(vendor: Vendor, sendgrid: Sendgrid) -> None:
    vendor.answers = found(None, WHOLE, WHOLE.replace("9.0", "9.1"), "another.filter")
    assert sendgrid.find(email_to()) == [THEIRS, "another"]
    [(method, path, _, _)] = vendor.requests
    asked = urlsplit(path)
    assert (method, asked.path) == ("GET", "/v3/messages")
    assert parse_qs(asked.query) == {"query": [f'(unique_args["reference"]="{REFERENCE}")'], "limit": ["1000"]}


@pytest.mark.parametrize(
    "answer",
    [
        in_json({"messages": []}, 400), refused(404), refused(401), refused(403), refused(429), refused(500),
        in_json([]), in_json({"messages": None}), in_json({}), in_json({"messages": [{}]}),
        in_json({"messages": ["x"]}), in_json({"messages": [{"msg_id": None}]}),
        Answer(200, b'{"messages": []', {}), Answer(200, b"", {}),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_clearly_empty_is_no_proof_of_absence(
    vendor: Vendor, sendgrid: Sendgrid, answer: Answer
) -> None:
    vendor.answers = [answer]
    with pytest.raises(NoAnswer):
        sendgrid.find(email_to())


def test_an_empty_answer_is_absence(vendor: Vendor, sendgrid: Sendgrid) -> None:
    vendor.answers = not_found()
    assert sendgrid.find(email_to()) == []


def test_without_the_activity_add_on_it_cannot_be_searched() -> None:
    provider: Provider = Sendgrid(SendgridSettings(**(CASE.settings | {"activity": False})))
    assert provider.absent_after is None
    with pytest.raises(NoAnswer, match=REFERENCE):
        provider.find(email_to())


def test_it_says_of_itself_what_holds(settings: Settings) -> None:
    part = SendgridSettings(**CASE.settings, absent_after_minutes=90, per_second=3)
    provider: Provider = open_provider(
        settings.model_copy(update={"providers": settings.providers.model_copy(update={"sendgrid": part})})
    )
    assert (provider.key_life, provider.absent_after) == (NO_KEYS, timedelta(minutes=90))
    assert (provider.name, provider.channels, provider.per_second) == ("sendgrid", {"email"}, 3)
    assert not isinstance(provider, Cancels)


# --- what it reports ---


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        (event("processed"), "accepted", None),
        (event("delivered"), "delivered", None),
        (event("bounce", type="bounce", status="5.1.1"), "bounced", "5.1.1"),
        (event("bounce", type="bounce", status="zoe@customer.example"), "bounced", None),
        (event("bounce", type="blocked", status="5.7.1"), "failed", "5.7.1"),
        (event("bounce", type="bounce", status="5.7.1", bounce_classification="Reputation"), "failed", "5.7.1"),
        (event("bounce", type="bounce", status="5.2.2"), "failed", "5.2.2"),
        (event("bounce", type="blocked", status="4.2.2"), "failed", "4.2.2"),
        (event("bounce", type="blocked", status="5.1.1"), "bounced", "5.1.1"),
        (event("bounce", type="bounce", status="5.0.0", reason="500 unknown recipient"), "bounced", "5.0.0"),
        (event("bounce", type="bounce", status="5.0.0", reason="550 blocked: unknown recipient"), "failed", "5.0.0"),
        (event("bounce", type="bounce", bounce_classification="Invalid Address"), "bounced", None),
        (event("bounce", type="bounce", bounce_classification="Content"), "failed", None),
        (event("bounce", type="bounce"), "bounced", None),
        (event("bounce"), "failed", None),
        (event("dropped", reason="Bounced Address"), "bounced", "dropped: bounced address"),
        (event("dropped", reason="Invalid"), "bounced", "dropped: invalid"),
        (event("dropped", reason="Spam Reporting Address"), "complained", "dropped: spam reporting address"),
        (event("dropped", reason="Unsubscribed Address"), "unsubscribed", "dropped: unsubscribed address"),
        (event("dropped", reason="Recipient List over Package Quota"), "failed", "dropped"),
        (event("dropped"), "failed", "dropped"),
        (event("spamreport"), "complained", None),
        (event("unsubscribe"), "unsubscribed", None),
        (event("group_unsubscribe", asm_group_id=1), "unsubscribed", None),
    ],
)
def test_each_event_is_told_in_our_words(silent: Sendgrid, said: dict[str, Any], kind: str, reason: str | None) -> None:
    assert silent.parse_events(sign(body_of(said), NOW)) == [report(said, kind, reason)]


@pytest.mark.parametrize("name", ["deferred", "open", "click", "group_resubscribe", "account_status_change", "new", ""])
def test_events_we_have_no_word_for_are_left_out(silent: Sendgrid, name: str) -> None:
    delivered = event("delivered")
    assert silent.parse_events(sign(body_of(event(name), delivered), NOW)) == [report(delivered, "delivered")]


def test_an_event_without_an_id_or_a_time_of_its_own_is_the_same_however_often_it_comes(silent: Sendgrid) -> None:
    said = event("delivered")
    del said["sg_event_id"], said["timestamp"]
    [first] = silent.parse_events(sign(body_of(said), NOW))
    [second] = silent.parse_events(sign(body_of(said), NOW + timedelta(minutes=1)))
    [other] = silent.parse_events(sign(body_of(said | {"reference": "B"}), NOW))
    assert first.event_id == second.event_id != other.event_id
    assert first.at == NOW


def test_an_event_of_mail_that_is_not_ours_names_no_reference(silent: Sendgrid) -> None:
    said = {name: value for name, value in event("delivered").items() if name not in {"reference", "key"}}
    [told] = silent.parse_events(sign(body_of(said), NOW))
    assert (told.reference, told.key, told.provider_id) == (None, None, THEIRS)


@pytest.mark.parametrize("body", [b"", b"payload", b"{}", b"[1]", b"null", b"\xff[]"])
def test_a_signed_body_that_is_no_list_of_events_is_refused(silent: Sendgrid, body: bytes) -> None:
    with pytest.raises(WebhookRefused):
        silent.parse_events(sign(body, NOW))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_webhook_from_another_time_is_refused(silent: Sendgrid, seconds: int) -> None:
    signed = sign(body_of(event("delivered")), NOW)
    with pytest.raises(WebhookRefused, match="five minutes"):
        silent.parse_events(replace(signed, received_at=NOW + timedelta(seconds=seconds)))
    assert silent.parse_events(replace(signed, received_at=NOW + timedelta(seconds=300)))


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(days=400), -timedelta(hours=2)])
def test_an_opt_out_counts_however_old_it_is_and_the_rest_of_an_old_webhook_does_not(
    silent: Sendgrid, age: timedelta
) -> None:
    left = [event("unsubscribe"), event("spamreport"), event("bounce", type="bounce", status="5.1.1")]
    signed = sign(body_of(event("delivered"), *left), NOW)
    late = replace(signed, received_at=NOW + age)
    assert [said.kind for said in silent.parse_events(late)] == ["unsubscribed", "complained", "bounced"]
    forged = replace(late, body=late.body.replace(b"spamreport", b"spamrepord"))
    with pytest.raises(WebhookRefused, match="prove"):
        silent.parse_events(forged)


@pytest.mark.parametrize("key", ["", "not a key", "AAAA", "é"])
def test_without_a_key_that_can_be_read_every_webhook_is_refused(key: str) -> None:
    sendgrid = Sendgrid(SendgridSettings(**(CASE.settings | {"webhook_public_key": key})))
    with pytest.raises(WebhookRefused):
        sendgrid.parse_events(sign(body_of(event("delivered")), NOW))
    sendgrid.close()


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64!", "é", "MEUCIG"])
def test_a_signature_that_is_none_is_refused(silent: Sendgrid, signature: str) -> None:
    signed = sign(body_of(event("delivered")), NOW)
    headers = {**signed.headers, "x-twilio-email-event-webhook-signature": signature}
    with pytest.raises(WebhookRefused):
        silent.parse_events(replace(signed, headers=headers))
    with pytest.raises(WebhookRefused):
        silent.parse_events(replace(signed, headers={}))


def test_a_timestamp_that_is_not_the_one_that_was_signed_is_refused(silent: Sendgrid) -> None:
    signed = sign(body_of(event("delivered")), NOW - timedelta(days=1))
    headers = {**signed.headers, "x-twilio-email-event-webhook-timestamp": str(int(NOW.timestamp()))}
    with pytest.raises(WebhookRefused, match="prove"):
        silent.parse_events(replace(signed, headers=headers, received_at=NOW))


def test_every_published_vector_is_judged_as_its_source_judges_it(shared: Path) -> None:
    vectors = json.loads((shared / "contracts" / "webhook-vectors.json").read_text(encoding="utf-8"))["vectors"]
    ours = [vector for vector in vectors if vector["vendor"] == "sendgrid"]
    assert len(ours) == 6
    for vector in ours:
        headers = {name.lower(): value for name, value in vector["headers"].items()}
        request = WebhookRequest(CALLED, headers, vector["body"].encode(), datetime.fromtimestamp(1600112502, UTC))
        sendgrid = Sendgrid(SendgridSettings(**(CASE.settings | {"webhook_public_key": vector["public_key"]})))
        if vector["valid"]:
            [told] = sendgrid.parse_events(request)
            assert (told.kind, told.provider_id) == ("bounced", THEIRS)
            assert told.event_id == "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA"
        else:
            with pytest.raises(WebhookRefused):
                sendgrid.parse_events(request)
        sendgrid.close()
