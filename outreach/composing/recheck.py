"""Looks again at messages that were planned: may each still go, to whom, by which channel, and in which words?

It asks planning's one list of rules, of candidates built from the facts of now, and works out again what the words
state. Every look at a batch that waits, the call sheet, the cancel window and the transaction that opens an attempt ask
here. It writes nothing.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from outreach.chunks import in_chunks
from outreach.composing.fallbacks import find_carried
from outreach.composing.moment_data import Assignment
from outreach.composing.run import assignments_for
from outreach.composing.set_aside import name_fault
from outreach.composing.stated_facts import find_changed, hash_facts
from outreach.composing.template_data import FactFinder
from outreach.composing.writing import recipient_of
from outreach.contacts import read_key
from outreach.errors import ComposingError, OutreachError, SettingsError
from outreach.models import Customer, Message, Moment, Suppression
from outreach.moments import MOMENTS, Found, business_day, select_any_day
from outreach.moments.definition import BusinessDay
from outreach.moments.explanations import explain_clauses
from outreach.moments.open_day import OpenDay
from outreach.planning.candidates import Day, candidates_for
from outreach.planning.channel_choice import THEIR_WORD
from outreach.planning.rules import ask_again
from outreach.planning.run import LOST, load_day
from outreach.planning.verdicts import Hold, Stop, Stops
from outreach.settings import Settings

GONE = Hold("no_longer", "the customer's record is no longer here")
UNUSABLE = "they asked us not to use this contact, or it no longer reaches them"
NO_CONTACT = Stop("blocked", "it has no contact to check against the do-not-contact list")


def recheck(session: Session, settings: Settings, messages: Sequence[Message], on: date, now: datetime) -> Stops:
    """A Stop, by reference, for each of `messages` that must not go as it is on `on`; the others are not in it.

    A Stop carries what is said now of each moment of its message, so that the caller can have them decided on again.
    """
    key, stops = read_key(session, settings), dict[str, Stop]()
    # What was prepared ahead is asked for its own day: a rule that waits for that day must not hold it now.
    for day in sorted({max(on, message.run_on) for message in messages}):
        of_day = [message for message in messages if max(on, message.run_on) == day]
        stops |= _look_at(session, settings, key, of_day, day, now)
    return stops


def _look_at(
    session: Session, settings: Settings, key: bytes, messages: Sequence[Message], day: date, now: datetime
) -> Stops:
    """What one look says of them; where it fails over one, that one waits with the fault, and the others are looked at.

    Raises what is no message's own fault: a setting, or the database.
    """
    try:
        look = _Look(session, settings, key, messages, day, now)
        held = {message.reference: stop for message in messages if (stop := look.stop_for(message))}
        # In this order: words that have changed withdraw also what a rule would only make wait.
        return held | look.find_unusable(held) | look.find_changed(held)
    except (OutreachError, SQLAlchemyError):
        raise
    except Exception as error:
        if len(messages) == 1:
            waits = Stop("approved", f"it could not be looked at again: {name_fault(error)}; report this")
            return {messages[0].reference: waits}
    alone = [_look_at(session, settings, key, [message], day, now) for message in messages]
    return {reference: stop for stops in alone for reference, stop in stops.items()}


@dataclass(frozen=True)
class Carried:
    """A moment that a message carries, and the day for which it is looked for again."""

    moment: Moment
    asked_on: date

    @property
    def found(self) -> Found:
        moment = self.moment
        return Found(moment.kind, moment.customer_id, moment.occasion, moment.occasion_on, self.asked_on)


class _Look:
    """One look at some messages, with all that was read for it at once."""

    def __init__(
        self, session: Session, settings: Settings, key: bytes, messages: Sequence[Message], on: date, now: datetime
    ) -> None:
        self.session, self.settings, self.key, self.messages = session, settings, key, messages
        self.on, self.tomorrow = on, on + timedelta(days=1)
        self.carried = _find_carried(session, messages, on)
        every = [one for carried in self.carried.values() for one in carried]
        there = _find_there(session, settings, every)
        self.days = {(one.kind, one.customer_id, one.occasion): one.occasion_on for one in there}
        self.there = {one.moment.moment_id for one in every if _is_there(one, there)}
        found = {one.found for one in every if one.moment.moment_id in self.there}
        self.day: Day = load_day(session, settings, on, now, since_of(session, found))
        channels = {message.channel for message in messages}
        candidates = candidates_for(session, self.day, key, sorted(found), channels)
        self.standings = {on: {each.customer.id: each.standing for each in candidates}}
        self.candidates = {(each.kind, each.customer.id, each.occasion): each for each in candidates}

    def stop_for(self, message: Message) -> Stop | None:
        """What the rules say of the message; where it carries several moments, a reason against one holds all."""
        holds: dict[str, Hold] = {}
        status = "approved"
        for one in self.carried[message.reference]:
            verdict = self._ask(message, one)
            if verdict:
                holds[one.moment.moment_id] = verdict[1]
                # One that only waits ("approved") gives way to any other status.
                status = verdict[0] if status == "approved" else status
        if not holds:
            return None
        first = next(iter(holds.values()))
        return self._stop(message, status, first, holds)

    def _stop(self, message: Message, status: str, first: Hold, holds: Mapping[str, Hold]) -> Stop:
        moments = [one.moment.moment_id for one in self.carried[message.reference]]
        # Another moment in the same message is not to blame: it is decided on again tomorrow.
        later = Hold(first.rule, first.reason, self.tomorrow).within(message.useful_until)
        return Stop(status, first.reason, None, tuple((id_, holds.get(id_, later)) for id_ in moments))

    def _ask(self, message: Message, one: Carried) -> tuple[str, Hold] | None:
        """The status that the message takes, and why; None where the moment still stands and no rule is against it."""
        if one.moment.moment_id not in self.there:
            return "withdrawn", self._why_lost(one)
        moment = one.moment
        current = self.candidates[moment.kind, moment.customer_id, moment.occasion]
        # Asked as it was planned, by its own channel and provider, whatever planning would choose by now.
        candidate = replace(
            current,
            only=message.channel,  # type: ignore[arg-type]
            provider=message.provider,  # type: ignore[arg-type]
            purpose=message.purpose,
            useful_until=min(current.useful_until, message.useful_until),
        )
        if refused := ask_again(candidate, self.day):
            rule, hold = refused
            return ("suppressed" if hold.rule in THEIR_WORD else rule.status), hold
        if candidate.recipient and candidate.recipient.id != message.recipient_id:
            hold = Hold("recipient", "it would go to somebody else by now", self.tomorrow)
            return "withdrawn", hold.within(candidate.useful_until)
        return None

    def _why_lost(self, one: Carried) -> Hold:
        moment = one.moment
        if self.session.get(Customer, moment.customer_id) is None:
            return GONE
        if (moment.kind, moment.customer_id, moment.occasion) in self.days:
            return Hold(LOST.rule, "the day that it is about has changed", self.tomorrow)
        answers = explain_clauses(self.session, self.settings, MOMENTS[moment.kind], moment.customer_id, one.asked_on)
        failed = next((answer.value for answer in answers if not answer.is_met and answer.value), None)
        return Hold(LOST.rule, f"{LOST.reason}: {failed}" if failed else LOST.reason)

    def find_unusable(self, stops: Stops) -> Stops:
        """Messages whose very contact must not be used, whatever the customer's record says by now."""
        rest = [message for message in self.messages if message.reference not in stops]
        hashes = {message.contact_hash for message in rest if message.contact_hash}
        rows = select(Suppression.contact_hash, Suppression.channel).where(col(Suppression.contact_hash).in_(hashes))
        closed = {tuple(row) for row in self.session.exec(rows)} if hashes else set()
        # Without a hash nothing can be looked up in the list, so nobody can say that the contact may be used.
        unusable = {m.reference: NO_CONTACT for m in rest if m.contact_hash is None}
        for message in rest:
            if (message.contact_hash, message.channel) in closed:
                hold = Hold("suppressed", UNUSABLE, self.tomorrow).within(message.useful_until)
                unusable[message.reference] = self._stop(message, "suppressed", hold, {})
        return unusable

    def find_changed(self, stops: Stops) -> Stops:
        """Messages whose words, or whose recipient, would be others by now; those kept without facts are not asked."""
        stated = [m for m in self.messages if m.facts and (m.reference not in stops or stops[m.reference].only_waits)]
        if not stated:
            return {}
        assignments = assignments_for(self.session, stated)
        finder = FactFinder(self.session, self.settings, assignments, self.key, self.on, self.standings)
        changed: Stops = {}
        for message, assignment in zip(stated, assignments, strict=True):
            if why := self._why_changed(message, assignment, finder):
                hold = Hold("facts", why, self.tomorrow).within(message.useful_until)
                changed[message.reference] = self._stop(message, "withdrawn", hold, {})
        return changed

    def _why_changed(self, message: Message, assignment: Assignment, finder: FactFinder) -> str | None:
        kept: dict[str, str] = json.loads(message.facts or "{}")
        try:
            facts = finder.facts_for(assignment, message.language or self.settings.business.language)
            to = recipient_of(self.settings, message.channel, facts)
        except (ComposingError, SettingsError) as error:
            return str(error)
        # Only the facts that the words were written from are compared: others may change as they like.
        now = hash_facts(self.key, message.reference, tuple(kept), facts, to, message.channel)
        changed = find_changed(kept, now)
        return f"what it says has changed since it was written: {', '.join(changed)}" if changed else None


def _find_carried(session: Session, messages: Sequence[Message], on: date) -> dict[str, list[Carried]]:
    """The moments that each message carries, by reference, each with the day for which it is looked for again."""
    carried = find_carried(session, [message.reference for message in messages])
    return {
        reference: [Carried(moment, _asked_on(moment, on)) for moment in moments]
        for reference, moments in carried.items()
    }


def _asked_on(moment: Moment, on: date) -> date:
    """The day for which a moment is looked for again: today, or the day on which it was found where that stands."""
    definition, looked_on = MOMENTS[moment.kind], moment.looked_on or moment.found_on
    return looked_on if definition.outlives_window or not definition.windowed else max(on, looked_on)


def _is_there(one: Carried, there: set[Found]) -> bool:
    """Whether it is found again, and is about the same day; where that is the day of the run, whatever day it is."""
    if MOMENTS[one.moment.kind].has_own_day:
        return one.found in there
    return replace(one.found, occasion_on=one.asked_on) in there


def _find_there(session: Session, settings: Settings, carried: Iterable[Carried]) -> set[Found]:
    """Those moments that are still found, with the data of now."""
    by_day: dict[tuple[str, date], set[str]] = defaultdict(set)
    for one in carried:
        by_day[one.moment.kind, one.asked_on].add(one.moment.customer_id)
    there: set[Found] = set()
    for (kind, asked_on), customers in by_day.items():
        statement, on = _select_again(kind, MOMENTS[kind].written_knobs(settings), business_day(settings, OpenDay()))
        for chunk in in_chunks(customers):
            rows = session.execute(statement, {"customers": chunk} | on.values_on(asked_on))
            there |= {Found(kind, who, occasion, occasion_on, asked_on) for who, occasion, occasion_on in rows}
    return there


@lru_cache(maxsize=500)
def _select_again(kind: str, written: str, day: BusinessDay) -> tuple[Any, OpenDay]:
    """A statement for all days, and the day that is told with it."""
    found, on = select_any_day(kind, written, day, only_rechecked=True)
    return found.where(col(Customer.customer_id).in_(bindparam("customers", expanding=True))), on


def since_of(session: Session, found: Iterable[Found]) -> set[date | None]:
    """The days on which the customers of some moments came to us, where a rule asks how many share one."""
    customers = {one.customer_id for one in found if "present" in MOMENTS[one.kind].traits}
    days: set[date | None] = set()
    for chunk in in_chunks(customers):
        rows = select(col(Customer.customer_since)).where(col(Customer.customer_id).in_(chunk)).distinct()
        days |= set(session.exec(rows))
    return days
