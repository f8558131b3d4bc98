"""Puts into words what a customer has to show for a clause, on a date."""

from collections.abc import Callable
from datetime import date

Tell = Callable[[date | None, date], str]


def tell_day(words: str, never: str) -> Tell:
    """`words` with when it was, as “last treated 12 days ago (2026-02-26)”; `never` where it never was."""

    def tell(value: date | None, on: date) -> str:
        return f"{words} {how_long(value, on)} ({value})" if value else never

    return tell


def how_long(day: date, on: date) -> str:
    """The days from `day` to `on` in words: “today”, “1 day ago”, “in 3 days”."""
    days = (on - day).days
    if days == 0:
        return "today"
    number = f"{abs(days)} {'day' if abs(days) == 1 else 'days'}"
    return f"{number} ago" if days > 0 else f"in {number}"


def count_of(number: int, one: str, many: str) -> str:
    """“1 completed visit”, “3 completed visits”, “no completed visits”."""
    return f"{number or 'no'} {one if number == 1 else many}"
