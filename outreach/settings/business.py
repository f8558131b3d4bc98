"""The settings that say who the business is: `[business]` in outreach.toml, with the staff who sign its messages."""

from datetime import date
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from outreach.settings.parts import Part


class Signatory(Part):
    """A member of staff whose name stands under messages."""

    name: str
    #: What stands below the name.
    role: str = ""
    #: The pen that writes their letters.
    pen: str = "Alder"
    #: The telephone number that reaches this person.
    direct_line: str = ""
    #: The first and the last day on which they sign; empty for no bound.
    from_: date | None = Field(default=None, alias="from")
    until: date | None = None
    #: Pairs of first and last days on which somebody else signs.
    away: list[tuple[date, date]] = []
    #: The day on which they agreed to be signed for. Without it nothing is signed for them.
    consent_on: date | None = None


class ReturnAddress(Part):
    """Where a letter comes back to, in the fields that printing houses ask for."""

    line1: str
    line2: str = ""
    city: str
    region: str = ""
    postal_code: str
    country: str = "US"


class Business(Part):
    """The business itself: its name, its address, and the zone, language and currency that it works in."""

    name: str = ""
    #: It decides which agreements a provider needs before it may carry a message.
    kind: Literal["general", "health", "finance", "utility"] = "general"
    #: Whose dates count as today, and what an instant without a zone in the data means.
    timezone: str = "UTC"
    #: The language of a message where the customer's own has no template.
    language: str = "en"
    #: Where letters are posted; a letter to the same country has no country line.
    country: str = "US"
    #: The currency of costs, and of an amount that names none. Money is in its minor units.
    currency: str = "USD"
    #: The postal address, line by line. Every e-mail carries it, as the law asks.
    address: list[str] = []
    #: An SVG file; without it the name is printed.
    letterhead: Path | None = None
    return_address: ReturnAddress | None = None
    phone: str = ""
    #: Where e-mails come from, and where answers go.
    email: str = ""
    #: The address as it is printed.
    website: str = ""
    # A name that never leads anywhere (RFC 2606), so that no link of a rehearsal reaches somebody else's pages.
    #: Where the public pages are reached from outside; unsubscribe links begin with it.
    public_url: str = "https://outreach.invalid"
    #: The hour, in the business's time, that messages are dated with.
    sending_hour: int = Field(default=9, ge=0, le=23)
    signatories: list[Signatory] = []

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"“{value}” is not a time zone; write one like Europe/Berlin")
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
