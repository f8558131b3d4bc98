"""How the simulated Lob talks: letters under our keys, a search by metadata, signed webhooks.

It keeps to lob.test.yaml and delivery-semantics.json of the contracts, and has no more of it than delivery needs.
"""

import hashlib
import hmac
import json
import random
from collections.abc import Mapping
from datetime import timedelta
from email.message import Message as Header
from typing import Any

from outreach.clock import system_clock
from outreach.drill.ledger import Line
from outreach.drill.options import LOB_SECRET, PUBLIC_URL
from outreach.drill.vendors import Held, Order, Reply, WebhookCall

FAILURES = {
    "429": Reply(429, {"error": {"code": "rate_limit_exceeded", "status_code": 429}}, {"Retry-After": "0.1"}),
    "500": Reply(500, {"error": {"code": "internal_server_error", "status_code": 500}}),
    "refused": Reply(422, {"error": {"code": "failed_deliverability_strictness", "status_code": 422}}),
}
RETURNED_IN_A_HUNDRED = 5


class SimulatedLob:
    name = "lob"
    keyed = True

    def read_order(self, headers: Mapping[str, str], body: bytes) -> Order:
        fields = read_multipart(headers["Content-Type"], body)
        reference = fields["metadata[reference]"].decode()
        return Order(reference, headers["Idempotency-Key"], fields["file"], reference)

    def new_id(self, number: int) -> str:
        return f"ltr_{number:016x}"

    def accepted(self, held: Held) -> Reply:
        return Reply(200, _letter(held.provider_id, held.order.reference, held.order.key))

    def failed(self, fault: str) -> Reply:
        return FAILURES[fault]

    def sought(self, query: Mapping[str, list[str]]) -> str:
        return query["metadata[reference]"][0]

    def found(self, held: list[Held]) -> Reply:
        letters = [_letter(one.provider_id, one.order.reference, one.order.key) for one in held]
        page = {"object": "list", "data": letters, "count": len(letters), "next_url": None, "previous_url": None}
        return Reply(200, page)

    def webhooks(self, line: Line, rng: random.Random) -> list[WebhookCall]:
        end = "returned_to_sender" if rng.randrange(100) < RETURNED_IN_A_HUNDRED else "delivered"
        return [_event(line, kind) for kind in ("created", "mailed", end)]


def _letter(provider_id: str, reference: str, key: str) -> dict[str, Any]:
    now = system_clock()
    return {
        "id": provider_id,
        "object": "letter",
        "metadata": {"reference": reference, "key": key},
        "date_created": now.isoformat(),
        "send_date": now.isoformat(),
        "expected_delivery_date": str((now + timedelta(days=5)).date()),
    }


def _event(line: Line, kind: str) -> WebhookCall:
    # The same event has the same id whenever it is told again, as a vendor's has.
    event_id = hashlib.sha256(f"{line.provider_id} {kind}".encode()).hexdigest()[:16]
    event = {
        "id": f"evt_{event_id}",
        "object": "event",
        "reference_id": line.provider_id,
        "event_type": {"id": f"letter.{kind}", "resource": "letters", "object": "event_type"},
        "date_created": system_clock().isoformat(),
        "body": _letter(line.provider_id, line.reference, line.key),
    }
    body, stamp = json.dumps(event).encode(), str(int(system_clock().timestamp()))
    signature = hmac.new(LOB_SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"Lob-Signature": signature, "Lob-Signature-Timestamp": stamp, "Content-Type": "application/json"}
    return WebhookCall(f"{PUBLIC_URL}/webhooks/lob", headers, body)


def read_multipart(content_type: str, body: bytes) -> dict[str, bytes]:
    """The fields of a multipart form, by name."""
    boundary = b"--" + str(_header(content_type).get_param("boundary")).encode()
    # Around every part stands one line end that is not its own.
    parts = [part.removeprefix(b"\r\n").removesuffix(b"\r\n") for part in body.split(boundary)[1:-1]]
    fields = {}
    for part in parts:
        head, _, value = part.partition(b"\r\n\r\n")
        says = next(line for line in head.decode().splitlines() if line.lower().startswith("content-disposition"))
        fields[str(_header(says.partition(":")[2]).get_param("name"))] = value
    return fields


def _header(value: str) -> Header:
    header = Header()
    header["Content-Type"] = value.strip()
    return header
