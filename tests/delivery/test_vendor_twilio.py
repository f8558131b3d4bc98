"""What is particular to Twilio: its error codes, looking texts up by their words, its signatures, and replies."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest

from conftest import NOW
from outreach.delivery.providers import Handover, WebhookRequest
from outreach.delivery.providers.twilio import Twilio, open_provider
from outreach.errors import ContactRefused, NoAnswer, NotSent, OutcomeUnknown, Refused, SettingsError, WebhookRefused
from outreach.settings import Business, Settings, load_settings
from vendor_case import Answer
from vendor_twilio import (
    ACCOUNT,
    CALLED,
    CASE,
    CUSTOMER,
    REFERENCE,
    SENDER,
    SID,
    TOKEN,
    inbound_body,
    message,
    page,
    refused,
    sign,
    status_body,
    text_to,
)

HELLO = text_to("Good morning, Ada.")


class Vendor:
    """A server on this machine that answers as it is told, one answer a request, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.given_up = threading.Event()
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                vendor.requests.append((self.command, self.path, dict(self.headers), body))
                answer = vendor.answers.pop(0)
                if answer.fault == "hang":
                    vendor.given_up.wait(10)
                if answer.fault:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    thread = threading.Thread(target=vendor.server.serve_forever, args=(0.01,))
    thread.start()
    yield vendor
    vendor.given_up.set()
    vendor.server.shutdown()
    vendor.server.server_close()
    thread.join()


def settings_for(url: str = "http://127.0.0.1:9", **changes: Any) -> Settings:
    part = CASE.settings | {"url": url, "timeout_seconds": 2} | changes
    business = Business(public_url="https://outreach.invalid/")
    return load_settings(secret="for tests only", business=business, providers={"twilio": part})


@pytest.fixture
def twilio(vendor: Vendor) -> Iterator[Twilio]:
    twilio = open_provider(settings_for(vendor.url))
    yield twilio
    twilio.close()


@pytest.fixture
def silent() -> Iterator[Twilio]:
    """Twilio where nothing is asked of it: it only reads webhooks."""
    twilio = open_provider(settings_for())
    yield twilio
    twilio.close()


# --- handing over ---


def test_a_text_goes_out_once_as_it_was_approved_and_comes_back_under_our_reference(
    vendor: Vendor, twilio: Twilio
) -> None:
    vendor.answers = list(CASE.accepted(CASE.handovers[1]))
    assert twilio.send(CASE.handovers[1]) == SID
    [(method, path, headers, body)] = vendor.requests
    fields = dict(parse_qsl(body.decode(), strict_parsing=True))
    assert (method, path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert headers["Authorization"] == "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    assert (fields["To"], fields["From"]) == (CUSTOMER, SENDER)
    assert fields["Body"] == "Guten Morgen, Łukasz — wie geht’s? ☎ 100 % & mehr"
    assert (fields["ValidityPeriod"], fields["SmartEncoded"]) == ("14400", "false")
    callback = urlsplit(fields["StatusCallback"])
    assert f"{callback.scheme}://{callback.netloc}{callback.path}" == CALLED
    assert parse_qs(callback.query) == {"reference": [REFERENCE], "key": [f"{REFERENCE}.1"]}
    assert "Ada Quill" not in body.decode()


def test_a_messaging_service_chooses_the_number_itself(vendor: Vendor) -> None:
    service = "MG" + "a" * 32
    twilio = open_provider(settings_for(vendor.url, sender=service))
    vendor.answers = list(CASE.accepted(HELLO))
    twilio.send(HELLO)
    twilio.close()
    fields = dict(parse_qsl(vendor.requests[0][3].decode()))
    assert fields["MessagingServiceSid"] == service
    assert "From" not in fields


def test_the_environment_cannot_send_texts_to_another_host(
    vendor: Vendor, twilio: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TWILIO_REGION": "ie1", "TWILIO_EDGE": "dublin", "TWILIO_ACCOUNT_SID": "ACother"}.items():
        monkeypatch.setenv(name, value)
    vendor.answers = list(CASE.accepted(HELLO))
    assert twilio.send(HELLO) == SID


@pytest.mark.parametrize(("name", "answer", "error"), CASE.failures, ids=[name for name, *_ in CASE.failures])
def test_each_answer_says_what_is_known_and_names_nobody(
    vendor: Vendor, twilio: Twilio, name: str, answer: Answer, error: type[Exception]
) -> None:
    vendor.answers = [answer]
    with pytest.raises(error) as caught:
        twilio.send(HELLO)
    assert type(caught.value) is error
    assert len(vendor.requests) == 1
    for personal in (CUSTOMER, "Ada", "Good morning", TOKEN):
        assert personal not in str(caught.value)


@pytest.mark.parametrize(("code", "source"), [(21610, "unsubscribed"), (21614, "bounced"), (21211, "bounced")])
def test_row_25_a_number_that_opted_out_or_is_dead_is_never_used_again(
    vendor: Vendor, twilio: Twilio, code: int, source: str
) -> None:
    vendor.answers = [refused(code)]
    with pytest.raises(ContactRefused, match=str(code)) as caught:
        twilio.send(HELLO)
    assert caught.value.source == source


@pytest.mark.parametrize(
    "answer", [refused(20429, 429, **{"Retry-After": "7"}), refused(21611, **{"Retry-After": "7"})]
)
def test_a_429_or_a_full_queue_is_surely_not_sent_and_says_when_to_try_again(
    vendor: Vendor, twilio: Twilio, answer: Answer
) -> None:
    vendor.answers = [answer]
    with pytest.raises(NotSent) as caught:
        twilio.send(HELLO)
    assert caught.value.after == timedelta(seconds=7)


@pytest.mark.parametrize("fault", ["drop", "hang"])
def test_no_answer_after_the_text_left_is_an_unknown_outcome_and_is_not_repeated(vendor: Vendor, fault: str) -> None:
    twilio = open_provider(settings_for(vendor.url, timeout_seconds=0.3))
    vendor.answers = [Answer(fault=fault)] * 2
    with pytest.raises(OutcomeUnknown):
        twilio.send(HELLO)
    with pytest.raises(NoAnswer):
        twilio.find(HELLO)
    assert [method for method, *_ in vendor.requests] == ["POST", "GET"]
    twilio.close()


def test_where_nobody_listens_nothing_was_sent(silent: Twilio) -> None:
    with pytest.raises(NotSent):
        silent.send(HELLO)


def test_nothing_leaves_when_there_is_no_time(vendor: Vendor, twilio: Twilio) -> None:
    def too_late() -> None:
        raise NotSent("no time left")

    with pytest.raises(NotSent, match="no time left"):
        twilio.send(replace(HELLO, require_time=too_late))
    assert vendor.requests == []


@pytest.mark.parametrize(
    "handover",
    [
        text_to(""),
        text_to("   "),
        text_to("x" * 1601),
        replace(HELLO, content=b"\xff\xfe"),
        replace(HELLO, recipient={"name": "Ada"}),
        replace(HELLO, recipient={"phone": "802 555 0140"}),
        replace(HELLO, recipient={"phone": "+1802555,+18025550141"}),
    ],
)
def test_what_is_no_text_or_has_no_number_is_refused_before_anything_leaves(
    vendor: Vendor, twilio: Twilio, handover: Handover
) -> None:
    with pytest.raises(Refused) as caught:
        twilio.send(handover)
    assert vendor.requests == []
    assert "802" not in str(caught.value)


@pytest.mark.parametrize("extra", [{"date_created": 7}, {"error_code": "x"}, {"price": "no number"}, {"status": None}])
def test_once_it_is_taken_no_other_field_can_make_it_fail(
    vendor: Vendor, twilio: Twilio, extra: dict[str, Any]
) -> None:
    said = {"sid": SID} | extra
    vendor.answers = [Answer(201, json.dumps(said).encode())]
    assert twilio.send(HELLO) == SID


# --- who may send ---


@pytest.mark.parametrize("sender", ["+18025550140", "+15005550006", "+14165550100"])
def test_a_us_long_code_without_an_approved_campaign_sends_nothing(sender: str) -> None:
    for lacking in ({"campaign": ""}, {"campaign_use": ""}):
        with pytest.raises(SettingsError, match="campaign_use"):
            open_provider(settings_for(sender=sender, **lacking))


@pytest.mark.parametrize(
    ("use", "purpose", "is_sent"),
    [
        ("service", "service", True), ("service", "marketing", False), ("marketing", "marketing", True),
        ("marketing", "service", False), ("mixed", "service", True), ("mixed", "marketing", True),
    ],
)  # fmt: skip
def test_a_long_code_carries_only_what_its_campaign_was_approved_for(
    vendor: Vendor, use: str, purpose: str, is_sent: bool
) -> None:
    vendor.answers = [Answer(201, json.dumps({"sid": SID}).encode())]
    twilio = open_provider(settings_for(sender="+18025550140", campaign_use=use, url=vendor.url))
    try:
        if is_sent:
            assert twilio.send(replace(HELLO, purpose=purpose)) == SID
        else:
            with pytest.raises(Refused, match=f"approved for {use} texts"):
                twilio.send(replace(HELLO, purpose=purpose))
    finally:
        twilio.close()
    assert len(vendor.requests) == is_sent


def test_what_twilio_may_keep_of_a_text_ends_before_its_recipients_quiet_hours(vendor: Vendor, twilio: Twilio) -> None:
    vendor.answers = [Answer(201, json.dumps({"sid": SID}).encode())]
    twilio.send(replace(HELLO, arrives_within=timedelta(hours=1)))
    assert "ValidityPeriod=3540" in vendor.requests[0][3].decode()


@pytest.mark.parametrize("sender", ["+18885550140", "+18335550140", "72975", "MG" + "a" * 32, "+442071838750"])
def test_other_senders_need_no_campaign_of_that_kind(sender: str) -> None:
    open_provider(settings_for(sender=sender, campaign="")).close()


# --- looking up ---


def test_a_text_is_found_by_its_words_its_number_and_its_time(vendor: Vendor, twilio: Twilio) -> None:
    other = "SM" + "e" * 32
    earlier = message(HELLO, sid=other, date_created="Tue, 10 Mar 2026 14:54:59 +0000")
    vendor.answers = [
        page(
            message(HELLO, sid=other, body="Other words"),
            message(HELLO, sid=other, **{"from": "+15005550001"}),
            message(HELLO, sid=other, direction="inbound", **{"from": CUSTOMER}),
            earlier,
            message(HELLO),
        )
    ]
    assert twilio.find(HELLO) == [SID]
    [(method, path, _, _)] = vendor.requests
    assert method == "GET"
    assert parse_qs(urlsplit(path).query) == {"To": [CUSTOMER], "PageSize": ["1000"]}


def test_what_stands_on_a_later_page_is_found_as_well(vendor: Vendor, twilio: Twilio) -> None:
    following = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=%2B18025550140&PageSize=1000&Page=1&PageToken=PA1"
    other = message(HELLO, body="Other words")
    vendor.answers = [page(other, following=following), page(message(HELLO))]
    assert twilio.find(HELLO) == [SID]
    assert vendor.requests[1][1] == following


def test_the_words_of_an_account_on_trial_are_known_behind_what_twilio_puts_before_them(
    vendor: Vendor, twilio: Twilio
) -> None:
    vendor.answers = [page(message(HELLO, body="Sent from your Twilio trial account - Good morning, Ada."))]
    assert twilio.find(HELLO) == [SID]


def test_a_messaging_service_is_found_by_its_own_id_whatever_number_it_chose(vendor: Vendor) -> None:
    service = "MG" + "a" * 32
    twilio = open_provider(settings_for(vendor.url, sender=service))
    vendor.answers = [page(message(HELLO, messaging_service_sid=service, **{"from": None}), message(HELLO))]
    assert twilio.find(HELLO) == [SID]
    twilio.close()


NONSENSE = [
    Answer(200, b"<html>"),
    Answer(200, b"[]"),
    Answer(200, b'{"messages": null, "next_page_uri": null}'),
    Answer(200, b'{"messages": []}'),
    Answer(404, b'{"code": 20404}'),
    Answer(400, b"{}"),
    Answer(401),
    Answer(429),
    Answer(503),
    Answer(302, headers={"Location": "/elsewhere"}),
    Answer(fault="drop"),
    page(following="https://elsewhere.example/2010-04-01/x"),
    page(following="//elsewhere.example/x"),
    page("a message"),
    page(message(HELLO, date_created="yesterday")),
    page(message(HELLO, date_created="Tue, 10 Mar 2026 15:00:02 -0000")),
    page(message(HELLO, sid=None)),
    page(message(HELLO, body="")),
    page({"sid": SID}),
]


@pytest.mark.parametrize("answer", NONSENSE, ids=range(len(NONSENSE)))
def test_row_8_what_twilio_does_not_clearly_say_is_not_absence(vendor: Vendor, twilio: Twilio, answer: Answer) -> None:
    vendor.answers = [answer]
    with pytest.raises(NoAnswer):
        twilio.find(HELLO)
    assert len(vendor.requests) == 1


def test_a_list_without_an_end_is_no_answer(vendor: Vendor, twilio: Twilio) -> None:
    vendor.answers = [page(following="/2010-04-01/again")] * 60
    with pytest.raises(NoAnswer, match="no end"):
        twilio.find(HELLO)


def test_the_key_is_never_repeated_and_absence_needs_the_time_from_the_settings() -> None:
    twilio = open_provider(settings_for(absent_after_minutes=30))
    assert (twilio.key_life, twilio.absent_after, twilio.per_second) == (timedelta(0), timedelta(minutes=30), 1)
    twilio.close()


# --- the contract ---


def test_every_request_keeps_to_twilios_contract(vendor: Vendor, twilio: Twilio, shared: Path) -> None:
    from jsonschema.validators import validator_for
    from openapi_core import OpenAPI
    from openapi_core.datatypes import RequestParameters
    from werkzeug.datastructures import Headers, ImmutableMultiDict

    contract = json.loads((shared / "contracts" / CASE.contract).read_text())
    for schema in contract["components"]["schemas"].values():
        validator_for(schema).check_schema(schema)
    api = OpenAPI.from_dict(contract)
    for handover in CASE.handovers:
        vendor.answers = [*CASE.accepted(handover), page()]
        twilio.send(handover)
        twilio.find(handover)
    assert len(vendor.requests) == 4
    for method, path, headers, body in vendor.requests:
        parts = urlsplit(path)
        request = type("Sent", (), {})()
        request.host_url, request.path, request.method = "https://api.twilio.com", parts.path, method.lower()
        request.body = body or None
        request.content_type = headers.get("Content-Type", "")
        query = ImmutableMultiDict(parse_qsl(parts.query))
        request.parameters = RequestParameters(query=query, header=Headers(headers))
        api.validate_request(request)


# --- webhooks ---


def test_genuine_webhooks_say_what_became_of_a_text(silent: Twilio) -> None:
    assert CASE.webhooks is not None
    for request, reports in CASE.webhooks(NOW):
        assert silent.parse_events(request) == list(reports)


@pytest.mark.parametrize(
    ("status", "code", "kinds"),
    [
        ("failed", "21610", ["failed", "unsubscribed"]),
        ("undelivered", "30005", ["bounced"]),
        ("undelivered", "30006", ["bounced"]),
        ("failed", "21614", ["bounced"]),
        ("undelivered", "30008", ["failed"]),
        ("failed", "", ["failed"]),
        ("failed", "x", ["failed"]),
    ],
)
def test_why_a_text_failed_decides_whether_the_number_is_used_again(
    silent: Twilio, status: str, code: str, kinds: list[str]
) -> None:
    reports = silent.parse_events(sign(status_body(status, ErrorCode=code), NOW))
    assert [report.kind for report in reports] == kinds
    assert len({report.event_id for report in reports}) == len(kinds)
    assert {report.provider_id for report in reports} == {SID}


def test_a_status_we_have_no_word_for_and_other_signed_requests_are_left_out(silent: Twilio) -> None:
    for body in (CASE.unknown_event, b"", b"CallSid=CA1", status_body("read")):
        assert silent.parse_events(sign(body, NOW)) == []


def test_a_repeated_callback_has_the_same_id(silent: Twilio) -> None:
    again = [silent.parse_events(sign(status_body("sent"), NOW + timedelta(hours=n)))[0].event_id for n in range(3)]
    assert len(set(again)) == 1


def test_row_28_a_webhook_that_is_forged_or_changed_is_refused(silent: Twilio) -> None:
    genuine = sign(status_body("delivered"), NOW)
    changed = [
        replace(genuine, body=genuine.body + b"x"),
        replace(genuine, body=genuine.body + b"&"),
        replace(genuine, body=genuine.body + b"&More=1"),
        replace(genuine, body=genuine.body.replace(b"delivered", b"failed")),
        replace(genuine, body=b"\xff" + genuine.body),
        replace(genuine, url=genuine.url.replace(REFERENCE, "OTHER")),
        replace(genuine, url=CALLED),
        replace(genuine, headers={**genuine.headers, "x-twilio-signature": ""}),
        replace(genuine, headers={"content-type": "application/x-www-form-urlencoded"}),
        replace(genuine, headers={**genuine.headers, "content-type": "application/json"}),
        replace(genuine, headers={**genuine.headers, "x-twilio-signature": "é"}),
        replace(genuine, headers={**genuine.headers, "x-twilio-webhooks-signature-settings": "algorithm=MD5"}),
    ]
    for request in changed:
        with pytest.raises(WebhookRefused) as caught:
            silent.parse_events(request)
        assert CUSTOMER not in str(caught.value)


def test_row_28_without_a_token_nothing_is_believed() -> None:
    twilio = open_provider(settings_for(auth_token=""))
    body = status_body("delivered")
    empty = sign(body, NOW)
    signature = base64.b64encode(hmac.new(b"", _signed(empty), hashlib.sha1).digest()).decode()
    with pytest.raises(WebhookRefused, match="token"):
        twilio.parse_events(replace(empty, headers={**empty.headers, "x-twilio-signature": signature}))
    twilio.close()


def _signed(request: WebhookRequest) -> bytes:
    fields = sorted(set(parse_qsl(request.body.decode(), keep_blank_values=True)))
    return (request.url + "".join(name + value for name, value in fields)).encode()


def test_json_must_be_covered_by_the_hash_in_the_signed_address(silent: Twilio) -> None:
    body = json.dumps({"MessageSid": SID, "MessageStatus": "delivered"}).encode()
    hashed = hashlib.sha256(body).hexdigest()
    form = sign(b"", NOW, query=f"{urlencode({'reference': REFERENCE})}&bodySHA256={hashed}")
    request = replace(form, body=body, headers={**form.headers, "content-type": "application/json"})
    [report] = silent.parse_events(request)
    assert (report.kind, report.reference) == ("delivered", REFERENCE)
    unhashed = sign(b"", NOW)
    for wrong in (
        replace(request, body=body + b" "),
        replace(unhashed, body=body, headers={**unhashed.headers, "content-type": "application/json"}),
        replace(request, body=b"[]"),
    ):
        with pytest.raises(WebhookRefused):
            silent.parse_events(wrong)


def test_twilios_own_vectors_come_out_as_they_should(shared: Path) -> None:
    vectors = json.loads((shared / "contracts" / "webhook-vectors.json").read_text())["vectors"]
    ours = [vector for vector in vectors if vector["vendor"] == "twilio"]
    assert len(ours) >= 11
    for vector in ours:
        twilio = open_provider(settings_for(auth_token=vector["auth_token"]))
        assert _is_believed(twilio, vector) is vector["valid"], vector["name"]
        twilio.close()


def _is_believed(twilio: Twilio, vector: dict[str, Any]) -> bool:
    is_form = vector["body"] is None
    body = urlencode([tuple(pair) for pair in vector["params"]]) if is_form else vector["body"]
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    headers["content-type"] = "application/x-www-form-urlencoded" if is_form else "application/json"
    if vector["scheme"] == "HMAC_SHA256":
        headers["x-twilio-webhooks-signature-settings"] = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    try:
        twilio.parse_events(WebhookRequest(vector["url"], headers, body.encode(), NOW))
    except WebhookRefused:
        return False
    return True


# --- answering replies ---


def test_help_is_answered_with_our_words_safely_written(silent: Twilio) -> None:
    request = sign(inbound_body("HELP"), NOW, query="")
    content, media_type = silent.answer(request, "Alder & Lane <Dental>: call us.")
    assert b"<Message>Alder &amp; Lane &lt;Dental&gt;: call us.</Message>" in content
    assert media_type.startswith("text/xml")
    assert b"<Message>" not in silent.answer(request, None)[0]


def test_a_keyword_of_the_businesss_own_is_known_and_is_not_answered_twice(silent: Twilio) -> None:
    request = sign(inbound_body("FIN", OptOutType="STOP"), NOW, query="")
    assert silent.parse_events(request)[0].words == "STOP"
    asked = sign(inbound_body("HILFE", OptOutType="HELP"), NOW, query="")
    assert b"<Message>" not in silent.answer(asked, "who we are")[0]


def test_the_transport_reads_no_proxy_from_the_environment(silent: Twilio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    twilio = open_provider(settings_for())
    assert isinstance(twilio.client, httpx.Client)
    assert twilio.client.trust_env is False
    twilio.close()
