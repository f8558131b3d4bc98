"""What has been planned on a day so far: each message that is planned stands in the way of those after it.

It only remembers; the rules that ask it are in `pacing.py`. What was sent before comes along with each Person.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from outreach.planning.budget import Spent
from outreach.planning.routes import Leg

#: The day on which somebody hears from us, and of what moment.
Touch = tuple[date, str]


@dataclass(frozen=True)
class Planned:
    """A message of an earlier run of the same day, as far as it bears on those that follow."""

    kind: str
    channel: str
    contact_hash: str | None
    #: What its gifts come to, in minor units of the business's currency.
    given: int = 0


@dataclass
class DayTally:
    """One day's planning, as far as it has come."""

    #: What this month's messages cost, by moment, in minor units.
    spent: Spent = field(default_factory=Counter)
    #: What this month's gifts come to, and those of this day by (moment, channel).
    given: int = 0
    given_by: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: What is planned for each person, and of marketing for each household.
    of_person: dict[str, list[Touch]] = field(default_factory=lambda: defaultdict(list))
    of_household: dict[str, list[Touch]] = field(default_factory=lambda: defaultdict(list))
    #: The message that carries a moment of several wards, by (moment, guardian).
    carriers: dict[tuple[str, str], str] = field(default_factory=dict)
    #: What goes to whom already, as (moment, channel, hash of the contact).
    written: set[tuple[str, str, str | None]] = field(default_factory=set)
    #: How many messages of each moment are planned, and how many wait for their turn on a later day.
    sizes: Counter[str] = field(default_factory=Counter)
    queued: Counter[str] = field(default_factory=Counter)

    def take_over(self, planned: Sequence[Planned]) -> None:
        """Counts the messages that an earlier run of this day has planned."""
        self.written |= {(message.kind, message.channel, message.contact_hash) for message in planned}
        self.sizes.update(message.kind for message in planned)
        for message in planned:
            self.given_by[message.kind, message.channel] += message.given

    def add(self, kind: str, person: str, household: str | None, legs: Sequence[Leg], cost: int, gift: int) -> None:
        """Counts the messages of one moment; `cost` is the most that they may come to, in minor units.

        `household` is given for marketing only: care and debt are for one person. Each message gives a `gift`.
        """
        self.spent[kind] += cost
        for leg in legs:
            self.given += gift
            self.given_by[kind, leg.route.channel] += gift
            self.written.add((kind, leg.route.channel, leg.contact_hash))
            self.sizes[kind] += 1
            self.of_person[person].append((leg.route.send_on, kind))
            if household:
                self.of_household[household].append((leg.route.send_on, kind))
