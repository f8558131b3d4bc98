"""What a template may do with a field besides writing it: as money, as a date, in words.

A filter never writes nothing for a field that is missing.
"""

from datetime import date
from typing import Any

from babel.dates import format_date, format_skeleton
from jinja2 import StrictUndefined, pass_context
from jinja2.runtime import Context

from outreach.money import Amount, write_money

_NUMBER_WORDS = {
    "en": ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
}


class Missing(StrictUndefined):
    """An empty field: false in an `if`, and an error wherever it would be written or compared."""

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


def _require(value: Any) -> Any:
    # A filter does not touch what it is given as an output does, so it must ask.
    if isinstance(value, Missing):
        str(value)
    return value


def _require_day(value: Any) -> date:
    # Babel takes a number for seconds since 1970, and would write the first of January for it.
    if not isinstance(day := _require(value), date):
        raise TypeError("not a date")
    return day


@pass_context
def _money(context: Context, amount: Any) -> str:
    """A whole amount without its decimals; one that knows its currency in that, whatever the message's is."""
    known = _require(amount)
    currency = known.currency if isinstance(known, Amount) and known.currency else context["currency"]
    return write_money(known, str(currency), str(context["locale"]), short=True)


@pass_context
def _longdate(context: Context, day: Any) -> str:
    return str(format_date(_require_day(day), "long", locale=str(context["locale"])))


@pass_context
def _monthday(context: Context, day: Any) -> str:
    """A date without its year: March 10."""
    return str(format_skeleton("MMMMd", _require_day(day), locale=str(context["locale"])))


@pass_context
def _weekday(context: Context, day: Any) -> str:
    return str(format_date(_require_day(day), "EEEE", locale=str(context["locale"])))


@pass_context
def _in_words(context: Context, number: Any) -> str:
    """A small number as a word, where the language has a list of them; digits otherwise."""
    words = _NUMBER_WORDS.get(str(context["locale"])[:2], ())
    return words[number - 1] if 1 <= _require(number) <= len(words) else str(number)


FILTERS = {
    "money": _money,
    "longdate": _longdate,
    "monthday": _monthday,
    "weekday": _weekday,
    "in_words": _in_words,
    "upper": lambda value: str(value).upper(),
    "capitalize": lambda value: str(value)[:1].upper() + str(value)[1:],
}
