"""Gives letters to Lob, a sealed PDF and an address as a form, one letter each, and reads its signed webhooks.

Contract: lob.test.yaml (lob/lob-openapi 1.22.0). Lob's own package is not used: it raises after acceptance where a
field that it expects is missing, and it asks for metadata in a form that its own contract does not have.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

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
from outreach.delivery.providers.webhook_age import drop_stale, read_sent_at
from outreach.errors import NoAnswer, NotSent, OutcomeUnknown, Refused, SettingsError, WebhookRefused
from outreach.settings import ReturnAddress, Settings
from outreach.settings.providers import LobSettings
from outreach.settings.secrets import secret_of

# From this version on a letter has a size, and an older one refuses the field (print-specs.json).
VERSION = "2024-01-01"
SIGNATURE, TIMESTAMP = "lob-signature", "lob-signature-timestamp"
# Longer names are refused (contract: to[name]), and the name is printed in our own window anyway.
LONGEST_NAME = 40
MOST_LISTED = 100
LETTER_ID = re.compile(r"ltr_[a-zA-Z0-9]+")
ERROR_CODE = re.compile(r"[a-z_]{1,60}")
KINDS = {
    "created": "accepted",
    "rendered_pdf": "accepted",
    "mailed": "in_transit",
    "in_transit": "in_transit",
    "in_local_area": "in_transit",
    "international_exit": "in_transit",
    "processed_for_delivery": "in_transit",
    "re-routed": "in_transit",
    "delivered": "delivered",
    "returned_to_sender": "returned",
    "deleted": "cancelled",
    "rejected": "failed",
    "failed": "failed",
}


def open_provider(settings: Settings) -> "Lob":
    """Raises SettingsError without an address that letters come back to."""
    sender = settings.business.return_address
    if sender is None:
        raise SettingsError("Lob needs an address that letters come back to: set business.return_address")
    return Lob(settings.providers.lob, settings.business.name, sender)


class Lob:
    name = "lob"
    channels = frozenset({LETTER.name})
    # delivery-semantics.json: keys are kept for 24 hours.
    key_life = timedelta(hours=24)

    def __init__(self, settings: LobSettings, business: str, sender: ReturnAddress) -> None:
        self.per_second = settings.per_second
        self.absent_after: timedelta | None = timedelta(minutes=settings.absent_after_minutes)
        self.cancel_window = timedelta(hours=settings.cancel_hours)
        self._settings, self._from = settings, _sender_fields(business, sender)
        self._webhook_secret = secret_of(settings.webhook_secret)
        auth = httpx.BasicAuth(secret_of(settings.api_key), "")
        self._client = open_client(settings, auth=auth, headers={"Lob-Version": VERSION})

    def close(self) -> None:
        self._client.close()

    def send(self, handover: Handover) -> str:
        """Lob's id of the letter (ltr_…). The same key gives the letter that it already stands for."""
        request = self._client.build_request(
            "POST",
            "/letters",
            data=self._form_of(handover),
            files={"file": (f"{handover.reference}.pdf", handover.content, "application/pdf")},
            headers={"Idempotency-Key": handover.key},
        )
        return _read_acceptance(hand_over(self._client, request, handover.require_time), handover.reference)

    def _form_of(self, handover: Handover) -> dict[str, str]:
        held = {"send_date": _instant(handover.hold_until)} if handover.hold_until else {}
        return {
            **_recipient_fields(handover),
            **self._from,
            **held,
            "description": handover.reference,
            "color": _word(self._settings.color),
            "double_sided": _word(self._settings.double_sided),
            "address_placement": "top_first_page",
            "mail_type": "usps_first_class",
            "size": "us_letter",
            "use_type": "marketing" if handover.purpose == "marketing" else "operational",
            "metadata[reference]": handover.reference,
            "metadata[key]": handover.key,
        }

    def find(self, handover: Handover) -> list[str]:
        """Lob's ids for our reference; a letter that was cancelled there is told apart."""
        query = {"metadata[reference]": handover.reference, "limit": str(MOST_LISTED)}
        response = ask(self._client, self._client.build_request("GET", "/letters", params=query))
        body = read_json(response) if response.is_success else None
        letters = body.get("data") if isinstance(body, dict) else None
        if not isinstance(letters, list):
            raise NoAnswer(f"Lob did not list its letters ({response.status_code})")
        ours = [letter for letter in letters if _is_marked(letter, handover.reference)]
        cancelled = [letter["id"] for letter in ours if letter.get("deleted") is True]
        return LookupResult(
            (letter["id"] for letter in ours if letter["id"] not in cancelled), cancelled, date_of(response)
        )

    def cancel(self, provider_id: str) -> bool:
        """Whether the letter is cancelled now; what Lob's refusal means is read off the letter itself."""
        # What stands in for an id that nobody knows must not become a part of an address.
        if not LETTER_ID.fullmatch(provider_id):
            raise NoAnswer(f"Lob's own id of {provider_id} is not known; cancel it on its pages")
        response = ask(self._client, self._client.build_request("DELETE", f"/letters/{provider_id}"))
        body = read_json(response)
        if response.is_success and isinstance(body, dict) and body.get("deleted") is True:
            return True
        # A refusal may mean too late, or cancelled already by an earlier call whose answer was lost.
        letter = ask(self._client, self._client.build_request("GET", f"/letters/{provider_id}"))
        held = read_json(letter)
        if not letter.is_success or not isinstance(held, dict) or held.get("id") != provider_id:
            raise NoAnswer(f"Lob did not say whether {provider_id} is cancelled ({letter.status_code})")
        return held.get("deleted") is True

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        """What a signed webhook says of one letter; nothing for an event that we have no word for."""
        sent_at = self._verify(request)
        try:
            event = json.loads(request.body)
        except ValueError as error:
            raise WebhookRefused("the webhook from Lob is not JSON") from error
        if not isinstance(event, dict) or not isinstance(event.get("id"), str):
            raise WebhookRefused("the webhook from Lob is not an event")
        report = _report_of(event, request)
        return drop_stale("Lob", [report] if report else [], sent_at, request)

    def _verify(self, request: WebhookRequest) -> datetime:
        """When it was sent. Raises WebhookRefused unless Lob signed the time and the raw body.

        HMAC-SHA256 in hex over "time.body"; the time is in seconds or in milliseconds (webhook-vectors.json).
        """
        if not self._webhook_secret:
            raise WebhookRefused("no secret is set for Lob's webhooks: OUTREACH_PROVIDERS__LOB__WEBHOOK_SECRET")
        stamp = request.headers.get(TIMESTAMP, "")
        signed = stamp.encode() + b"." + request.body
        expected = hmac.new(self._webhook_secret.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), request.headers.get(SIGNATURE, "").strip().lower().encode()):
            raise WebhookRefused("the webhook does not prove that Lob sent it")
        if not re.fullmatch(r"[0-9]{9,14}", stamp):
            raise WebhookRefused("the webhook from Lob does not say when it was sent")
        # Seconds have ten digits until the year 2286, milliseconds thirteen since 2001.
        return read_sent_at(int(stamp) / (1000 if len(stamp) > 11 else 1), "Lob")


def _sender_fields(business: str, sender: ReturnAddress) -> dict[str, str]:
    fields = {
        "name": business[:LONGEST_NAME],
        "address_line1": sender.line1,
        "address_line2": sender.line2,
        "address_city": sender.city,
        "address_state": sender.region,
        "address_zip": sender.postal_code,
        "address_country": sender.country,
    }
    return {f"from[{name}]": value for name, value in fields.items() if value}


def _recipient_fields(handover: Handover) -> dict[str, str]:
    to = handover.recipient
    streets = to.get("streets")
    if not (isinstance(streets, list) and streets and to.get("city") and to.get("postal_code")):
        raise Refused(f"{handover.reference} has no street, town or postal code; complete the customer's address")
    fields = {
        "name": to["name"][:LONGEST_NAME],
        "address_line1": streets[0],
        "address_line2": ", ".join(streets[1:]),
        "address_city": to["city"],
        "address_state": to.get("region", ""),
        "address_zip": to["postal_code"],
        "address_country": to["country"],
    }
    return {f"to[{name}]": value for name, value in fields.items() if value}


def _word(value: bool) -> str:
    return "true" if value else "false"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _read_acceptance(response: httpx.Response, reference: str) -> str:
    status, body = response.status_code, read_json(response)
    if status in BUSY:
        raise NotSent("Lob is busy (429); it is tried again later", retry_after(response) or _until_reset(response))
    require_not_refused_as_busy("Lob", response)
    if response.is_success and isinstance(body, dict) and isinstance(body.get("id"), str):
        # Nothing else in the answer is needed, so nothing else in it can be missing.
        return str(body["id"])
    if status in {404, 405}:
        raise NotSent(f"Lob has no such address ({status}); check providers.lob.url, then it is tried again")
    # A 409 says that the key is in use: an earlier try is under way, or was another letter.
    if response.is_client_error and status not in {408, 409}:
        raise Refused(f"Lob refuses {reference} ({_code_of(body) or status}); check the address and the letter")
    raise OutcomeUnknown(f"Lob answered {status} to {reference} and did not name it; it is looked up first")


def _code_of(body: Any) -> str:
    """The code in an error; its words may hold an address, and are left alone."""
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and ERROR_CODE.fullmatch(code) else ""


def _until_reset(response: httpx.Response) -> timedelta | None:
    """How long X-Rate-Limit-Reset (epoch seconds, by Lob's own clock) asks us to wait."""
    try:
        reset = datetime.fromtimestamp(int(response.headers["X-Rate-Limit-Reset"]), UTC)
        return max(timedelta(0), reset - parsedate_to_datetime(response.headers["Date"]))
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        return None


def _is_marked(letter: Any, reference: str) -> bool:
    """Whether a listed letter is ours; a page that ignored the filter must not pass for an answer."""
    marks = letter.get("metadata") if isinstance(letter, dict) else None
    if not isinstance(marks, dict) or not isinstance(letter.get("id"), str):
        raise NoAnswer("Lob listed a letter without its id or metadata")
    return bool(marks.get("reference") == reference)


def _report_of(event: Mapping[str, Any], request: WebhookRequest) -> Report | None:
    event_type, letter = event.get("event_type"), event.get("body")
    name = event_type.get("id") if isinstance(event_type, dict) else event_type
    kind = KINDS.get(name.removeprefix("letter.")) if isinstance(name, str) and name.startswith("letter.") else None
    if kind is None:
        return None
    body = letter if isinstance(letter, dict) else {}
    marks = body.get("metadata")
    marks = marks if isinstance(marks, dict) else {}
    reason = body.get("failure_reason")
    code = reason.get("code") if isinstance(reason, dict) else None
    return Report(
        event_id=event["id"],
        kind=kind,
        at=_read_instant(event.get("date_created")) or request.received_at,
        reference=_text(marks.get("reference")),
        key=_text(marks.get("key")),
        provider_id=_text(event.get("reference_id")) or _text(body.get("id")),
        reason=code if kind == "failed" and isinstance(code, str) and ERROR_CODE.fullmatch(code) else None,
        raw=request.body,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _read_instant(said: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return at if at.tzinfo else None
