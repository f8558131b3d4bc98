"""Hands over what is approved and due, each message once, however many senders run and whenever they die.

Messages come out of the outbox under claims, pass the last check, get attempts on record, and only then leave. What
providers answer is settled before the next round; a round is short, so that a pause is never long in coming into force.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col

from outreach.clock import Clock, business_date, steady_seconds, system_clock
from outreach.composing.contents import Bodies, read_bodies
from outreach.composing.storage import open_storage
from outreach.database import hold, reading, require_safe_claims, take_turns, writing
from outreach.delivery import generation, outbox
from outreach.delivery.beginning import RAN_OUT, Begun, Opened, begin_attempts, watch_leases
from outreach.delivery.cancelling import CancelReport, cancel_stopped
from outreach.delivery.last_check import OUT_OF_REACH
from outreach.delivery.outbox import Claim
from outreach.delivery.pauses import count_messages, is_paused
from outreach.delivery.providers import ClosesItsDay, Provider, open_providers
from outreach.delivery.rates import Allowed, allow
from outreach.delivery.recovery import recover_lost
from outreach.delivery.settling import Answer, settle
from outreach.delivery.undoing import count_undoable
from outreach.errors import AlreadyAccepted, DeliveryError, NotSent, OutcomeUnknown, SettingsError
from outreach.models import Installation, Message
from outreach.settings import Settings

Tell = Callable[[str], None]
ENDS = ("suppressed", "blocked", "withdrawn", "expired", "failed", "uncertain", "again")
# An attempt that has not started so long after it was opened is given back, and the last check made anew.
FRESH_SECONDS = 1.5
MOST_AT_ONCE = 500
# So many failures of a provider in a row, and it is left alone until the next run.
FAILURES_IN_A_ROW = 5


@dataclass(frozen=True)
class DeliverReport:
    """What this run did, in messages, and what waits now that it is done.

    `sent` counts by channel. `again`: surely not taken, or not answered by a provider that takes one key once; the next
    run tries them. `waiting` are approved for a later day, `paused` and `over_cap` for today. The approval of
    `undoable` can be undone, until `undo_until` for the last of them; then they leave. `before` were accepted
    before this run. `files` are the lists that providers wrote. `cancelled` were taken back at vendors, and `saved` is
    their cost in minor units.
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
    undoable: int
    undo_until: datetime | None
    before: int
    files: tuple[str, ...]
    cancelled: int
    saved: int


def deliver_due(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    owner: str,
    tell: Tell = lambda _: None,
    providers: Mapping[str, Provider] | None = None,
    at_point: Tell = lambda _: None,
) -> DeliverReport:
    """Sends every approved message whose day has come. `owner` names this sender; a second one of that name waits.

    `at_point` hears where the sender stands: claiming, claimed, beginning, begun, sending, answered, settling, settled.
    Raises SettingsError in live mode while there is no day to start on or a provider lacks a secret, and DatabaseError
    while a restored backup has not been looked after.
    """
    with reading(engine) as session:
        _require_start(session, settings)
        before = count_messages(session, col(Message.accepted_at).is_not(None))
    require_safe_claims(engine)
    generation.require_no_restore(engine, settings)
    with open_providers(settings, providers) as carriers, hold(engine, outbox.owner_lock(owner)):
        cancelled = cancel_stopped(engine, settings, clock, carriers, tell)
        sender = Sender(engine, settings, clock, owner, tell, carriers, at_point)
        sender.run()
        files = sender.close_days()
        return sender.report(before, files, cancelled)


def _require_start(session: Session, settings: Settings) -> None:
    installation = session.get(Installation, 1)
    if settings.mode == "live" and not (settings.start_on or (installation and installation.first_import_on)):
        raise SettingsError("Live sending needs a first day: import customers, or set start_on in outreach.toml")


class Sender:
    """One run of one sender. What it counts is what it wrote itself."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        clock: Clock,
        owner: str,
        tell: Tell,
        carriers: Mapping[str, Provider],
        at_point: Tell = lambda _: None,
    ) -> None:
        self.engine, self.settings, self.clock, self.owner, self.tell = engine, settings, clock, owner, tell
        self.carriers, self.at_point, self.storage = carriers, at_point, open_storage(settings.storage)
        self.sent: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.at_once = 10

    @property
    def today(self) -> date:
        return business_date(self.clock(), self.settings.business.timezone)

    @property
    def awake(self) -> list[str]:
        """The providers that have not failed too often in a row."""
        return [name for name in self.carriers if self.failures[name] < FAILURES_IN_A_ROW]

    def run(self) -> None:
        """Sweeps until no dead sender has left a claim behind, and no claim of our own ran out while others went."""
        self._tidy()
        sweeping = True
        while sweeping:
            self.ended[RAN_OUT.reason], sent = 0, self.sent.total()
            for claims in self._claims():
                self._work(claims)
            ran_out = self.ended[RAN_OUT.reason]
            sweeping = self._tidy() > 0 or (ran_out > 0 and self.sent.total() > sent)
        self.ended["again"] += ran_out + self.ended[OUT_OF_REACH.reason]
        if self.ended[OUT_OF_REACH.reason]:
            self.tell("The storage of letters did not give out some of them; outreach doctor says why")

    def _tidy(self) -> int:
        """Takes back the claims of dead senders, and says how many; ends what is too late."""
        with writing(self.engine) as session:
            keyed = [name for name, carrier in self.carriers.items() if carrier.key_life]
            lost = recover_lost(session, keyed)
            self.ended["expired"] += outbox.expire_late(session, self.today)
        return lost

    def _claims(self) -> Iterator[list[Claim]]:
        """Each due message at most once a sweep: first those already begun, which no cap may hold up, then new ones."""
        for is_new in (False, True):
            last: Claim | None = None
            while claims := self._claim(is_new, last):
                started = steady_seconds()
                yield claims
                last = claims[-1]
                self._set_pace(steady_seconds() - started)

    def _set_pace(self, seconds: float) -> None:
        """As many at once as take about half a second."""
        if seconds < FRESH_SECONDS / 3:
            self.at_once = min(self.at_once * 2, MOST_AT_ONCE)
        elif seconds > FRESH_SECONDS * 2 / 3:
            self.at_once = max(self.at_once // 2, 1)

    def _claim(self, is_new: bool, last: Claim | None) -> list[Claim]:
        self.at_point("claiming")
        on, at = self.today, self.clock()
        lease_until = at + timedelta(seconds=self.settings.delivery.lease_seconds)
        with writing(self.engine) as session:
            take_turns(session, "claim")
            # A message already begun was counted against the cap on the day it was begun.
            room = outbox.room_left(session, self.settings.daily_cap, on) if is_new else self.at_once
            limit = min(room, self.at_once)
            claims = outbox.claim_due(session, self.owner, self.awake, on, at, lease_until, limit, is_new, last)
        self.at_point("claimed")
        return claims

    def _work(self, claims: list[Claim]) -> None:
        bodies = read_bodies(self.engine, self.storage, [claim.reference for claim in claims])
        for name in dict.fromkeys(claim.provider for claim in claims):
            waiting = deque(claim for claim in claims if claim.provider == name)
            while waiting and name in self.awake:
                self._work_round(self.carriers[name], waiting, bodies)
            self._give_back(list(waiting), "its provider does not work just now")

    def _work_round(self, carrier: Provider, waiting: deque[Claim], bodies: Bodies) -> None:
        """Begins as many of `waiting` as may leave within a second, hands them over, and settles what is known."""
        begun, allowed, at = self._begin(carrier, waiting, bodies)
        if begun.mark:
            generation.remember(self.settings.delivery.generation_file, begun.mark)
        for _, stop in begun.stopped:
            self.ended[stop.reason if stop.status == "approved" else stop.status] += 1
        answers: list[Answer] = []
        try:
            for number, opened in enumerate(begun.opened):
                due = (allowed.wait + number * allowed.apart).total_seconds()
                time.sleep(max(0.0, at + due - steady_seconds()))
                answers.append(self._hand_over(carrier, opened, at + FRESH_SECONDS))
        finally:
            # Whatever ends this process in an orderly way, what is known by now is written down.
            self._settle(answers)

    def _begin(self, carrier: Provider, waiting: deque[Claim], bodies: Bodies) -> tuple[Begun, Allowed, float]:
        self.at_point("beginning")
        # A sender that dies leaves all it had begun open. Where nothing can be repeated or looked up, that is one.
        may_be_many = carrier.key_life or carrier.absent_after is not None
        wanted = len(waiting) if may_be_many else 1
        with writing(self.engine) as session:
            allowed = allow(session, carrier.name, carrier.per_second, wanted, system_clock())
            claims = [waiting.popleft() for _ in range(allowed.count)]
            at = steady_seconds()
            on, now = self.today, self.clock()
            watch = watch_leases(claims, self.clock)
            begun = begin_attempts(session, self.settings, claims, bodies, self.carriers, on, now, watch)
        self.at_point("begun")
        if not claims:
            time.sleep(min(allowed.wait.total_seconds(), FRESH_SECONDS))
        return begun, allowed, at

    def _hand_over(self, carrier: Provider, opened: Opened, fresh_until: float) -> Answer:
        """What the provider says; an attempt that is not fresh any more is not started."""
        if steady_seconds() > fresh_until or self.clock() >= opened.claim.lease_until:
            return Answer(opened, None, None)
        self.at_point("sending")
        try:
            return Answer(opened, carrier.send(opened.handover), None)
        except AlreadyAccepted as known:
            return Answer(opened, known.provider_id, None)
        except DeliveryError as error:
            return Answer(opened, None, error)
        except Exception as error:
            # A fault in a provider's code says nothing about what had left before it.
            what = OutcomeUnknown(f"{carrier.name} failed with {type(error).__name__}; look it up")
            what.__cause__ = error
            return Answer(opened, None, what)
        finally:
            self.at_point("answered")

    def _settle(self, answers: list[Answer]) -> None:
        if not answers:
            return
        self.at_point("settling")
        with writing(self.engine) as session:
            ended = settle(session, answers, self.carriers, self.clock())
        self.ended.update(ended)
        for answer in answers:
            self._count(answer)
        self.at_point("settled")

    def _count(self, answer: Answer) -> None:
        handover, name = answer.opened.handover, answer.opened.claim.provider
        if answer.provider_id is not None:
            self.failures[name] = 0
            self.sent[handover.channel] += 1
            self.tell(f"{handover.reference} left by {handover.channel}")
        elif isinstance(answer.error, NotSent | OutcomeUnknown):
            self.failures[name] += 1
            if self.failures[name] == FAILURES_IN_A_ROW:
                self.tell(f"{name} failed {FAILURES_IN_A_ROW} times in a row; the next run tries it again")
        if answer.error:
            self.tell(f"{handover.reference}: {answer.error}")

    def _give_back(self, claims: list[Claim], reason: str) -> None:
        if not claims:
            return
        with writing(self.engine) as session:
            standing = outbox.require_claims(session, claims)
            outbox.put_down(session, [message for _, message in standing], "approved", reason)
        self.ended["again"] += len(standing)

    def close_days(self) -> tuple[str, ...]:
        """The lists that providers wrote. One that cannot be written stays due, and what was sent stays sent."""
        written: list[str] = []
        for provider in self.carriers.values():
            if isinstance(provider, ClosesItsDay):
                try:
                    written += provider.finish()
                except OSError as error:
                    self.tell(f"{provider.name} cannot write its lists ({error.strerror}); the next run tries again")
        return tuple(written)

    def report(self, before: int, files: tuple[str, ...], cancelled: CancelReport) -> DeliverReport:
        ended = {name: self.ended[name] for name in ENDS}
        with reading(self.engine) as session:
            on = self.today
            still_due = outbox.due(on, self.clock(), self.carriers)
            is_full = outbox.room_left(session, self.settings.daily_cap, on) <= 0
            undoable, undo_until = count_undoable(session, on, self.clock())
            return DeliverReport(
                on=on,
                sent=self.sent,
                **ended,
                paused=count_messages(session, still_due, is_paused()),
                over_cap=count_messages(session, still_due, ~is_paused(), ~outbox.begun()) if is_full else 0,
                waiting=count_messages(session, Message.status == "approved", col(Message.send_on) > on),
                undoable=undoable,
                undo_until=undo_until,
                before=before,
                files=files,
                cancelled=cancelled.cancelled,
                saved=cancelled.saved,
            )
