"""SendGrid in its own words, for the shared suite: answers and events as its contract (sendgrid.json) has them."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import NOW, TODAY
from outreach.delivery.providers import Handover, Report, WebhookRequest
from outreach.errors import NotSent, OutcomeUnknown, Refused
from vendor_case import Answer, VendorCase

REFERENCE = "K7QF-2M9X-TB4D"
KEY = f"{REFERENCE}.1"
THEIRS = "LRzXl_NHStOGhQ4kofSm_A"
WHOLE = f"{THEIRS}.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0"
CALLED = "https://outreach.invalid/webhooks/sendgrid"
HTML = '<p style="color: #22242b">Dear Zoë, thank you.</p>\r\n<a href="https://outreach.invalid/unsubscribe/x">Stop</a>'
_PRIVATE = ec.derive_private_key(0xA11CE, ec.SECP256R1())
PUBLIC = base64.b64encode(
    _PRIVATE.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
SEALED = (
    "From: Alder Lane Dental <hello@alderlane.example>\r\n"
    "To: =?utf-8?b?Wm/DqywgTXJzLiBRdWlsbA==?= <zoe@customer.example>\r\n"
    "Subject: A small anniversary, and a thank =?utf-8?q?you_=E2=80=94_Zo=C3=AB?=\r\n"
    "Date: Tue, 10 Mar 2026 09:00:00 -0400\r\n"
    f"Message-ID: <{REFERENCE}@alderlane.example>\r\n"
    f"List-Unsubscribe: <https://outreach.invalid/unsubscribe/{REFERENCE}.{'5b344966785ad896' * 4}>\r\n"
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    f"X-Outreach-Reference: {REFERENCE}\r\n"
    "MIME-Version: 1.0\r\n"
    'Content-Type: multipart/alternative; boundary="=_x_="\r\n\r\n'
    '--=_x_=\r\nContent-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    "Dear Zo=C3=AB, thank you.\r\n\r\n--=20\r\nStop: https://outreach.invalid/unsubscribe/x\r\n"
    '--=_x_=\r\nContent-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    f"{base64.b64encode(HTML.encode()).decode()}\r\n"
    "--=_x_=--\r\n"
).encode()


def email_to(**changes: Any) -> Handover:
    values: dict[str, Any] = {
        "reference": REFERENCE, "key": KEY, "channel": "email", "content": SEALED, "media_type": "message/rfc822",
        "recipient": {"name": "Zoë, Mrs. Quill", "email": "zoe@customer.example"}, "on": TODAY, "batch_id": "B1",
        "begun_at": NOW,
    }  # fmt: skip
    return Handover(**(values | changes))


def in_json(said: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(said).encode(), {"Content-Type": "application/json"} | headers)


def refused(status: int, field: str | None = None, **headers: str) -> Answer:
    return in_json({"errors": [{"message": "about zoe@customer.example", "field": field}]}, status, **headers)


def accepted(_handover: Handover | None = None) -> list[Answer]:
    return [Answer(202, b"", {"X-Message-Id": THEIRS})]


def found(_handover: Handover | None = None, *ids: str) -> list[Answer]:
    """What the activity feed says, as in its contract."""
    common = {
        "from_email": "hello@alderlane.example", "subject": "A small anniversary", "to_email": "zoe@customer.example",
        "status": "processed", "opens_count": 0, "clicks_count": 0, "last_event_time": "2026-03-10T15:00:00Z",
    }  # fmt: skip
    return [in_json({"messages": [common | {"msg_id": one} for one in ids or (WHOLE,)]})]


def not_found(_handover: Handover | None = None) -> list[Answer]:
    return [in_json({"messages": []})]


def sign(body: bytes, at: datetime) -> WebhookRequest:
    timestamp = str(int(at.timestamp()))
    signature = _PRIVATE.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {
        "content-type": "application/json",
        "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
        "x-twilio-email-event-webhook-timestamp": timestamp,
    }
    return WebhookRequest(CALLED, headers, body, at)


def event(name: str, at: datetime = NOW, **more: Any) -> dict[str, Any]:
    """One event as it comes: custom_args stand among its own fields."""
    common = {
        "email": "zoe@customer.example", "event": name, "timestamp": int(at.timestamp()), "sg_event_id": f"id-{name}",
        "sg_message_id": WHOLE, "smtp-id": f"<{REFERENCE}@alderlane.example>", "reference": REFERENCE, "key": KEY,
    }  # fmt: skip
    return common | more


def body_of(*events: Any) -> bytes:
    # SendGrid ends its body with a line end, and signs that too.
    return json.dumps(events).encode() + b"\r\n"


def report(of: dict[str, Any], kind: str, reason: str | None = None) -> Report:
    return Report(
        event_id=of["sg_event_id"],
        kind=kind,
        at=datetime.fromtimestamp(of["timestamp"], UTC),
        reference=REFERENCE,
        key=KEY,
        provider_id=THEIRS,
        reason=reason,
        raw=json.dumps(of, sort_keys=True, ensure_ascii=False).encode(),
    )


def webhooks(at: datetime) -> Sequence[tuple[WebhookRequest, Sequence[Report]]]:
    processed, delivered = event("processed", at), event("delivered", at, response="250 OK", ip="192.0.2.1")
    hard = event("bounce", at, type="bounce", status="5.1.1", reason="550 5.1.1 <zoe@customer.example> unknown")
    blocked = event("bounce", at, type="blocked", status="4.7.1", sg_event_id="id-blocked")
    dropped = event("dropped", at, reason="Bounced Address")
    engaged = [event("open", at), event("click", at), event("deferred", at, response="451 later", attempt="1")]
    return [
        (
            sign(body_of(processed, *engaged, delivered), at),
            [report(processed, "accepted"), report(delivered, "delivered")],
        ),
        (sign(body_of(hard), at), [report(hard, "bounced", "5.1.1")]),
        (sign(body_of(blocked), at), [report(blocked, "failed", "4.7.1")]),
        (sign(body_of(dropped), at), [report(dropped, "bounced", "dropped: bounced address")]),
        (sign(body_of(event("spamreport", at)), at), [report(event("spamreport", at), "complained")]),
        (sign(body_of(event("unsubscribe", at)), at), [report(event("unsubscribe", at), "unsubscribed")]),
    ]


CASE = VendorCase(
    name="sendgrid",
    contract="sendgrid.json",
    settings={"api_key": "SG.for.tests-only", "webhook_public_key": PUBLIC, "activity": True},
    handovers=[email_to()],
    provider_id=THEIRS,
    accepted=accepted,
    failures=[
        ("400 of an address it cannot read", refused(400, "personalizations.0.to.0.email"), Refused),
        ("401 of a wrong key", refused(401), NotSent),
        ("403 of a sender that is not verified", refused(403, "from"), NotSent),
        ("404 of an address of its own", refused(404), NotSent),
        ("405 of an address of its own", refused(405), NotSent),
        ("408", refused(408), OutcomeUnknown),
        ("413 of a message too large", refused(413), Refused),
        ("429", refused(429, **{"Retry-After": "7"}), NotSent),
        ("500", refused(500), OutcomeUnknown),
        ("502 of something in between", Answer(502, b"<html>Bad gateway</html>"), OutcomeUnknown),
        ("503", refused(503), OutcomeUnknown),
        ("504", Answer(504, b""), OutcomeUnknown),
        ("200, as of the sandbox", Answer(200, b"", {"X-Message-Id": THEIRS}), OutcomeUnknown),
        ("a redirect", Answer(302, b"", {"Location": "https://elsewhere.example/"}), OutcomeUnknown),
    ],
    found=found,
    not_found=not_found,
    webhooks=webhooks,
    sign=sign,
    unknown_event=body_of(event("account_status_change", type="compliance_suspend"), event("group_resubscribe")),
)
