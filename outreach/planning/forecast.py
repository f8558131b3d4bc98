"""Foresees what planning would plan on each of the days ahead, and what it would cost.

The planner itself lives through the days, one after another, on copies that nobody else sees; nothing is kept of it.
What the future brings (a payment, a visit, an opt-out) it cannot know. It takes for granted that payments are imported
every morning, and that whatever waits is approved and delivered.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, case, update
from sqlmodel import Session, col, select

from outreach.channels import TEXT
from outreach.clock import business_date
from outreach.contacts import load_key
from outreach.errors import SettingsError
from outreach.models import TOUCHING, Message
from outreach.moments import PLACES
from outreach.planning.budget import counted_cost
from outreach.planning.candidates import Day
from outreach.planning.due_moments import Surroundings
from outreach.planning.run import load_day, on_copies, plan_in
from outreach.settings import Postage, Settings

FARTHEST = 366
# What has not come to its end: each waits for somebody or something.
WAITING = tuple(status for status in TOUCHING if status not in {"accepted", "delivered", "returned"})


@dataclass(frozen=True)
class Foreseen:
    """A message that would be planned."""

    #: The day on which it would be planned.
    on: date
    #: The day on which it would leave.
    send_on: date
    moment: str
    channel: str
    customer_id: str
    recipient_id: str
    #: In minor units.
    cost: int
    #: The part of `cost` that what they are given is expected to cost.
    reward_cost: int = 0


@dataclass(frozen=True)
class Forecast:
    """What would be planned from one day to another."""

    first: date
    last: date
    currency: str
    #: A text costs one segment here: how long it will be is not known before it is written.
    messages: tuple[Foreseen, ...] = ()
    #: Every no of every day, counted by (moment, outcome, rule).
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
    messages: list[Foreseen] = []
    held: Counter[tuple[str, str, str]] = Counter()
    with on_copies(engine) as session:
        # What is on record for these days already is no forecast.
        planned_before = set(session.exec(select(Message.reference).where(Message.run_on >= first)))
        surroundings = Surroundings(session)
        for ahead in range((last - first).days + 1):
            day = _foresee_day(session, settings, first + timedelta(days=ahead), now)
            report = plan_in(surroundings, day, key)
            held.update({no: number for no, number in report.decisions.items() if no[1] != "send"})
            messages += _read_messages(session, settings, day.on, planned_before)
            _deliver_all(session, settings, day.on)
    return Forecast(first, last, settings.business.currency, tuple(messages), held)


def _foresee_day(session: Session, settings: Settings, on: date, now: datetime) -> Day:
    """The day at the hour of `now`. On days to come the payments have been imported, where they ever were."""
    today = business_date(now, settings.business.timezone)
    day = load_day(session, settings, on, now + (on - today))
    if on > today and day.facts.payments_imported_at:
        return replace(day, facts=replace(day.facts, payments_imported_at=day.now))
    return day


def _read_messages(session: Session, settings: Settings, on: date, before: Collection[str]) -> Iterator[Foreseen]:
    """What was planned on `on`, without what is in `before`, as moments come first and then by customer."""
    planned = session.exec(select(Message).where(Message.run_on == on)).all()
    for row in sorted(planned, key=lambda row: (PLACES[row.kind], row.customer_id, row.moment_id, row.step)):
        if row.reference not in before:
            cost = cost_of(row.channel, settings.postage) + row.reward_cost
            yield Foreseen(
                on, row.send_on, row.kind, row.channel, row.customer_id, row.recipient_id, cost, row.reward_cost
            )
    # `_deliver_all` goes past the session, which would show these as they were; and a year of them is too much to keep.
    session.expunge_all()


def _deliver_all(session: Session, settings: Settings, on: date) -> None:
    """Lets all that waits leave as if it were approved, at the cost that it counts for; what is of no use expires."""
    status = case((col(Message.useful_until) < on, "expired"), else_="accepted")
    leave = update(Message).where(col(Message.status).in_(WAITING)).values(status=status, cost=counted_cost(settings))
    session.connection().execute(leave)


def cost_of(channel: str, postage: Postage) -> int:
    """What one message by this channel costs, in minor units; a text is taken for one segment long."""
    return postage.text_segment if channel == TEXT.name else int(getattr(postage, channel))
