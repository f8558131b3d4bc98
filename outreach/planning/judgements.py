"""Judges candidates one after another, each in the light of those before it. It writes nothing.

Planning writes down what it says, and the forecast and `why` only read it. The rules themselves are in `rules.py`.
"""

from dataclasses import dataclass, replace

from outreach.planning.candidates import Candidate, Day
from outreach.planning.channel_choice import choose_routes
from outreach.planning.routes import Leg
from outreach.planning.rules import first_hold, first_hold_on_way, reason_for_person
from outreach.planning.verdicts import Hold


@dataclass(frozen=True)
class Shared:
    """The moment is carried by the message of this reference, which another moment has already."""

    reference: str


@dataclass(frozen=True)
class PlannedLegs:
    """The moment gets messages of its own: one, or one for each channel where it goes by all of them."""

    legs: tuple[Leg, ...]
    #: Why a person must look at them first, whatever their channel.
    wants_person: str | None = None


Verdict = Hold | Shared | PlannedLegs


class Judge:
    """One day's judging; `day.tally` remembers what it has let go. `key` hashes contacts."""

    def __init__(self, day: Day, key: bytes) -> None:
        self.day, self.key = day, key

    def judge(self, candidate: Candidate) -> Verdict:
        """What becomes of the candidate today. Each one that gets a message stands in the way of those after it."""
        verdict = self._judge(candidate)
        return verdict.within(candidate.useful_until) if isinstance(verdict, Hold) else verdict

    def _judge(self, candidate: Candidate) -> Verdict:
        if hold := first_hold(candidate, self.day):
            return hold
        # Before the rules of pace: what another message carries is no further touch.
        if not candidate.tried and (carrier := self.day.tally.carriers.get(candidate.carrier_key)):
            return Shared(carrier)
        candidate = self._on_its_way(candidate)
        if hold := first_hold_on_way(candidate, self.day):
            return hold
        self._remember(candidate)
        return PlannedLegs(candidate.legs, reason_for_person(candidate, self.day))

    def _on_its_way(self, candidate: Candidate) -> Candidate:
        """The candidate with the messages that it would get, or with the reasons against every channel."""
        routes, against = choose_routes(candidate, self.day)
        legs = tuple(candidate.leg(self.key, step, route) for step, route in enumerate(routes, candidate.step))
        return replace(candidate, legs=legs, against=tuple(against))

    def _remember(self, candidate: Candidate) -> None:
        assert candidate.recipient is not None, "a route leads to somebody"  # noqa: S101
        household = candidate.household if candidate.purpose == "marketing" else None
        tally, settings = self.day.tally, self.day.settings
        cost, gift = candidate.cost(settings), candidate.gift_value(settings)
        tally.add(candidate.kind, candidate.recipient.id, household, candidate.legs, cost, gift)
        # As it will be read for the next page, so that nothing depends on where one ends.
        candidate.standing.written_on[candidate.kind] = candidate.legs[-1].route.send_on
        if candidate.is_for_ward:
            tally.carriers[candidate.carrier_key] = candidate.legs[0].reference
