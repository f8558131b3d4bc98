"""Handwrytten in its own words, for the shared suite: answers as the contract rebuilt from its SDK has them."""

import json
from collections.abc import Sequence
from typing import Any

from conftest import NOW, TODAY
from outreach.delivery.providers import Handover
from outreach.errors import DeliveryError, NotSent, OutcomeUnknown
from vendor_case import Answer, VendorCase

REFERENCE = "K7QF-2M9X-TB4D"
ORDER_ID = 9517
WORDS = "Dear Ada,\n\nThank you for staying — it’s been three years.\n\nWarmly,\nNora Whitcomb"
TO_VERMONT = {
    "name": "Ms Maria Lopez", "streets": ["12 Elm St", "Apt 2"], "city": "Winooski", "region": "VT",
    "postal_code": "05404", "country": "US", "lines": ["12 Elm St", "Apt 2", "Winooski, VT 05404"],
}  # fmt: skip
TO_LONDON = {
    "name": "Zoë", "streets": ["221B Baker Street"], "city": "London", "region": "", "postal_code": "NW1 6XE",
    "country": "GB", "lines": ["221B Baker Street", "London", "NW1 6XE"],
}  # fmt: skip


def words_to(recipient: dict[str, Any], **changes: Any) -> Handover:
    values: dict[str, Any] = {
        "reference": REFERENCE, "key": f"{REFERENCE}.1", "channel": "letter", "recipient": recipient,
        "content": WORDS.encode(), "media_type": "text/plain", "on": TODAY, "batch_id": "B1", "begun_at": NOW,
    }  # fmt: skip
    return Handover(**(values | changes))


def in_json(said: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(said).encode(), {"Content-Type": "application/json"} | headers)


def marks(reference: str, number: int = 1) -> str:
    return json.dumps({"reference": reference, "key": f"{reference}.{number}"})


def basket(*items: Any) -> Answer:
    return in_json({"items": list(items), "totals": {}, "test_mode": 0})


def draft(reference: str = REFERENCE, item_id: int = ORDER_ID) -> dict[str, Any]:
    return {"basket_id": item_id, "id": item_id, "status": "basket", "client_metadata": marks(reference)}


def orders(*items: Any) -> Answer:
    return in_json({"orders": list(items)})


def order(reference: str = REFERENCE, order_id: int = ORDER_ID, **changes: Any) -> dict[str, Any]:
    return {"id": order_id, "status": "processing", "client_metadata": marks(reference)} | changes


def accepted(handover: Handover) -> Sequence[Answer]:
    """The basket and the orders are looked at, the draft is placed and looked at, and then the basket is sent."""
    sent = in_json({"status": "ok", "order_id": [ORDER_ID]})
    return [basket(), orders(), in_json({"order_id": ORDER_ID}), basket(draft(handover.reference)), sent]


FAILURES: Sequence[tuple[str, Answer, type[DeliveryError]]] = [
    ("401", in_json({"message": "Invalid or missing API key"}, 401), NotSent),
    ("402", in_json({"message": "payment"}, 402), NotSent),
    ("429", in_json({"message": "Too many requests"}, 429, **{"Retry-After": "7"}), NotSent),
    ("408", in_json({"message": "timeout"}, 408), OutcomeUnknown),
    ("500", in_json({"message": "server error"}, 500), OutcomeUnknown),
    ("200 with an error", in_json({"status": "error", "message": "?"}), OutcomeUnknown),
    ("200 that cannot be read", Answer(200, b"<html>", {"Content-Type": "text/html"}), OutcomeUnknown),
    ("302 to somewhere else", Answer(302, b"", {"Location": "/v3"}), OutcomeUnknown),
]

CASE = VendorCase(
    name="handwrytten",
    contract="handwrytten.yaml",
    settings={"api_key": "a key for tests only", "card_id": "3404", "font": "hwDavid"},
    handovers=[words_to(TO_VERMONT), words_to(TO_LONDON)],
    provider_id=str(ORDER_ID),
    accepted=accepted,
    failures=FAILURES,
    found=lambda handover: [orders(order("AAAA-BBBB-CCCC", 9516), order(handover.reference)), orders()],
    not_found=lambda _: [orders(order("AAAA-BBBB-CCCC", 9516)), orders()],
)
