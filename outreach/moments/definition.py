"""Defines what a moment is: who has it on a date and by which conditions, how long it is of use, and what it is for.

A definition's select is put together from its clauses, and `explain` asks the same clauses one by one about one
customer: there is no second place that could say otherwise.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from sqlalchemy import ColumnElement, FromClause, Select, String, cast, select
from sqlmodel import Session, col

from outreach.errors import SettingsError
from outreach.models import Customer
from outreach.moments.open_day import SqlDay
from outreach.moments.rule import Rule
from outreach.settings import MomentKnobs, Settings

K = TypeVar("K", bound=MomentKnobs)

# What planning must know of a moment beside its date, so that no rule has to name one:
# a present is not for someone who owes, complains or has been silent for long; a favour asks something of them;
# care goes on through complaint, hardship and bankruptcy; `absence` is written because they do not come; `intrusive`
# asks after, or misses, somebody to whom something private may just have happened; `health` and `debt` say what the
# words give away; `beginning` is of the day on which they came to us. A `repair` puts right what went wrong and an
# `answer` is to what they said: neither is held by what was sent before about something else. A `patient` one has
# weeks, and yields to a fixed day.
Trait = Literal[
    "present", "favour", "care", "absence", "intrusive", "beginning", "health", "debt", "repair", "answer", "patient"
]


@dataclass(frozen=True)
class BusinessDay:
    """A business date, and what of the business a definition may ask: its zone, its kind and its currency."""

    #: Open in a statement that is put together once for all days.
    on: SqlDay
    zone: ZoneInfo
    business_kind: str
    currency: str


@dataclass(frozen=True)
class Clause(Generic[K]):
    """One condition of a moment."""

    #: The condition in words, with the names of knobs in braces.
    says: str
    #: Its SQL, beside the definition's rows.
    where: Callable[[K, BusinessDay], ColumnElement[bool]]
    #: What the customer has to show for it, as SQL beside Customer; NULL for nothing.
    value: Callable[[K, BusinessDay], Any]
    #: Puts that value in words for the date.
    tell: Callable[[Any, date], str]
    #: What would have to change, with knobs in braces.
    change: str
    #: It is about the definition's rows, and not about the customer alone.
    of_rows: bool = False
    #: It is asked again before a message leaves. It is not where a rule asks it with a reason of its own, nor where it
    #: compares them with everybody else, who may not take a present away from them.
    is_rechecked: bool = True


@dataclass(frozen=True)
class TemplateField:
    """A field that a moment's templates may name."""

    name: str
    #: A value to try templates with.
    sample: Any
    #: What it is, in a line.
    explained: str
    #: It stands neither in a text, a subject nor on a call sheet.
    is_private: bool = False


def no_likely_day(session: Session, customer: Customer, on: date) -> date | None:
    """A preview takes the day it is made for."""
    return None


@dataclass(frozen=True)
class MomentDefinition(Generic[K]):
    """A reason to write: everyone for whom all `clauses` hold has it."""

    kind: str
    purpose: Literal["service", "marketing"]
    #: It ends with its window; any other stands on one date, which planning looks ahead to and back on.
    windowed: bool
    knobs: type[K]
    clauses: tuple[Clause[K], ...]
    #: The key and the date of each of `rows`.
    occasion: Callable[[K, BusinessDay], tuple[Any, Any]]
    #: Takes the occasion's date and the day of the run.
    useful_until: Callable[[K, date, date], date]
    #: Why someone has it, with `{day}` or `{occasion}`.
    because: str
    #: Who has it at all, in a sentence.
    summary: str
    #: What the clauses are about: Customer alone, or joined to what happened.
    rows: Callable[[K, BusinessDay], FromClause] | None = None
    #: The occasion's key and date are sums over a customer's rows.
    one_each: bool = False
    #: It goes by all its channels at once.
    every_channel: bool = False
    #: Under this name templates know the date …
    day_field: str = "day"
    #: … and under this one the key, where that says something.
    occasion_field: str = ""
    traits: frozenset[Trait] = frozenset()
    #: It is still of use when its window is over: what was found then stands on the day on which it was found.
    outlives_window: bool = False
    #: False: it has no day of its own, and takes that of the run.
    has_own_day: bool = True
    #: The next day, from a date on, on which somebody with us since a day has it; only a fixed day can say.
    next_day: Callable[[date, date], date] | None = None
    #: For how many days one that was sent keeps the next away.
    not_again: Callable[[K], int] = lambda knobs: 0
    #: They hold it back beside those that planning has for all.
    rules: tuple[Rule, ...] = ()
    #: What its templates may name beside what all may; the day or the occasion too, where it needs other words.
    fields: tuple[TemplateField, ...] = ()
    #: The function of composing that works the other fields out, where there are any.
    particulars: str = ""
    #: The occasion that a preview takes for a customer who has never had one.
    likely_day: Callable[[Session, Customer, date], date | None] = no_likely_day

    def knobs_of(self, settings: Settings) -> K:
        """The moment's knobs. Raises SettingsError that names each value that does not fit."""
        return self.read_knobs(self.written_knobs(settings))

    def read_knobs(self, written: str) -> K:
        """The knobs that JSON of what differs from the defaults gives. Raises SettingsError as `knobs_of`."""
        knobs: K = read_knobs(self.knobs, self.kind, written)
        return knobs

    def written_knobs(self, settings: Settings) -> str:
        """What differs from the defaults, as JSON."""
        # `default`, because TOML has dates and JSON has none.
        return json.dumps(settings.moments.get(self.kind, {}), default=str)

    def select_found(
        self, settings: Settings, on: date, clauses: Sequence[Clause[K]] | None = None
    ) -> Select[tuple[str, str, date]]:
        """(customer_id, occasion, its date) of everyone who has it on `on`; or who meets only `clauses` of it."""
        return self.select_for(self.knobs_of(settings), business_day(settings, on), clauses)

    def select_for(
        self, knobs: K, day: BusinessDay, clauses: Sequence[Clause[K]] | None = None
    ) -> Select[tuple[str, str, date]]:
        """The same, for knobs and a business day."""
        occasion, occasion_on = self.occasion(knobs, day)
        query = select(col(Customer.customer_id), cast(occasion, String).label("occasion"), occasion_on.label("day"))
        query = query.select_from(self.rows(knobs, day) if self.rows else Customer)
        query = query.where(*(clause.where(knobs, day) for clause in (self.clauses if clauses is None else clauses)))
        if self.one_each:
            return query.group_by(col(Customer.customer_id))
        # Two treatments on one day are one occasion; a customer alone is one row as it is.
        return query.distinct() if self.rows else query


@lru_cache(maxsize=512)
def read_knobs(knobs: type[K], kind: str, written: str) -> K:
    """The knobs that `written` (JSON of what differs from the defaults) gives. Raises SettingsError."""
    try:
        return knobs.model_validate(json.loads(written))
    except ValidationError as error:
        wrong = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise SettingsError(f"These knobs of {kind} do not fit. {'; '.join(wrong)}") from error


def business_day(settings: Settings, on: SqlDay) -> BusinessDay:
    business = settings.business
    return BusinessDay(on, business.zone, business.kind, business.currency)


@dataclass(frozen=True, order=True)
class Found:
    """One customer's moment on a date; `occasion` tells it from the same customer's others of its kind."""

    kind: str
    customer_id: str
    occasion: str
    occasion_on: date
    on: date
