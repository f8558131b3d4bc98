"""One cell's text in; a checked value out, or a reason that never repeats what stood in the cell.

Each check takes the text, already trimmed and not empty, and how this file writes its values.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale

from outreach.errors import IntakeError
from outreach.money import decimals_of, is_known

EXCEL_DAY_NUMBER = "excel"
FIRST_YEAR, LAST_YEAR = 1800, 2200
LONGEST_ID, LONGEST_LINE = 200, 1000
_TOKENS = {
    "YYYY": "%Y", "YY": "%y", "Month": "%B", "Mon": "%b", "MM": "%m", "M": "%m", "DD": "%d", "D": "%d",
    "hh": "%H", "mm": "%M", "ss": "%S",
}  # fmt: skip
_TOKEN = re.compile("|".join(_TOKENS))
_COUNTRIES = frozenset(str(code) for code in Locale("en").territories if re.fullmatch("[A-Z]{2}", str(code))) - {
    "ZZ",
    "EU",
}


class Unfit(IntakeError):
    """A value that its column cannot hold. It becomes a refusal and never leaves this room."""


@dataclass(frozen=True)
class Style:
    """How a file writes its values: date formats beside ISO, the decimal sign, and the business's zone and currency."""

    timezone: str
    currency: str
    dates: tuple[str, ...] = ()
    decimal: str = "."


Check = Callable[[str, Style], object]


def to_strptime(written: str) -> str:
    """`DD.MM.YYYY hh:mm` as strptime wants it. Raises Unfit where a day, month or year is missing."""
    pattern = _TOKEN.sub(lambda found: _TOKENS[found.group()], written.replace("%", "%%"))
    if not (re.search("%[Yy]", pattern) and re.search("%[mbB]", pattern) and "%d" in pattern):
        raise Unfit("a date format needs a year (YYYY or YY), a month (MM, Mon or Month) and a day (DD)")
    return pattern


@lru_cache(maxsize=1 << 16)
def read_moment(text: str, dates: tuple[str, ...]) -> date | datetime:
    """A date, or a datetime where a time of day is written, aware only where the text says its zone."""
    found = _read_iso(text)
    if found is None:
        meanings = {meaning for written in dates if (meaning := _read_format(text, written)) is not None}
        if len(meanings) > 1:
            raise Unfit("this date fits several of the mapping's formats and means different days")
        found = meanings.pop() if meanings else None
    if found is None:
        raise Unfit("this is not a date that exists, written like " + " or ".join(["2026-11-22", *dates]))
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Unfit(f"the year lies outside {FIRST_YEAR} to {LAST_YEAR}; leave the cell empty when there is no date")
    return found


def _read_iso(text: str) -> date | datetime | None:
    if text[4:5] != "-" or text[7:8] != "-":
        return None
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


def _read_format(text: str, written: str) -> date | datetime | None:
    if written == EXCEL_DAY_NUMBER:
        return _read_day_number(text)
    pattern = to_strptime(written)
    try:
        found = datetime.strptime(text, pattern)  # noqa: DTZ007 — the business's zone is given by the caller
    except ValueError:
        return None
    return found if "%H" in pattern else found.date()


def _read_day_number(text: str) -> date | datetime | None:
    if not re.fullmatch(r"\d{2,6}(\.\d+)?", text, re.ASCII) or float(text) < 61:  # Excel has a 29 February 1900
        return None
    found = datetime(1899, 12, 30) + timedelta(seconds=round(float(text) * 86400))  # noqa: DTZ001 — as above
    return found if "." in text else found.date()


def instant(text: str, style: Style) -> datetime:
    """UTC. Without a zone it is business time: a skipped hour moves on, and of a repeated one the first is meant."""
    found = read_moment(text, style.dates)
    if not isinstance(found, datetime):
        found = datetime.combine(found, time())
    if found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(style.timezone))
    return found.astimezone(UTC)


def day(text: str, style: Style) -> date:
    """A business date; of an instant, the date on which it fell for the business."""
    found = read_moment(text, style.dates)
    if not isinstance(found, datetime):
        return found
    return found.date() if found.tzinfo is None else found.astimezone(ZoneInfo(style.timezone)).date()


def amount(text: str, style: Style) -> Decimal:
    """An exact amount in major units; `to_minor_units` makes an integer of it once the currency is known."""
    if style.decimal == ",":
        text = re.sub(r"[.\s'](?=\d{3}(\D|$))", "", text).replace(",", ".")
    if not re.fullmatch(r"[+-]?\d{1,20}(\.\d{0,20})?", text):
        raise Unfit("this is not an amount written like 1234.50")
    return Decimal(text)


def to_minor_units(value: Decimal, currency: str) -> int:
    """Cents of dollars, yen of yen. Raises Unfit for a fraction smaller than the currency has."""
    precision = decimals_of(currency)
    scaled = value.scaleb(precision)
    # 129.16000000000003 is 129.16 as a program with binary fractions writes it; 129.165 is a mistake.
    if abs(scaled - scaled.to_integral_value()) > Decimal("0.000001"):
        raise Unfit(f"the amount has more than {precision} decimals, which {currency} does not have")
    return int(scaled.to_integral_value())


def score(text: str, _style: Style) -> int:
    if not re.fullmatch(r"\d{1,2}", text) or int(text) > 10:
        raise Unfit("this is not a whole number from 0 to 10")
    return int(text)


def identifier(text: str, style: Style) -> str:
    if len(text) > LONGEST_ID:
        raise Unfit(f"an id has at most {LONGEST_ID} characters")
    return line(text, style)


def line(text: str, _style: Style) -> str:
    """Text that stands on one line of a letter or in a mail header: nothing in it may start another line."""
    for letter in text:
        if unicodedata.category(letter) in {"Cc", "Zl", "Zp"}:
            raise Unfit("a line break or another control character stands inside the text")
    _refuse_undecodable(text)
    if len(text) > LONGEST_LINE:
        raise Unfit(f"the text has more than {LONGEST_LINE} characters")
    return text


def passage(text: str, _style: Style) -> str:
    """Text of any length that may have line breaks."""
    if any(unicodedata.category(letter) == "Cc" and letter not in "\r\n\t" for letter in text):
        raise Unfit("a control character stands inside the text")
    _refuse_undecodable(text)
    return text


def _refuse_undecodable(text: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Unfit("some bytes are no letters in the file's encoding; save the file as CSV UTF-8")


def word(text: str, style: Style) -> str:
    """A word of ours in any case, with spaces or hyphens for underscores: `No show` is no_show."""
    return identifier(re.sub(r"[\s-]+", "_", line(text, style).casefold()), style)


def one_word_of(*words: str, **others: str) -> Check:
    """One of `words`; of the `others` each stands for one of them, as other programs write it."""

    def check(text: str, style: Style) -> str:
        found = word(text, style)
        found = others.get(found, found)
        if found not in words:
            raise Unfit(f"this is none of {', '.join(words)}")
        return found

    return check


def country(text: str, _style: Style) -> str:
    if text.upper() not in _COUNTRIES:
        raise Unfit("this is not a country's two-letter code, such as US or DE")
    return text.upper()


def currency(text: str, _style: Style) -> str:
    if not is_known(text.upper()):
        raise Unfit("this is not a currency's three-letter code, such as USD or EUR")
    return text.upper()


def language(text: str, _style: Style) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", text):
        raise Unfit("this is not a language's code, such as en or pt-BR")
    return text


def timezone(text: str, _style: Style) -> str:
    if text not in available_timezones():
        raise Unfit("this is not a time zone written like Europe/Berlin")
    return text
