"""When, how often and at what cost the business may reach people: `[hours]`, `[collecting]` and `[texts]`.

Where the law of a place is stricter, the defaults keep it. Counsel confirms them before anybody relies on them.
"""

import re
from functools import lru_cache
from typing import Literal

from pydantic import Field, field_validator

from outreach.settings.parts import Part

# A day may end at 24:00; what would be later is refused below.
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# States whose own law ends the day at eight in the evening, or begins it at nine, for calls and texts.
STRICTER = {
    "US-CT": "09:00-20:00",
    "US-FL": "08:00-20:00",
    "US-MD": "08:00-20:00",
    "US-OK": "08:00-20:00",
    "US-WA": "08:00-20:00",
}


# Bounded, because the words may come from the note of a flag, of which data can bring any number.
@lru_cache(maxsize=1_000)
def minutes_of(hours: str) -> tuple[int, int]:
    """The minutes of the day from which and until which `hours`, such as 08:00-21:00, reach; "" is the whole day.

    Raises ValueError for anything else.
    """
    if not hours:
        return 0, 1440
    match = _HOURS.fullmatch(hours)
    opens, closes = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (1, 0)
    if not opens < closes <= 1440:
        raise ValueError(f"“{hours}” are no hours of one day; write them like 08:00-21:00, or leave them empty")
    return opens, closes


class HoursSettings(Part):
    """When a channel may be used, in the recipient's own time; empty is at any time. Letters are never bounded."""

    text: str = "08:00-21:00"
    call: str = "08:00-21:00"
    email: str = ""
    #: Stricter hours of a country's regions, by codes such as US-FL, for texts and calls.
    regions: dict[str, str] = STRICTER
    #: On these days, and on public holidays with `closed_holidays`, no text and no call goes out.
    closed_days: tuple[Day, ...] = ()
    closed_holidays: bool = False

    @field_validator("text", "call", "email")
    @classmethod
    def _readable(cls, value: str) -> str:
        minutes_of(value)
        return value

    @field_validator("regions")
    @classmethod
    def _all_readable(cls, value: dict[str, str]) -> dict[str, str]:
        for code, hours in value.items():
            if not re.fullmatch(r"[A-Z]{2}-[A-Z0-9]{1,3}", code):
                raise ValueError(f"“{code}” is no region of a country; write it like US-FL")
            minutes_of(hours)
        return value


class CollectingSettings(Part):
    """How the business asks about late payments."""

    #: “collector” keeps all of Regulation F; “creditor” is for a business that asks in its own name.
    mode: Literal["collector", "creditor"] = "collector"
    #: The domains of employers' e-mail addresses: a collector writes nothing about a debt to them.
    work_domains: tuple[str, ...] = ()
    # More than seven calls in seven days are presumed to harass: 12 CFR 1006.14(b)(2)(i).
    #: A collector calls one person about a late payment at most so often in seven days.
    calls_a_week: int = Field(default=7, ge=0)


class TextCapSettings(Part):
    """At most so many texts about health to one number: the exemption of 47 CFR 64.1200(a)(9)(iv) asks for it."""

    health_a_day: int = Field(default=1, ge=1)
    health_a_week: int = Field(default=3, ge=1)


class Texts(Part):
    """How long a text may be, how its number is read, and how many may go to one number."""

    #: A longer text is not sent.
    max_segments: int = Field(default=2, ge=1)
    #: The country whose way of writing numbers a customer's telephone number is read in.
    region: str = "US"
    cap: TextCapSettings = TextCapSettings()
