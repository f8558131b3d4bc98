"""Who the business is: `[business]` in outreach.toml, with those who sign its messages."""

from datetime import date
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from outreach.settings.parts import Part


class Signatory(Part):
    """A member of staff whose name stands under messages. Without `consent_on` nothing is signed for them."""

    name: str
    role: str = ""
    pen: str = "Alder"
    direct_line: str = ""
    from_: date | None = Field(default=None, alias="from")
    until: date | None = None
    away: list[tuple[date, date]] = []
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
    name: str = ""
    kind: Literal["general", "health", "finance", "utility"] = "general"
    timezone: str = "UTC"
    language: str = "en"
    country: str = "US"
    currency: str = "USD"
    address: list[str] = []
    letterhead: Path | None = None
    return_address: ReturnAddress | None = None
    phone: str = ""
    email: str = ""
    website: str = ""
    public_url: str = "https://outreach.invalid"
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
