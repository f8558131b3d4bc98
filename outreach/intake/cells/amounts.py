"""Reads an amount as programs and people write it: with a currency's sign, with thousands parted, negative in brackets.

What may mean two numbers is refused, and so is a sign that contradicts the currency that the row is in.
"""

import re
from decimal import Decimal

from outreach.intake.cells.unfit import Unfit
from outreach.money import decimals_of, is_known

_DOLLARS = frozenset(
    ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "BSD", "BBD", "BZD", "BMD", "BND", "FJD", "GYD", "JMD", "KYD",
     "LRD", "NAD", "SBD", "SRD", "TTD", "XCD", "MXN", "ARS", "CLP", "COP", "UYU", "DOP", "CUP")
)  # fmt: skip
# Which currencies a sign may stand for.
_SIGNS: dict[str, frozenset[str]] = {
    "$": _DOLLARS, "us$": frozenset({"USD"}), "c$": frozenset({"CAD"}), "ca$": frozenset({"CAD"}),
    "a$": frozenset({"AUD"}), "au$": frozenset({"AUD"}), "nz$": frozenset({"NZD"}), "hk$": frozenset({"HKD"}),
    "s$": frozenset({"SGD"}), "mx$": frozenset({"MXN"}), "r$": frozenset({"BRL"}), "€": frozenset({"EUR"}),
    "£": frozenset({"GBP", "EGP", "GIP", "FKP", "SHP", "LBP", "SYP", "SSP", "SDG"}),
    "¥": frozenset({"JPY", "CNY"}), "₹": frozenset({"INR"}), "rs": frozenset({"INR", "PKR", "LKR", "NPR", "MUR"}),
    "rs.": frozenset({"INR", "PKR", "LKR", "NPR", "MUR"}), "₺": frozenset({"TRY"}), "₽": frozenset({"RUB"}),
    "₪": frozenset({"ILS"}), "₩": frozenset({"KRW"}), "₫": frozenset({"VND"}), "₴": frozenset({"UAH"}),
    "₦": frozenset({"NGN"}), "₱": frozenset({"PHP"}), "฿": frozenset({"THB"}), "zł": frozenset({"PLN"}),
    "kč": frozenset({"CZK"}), "ft": frozenset({"HUF"}), "lei": frozenset({"RON", "MDL"}), "лв": frozenset({"BGN"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}), "kr.": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "fr.": frozenset({"CHF"}), "sfr.": frozenset({"CHF"}),
}  # fmt: skip
_LONGEST = 60
_SIGN = r"[^\d\s.,'’()+\-−]{1,4}\.?"
_SIGNED = re.compile(
    rf"([+\-−])?\s*({_SIGN})?\s*([+\-−])?\s*(\d[\d.,'’ \u00a0\u202f]*|[.,]\d+)\s*({_SIGN})?\s*([\-−])?"
)
_SPACES = re.compile("[ \u00a0\u202f]")
# Written in full, or parted in threes; in India the thousands are parted in three and all above them in twos.
_WHOLE = {
    ".": re.compile(r"\d+|\d{1,3}(?:([,'’ ])\d{3})(?:\1\d{3})*|\d{1,2}(?:,\d{2})+,\d{3}"),
    ",": re.compile(r"\d+|\d{1,3}(?:([.'’ ])\d{3})(?:\1\d{3})*"),
}


class WrittenAmount(Decimal):
    """An exact amount in major units, and what was written beside it."""

    #: The currencies that its sign or code may stand for; empty where there is none.
    currencies: frozenset[str] = frozenset()
    #: Three digits stand behind its only mark, which is no decimal mark of the file: thousands, or else decimals.
    may_be_decimals: bool = False

    def negated(self) -> "WrittenAmount":
        return self._written_like(-self)

    def less(self, other: Decimal) -> "WrittenAmount":
        return self._written_like(self - other)

    def _written_like(self, number: Decimal) -> "WrittenAmount":
        amount = WrittenAmount(number)
        amount.currencies, amount.may_be_decimals = self.currencies, self.may_be_decimals
        return amount


def read_amount(text: str, decimal: str) -> WrittenAmount:
    """`$1,234.50`, `(20.00)`, `1 234,50 €`, `20.00-` and their like; `decimal` is the file's decimal mark.

    Raises Unfit.
    """
    inside = re.fullmatch(r"\((.*)\)", text)
    match = _SIGNED.fullmatch(inside[1].strip() if inside else text) if len(text) <= _LONGEST else None
    if match is None:
        raise Unfit(_not_written(decimal))
    first, before, second, digits, behind, last = match.groups()
    minus = [sign for sign in (first, second, last) if sign in {"-", "−"}]
    if len(minus) + bool(inside) > 1 or (before and behind) or (first and second):
        raise Unfit(_not_written(decimal))
    number, may_be_decimals = _read_number(digits.strip(), decimal)
    amount = WrittenAmount(-number if minus or inside else number)
    amount.currencies = _currencies_of(before or behind or "")
    amount.may_be_decimals = may_be_decimals
    return amount


def _read_number(digits: str, decimal: str) -> tuple[Decimal, bool]:
    digits = _SPACES.sub(" ", digits)
    whole, mark, fraction = digits.partition(decimal)
    if (whole and not _WHOLE[decimal].fullmatch(whole)) or (fraction and not fraction.isdecimal()):
        raise Unfit(_other_mark(digits, decimal) or _not_written(decimal))
    other = "," if decimal == "." else "."
    number = Decimal((re.sub(r"\D", "", whole) or "0") + "." + (fraction or "0"))
    return number, not mark and whole.count(other) == 1


def _other_mark(digits: str, decimal: str) -> str:
    """What to write in the mapping, where the amount would be one with the other decimal mark."""
    other = "," if decimal == "." else "."
    whole, mark, fraction = digits.partition(other)
    if mark and fraction.isdecimal() and _WHOLE[other].fullmatch(whole or "0"):
        return f'the amount is written with “{other}” before its decimals; say so in the mapping: decimal = "{other}"'
    return ""


def _not_written(decimal: str) -> str:
    return f"this is not an amount written like 1234{decimal}50"


def _currencies_of(sign: str) -> frozenset[str]:
    if not sign:
        return frozenset()
    if known := _SIGNS.get(sign.casefold()):
        return known
    if is_known(sign.upper()):
        return frozenset({sign.upper()})
    raise Unfit("a word or a sign stands beside the amount that is no currency's")


def require_currency(amount: Decimal, currency: str) -> None:
    """Raises Unfit where the amount's own sign, or its marks, do not go with the currency that the row is in."""
    if not isinstance(amount, WrittenAmount):
        return
    if amount.currencies and currency not in amount.currencies:
        written = " or ".join(sorted(amount.currencies)) if len(amount.currencies) < 4 else "another currency's sign"
        raise Unfit(f"the amount is written with {written}, and its row is in {currency}; map the currency too")
    if amount.may_be_decimals and decimals_of(currency) == 3:
        raise Unfit(f"this may be thousands or decimals, for {currency} has three; say decimal in the mapping")
