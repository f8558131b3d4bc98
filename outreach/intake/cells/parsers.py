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
from zoneinfo import ZoneInfo, available_timezones

from outreach.email_cells import trim_email
from outreach.intake.cells.amounts import read_amount, require_currency
from outreach.intake.cells.countries import find_country
from outreach.intake.cells.date_formats import complete_year, read_moment
from outreach.intake.cells.unfit import NoDay, Unfit
from outreach.money import decimals_of, is_known

FIRST_YEAR, LAST_YEAR = 1800, 2200
LONGEST_ID, LONGEST_LINE = 200, 1000
# UTC that remembers that no zone was written: `is` tells it apart, and everything else takes it for UTC.
LOCAL = fixed_zone(timedelta(0), "written without a zone")


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
    #: The zone of instants that name none; empty for the business's own.
    zone: str = ""


Check = Callable[[str, Style], object]


def _require_usual_year(when: date) -> None:
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise NoDay(f"the year lies outside {FIRST_YEAR} to {LAST_YEAR}; leave the cell empty when there is no date")


def instant(text: str, style: Style) -> datetime:
    """UTC. Without a zone it is business time: a skipped hour moves on, and of a repeated one the first is meant."""
    return to_instant(complete_year(read_moment(text, style.dates), style.today), style)


def to_instant(when: date, style: Style) -> datetime:
    """UTC, or LOCAL where no zone was written. Raises NoDay for a year in which nothing happened to anybody."""
    _require_usual_year(when)
    if not isinstance(when, datetime):
        when = datetime.combine(when, time())
    elif style.zone and when.tzinfo is None:
        when = when.replace(tzinfo=ZoneInfo(style.zone))
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
    if style.zone and when.tzinfo is None:
        when = when.replace(tzinfo=ZoneInfo(style.zone))
    if when.tzinfo is None or when.time() == time():
        return when.date()
    return when.astimezone(ZoneInfo(style.timezone)).date()


def amount(text: str, style: Style) -> Decimal:
    """An exact amount in major units; `to_minor_units` makes an integer of it once the currency is known."""
    return read_amount(text, style.decimal)


def to_minor_units(value: Decimal, currency: str) -> int:
    """Cents of dollars, yen of yen. Raises Unfit for a smaller fraction than the currency has, or another's sign."""
    require_currency(value, currency)
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
    if not (text.isascii() and text.isprintable()):
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
    code = find_country(text)
    if code is None:
        raise Unfit("this is no country's name, nor its two-letter code, such as US or DE")
    return code


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
