"""What a moment is to the rooms after this one: who has it on a date, how long it is of use, and what for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Select


@dataclass(frozen=True)
class MomentDefinition:
    """`find` gives a select of (customer_id, date of the occasion): everyone who meets the definition on a date.

    A `windowed` moment ends with its window; any other stands on one date, which planning looks ahead to and back on.
    `useful_until` takes the occasion's date. `because` says why someone has it, with the occasion's date for `{day}`;
    `summary` says in a sentence who has it at all.
    """

    kind: str
    purpose: Literal["service", "marketing"]
    windowed: bool
    find: Callable[[Any, date], Select[tuple[str, date]]]
    useful_until: Callable[[Any, date], date]
    because: str
    summary: str


@dataclass(frozen=True, order=True)
class Found:
    """One customer's moment on a date; `occasion` tells it from the same customer's others of its kind."""

    kind: str
    customer_id: str
    occasion: str
    on: date
