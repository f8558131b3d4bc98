"""Every recorded webhook, official or made from the vendor's documentation, verifies or is refused as recorded."""

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from outreach.delivery.providers import WebhookRequest, open_vendor
from outreach.errors import WebhookRefused
from outreach.settings import Business, Settings

SHARED = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "webhook-vectors.json"
VECTORS: list[dict[str, Any]] = json.loads(SHARED.read_text())["vectors"] if SHARED.exists() else []
SECRET_OF = {
    "sendgrid": {"api_key": "k"}, "twilio": {"account_sid": "AC1", "sender": "+18885550140"}, "lob": {"api_key": "k"},
    "postgrid": {"api_key": "k"}, "stannp": {"api_key": "k"},
}  # fmt: skip
SENDER = {"line1": "14 Alder Lane", "city": "Burlington", "region": "VT", "postal_code": "05401"}


def settings_for(vector: dict[str, Any], settings: Settings) -> Settings:
    proof = {
        "sendgrid": {"webhook_public_key": vector.get("public_key", "")},
        "twilio": {"auth_token": vector.get("auth_token")},
    }.get(vector["vendor"], {"webhook_secret": vector.get("secret")})
    part = type(getattr(settings.providers, vector["vendor"]))(**SECRET_OF[vector["vendor"]], **proof)
    business = Business.model_validate({**settings.business.model_dump(by_alias=True), "return_address": SENDER})
    providers = settings.providers.model_copy(update={vector["vendor"]: part})
    return settings.model_copy(update={"providers": providers, "business": business})


def request_of(vector: dict[str, Any]) -> WebhookRequest:
    """The recorded request, arriving at the moment it was signed."""
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    if vector["scheme"] == "HMAC_SHA256":
        headers["x-twilio-webhooks-signature-settings"] = "key=1,algorithm=HMAC_SHA256"
    body = (vector["body"] or "").encode()
    if vector.get("params"):
        headers["content-type"] = "application/x-www-form-urlencoded"
        body = urlencode([tuple(pair) for pair in vector["params"]]).encode()
    else:
        headers["content-type"] = "application/json"
    return WebhookRequest(vector.get("url", "https://x.example/webhooks"), headers, body, signed_at(headers, body))


def signed_at(headers: dict[str, str], body: bytes) -> datetime:
    said = " ".join(value for name, value in headers.items() if "timestamp" in name or "signature" in name)
    claims = body.split(b".")[1:2] if body.startswith(b"eyJ") else []
    said += " ".join(base64.urlsafe_b64decode(claim + b"==").decode("utf-8", "replace") for claim in claims)
    found = re.search(r'(?:^|t=|"iat":| )(\d{10,13})\b', said)
    seconds = int(found[1]) / (1000 if len(found[1]) > 11 else 1) if found else 1_700_000_000
    return datetime.fromtimestamp(seconds, UTC)


def test_the_vectors_are_here(shared: Path) -> None:
    assert len(VECTORS) == 27


@pytest.mark.filterwarnings("ignore:The HMAC key is")  # the recorded secret is shorter than one should be
@pytest.mark.parametrize("vector", VECTORS, ids=[f"{v['vendor']}: {v['name']}" for v in VECTORS])
def test_a_recorded_webhook_verifies_or_is_refused_as_recorded(vector: dict[str, Any], settings: Settings) -> None:
    carrier = open_vendor(vector["vendor"], settings_for(vector, settings))
    if vector["valid"]:
        carrier.parse_events(request_of(vector))
    else:
        with pytest.raises(WebhookRefused):
            carrier.parse_events(request_of(vector))
