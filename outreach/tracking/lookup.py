"""Closes what is open: claims of dead senders, messages that left without an answer, and messages out of time.

A look-up that fails proves nothing: such a message stays open until it is old, and then goes to a person.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from outreach.approval.withdrawals import expire_unapproved, withdraw_stopped
from outreach.clock import Clock, StoppedClock, business_date
from outreach.composing.store.contents import read_bodies
from outreach.composing.store.storage import Storage, open_storage
from outreach.database import reading, writing
from outreach.delivery import outbox
from outreach.delivery.handover import handover_of
from outreach.delivery.providers import Handover, LookupResult, Provider, open_providers
from outreach.delivery.recovery import recovery
from outreach.delivery.recovery.cancelling import cancel_stopped
from outreach.delivery.recovery.restore_guard import accept_restore, find_restore, is_looked_after, raise_mark
from outreach.delivery.staff_mail.reminders import remind_deputy
from outreach.delivery.status_reasons import MAY_HAVE_LEFT
from outreach.delivery.unrecorded_results import settle_unsettled
from outreach.errors import DatabaseError, DeliveryError, Refused
from outreach.locks import take_turns
from outreach.models import Attempt, Message
from outreach.settings import Settings
from outreach.tracking.webhooks import apply_pending_webhooks

Tell = Callable[[str], None]


@dataclass(frozen=True)
class TrackReport:
    """What this run closed, in messages where nothing else is said."""

    #: Taken back from senders that no longer live.
    recovered: int
    #: Requests that were kept, or waited for their message, and are acted on now.
    webhooks: int
    #: Put in doubt because a backup was restored.
    doubted: int
    #: Uncertain ones that their provider had taken.
    found: int
    #: Uncertain ones that surely were not taken, and go again.
    absent: int
    #: Uncertain ones that stay open.
    still_uncertain: int
    #: Uncertain ones that cannot be settled without a person.
    needs_person: int
    expired: int
    #: They still waited for approval.
    withdrawn: int
    #: Taken back at vendors, by us or on their pages.
    cancelled: int
    #: What those that we took back cost, in minor units.
    saved: int
    #: Batches that the deputy was told of.
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
        # First of all: what a vendor has said already need not be asked.
        settle_unsettled(engine, settings, carriers, clock())
        with writing(engine) as session:
            recovered = recovery.recover_lost(session, [name for name, carrier in carriers.items() if carrier.key_life])
        webhooks = apply_pending_webhooks(engine, settings, clock, carriers)
        doubted = _doubt(engine, settings, clock, tell) if after_restore else 0
        _raise_mark(engine, settings, clock, tell)
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
        _raise_mark(engine, settings, clock, tell)
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
        cancelled=cancelled.cancelled + looked_up["cancelled there"],
        saved=cancelled.saved,
        reminded=reminded,
    )


def _doubt(engine: Engine, settings: Settings, clock: Clock, tell: Tell) -> int:
    """Puts in doubt what a restored backup may have forgotten, once: whoever says that one was restored is believed.

    A machine that has not run since the backup was taken cannot know better by its mark.
    """
    if settings.mode == "live" and (find_restore(engine, settings) or not is_looked_after(engine)):
        return accept_restore(engine, settings, clock())
    tell("Nothing has been sent since a restored backup was looked after: nothing is put in doubt again")
    return 0


def _raise_mark(engine: Engine, settings: Settings, clock: Clock, tell: Tell) -> None:
    """Notes on this machine how far the database has come. To close what is open needs no mark, so nothing stops."""
    try:
        raise_mark(engine, settings, clock())
    except DatabaseError as error:
        tell(str(error))


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
        outcome = "still uncertain"
        if attempt.provider in carriers:
            outcome = _close(engine, settings, storage, carriers, message, attempt, clock)
        if outcome == "still uncertain":
            with writing(engine) as session:
                if recovery.give_up(session, message.reference, attempt.number, clock(), give_up_after):
                    outcome = "needs a person"
        outcomes[outcome] += 1
        tell(f"{message.reference}: {outcome}")
    return outcomes


def _close(
    engine: Engine,
    settings: Settings,
    storage: Storage,
    carriers: Mapping[str, Provider],
    message: Message,
    attempt: Attempt,
    clock: Clock,
) -> str:
    body = read_bodies(engine, storage, [message.reference]).whole.get(message.content_sha256 or "")
    if body is None:
        return "still uncertain"
    try:
        name, answer = _find(carriers, message, attempt, handover_of(message, body, attempt))
    except DeliveryError:
        return "still uncertain"
    with writing(engine) as session:
        # Where a provider can only be asked for like messages, some of them may be known as other messages of ours.
        there = outbox.drop_known(session, name, answer, message.reference)
        cancelled = outbox.drop_known(session, name, answer.cancelled, message.reference)
        if there or cancelled:
            recovery.note_provider(session, message.reference, attempt.number, name)
        if there:
            outbox.record_acceptance(session, message.reference, attempt.number, there[0], clock())
            return "found"
        if cancelled:
            recovery.record_cancelled_there(session, message.reference, attempt.number, cancelled[0], clock())
            return "cancelled there"
        is_old = _is_old_enough(session, settings, message, attempt, answer.at, carriers[attempt.provider], clock)
        if is_old and recovery.record_absence(session, message.reference, attempt.number):
            return "absent"
    return "still uncertain"


def _find(
    carriers: Mapping[str, Provider], message: Message, attempt: Attempt, handover: Handover
) -> tuple[str, LookupResult]:
    """What the attempt's provider has, or the first other one that has any. Raises DeliveryError without an answer.

    What left before a backup was restored may have gone by another provider than it would go by now: each that can be
    searched is asked for the reference.
    """
    names = [attempt.provider]
    if attempt.evidence == MAY_HAVE_LEFT:
        names += [name for name, carrier in carriers.items() if carrier.absent_after is not None and name not in names]
    answers = {}
    for name in names:
        try:
            ids = carriers[name].find(handover)
        except Refused:
            # It takes no such message, and cannot have one: a letter has no number that a text went to.
            if name == attempt.provider:
                raise
            continue
        answers[name] = ids if isinstance(ids, LookupResult) else LookupResult(ids)
        if answers[name] or answers[name].cancelled:
            return name, answers[name]
    return attempt.provider, answers[attempt.provider]


def _is_old_enough(
    session: Session,
    settings: Settings,
    message: Message,
    attempt: Attempt,
    at: datetime | None,
    carrier: Provider,
    clock: Clock,
) -> bool:
    """Whether what was not found can surely not arrive any more.

    By the provider's own clock where it shows one: it has missed the message for so long, and neither a clock of ours
    that jumped since the try nor another machine's has a say. No try begins after its last claim ran out.
    """
    if carrier.absent_after is None:
        return False
    # The hours of a stopped clock pass only where somebody says so, and those of a provider's own pass by themselves.
    if at is not None and not isinstance(clock, StoppedClock):
        lease = timedelta(seconds=settings.delivery.lease_seconds)
        since = recovery.note_missing(session, message.reference, attempt.number, at)
        return at >= since + carrier.absent_after + lease
    ended = recovery.end_of_tries(session, message.reference, attempt.number, clock())
    return clock() >= ended + carrier.absent_after
