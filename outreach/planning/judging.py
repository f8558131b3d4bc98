"""Candidates in, one after another; what becomes of each out, in the light of those before it. It writes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from outreach.intake.contacts import contact_hash
from outreach.planning.budget import Spent, hold_for_budget, hold_for_worth, most_cost
from outreach.planning.candidates import Candidate, Day
from outreach.planning.channels import Route, choose_routes
from outreach.planning.holds import first_hold, reason_for_person
from outreach.planning.ids import reference
from outreach.planning.pacing import Touches
from outreach.planning.rewards import expected_cost
from outreach.planning.verdicts import Hold

CONTACT_WORD = {"email": "e-mail address", "text": "number"}


@dataclass(frozen=True)
class Planned:
    """A message of an earlier run of the same day, as far as it bears on those that follow."""

    kind: str
    channel: str
    contact_hash: str | None


@dataclass(frozen=True)
class Shared:
    """The moment is carried by the message of this reference, which another moment has already."""

    reference: str


@dataclass(frozen=True)
class Leg:
    """One message: its step among the moment's, its reference and way. `contact_hash` is keyed."""

    step: int
    reference: str
    route: Route
    contact_hash: str


@dataclass(frozen=True)
class Sent:
    """The moment gets messages of its own: one, or one for each channel where it goes by all of them.

    `wants_person` says why a person must look at them first, whatever their channel.
    """

    legs: tuple[Leg, ...]
    wants_person: str | None = None


Verdict = Hold | Shared | Sent


class Judge:
    """One day's judging. `planned` are the messages that this day has already, `spent` what its month has cost."""

    def __init__(self, day: Day, key: bytes, planned: Sequence[Planned] = (), spent: Spent | None = None) -> None:
        self.day, self.key = day, key
        self.spent = Counter[str]() if spent is None else spent
        self.touches = Touches(day.settings.pacing.quiet_days)
        self.carriers: dict[tuple[str, str], str] = {}
        self.written = {(message.kind, message.channel, message.contact_hash) for message in planned}
        self.queued: Counter[str] = Counter()
        self.sizes = Counter(message.kind for message in planned)

    def judge(self, candidate: Candidate) -> Verdict:
        """What becomes of the candidate today. Each one that gets a message stands in the way of those after it."""
        verdict = self._judge(candidate)
        if isinstance(verdict, Sent):
            self._remember(candidate, verdict)
        return self._within_usefulness(verdict, candidate) if isinstance(verdict, Hold) else verdict

    def _judge(self, candidate: Candidate) -> Verdict:
        if hold := first_hold(candidate, self.day):
            return hold
        if candidate.step == 1 and (carrier := self.carriers.get(self._carrier_key(candidate))):
            return Shared(carrier)
        routes, against = choose_routes(candidate, self.day)
        if not routes:
            return Hold("no_channel", "no channel can carry it: " + "; ".join(against), self.day.tomorrow)
        legs = tuple(self._leg(candidate, step, route) for step, route in enumerate(routes, candidate.step))
        holds = (self.touches.hold_for(candidate, leg.route) or self._hold_for_contact(candidate, leg) for leg in legs)
        hold = next((hold for hold in holds if hold), None) or self._hold_for_size(candidate)
        hold = hold or self._hold_for_money(candidate, self._cost(candidate, legs))
        return hold or Sent(legs, reason_for_person(candidate, self.day))

    def _leg(self, candidate: Candidate, step: int, route: Route) -> Leg:
        return Leg(step, reference(candidate.moment_id, step), route, self._contact(candidate, route))

    def _hold_for_contact(self, candidate: Candidate, leg: Leg) -> Hold | None:
        """One number under two customers: the same news twice on one day would look like a machine's mistake."""
        contact = CONTACT_WORD.get(leg.route.channel)
        if contact is None or (candidate.kind, leg.route.channel, leg.contact_hash) not in self.written:
            return None
        return Hold(
            "same_contact", f"another customer with the same {contact} gets this message today", self.day.tomorrow
        )

    def _hold_for_size(self, candidate: Candidate) -> Hold | None:
        most = candidate.knobs.most_a_day
        if most is None or self.sizes[candidate.kind] < most:
            return None
        # Each is told its place in the line: to be put off from day to day would be a decision on everybody every day.
        days = 1 + self.queued[candidate.kind] // most
        self.queued[candidate.kind] += 1
        return Hold("size", f"at most {most} of these are written in a day", self.day.on + timedelta(days=days))

    def _cost(self, candidate: Candidate, legs: Sequence[Leg]) -> int:
        """The most that the messages may cost, with what they give, in minor units: their length is not known yet."""
        settings = self.day.settings
        postage = sum(most_cost(settings, leg.route.channel) for leg in legs)
        return postage + expected_cost(settings, candidate.reward(settings))

    def _hold_for_money(self, candidate: Candidate, cost: int) -> Hold | None:
        settings, on = self.day.settings, self.day.on
        hold = hold_for_budget(settings, self.spent, candidate.kind, cost, on)
        return hold or hold_for_worth(settings, candidate.worth.year, cost, on)

    def _remember(self, candidate: Candidate, sent: Sent) -> None:
        self.spent[candidate.kind] += self._cost(candidate, sent.legs)
        for leg in sent.legs:
            self.written.add((candidate.kind, leg.route.channel, leg.contact_hash))
            self.sizes[candidate.kind] += 1
            self.touches.add(candidate, leg.route)
            # As it will be read for the next page, so that nothing depends on where one ends.
            candidate.standing.written_on[candidate.kind] = leg.route.send_on
        if candidate.is_for_ward:
            self.carriers[self._carrier_key(candidate)] = sent.legs[0].reference

    def _contact(self, candidate: Candidate, route: Route) -> str:
        assert candidate.recipient is not None, "a route leads to somebody"  # noqa: S101
        return contact_hash(self.key, route.channel, candidate.recipient.contacts[route.channel])

    @staticmethod
    def _carrier_key(candidate: Candidate) -> tuple[str, str]:
        recipient = candidate.recipient.id if candidate.recipient and candidate.is_for_ward else ""
        return candidate.kind, recipient

    @staticmethod
    def _within_usefulness(hold: Hold, candidate: Candidate) -> Hold:
        """A hold that ends only after the message would still be useful is for good."""
        if hold.next_on is not None and hold.next_on > candidate.useful_until:
            return Hold(hold.rule, f"{hold.reason}, and after {candidate.useful_until} it is of no use any more")
        return hold
