"""One moment under judgement: its occasion, whom it is about, whom we would write to, and how things stand."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from outreach.moments import MOMENTS, Found
from outreach.moments.definition import Trait
from outreach.planning.ids import moment_id
from outreach.planning.people import Person, load_people
from outreach.planning.recipients import choose_recipient, people_needed
from outreach.planning.rewards import Gift, gift_of, grows_with_worth, purpose_of
from outreach.planning.standing import Facts, Standing, load_standings
from outreach.planning.worth import NOTHING, Worth, find_worth
from outreach.settings import MomentKnobs, Settings


@dataclass(frozen=True)
class Day:
    """The day planning runs for, and what holds for everyone on it."""

    on: date
    now: datetime
    settings: Settings
    facts: Facts

    @property
    def tomorrow(self) -> date:
        return self.on + timedelta(days=1)


@dataclass(frozen=True)
class Candidate:
    """`recipient` is the customer, or the guardian or payer who is written to for them; None where nobody can be.

    `step` is over 1 on a ladder, whose channels before it are `tried`.
    """

    moment_id: str
    kind: str
    purpose: str
    occasion: str
    occasion_on: date
    useful_until: date
    customer: Person
    recipient: Person | None
    standing: Standing
    knobs: MomentKnobs
    worth: Worth = NOTHING
    step: int = 1
    tried: tuple[str, ...] = ()

    def gift(self, settings: Settings) -> Gift:
        """What the customer is given, in the currency of whoever is written to."""
        return gift_of(settings, self.kind, self.worth, (self.recipient or self.customer).customer.currency)

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


def candidates_for(session: Session, day: Day, key: bytes, found: Iterable[Found]) -> list[Candidate]:
    """Each moment with its people and standing, in the order in which moments come first, then by customer."""
    order = {kind: place for place, kind in enumerate(MOMENTS)}
    items = sorted(found, key=lambda item: (order[item.kind], item.customer_id, item.occasion))
    currency = day.settings.business.currency
    standings = load_standings(session, day.on, {item.customer_id for item in items}, currency)
    people = load_people(session, day.settings, key, day.on, people_needed(session, items, standings))
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
