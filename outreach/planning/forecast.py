"""Days ahead in; the messages that planning would plan on each of them out, by the same judging, with what they cost.

It reads, carries what each day would leave behind in memory to the next, and writes nothing. What the future brings
(a payment, a visit, an opt-out) it cannot know; that payments are imported every morning it takes for granted.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.clock import business_date
from outreach.database import reading
from outreach.errors import SettingsError
from outreach.intake.contacts import load_key
from outreach.models import Decision, Message, Moment
from outreach.moments import Found, find_moments, knobs_for
from outreach.moments.anniversary import ANNIVERSARY
from outreach.planning.around import REACHED, is_next_step, look_around
from outreach.planning.budget import Spent, find_spent, most_cost
from outreach.planning.candidates import Candidate, Day, candidates_for
from outreach.planning.judging import Judge, Sent, Verdict
from outreach.planning.people import select_for
from outreach.planning.routes import Route
from outreach.planning.run import (
    LOST,
    is_due,
    latest_decisions,
    planned_on,
    start_of,
    waiting_on,
)
from outreach.planning.standing import load_facts
from outreach.planning.tally import Tally
from outreach.planning.verdicts import Hold
from outreach.settings import Channel, Postage, Settings

FARTHEST = 366


@dataclass(frozen=True)
class Foreseen:
    """A message that would be planned on `on`, to leave on `send_on`; `cost` is in minor units, and
    `reward_cost` the part of it that what they are given is expected to cost."""

    on: date
    send_on: date
    moment: str
    channel: str
    customer_id: str
    recipient_id: str
    cost: int
    reward_cost: int = 0


@dataclass(frozen=True)
class Forecast:
    """What would be planned from `first` to `last`. `held` counts, by (moment, outcome, rule), every no of every day.

    The cost of a text is that of one segment: how long it will be is not known before it is written.
    """

    first: date
    last: date
    currency: str
    messages: tuple[Foreseen, ...] = ()
    held: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def of(self, moment: str) -> "Forecast":
        """The part of it that is about one moment."""
        messages = tuple(message for message in self.messages if message.moment == moment)
        held = Counter({key: number for key, number in self.held.items() if key[0] == moment})
        return replace(self, messages=messages, held=held)

    @property
    def cost(self) -> int:
        return sum(message.cost for message in self.messages)

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Messages by (moment, channel)."""
        return Counter((message.moment, message.channel) for message in self.messages)

    @property
    def by_day(self) -> dict[date, list[Foreseen]]:
        """The messages of each day that has any."""
        days: dict[date, list[Foreseen]] = defaultdict(list)
        for message in self.messages:
            days[message.on].append(message)
        return dict(days)


def forecast(engine: Engine, settings: Settings, first: date, last: date, now: datetime) -> Forecast:
    """What `plan_day` would plan, were it run on every day from `first` to `last` on the data as they are now.

    Raises SettingsError where `last` is before `first`, or over a year after it.
    """
    if not 0 <= (last - first).days < FARTHEST:
        raise SettingsError(f"From {first} to {last}: give a last day that is not before the first, within one year")
    key = load_key(engine, settings)
    with reading(engine) as session:
        oracle = Oracle(session, settings, key, now)
        for ahead in range((last - first).days + 1):
            oracle.live_through(first + timedelta(days=ahead))
        return Forecast(first, last, settings.business.currency, tuple(oracle.messages), oracle.held)


class Oracle:
    """Lives through days one after another; what one leaves behind, the next finds."""

    def __init__(self, session: Session, settings: Settings, key: bytes, now: datetime) -> None:
        self.session, self.settings, self.key, self.now = session, settings, key, now
        self.today = business_date(now, settings.business.timezone)
        self.messages: list[Foreseen] = []
        self.held: Counter[tuple[str, str, str]] = Counter()
        self.decided: dict[str, Decision] = {}
        self.kinds: dict[str, str] = {}
        self.touches: dict[str, list[tuple[date, str]]] = defaultdict(list)
        self.household_touches: dict[str, list[tuple[date, str]]] = defaultdict(list)
        self.asked: dict[str, dict[str, date]] = defaultdict(dict)
        self.sent: dict[str, list[tuple[date, str]]] = defaultdict(list)
        self.finds: dict[tuple[str, date], list[Found]] = {}

    def live_through(self, on: date) -> None:
        settings = self.settings.model_copy(update={"start_on": start_of(self.session, self.settings, on)})
        found = look_around(self.session, settings, on, self._find)
        undecided = self._undecided(found, on)
        self._drop_lost(found, on)
        day = self._day(settings, on)
        day.tally.take_over(planned_on(self.session, on))
        judge = Judge(day, self.key)
        climbing = self._climbing(found, settings, on)
        candidates = candidates_for(self.session, day, self.key, [*undecided, *(found[id_] for id_ in climbing)])
        candidates = [replace(each, step=len(climbing.get(each.moment_id, ())) + 1,
                              tried=climbing.get(each.moment_id, ())) for each in candidates]  # fmt: skip
        self._recall(candidates, on)
        for candidate in candidates:
            self._note(candidate, judge.judge(candidate), on)

    def _spent(self, on: date) -> Spent:
        """What the month of `on` has cost so far, as the tables have it and as the days before foresaw it."""
        spent = find_spent(self.session, self.settings, on)
        for message in self.messages:
            if (message.on.year, message.on.month) == (on.year, on.month):
                spent[message.moment] += most_cost(self.settings, message.channel) + message.reward_cost
        return spent

    def _find(self, session: Session, settings: Settings, on: date, kinds: Sequence[str]) -> list[Found]:
        """Days ahead are looked at on many days; who has a moment on them is the same each time."""
        (kind,) = kinds
        if (kind, on) not in self.finds:
            self.finds[kind, on] = find_moments(session, settings, on, kinds)
        return self.finds[kind, on]

    def _day(self, settings: Settings, on: date) -> Day:
        facts = load_facts(self.session, ANNIVERSARY.knobs_of(settings).shared_since_percent)
        now = self.now + (on - self.today)
        if facts.payments_imported_at and on > self.today:
            facts = replace(facts, payments_imported_at=now)
        return Day(on, now, settings, facts, Tally(self._spent(on)))

    def _undecided(self, found: dict[str, Found], on: date) -> list[Found]:
        unseen = [id_ for id_ in found if id_ not in self.decided]
        stored = {
            row.moment_id: row for row in select_for(self.session, latest_decisions(), Decision.moment_id, unseen)
        }
        return [item for id_, item in found.items() if is_due(self.decided.get(id_) or stored.get(id_), on)]

    def _climbing(self, found: dict[str, Found], settings: Settings, on: date) -> dict[str, tuple[str, ...]]:
        """The channels tried of each moment whose ladder goes on; nobody is foreseen to answer, or to be missed."""
        ladders = {id_: item for id_, item in found.items() if knobs_for(settings, item.kind).ladder}
        known: dict[str, list[tuple[date, str]]] = defaultdict(list)
        reached = select(Message).where(col(Message.status).in_(REACHED)).order_by(col(Message.step))
        for message in select_for(self.session, reached, Message.moment_id, ladders):
            known[message.moment_id].append((message.send_on, message.channel))
        tried = {id_: known[id_] + self.sent[id_] for id_ in ladders}
        return {
            id_: tuple(channel for _, channel in sent)
            for id_, sent in tried.items()
            if sent and is_next_step(settings, ladders[id_].kind, len(sent), sent[-1][0], on)
        }

    def _drop_lost(self, found: dict[str, Found], on: date) -> None:
        stored = {row.moment_id: row for row in self.session.exec(waiting_on(on)).all()}
        waiting = {id_ for id_ in stored if id_ not in self.decided}
        waiting |= {id_ for id_, row in self.decided.items() if row.outcome == "not_yet" and is_due(row, on)}
        lost = sorted(waiting - found.keys())
        unnamed = [id_ for id_ in lost if id_ not in self.kinds]
        self.kinds |= {
            row.moment_id: row.kind for row in select_for(self.session, select(Moment), Moment.moment_id, unnamed)
        }
        for id_ in lost:
            self._decide(id_, self.kinds[id_], on, "never", LOST)

    def _recall(self, candidates: list[Candidate], on: date) -> None:
        """Gives the people and standings what the days before would have left in the tables."""
        since = on - timedelta(days=self.settings.pacing.quiet_days)
        people = {candidate.recipient.id: candidate.recipient for candidate in candidates if candidate.recipient}
        for person in people.values():
            person.touches.extend(touch for touch in self.touches.get(person.id, []) if touch[0] > since)
            others = self.household_touches.get(person.household or "", [])
            person.household_touches.extend(day for day, who in others if day > since and who != person.id)
        for candidate in candidates:
            known = candidate.standing.written_on
            for kind, day in self.asked.get(candidate.customer.id, {}).items():
                known[kind] = max(day, known.get(kind, day))

    def _note(self, candidate: Candidate, verdict: Verdict, on: date) -> None:
        id_, kind = candidate.moment_id, candidate.kind
        if isinstance(verdict, Hold):
            if candidate.step > 1:
                return
            self._decide(id_, kind, on, "never" if verdict.next_on is None else "not_yet", verdict)
            return
        self._decide(id_, kind, on, "send")
        if isinstance(verdict, Sent):
            for leg in verdict.legs:
                self._foresee(candidate, leg.route, on)
                self.sent[id_].append((leg.route.send_on, leg.route.channel))

    def _foresee(self, candidate: Candidate, route: Route, on: date) -> None:
        assert candidate.recipient is not None, "a route leads to somebody"  # noqa: S101
        kind, customer_id, recipient_id = candidate.kind, candidate.customer.id, candidate.recipient.id
        given = candidate.gift(self.settings).cost
        cost = cost_of(route.channel, self.settings.postage) + given
        self.messages.append(Foreseen(on, route.send_on, kind, route.channel, customer_id, recipient_id, cost, given))
        self.touches[recipient_id].append((route.send_on, kind))
        if candidate.household and candidate.purpose == "marketing":
            self.household_touches[candidate.household].append((route.send_on, recipient_id))
        asked = self.asked[customer_id]
        asked[kind] = max(route.send_on, asked.get(kind, route.send_on))

    def _decide(self, id_: str, kind: str, on: date, outcome: str, hold: Hold | None = None) -> None:
        rule, next_on = (hold.rule, hold.next_on) if hold else ("send", None)
        self.kinds[id_] = kind
        self.decided[id_] = Decision(
            moment_id=id_, sequence=0, run_on=on, outcome=outcome, rule=rule, reason="", next_on=next_on
        )
        if hold:
            self.held[kind, outcome, rule] += 1


def cost_of(channel: Channel, postage: Postage) -> int:
    """What one message by this channel costs, in minor units; a text is taken for one segment long."""
    return postage.text_segment if channel == "text" else int(getattr(postage, channel))
