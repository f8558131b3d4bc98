"""Closes what is open: claims of dead senders, messages that left without an answer, and messages out of time.

A look-up that fails proves nothing: such a message stays open, and the report says how many did.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from outreach.approval import expire_unapproved
from outreach.clock import Clock, business_date
from outreach.database import reading, take_turns, writing
from outreach.delivery import outbox
from outreach.delivery.handover import handover_of
from outreach.delivery.providers import Provider, open_providers
from outreach.errors import DeliveryError
from outreach.models import Attempt, Message
from outreach.settings import Settings

Tell = Callable[[str], None]


@dataclass(frozen=True)
class TrackReport:
    """What this run closed, in messages.

    Of the uncertain ones, `found` had been taken, `absent` surely had not and go again, `still_uncertain` stay open.
    """

    recovered: int
    found: int
    absent: int
    still_uncertain: int
    expired: int


def track_open(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    tell: Tell = lambda _: None,
    providers: Mapping[str, Provider] | None = None,
) -> TrackReport:
    """Takes back lost claims, looks up what is uncertain, and ends what is out of time. Any number may run at once."""
    on = business_date(clock(), settings.business.timezone)
    with open_providers(settings, providers) as carriers:
        with writing(engine) as session:
            recovered = outbox.recover_lost(session, [name for name, provider in carriers.items() if provider.key_life])
        looked_up = look_up(engine, carriers, clock, tell)
    with writing(engine) as session:
        take_turns(session, "approval")
        expired = outbox.expire_late(session, on) + expire_unapproved(session, on, clock())
    return TrackReport(recovered, looked_up["found"], looked_up["absent"], looked_up["still uncertain"], expired)


def look_up(engine: Engine, providers: Mapping[str, Provider], clock: Clock, tell: Tell) -> Counter[str]:
    """Asks each provider for what left without an answer, with no transaction open while it thinks."""
    with reading(engine) as session:
        waiting = outbox.uncertain(session)
    outcomes: Counter[str] = Counter()
    for message, attempt in waiting:
        provider = providers.get(attempt.provider)
        outcome = _close(engine, provider, message, attempt, clock()) if provider else "still uncertain"
        outcomes[outcome] += 1
        tell(f"{message.reference}: {outcome}")
    return outcomes


def _close(engine: Engine, provider: Provider, message: Message, attempt: Attempt, at: datetime) -> str:
    with reading(engine) as session:
        handover = handover_of(session, message, attempt)
    try:
        found = provider.find(handover)
    except DeliveryError:
        return "still uncertain"
    with writing(engine) as session:
        if found:
            outbox.record_acceptance(session, message.reference, attempt.number, found[0], at)
            return "found"
        # No try can have begun after the last claim ran out; only what is older than that is surely absent.
        waited = provider.absent_after
        is_old = waited is not None and at >= (message.lease_until or attempt.started_at) + waited
        if is_old and outbox.record_absence(session, message.reference, attempt.number):
            return "absent"
    return "still uncertain"
