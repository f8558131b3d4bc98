"""What the suite for all vendors (tests/delivery/test_vendors.py) must know of each: `CASE` in vendor_<name>.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from outreach.delivery.providers import Handover, Report, WebhookRequest
from outreach.errors import DeliveryError


@dataclass(frozen=True)
class Answer:
    """What the loopback vendor says to one request. `fault`: "" answers; "drop" takes the request and hangs up;
    "hang" takes it and says nothing until the client gives up; "refuse" does not let the client connect."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    fault: str = ""


@dataclass(frozen=True)
class VendorCase:
    """One vendor, in its own words.

    `settings` is its part of `[providers]`, without `url` and `timeout_seconds`, which the suite sets. Each function
    takes the hand-over that was sent. A hand-over may take several requests (`accepted` gives an answer for each, in
    order); a failure is put in place of the answer to the request at `deciding`.
    """

    name: str
    contract: str
    settings: dict[str, Any]
    handovers: Sequence[Handover]
    provider_id: str
    accepted: Callable[[Handover], Sequence[Answer]]
    # Documented answers, each with what is known after it.
    failures: Sequence[tuple[str, Answer, type[DeliveryError]]]
    found: Callable[[Handover], Sequence[Answer]] | None = None
    not_found: Callable[[Handover], Sequence[Answer]] | None = None
    cancelled: Answer | None = None
    cancelled_before: Answer | None = None
    too_late_to_cancel: Answer | None = None
    deciding: int = -1
    # Webhooks that are genuine at the given instant, each with what they report; and how one is signed.
    webhooks: Callable[[datetime], Sequence[tuple[WebhookRequest, Sequence[Report]]]] | None = None
    sign: Callable[[bytes, datetime], WebhookRequest] | None = None
    # A body of an event we have no word for, to be signed by `sign`.
    unknown_event: bytes = b""
    has_timestamp: bool = True
