"""One moment under judgement: its occasion, whom it is about, whom we would write to, and how things stand.

The same candidate is built when we plan and when a message that was planned is looked at again.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from outreach.channels import CHANNELS, ChannelName
from outreach.contacts import contact_hash
from outreach.moments import MOMENTS, PLACES, Found
from outreach.moments.definition import Trait
from outreach.planning.budget import most_cost
from outreach.planning.contact_cards import Person, load_people
from outreach.planning.customer_state import BusinessState, Standing, load_standings
from outreach.planning.receivables import OpenInvoice, bills_of, is_enough
from outreach.planning.recipients import choose_recipient, people_needed
from outreach.planning.rewards import Gift, gift_of, grows_with_worth, purpose_of, value_of_gift
from outreach.planning.routes import Leg, Route
from outreach.planning.tally import DayTally
from outreach.planning.worth import NOTHING, Worth, find_worth
from outreach.settings import MomentKnobs, Provider, Settings
from outreach.stable_ids import moment_id, reference


@dataclass(frozen=True)
class Day:
    """The day that rules are asked for."""

    #: The business's date.
    on: date
    #: The instant of the look; in a forecast it is at the same hour of that day.
    now: datetime
    #: With the `start_on` that stands: live mode may take the day of the first import.
    settings: Settings
    #: What holds for everyone on it.
    facts: BusinessState
    #: What was planned on it so far.
    tally: DayTally = field(default_factory=DayTally)

    @property
    def tomorrow(self) -> date:
        return self.on + timedelta(days=1)


@dataclass(frozen=True)
class Candidate:
    """One moment of one customer, with all that a rule may ask of it."""

    moment_id: str
    kind: str
    #: Its moment's, or marketing where it carries a reward.
    purpose: str
    #: It tells the moment from the customer's others of its kind.
    occasion: str
    #: The day that the occasion is about.
    occasion_on: date
    #: After this day it is of no use any more.
    useful_until: date
    #: Whom it is about.
    customer: Person
    #: The customer, or the guardian or payer who is written to for them; None where nobody can be.
    recipient: Person | None
    #: How things stand between us and the customer.
    standing: Standing
    knobs: MomentKnobs
    #: What they brought; nothing where no rule or reward asks for it.
    worth: Worth = NOTHING
    #: The number of its next message, from 1. One that was withdrawn keeps its number.
    step: int = 1
    #: The channels by which messages of it have left: more than none on a ladder.
    tried: tuple[str, ...] = ()
    #: The channels by which it could not be written: they come last.
    unwritten: tuple[str, ...] = ()
    #: A message that was planned goes by its own channel and provider, or not at all.
    only: ChannelName | None = None
    provider: Provider | None = None
    #: Its possible messages, once channels are chosen.
    legs: tuple[Leg, ...] = ()
    #: The reason against each channel that was passed over.
    against: tuple[str, ...] = ()

    @property
    def channels(self) -> list[ChannelName]:
        """The channels it may go by, in the order in which they are tried."""
        if self.only:
            return [self.only]
        untried = [channel for channel in self.knobs.channels if channel not in self.tried]
        # A sort in Python is stable, so the moment's own order stands within both halves.
        return sorted(untried, key=lambda channel: channel in self.unwritten)

    def late_bills(self, settings: Settings, on: date) -> list[OpenInvoice]:
        """The bills that a late note to the recipient is about, as its words will name them; the oldest first."""
        return bills_of(self.standing.open_invoices, self.recipient.id if self.recipient else None, settings, on)

    def owes_enough(self, settings: Settings, on: date) -> bool:
        """Whether these bills come to enough to write about."""
        return is_enough(self.late_bills(settings, on), settings)

    @property
    def carrier_key(self) -> tuple[str, str]:
        """What wards who share a message have in common: the moment and their guardian."""
        return self.kind, self.recipient.id if self.recipient and self.is_for_ward else ""

    def leg(self, key: bytes, step: int, route: Route) -> Leg:
        """The message that goes by `route`. Only of a candidate with a recipient whom the route reaches."""
        contact = self.recipient.contacts[route.channel] if self.recipient else ""
        return Leg(step, reference(self.moment_id, step), route, contact_hash(key, route.channel, contact))

    def cost(self, settings: Settings) -> int:
        """The most that its messages may cost, with what they give, in minor units: their length is not known yet."""
        postage = sum(most_cost(settings, leg.route.channel) for leg in self.legs)
        return postage + self.gift(settings).cost

    def gift(self, settings: Settings) -> Gift:
        """What the customer is given, in the currency of whoever is written to."""
        return gift_of(settings, self.kind, self.worth, (self.recipient or self.customer).customer.currency)

    def gift_value(self, settings: Settings) -> int:
        """What the gift counts as, in minor units of the business's currency."""
        gift = self.gift(settings)
        return value_of_gift(settings, self.kind, gift.amount, gift.currency)

    @property
    def people(self) -> list[Person]:
        """The customer, and whoever is written to for them."""
        others = [self.recipient] if self.recipient and self.recipient is not self.customer else []
        return [self.customer, *others]

    @property
    def traits(self) -> frozenset[Trait]:
        return MOMENTS[self.kind].traits

    @property
    def is_for_ward(self) -> bool:
        return self.recipient is not None and self.recipient.id == self.customer.customer.guardian_id

    @property
    def household(self) -> str | None:
        """The household whose members are not all written to at once; people who separate are in none."""
        return self.recipient.household if self.recipient else None


def candidates_for(
    session: Session, day: Day, key: bytes, found: Iterable[Found], again: Collection[str] | None = None
) -> list[Candidate]:
    """Each moment with its people and standing, in the order in which moments come first, then by day.

    `again` are the channels of messages that are looked at again: then what only the rules of pace ask is not read.
    """
    items = sorted(found, key=lambda item: (PLACES[item.kind], item.occasion_on, item.customer_id, item.occasion))
    currency = day.settings.business.currency
    presents = any("present" in MOMENTS[item.kind].traits for item in items)
    ids, is_new = {item.customer_id for item in items}, again is None
    standings = load_standings(session, day.on, ids, currency, with_messages=is_new, with_beginnings=presents)
    needed, channels = people_needed(session, items, standings), CHANNELS if again is None else again
    people = load_people(session, day.settings, key, day.on, needed, channels, with_touches=is_new)
    # Asked of money only where money decides: it is a sum over everything they ever paid.
    settings = day.settings
    counts = settings.budget.worth_percent is not None or any(grows_with_worth(settings, i.kind) for i in items)
    worth = find_worth(session, day.settings, day.on, {item.customer_id for item in items}) if counts else {}
    return [
        _candidate(day, item, people, standings[item.customer_id], worth.get(item.customer_id, NOTHING))
        for item in items
    ]


def _candidate(day: Day, item: Found, people: dict[str, Person], standing: Standing, worth: Worth) -> Candidate:
    customer, definition = people[item.customer_id], MOMENTS[item.kind]
    knobs = definition.knobs_of(day.settings)
    candidate = Candidate(
        moment_id=moment_id(item.kind, item.customer_id, item.occasion),
        kind=item.kind,
        purpose=definition.purpose,
        occasion=item.occasion,
        occasion_on=item.occasion_on,
        useful_until=definition.useful_until(knobs, item.occasion_on, day.on),
        customer=customer,
        recipient=choose_recipient(item, customer, standing, people, day.settings, day.on),
        standing=standing,
        knobs=knobs,
        worth=worth,
    )
    return replace(candidate, purpose=purpose_of(definition.purpose, candidate.gift(day.settings).amount))
