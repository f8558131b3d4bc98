"""Stannp in its own words, for the shared suite: answers as the vendor's reference has them."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from approved import pdf_saying
from conftest import NOW, TODAY
from outreach.delivery.providers import Handover, Report, WebhookRequest
from outreach.delivery.providers.stannp import STATUSES
from outreach.errors import AlreadyAccepted, DeliveryError, NotSent, OutcomeUnknown, Refused
from vendor_case import Answer, VendorCase

SECRET = "stannp_secret"
REFERENCE = "K7QF-2M9X-TB4D"
LETTER_ID = 16818210
CALLED = "https://outreach.invalid/webhooks/stannp"
TO_LONDON = {
    "name": "Zoë O’Hara", "streets": ["221B Baker Street", "Flat 2"], "city": "London", "region": "",
    "postal_code": "NW1 6XE", "country": "GB", "lines": ["221B Baker Street", "Flat 2", "London", "NW1 6XE"],
}  # fmt: skip
TO_VERMONT = {
    "name": "Ms Maria Lopez", "streets": ["12 Elm St"], "city": "Winooski", "region": "VT", "postal_code": "05404",
    "country": "US", "lines": ["12 Elm St", "Winooski, VT 05404"],
}  # fmt: skip


def letter_to(recipient: dict[str, Any], **changes: Any) -> Handover:
    values: dict[str, Any] = {
        "reference": REFERENCE, "key": f"{REFERENCE}.1", "channel": "letter", "recipient": recipient,
        "content": pdf_saying("Good morning"), "media_type": "application/pdf", "on": TODAY, "batch_id": "B1",
        "begun_at": NOW,
    }  # fmt: skip
    return Handover(**(values | changes))


def in_json(said: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(said).encode(), {"Content-Type": "application/json"} | headers)


def succeeded(data: Any, status: int = 200) -> Answer:
    return in_json({"success": True, "data": data}, status)


def failed(words: str, status: int, **headers: str) -> Answer:
    return in_json({"success": False, "error": words}, status, **headers)


def taken(**changes: Any) -> dict[str, Any]:
    """What Stannp says of a letter that it has taken."""
    return {
        "id": LETTER_ID, "created": "2026-03-10 15:00:01", "format": "US-LETTER", "cost": "1.12", "status": "received",
        "pdf": "https://api-us1.stannp.com/v1/storage/get/sample.pdf", "type": "letter", "tags": REFERENCE,
    } | changes  # fmt: skip


def listed(*pieces: Any) -> Answer:
    return succeeded({"singles": list(pieces)})


def piece(**changes: Any) -> dict[str, Any]:
    return {"id": str(LETTER_ID), "status": "received", "type": "letter", "tags": REFERENCE} | changes


def looked_up(*pieces: Any) -> list[Answer]:
    """The answers to a look-up, one a status; `pieces` are listed under the first."""
    return [listed(*pieces), *(listed() for _ in STATUSES[1:])]


FAILURES: Sequence[tuple[str, Answer, type[DeliveryError]]] = [
    ("401, a key that is not known", failed("Invalid API key", 401), NotSent),
    ("402, no money", failed("Payment required", 402), NotSent),
    ("404, another address than theirs", failed("Not found", 404), NotSent),
    ("429", failed("Too many requests", 429, **{"X-RateLimit-Reset": "12"}), NotSent),
    ("200 with an empty balance", failed("Insufficient balance, please top up", 200), NotSent),
    ("200 with another error", failed("The address 1 Elm St is not valid", 200), Refused),
    ("400", failed("recipient is mandatory", 400), Refused),
    ("409, a replay", succeeded(taken(), 409), AlreadyAccepted),
    ("409 without the answer it repeats", failed("in progress", 409), OutcomeUnknown),
    ("408", failed("timeout", 408), OutcomeUnknown),
    ("500", failed("Server error", 500), OutcomeUnknown),
    ("200 of a test letter", succeeded(taken(id=0, status="test")), OutcomeUnknown),
    ("200 without an id", in_json({"success": True}), OutcomeUnknown),
    ("200 that cannot be read", Answer(200, b"<html>", {"Content-Type": "text/html"}), OutcomeUnknown),
    ("302 to somewhere else", Answer(302, b"", {"Location": "/v2"}), OutcomeUnknown),
]


def sign(body: bytes, at: datetime) -> WebhookRequest:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return WebhookRequest(CALLED, {"content-type": "application/json", "x-stannp-signature": signature}, body, at)


def event(*pieces: Any, name: str = "mailpiece_status", **changes: Any) -> bytes:
    said = {"webhook_id": 1234, "event": name, "created": "2026-03-12 10:30:00", "retries": 0, "mailpieces": pieces}
    return json.dumps(said | changes).encode()


def report_of(status: str, kind: str, at: datetime) -> Report:
    return Report(
        event_id=hashlib.sha256(f"{LETTER_ID} {status}".encode()).hexdigest(),
        kind=kind,
        at=at,
        reference=REFERENCE,
        provider_id=str(LETTER_ID),
        raw=json.dumps({"id": LETTER_ID, "status": status, "tags": REFERENCE}).encode(),
    )


def webhooks(at: datetime) -> Sequence[tuple[WebhookRequest, Sequence[Report]]]:
    kinds = {"printing": "accepted", "dispatched": "in_transit", "delivered": "delivered", "returned": "returned"}
    each = [(sign(event(taken(status=status)), at), [report_of(status, kind, at)]) for status, kind in kinds.items()]
    both = event(taken(status="cancelled"), taken(status="delivered"))
    return [*each, (sign(both, at), [report_of("cancelled", "cancelled", at), report_of("delivered", "delivered", at)])]


CASE = VendorCase(
    name="stannp",
    contract="stannp.yaml",
    settings={"api_key": "a key for tests only", "webhook_secret": SECRET},
    handovers=[letter_to(TO_VERMONT), letter_to(TO_LONDON)],
    provider_id=str(LETTER_ID),
    accepted=lambda _: [succeeded(taken())],
    failures=FAILURES,
    found=lambda _: looked_up(piece()),
    not_found=lambda _: looked_up(),
    cancelled=succeeded(1),
    webhooks=webhooks,
    sign=sign,
    unknown_event=event(name="recipient_events", events=[{"id": 1}]),
    has_timestamp=False,
)
