"""What every vendor's adapter must do, run over each on loopback; each request is held to the vendor's contract."""

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.testing.requests import MockRequest

from conftest import NOW
from loopback import Asked, Loopback, loopback
from outreach.delivery.providers import VENDORS, Cancels, Closes, Handover, Provider, WebhookRequest, open_vendor
from outreach.delivery.providers.protocol import CLOSING, stand_in
from outreach.errors import AlreadyAccepted, NoAnswer, NotSent, OutcomeUnknown, WebhookRefused
from outreach.settings import Business, Settings
from vendor_case import Answer, VendorCase

# A mail server speaks no HTTP: tests/delivery/test_vendor_smtp.py holds it to the same on a real one.
BY_HTTP = [name for name in VENDORS if name != "smtp"]
CASES: list[VendorCase] = [import_module(f"vendor_{name}").CASE for name in BY_HTTP]
EACH = pytest.mark.parametrize("case", CASES, ids=BY_HTTP)
FAILURES = [(case, *failure) for case in CASES for failure in case.failures]
# How long an answer is waited for: where none comes as short as can be, and else longer than a busy machine takes.
HASTY, PATIENT = 0.4, 20.0
SENDER = {"line1": "14 Alder Lane", "city": "Burlington", "region": "VT", "postal_code": "05401", "country": "US"}
NONSENSE = [Answer(200, b"<html>hello</html>"), Answer(200, b"[1"), Answer(200, b'"yes"'), Answer(200, b"{}")]


def settings_for(case: VendorCase, settings: Settings, url: str, **changes: Any) -> Settings:
    """The settings with this vendor at `url`; `changes` are to its own part."""
    part = type(getattr(settings.providers, case.name))
    # The path that its own API lives under stays: the contract has it too.
    path = urlsplit(part().url).path
    # Handwrytten's basket is one for each key: tests that run at once must not share it.
    key = {"api_key": f"a key for {os.getpid()}"} if case.name == "handwrytten" else {}
    its = part(**{**case.settings, **key, "url": url + path, "timeout_seconds": PATIENT, **changes})
    business = Business.model_validate({**settings.business.model_dump(by_alias=True), "return_address": SENDER})
    return settings.model_copy(
        update={"providers": settings.providers.model_copy(update={case.name: its}), "business": business}
    )


@pytest.fixture
def vendor() -> Iterator[Loopback]:
    with loopback() as one:
        yield one


@pytest.fixture
def carriers(settings: Settings, vendor: Loopback) -> Iterator[Any]:
    """Opens a case's adapter on the loopback vendor, and closes it afterwards."""
    opened: list[Provider] = []

    def open_case(case: VendorCase, url: str = "", **changes: Any) -> Provider:
        opened.append(open_vendor(case.name, settings_for(case, settings, url or vendor.url, **changes)))
        return opened[-1]

    yield open_case
    for carrier in opened:
        if isinstance(carrier, Closes):
            carrier.close()


def in_place(case: VendorCase, handover: Handover, answer: Answer) -> list[Answer]:
    """The answers that take a hand-over, with another in place of the one that decides."""
    answers = list(case.accepted(handover))
    answers[case.deciding] = answer
    return answers


# --- handing over ---


@EACH
def test_a_message_that_is_taken_has_the_vendors_id(case: VendorCase, vendor: Loopback, carriers: Any) -> None:
    carrier = carriers(case)
    assert carrier.name == case.name
    for handover in case.handovers:
        vendor.will(case.accepted(handover))
        assert carrier.send(handover) == case.provider_id
        assert vendor.answers == []


@pytest.mark.parametrize(
    ("case", "said", "answer", "known"), FAILURES, ids=[f"{case.name}: {said}" for case, said, *_ in FAILURES]
)
def test_each_answer_means_what_is_known_after_it(
    case: VendorCase, said: str, answer: Answer, known: type[Exception], vendor: Loopback, carriers: Any
) -> None:
    handover = case.handovers[0]
    # What an adapter asks to make sure, after a failure, is answered as nothing.
    vendor.will([*in_place(case, handover, answer)])
    with pytest.raises(known) as raised:
        carriers(case).send(handover)
    assert type(raised.value) is known
    if not isinstance(raised.value, AlreadyAccepted):
        says_nothing_personal(str(raised.value), handover)


def says_nothing_personal(text: str, handover: Handover) -> None:
    recipient = handover.recipient
    personal = [recipient.get("name"), recipient.get("phone"), recipient.get("email"), *recipient.get("streets", [])]
    assert [value for value in personal if value and value in text] == []
    assert text[0].isupper() or text[0].islower()


@EACH
@pytest.mark.parametrize("fault", ["drop", "hang"])
def test_no_answer_after_the_message_has_left_is_an_unknown_outcome(
    case: VendorCase, fault: str, vendor: Loopback, carriers: Any
) -> None:
    handover = case.handovers[0]
    vendor.will(in_place(case, handover, Answer(fault=fault)))
    with pytest.raises(OutcomeUnknown):
        carriers(case, timeout_seconds=HASTY if fault == "hang" else PATIENT).send(handover)


@EACH
def test_a_vendor_that_cannot_be_reached_surely_has_nothing(case: VendorCase, carriers: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(NotSent, match="next run|again"):
            carriers(case, url).send(case.handovers[0])


@EACH
def test_a_sender_that_was_held_up_starts_nothing(case: VendorCase, vendor: Loopback, carriers: Any) -> None:
    def too_late() -> None:
        raise NotSent("this sender was held up for too long; the next run sends it")

    handover = replace(case.handovers[0], require_time=too_late)
    vendor.will(case.accepted(handover))
    with pytest.raises(NotSent, match="held up"):
        carriers(case).send(handover)
    # Questions may have been asked; nothing that holds the message has arrived.
    assert [asked for asked in vendor.asked if asked.method == "POST" and handover.content[:40] in asked.body] == []


@EACH
def test_nothing_is_ever_sent_a_second_time_by_the_adapter(case: VendorCase, vendor: Loopback, carriers: Any) -> None:
    handover = case.handovers[0]
    for answer in (Answer(500), Answer(429), Answer(503), Answer(fault="drop")):
        answers = in_place(case, handover, answer)
        vendor.will(answers)
        with pytest.raises((NotSent, OutcomeUnknown)):
            carriers(case).send(handover)
        deciding = len(answers) - 1 if case.deciding == -1 else case.deciding
        decided = vendor.asked[deciding]
        assert len([asked for asked in vendor.asked if (asked.method, asked.path, asked.body) == (
            decided.method, decided.path, decided.body)]) == 1  # fmt: skip


# --- looking up and cancelling ---

SEARCHED = [case for case in CASES if case.found and case.not_found]


@pytest.mark.parametrize("case", SEARCHED, ids=lambda case: case.name)
def test_a_look_up_finds_what_is_there_and_nothing_where_nothing_is(
    case: VendorCase, vendor: Loopback, carriers: Any
) -> None:
    carrier, handover = carriers(case), case.handovers[0]
    assert carrier.absent_after is not None
    assert case.found
    assert case.not_found
    vendor.will(case.found(handover))
    assert carrier.find(handover) == [case.provider_id]
    vendor.will(case.not_found(handover))
    assert carrier.find(handover) == []


@pytest.mark.parametrize(("name", "mark"), [("lob", {"deleted": True}), ("postgrid", {"status": "cancelled"})])
def test_a_letter_cancelled_on_the_vendors_pages_is_neither_there_nor_absent(
    name: str, mark: dict[str, Any], vendor: Loopback, carriers: Any
) -> None:
    """Taken for absent, what staff cancelled there was sent again."""
    case = next(case for case in CASES if case.name == name)
    assert case.found
    (there,) = case.found(case.handovers[0])
    said = json.loads(there.body)
    said["data"][0] |= mark
    vendor.will([replace(there, body=json.dumps(said).encode())])
    found = carriers(case).find(case.handovers[0])
    assert (found, found.cancelled) == ([], [case.provider_id])


@EACH
@pytest.mark.parametrize(
    "answer",
    [Answer(503), Answer(500), Answer(429), Answer(401), Answer(fault="drop"), Answer(fault="hang"), *NONSENSE],
    ids=lambda answer: answer.fault or f"{answer.status} {answer.body[:9].decode()}",
)
def test_row_8_a_look_up_that_is_not_clearly_answered_is_not_absence(
    case: VendorCase, answer: Answer, vendor: Loopback, carriers: Any
) -> None:
    vendor.will([answer])
    with pytest.raises(NoAnswer):
        carriers(case, timeout_seconds=HASTY if answer.fault == "hang" else PATIENT).find(case.handovers[0])


def test_a_vendor_that_lets_us_cancel_says_whether_it_did(settings: Settings, vendor: Loopback, carriers: Any) -> None:
    cancelling = [case for case in CASES if case.cancelled]
    assert [case.name for case in cancelling] == ["lob", "postgrid", "stannp"]
    for case in cancelling:
        carrier = carriers(case)
        assert isinstance(carrier, Cancels)
        assert case.cancelled
        vendor.will([case.cancelled])
        assert carrier.cancel(case.provider_id) is True
        for answer in (Answer(500), Answer(429), Answer(fault="drop"), Answer(200, b"[")):
            vendor.will([answer])
            with pytest.raises(NoAnswer):
                carrier.cancel(case.provider_id)


@pytest.mark.parametrize(
    ("name", "held", "cancelled"),
    [("lob", {"id": "ID"}, {"id": "ID", "deleted": True}),
     ("postgrid", {"id": "ID", "status": "printing"}, {"id": "ID", "status": "cancelled"})],
)  # fmt: skip
def test_a_vendor_that_refuses_to_cancel_is_asked_what_became_of_the_letter(
    name: str, held: dict[str, Any], cancelled: dict[str, Any], vendor: Loopback, carriers: Any
) -> None:
    case = CASES[BY_HTTP.index(name)]
    carrier = carriers(case)
    for letter, outcome in ((held, False), (cancelled, True)):
        vendor.will([Answer(422, b"{}"), Answer(200, json.dumps(letter | {"id": case.provider_id}).encode())])
        assert carrier.cancel(case.provider_id) is outcome
    for unclear in (Answer(404, b"{}"), Answer(200, b"{}"), Answer(503)):
        vendor.will([Answer(422, b"{}"), unclear])
        with pytest.raises(NoAnswer):
            carrier.cancel(case.provider_id)
    with pytest.raises(NoAnswer, match="its pages"):
        carrier.cancel(stand_in("A.1"))


@EACH
def test_only_vendors_that_can_hold_a_letter_back_promise_a_window(case: VendorCase, carriers: Any) -> None:
    carrier = carriers(case)
    window = carrier.cancel_window if isinstance(carrier, Cancels) else timedelta(0)
    assert bool(window) == (case.name in {"lob", "postgrid"})


# --- webhooks ---

REPORTING = [case for case in CASES if case.webhooks and case.sign]


def test_every_vendor_that_sends_webhooks_is_tried_here() -> None:
    assert [case.name for case in REPORTING] == [name for name in BY_HTTP if name != "handwrytten"]


@pytest.mark.parametrize("case", REPORTING, ids=lambda case: case.name)
class TestWebhooks:
    def test_a_genuine_one_says_what_it_says_and_the_same_again(self, case: VendorCase, carriers: Any) -> None:
        carrier = carriers(case)
        assert case.webhooks
        for (request, reports), (again, _) in zip(case.webhooks(NOW), case.webhooks(NOW), strict=True):
            assert carrier.parse_events(request) == list(reports)
            ids = [report.event_id for report in carrier.parse_events(again)]
            assert ids == [report.event_id for report in reports]

    def test_row_28_a_byte_more_another_signature_or_none_is_refused(self, case: VendorCase, carriers: Any) -> None:
        carrier = carriers(case)
        assert case.webhooks
        for request, _ in case.webhooks(NOW):
            for forged in forgeries(request):
                with pytest.raises(WebhookRefused):
                    carrier.parse_events(forged)

    def test_row_28_of_an_old_one_only_what_closes_a_contact_counts_where_the_scheme_has_a_time(
        self, case: VendorCase, carriers: Any
    ) -> None:
        carrier = carriers(case)
        assert case.webhooks
        for request, _ in case.webhooks(NOW):
            old = replace(request, received_at=NOW + timedelta(seconds=302))
            fresh = carrier.parse_events(request)
            counts = [report for report in fresh if report.kind in CLOSING] if case.has_timestamp else fresh
            if counts:
                assert [report.event_id for report in carrier.parse_events(old)] == [r.event_id for r in counts]
            else:
                with pytest.raises(WebhookRefused):
                    carrier.parse_events(old)

    def test_row_28_without_a_secret_nothing_is_believed(self, case: VendorCase, carriers: Any) -> None:
        secret = {"lob": "webhook_secret", "postgrid": "webhook_secret", "stannp": "webhook_secret"}
        its = secret.get(case.name, {"sendgrid": "webhook_public_key", "twilio": "auth_token"}.get(case.name, ""))
        carrier = carriers(case, **{its: ""})
        assert case.webhooks
        for request, _ in case.webhooks(NOW):
            with pytest.raises(WebhookRefused):
                carrier.parse_events(request)

    def test_an_event_that_we_have_no_word_for_says_nothing(self, case: VendorCase, carriers: Any) -> None:
        assert case.sign
        assert carriers(case).parse_events(case.sign(case.unknown_event, NOW)) == []


def forgeries(request: WebhookRequest) -> Iterator[WebhookRequest]:
    yield replace(request, body=request.body + b" ")
    yield replace(request, body=request.body.replace(b"a", b"b", 1))
    for name, value in request.headers.items():
        if "signature" in name and "timestamp" not in name:
            yield replace(request, headers={**request.headers, name: value[:-6] + "AAAAAA"})
            yield replace(request, headers={**request.headers, name: ""})
            yield replace(request, headers={key: kept for key, kept in request.headers.items() if key != name})


def test_a_vendor_without_webhooks_believes_none(carriers: Any) -> None:
    [case] = [case for case in CASES if not case.webhooks]
    with pytest.raises(WebhookRefused):
        carriers(case).parse_events(WebhookRequest("https://x.example/webhooks/y", {}, b"{}", NOW))


# --- contracts ---


@cache
def contract_of(path: Path) -> OpenAPI:
    text = path.read_text(encoding="utf-8")
    # The loader in C: these are large.
    read = json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.CSafeLoader)
    return OpenAPI.from_dict(read)


def server_of(contract: OpenAPI) -> str:
    return str(contract.spec["servers"][0]["url"]).rstrip("/")


def as_theirs(asked: Asked, contract: OpenAPI) -> MockRequest:
    """A recorded request as if it had gone to the vendor itself."""
    where, server = urlsplit(asked.path), urlsplit(server_of(contract))
    body = asked.body
    if str(contract.spec["openapi"]).startswith("3.1"):
        # Under OpenAPI 3.1 the validator takes a file for text, and stumbles over one that is none: it goes without.
        boundary = asked.headers.get("content-type", "").rpartition("boundary=")[2].encode()
        parts = body.split(b"--" + boundary) if boundary else [body]
        body = (b"--" + boundary).join(part for part in parts if b"application/pdf" not in part)
    return MockRequest(
        host_url=f"{server.scheme}://{server.netloc}",
        method=asked.method.lower(),
        path=where.path,
        args={name: values[0] for name, values in parse_qs(where.query, keep_blank_values=True).items()},
        headers={name: value for name, value in asked.headers.items() if name not in {"host", "connection"}},
        data=body or None,
        content_type=asked.headers.get("content-type", "application/json"),
    )


@EACH
def test_every_request_passes_the_vendors_contract(
    case: VendorCase, shared: Path, vendor: Loopback, carriers: Any
) -> None:
    contract, carrier, asked = contract_of(shared / "contracts" / case.contract), carriers(case), []
    for handover in case.handovers:
        for answers, ask in ((case.accepted, carrier.send), (case.found, carrier.find), (case.not_found, carrier.find)):
            if answers:
                vendor.will(answers(handover))
                ask(handover)
                asked += vendor.asked
    if case.cancelled:
        vendor.will([case.cancelled])
        carrier.cancel(case.provider_id)
        asked += vendor.asked
    assert len(asked) >= len(case.handovers)
    for one in asked:
        contract.validate_request(as_theirs(one, contract))


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in {"lob", "postgrid", "stannp"}], ids=lambda c: c.name
)
def test_the_contract_refuses_what_is_wrong(case: VendorCase, shared: Path, vendor: Loopback, carriers: Any) -> None:
    """A validator that accepts anything would make the test above worthless."""
    contract, carrier = contract_of(shared / "contracts" / case.contract), carriers(case)
    vendor.will(case.accepted(case.handovers[0]))
    carrier.send(case.handovers[0])
    sent = vendor.asked[-1]
    for wrong in (replace(sent, path="/v9/nothing"), replace(sent, method="PUT"), replace(sent, body=b"")):
        with pytest.raises(Exception, match=r"(?i)not found|required|missing|invalid|body"):
            contract.validate_request(as_theirs(wrong, contract))
