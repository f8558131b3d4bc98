"""What is particular to Handwrytten: one basket an account, no keys, and letters as plain text."""

import fcntl
import json
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.testing.requests import MockRequest
from openapi_core.validation.request.exceptions import RequestBodyValidationError

from conftest import NOW, TODAY
from outreach.delivery.providers import Provider, WebhookRequest
from outreach.delivery.providers.handwrytten import MOST_PAGES, PER_PAGE, Handwrytten, open_provider
from outreach.delivery.providers.protocol import NO_KEYS
from outreach.errors import (
    AlreadyAccepted,
    NoAnswer,
    NotSent,
    OutcomeUnknown,
    Refused,
    SettingsError,
    WebhookRefused,
)
from outreach.settings import Settings
from vendor_handwrytten import (
    CASE,
    ORDER_ID,
    REFERENCE,
    TO_LONDON,
    TO_VERMONT,
    WORDS,
    draft,
    marks,
    words_to,
)

LETTER = words_to(TO_VERMONT)
SECOND = "AAAA-BBBB-CCCC"


class Account:
    """An account at Handwrytten on this machine: a basket, orders, and what it was asked.

    `faults` answer in place of a path, once; `late` does the work all the same, as a server does that answers too late.
    """

    def __init__(self) -> None:
        self.basket: list[dict[str, Any]] = []
        self.orders: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str, Any]] = []
        self.faults: dict[str, tuple[int, Any]] = {}
        self.late: set[str] = set()
        self.echoes, self.pages, self.next_id = True, True, ORDER_ID

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        where = urlsplit(path)
        self.asked.append((method, where.path, body))
        fault = self.faults.pop(where.path, None)
        if fault is None or where.path in self.late:
            done = self._do(where.path, parse_qs(where.query), body)
        return fault or done

    def _do(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if path == "/orders/placeBasket":
            item = {"basket_id": self.next_id, "id": self.next_id, "status": "basket", "order": body}
            self.basket.append(item | ({"client_metadata": body["client_metadata"]} if self.echoes else {}))
            self.next_id += 1
            return 200, {"order_id": self.next_id - 1}
        if path == "/basket/remove":
            self.basket = [item for item in self.basket if item["id"] != body["id"]]
            return 200, {"status": "ok"}
        if path == "/basket/send":
            sent, self.basket = self.basket, []
            self.orders = [{**item, "status": "processing"} for item in sent] + self.orders
            return (200, {"status": "ok", "order_id": [item["id"] for item in sent]}) if sent else (400, {})
        if path == "/basket/allNew":
            return 200, {"items": self.basket, "totals": {}, "test_mode": 0}
        page, size = int(query["page"][0]), int(query["per_page"][0])
        return 200, {"orders": self.orders[(page - 1) * size : page * size] if self.pages else self.orders}

    @property
    def steps(self) -> list[str]:
        return [path for _, path, _ in self.asked]

    @property
    def written(self) -> list[str]:
        """The references that were ordered, each as often as it was."""
        return [json.loads(order["client_metadata"])["reference"] for order in self.orders]


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def url(account: Account) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            assert self.headers["Authorization"] == CASE.settings["api_key"]
            status, said = account.answer(self.command, self.path, json.loads(sent) if sent else None)
            if status == 0:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

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
    """Settings with an address to come back to, and Handwrytten at `url`."""
    lives = {"line1": "14 Alder Lane", "city": "Burlington", "region": "VT", "postal_code": "05401"}
    business = settings.business.model_dump(by_alias=True) | {"return_address": lives}
    vendor = CASE.settings | {"url": url, "timeout_seconds": 2} | changes
    providers = settings.providers.model_dump(exclude={"handwrytten"}) | {"handwrytten": vendor}
    return Settings.model_validate({"business": business, "providers": providers})


@pytest.fixture
def handwrytten(settings: Settings, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handwrytten]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    provider = open_provider(settings_at(settings, url))
    yield provider
    provider.close()


# --- one letter ---


def test_it_has_the_manners_of_a_provider_without_keys(handwrytten: Handwrytten) -> None:
    provider: Provider = handwrytten
    assert (provider.name, provider.channels, provider.key_life) == ("handwrytten", frozenset({"letter"}), NO_KEYS)
    assert provider.absent_after == timedelta(hours=1)
    assert provider.per_second == 1


def test_a_letter_is_placed_alone_and_then_sent(handwrytten: Handwrytten, account: Account) -> None:
    assert handwrytten.send(LETTER) == str(ORDER_ID)
    assert account.steps == [
        "/basket/allNew", "/orders/list", "/orders/placeBasket", "/basket/allNew", "/basket/send",
    ]  # fmt: skip
    assert account.written == [REFERENCE]
    assert handwrytten.find(LETTER) == [str(ORDER_ID)]


def test_the_words_the_addresses_and_our_marks_go_as_they_were_sealed(
    handwrytten: Handwrytten, account: Account
) -> None:
    handwrytten.send(LETTER)
    [placed] = [body for _, path, body in account.asked if path == "/orders/placeBasket"]
    assert placed == {
        "card_id": 3404, "font": "hwDavid", "auto_font_size": True, "check_quantity": True, "message": WORDS,
        "client_metadata": marks(REFERENCE),
        "addresses": [{
            "to_first_name": "Ms Maria", "to_last_name": "Lopez", "to_address1": "12 Elm St", "to_address2": "Apt 2",
            "to_city": "Winooski", "to_state": "VT", "to_zip": "05404", "to_country": "US",
            "from_business_name": "Alder Lane Dental", "from_address1": "14 Alder Lane", "from_city": "Burlington",
            "from_state": "VT", "from_zip": "05401", "from_country": "US", "message": WORDS,
        }],
    }  # fmt: skip
    assert account.asked[-1][2] == {"test_mode": 0, "check_quantity": True}


def test_every_request_keeps_the_contract(handwrytten: Handwrytten, account: Account, url: str, shared: Path) -> None:
    contract = yaml.safe_load((shared / "contracts" / "handwrytten.yaml").read_text(encoding="utf-8"))
    checked = OpenAPI.from_dict(contract | {"servers": [{"url": url}]})
    account.basket = [draft(SECOND, 5)]
    handwrytten.send(LETTER)
    handwrytten.send(words_to(TO_LONDON, reference=SECOND, key=f"{SECOND}.2"))
    handwrytten.find(LETTER)
    assert len(account.asked) == 14
    for method, path, body in account.asked:
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": "a key"}
        request = MockRequest(url, method.lower(), path, headers=headers, data=data, content_type="application/json")
        checked.validate_request(request)
    broken = json.dumps({"card_id": "3404", "addresses": []}).encode()
    with pytest.raises(RequestBodyValidationError):
        checked.validate_request(MockRequest(url, "post", "/orders/placeBasket", headers=headers, data=broken))


@pytest.mark.parametrize("content", [b"%PDF-1.7 \xff", b"Dear {first_name},", b"Warmly, <sig:25RG>"])
def test_what_it_could_not_write_as_it_stands_is_refused_and_nothing_arrives(
    handwrytten: Handwrytten, account: Account, content: bytes
) -> None:
    with pytest.raises(Refused, match=REFERENCE):
        handwrytten.send(replace(LETTER, content=content))
    assert account.asked == []


def test_a_pdf_is_refused_with_what_to_do(handwrytten: Handwrytten) -> None:
    with pytest.raises(Refused, match="compose it anew"):
        handwrytten.send(replace(LETTER, media_type="application/pdf"))


def test_an_address_without_a_street_is_refused_without_repeating_it(handwrytten: Handwrytten) -> None:
    with pytest.raises(Refused, match="complete the customer's address") as refused:
        handwrytten.send(replace(LETTER, recipient=TO_VERMONT | {"streets": []}))
    assert not any(word in str(refused.value) for word in ("Maria", "Lopez", "Elm", "Winooski"))


# --- the basket ---


def test_a_basket_with_anything_else_in_it_is_left_alone(handwrytten: Handwrytten, account: Account) -> None:
    account.basket = [{"basket_id": 7, "client_metadata": "for aunt May"}, draft()]
    with pytest.raises(NotSent, match="empty the basket"):
        handwrytten.send(LETTER)
    assert (account.steps, len(account.basket), account.orders) == (["/basket/allNew"], 2, [])


@pytest.mark.parametrize("reference", [REFERENCE, SECOND])
def test_a_draft_that_an_earlier_try_of_ours_left_is_taken_out_first(
    handwrytten: Handwrytten, account: Account, reference: str
) -> None:
    account.basket = [draft(reference, 5)]
    handwrytten.send(replace(LETTER, key=f"{REFERENCE}.2"))
    assert account.written == [REFERENCE]
    assert json.loads(account.orders[0]["client_metadata"])["key"] == f"{REFERENCE}.2"


def test_what_comes_into_the_basket_meanwhile_keeps_it_from_being_sent(
    handwrytten: Handwrytten, account: Account
) -> None:
    place = account._do

    def with_another(path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if path == "/orders/placeBasket":
            account.basket.append({"basket_id": 7, "client_metadata": None})
        return place(path, query, body)

    account._do = with_another  # type: ignore[method-assign]
    with pytest.raises(NotSent, match="alone"):
        handwrytten.send(LETTER)
    assert account.orders == []


def test_without_our_marks_in_the_basket_the_draft_is_known_by_its_id(
    handwrytten: Handwrytten, account: Account
) -> None:
    account.echoes = False
    assert handwrytten.send(LETTER) == str(ORDER_ID)


@pytest.mark.parametrize("fault", [(500, {"message": "error placing order"}), (408, {}), (302, {}), (0, None)])
def test_a_draft_that_may_or_may_not_be_there_is_surely_not_sent_and_goes_once_on_the_next_try(
    handwrytten: Handwrytten, account: Account, fault: tuple[int, Any]
) -> None:
    account.faults["/orders/placeBasket"] = fault
    account.late = {"/orders/placeBasket"}
    with pytest.raises(NotSent, match="the next run tries again"):
        handwrytten.send(LETTER)
    assert (len(account.basket), account.orders) == (1, [])
    handwrytten.send(replace(LETTER, key=f"{REFERENCE}.2"))
    assert account.written == [REFERENCE]


def test_a_draft_that_went_out_with_another_letters_basket_is_not_written_twice(
    handwrytten: Handwrytten, account: Account
) -> None:
    account.orders = [{**draft(), "status": "processing"}]
    with pytest.raises(AlreadyAccepted) as known:
        handwrytten.send(replace(LETTER, key=f"{REFERENCE}.2"))
    assert known.value.provider_id == str(ORDER_ID)
    assert account.steps == ["/basket/allNew", "/orders/list"]
    account.orders[0]["status"] = "cancelled"
    handwrytten.send(replace(LETTER, key=f"{REFERENCE}.2"))
    assert len(account.orders) == 2


@pytest.mark.parametrize("step", ["/basket/allNew", "/orders/list"])
@pytest.mark.parametrize("fault", [(503, {}), (200, b"<html>"), (200, {"items": [{}], "orders": None}), (0, None)])
def test_as_long_as_nothing_is_ordered_no_unclear_answer_puts_a_letter_in_doubt(
    handwrytten: Handwrytten, account: Account, step: str, fault: tuple[int, Any]
) -> None:
    account.faults[step] = fault
    with pytest.raises(NotSent, match="before anything was ordered"):
        handwrytten.send(LETTER)
    assert (account.basket, account.orders) == ([], [])


def test_a_leftover_that_cannot_be_taken_out_keeps_the_basket_from_being_sent(
    handwrytten: Handwrytten, account: Account
) -> None:
    account.basket = [draft(SECOND, 5)]
    account.faults["/basket/remove"] = (400, {"message": "bad request"})
    with pytest.raises(NotSent, match="empty it there"):
        handwrytten.send(LETTER)
    assert account.orders == []


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("address error", Refused), ("no such country", Refused), ("message error", Refused), ("bad request", Refused),
        ("no such card", NotSent), ("font error", NotSent), ("insufficient quantity", NotSent),
    ],
)  # fmt: skip
def test_a_refused_draft_is_the_letters_fault_or_ours(
    handwrytten: Handwrytten, account: Account, said: str, error: type[Exception]
) -> None:
    account.faults["/orders/placeBasket"] = (400, {"httpCode": 400, "error": said})
    with pytest.raises(error):
        handwrytten.send(LETTER)
    assert account.orders == []


# --- sending the basket ---


@pytest.mark.parametrize("fault", [(500, {}), (408, {}), (200, b"<html>"), (200, {"status": "error"}), (0, None)])
def test_once_the_basket_was_asked_to_be_sent_only_a_clear_answer_says_what_became_of_it(
    handwrytten: Handwrytten, account: Account, fault: tuple[int, Any]
) -> None:
    account.faults["/basket/send"] = fault
    account.late = {"/basket/send"}
    with pytest.raises(OutcomeUnknown):
        handwrytten.send(LETTER)
    assert handwrytten.find(LETTER) == [str(ORDER_ID)]


def test_a_basket_that_was_not_taken_and_still_holds_the_draft_is_surely_not_sent(
    handwrytten: Handwrytten, account: Account
) -> None:
    account.faults["/basket/send"] = (400, {"error": "test mode error"})
    with pytest.raises(NotSent, match="test mode"):
        handwrytten.send(LETTER)
    assert handwrytten.send(LETTER) == str(ORDER_ID + 1)
    assert account.written == [REFERENCE]


def test_a_basket_that_was_refused_because_it_had_gone_out_already_is_in_doubt(
    handwrytten: Handwrytten, account: Account
) -> None:
    account.faults["/basket/send"] = (400, {"error": "empty"})
    account.late = {"/basket/send"}
    with pytest.raises(OutcomeUnknown):
        handwrytten.send(LETTER)
    assert account.written == [REFERENCE]


def test_a_429_is_surely_not_sent_and_says_when_to_try_again(handwrytten: Handwrytten, account: Account) -> None:
    account.faults["/basket/send"] = (429, {})
    with pytest.raises(NotSent, match="429"):
        handwrytten.send(LETTER)
    assert account.orders == []


def test_a_sender_without_time_sends_nothing(handwrytten: Handwrytten, account: Account) -> None:
    calls = iter([None, None, NotSent("held up")])

    def run_out() -> None:
        if problem := next(calls):
            raise problem

    with pytest.raises(NotSent, match="held up"):
        handwrytten.send(replace(LETTER, require_time=run_out))
    assert "/basket/send" not in account.steps


def test_a_second_sender_waits_for_its_next_run_and_touches_nothing(
    handwrytten: Handwrytten, account: Account, tmp_path: Path
) -> None:
    handwrytten.send(LETTER)
    [lock] = tmp_path.glob("outreach-handwrytten-*.lock")
    assert CASE.settings["api_key"] not in lock.name
    account.asked.clear()
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(NotSent, match="Another sender"):
            handwrytten.send(words_to(TO_LONDON, reference=SECOND, key=f"{SECOND}.1"))
        assert account.asked == []
    handwrytten.send(words_to(TO_LONDON, reference=SECOND, key=f"{SECOND}.1"))
    assert account.written == [SECOND, REFERENCE]


def test_eight_senders_at_once_order_each_letter_at_most_once_and_never_anothers(
    settings: Settings, handwrytten: Handwrytten, account: Account, url: str
) -> None:
    letters = [words_to(TO_VERMONT, reference=f"R{n}", key=f"R{n}.1") for n in range(8)]
    accepted: list[str] = []

    def send(number: int) -> None:
        provider = open_provider(settings_at(settings, url))
        try:
            provider.send(letters[number])
            accepted.append(letters[number].reference)
        except NotSent:
            pass
        finally:
            provider.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert accepted
    assert sorted(account.written) == sorted(accepted)
    assert account.basket == []


def test_a_lock_that_cannot_be_opened_sends_nothing(handwrytten: Handwrytten, account: Account, tmp_path: Path) -> None:
    handwrytten.send(LETTER)
    [lock] = tmp_path.glob("outreach-handwrytten-*.lock")
    lock.unlink()
    lock.symlink_to(tmp_path / "elsewhere")
    account.asked.clear()
    with pytest.raises(NotSent, match="only one user"):
        handwrytten.send(LETTER)
    assert account.asked == []


# --- looking up ---


def test_orders_that_do_not_give_our_marks_back_prove_nothing(handwrytten: Handwrytten, account: Account) -> None:
    account.orders = [{"id": 5, "status": "processing"}, {"id": 6, "client_metadata": None}]
    with pytest.raises(NoAnswer, match="look among its past orders"):
        handwrytten.find(LETTER)


def test_an_account_without_orders_has_none_of_ours(handwrytten: Handwrytten) -> None:
    assert handwrytten.find(LETTER) == []


@pytest.mark.parametrize("pages", [True, False])
def test_every_page_of_orders_is_looked_through(handwrytten: Handwrytten, account: Account, pages: bool) -> None:
    account.pages = pages
    account.orders = [{"id": n, "client_metadata": marks(f"R{n}")} for n in range(1, 2 * PER_PAGE)]
    account.orders += [{"id": 900, "client_metadata": marks(REFERENCE)}]
    assert handwrytten.find(LETTER) == ["900"]
    assert len(account.steps) == (3 if pages else 2)


def test_more_orders_than_can_be_looked_through_prove_nothing(handwrytten: Handwrytten, account: Account) -> None:
    account.orders = [{"id": n, "client_metadata": marks(f"R{n}")} for n in range(1, PER_PAGE * MOST_PAGES + 2)]
    with pytest.raises(NoAnswer, match="2000 orders"):
        handwrytten.find(LETTER)


@pytest.mark.parametrize(("newest_first", "steps"), [(True, 3), (False, 5)])
def test_a_list_that_shows_itself_to_run_backwards_is_left_once_it_is_old(
    handwrytten: Handwrytten, account: Account, newest_first: bool, steps: int
) -> None:
    first = int((NOW - timedelta(days=90 + 2 * PER_PAGE)).timestamp())
    dates = [first + 86_400 * day for day in range(3 * PER_PAGE + 10)]
    dated = [{"id": n, "date_created": at, "client_metadata": marks(f"R{n}")} for n, at in enumerate(dates, start=1)]
    account.orders = dated[::-1] if newest_first else dated
    assert handwrytten.find(LETTER) == []
    assert len(account.steps) == steps


# --- what must be set, and what there is not ---


@pytest.mark.parametrize(("changes", "named"), [({"card_id": ""}, "card_id"), ({"font": ""}, "font")])
def test_without_a_card_or_a_hand_it_does_not_open(settings: Settings, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        open_provider(settings_at(settings, "http://127.0.0.1:1", **changes))


def test_without_an_address_to_come_back_to_it_does_not_open(settings: Settings) -> None:
    opened = settings_at(settings, "http://127.0.0.1:1")
    business = opened.business.model_copy(update={"return_address": None})
    with pytest.raises(SettingsError, match="return_address"):
        open_provider(opened.model_copy(update={"business": business}))


def test_it_has_no_webhooks(handwrytten: Handwrytten) -> None:
    with pytest.raises(WebhookRefused, match="no webhooks"):
        handwrytten.parse_events(WebhookRequest("https://outreach.invalid/webhooks/handwrytten", {}, b"{}", NOW))
    assert LETTER.on == TODAY
