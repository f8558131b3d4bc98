"""Tells Prefect's server what was just written down in our database, so that work starts at once.

An event is only a hint: it names ids and counts, and it is announced after our own commit. Whoever announces it goes on
alike whether Prefect heard it or not; the next scheduled run finds what a lost one was about.
"""

import logging
import os
from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import httpx

from outreach.clock import system_clock
from outreach.models import Batch

APPROVED = "outreach.batch.approved"
TIMEOUT_SECONDS = 2.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
log = logging.getLogger("outreach.prefect_events")


def prefect_address() -> str:
    """Where Prefect is, as PREFECT_API_URL says; empty where nothing is announced."""
    return os.environ.get("PREFECT_API_URL", "")


def announce(address: str, event: str, resource_id: str, payload: Mapping[str, object]) -> bool:
    """Whether Prefect took the event. `address` is that of its server or of its API; nothing is sent to an empty one.

    Waits two seconds at most for each part of the way, and never raises.
    """
    if not address:
        return False
    # Prefect orders events by their real time, whatever OUTREACH_NOW says.
    occurred = system_clock().isoformat()
    event_id = str(uuid5(NAMESPACE_URL, f"{event} {resource_id} {occurred}"))
    resource = {"prefect.resource.id": resource_id}
    body = {"id": event_id, "occurred": occurred, "event": event, "resource": resource, "payload": dict(payload)}
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS, auth=_credentials(), trust_env=not _is_here(address)) as client:
            client.post(f"{_api(address)}/events", json=[body]).raise_for_status()
    except Exception as error:
        # Whatever it is, what was announced has happened; and the address may hold a password.
        log.warning("Prefect did not take %s (%s); the next scheduled run finds it", event, type(error).__name__)
        return False
    return True


def announce_approval(address: str, batch: Batch) -> bool:
    """Says that a batch was approved, which starts a delivery. Call it once the approval is committed."""
    until = batch.undo_until.isoformat() if batch.undo_until else None
    payload = {"batch_id": batch.batch_id, "count": batch.count, "undo_until": until}
    return announce(address, APPROVED, f"outreach.batch.{batch.batch_id}", payload)


def _api(address: str) -> str:
    plain = address.rstrip("/")
    return plain if "/api" in urlsplit(plain).path else f"{plain}/api"


def _is_here(address: str) -> bool:
    """Whether it is this machine: a proxy for the outside must not be asked for it."""
    return urlsplit(address).hostname in LOOPBACK


def _credentials() -> tuple[str, str] | None:
    """What a server that asks for a name and a password is given, from where Prefect itself looks for it."""
    name, _, password = os.environ.get("PREFECT_API_AUTH_STRING", "").partition(":")
    return (name, password) if name else None
