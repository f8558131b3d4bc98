"""Keeps requests of providers whose sender is proved, exactly as they came, and then acts on them.

These are two transactions: what a crash leaves between the two is acted on by the next tracking run.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from outreach.clock import Clock
from outreach.contacts import load_key
from outreach.database import insert_new, reading, writing
from outreach.delivery.outbox import record_incident
from outreach.delivery.providers import Provider, Report, WebhookRequest
from outreach.models import Incident, RefusedWebhook, Webhook
from outreach.settings import Settings
from outreach.tracking.events import apply_waiting, record_event
from outreach.tracking.replies import Meaning, record_reply

log = logging.getLogger("outreach.tracking")
# What a proxy or a browser adds to tell who is calling proves nothing of a webhook, and is not ours to keep.
NOT_KEPT = frozenset({"authorization", "proxy-authorization", "cookie"})


def store_webhook(engine: Engine, provider: str, request: WebhookRequest) -> int:
    """Keeps a request as it came, and returns its number; from here on nothing it says can be lost."""
    headers = {name: value for name, value in request.headers.items() if name not in NOT_KEPT}
    webhook = Webhook(
        provider=provider,
        received_at=request.received_at,
        url=request.url,
        headers=json.dumps(headers),
        body=request.body,
    )
    with writing(engine) as session:
        session.add(webhook)
        session.flush()
        return webhook.webhook_id or 0


def record_refused(engine: Engine, provider: str, number: int, reason: str, at: datetime) -> None:
    """Counts `number` more webhooks for a vendor that were refused. `reason` is our own words; nothing else is kept."""
    with writing(engine) as session:
        row = {"provider": provider, "count": 0, "last_at": at, "reason": reason}
        insert_new(session, RefusedWebhook, [row])
        of_it = update(RefusedWebhook).where(col(RefusedWebhook.provider) == provider)
        more = of_it.values(count=RefusedWebhook.count + number, last_at=at, reason=reason)
        session.connection().execute(more)


def apply_webhook(
    engine: Engine, settings: Settings, webhook_id: int, reports: Sequence[Report], at: datetime
) -> list[Meaning]:
    """Does what a kept request reports, all of it or nothing, once; returns what the replies in it mean."""
    # It opens a transaction of its own, which must not wait for ours.
    key = load_key(engine, settings)
    with writing(engine) as session:
        webhook = session.get_one(Webhook, webhook_id, with_for_update=True)
        if webhook.applied_at is not None:
            return []
        webhook.applied_at = at
        meanings = [
            _apply(session, settings, key, webhook, report)
            # Always in the same order, so that two requests never wait for each other's messages in a circle.
            for report in sorted(reports, key=lambda report: report.reference or report.key or report.provider_id or "")
        ]
    return [meaning for meaning in meanings if meaning]


def _apply(session: Session, settings: Settings, key: bytes, webhook: Webhook, report: Report) -> Meaning | None:
    if report.kind == "replied" and report.contact:
        return record_reply(session, settings, key, webhook.provider, report, webhook.received_at)
    record_event(
        session,
        webhook.provider,
        report.event_id,
        report.kind,
        report.at,
        webhook.received_at,
        report.reference,
        report.provider_id,
        report.raw,
        report.key,
        report.reason,
    )
    return None


def apply_pending_webhooks(engine: Engine, settings: Settings, clock: Clock, providers: Mapping[str, Provider]) -> int:
    """Acts on what was kept and not yet acted on, and on events that waited for their message; returns how many.

    Any number may run at once. A request that still cannot be read stays, and becomes an incident.
    """
    with reading(engine) as session:
        pending = session.exec(
            select(Webhook)
            .where(col(Webhook.applied_at).is_(None), col(Webhook.provider).in_(list(providers)))
            .order_by(col(Webhook.webhook_id))
        ).all()
    applied = sum(
        _apply_pending(engine, settings, clock(), providers[webhook.provider], webhook) for webhook in pending
    )
    with writing(engine) as session:
        return applied + apply_waiting(session)


def _apply_pending(engine: Engine, settings: Settings, at: datetime, carrier: Provider, webhook: Webhook) -> bool:
    webhook_id = webhook.webhook_id or 0
    request = WebhookRequest(webhook.url, json.loads(webhook.headers), webhook.body, webhook.received_at)
    try:
        meanings = apply_webhook(engine, settings, webhook_id, carrier.parse_events(request), at)
    except Exception as error:
        # One request that cannot be read must not keep the others waiting, whatever is wrong with it.
        log.error("webhook %s of %s cannot be acted on (%s)", webhook_id, webhook.provider, type(error).__name__)
        _record_once(engine, webhook.provider, f"webhook {webhook_id} of {webhook.provider} cannot be acted on", at)
        return False
    # What answers a HELP goes in our answer to the vendor's request (web/webhooks.py), and that one is over.
    if "help" in meanings:
        _record_once(engine, webhook.provider, f"a HELP in webhook {webhook_id} was not answered in time", at)
    return True


def _record_once(engine: Engine, provider: str, what: str, at: datetime) -> None:
    with writing(engine) as session:
        if session.exec(select(Incident).where(Incident.what == what)).first() is None:
            record_incident(session, provider, None, what, at)
