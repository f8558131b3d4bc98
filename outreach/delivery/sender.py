"""Hands over what is approved and due, each message once, however many senders run and whenever they die.

A message comes out of the outbox under a claim, passes the last check, gets an attempt on record, and only then leaves.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Engine, func
from sqlmodel import Session, col, select

from outreach.clock import Clock, business_date
from outreach.database import hold, reading, take_turns, writing
from outreach.delivery import outbox
from outreach.delivery.handover import handover_of
from outreach.delivery.last_check import Stop, find_stop
from outreach.delivery.outbox import Claim
from outreach.delivery.pauses import is_paused
from outreach.delivery.providers import ClosesItsDay, Handover, Provider, open_providers
from outreach.errors import AlreadyAccepted, DeliveryError, NotSent, OutcomeUnknown, Refused, SettingsError
from outreach.models import Installation, Message
from outreach.settings import Settings

Tell = Callable[[str], None]
TRIES = 5
RAN_OUT = Stop("approved", "the sender was held up before its turn")
ENDS = ("suppressed", "blocked", "withdrawn", "expired", "failed", "uncertain", "again")


@dataclass(frozen=True)
class DeliverReport:
    """What this run did, in messages, and what waits now that it is done.

    `sent` counts by channel. `again`: surely not taken, or not answered by a provider that takes one key once; the next
    run tries them. `waiting` are approved for a later day, `paused` and `over_cap` for today. `before` were accepted
    before this run. `files` are the lists that providers wrote.
    """

    on: date
    sent: Counter[str]
    suppressed: int
    blocked: int
    withdrawn: int
    expired: int
    failed: int
    uncertain: int
    again: int
    paused: int
    over_cap: int
    waiting: int
    before: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class Opened:
    """An attempt that is on record; `tries` is 1 for the first hand-over under its key."""

    number: int
    tries: int
    provider: str
    handover: Handover


def deliver_due(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    owner: str,
    tell: Tell = lambda _: None,
    providers: Mapping[str, Provider] | None = None,
) -> DeliverReport:
    """Sends every approved message whose day has come. `owner` names this sender; a second one of that name waits.

    Raises SettingsError in live mode while there is no day to start on.
    """
    with reading(engine) as session:
        _require_start(session, settings)
        before = _count(session, col(Message.accepted_at).is_not(None))
    with open_providers(settings, providers) as carriers, hold(engine, outbox.owner_lock(owner)):
        sender = Sender(engine, settings, clock, owner, tell, carriers)
        sender.run()
        files = sender.close_days()
        return sender.report(before, files)


def _require_start(session: Session, settings: Settings) -> None:
    installation = session.get(Installation, 1)
    if settings.mode == "live" and not (settings.start_on or (installation and installation.first_import_on)):
        raise SettingsError("Live sending needs a first day: import customers, or set start_on in outreach.toml")


def begin_attempt(session: Session, settings: Settings, claim: Claim, on: date, at: datetime) -> Opened | Stop | None:
    """Opens the attempt of a claimed message, or stops it; None when the claim no longer stands.

    Nothing may leave before the caller has committed.
    """
    message = outbox.require_claim(session, claim)
    if message is None:
        return None
    stop = RAN_OUT if at >= claim.lease_until else find_stop(session, settings, message, on)
    if stop is None:
        attempt = outbox.open_attempt(session, message, at, on)
        return Opened(attempt.number, attempt.tries, attempt.provider, handover_of(session, message, attempt))
    if stop.status == "approved" or not outbox.has_open_attempt(session, message):
        outbox.put_down(session, message, stop.status, stop.reason)
        return stop
    # An earlier try may have arrived: it is looked up first, and only if it did not does the reason to stop count.
    outbox.put_down(session, message, "uncertain", stop.reason, "unknown")
    return Stop("uncertain", stop.reason)


class Sender:
    """One run of one sender. What it counts is what it wrote itself."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        clock: Clock,
        owner: str,
        tell: Tell,
        providers: Mapping[str, Provider],
    ) -> None:
        self.engine, self.settings, self.clock, self.owner, self.tell = engine, settings, clock, owner, tell
        self.providers = providers
        self.sent: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()

    @property
    def today(self) -> date:
        return business_date(self.clock(), self.settings.business.timezone)

    def run(self) -> None:
        """Sweeps until no dead sender has left a claim behind and no claim of our own ran out."""
        self._tidy()
        sweeping = True
        while sweeping:
            ran_out = self.ended[RAN_OUT.reason]
            for claim in self._claims():
                self._send(claim)
            sweeping = self._tidy() > 0 or self.ended[RAN_OUT.reason] > ran_out

    def _tidy(self) -> int:
        """Takes back the claims of dead senders, and says how many; ends what is too late."""
        with writing(self.engine) as session:
            keyed = [name for name, provider in self.providers.items() if provider.key_life]
            lost = outbox.recover_lost(session, keyed)
            self.ended["expired"] += outbox.expire_late(session, self.today)
        return lost

    def _claims(self) -> Iterator[Claim]:
        """Each due message at most once a sweep: first those already begun, which no cap may hold up, then new ones."""
        for is_new in (False, True):
            last: Claim | None = None
            while claims := self._claim(is_new, last):
                yield from claims
                last = claims[-1]

    def _claim(self, is_new: bool, last: Claim | None) -> list[Claim]:
        on, at = self.today, self.clock()
        with writing(self.engine) as session:
            take_turns(session, "claim")
            room = outbox.room_left(session, self.settings.daily_cap, on) if is_new else None
            return outbox.claim_due(session, self.owner, self.providers, on, at, room, last)

    def _send(self, claim: Claim) -> None:
        with writing(self.engine) as session:
            opened = begin_attempt(session, self.settings, claim, self.today, self.clock())
        if isinstance(opened, Stop):
            self.ended[opened.reason if opened.status == "approved" else opened.status] += 1
        if not isinstance(opened, Opened):
            return
        try:
            provider_id = self._hand_over(claim, opened)
        except DeliveryError as error:
            self._settle_failure(claim, opened, error)
            return
        with writing(self.engine) as session:
            outbox.record_acceptance(session, claim.reference, opened.number, provider_id, self.clock())
        self.sent[opened.handover.channel] += 1
        self.tell(f"{claim.reference} left by {opened.handover.channel}")

    def _hand_over(self, claim: Claim, opened: Opened) -> str:
        if self.clock() >= claim.lease_until:
            raise NotSent("this sender was held up for too long; the next run sends it")
        try:
            return self.providers[opened.provider].send(opened.handover)
        except AlreadyAccepted as known:
            return known.provider_id
        except DeliveryError:
            raise
        except Exception as error:
            # A fault in a provider's code says nothing about what had left before it.
            raise OutcomeUnknown(f"{opened.provider} failed with {type(error).__name__}; look it up") from error

    def _settle_failure(self, claim: Claim, opened: Opened, error: DeliveryError) -> None:
        """Decides what a failed try means. A refusal of a second try proves nothing about the first."""
        is_first = opened.tries == 1
        if is_first and isinstance(error, Refused):
            status, outcome = "failed", "refused"
        elif is_first and isinstance(error, NotSent):
            status, outcome = "approved", "not_sent"
        elif self.providers[opened.provider].key_life and opened.tries < TRIES:
            status, outcome = "approved", None
        else:
            status, outcome = "uncertain", "unknown"
        with writing(self.engine) as session:
            if outbox.decide(session, claim, status, str(error), outcome):
                self.ended["again" if status == "approved" else status] += 1
        self.tell(f"{claim.reference}: {error}")

    def close_days(self) -> tuple[str, ...]:
        """The lists that providers wrote. One that cannot be written stays due, and what was sent stays sent."""
        written: list[str] = []
        for provider in self.providers.values():
            if isinstance(provider, ClosesItsDay):
                try:
                    written += provider.finish()
                except OSError as error:
                    self.tell(f"{provider.name} cannot write its lists ({error.strerror}); the next run tries again")
        return tuple(written)

    def report(self, before: int, files: tuple[str, ...]) -> DeliverReport:
        ended = {name: self.ended[name] for name in ENDS}
        with reading(self.engine) as session:
            on = self.today
            still_due = outbox.due(on, self.providers)
            is_full = outbox.room_left(session, self.settings.daily_cap, on) <= 0
            return DeliverReport(
                on=on,
                sent=self.sent,
                **ended,
                paused=_count(session, still_due, is_paused()),
                over_cap=_count(session, still_due, ~is_paused(), ~outbox.begun()) if is_full else 0,
                waiting=_count(session, Message.status == "approved", col(Message.send_on) > on),
                before=before,
                files=files,
            )


def _count(session: Session, *conditions: ColumnElement[bool] | bool) -> int:
    return session.exec(select(func.count()).select_from(Message).where(*conditions)).one()
