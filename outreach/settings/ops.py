"""The settings that watch over the work: `[ops]` and `[budget]` in outreach.toml.

They say when an alarm stands, who is told of it, and what may be spent on outreach in a month.
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from outreach.settings.parts import Part


class OpsSettings(Part):
    """When an alarm stands, and who is told of it."""

    #: An e-mail address, or an http(s) address that takes {"subject", "body"}; empty for nobody.
    alarms_to: str = ""
    #: Approved messages that are due may wait so long.
    backlog_hours: float = Field(default=1, gt=0, le=8760)
    #: Messages that left without an answer may stay open so long.
    uncertain_minutes: float = Field(default=120, gt=0, le=525600)
    #: A vendor with something to report may be silent for so long; three days outlast a weekend.
    webhook_silence_hours: float = Field(default=72, gt=0, le=8760)
    #: Customer data may be so old.
    import_hours: float = Field(default=36, gt=0, le=8760)
    #: A month's budget counts as nearly spent from here.
    budget_percent: int = Field(default=80, ge=1, le=100)

    @field_validator("alarms_to")
    @classmethod
    def _reachable(cls, value: str) -> str:
        if value and _way_to(value) is None:
            raise ValueError(f"“{value}” is no e-mail address and no https:// address; write one of the two")
        return value

    @property
    def alarms_go_by(self) -> Literal["email", "web"] | None:
        """How `alarms_to` is reached; None where alarms go to nobody."""
        return _way_to(self.alarms_to)


def _way_to(address: str) -> Literal["email", "web"] | None:
    if "://" in address:
        try:
            parts = urlsplit(address)
            is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and address.isprintable()
            # urlsplit takes any port; only to read it raises the ValueError of one that cannot be.
            return "web" if is_whole and " " not in address and (parts.port is None or parts.port > 0) else None
        except ValueError:
            return None
    from email_validator import EmailNotValidError, validate_email  # its resolver takes a while to import

    try:
        # Without a question to the DNS: every command reads the settings, also where there is no network.
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return "email"


class BudgetSettings(Part):
    """What outreach may cost in a calendar month, in minor units. Without an amount there is no budget."""

    #: For all messages together.
    month: int | None = Field(default=None, ge=1)
    #: For single moments, by name.
    moments: dict[str, Annotated[int, Field(ge=0)]] = {}
    #: A message may cost at most this much of what its customer is worth in twelve months; without it, whatever it
    #: costs.
    worth_percent: float | None = Field(default=None, gt=0)
