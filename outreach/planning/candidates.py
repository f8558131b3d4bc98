"""One moment under judgement: its occasion, whom it is about, whom we would write to, and how things stand."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from outreach.planning.people import Person
from outreach.planning.standing import Facts, Standing
from outreach.settings import Settings


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
    """`recipient` is the customer, or the guardian or payer who is written to for them; None where nobody can be."""

    moment_id: str
    kind: str
    purpose: str
    occasion: str
    occasion_on: date
    useful_until: date
    customer: Person
    recipient: Person | None
    standing: Standing

    @property
    def is_for_ward(self) -> bool:
        return self.recipient is not None and self.recipient.id == self.customer.customer.guardian_id
