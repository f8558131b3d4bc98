"""How the simulated Twilio talks: texts without any key, a list by number, signed status callbacks.

It keeps to twilio-messages.json and delivery-semantics.json of the contracts, and has no more of it than delivery
needs.
"""

import base64
import hashlib
import hmac
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from outreach.drill.ledger import Line
from outreach.drill.options import TWILIO_ACCOUNT, TWILIO_NUMBER, TWILIO_TOKEN
from outreach.drill.vendors import Held, Order, Reply, WebhookCall

FAILURES = {
    "429": Reply(429, {"code": 20429, "message": "Too many requests", "status": 429}, {"Retry-After": "0.1"}),
    "500": Reply(500, {"code": 20500, "message": "Internal server error", "status": 500}),
    "refused": Reply(400, {"code": 21612, "message": "Cannot be routed", "status": 400}),
}
UNREACHED_IN_A_HUNDRED = 5


class SimulatedTwilio:
    name = "twilio"
    keyed = False

    def read_order(self, headers: Mapping[str, str], body: bytes) -> Order:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        # Ours come back to us in the callback's address, and Twilio makes nothing of them.
        marks = parse_qs(urlsplit(form["StatusCallback"]).query)
        about = {"callback": form["StatusCallback"], "to": form["To"]}
        return Order(marks["reference"][0], marks["key"][0], form["Body"].encode(), form["To"], about)

    def new_id(self, number: int) -> str:
        return f"SM{number:032x}"

    def accepted(self, held: Held) -> Reply:
        return Reply(201, _message(held))

    def failed(self, fault: str) -> Reply:
        return FAILURES[fault]

    def sought(self, query: Mapping[str, list[str]]) -> str:
        return query["To"][0]

    def found(self, held: list[Held]) -> Reply:
        return Reply(200, {"messages": [_message(one) for one in held], "next_page_uri": None, "page": 0})

    def webhooks(self, line: Line, rng: random.Random) -> list[WebhookCall]:
        end = "undelivered" if rng.randrange(100) < UNREACHED_IN_A_HUNDRED else "delivered"
        return [_callback(line, status) for status in ("queued", "sent", end)]


def _message(held: Held) -> dict[str, Any]:
    return {
        "sid": held.provider_id,
        "account_sid": TWILIO_ACCOUNT,
        "body": held.order.content.decode(),
        "from": TWILIO_NUMBER,
        "to": held.order.sought_by,
        "messaging_service_sid": None,
        "status": "queued",
        "date_created": format_datetime(datetime.fromtimestamp(held.at, UTC)),
    }


def _callback(line: Line, status: str) -> WebhookCall:
    sid, url = line.provider_id, line.about["callback"]
    form = {
        "AccountSid": TWILIO_ACCOUNT,
        "MessageSid": sid,
        "MessageStatus": status,
        "SmsSid": sid,
        "SmsStatus": status,
    }
    form |= {"To": line.about["to"], "From": TWILIO_NUMBER, "ApiVersion": "2010-04-01"}
    form |= {"ErrorCode": "30003"} if status == "undelivered" else {}
    # The address, then the name and value of each field in the order of names, with SHA-1: so Twilio signs
    # (https://www.twilio.com/docs/usage/security#validating-requests).
    signed = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(TWILIO_TOKEN.encode(), signed.encode(), hashlib.sha1).digest()
    headers = {
        "X-Twilio-Signature": base64.b64encode(digest).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return WebhookCall(url, headers, urlencode(form).encode())
