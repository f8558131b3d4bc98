"""The smaller tables of outreach.toml, each a frozen class of its own, and `Part`, which all of them are built on."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from outreach.channels import ChannelName

Silence = Literal["opt-in", "opt-out"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Part(BaseModel):
    """A table of outreach.toml: it never changes, and refuses a name that it does not know."""

    # A misspelt name would else be passed over, and the default would stand without a word.
    model_config = ConfigDict(frozen=True, extra="forbid")


# A text needs a yes first in the United States (TCPA), a commercial e-mail in Canada (CASL) and in Europe: see 6, 20
# and 21 in docs/rules.md. The strict way is the default, and a business elsewhere may say otherwise.
class ConsentSettings(Part):
    """What silence means where a customer has no consent row for a channel."""

    letter: Silence = "opt-out"
    email: Silence = "opt-in"
    text: Silence = "opt-in"
    call: Silence = "opt-out"


class Pacing(Part):
    """How much time lies between messages to one person, and after a death."""

    #: At most one message goes to one person in so many days.
    quiet_days: int = Field(default=14, ge=0)
    #: So long a death holds everything for the household.
    mourning_days: int = Field(default=90, ge=0)


class Transit(Part):
    """Business days from hand-over to arrival, by channel."""

    letter: int = Field(default=4, ge=0)
    email: int = Field(default=0, ge=0)
    text: int = Field(default=0, ge=0)
    call: int = Field(default=0, ge=0)


class Delivery(Part):
    """How sending is kept safe."""

    #: How long a sender may act on what it has claimed; held up for longer, it gives it back unsent.
    lease_seconds: float = Field(default=300, gt=0)
    #: A message that left without an answer goes to a person after so long.
    give_up_hours: float = Field(default=72, gt=0)
    #: A mark outside the database. Without it, it lies in the user's state directory, where a restored folder does not
    #: bring an old one back.
    generation_file: Path | None = None


class Scaling(Part):
    """How the processes of one day's work share it."""

    #: So many messages are one shard, the part that one process takes at a time.
    shard_size: int = Field(default=500, ge=1)


class Approval(Part):
    """How staff approve, and who is reminded of what waits."""

    #: One person may both write and approve; the audit shows it.
    single_person: bool = False
    #: An approval at the desk can be undone for so long; nothing of it leaves before.
    undo_minutes: int = Field(default=15, ge=0)
    #: After so long a batch that still waits is brought to the deputy's mind.
    remind_hours: int = Field(default=24, ge=1)
    #: The member of staff who is reminded.
    deputy: str = ""
    #: A batch over so many times its usual size waits for a person.
    usual_size_times: int = Field(default=3, ge=1)


class MomentKnobs(Part):
    """The knobs that every moment has. Those of one moment alone stand in its own file."""

    #: Whether planning looks for it.
    enabled: bool = True
    #: Planning writes it on these days only.
    weekdays: list[Weekday] = Field(default=list(WEEKDAYS), min_length=1)
    #: At most so many messages of it are planned on one run date.
    most_a_day: int | None = Field(default=None, ge=1)
    #: “person”: every batch of it waits for one. Letters always wait.
    approval: Literal["rule", "person"] = "rule"
    #: In the order in which they are tried.
    channels: list[ChannelName] = ["letter", "email", "text", "call"]
    #: The next channel follows where `wait_days` have brought no answer.
    ladder: bool = False
    wait_days: int = Field(default=7, ge=1)
    #: How far back planning looks for a day that was missed.
    grace_days: int = Field(default=7, ge=0)
    #: How many business days ahead planning looks.
    lead_days: int = Field(default=0, ge=0)
