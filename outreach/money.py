"""Amounts of money. All are whole numbers in minor units of their currency: cents of dollars, yen of yen.

Every amount that anybody reads is written by `write_money`; nothing else divides by a hundred.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

from babel import Locale
from babel.numbers import format_currency, get_currency_precision, is_currency

DESK_LOCALE = "en"
# A currency without a sign of its own is written with its code, which babel puts right against the number.
_CODE_BESIDE_NUMBER = re.compile(r"(?<=[A-Z])(?=\d)|(?<=\d)(?=[A-Z])")


class Amount(int):
    """Minor units that know their currency: templates write each sum in its own, whatever the message's is."""

    currency: str

    def __new__(cls, minor: int, currency: str = "") -> "Amount":
        amount = super().__new__(cls, minor)
        amount.currency = currency
        return amount


@dataclass(frozen=True)
class Bill:
    """One bill that is late: what is left of it, and the day it was due, or was written where that was later."""

    amount: Amount
    due_on: date
    currency: str


@dataclass(frozen=True)
class Rest:
    """The late bills in one currency that are not named one by one: how many there are, and their sum."""

    count: int
    amount: Amount
    currency: str


def is_known(currency: str) -> bool:
    """Whether it is a currency's three-letter code, such as USD."""
    return is_currency(currency)


def decimals_of(currency: str) -> int:
    """How many decimals the currency has: 2 for USD, 0 for JPY, 3 for KWD."""
    return get_currency_precision(currency)


def to_major(minor: int, currency: str) -> Decimal:
    """The exact amount in major units: dollars for cents."""
    return Decimal(int(minor)).scaleb(-decimals_of(currency))


def convert_count(minor: int, currency: str, other: str) -> int:
    """As many major units of another currency, in its minor units, rounded up: for 10 dollars, 10 dinars."""
    major = to_major(minor, currency)
    return int(major.scaleb(decimals_of(other)).to_integral_value(ROUND_CEILING))


def write_money(minor: int, currency: str, locale: str = DESK_LOCALE, short: bool = False) -> str:
    """An amount as people write it: $12.50, ¥5,000, KWD 12.345; the spaces in it never break.

    `short` leaves the decimals of a whole amount away, as in a letter: $20.
    """
    major, pattern = to_major(minor, currency), None
    is_whole = short and major == major.to_integral_value()
    if is_whole:
        standard = Locale.parse(locale).currency_formats["standard"].pattern
        pattern = re.sub(r"\.0+", "", standard)
    # Left to itself, babel takes the decimals of the currency, not those of the pattern, which are always two.
    written = format_currency(major, currency, pattern, locale=locale, currency_digits=not is_whole)
    return _CODE_BESIDE_NUMBER.sub("\u00a0", str(written).replace("\u202f", "\u00a0"))
