"""PostGrid in its own words, for the shared suite: answers as its types and its documentation have them."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import jwt

from outreach.delivery.providers import Report, WebhookRequest
from outreach.errors import DeliveryError, NotSent, OutcomeUnknown, Refused
from vendor_case import Answer, VendorCase
from vendor_lob import REFERENCE, TO_LONDON, TO_VERMONT, in_json, letter_to

LETTER_ID, SECRET = "letter_7h1fHqjJLJLmgnVcKcqcjp", "a secret of PostGrid for tests only"
CALLED = "https://outreach.invalid/webhooks/postgrid"


def letter(**changes: Any) -> dict[str, Any]:
    marks = {"reference": REFERENCE, "key": f"{REFERENCE}.1"}
    return {"id": LETTER_ID, "object": "letter", "status": "ready", "metadata": marks} | changes


def page(*letters: Any) -> Answer:
    return in_json({"object": "list", "limit": 100, "skip": 0, "totalCount": len(letters), "data": letters})


def refused(status: int) -> Answer:
    return in_json({"object": "error", "error": {"type": "validation_error", "message": "about Maria"}}, status)


FAILURES: Sequence[tuple[str, Answer, type[DeliveryError]]] = [
    ("400", refused(400), Refused),
    ("422", refused(422), Refused),
    ("401", refused(401), NotSent),
    ("402", refused(402), NotSent),
    ("403", refused(403), NotSent),
    ("404", refused(404), NotSent),
    ("429", in_json({}, 429, **{"Retry-After": "1"}), NotSent),
    ("408", refused(408), OutcomeUnknown),
    ("409", refused(409), OutcomeUnknown),
    ("500", refused(500), OutcomeUnknown),
    ("503", Answer(503), OutcomeUnknown),
    ("200 without an id", in_json({"object": "letter"}), OutcomeUnknown),
    ("200 that cannot be read", Answer(200, b"<html>"), OutcomeUnknown),
    ("301 to somewhere else", Answer(301, b"", {"Location": "/v2"}), OutcomeUnknown),
]


def sign(body: bytes, at: datetime) -> WebhookRequest:
    """JSON with a signature header."""
    stamp = str(int(at.timestamp() * 1000))
    signature = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "postgrid-signature": f"t={stamp},v1={signature}"}
    return WebhookRequest(CALLED, headers, body, at)


def as_token(said: dict[str, Any], at: datetime) -> WebhookRequest:
    """A JWT, which is PostGrid's default."""
    token = jwt.encode({**said, "iat": int(at.timestamp())}, SECRET, algorithm="HS256")
    return WebhookRequest(CALLED, {"content-type": "application/jwt"}, token.encode(), at)


def event(kind: str = "letter.updated", **changes: Any) -> dict[str, Any]:
    return {"id": "event_1", "object": "event", "type": kind, "data": letter(**changes)}


def reported(kind: str, at: datetime, said: dict[str, Any]) -> Report:
    raw = json.dumps(said, sort_keys=True).encode()
    return Report("event_1", kind, at, REFERENCE, f"{REFERENCE}.1", LETTER_ID, raw=raw)


def webhooks(at: datetime) -> Sequence[tuple[WebhookRequest, Sequence[Report]]]:
    said = [
        (event("letter.created"), "accepted"),
        (event(status="printing"), "accepted"),
        (event(status="processed_for_delivery"), "in_transit"),
        (event(status="processed_for_delivery", imbStatus="out_for_delivery"), "in_transit"),
        (event(status="completed"), "delivered"),
        (event(status="completed", imbStatus="returned_to_sender"), "returned"),
        (event(status="cancelled"), "cancelled"),
    ]
    plain = [(sign(json.dumps(one).encode(), at), [reported(kind, at, one)]) for one, kind in said]
    token = event(status="completed")
    claims = {**token, "iat": int(at.timestamp())}
    return [*plain, (as_token(token, at), [reported("delivered", at, claims)])]


CASE = VendorCase(
    name="postgrid",
    contract="postgrid.json",
    settings={"api_key": "a key for tests only", "webhook_secret": SECRET},
    handovers=[letter_to(TO_VERMONT), letter_to(TO_LONDON, hold_until=None)],
    provider_id=LETTER_ID,
    accepted=lambda _: [in_json(letter())],
    failures=FAILURES,
    found=lambda _: [page(letter(), letter(id="letter_other", metadata={}))],
    not_found=lambda _: [page()],
    cancelled=in_json(letter(status="cancelled")),
    webhooks=webhooks,
    sign=sign,
    unknown_event=json.dumps(event("postcard.updated")).encode(),
)
