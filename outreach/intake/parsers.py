"""Checks the text of one cell and makes a value of it. A reason against it never repeats what stood in the cell.

Each check takes the text, already trimmed and not empty, and how this file writes its values.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from datetime import timezone as fixed_zone
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale

from outreach.email_cells import trim_email
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
# UTC that remembers that no zone was written: `is` tells it apart, and everything else takes it for UTC.
LOCAL = fixed_zone(timedelta(0), "written without a zone")
# Of a year before this one only the last two digits are known: it came as 62, 0062, or 162 counted from 1900.
# The year 400 + n has a 29 February whenever 1900 + n or 2000 + n does.
FIRST_WHOLE_YEAR, SHORT_YEAR = 500, 400
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")
# CLDR has two codes of no country: ZZ stands for an unknown one, and EU is a union.
_COUNTRIES = frozenset(str(code) for code in Locale("en").territories if re.fullmatch("[A-Z]{2}", str(code))) - {
    "ZZ",
    "EU",
}


class Unfit(IntakeError):
    """A value that its column cannot hold. It becomes a refusal and never leaves this room."""


class NoDay(Unfit):
    """A cell in which a date stands that cannot be meant. Where the column may be empty, it is taken in as empty."""


@dataclass(frozen=True)
class Style:
    """How a file writes its values, and what of the business decides how they are read."""

    timezone: str
    currency: str
    #: Formats of dates beside ISO.
    dates: tuple[str, ...] = ()
    #: The decimal sign.
    decimal: str = "."
    country: str = ""
    #: The business's date on the day of the import.
    today: date | None = None


Check = Callable[[str, Style], object]
Day = TypeVar("Day", date, datetime)


def to_strptime(written: str) -> str:
    """`DD.MM.YYYY hh:mm` as strptime wants it. Raises Unfit where a day, month or year is missing."""
    pattern = _TOKEN.sub(lambda token: _TOKENS[token.group()], written.replace("%", "%%"))
    if not (re.search("%[Yy]", pattern) and re.search("%[mbB]", pattern) and "%d" in pattern):
        raise Unfit("a date format needs a year (YYYY or YY), a month (MM, Mon or Month) and a day (DD)")
    return pattern


@lru_cache(maxsize=1 << 16)
def read_moment(text: str, dates: tuple[str, ...]) -> date | datetime:
    """A date, or a datetime where a time of day is written, aware only where the text says its zone.

    Its year may lie before FIRST_WHOLE_YEAR: see `complete_year`. Raises NoDay for a date that does not exist.
    """
    when = _read_iso(text)
    if when is None and _ISO_DAY.match(text):
        raise NoDay("this date does not exist")
    if when is None:
        meanings = {meaning for written in dates if (meaning := _read_format(text, written)) is not None}
        if len(meanings) > 1:
            raise Unfit("this date fits several of the mapping's formats and means different days")
        when = meanings.pop() if meanings else None
    if when is None:
        raise Unfit("this is not a date that exists, written like " + " or ".join(["2026-11-22", *dates]))
    return when


def complete_year(when: Day, today: date | None, past: bool = False) -> Day:
    """The date with its whole year where only two digits of it are known: the last one that is not after today in a
    column that can only hold the past, else the nearest to today. Raises NoDay where there is none."""
    if when.year >= FIRST_WHOLE_YEAR:
        return when
    digits = when.year % 100
    now = today or date(2019, 1, 1)  # strptime's own choice, 1969 to 2068
    days = [(year, day) for year in (1900 + digits, 2000 + digits) if (day := _day_in(when, year)) is not None]
    if past:
        days = [(year, day) for year, day in days if day <= now + timedelta(days=1)]
    if not days:
        raise NoDay("the year has two digits, and no year that ends in them can be meant")
    year, _ = days[-1] if past else min(days, key=lambda each: abs(each[1] - now))
    return when.replace(year=year)


def _day_in(when: date, year: int) -> date | None:
    try:
        return date(year, when.month, when.day)
    except ValueError:
        return None


def _require_usual_year(when: date) -> None:
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise NoDay(f"the year lies outside {FIRST_YEAR} to {LAST_YEAR}; leave the cell empty when there is no date")


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
        when = datetime.strptime(text, pattern)  # noqa: DTZ007 — the business's zone is given by the caller
    except ValueError:
        return None
    if "%y" in pattern:
        when = when.replace(year=SHORT_YEAR + when.year % 100)
    return when if "%H" in pattern else when.date()


def _read_day_number(text: str) -> date | datetime | None:
    if not re.fullmatch(r"\d{2,6}(\.\d+)?", text, re.ASCII) or float(text) < 61:  # Excel has a 29 February 1900
        return None
    when = datetime(1899, 12, 30) + timedelta(seconds=round(float(text) * 86400))  # noqa: DTZ001 — as above
    return when if "." in text else when.date()


def instant(text: str, style: Style) -> datetime:
    """UTC. Without a zone it is business time: a skipped hour moves on, and of a repeated one the first is meant."""
    return to_instant(complete_year(read_moment(text, style.dates), style.today), style)


def to_instant(when: date, style: Style) -> datetime:
    """UTC, or LOCAL where no zone was written. Raises NoDay for a year in which nothing happened to anybody."""
    _require_usual_year(when)
    if not isinstance(when, datetime):
        when = datetime.combine(when, time())
    if when.tzinfo is None:
        return when.replace(tzinfo=ZoneInfo(style.timezone)).astimezone(LOCAL)
    return when.astimezone(UTC)


def day(text: str, style: Style) -> date:
    """A business date; of an instant, the date on which it fell for the business."""
    return to_day(complete_year(read_moment(text, style.dates), style.today), style)


def to_day(when: date, style: Style) -> date:
    """The business date. Midnight in the zone that is written is how programs write a day: it is that day."""
    _require_usual_year(when)
    if not isinstance(when, datetime):
        return when
    if when.tzinfo is None or when.time() == time():
        return when.date()
    return when.astimezone(ZoneInfo(style.timezone)).date()


def amount(text: str, style: Style) -> Decimal:
    """An exact amount in major units; `to_minor_units` makes an integer of it once the currency is known."""
    if style.decimal == ",":
        # Here a point parts thousands, as a space and an apostrophe do: 1.234,50.
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


def email(text: str, style: Style) -> str:
    """An e-mail address without what stands around it in lists of them, whether or not it can exist."""
    return trim_email(line(text, style))


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


def one_word_of(*words: str, also: Mapping[str, str] | None = None) -> Check:
    """One of our words, or of theirs that `also` has for one of ours."""
    others = also or {}

    def check(text: str, style: Style) -> str:
        ours = word(text, style)
        ours = others.get(ours, ours)
        if ours not in words:
            raise Unfit(f"this is none of {', '.join(words)}")
        return ours

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
