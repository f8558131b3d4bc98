"""Gives letters to PostGrid, a sealed PDF and an address as a form, one letter each, and reads its signed webhooks.

Contract: postgrid.json, rebuilt from the types of postgrid-python 2.3.0. That package is not used: it retries a POST by
itself without a key, and printed three letters for one time-out.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt

from outreach.channels import LETTER
from outreach.delivery.providers.http import (
    ask,
    date_of,
    hand_over,
    open_client,
    read_json,
    require_not_refused_as_busy,
)
from outreach.delivery.providers.protocol import Handover, LookupResult, Report, WebhookRequest
from outreach.delivery.providers.webhook_age import drop_stale, read_sent_at
from outreach.errors import NoAnswer, NotSent, OutcomeUnknown, Refused, SettingsError, WebhookRefused
from outreach.settings import ReturnAddress, Settings
from outreach.settings.providers import PostgridSettings
from outreach.settings.secrets import secret_of

SIGNATURE = re.compile(r"\s*t=(?P<time>[0-9]{9,14}),\s*v1=(?P<hash>[0-9a-fA-F]{64})\s*")
TOKEN = re.compile(rb"[\w-]+\.[\w-]+\.[\w-]*")
MOST_LISTED = 100
LETTER_ID = re.compile(r"letter_[a-zA-Z0-9]+")
CANCELLED = "cancelled"
STATUSES = frozenset({"ready", "printing", "processed_for_delivery", "completed", CANCELLED})
KINDS = {
    "ready": "accepted",
    "printing": "accepted",
    "processed_for_delivery": "in_transit",
    "completed": "delivered",
    CANCELLED: "cancelled",
}
# What the post says of it (imbStatus) is stronger than what PostGrid's own press says.
POSTAL_KINDS = {"entered_mail_stream": "in_transit", "out_for_delivery": "in_transit", "returned_to_sender": "returned"}


def open_provider(settings: Settings) -> "Postgrid":
    """Raises SettingsError without an address that letters come back to."""
    sender = settings.business.return_address
    if sender is None:
        raise SettingsError("PostGrid needs an address that letters come back to: set business.return_address")
    return Postgrid(settings.providers.postgrid, settings.business.name, sender)


class Postgrid:
    name = "postgrid"
    channels = frozenset({LETTER.name})
    # For how long it knows a key is not published. Half of this is relied on, and retries come within minutes.
    key_life = timedelta(hours=1)

    def __init__(self, settings: PostgridSettings, business: str, sender: ReturnAddress) -> None:
        self.per_second = settings.per_second
        self.absent_after: timedelta | None = timedelta(minutes=settings.absent_after_minutes)
        self.cancel_window = timedelta(hours=settings.cancel_hours)
        self._settings, self._from = settings, _sender_fields(business, sender)
        self._webhook_secret = secret_of(settings.webhook_secret)
        self._client = open_client(settings, headers={"x-api-key": secret_of(settings.api_key)})

    def close(self) -> None:
        self._client.close()

    def send(self, handover: Handover) -> str:
        """PostGrid's id of the letter (letter_…). The same key gives the letter that it already stands for."""
        request = self._client.build_request(
            "POST",
            "/letters",
            data=self._form_of(handover),
            files={"pdf": (f"{handover.reference}.pdf", handover.content, "application/pdf")},
            headers={"idempotency-key": handover.key},
        )
        return _read_acceptance(hand_over(self._client, request, handover.require_time), handover.reference)

    def _form_of(self, handover: Handover) -> dict[str, str]:
        held = {"sendDate": handover.hold_until.astimezone(UTC).isoformat()} if handover.hold_until else {}
        return {
            **_recipient_fields(handover),
            **self._from,
            **held,
            "description": handover.reference,
            "addressPlacement": "top_first_page",
            "color": _word(self._settings.color),
            "doubleSided": _word(self._settings.double_sided),
            # The size of the page itself: `paper_for` in composing/paper/sizes.py knows the same three countries.
            "size": "us_letter" if handover.recipient["country"] in {"US", "CA", "MX"} else "a4",
            "metadata[reference]": handover.reference,
            "metadata[key]": handover.key,
        }

    def find(self, handover: Handover) -> list[str]:
        """PostGrid's ids for our reference, which stands in each letter's description and metadata.

        A letter that was cancelled there is told apart.
        """
        query = {"search": handover.reference, "limit": str(MOST_LISTED), "skip": "0"}
        response = ask(self._client, self._client.build_request("GET", "/letters", params=query))
        body = read_json(response) if response.is_success else None
        letters = body.get("data") if isinstance(body, dict) else None
        if not isinstance(letters, list):
            raise NoAnswer(f"PostGrid did not list its letters ({response.status_code})")
        ours = [letter for letter in letters if _is_marked(letter, handover.reference)]
        cancelled = [letter["id"] for letter in ours if letter.get("status") == CANCELLED]
        return LookupResult(
            (letter["id"] for letter in ours if letter["id"] not in cancelled), cancelled, date_of(response)
        )

    def cancel(self, provider_id: str) -> bool:
        """Whether the letter is cancelled now; what PostGrid's refusal means is read off the letter itself."""
        # What stands in for an id that nobody knows must not become a part of an address.
        if not LETTER_ID.fullmatch(provider_id):
            raise NoAnswer(f"PostGrid's own id of {provider_id} is not known; cancel it on its pages")
        path = f"/letters/{provider_id}"
        note = {"note": "withdrawn"}
        answers = [ask(self._client, self._client.build_request("POST", f"{path}/cancellation", json=note))]
        if not answers[0].is_success:
            answers.append(ask(self._client, self._client.build_request("GET", path)))
        letter = read_json(answers[-1])
        status = letter.get("status") if isinstance(letter, dict) else None
        if not answers[-1].is_success or status not in STATUSES:
            raise NoAnswer(f"PostGrid did not say whether {provider_id} is cancelled ({answers[-1].status_code})")
        return bool(status == CANCELLED)

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        """What a signed webhook says of one letter; nothing for an event that we have no word for."""
        event, sent_at = self._verified(request)
        if not isinstance(event.get("type"), str) or not isinstance(event.get("data"), dict):
            raise WebhookRefused("the webhook from PostGrid is not an event")
        report = _report_of(event, request)
        return drop_stale("PostGrid", [report] if report else [], sent_at, request)

    def _verified(self, request: WebhookRequest) -> tuple[Mapping[str, Any], datetime | None]:
        """The event and when it was sent, once it is proved.

        It comes as a JWT (HS256, PostGrid's default), or as JSON with a signature header.
        """
        if not self._webhook_secret:
            raise WebhookRefused(
                "no secret is set for PostGrid's webhooks: OUTREACH_PROVIDERS__POSTGRID__WEBHOOK_SECRET"
            )
        if "postgrid-signature" in request.headers:
            sent_at = self._require_signature(request)
            return _object_in(request.body), sent_at
        if TOKEN.fullmatch(request.body):
            return self._decode(request)
        raise WebhookRefused("the webhook does not prove that PostGrid sent it")

    def _require_signature(self, request: WebhookRequest) -> datetime:
        signature = SIGNATURE.fullmatch(request.headers["postgrid-signature"])
        if signature is None:
            raise WebhookRefused("the signature of the webhook from PostGrid cannot be read")
        signed = signature["time"].encode() + b"." + request.body
        expected = hmac.new(self._webhook_secret.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature["hash"].lower()):
            raise WebhookRefused("the webhook does not prove that PostGrid sent it")
        return read_sent_at(int(signature["time"]) / (1000 if len(signature["time"]) > 11 else 1), "PostGrid")

    def _decode(self, request: WebhookRequest) -> tuple[Mapping[str, Any], datetime | None]:
        try:
            # The algorithm is ours to name: a token that says "none" proves nothing. Times are judged by our clock.
            claims: dict[str, Any] = jwt.decode(
                request.body,
                self._webhook_secret,
                algorithms=["HS256"],
                options={"verify_iat": False, "verify_exp": False, "verify_nbf": False, "verify_aud": False},
            )
        except jwt.PyJWTError as error:
            raise WebhookRefused("the webhook does not prove that PostGrid sent it") from error
        sent_at = claims.get("iat")
        return claims, read_sent_at(sent_at, "PostGrid") if isinstance(sent_at, int | float) else None


def _object_in(body: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
    except ValueError as error:
        raise WebhookRefused("the webhook from PostGrid is not JSON") from error
    if not isinstance(event, dict):
        raise WebhookRefused("the webhook from PostGrid is not an event")
    return event


def _sender_fields(business: str, sender: ReturnAddress) -> dict[str, str]:
    fields = {
        "companyName": business,
        "addressLine1": sender.line1,
        "addressLine2": sender.line2,
        "city": sender.city,
        "provinceOrState": sender.region,
        "postalOrZip": sender.postal_code,
        "countryCode": sender.country,
    }
    return {f"from[{name}]": value for name, value in fields.items() if value}


def _recipient_fields(handover: Handover) -> dict[str, str]:
    to = handover.recipient
    streets = to.get("streets")
    if not (isinstance(streets, list) and streets and to.get("city") and to.get("postal_code")):
        raise Refused(f"{handover.reference} has no street, town or postal code; complete the customer's address")
    # A whole name in one field is printed as it stands, whatever its order.
    fields = {
        "firstName": to["name"],
        "addressLine1": streets[0],
        "addressLine2": ", ".join(streets[1:]),
        "city": to["city"],
        "provinceOrState": to.get("region", ""),
        "postalOrZip": to["postal_code"],
        "countryCode": to["country"],
    }
    return {f"to[{name}]": value for name, value in fields.items() if value}


def _word(value: bool) -> str:
    return "true" if value else "false"


def _read_acceptance(response: httpx.Response, reference: str) -> str:
    status, body = response.status_code, read_json(response)
    require_not_refused_as_busy("PostGrid", response)
    if response.is_success and isinstance(body, dict) and isinstance(body.get("id"), str):
        return str(body["id"])
    if status in {404, 405}:
        raise NotSent(f"PostGrid has no such address ({status}); check providers.postgrid.url, then it is tried again")
    # A 409 may mean that an earlier try of the same key is under way.
    if response.is_client_error and status not in {408, 409}:
        raise Refused(f"PostGrid refuses {reference} ({status}); check the customer's address and the letter")
    raise OutcomeUnknown(f"PostGrid answered {status} to {reference} and did not name it; it is looked up first")


def _is_marked(letter: Any, reference: str) -> bool:
    """Whether a listed letter is ours: a search for words may find more than was asked for."""
    if not isinstance(letter, dict) or not isinstance(letter.get("id"), str):
        raise NoAnswer("PostGrid listed a letter without its id")
    marks = letter.get("metadata")
    return (isinstance(marks, dict) and marks.get("reference") == reference) or letter.get("description") == reference


def _report_of(event: Mapping[str, Any], request: WebhookRequest) -> Report | None:
    letter = event["data"]
    status, postal = letter.get("status"), letter.get("imbStatus")
    kind = POSTAL_KINDS.get(postal) if isinstance(postal, str) else None
    # Of a letter that was cancelled there, the post's word says nothing.
    kind = kind if kind and status != CANCELLED else KINDS.get(status) if isinstance(status, str) else None
    if not event["type"].startswith("letter.") or kind is None:
        return None
    marks = letter.get("metadata")
    marks = marks if isinstance(marks, dict) else {}
    provider_id = _text(letter.get("id"))
    state = f"{provider_id} {status} {postal}"
    return Report(
        event_id=_text(event.get("id")) or hashlib.sha256(state.encode()).hexdigest(),
        kind=kind,
        at=request.received_at,
        reference=_text(marks.get("reference")),
        key=_text(marks.get("key")),
        provider_id=provider_id,
        # Not the body: it may be a token that nobody can read without the secret.
        raw=json.dumps(event, sort_keys=True).encode(),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
