"""The smaller tables of outreach.toml, each a frozen class of its own, and what they are all built on."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from outreach.channels import ChannelName

Silence = Literal["opt-in", "opt-out"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Part(BaseModel):
    """A table of outreach.toml: it never changes, and refuses a name that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ConsentSettings(Part):
    """What silence means where a customer has no consent row for a channel."""

    letter: Silence = "opt-out"
    email: Silence = "opt-in"
    text: Silence = "opt-in"
    call: Silence = "opt-out"


class Pacing(Part):
    quiet_days: int = Field(default=14, ge=0)
    mourning_days: int = Field(default=90, ge=0)


class Transit(Part):
    """Business days from hand-over to arrival, by channel."""

    letter: int = Field(default=4, ge=0)
    email: int = Field(default=0, ge=0)
    text: int = Field(default=0, ge=0)
    call: int = Field(default=0, ge=0)


class Delivery(Part):
    """How sending is kept safe. A message that left without an answer goes to a person after `give_up_hours`.

    `generation_file` is a mark outside the database; without it, it lies in the user's state directory, where a
    restored folder does not bring an old one back.
    """

    lease_seconds: float = Field(default=300, gt=0)
    give_up_hours: float = Field(default=72, gt=0)
    generation_file: Path | None = None


class Scaling(Part):
    """What processes share a day's work by: shards of `shard_size` messages."""

    shard_size: int = Field(default=500, ge=1)


class Approval(Part):
    """An approval at the desk can be undone for `undo_minutes`; nothing of it leaves before.

    The member of staff named by `deputy` is reminded of what has waited for `remind_hours`.
    """

    single_person: bool = False
    undo_minutes: int = Field(default=15, ge=0)
    remind_hours: int = Field(default=24, ge=1)
    deputy: str = ""
    usual_size_times: int = Field(default=3, ge=1)


class MomentKnobs(Part):
    """Planning writes a moment on its `weekdays` only, and at most `most_a_day` messages of it on one run date.

    With a `ladder`, the next channel follows where `wait_days` have brought no answer.
    """

    enabled: bool = True
    weekdays: list[Weekday] = Field(default=list(WEEKDAYS), min_length=1)
    most_a_day: int | None = Field(default=None, ge=1)
    approval: Literal["rule", "person"] = "rule"
    channels: list[ChannelName] = ["letter", "email", "text", "call"]
    ladder: bool = False
    wait_days: int = Field(default=7, ge=1)
    grace_days: int = Field(default=7, ge=0)
    lead_days: int = Field(default=0, ge=0)
