"""Twilio in its own words, for the shared suite: answers as its contract and its documentation have them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from conftest import NOW, TODAY
from outreach.delivery.providers import Handover, Report, WebhookRequest
from outreach.errors import ContactRefused, DeliveryError, NotSent, OutcomeUnknown, Refused
from vendor_case import Answer, VendorCase

ACCOUNT = "AC" + "0a1b" * 8
TOKEN = "a token for tests only"
SENDER = "+15005550006"
SID = "SM" + "1f2e" * 8
CALLED = "https://outreach.invalid/webhooks/twilio"
CUSTOMER = "+18025550140"
REFERENCE = "K7QF-2M9X-TB4D"
MARKS = urlencode({"reference": REFERENCE, "key": f"{REFERENCE}.1"})


def text_to(words: str, **changes: Any) -> Handover:
    values: dict[str, Any] = {
        "reference": REFERENCE, "key": f"{REFERENCE}.1", "channel": "text",
        "recipient": {"name": "Ada Quill", "phone": CUSTOMER}, "content": words.encode(), "media_type": "text/plain",
        "on": TODAY, "batch_id": "B1", "begun_at": NOW,
    }  # fmt: skip
    return Handover(**(values | changes))


def in_json(said: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(said).encode(), {"Content-Type": "application/json"} | headers)


def message(handover: Handover, **changes: Any) -> dict[str, Any]:
    """What Twilio says of a text that it has, as in the examples of its contract."""
    at = format_datetime(handover.begun_at + timedelta(seconds=2))
    return {
        "account_sid": ACCOUNT, "api_version": "2010-04-01", "body": handover.content.decode(), "date_created": at,
        "date_sent": None, "date_updated": at, "direction": "outbound-api", "error_code": None, "error_message": None,
        "from": SENDER, "messaging_service_sid": None, "num_media": "0", "num_segments": "1", "price": None,
        "price_unit": None, "sid": SID, "status": "queued", "to": handover.recipient["phone"],
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}.json",
    } | changes  # fmt: skip


def page(*messages: Any, following: str | None = None) -> Answer:
    return in_json({"messages": list(messages), "next_page_uri": following, "page": 0, "page_size": 1000, "start": 0})


def refused(code: int, status: int = 400, **headers: str) -> Answer:
    said = {"code": code, "message": f"about {CUSTOMER}", "more_info": f"…/errors/{code}", "status": status}
    return in_json(said, status, **headers)


def expected(code: int, error: type[DeliveryError], status: int = 400) -> tuple[str, Answer, type[DeliveryError]]:
    return f"{status} with code {code}", refused(code, status), error


def sign(body: bytes, at: datetime, query: str = MARKS) -> WebhookRequest:
    """A form as Twilio signs it: the address, then every field and its value in the order of their names."""
    url = f"{CALLED}?{query}" if query else CALLED
    fields = sorted(set(parse_qsl(body.decode(), keep_blank_values=True)))
    signed = url + "".join(name + value for name, value in fields)
    signature = base64.b64encode(hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8", "x-twilio-signature": signature}
    return WebhookRequest(url, headers, body, at)


def status_body(status: str, **more: str) -> bytes:
    common = {"MessageSid": SID, "SmsSid": SID, "AccountSid": ACCOUNT, "From": SENDER, "To": CUSTOMER}
    return urlencode(
        common | {"MessageStatus": status, "SmsStatus": status, "ApiVersion": "2010-04-01"} | more
    ).encode()


def inbound_body(words: str, sid: str = "SM" + "9" * 32, **more: str) -> bytes:
    common = {"MessageSid": sid, "SmsSid": sid, "AccountSid": ACCOUNT, "From": CUSTOMER, "To": SENDER}
    return urlencode(common | {"SmsStatus": "received", "Body": words, "NumMedia": "0"} | more).encode()


def reported(kind: str, at: datetime, body: bytes, said: str, reason: str | None = None) -> Report:
    return Report(f"{SID}.{said}", kind, at, REFERENCE, f"{REFERENCE}.1", SID, reason, raw=body)


def webhooks(at: datetime) -> Sequence[tuple[WebhookRequest, Sequence[Report]]]:
    said = [("queued", "accepted"), ("sent", "in_transit"), ("delivered", "delivered"), ("canceled", "cancelled")]
    plain = [
        (sign(body, at), [reported(kind, at, body, status)]) for status, kind in said for body in [status_body(status)]
    ]
    unreachable = status_body("undelivered", ErrorCode="30003")
    words = "Twilio could not deliver it (30003: their telephone could not be reached)"
    reply = inbound_body("Stop please ☎")
    answer = Report("SM" + "9" * 32, "replied", at, contact=CUSTOMER, words="Stop please ☎", raw=reply)
    return [
        *plain,
        (sign(unreachable, at), [reported("failed", at, unreachable, "undelivered", words)]),
        (sign(reply, at, query=""), [answer]),
    ]


CASE = VendorCase(
    name="twilio",
    contract="twilio-messages.json",
    settings={
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        "sender": SENDER,
        "campaign": "CMP1",
        "campaign_use": "mixed",
    },
    handovers=[
        text_to("Good morning, Ada. How does the tooth feel?"),
        text_to("Guten Morgen, Łukasz — wie geht’s? ☎ 100 % & mehr"),
    ],
    provider_id=SID,
    accepted=lambda handover: [in_json(message(handover), 201)],
    failures=[
        *(expected(code, Refused) for code in (21408, 21606, 21612, 30007, 30034, 99999)),
        *(expected(code, ContactRefused) for code in (21211, 21610, 21614)),
        expected(20429, NotSent, 429),
        expected(21611, NotSent),
        expected(20003, NotSent, 401),
        expected(20404, NotSent, 404),
        ("429 without a body", Answer(429), NotSent),
        ("402", Answer(402), NotSent),
        ("403", Answer(403), NotSent),
        ("400 that is not Twilio's", Answer(400, b"<html>no</html>"), OutcomeUnknown),
        ("408", Answer(408), OutcomeUnknown),
        expected(20500, OutcomeUnknown, 500),
        ("503", Answer(503), OutcomeUnknown),
        ("307", Answer(307, headers={"Location": "/elsewhere"}), OutcomeUnknown),
        ("201 without an id", in_json({"status": "queued"}, 201), OutcomeUnknown),
        ("201 that cannot be read", Answer(201, b"{"), OutcomeUnknown),
    ],
    found=lambda handover: [page(message(handover))],
    not_found=lambda handover: [page()],
    webhooks=webhooks,
    sign=sign,
    unknown_event=status_body("partially_delivered"),
    has_timestamp=False,
)
