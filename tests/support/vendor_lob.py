"""Lob in its own words, for the shared suite: answers as its contract and its documentation have them."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from approved import pdf_saying
from conftest import NOW, TODAY
from outreach.delivery.providers import Handover, Report, WebhookRequest
from outreach.errors import DeliveryError, NotSent, OutcomeUnknown, Refused
from vendor_case import Answer, VendorCase

REFERENCE, LETTER_ID, SECRET = "K7QF-2M9X-TB4D", "ltr_4868c3b754655f90", "a secret for tests only"
CALLED = "https://outreach.invalid/webhooks/lob"
TO_VERMONT: dict[str, Any] = {
    "name": "Mrs. Maria Lopez", "lines": ["27 Orchard Terrace", "Apartment 4B", "Winooski, VT 05404"],
    "postal_code": "05404", "country": "US", "streets": ["27 Orchard Terrace", "Apartment 4B"], "city": "Winooski",
    "region": "VT",
}  # fmt: skip
TO_LONDON = TO_VERMONT | {
    "name": "Łukasz O’Hara-Żółć, of a family with a very long name", "streets": ["221 Baker St"],
    "city": "London", "region": "", "postal_code": "NW1 6XE", "country": "GB",
}  # fmt: skip


def letter_to(recipient: dict[str, Any], **changes: Any) -> Handover:
    values: dict[str, Any] = {
        "reference": REFERENCE, "key": f"{REFERENCE}.1", "channel": "letter", "recipient": recipient,
        "content": pdf_saying("Good morning"), "media_type": "application/pdf", "on": TODAY, "batch_id": "B1",
        "begun_at": NOW, "hold_until": NOW + timedelta(hours=4),
    }  # fmt: skip
    return Handover(**(values | changes))


def in_json(said: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(said).encode(), {"Content-Type": "application/json"} | headers)


def letter(**changes: Any) -> dict[str, Any]:
    marks = {"reference": REFERENCE, "key": f"{REFERENCE}.1"}
    return {"id": LETTER_ID, "object": "letter", "metadata": marks, "use_type": "operational"} | changes


def page(*letters: Any) -> Answer:
    return in_json({"object": "list", "data": letters, "count": len(letters), "next_url": None})


def refused(code: str, status: int = 422) -> Answer:
    return in_json({"error": {"message": "about 27 Orchard Terrace", "status_code": status, "code": code}}, status)


FAILURES: Sequence[tuple[str, Answer, type[DeliveryError]]] = [
    *((f"422 {code}", refused(code), Refused) for code in (
        "failed_deliverability_strictness", "address_length_exceeds_limit", "invalid_file_dimensions",
        "unembedded_fonts", "foreign_return_address", "file_pages_exceed_max",
    )),
    ("400", refused("bad_request", 400), Refused),
    ("401", refused("unauthorized", 401), NotSent),
    ("402", refused("billing_address_required", 402), NotSent),
    ("403", refused("feature_limit_reached", 403), NotSent),
    ("404", refused("unrecognized_endpoint", 404), NotSent),
    ("429", in_json({}, 429, **{"Retry-After": "5"}), NotSent),
    ("408", refused("request_timeout", 408), OutcomeUnknown),
    ("409", refused("conflict", 409), OutcomeUnknown),
    ("500", refused("internal_server_error", 500), OutcomeUnknown),
    ("503", refused("service_unavailable", 503), OutcomeUnknown),
    ("200 without an id", in_json({"object": "letter"}), OutcomeUnknown),
    ("200 that cannot be read", Answer(200, b"<html>"), OutcomeUnknown),
    ("302 to somewhere else", Answer(302, b"", {"Location": "/v2"}), OutcomeUnknown),
]  # fmt: skip


def sign(body: bytes, at: datetime, milliseconds: bool = False) -> WebhookRequest:
    stamp = str(int(at.timestamp() * (1000 if milliseconds else 1)))
    signature = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "lob-signature": signature, "lob-signature-timestamp": stamp}
    return WebhookRequest(CALLED, headers, body, at)


def event(kind: str, body: dict[str, Any] | None = None, event_id: str = "evt_d95ff8ffd2b5cfb4") -> bytes:
    said = {
        "id": event_id, "object": "event", "reference_id": LETTER_ID, "date_created": "2026-03-10T14:59:58.180Z",
        "event_type": {"id": kind, "enabled_for_test": True, "resource": "letters", "object": "event_type"},
        "body": letter() if body is None else body,
    }  # fmt: skip
    return json.dumps(said).encode()


def reported(kind: str, body: bytes, is_named: bool = True, reason: str | None = None) -> Report:
    marks = (REFERENCE, f"{REFERENCE}.1") if is_named else (None, None)
    at = datetime.fromisoformat("2026-03-10T14:59:58.180Z")
    return Report("evt_d95ff8ffd2b5cfb4", kind, at, *marks, LETTER_ID, reason, raw=body)


def webhooks(at: datetime) -> Sequence[tuple[WebhookRequest, Sequence[Report]]]:
    kinds = {
        "created": "accepted", "mailed": "in_transit", "re-routed": "in_transit", "delivered": "delivered",
        "returned_to_sender": "returned", "rejected": "failed",
    }  # fmt: skip
    said = [(event(f"letter.{name}"), kind) for name, kind in kinds.items()]
    failed = event("letter.failed", letter(failure_reason={"code": "invalid_file", "message": "about Maria"}))
    # The body of a deletion is the answer to the deletion, without metadata.
    deleted = event("letter.deleted", {"id": LETTER_ID, "deleted": True})
    return [
        *((sign(body, at), [reported(kind, body)]) for body, kind in said),
        (sign(said[0][0], at, milliseconds=True), [reported("accepted", said[0][0])]),
        (sign(failed, at), [reported("failed", failed, reason="invalid_file")]),
        (sign(deleted, at), [reported("cancelled", deleted, is_named=False)]),
    ]


CASE = VendorCase(
    name="lob",
    contract="lob.test.yaml",
    settings={"api_key": "a key for tests only", "webhook_secret": SECRET},
    handovers=[
        letter_to(TO_VERMONT),
        letter_to(TO_LONDON, purpose="marketing", hold_until=None),
    ],
    provider_id=LETTER_ID,
    accepted=lambda _: [in_json({"id": LETTER_ID})],
    failures=FAILURES,
    found=lambda _: [page(letter())],
    not_found=lambda _: [page()],
    cancelled=in_json({"id": LETTER_ID, "deleted": True}),
    webhooks=webhooks,
    sign=sign,
    unknown_event=event("letter.viewed"),
)
