"""Sends the same messages as a general job queue would, and so doubles some. Never for real use.

It is what a drill must be able to see failing: a lease instead of a proof of death, any error tried again, a new key
for every try.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine, and_, or_, update
from sqlmodel import col, select

from outreach.clock import Clock, business_date
from outreach.database import reading, writing
from outreach.delivery.handover import handover_of
from outreach.delivery.outbox import new_attempt
from outreach.delivery.providers import Handover, Provider
from outreach.models import Content, Message
from outreach.settings import Settings

AT_ONCE = 10


def send_naively(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    owner: str,
    carriers: Mapping[str, Provider],
    at_point: Callable[[str], None],
) -> None:
    """Sends what is approved, and again whatever failed or whose lease has run out."""
    at_point("claiming")
    references = _claim(engine, settings, clock, owner)
    at_point("claimed")
    for reference in references:
        name, handover = _read(engine, settings, clock, reference)
        at_point("sending")
        try:
            provider_id: str | None = carriers[name].send(handover)
        # Any error, also one after which the vendor has the message: it goes again, and so it is doubled.
        except Exception:
            provider_id = None
        at_point("answered")
        _finish(engine, reference, provider_id, clock)
        at_point("settled")


def _claim(engine: Engine, settings: Settings, clock: Clock, owner: str) -> list[str]:
    at = clock()
    # A stopped sender looks just like a dead one to this.
    ran_out = and_(col(Message.status) == "sending", col(Message.lease_until) < at)
    free = select(Message.reference).where(or_(col(Message.status) == "approved", ran_out))
    lease_until = at + timedelta(seconds=settings.delivery.lease_seconds)
    claimed = {"status": "sending", "owner": owner, "fence": Message.fence + 1, "lease_until": lease_until}
    with writing(engine) as session:
        ordered = free.order_by(Message.reference).limit(AT_ONCE).with_for_update(skip_locked=True)
        references = list(session.exec(ordered))
        claim = update(Message).where(col(Message.reference).in_(references)).values(claimed)
        session.connection().execute(claim)
    return references


def _read(engine: Engine, settings: Settings, clock: Clock, reference: str) -> tuple[str, Handover]:
    with reading(engine) as session:
        message = session.get_one(Message, reference)
        # What a drill sends is in its rows, and nobody looks here whether it is what was approved.
        body = session.get_one(Content, message.content_sha256).body or b""
    on = business_date(clock(), settings.business.timezone)
    handover = handover_of(message, body, new_attempt(message, message.fence, clock(), on))
    # Another key with each claim, so that no vendor knows a repeated hand-over by it.
    return message.provider or "", replace(handover, key=f"{reference}.{message.fence}")


def _finish(engine: Engine, reference: str, provider_id: str | None, clock: Clock) -> None:
    values = {"status": "approved", "owner": None}
    if provider_id is not None:
        values = {"status": "accepted", "owner": None, "provider_id": provider_id}
    with writing(engine) as session:
        session.connection().execute(update(Message).where(col(Message.reference) == reference).values(values))
