"""Finds the date formats, and the decimal mark, in which the values of a file can be read."""

from collections.abc import Sequence

from outreach.intake.cells.amounts import read_amount
from outreach.intake.cells.date_formats import read_moment
from outreach.intake.cells.unfit import Unfit

_DATES = (
    "MM/DD/YYYY", "DD/MM/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "YYYY/MM/DD", "DD Mon YYYY", "Mon DD, YYYY", "DD-Mon-YYYY",
    "MM/DD/YY", "DD/MM/YY", "DD.MM.YY", "DD Month YYYY", "Month DD, YYYY", "DD-Mon-YY", "YYYYMMDD",
)  # fmt: skip
_TIMES = ("", " hh:mm", " hh:mm:ss", " hh:mm AM", " hh:mm:ss AM")
# Where the month is written first.
_MONTH_FIRST = frozenset({"US", "PH", "PR", "GU", "FM", "MH", "PW"})
# Countries that stand for the two orders of day and month.
MONTH_FIRST, DAY_FIRST = "US", "GB"
_ALL = ("excel", *(day + time for time in _TIMES for day in _DATES))


def order_of(country: str) -> str:
    """MONTH_FIRST or DAY_FIRST, as the country writes it."""
    return MONTH_FIRST if country in _MONTH_FIRST else DAY_FIRST


def find_formats(values: Sequence[str], country: str) -> tuple[str, bool]:
    """The format in which most of the values can be read, and whether another order of day and month fits as well.

    Empty where they are dates as ISO writes them, or no dates at all. Where both orders fit, the country's is taken.
    """
    if not values or all(_reads(value, ()) for value in values):
        return "", False
    counts = {written: sum(_reads(value, (written,)) for value in values) for written in _ALL}
    most = max(counts.values())
    best = [written for written, count in counts.items() if count == most and count]
    orders = {written.startswith("M") for written in best}
    best.sort(key=lambda written: written.startswith("M") != (country in _MONTH_FIRST))
    return (best[0] if best else ""), len(orders) > 1


def _reads(value: str, formats: tuple[str, ...]) -> bool:
    try:
        read_moment(value, formats)
    except Unfit:
        return False
    return True


def find_decimal(values: Sequence[str]) -> str:
    """The decimal mark by which most of the values can be read; a point where both do."""
    return max((".", ","), key=lambda mark: sum(is_amount(value, mark) for value in values))


def is_amount(value: str, decimal: str) -> bool:
    """Whether the value can be read as an amount with this decimal mark."""
    try:
        read_amount(value, decimal)
    except Unfit:
        return False
    return True
