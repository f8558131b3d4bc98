"""Closes what is open: claims of dead senders, messages that left without an answer, and messages out of time.

A look-up that fails proves nothing: such a message stays open until it is old, and then goes to a person.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from outreach.approval import expire_unapproved, withdraw_stopped
from outreach.clock import Clock, business_date
from outreach.composing.contents import read_bodies
from outreach.composing.storage import Storage, open_storage
from outreach.database import reading, take_turns, writing
from outreach.delivery import outbox, recovery
from outreach.delivery.cancelling import cancel_stopped
from outreach.delivery.generation import accept_restore, find_restore
from outreach.delivery.handover import handover_of
from outreach.delivery.providers import Provider, TellsTime, open_providers
from outreach.delivery.reminding import remind_deputy
from outreach.delivery.unsettled import settle_unsettled
from outreach.errors import DeliveryError
from outreach.models import Attempt, Message
from outreach.settings import Settings
from outreach.tracking.webhooks import apply_pending_webhooks

Tell = Callable[[str], None]


@dataclass(frozen=True)
class TrackReport:
    """What this run closed, in messages.

    `webhooks` were kept, or waited for their message, and are acted on now. Of the uncertain ones, `found` had been
    taken, `absent` surely had not and go again, `still_uncertain` stay open and `needs_person` cannot be settled
    without one. `doubted` were put in doubt because a backup was restored. `withdrawn` still waited for approval.
    `cancelled` were taken back at vendors, and `saved` is their cost in minor units. `reminded` are batches
    that the deputy was told of.
    """

    recovered: int
    webhooks: int
    doubted: int
    found: int
    absent: int
    still_uncertain: int
    needs_person: int
    expired: int
    withdrawn: int
    cancelled: int
    saved: int
    reminded: int


def track_open(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    tell: Tell = lambda _: None,
    providers: Mapping[str, Provider] | None = None,
    after_restore: bool = False,
) -> TrackReport:
    """Takes back lost claims, looks up what is uncertain, and ends what is out of time. Any number may run at once.

    With `after_restore`, all that a restored backup may have forgotten is put in doubt first, and sending may go on.
    """
    on = business_date(clock(), settings.business.timezone)
    with open_providers(settings, providers) as carriers:
        settle_unsettled(engine, settings, carriers, clock())
        with writing(engine) as session:
            recovered = recovery.recover_lost(session, [name for name, carrier in carriers.items() if carrier.key_life])
        webhooks = apply_pending_webhooks(engine, settings, clock, carriers)
        doubted = _doubt(engine, settings, clock, tell) if after_restore else 0
        looked_up = look_up(engine, settings, carriers, clock, tell)
        # A look-up, too, can make known what an event was waiting for.
        webhooks += apply_pending_webhooks(engine, settings, clock, carriers)
        cancelled = cancel_stopped(engine, settings, clock, carriers, tell)
        with writing(engine) as session:
            take_turns(session, "approval")
            expired = outbox.expire_late(session, on) + expire_unapproved(session, on, clock())
            withdrawn = len(withdraw_stopped(session, settings, on, clock()))
        # Nobody is reminded of what has just ended.
        reminded = remind_deputy(engine, settings, clock(), carriers, tell)
    return TrackReport(
        recovered=recovered,
        webhooks=webhooks,
        doubted=doubted,
        found=looked_up["found"],
        absent=looked_up["absent"],
        still_uncertain=looked_up["still uncertain"],
        needs_person=looked_up["needs a person"],
        expired=expired,
        withdrawn=withdrawn,
        cancelled=cancelled.cancelled,
        saved=cancelled.saved,
        reminded=reminded,
    )


def _doubt(engine: Engine, settings: Settings, clock: Clock, tell: Tell) -> int:
    """Puts in doubt what a restored backup may have forgotten; a database that is its own loses nothing."""
    if find_restore(engine, settings):
        return accept_restore(engine, settings, clock())
    tell("No backup was restored here, as far as the mark beside the database knows: nothing is put in doubt")
    return 0


def look_up(
    engine: Engine, settings: Settings, carriers: Mapping[str, Provider], clock: Clock, tell: Tell
) -> Counter[str]:
    """Asks each provider for what left without an answer, with no transaction open while it thinks."""
    with reading(engine) as session:
        waiting = recovery.list_uncertain(session)
    storage = open_storage(settings.storage)
    give_up_after = timedelta(hours=settings.delivery.give_up_hours)
    outcomes: Counter[str] = Counter()
    for message, attempt in waiting:
        carrier = carriers.get(attempt.provider)
        outcome = _close(engine, storage, carrier, message, attempt, clock()) if carrier else "still uncertain"
        if outcome == "still uncertain":
            with writing(engine) as session:
                if recovery.give_up(session, message.reference, attempt.number, clock(), give_up_after):
                    outcome = "needs a person"
        outcomes[outcome] += 1
        tell(f"{message.reference}: {outcome}")
    return outcomes


def _instant_of_look(carrier: Provider, at: datetime) -> datetime:
    """When a look-up was answered: by the provider's own clock where it says, and never later than by ours.

    Taken for later than it was, it would prove that nothing arrived while that still was under way.
    """
    theirs = carrier.their_time() if isinstance(carrier, TellsTime) else None
    return min(at, theirs) if theirs else at


def _close(
    engine: Engine, storage: Storage, carrier: Provider, message: Message, attempt: Attempt, at: datetime
) -> str:
    body = read_bodies(engine, storage, [message.reference]).whole.get(message.content_sha256 or "")
    if body is None:
        return "still uncertain"
    try:
        found = carrier.find(handover_of(message, body, attempt))
    except DeliveryError:
        return "still uncertain"
    looked_at = _instant_of_look(carrier, at)
    with writing(engine) as session:
        # Where a provider can only be asked for like messages, some of them may be known as other messages of ours.
        found = outbox.drop_known(session, attempt.provider, found, message.reference)
        if found:
            outbox.record_acceptance(session, message.reference, attempt.number, found[0], at)
            return "found"
        # No try can have begun after the last claim ran out; only what is older than that is surely absent.
        waited = carrier.absent_after
        ended = recovery.end_of_tries(session, message.reference, attempt.number, at)
        is_old = waited is not None and looked_at >= ended + waited
        if is_old and recovery.record_absence(session, message.reference, attempt.number):
            return "absent"
    return "still uncertain"
