"""Gives letters to Handwrytten, which writes plain text with robot pens, and returns the id of its order.

Contract: handwrytten.yaml, rebuilt from the vendor's SDK 1.5.0, and the vendor's swagger.json
(handwrytten/handwrytten-python-sdk @bc7e30c). An account has one basket, and sending it orders everything in it: only
one sender at a time may use it, and it must never be sent with anything in it but the one letter.
"""

import fcntl
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from outreach.channels import LETTER
from outreach.delivery.providers.http import (
    ask,
    hand_over,
    open_client,
    read_json,
    require_not_refused_as_busy,
)
from outreach.delivery.providers.protocol import NO_KEYS, Handover, Report, WebhookRequest
from outreach.errors import (
    AlreadyAccepted,
    NoAnswer,
    NotSent,
    OutcomeUnknown,
    Refused,
    SettingsError,
    WebhookRefused,
)
from outreach.settings import ReturnAddress, Settings
from outreach.settings.providers import HandwryttenSettings
from outreach.settings.secrets import secret_of

# What it replaces in a message before it writes it: merge fields, and codes of signatures such as <sig:25RG>.
REPLACED = re.compile(r"[{}<>]")
PER_PAGE, MOST_PAGES = 50, 40
# An attempt put on record after a restored backup begins later than the letter that it stands for.
LOOK_BACK = timedelta(days=90)
# What an id is called: in the basket, in the list of orders, and in the answers to placing and sending.
DRAFT, ORDER, ANSWER = ("basket_id", "id"), ("id", "order_id"), ("order_id", "basket_id", "id")
# What swagger.json lists as errors of placing that are about the card, the hand or the account, not about the letter.
ABOUT_US = ("card", "font", "insufficient quantity", "cannot buy", "no return info", "coupon", "insert", "no uid")

Item = Mapping[str, Any]


def open_provider(settings: Settings) -> "Handwrytten":
    """Raises SettingsError when the card, the hand or the return address is not set."""
    vendor, sender = settings.providers.handwrytten, settings.business.return_address
    if not vendor.card_id.isdecimal() or not vendor.font:
        raise SettingsError("Set providers.handwrytten.card_id and font: a card's number and a hand from its lists")
    if sender is None:
        raise SettingsError("Handwrytten needs an address that letters come back to: set business.return_address")
    return Handwrytten(vendor, _return_fields(settings.business.name, sender))


class Handwrytten:
    """It takes no keys, sends no webhooks, and lets nothing be cancelled once the basket is sent."""

    name = "handwrytten"
    channels = frozenset({LETTER.name})
    key_life = NO_KEYS

    def __init__(self, settings: HandwryttenSettings, return_fields: Mapping[str, str]) -> None:
        self.per_second = settings.per_second
        self.absent_after: timedelta | None = timedelta(minutes=settings.absent_after_minutes)
        self._card_id, self._font, self._return_fields = int(settings.card_id), settings.font, dict(return_fields)
        api_key = secret_of(settings.api_key)
        account = hashlib.sha256(api_key.encode()).hexdigest()[:16]
        self._lock = Path(tempfile.gettempdir()) / f"outreach-handwrytten-{account}.lock"
        self._client = open_client(settings, headers={"Authorization": api_key, "Accept": "application/json"})

    def close(self) -> None:
        self._client.close()

    def send(self, handover: Handover) -> str:
        """The id of the order. Whatever fails before the basket is sent is NotSent: a draft is not written."""
        body = self._order_of(handover)
        handover.require_time()
        with _alone(self._lock):
            with _nothing_is_written():
                self._clear_leftovers()
                self._require_not_ordered(handover)
                draft = self._require_only(handover, self._place(handover, body))
            return self._send_basket(handover, draft)

    def find(self, handover: Handover) -> list[str]:
        """The ids of the orders that carry our reference.

        That an order gives client_metadata back is not published: where none does, nothing is said. Past baskets are
        not asked, for they list no more than cards and prices (swagger.json).
        """
        orders = self._orders_since(handover.begun_at - LOOK_BACK)
        if orders and not any(order.get("client_metadata") for order in orders):
            raise NoAnswer("Handwrytten does not say which letters its orders are; look among its past orders yourself")
        return [_id_in(order, ORDER) for order in orders if _marks_in(order)[0] == handover.reference]

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        raise WebhookRefused("Handwrytten sends no webhooks")

    def _order_of(self, handover: Handover) -> dict[str, Any]:
        """The draft of one letter. Its words stand at the address too, where they are read when it is given in full."""
        words = _words_of(handover)
        address = {**_recipient_fields(handover), **self._return_fields, "message": words}
        return {
            "card_id": self._card_id,
            "font": self._font,
            "auto_font_size": True,
            "message": words,
            "addresses": [address],
            "check_quantity": True,
            "client_metadata": json.dumps({"reference": handover.reference, "key": handover.key}),
        }

    def _clear_leftovers(self) -> None:
        """Takes our own drafts out of the basket. Raises NotSent where there is anything else in it."""
        items = self._basket()
        if not all(_marks_in(item)[0] for item in items):
            raise NotSent("Something that is not ours is in Handwrytten's basket; send it or empty the basket there")
        for item in items:
            removing = self._client.build_request("POST", "/basket/remove", json={"id": int(_id_in(item, DRAFT))})
            ask(self._client, removing)
        if items and self._basket():
            raise NotSent("A draft of ours stays in Handwrytten's basket; empty it there, and deliver again")

    def _require_not_ordered(self, handover: Handover) -> None:
        """A draft that arrived too late to be seen may have gone out with the basket of the next letter."""
        for order in self._orders_on(1):
            # One that a person has cancelled there may well be sent again.
            if _marks_in(order)[0] == handover.reference and order.get("status") != "cancelled":
                raise AlreadyAccepted(_id_in(order, ORDER))

    def _place(self, handover: Handover, body: Mapping[str, Any]) -> str:
        """The id of the draft, as far as it was named."""
        request = self._client.build_request("POST", "/orders/placeBasket", json=body)
        response = hand_over(self._client, request, handover.require_time)
        require_not_refused_as_busy("Handwrytten", response)
        status, answer = response.status_code, read_json(response)
        if response.is_success:
            return _id_in(answer, ANSWER) if isinstance(answer, dict) else ""
        if not response.is_client_error or status in {404, 405, 408}:
            raise NotSent(f"Handwrytten answered {status} before anything was ordered; the next run tries again")
        if any(word in _error_in(answer) for word in ABOUT_US):
            raise NotSent(f"Handwrytten cannot write this card ({status}); look at card_id, font and its stock there")
        raise Refused(f"Handwrytten refuses {handover.reference} ({status}); check the customer's address")

    def _require_only(self, handover: Handover, placed: str) -> str:
        """The id of our draft, which is all that is in the basket."""
        items = self._basket()
        if len(items) != 1 or not _is_draft_of(items[0], handover, placed):
            raise NotSent(f"Handwrytten's basket does not hold {handover.reference} alone; the next run tries again")
        return _id_in(items[0], DRAFT)

    def _send_basket(self, handover: Handover, draft: str) -> str:
        # Handwrytten refuses this where the account is in test mode, and so would write nothing.
        request = self._client.build_request("POST", "/basket/send", json={"test_mode": 0, "check_quantity": True})
        response = hand_over(self._client, request, handover.require_time)
        require_not_refused_as_busy("Handwrytten", response)
        status, body = response.status_code, read_json(response)
        if response.is_success and isinstance(body, dict) and body.get("status", "ok") == "ok":
            return _ordered_id(body) or draft
        # An earlier try's answer may still be under way and have emptied the basket: a draft that is there is proof.
        if response.is_client_error and status != 408 and self._still_holds(handover, draft):
            raise NotSent(f"Handwrytten did not take the order ({status}); look there for test mode, payment and stock")
        raise OutcomeUnknown(f"Handwrytten answered {status} to {handover.reference}; it may be written. Look it up")

    def _still_holds(self, handover: Handover, draft: str) -> bool:
        try:
            return any(_is_draft_of(item, handover, draft) for item in self._basket())
        except NoAnswer:
            return False

    def _basket(self) -> Sequence[Item]:
        body = read_json(ask(self._client, self._client.build_request("GET", "/basket/allNew")))
        return _items_in(body, ("items",), DRAFT)

    def _orders_on(self, page: int) -> Sequence[Item]:
        pages = {"page": page, "per_page": PER_PAGE}
        body = read_json(ask(self._client, self._client.build_request("GET", "/orders/list", params=pages)))
        return _items_in({"orders": body} if isinstance(body, list) else body, ("orders", "results"), ORDER)

    def _orders_since(self, since: datetime) -> Sequence[Item]:
        """All orders, or where the list shows that it runs backwards in time, those since `since` at least."""
        orders: dict[str, Item] = {}
        for page in range(1, MOST_PAGES + 1):
            # A server that knows no pages gives the same ones again.
            listed = {_id_in(order, ORDER): order for order in self._orders_on(page)}
            fresh = {order_id: order for order_id, order in listed.items() if order_id not in orders}
            orders |= fresh
            if not fresh or _are_all_before(since, list(fresh.values())):
                return list(orders.values())
        raise NoAnswer(f"Handwrytten has more than {MOST_PAGES * PER_PAGE} orders to look through; look there yourself")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds the account's basket against every other sender on this machine, or raises NotSent at once."""
    try:
        # Everybody may write into the folder for temporary files: a link that somebody has laid there is not followed.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise NotSent(f"{path} cannot be opened ({error.strerror}); only one user may send by Handwrytten") from error
    try:
        _lock_at_once(handle)
        yield
    finally:
        os.close(handle)


def _lock_at_once(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise NotSent("Another sender is using Handwrytten's basket; the next run tries again") from error


@contextmanager
def _nothing_is_written() -> Iterator[None]:
    """Says what an unclear answer means as long as the basket has not been sent."""
    try:
        yield
    except (NoAnswer, OutcomeUnknown) as error:
        what = "Handwrytten gave no clear answer before anything was ordered; the next run tries again"
        raise NotSent(what) from error


def _words_of(handover: Handover) -> str:
    """The letter as it was sealed. Raises Refused for what Handwrytten could not write as it stands."""
    if handover.media_type.partition(";")[0] != "text/plain":
        raise Refused(f"{handover.reference} is no plain text, and Handwrytten writes nothing else; compose it anew")
    try:
        words = handover.content.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{handover.reference} is no text that can be written; compose it anew") from error
    if REPLACED.search(words):
        raise Refused(f"{handover.reference} has one of {{ }} < > in it, which Handwrytten replaces; take it out")
    return words


def _recipient_fields(handover: Handover) -> dict[str, str]:
    to = handover.recipient
    streets = to.get("streets")
    if not (isinstance(streets, list) and streets and to.get("city") and to.get("postal_code")):
        raise Refused(f"{handover.reference} has no street, town or postal code; complete the customer's address")
    # On the envelope the two stand side by side again.
    first, _, last = str(to["name"]).rpartition(" ")
    fields = {"first_name": first or last, "last_name": last if first else "", "city": to["city"]}
    fields |= {"state": to.get("region", ""), "zip": to["postal_code"], "country": to["country"]}
    fields |= {"address1": streets[0]} | ({"address2": ", ".join(streets[1:])} if streets[1:] else {})
    return {f"to_{name}": value for name, value in fields.items()}


def _return_fields(name: str, sender: ReturnAddress) -> dict[str, str]:
    fields = {
        "business_name": name,
        "address1": sender.line1,
        "address2": sender.line2,
        "city": sender.city,
        "state": sender.region,
        "zip": sender.postal_code,
        "country": sender.country,
    }
    return {f"from_{name}": value for name, value in fields.items() if value}


def _items_in(body: Any, names: Sequence[str], ids: Sequence[str]) -> Sequence[Item]:
    """The list under the first of `names` that is there; NoAnswer where it is not a list of things with ids."""
    items = next((body[name] for name in names if name in body), None) if isinstance(body, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) and _id_in(item, ids) for item in items):
        raise NoAnswer("Handwrytten did not say clearly what it has")
    return items


def _marks_in(item: Item) -> tuple[str, str]:
    """The reference and the key that we gave it as client_metadata; empty where it is not ours."""
    try:
        marks = json.loads(item.get("client_metadata") or "")
        return str(marks["reference"]), str(marks["key"])
    except (ValueError, TypeError, KeyError):
        return "", ""


def _is_draft_of(item: Item, handover: Handover, draft: str) -> bool:
    if item.get("client_metadata"):
        return _marks_in(item) == (handover.reference, handover.key)
    return bool(draft) and _id_in(item, DRAFT) == draft


def _id_in(item: Item, names: Sequence[str]) -> str:
    """The first id that it has under one of `names`; empty where it has none."""
    values = (str(item.get(name)) for name in names)
    return next((value for value in values if re.fullmatch(r"[1-9][0-9]*", value)), "")


def _ordered_id(body: Item) -> str:
    """The id of the order when the answer names exactly one."""
    named = body.get("order_id")
    one = named[0] if isinstance(named, list) and len(named) == 1 else named
    return _id_in({"id": one}, ("id",))


def _error_in(body: Any) -> str:
    error = (body.get("error") or body.get("message")) if isinstance(body, dict) else ""
    return error.lower() if isinstance(error, str) else ""


def _are_all_before(since: datetime, orders: Sequence[Item]) -> bool:
    """Whether the dates fall from one to the next, as nowhere promised, and all lie before `since`."""
    dates = [date for order in orders if isinstance(date := order.get("date_created"), int)]
    falling = dates == sorted(dates, reverse=True) and dates[0] > dates[-1] if len(dates) == len(orders) else False
    return falling and dates[0] < since.timestamp()
