"""Opens attempts for claimed messages, or finds the reasons against them, all in one transaction.

Nothing may leave before the caller has committed.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from outreach.clock import CLOCKS_DIFFER, Clock, business_date, steady_seconds
from outreach.composing.set_aside import name_fault
from outreach.composing.store.contents import Bodies
from outreach.database import reading, writing
from outreach.delivery import outbox
from outreach.delivery.handover import handover_of
from outreach.delivery.last_check import checks_on
from outreach.delivery.outbox import Claim
from outreach.delivery.providers import Cancels, ComparesRequests, Handover, Provider
from outreach.delivery.recovery.recovery import doubt
from outreach.delivery.recovery.restore_guard import next_mark
from outreach.delivery.recovery.restore_marks import Mark
from outreach.errors import DeliveryError, HeldUp, OutreachError
from outreach.models import Attempt, Message
from outreach.planning.checks import Check, find_stops
from outreach.planning.decisions import decide_again
from outreach.planning.legal_hours import find_leaves
from outreach.planning.verdicts import Stop, Stops
from outreach.settings import Settings

CHANGED = Stop("uncertain", "what would be asked has changed since its first try under this key; it is looked up first")
RAN_OUT = Stop("approved", "the sender was held up before its turn")
OLD_KEY = Stop("uncertain", "its key is too old for the provider to know it surely; it is looked up first")


@dataclass(frozen=True)
class Opened:
    """An attempt that is on record."""

    claim: Claim
    #: The attempt's, within its message.
    number: int
    #: 1 for the first hand-over under its key.
    tries: int
    handover: Handover


@dataclass
class Begun:
    """What became of a group of claims; those in no list no longer stood."""

    opened: list[Opened] = field(default_factory=list)
    stopped: list[tuple[Claim, Stop]] = field(default_factory=list)
    #: Those over which it failed as nobody foresaw, with the fault; nothing of them was written.
    failed: list[tuple[Claim, str]] = field(default_factory=list)
    #: To be remembered outside the database before anything leaves.
    mark: Mark | None = None
    #: When the last check looked, by `steady_seconds`.
    looked_at: float = field(default_factory=steady_seconds)


def begin_each(
    engine: Engine,
    settings: Settings,
    claims: Sequence[Claim],
    bodies: Bodies,
    carriers: Mapping[str, Provider],
    clock: Clock,
) -> Begun:
    """Begins attempts in one transaction; where that fails over one message, each alone, so that it stops no other.

    Raises what is no message's own fault: a setting, or the database.
    """
    try:
        with writing(engine) as session:
            # Read only now: others may have held the database for a while.
            looked_at, now = steady_seconds(), clock()
            on, watch = business_date(now, settings.business.timezone), watch_leases(claims, clock)
            begun = begin_attempts(session, settings, claims, bodies, carriers, on, now, watch)
        begun.looked_at = looked_at
        return begun
    except (OutreachError, SQLAlchemyError):
        raise
    except Exception as error:
        if len(claims) == 1:
            return Begun(failed=[(claims[0], f"it could not be begun: {name_fault(error)}; report this")])
    alone = [begin_each(engine, settings, [claim], bodies, carriers, clock) for claim in claims]
    return Begun(
        [opened for begun in alone for opened in begun.opened],
        [stopped for begun in alone for stopped in begun.stopped],
        [failed for begun in alone for failed in begun.failed],
        next((begun.mark for begun in reversed(alone) if begun.mark), None),
        alone[0].looked_at,
    )


def begin_attempts(
    session: Session,
    settings: Settings,
    claims: Sequence[Claim],
    bodies: Bodies,
    carriers: Mapping[str, Provider],
    on: date,
    at: datetime,
    require_time: Callable[[], None],
) -> Begun:
    """Opens an attempt for each claim that still stands and that no reason stops, all in the session's transaction.

    `bodies` were read before, so that no transaction waits for a storage; they are checked here, and handed over.
    """
    standing = outbox.require_claims(session, claims)
    attempts = outbox.attempts_of(session, [message.reference for _, message in standing])
    leaves = find_leaves(session, settings, [message for _, message in standing], at)
    checks = checks_on(bodies, leaves, at)
    ran_out = {claim.reference: RAN_OUT for claim, _ in standing if at >= claim.lease_until}
    free = [message for _, message in standing if message.reference not in ran_out]
    stops = ran_out | find_all_stops(session, settings, free, attempts, bodies, carriers, checks, on, at)
    begun = Begun(stopped=[(claim, stops[claim.reference]) for claim, _ in standing if claim.reference in stops])
    _put_down(session, [(m, stops[m.reference]) for _, m in standing if m.reference in stops], attempts, at)
    decide_again(session, {claim.reference: stop for claim, stop in begun.stopped}, on)
    windows = {name: _cancel_window(carrier) for name, carrier in carriers.items()}
    going = [(claim, message) for claim, message in standing if claim.reference not in stops]
    opened = [(claim, message, _open(message, attempts, windows, on, at)) for claim, message in going]
    comparing = {name: carrier for name, carrier in carriers.items() if isinstance(carrier, ComparesRequests)}
    for _, message, attempt in opened:
        # A later try under the same key is compared with this hash: see CHANGED.
        if attempt.tries == 1 and (carrier := comparing.get(attempt.provider)):
            body = bodies.whole[message.content_sha256 or ""]
            attempt.request_sha256 = _request_hash(carrier, message, attempt, body)
    outbox.add_attempts(session, [attempt for _, _, attempt in opened if attempt.tries == 1])
    # In rehearsal nothing leaves that a restored backup could forget.
    if opened and settings.mode == "live":
        begun.mark = next_mark(session, claims[0].owner, at)
    begun.opened = [
        Opened(claim, attempt.number, attempt.tries, handover_of(message, body, attempt, require_time, within))
        for claim, message, attempt in opened
        for body in [bodies.whole[message.content_sha256 or ""]]
        for until in [leaves[message.reference].until]
        for within in [until - at if until else None]
    ]
    return begun


def watch_leases(claims: Sequence[Claim], clock: Clock) -> Callable[[], None]:
    """What a provider asks right before the first byte: raises HeldUp once the claims have run out."""
    lease_until = min((claim.lease_until for claim in claims), default=clock())
    # On a clock of its own too: the machine may have slept, or the sender been stopped, between two looks.
    runs_out = steady_seconds() + (lease_until - clock()).total_seconds()

    def require_time() -> None:
        if clock() >= lease_until or steady_seconds() >= runs_out:
            raise HeldUp("this sender was held up for too long; the next run sends it")

    return require_time


def require_free(
    engine: Engine, settings: Settings, opened: Opened, bodies: Bodies, clock: Clock, fresh_until: float
) -> None:
    """What a provider asks on the open connection: raises HeldUp where the message must not leave any more.

    The last check of a round is good until `fresh_until` (steady seconds). A provider that was slower to listen has it
    made once more, for its message alone: else a slow greeting would outlast a pause or an opt-out.
    """
    opened.handover.require_time()
    if steady_seconds() <= fresh_until:
        return
    try:
        with reading(engine) as session:
            _require_no_stop(session, settings, opened.claim, bodies, clock())
    except SQLAlchemyError as error:
        raise HeldUp("the database did not say whether it may still leave") from error


def _require_no_stop(session: Session, settings: Settings, claim: Claim, bodies: Bodies, at: datetime) -> None:
    """Reads only: the claim goes back, and the next last check says what becomes of the message."""
    on = business_date(at, settings.business.timezone)
    message = session.get(Message, claim.reference)
    if message is None or (message.status, message.owner, message.fence) != ("sending", claim.owner, claim.fence):
        raise HeldUp("its claim does not stand any more")
    leaves = find_leaves(session, settings, [message], at)
    for stop in find_stops(session, settings, [message], on, checks_on(bodies, leaves, at)).values():
        raise HeldUp(stop.reason)


def find_all_stops(
    session: Session,
    settings: Settings,
    messages: Sequence[Message],
    attempts: Mapping[str, Sequence[Attempt]],
    bodies: Bodies,
    carriers: Mapping[str, Provider],
    checks: Sequence[Check],
    on: date,
    at: datetime,
) -> Stops:
    """Why messages do not leave: what `checks` say, and what their earlier `attempts` forbid. Writes nothing."""
    stops: Stops = {}
    for message in messages:
        unanswered = next((one for one in attempts.get(message.reference, []) if one.outcome is None), None)
        # Half of what the provider promises: its clock and ours differ, and a retry takes time to arrive.
        if unanswered and not _is_fresh(at - unanswered.started_at, carriers[message.provider or ""].key_life):
            stops[message.reference] = OLD_KEY
        elif unanswered and _has_changed(message, unanswered, bodies, carriers):
            stops[message.reference] = CHANGED
    free = [message for message in messages if message.reference not in stops]
    stops |= find_stops(session, settings, free, on, checks)
    # An earlier try may have arrived: it is looked up first, and only if it did not does the reason to stop count.
    for reference, stop in stops.items():
        if not stop.only_waits and _is_open(attempts, reference):
            stops[reference] = Stop("uncertain", stop.reason)  # and nothing is decided on again before it is known
    return stops


def _has_changed(message: Message, unanswered: Attempt, bodies: Bodies, carriers: Mapping[str, Provider]) -> bool:
    """Whether another try under the key would ask for something else, which its provider takes for a new order."""
    body = bodies.whole.get(message.content_sha256 or "")
    carrier = carriers[unanswered.provider]
    if body is None or not isinstance(carrier, ComparesRequests):
        return False
    return _request_hash(carrier, message, unanswered, body) != unanswered.request_sha256


def _request_hash(carrier: ComparesRequests, message: Message, attempt: Attempt, body: bytes) -> str | None:
    try:
        return carrier.request_hash(handover_of(message, body, attempt))
    except DeliveryError:
        # What cannot even be asked for is refused when it is handed over.
        return None


def _is_fresh(age: timedelta, key_life: timedelta) -> bool:
    """Whether a key of that age is surely still known; one from a clock that was ahead may be of any age."""
    return -CLOCKS_DIFFER <= age <= key_life / 2


def _is_open(attempts: Mapping[str, Sequence[Attempt]], reference: str) -> bool:
    return any(attempt.outcome is None for attempt in attempts.get(reference, []))


def _put_down(
    session: Session,
    stopped: Sequence[tuple[Message, Stop]],
    attempts: Mapping[str, Sequence[Attempt]],
    at: datetime,
) -> None:
    """Ends the claims of messages that do not leave."""
    # Many end for the same reason: one statement for each reason, and not for each message.
    by_stop: dict[Stop, list[Message]] = defaultdict(list)
    for message, stop in stopped:
        by_stop[stop].append(message)
    for stop, messages in by_stop.items():
        doubtful = [m for m in messages if stop.status == "uncertain" and not _is_open(attempts, m.reference)]
        for message in doubtful:
            doubt(session, message, at, stop.reason)
        others = [message for message in messages if message not in doubtful]
        outcome = "unknown" if stop.status == "uncertain" else None
        outbox.put_down(session, others, stop.status, stop.reason, outcome, stop.not_before)


def _cancel_window(carrier: Provider) -> timedelta:
    return carrier.cancel_window if isinstance(carrier, Cancels) else timedelta(0)


def _open(
    message: Message,
    attempts: Mapping[str, Sequence[Attempt]],
    windows: Mapping[str, timedelta],
    on: date,
    at: datetime,
) -> Attempt:
    attempt = outbox.open_attempt(message, attempts.get(message.reference, []), at, on)
    # Another try under the same key must ask for the same: a changed request would be a new order.
    if attempt.tries == 1:
        window = windows[attempt.provider]
        message.cancel_until = at + window if window else None
    return attempt
