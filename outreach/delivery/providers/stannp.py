"""Gives letters to Stannp, a sealed PDF and an address as a form, one letter each, and reads its signed webhooks.

Contract: stannp.yaml, rebuilt from the vendor's "Direct Mail API Reference" (api-evangelist/stannp,
llms/stannp-api-llm.md @30ed00f). It must never send a form that differs by a byte under a key that was used.
"""

import hashlib
import hmac
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from outreach.channels import LETTER
from outreach.delivery.providers.http import (
    BUSY,
    ask,
    date_of,
    hand_over,
    open_client,
    read_json,
    require_not_refused_as_busy,
    retry_after,
)
from outreach.delivery.providers.protocol import Handover, LookupResult, Report, WebhookRequest
from outreach.errors import AlreadyAccepted, NoAnswer, NotSent, OutcomeUnknown, Refused, WebhookRefused
from outreach.settings import Settings
from outreach.settings.providers import StannpSettings
from outreach.settings.secrets import secret_of

SIGNATURE = "x-stannp-signature"
# Its API reference, letters/create. composing/paper/sizes.py asks for no more.
MOST_PAGES = 10
# A4 is 595 points wide, and US Letter 612.
WIDEST_A4_IN_POINTS = 600
# All the statuses that the reference, its reporting page (knowledge.stannp.com/reporting-status-codes) and its webhooks
# name, in the order in which a letter walks through them: one that moves on while it is looked for is met again.
STATUSES = (
    "received", "producing", "printing", "handed_over", "dispatched", "in_transit", "local_delivery", "delivered",
    "returned", "cancelled",
)  # fmt: skip
KINDS = {
    "received": "accepted",
    "producing": "accepted",
    "printing": "accepted",
    "handed_over": "in_transit",
    "dispatched": "in_transit",
    "in_transit": "in_transit",
    "local_delivery": "in_transit",
    "delivered": "delivered",
    "returned": "returned",
    "cancelled": "cancelled",
}
# An attempt put on record after a restored backup begins later than the letter that it stands for.
LOOK_BACK, LOOK_AHEAD = timedelta(days=90), timedelta(days=30)
# Errors are free text without codes; with one of these words it is about our account, not about the letter.
ABOUT_MONEY = re.compile(r"balance|funds|credit|payment|top.?up|api key|account", re.IGNORECASE)
OUR_REFERENCE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}")


def open_provider(settings: Settings) -> "Stannp":
    return Stannp(settings.providers.stannp)


class Stannp:
    """`cancel_window` is no promise of theirs: single letters have no send date, so a letter may be printed at once."""

    name = "stannp"
    channels = frozenset({LETTER.name})
    # For how long it knows a key is not published. Half of this is relied on, and retries come within minutes.
    key_life = timedelta(hours=1)

    def __init__(self, settings: StannpSettings) -> None:
        self.per_second = settings.per_second
        self.absent_after: timedelta | None = timedelta(minutes=settings.absent_after_minutes)
        self.cancel_window = timedelta(hours=settings.cancel_hours)
        self._double_sided = settings.double_sided
        self._webhook_secret = secret_of(settings.webhook_secret)
        self._client = open_client(settings, auth=httpx.BasicAuth(secret_of(settings.api_key), ""))

    def close(self) -> None:
        self._client.close()

    def send(self, handover: Handover) -> str:
        """Their id of the letter. A 409 repeats the answer to an earlier try of the same key: AlreadyAccepted."""
        request = self._request_for(handover)
        return _read_acceptance(hand_over(self._client, request, handover.require_time), handover.reference)

    def request_hash(self, handover: Handover) -> str:
        """Of every byte that `send` would ask with: a form that changed is a new letter to Stannp, whatever its key."""
        request = self._request_for(handover)
        head = [str(request.url), request.headers["Content-Type"]]
        return hashlib.sha256("\n".join(head).encode() + b"\n" + request.read()).hexdigest()

    def _request_for(self, handover: Handover) -> httpx.Request:
        form = {**_form_of(handover), "duplex": _word(self._double_sided), "size": _size_of(handover)}
        # They compare the whole body of a repeated request, and a boundary drawn at random would change it.
        boundary = hashlib.sha256(handover.key.encode()).hexdigest()[:32]
        return self._client.build_request(
            "POST",
            "/letters/create",
            data=form,
            files={"file": (f"{handover.reference}.pdf", handover.content, "application/pdf")},
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )

    def find(self, handover: Handover) -> list[str]:
        """Their ids for our reference, which each letter has as its tag; cancelled ones are told apart."""
        first, last = (handover.begun_at - LOOK_BACK).date(), (handover.begun_at + LOOK_AHEAD).date()
        statuses: dict[str, str] = {}
        dates: list[datetime | None] = []
        # A word for "any status" is not published, and one that they do not know might find nothing.
        for status in STATUSES:
            path = f"/reporting/list/{first}/{last}/{status}/{handover.reference}"
            response = ask(self._client, self._client.build_request("GET", path))
            statuses |= dict.fromkeys(_ids_tagged(handover.reference, response), status)
            dates.append(date_of(response))
        # One that moves on while it is looked for is met twice; what it was last is what it is.
        cancelled = [provider_id for provider_id, status in statuses.items() if status == "cancelled"]
        return LookupResult((one for one in statuses if one not in cancelled), cancelled, at=dates[0])

    def cancel(self, provider_id: str) -> bool:
        """Whether the letter is cancelled now. What their refusal means is read off the letter's own status."""
        if not provider_id.isdecimal():
            raise NoAnswer(f"Stannp's own id of {provider_id} is not known; cancel it on their pages")
        asked = self._client.build_request("POST", "/letters/cancel", data={"id": provider_id})
        body = read_json(ask(self._client, asked))
        if isinstance(body, dict) and body.get("success") is True:
            return True
        letter = _data_of(ask(self._client, self._client.build_request("GET", f"/letters/get/{provider_id}")))
        status = letter.get("status") if isinstance(letter, dict) else None
        if status not in STATUSES:
            raise NoAnswer(f"Stannp did not say whether {provider_id} is cancelled")
        return bool(status == "cancelled")

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        """What a signed webhook says of letters; the test request that it sends when it is set up says nothing."""
        self._verify(request)
        try:
            body = json.loads(request.body)
        except ValueError as error:
            raise WebhookRefused("the webhook from Stannp is not JSON") from error
        if not isinstance(body, dict):
            raise WebhookRefused("the webhook from Stannp is not an event")
        if body.get("event") != "mailpiece_status":
            return []
        pieces = body.get("mailpieces")
        if not isinstance(pieces, list) or not all(isinstance(piece, dict) for piece in pieces):
            raise WebhookRefused("the webhook from Stannp does not list its letters")
        reports = (_report_of(piece, request.received_at) for piece in pieces)
        return [report for report in reports if report]

    def _verify(self, request: WebhookRequest) -> None:
        """Raises WebhookRefused unless the body is signed: HMAC-SHA256 of its raw bytes, in hex. There is no time."""
        if not self._webhook_secret:
            raise WebhookRefused("no secret is set for Stannp's webhooks: OUTREACH_PROVIDERS__STANNP__WEBHOOK_SECRET")
        expected = hmac.new(self._webhook_secret.encode(), request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), request.headers.get(SIGNATURE, "").strip().lower().encode()):
            raise WebhookRefused("the webhook does not prove that Stannp sent it")


def _form_of(handover: Handover) -> dict[str, str]:
    """The letter without its PDF. Stannp clears the window of the first page and sets the address there itself."""
    to = handover.recipient
    streets = to.get("streets")
    if not (isinstance(streets, list) and streets and to.get("city") and to.get("postal_code")):
        raise Refused(f"{handover.reference} has no street, town or postal code; complete the customer's address")
    # A whole name in one field is printed as it stands, whatever its order.
    address = {"firstname": to["name"], "city": to["city"], "state": to.get("region", ""), "zipcode": to["postal_code"]}
    address |= {f"address{number}": street for number, street in enumerate(streets, start=1)}
    address |= {"country": to["country"], "ref_id": handover.key}
    return {
        "test": "false",
        "clearzone": "true",
        "tags": handover.reference,
        "idempotency_key": handover.key,
        **{f"recipient[{name}]": value for name, value in address.items() if value},
    }


def _size_of(handover: Handover) -> str:
    try:
        pages = PdfReader(io.BytesIO(handover.content)).pages
        count, width = len(pages), float(pages[0].mediabox.width)
    except (PyPdfError, IndexError, ValueError) as error:
        raise Refused(f"{handover.reference} is not a PDF that can be printed; compose it anew") from error
    if count > MOST_PAGES:
        raise Refused(f"{handover.reference} has {count} pages, and Stannp prints {MOST_PAGES}; shorten the letter")
    return "A4" if width < WIDEST_A4_IN_POINTS else "US-LETTER"


def _word(value: bool) -> str:
    return "true" if value else "false"


def _read_acceptance(response: httpx.Response, reference: str) -> str:
    status, body = response.status_code, read_json(response)
    if status in BUSY:
        raise NotSent("Stannp is busy (429); it is tried again later", retry_after(response) or _until_reset(response))
    require_not_refused_as_busy("Stannp", response)
    provider_id = _id_in(body)
    if status == 409 and provider_id:
        raise AlreadyAccepted(provider_id)
    if response.is_success and provider_id:
        return provider_id
    if status in {404, 405}:
        raise NotSent(f"Stannp has no such address ({status}); check providers.stannp.url, then it is tried again")
    is_refusal = isinstance(body, dict) and body.get("success") is False
    if (response.is_success and is_refusal) or (response.is_client_error and status not in {408, 409}):
        _refuse(status, body, reference)
    raise OutcomeUnknown(f"Stannp answered {status} to {reference} and did not name it; it is looked up first")


def _refuse(status: int, body: Any, reference: str) -> None:
    """Raises what a clear no means. Their words may hold an address, and are left alone."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str) and ABOUT_MONEY.search(error):
        raise NotSent(f"Stannp takes nothing from us just now ({status}); look at the account's balance and key there")
    raise Refused(f"Stannp refuses {reference} ({status}); check the customer's address and the letter, and write anew")


def _until_reset(response: httpx.Response) -> timedelta | None:
    """How long X-RateLimit-Reset asks us to wait: seconds from now, not an instant."""
    header = response.headers.get("X-RateLimit-Reset", "")
    return timedelta(seconds=int(header)) if re.fullmatch(r"[0-9]{1,5}", header) else None


def _id_in(body: Any) -> str | None:
    """The id in a success; a test letter has the id 0 and is none."""
    data = body.get("data") if isinstance(body, dict) and body.get("success") is True else None
    number = data.get("id") if isinstance(data, dict) else None
    return str(number) if isinstance(number, int | str) and re.fullmatch(r"[1-9][0-9]*", str(number)) else None


def _data_of(response: httpx.Response) -> Any:
    """What a look-up answered; NoAnswer where it is not a clear success."""
    body = read_json(response) if response.is_success else None
    if not isinstance(body, dict) or body.get("success") is not True:
        raise NoAnswer(f"Stannp did not answer what it was asked ({response.status_code})")
    return body.get("data")


def _ids_tagged(reference: str, response: httpx.Response) -> Sequence[str]:
    data = _data_of(response)
    pieces = data.get("singles") if isinstance(data, dict) else None
    if not isinstance(pieces, list):
        raise NoAnswer("Stannp did not list its letters")
    ids = []
    for piece in pieces:
        tags, provider_id = (piece.get("tags"), piece.get("id")) if isinstance(piece, dict) else (None, None)
        if not isinstance(tags, str) or not isinstance(provider_id, int | str):
            raise NoAnswer("Stannp listed a letter without its id or tags")
        if reference in _split(tags):
            ids.append(str(provider_id))
    return ids


def _split(tags: str) -> list[str]:
    return [tag.strip() for tag in tags.split(",")]


def _report_of(piece: Mapping[str, Any], received_at: datetime) -> Report | None:
    status, provider_id, tags = piece.get("status"), piece.get("id"), piece.get("tags")
    kind = KINDS.get(status) if isinstance(status, str) else None
    if kind is None or not isinstance(provider_id, int | str) or not re.fullmatch(r"[1-9][0-9]*", str(provider_id)):
        return None
    named = [tag for tag in _split(tags) if OUR_REFERENCE.fullmatch(tag)] if isinstance(tags, str) else []
    return Report(
        # A redelivery differs in its count of retries, and perhaps in its chunk; of one letter a status comes once.
        event_id=hashlib.sha256(f"{provider_id} {status}".encode()).hexdigest(),
        kind=kind,
        # Their times name no zone.
        at=received_at,
        reference=named[0] if named else None,
        provider_id=str(provider_id),
        raw=json.dumps({"id": provider_id, "status": status, "tags": tags}).encode(),
    )
