"""Decides what still counts of a webhook that is proved, but was not sent just now. An opt-out never loses by its age.

A repetition of old news could only do harm by opening something; what closes a contact does the same however often.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from outreach.delivery.providers.protocol import CLOSING, Report, WebhookRequest
from outreach.errors import WebhookRefused

FRESH = timedelta(seconds=300)


def read_sent_at(seconds: float, vendor: str) -> datetime:
    """The instant that a vendor says it sent a webhook at, from epoch seconds. Raises WebhookRefused."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise WebhookRefused(f"the webhook from {vendor} does not say when it was sent") from error


def drop_stale(
    vendor: str, reports: Sequence[Report], sent_at: datetime | None, request: WebhookRequest
) -> list[Report]:
    """All reports of a webhook sent in the last five minutes; of any other, those that close a contact.

    Raises WebhookRefused where nothing is left of an old one. `sent_at` is None where its signature covers no time.
    """
    if sent_at is None or abs(request.received_at - sent_at) <= FRESH:
        return list(reports)
    if closing := [report for report in reports if report.kind in CLOSING]:
        return closing
    raise WebhookRefused(f"the webhook from {vendor} was not sent in the last five minutes; check our clock")
