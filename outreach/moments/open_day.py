"""Stands in a statement for its day: the statement is put together once, and is told the day each time it runs.

Otherwise over half of the time of a day's planning goes into putting the same statements together for one more day.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Date, bindparam, literal


@dataclass(frozen=True)
class OpenDay:
    """The day of a statement, or one so many days away from it. All that is derived from it goes into `values_on`.

    Of its year or weekday nothing is known yet: whoever asks gets an AttributeError, and derives it instead.
    """

    days: int = 0
    #: What the statement must be told, by name; shared with all the days that were reached from here.
    told: dict[str, Callable[[date], Any]] = field(default_factory=dict, compare=False, repr=False)

    def __add__(self, ahead: timedelta) -> "OpenDay":
        return OpenDay(self.days + ahead.days, self.told)

    def __sub__(self, back: timedelta) -> "OpenDay":
        return self + -back

    def __clause_element__(self) -> BindParameter[date]:
        # SQLAlchemy asks for it wherever the day stands in an expression.
        ahead = timedelta(days=self.days)
        return self.derive(
            f"day_{'before' if self.days < 0 else 'after'}_{abs(self.days)}", lambda on: on + ahead, Date
        )

    def derive(self, name: str, of: Callable[[date], Any], type_: Any) -> BindParameter[Any]:
        """What `of` will make of the day; in one statement a name must stand for one function."""
        self.told[name] = of
        return bindparam(name, type_=type_)

    def values_on(self, on: date) -> dict[str, Any]:
        """What the statement must be told to run for `on`."""
        return {name: of(on) for name, of in self.told.items()}


SqlDay = date | OpenDay


def write_day(on: SqlDay) -> ColumnElement[date]:
    """The day as SQL, where it stands alone and is compared with nothing."""
    return on.__clause_element__() if isinstance(on, OpenDay) else literal(on, Date)


def derive(on: SqlDay, name: str, of: Callable[[date], Any], type_: Any) -> ColumnElement[Any]:
    """What `of` makes of the day, as SQL; `name` as in `OpenDay.derive`."""
    return on.derive(name, of, type_) if isinstance(on, OpenDay) else literal(of(on), type_)
