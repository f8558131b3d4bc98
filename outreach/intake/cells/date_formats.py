"""Reads a date or an instant as files write it: ISO, or in a format that a mapping names, such as DD.MM.YYYY.

It decides nothing about which days can be meant.
"""

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from outreach.intake.cells.unfit import NoDay, Unfit

EXCEL_DAY_NUMBER = "excel"
_TOKENS = {
    "YYYY": "%Y", "YY": "%y", "Month": "%B", "Mon": "%b", "MM": "%m", "M": "%m", "DD": "%d", "D": "%d",
    "hh": "%H", "h": "%H", "mm": "%M", "ss": "%S", "AM": "%p", "PM": "%p",
}  # fmt: skip
_TOKEN = re.compile("|".join(_TOKENS))
# Of a year before this one only the last two digits are known: it came as 62, 0062, or 162 counted from 1900.
# The year 400 + n has a 29 February whenever 1900 + n or 2000 + n does.
FIRST_WHOLE_YEAR, SHORT_YEAR = 500, 400
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")
# `2026-11-22 09:30:00 -0500` and `… UTC`, as Shopify and many databases write a zone.
_APART_ZONE = re.compile(r" (?=[+-]\d{2}:?\d{2}$)")
Day = TypeVar("Day", date, datetime)


def to_strptime(written: str) -> str:
    """`DD.MM.YYYY hh:mm`, or `M/D/YYYY h:mm AM`, as strptime wants it.

    Raises Unfit for a format that could read no date: without a day, a month or a year, or with one of them twice.
    """
    if "%" in written:
        raise Unfit("dates are written with letters, such as DD/MM/YYYY hh:mm, and not with percent signs")
    pattern = _TOKEN.sub(lambda token: _TOKENS[token.group()], written)
    if "%p" in pattern:
        pattern = pattern.replace("%H", "%I")
    for kind, name in (("Yy", "a year"), ("mbB", "a month"), ("d", "a day"), ("HI", "an hour"), ("M", "minutes"),
                       ("S", "seconds"), ("p", "AM or PM")):  # fmt: skip
        if len(re.findall(f"%[{kind}]", pattern)) > 1:
            raise Unfit(f"a date format has {name} only once")
    if not (re.search("%[Yy]", pattern) and re.search("%[mbB]", pattern) and "%d" in pattern):
        raise Unfit("a date format needs a year (YYYY or YY), a month (MM, Mon or Month) and a day (DD)")
    if "%p" in pattern and "%I" not in pattern:
        raise Unfit("a date format with AM needs the hour (hh) too")
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


def _read_iso(text: str) -> date | datetime | None:
    if text[4:5] != "-" or text[7:8] != "-":
        return None
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        return datetime.fromisoformat(_APART_ZONE.sub("", text.removesuffix(" UTC") + "Z" * text.endswith(" UTC")))
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
    return when if re.search("%[HI]", pattern) else when.date()


def _read_day_number(text: str) -> date | datetime | None:
    if not re.fullmatch(r"\d{2,6}(\.\d+)?", text, re.ASCII) or float(text) < 61:  # Excel has a 29 February 1900
        return None
    when = datetime(1899, 12, 30) + timedelta(seconds=round(float(text) * 86400))  # noqa: DTZ001 — as above
    return when if "." in text else when.date()
