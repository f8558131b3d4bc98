"""What is particular to Stannp: keys in the form, a whole form compared, tags to search by, and signatures."""

import email
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.testing.requests import MockRequest

from approved import pdf_saying
from conftest import NOW
from outreach.delivery.providers import Cancels, LookupResult, Provider, WebhookRequest
from outreach.delivery.providers.stannp import STATUSES, Stannp, open_provider
from outreach.errors import AlreadyAccepted, DeliveryError, NoAnswer, NotSent, OutcomeUnknown, Refused, WebhookRefused
from outreach.settings import Settings
from vendor_case import Answer
from vendor_stannp import (
    CALLED,
    CASE,
    FAILURES,
    LETTER_ID,
    REFERENCE,
    TO_LONDON,
    TO_VERMONT,
    event,
    failed,
    letter_to,
    listed,
    piece,
    sign,
    succeeded,
    taken,
)

LETTER = letter_to(TO_VERMONT)
Fields = dict[str, str | bytes]


class Account:
    """An account at Stannp on this machine: letters by key, found by status and tag, cancelled until they are printed.

    `faults` answer in place of the next requests; a fault of 0 hangs up.
    """

    def __init__(self) -> None:
        self.letters: dict[str, dict[str, Any]] = {}
        self.bodies: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str, bytes]] = []
        self.faults: list[Answer] = []

    def answer(self, method: str, path: str, media_type: str, body: bytes) -> Answer:
        self.asked.append((method, path, media_type, body))
        return self.faults.pop(0) if self.faults else self._do(path, media_type, body)

    def _do(self, path: str, media_type: str, body: bytes) -> Answer:
        if path == "/letters/create":
            return self._create(str(fields_of(media_type, body)["idempotency_key"]), media_type.encode() + body)
        if path == "/letters/cancel":
            letter = self._by_id(body.decode().removeprefix("id="))
            if not letter or letter["status"] != "received":
                return failed("cannot be cancelled", 200)
            letter["status"] = "cancelled"
            return succeeded(1)
        if path.startswith("/letters/get/"):
            letter = self._by_id(path.rpartition("/")[2])
            return succeeded(letter) if letter else failed("Not found", 404)
        *_, status, tag = path.split("/")
        found = [one for one in self.letters.values() if one["status"] == status and tag in one["tags"].split(",")]
        return listed(*found)

    def _create(self, key: str, body: bytes) -> Answer:
        if self.bodies.get(key) == body:
            return succeeded(self.letters[key], 409)
        self.bodies[key] = body
        self.letters[key] = taken(id=LETTER_ID + len(self.letters))
        return succeeded(self.letters[key])

    def _by_id(self, letter_id: str) -> dict[str, Any] | None:
        return next((one for one in self.letters.values() if str(one["id"]) == letter_id), None)


def fields_of(media_type: str, body: bytes) -> Fields:
    """The fields of a form as they were sent; a file comes as bytes."""
    parsed = email.message_from_bytes(f"Content-Type: {media_type}\r\n\r\n".encode() + body)
    fields: Fields = {}
    for part in parsed.walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            fields[name] = content if part.get_filename() else content.decode()
    return fields


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def url(account: Account) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            # Basic, with the key as the user and no password.
            assert self.headers["Authorization"] == "Basic YSBrZXkgZm9yIHRlc3RzIG9ubHk6"
            said = account.answer(self.command, self.path, self.headers.get("Content-Type", ""), body)
            if said.fault == "drop":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(said.status)
            for name, value in (said.headers | {"Content-Length": str(len(said.body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def settings_at(settings: Settings, url: str, **changes: Any) -> Settings:
    vendor = CASE.settings | {"url": url, "timeout_seconds": 2} | changes
    return Settings.model_validate(
        {"business": settings.business.model_dump(by_alias=True), "providers": {"stannp": vendor}}
    )


@pytest.fixture
def stannp(settings: Settings, url: str) -> Iterator[Stannp]:
    provider = open_provider(settings_at(settings, url))
    yield provider
    provider.close()


# --- one letter ---


def test_it_has_the_manners_of_a_provider_that_takes_keys_for_an_hour(stannp: Stannp) -> None:
    provider: Provider = stannp
    assert (provider.name, provider.channels) == ("stannp", frozenset({"letter"}))
    assert (provider.key_life, provider.absent_after, provider.per_second) == (
        timedelta(hours=1),
        timedelta(hours=1),
        4,
    )
    assert isinstance(stannp, Cancels)
    assert stannp.cancel_window == timedelta(0)


def test_the_window_for_cancelling_is_what_the_business_sets(settings: Settings, url: str) -> None:
    provider = open_provider(settings_at(settings, url, cancel_hours=2))
    assert provider.cancel_window == timedelta(hours=2)
    provider.close()


def test_the_pdf_the_address_and_our_marks_go_as_they_were_sealed(stannp: Stannp, account: Account) -> None:
    assert stannp.send(LETTER) == str(LETTER_ID)
    [(method, path, media_type, body)] = account.asked
    assert (method, path) == ("POST", "/letters/create")
    assert fields_of(media_type, body) == {
        "test": "false", "clearzone": "true", "duplex": "false", "size": "US-LETTER", "tags": REFERENCE,
        "idempotency_key": f"{REFERENCE}.1", "recipient[firstname]": "Ms Maria Lopez",
        "recipient[address1]": "12 Elm St", "recipient[city]": "Winooski", "recipient[state]": "VT",
        "recipient[zipcode]": "05404", "recipient[country]": "US", "recipient[ref_id]": f"{REFERENCE}.1",
        "file": LETTER.content,
    }  # fmt: skip


def test_a_letter_to_london_is_on_a4_and_names_its_second_street_line(
    settings: Settings, url: str, account: Account, tmp_path: Path
) -> None:
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(width=595.28, height=841.89)
    writer.write(tmp_path / "a4.pdf")
    provider = open_provider(settings_at(settings, url, double_sided=True))
    provider.send(letter_to(TO_LONDON, content=(tmp_path / "a4.pdf").read_bytes()))
    provider.close()
    fields = fields_of(*account.asked[0][2:])
    assert (fields["size"], fields["duplex"]) == ("A4", "true")
    assert (fields["recipient[firstname]"], fields["recipient[address2]"]) == ("Zoë O’Hara", "Flat 2")
    assert "recipient[state]" not in fields


def test_a_second_try_under_the_same_key_is_the_same_to_the_byte_and_is_known_as_a_replay(
    stannp: Stannp, account: Account
) -> None:
    stannp.send(LETTER)
    with pytest.raises(AlreadyAccepted) as known:
        stannp.send(LETTER)
    assert known.value.provider_id == str(LETTER_ID)
    assert account.asked[0] == account.asked[1]
    assert len(account.letters) == 1


def test_a_try_that_was_cut_off_after_it_arrived_is_one_letter_after_the_next_try(
    stannp: Stannp, account: Account
) -> None:
    arrive = account._do

    def arrive_and_drop(path: str, media_type: str, body: bytes) -> Answer:
        account._do = arrive  # type: ignore[method-assign]
        arrive(path, media_type, body)
        return Answer(fault="drop")

    account._do = arrive_and_drop  # type: ignore[method-assign]
    with pytest.raises(OutcomeUnknown):
        stannp.send(LETTER)
    with pytest.raises(AlreadyAccepted):
        stannp.send(LETTER)
    assert len(account.letters) == 1


@pytest.mark.parametrize(("what", "answer", "error"), FAILURES, ids=[what for what, _, _ in FAILURES])
def test_each_documented_answer_says_what_is_known_and_repeats_nothing_of_the_customer(
    stannp: Stannp, account: Account, what: str, answer: Answer, error: type[DeliveryError]
) -> None:
    account.faults = [answer]
    with pytest.raises(error) as raised:
        stannp.send(LETTER)
    assert type(raised.value) is error
    assert not any(word in str(raised.value) for word in ("Maria", "Lopez", "Elm", "Winooski", "key for tests"))


def test_a_429_says_when_to_try_again_in_seconds_from_now(stannp: Stannp, account: Account) -> None:
    account.faults = [failed("Too many requests", 429, **{"X-RateLimit-Reset": "12"})]
    with pytest.raises(NotSent) as refused:
        stannp.send(LETTER)
    assert refused.value.after == timedelta(seconds=12)


def test_a_letter_is_refused_at_the_door_when_it_is_no_pdf_too_long_or_has_no_address(
    stannp: Stannp, account: Account
) -> None:
    for wrong in (
        replace(LETTER, content=b"words"),
        replace(LETTER, content=pdf_saying("long", 11)),
        replace(LETTER, recipient={name: value for name, value in TO_VERMONT.items() if name != "streets"}),
        replace(LETTER, recipient=TO_VERMONT | {"postal_code": ""}),
    ):
        with pytest.raises(Refused, match=REFERENCE):
            stannp.send(wrong)
    assert account.asked == []


def test_a_sender_without_time_sends_nothing(stannp: Stannp, account: Account) -> None:
    def run_out() -> None:
        raise NotSent("held up")

    with pytest.raises(NotSent, match="held up"):
        stannp.send(replace(LETTER, require_time=run_out))
    assert account.asked == []


# --- looking up ---


def test_a_letter_is_found_by_its_tag_whatever_its_status(stannp: Stannp, account: Account) -> None:
    stannp.send(LETTER)
    stannp.send(letter_to(TO_VERMONT, reference="AAAA-BBBB-CCCC", key="AAAA-BBBB-CCCC.1"))
    account.letters["AAAA-BBBB-CCCC.1"]["tags"] = "AAAA-BBBB-CCCC"
    for status in STATUSES[:-1]:
        account.letters[LETTER.key]["status"] = status
        assert stannp.find(LETTER) == [str(LETTER_ID)], status


def test_a_letter_that_was_cancelled_on_their_pages_is_told_apart_from_one_that_is_there(
    stannp: Stannp, account: Account
) -> None:
    stannp.send(LETTER)
    account.letters[LETTER.key]["status"] = "cancelled"
    found = stannp.find(LETTER)
    assert isinstance(found, LookupResult)
    assert (found, found.cancelled) == ([], [str(LETTER_ID)])
    assert found.at is not None


def test_what_is_compared_under_a_key_is_every_byte_that_would_be_asked(
    stannp: Stannp, account: Account, settings: Settings, url: str
) -> None:
    """A form that differs by one word would be a second letter, whatever its key."""
    both_sides = open_provider(settings_at(settings, url, double_sided=True))
    assert stannp.request_hash(LETTER) == stannp.request_hash(LETTER)
    assert both_sides.request_hash(LETTER) != stannp.request_hash(LETTER)
    stannp.send(LETTER)
    both_sides.send(LETTER)
    both_sides.close()
    assert account.asked[0] != account.asked[1]
    other_words = replace(LETTER, content=pdf_saying("Good evening"))
    assert stannp.request_hash(other_words) != stannp.request_hash(LETTER)


def test_every_try_of_a_letter_is_found_once(stannp: Stannp, account: Account) -> None:
    stannp.send(LETTER)
    stannp.send(replace(LETTER, key=f"{REFERENCE}.2"))
    assert stannp.find(LETTER) == [str(LETTER_ID), str(LETTER_ID + 1)]


def test_a_letter_that_moves_on_while_it_is_looked_for_is_met_again(stannp: Stannp, account: Account) -> None:
    stannp.send(LETTER)
    letter, look = account.letters[LETTER.key], account._do

    def move_before(path: str, media_type: str, body: bytes) -> Answer:
        answer = look(path, media_type, body)
        if letter["status"] == "received":
            letter["status"] = "producing"
        return answer

    letter["status"] = "producing"
    assert stannp.find(LETTER) == [str(LETTER_ID)]
    letter["status"] = "received"
    account._do = move_before  # type: ignore[method-assign]
    assert stannp.find(LETTER) == [str(LETTER_ID)]


def test_the_look_up_reaches_back_behind_a_restored_backup(stannp: Stannp, account: Account) -> None:
    assert stannp.find(LETTER) == []
    assert account.asked[0][1] == f"/reporting/list/2025-12-10/2026-04-09/received/{REFERENCE}"
    assert len(account.asked) == len(STATUSES)


def test_what_a_look_up_lists_without_our_tag_is_not_ours(stannp: Stannp, account: Account) -> None:
    account.faults = [listed(piece(tags=f"spring,{REFERENCE}X"), piece(tags=""), piece(tags=f"a, {REFERENCE}", id=7))]
    assert stannp.find(LETTER) == ["7"]


@pytest.mark.parametrize(
    "answer",
    [
        failed("Not found", 404), failed("no", 200), failed("no", 401), failed("busy", 429), failed("error", 503),
        succeeded([]), succeeded({"singles": None}), listed("?"), listed({"id": "1"}), listed({"tags": REFERENCE}),
        Answer(200, b"<html>"), Answer(fault="drop"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("after", [0, len(STATUSES) - 1])
def test_a_look_up_that_was_not_clearly_answered_to_the_end_proves_nothing(
    stannp: Stannp, account: Account, answer: Answer, after: int
) -> None:
    account.faults = [*(listed() for _ in range(after)), answer]
    with pytest.raises(NoAnswer):
        stannp.find(LETTER)


# --- cancelling ---


def test_a_letter_is_cancelled_once_and_says_so_again(stannp: Stannp) -> None:
    provider_id = stannp.send(LETTER)
    assert stannp.cancel(provider_id) is True
    assert stannp.cancel(provider_id) is True


def test_a_letter_that_is_being_printed_is_not_cancelled_any_more(stannp: Stannp, account: Account) -> None:
    provider_id = stannp.send(LETTER)
    account.letters[LETTER.key]["status"] = "producing"
    assert stannp.cancel(provider_id) is False


@pytest.mark.parametrize("answers", [[failed("error", 500)], [failed("no", 200), failed("no", 200)], []])
def test_a_cancelling_that_is_not_clearly_answered_proves_nothing(
    stannp: Stannp, account: Account, answers: list[Answer]
) -> None:
    account.faults = answers
    with pytest.raises(NoAnswer):
        stannp.cancel(str(LETTER_ID))


def test_a_letter_whose_own_id_is_not_known_is_cancelled_by_a_person(stannp: Stannp, account: Account) -> None:
    with pytest.raises(NoAnswer, match="on their pages"):
        stannp.cancel(f"by hand {REFERENCE}.1")
    assert account.asked == []


# --- webhooks ---


def test_the_vectors_of_the_contract_are_told_apart(settings: Settings, shared: Path) -> None:
    vectors = json.loads((shared / "contracts" / "webhook-vectors.json").read_text(encoding="utf-8"))
    listed_there = vectors if isinstance(vectors, list) else next(v for v in vectors.values() if isinstance(v, list))
    ours = [vector for vector in listed_there if vector["vendor"] == "stannp"]
    assert {vector["valid"] for vector in ours} == {True, False}
    for vector in ours:
        stannp = open_provider(settings_at(settings, "http://127.0.0.1:1", webhook_secret=vector["secret"]))
        headers = {name.lower(): value for name, value in vector["headers"].items()}
        request = WebhookRequest(CALLED, headers, vector["body"].encode(), NOW)
        if vector["valid"]:
            [report] = stannp.parse_events(request)
            assert (report.kind, report.provider_id, report.reference) == ("in_transit", "1", None)
        else:
            with pytest.raises(WebhookRefused):
                stannp.parse_events(request)
        stannp.close()


def test_a_redelivery_has_the_event_id_of_the_first(stannp: Stannp) -> None:
    [first] = stannp.parse_events(sign(event(taken(status="delivered")), NOW))
    later = sign(event(taken(id=9), taken(status="delivered"), retries=2), NOW + timedelta(seconds=60))
    [_, again] = stannp.parse_events(later)
    assert again.event_id == first.event_id
    [other] = stannp.parse_events(sign(event(taken(status="returned")), NOW))
    assert other.event_id != first.event_id


def test_what_is_kept_of_a_webhook_has_no_name_and_no_address(stannp: Stannp) -> None:
    [report] = stannp.parse_events(sign(event(taken(status="delivered", firstname="Maria", address1="12 Elm St")), NOW))
    assert b"Maria" not in report.raw
    assert b"Elm" not in report.raw


def test_a_letter_that_was_not_ours_is_reported_without_a_reference(stannp: Stannp) -> None:
    [report] = stannp.parse_events(sign(event(taken(status="delivered", tags="spring")), NOW))
    assert (report.reference, report.provider_id) == (None, str(LETTER_ID))


@pytest.mark.parametrize("name", ["test_url", "campaign_status", "recipient_events"])
def test_other_events_say_nothing(stannp: Stannp, name: str) -> None:
    assert stannp.parse_events(sign(event(name=name), NOW)) == []


@pytest.mark.parametrize("status", ["wished_for", None, 7, "returned "])
def test_a_status_we_have_no_word_for_is_left_out(stannp: Stannp, status: Any) -> None:
    assert stannp.parse_events(sign(event(taken(status=status)), NOW)) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"event": "mailpiece_status"}', event("?")])
def test_a_signed_body_that_is_not_in_their_format_is_refused(stannp: Stannp, body: bytes) -> None:
    with pytest.raises(WebhookRefused):
        stannp.parse_events(sign(body, NOW))


def test_an_unsigned_or_a_changed_webhook_is_refused(stannp: Stannp, settings: Settings, url: str) -> None:
    genuine = sign(event(taken(status="delivered")), NOW)
    for forged in (
        replace(genuine, headers={}),
        replace(genuine, headers={"x-stannp-signature": "ÿ"}),
        replace(genuine, body=genuine.body + b" "),
    ):
        with pytest.raises(WebhookRefused, match="does not prove"):
            stannp.parse_events(forged)
    without = open_provider(settings_at(settings, url, webhook_secret=None))
    with pytest.raises(WebhookRefused, match="WEBHOOK_SECRET"):
        without.parse_events(genuine)
    without.close()


# --- the contract ---


def test_every_request_keeps_the_contract(stannp: Stannp, account: Account, url: str, shared: Path) -> None:
    contract = yaml.safe_load((shared / "contracts" / "stannp.yaml").read_text(encoding="utf-8"))
    checked = OpenAPI.from_dict(contract | {"servers": [{"url": url}]})
    stannp.send(LETTER)
    stannp.send(letter_to(TO_LONDON, key=f"{REFERENCE}.2"))
    stannp.find(LETTER)
    stannp.cancel(str(LETTER_ID))
    stannp.cancel(str(LETTER_ID))
    assert len(account.asked) == 2 + len(STATUSES) + 3
    headers = {"Authorization": "Basic YSBrZXkgZm9yIHRlc3RzIG9ubHk6"}
    for method, path, media_type, body in account.asked:
        checked.validate_request(MockRequest(url, method, path, headers=headers, data=body, content_type=media_type))
    first = account.asked[0]
    broken = first[3].replace(b'name="size"\r\n\r\nUS-LETTER', b'name="size"\r\n\r\nLEGAL')
    with pytest.raises(Exception, match="body"):
        checked.validate_request(
            MockRequest(url, "POST", first[1], headers=headers, data=broken, content_type=first[2])
        )
