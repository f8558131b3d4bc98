"""Hands over what is approved and due, each message once, however many senders run and whenever they die.

Messages come out of the outbox under claims, pass the last check, get attempts on record, and only then leave. What
providers answer is settled before the next round. A round is short, so that a pause is never long in coming into force.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine
from sqlmodel import col

from outreach.clock import Clock, business_date, steady_seconds
from outreach.composing.store.contents import Bodies, read_bodies
from outreach.composing.store.storage import open_storage
from outreach.database import reading, require_safe_claims, writing
from outreach.delivery import outbox
from outreach.delivery.control.pauses import count_messages, is_paused
from outreach.delivery.day_lists import close_days
from outreach.delivery.due import count_waiting, require_start
from outreach.delivery.handover import hand_over
from outreach.delivery.last_check import OUT_OF_REACH
from outreach.delivery.open_attempts import RAN_OUT, Begun, Opened, begin_each, require_free
from outreach.delivery.outbox import Claim
from outreach.delivery.providers import Provider, open_providers
from outreach.delivery.rates import Slots
from outreach.delivery.record_results import AttemptResult, answer_of, is_providers_fault, settle
from outreach.delivery.recovery import restore_guard
from outreach.delivery.recovery.cancelling import CancelReport, cancel_stopped
from outreach.delivery.recovery.recovery import await_notice, recover_lost
from outreach.delivery.recovery.restore_marks import Mark, mark_file, remember
from outreach.delivery.reports import DeliverReport
from outreach.delivery.send_queue import TURNS, Turn
from outreach.delivery.unrecorded_results import kept_unless_settled, settle_unsettled
from outreach.errors import HeldUp, MarkNotWritten, NotNow
from outreach.locks import hold, is_held, take_turns
from outreach.models import Message
from outreach.settings import Settings

Tell = Callable[[str], None]
ENDS = ("suppressed", "blocked", "withdrawn", "changed", "expired", "failed", "uncertain", "again")
# An attempt that has not started so long after it was opened is given back, and the last check made anew.
FRESH_SECONDS = 1.5
MOST_AT_ONCE = 500
# So many failures of a provider in a row, and it is left alone until the next run.
FAILURES_IN_A_ROW = 5
SWEEPS_IN_VAIN = 3


def deliver_due(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    owner: str,
    tell: Tell = lambda _: None,
    providers: Mapping[str, Provider] | None = None,
    at_point: Tell = lambda _: None,
    limit: int | None = None,
) -> DeliverReport:
    """Sends every approved message whose day has come. `owner` names this sender; a second one of that name waits.

    No more than `limit` hand-overs are made, whatever becomes of them. `at_point` hears where the sender stands:
    claiming, claimed, beginning, begun, sending, answered, settling, settled.

    Raises SettingsError in live mode while there is no day to start on or a provider lacks a secret, and DatabaseError
    while a restored backup has not been looked after or the mark that tells of one cannot be written.
    """
    with reading(engine) as session:
        require_start(session, settings)
        if is_held(session, outbox.owner_lock(owner)):
            tell(f"Another sender called {owner} is at work; this one waits until it has ended")
        before = count_messages(session, col(Message.accepted_at).is_not(None))
    require_safe_claims(engine)
    restore_guard.raise_mark(engine, settings, clock())
    with open_providers(settings, providers) as carriers, hold(engine, outbox.owner_lock(owner)):
        # First of all: a try whose answer is on file must not be made again.
        if kept := settle_unsettled(engine, settings, carriers, clock()):
            tell(f"{kept} answers of providers that a lost database kept from being written down are settled now")
        cancelled = cancel_stopped(engine, settings, clock, carriers, tell)
        sender = Sender(engine, settings, clock, owner, tell, carriers, at_point, limit)
        sender.run()
        files = close_days(carriers.values(), tell)
        return sender.report(before, files, cancelled)


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
        limit: int | None = None,
    ) -> None:
        self.engine, self.settings, self.clock, self.owner, self.tell = engine, settings, clock, owner, tell
        self.carriers, self.at_point, self.limit = carriers, at_point, limit
        self.storage = open_storage(settings.storage)
        self.sent: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.retrying: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.slots: dict[str, Slots] = {}
        self.handed_over = 0
        self.at_once = 10

    @property
    def today(self) -> date:
        return business_date(self.clock(), self.settings.business.timezone)

    @property
    def awake(self) -> list[str]:
        """The providers that have not failed too often in a row."""
        return [name for name in self.carriers if self.failures[name] < FAILURES_IN_A_ROW]

    def run(self) -> None:
        """Sweeps until no dead sender has left a claim behind, and no claim of our own ran out.

        Where nothing but that happens, sweep after sweep, the machine is too slow just now, and the next run goes on.
        """
        self._tidy()
        sweeping, in_vain, looked_again = True, 0, False
        while sweeping:
            self.ended[RAN_OUT.reason], sent = 0, self.sent.total()
            for claims in self._claims():
                self._work(claims)
            ran_out = self.ended[RAN_OUT.reason]
            in_vain = 0 if self.sent.total() > sent else in_vain + 1
            sweeping = self._tidy() > 0 or (ran_out > 0 and in_vain < SWEEPS_IN_VAIN)
            if not (sweeping or looked_again):
                sweeping, looked_again = await_notice(self.engine) and self._tidy() > 0, True
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
        """Each due message at most once a sweep, those of one turn after those of another."""
        for turn in TURNS:
            last: Claim | None = None
            while claims := self._claim(turn, last):
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

    def _claim(self, turn: Turn, last: Claim | None) -> list[Claim]:
        self.at_point("claiming")
        on, at = self.today, self.clock()
        lease_until = at + timedelta(seconds=self.settings.delivery.lease_seconds)
        with writing(self.engine) as session:
            take_turns(session, "claim")
            # A message already begun was counted against the cap on the day it was begun.
            room = outbox.room_left(session, self.settings.daily_cap, on) if turn != "begun" else self.at_once
            limit = min(room, self.at_once, self._within_limit(self.at_once))
            claims = outbox.claim_due(session, self.owner, self.awake, on, at, lease_until, limit, turn, last)
        self.at_point("claimed")
        return claims

    def _within_limit(self, wanted: int) -> int:
        """How many of `wanted` hand-overs the limit of this run still allows: a claim is one at most."""
        return wanted if self.limit is None else min(wanted, self.limit - self.handed_over)

    def _work(self, claims: list[Claim]) -> None:
        bodies = read_bodies(self.engine, self.storage, [claim.reference for claim in claims])
        for name in dict.fromkeys(claim.provider for claim in claims):
            waiting = deque(claim for claim in claims if claim.provider == name)
            try:
                while waiting and name in self.awake:
                    self._work_round(self.carriers[name], waiting, bodies)
            except MarkNotWritten:
                self._give_back(claims, "nothing leaves while the mark cannot be written")
                raise
            self._give_back(list(waiting), "its provider does not work just now")

    def _work_round(self, carrier: Provider, waiting: deque[Claim], bodies: Bodies) -> None:
        """Begins as many of `waiting` as may leave within a second, hands them over, and settles what is known."""
        slots = self.slots.setdefault(carrier.name, Slots(self.engine, carrier.name, carrier.per_second, self.tell))
        begun = self._begin(carrier, waiting, bodies, slots)
        at = begun.looked_at
        if begun.mark:
            self._write_mark(begun.mark, begun.opened)
        if begun.opened:
            slots.note_ready(steady_seconds() - at)
        for _, stop in begun.stopped:
            self.ended[stop.reason if stop.only_waits else stop.counted_as] += 1
        answers: list[AttemptResult] = []
        try:
            for number, opened in enumerate(begun.opened):
                is_in_time = slots.await_slot(len(begun.opened) - number, at + FRESH_SECONDS)
                answers.append(
                    self._hand_over(carrier, opened, bodies, at + FRESH_SECONDS) if is_in_time else answer_of(opened)
                )
        finally:
            slots.drop()
            # Whatever ends this process in an orderly way, what is known by now is written down.
            self._settle(answers, begun.mark.name if begun.mark else "")

    def _write_mark(self, mark: Mark, opened: list[Opened]) -> None:
        """Writes the mark before anything leaves. Where that fails, what was begun is given back as never started."""
        try:
            remember(mark_file(self.settings, mark.name), mark)
        except MarkNotWritten:
            self._settle([answer_of(one) for one in opened], mark.name)
            raise

    def _begin(self, carrier: Provider, waiting: deque[Claim], bodies: Bodies, slots: Slots) -> Begun:
        self.at_point("beginning")
        # A sender that dies leaves all it had begun open. Where nothing can be repeated or looked up, that is one.
        may_be_many = carrier.key_life or carrier.absent_after is not None
        count, wait = slots.set_aside(len(waiting) if may_be_many else 1)
        if not count:
            slots.wait(wait, FRESH_SECONDS)
            return Begun()
        claims = [waiting.popleft() for _ in range(count)]
        begun = begin_each(self.engine, self.settings, claims, bodies, self.carriers, self.clock)
        for claim, fault in begun.failed:
            self.tell(f"{claim.reference}: {fault}")
            self._give_back([claim], fault)
        self.at_point("begun")
        return begun

    def _hand_over(self, carrier: Provider, opened: Opened, bodies: Bodies, fresh_until: float) -> AttemptResult:
        """What the provider says; an attempt that is not fresh any more is not started."""
        if steady_seconds() > fresh_until or self.clock() >= opened.claim.lease_until:
            return answer_of(opened)
        self.at_point("sending")
        self.handed_over += 1
        is_free = partial(require_free, self.engine, self.settings, opened, bodies, self.clock, fresh_until)
        provider_id, error = hand_over(carrier, replace(opened.handover, require_time=is_free))
        # Nothing has left, so it takes none of this run's limit.
        self.handed_over -= isinstance(error, HeldUp)
        self.at_point("answered")
        return answer_of(opened, provider_id, error)

    def _settle(self, answers: list[AttemptResult], database: str) -> None:
        if not answers:
            return
        self.at_point("settling")
        with kept_unless_settled(self.settings, database, answers, self.tell):
            ended = settle(self.engine, answers, self.carriers, self.clock())
        self.ended.update(ended)
        self.retrying[answers[0].claim.provider] += ended["again"]
        for answer in answers:
            self._count(answer)
        self.at_point("settled")

    def _count(self, answer: AttemptResult) -> None:
        reference, name = answer.claim.reference, answer.claim.provider
        if answer.provider_id is not None:
            self.sent[answer.channel] += 1
            self.tell(f"{reference} left by {answer.channel}")
        if answer.provider_id is not None or isinstance(answer.error, NotNow):
            # Whoever says so of one recipient listens, and is at work.
            self.failures[name] = 0
        elif is_providers_fault(answer.error):
            self.failures[name] += 1
            if self.failures[name] == FAILURES_IN_A_ROW:
                self.tell(f"{name} failed {FAILURES_IN_A_ROW} times in a row; the next run tries it again")
        if answer.error:
            self.tell(f"{reference}: {answer.error}")

    def _give_back(self, claims: list[Claim], reason: str) -> None:
        if not claims:
            return
        with writing(self.engine) as session:
            standing = outbox.require_claims(session, claims)
            outbox.put_down(session, [message for _, message in standing], "approved", reason)
        self.ended["again"] += len(standing)
        self.retrying[claims[0].provider] += len(standing)

    def report(self, before: int, files: tuple[str, ...], cancelled: CancelReport) -> DeliverReport:
        with reading(self.engine) as session:
            on, at = self.today, self.clock()
            waits = count_waiting(session, self.settings, on, at, self.carriers)
            still_due = count_messages(session, outbox.due(on, at, self.carriers), ~is_paused())
        counted: dict[str, Any] = {name: self.ended[name] for name in ENDS} | vars(waits)
        return DeliverReport(
            on=on,
            sent=self.sent,
            **counted,
            retrying=+self.retrying,
            resting=tuple(sorted(set(self.carriers) - set(self.awake))),
            left=0 if self._within_limit(1) > 0 else still_due - waits.over_cap,
            before=before,
            files=files,
            cancelled=cancelled.cancelled,
            saved=cancelled.saved,
        )
