"""The settings of the rewards that some moments carry: `[rewards]` in outreach.toml."""

from typing import Annotated

from pydantic import Field, StringConstraints

from outreach.settings.parts import Part

CurrencyCode = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
Minor = Annotated[int, Field(ge=0)]


class Proportion(Part):
    """How far a moment's reward grows with what its customer brings. A moment's knob `reward` is the least of it."""

    #: Shares of what they paid, over twelve months and ever.
    year_percent: float = Field(default=0, ge=0, le=100)
    lifetime_percent: float = Field(default=0, ge=0, le=100)
    #: What the sum is rounded to, in minor units.
    step: int = Field(default=500, ge=1)
    #: Where it ends, in minor units.
    most: int = Field(default=10_000, ge=0)


class RewardsSettings(Part):
    """What rewards may come to. Ceilings are in minor units of the business's currency; none set means none."""

    #: How many of a hundred rewards are expected to be taken up: that much of each is its cost.
    redeemed_percent: int = Field(default=50, ge=0, le=100)
    #: The most that gifts may come to if all are taken up: in a message, in a batch, in a calendar month.
    most_per_message: int | None = Field(default=10_000, ge=0)
    most_per_batch: int | None = Field(default=None, ge=0)
    most_per_month: int | None = Field(default=None, ge=0)
    #: For how long a reward can be redeemed.
    valid_days: int = Field(default=365, ge=1)
    #: The proportion of those moments that have one.
    moments: dict[str, Proportion] = Field(default={})
    #: By currency and moment: what somebody with another currency than the business's is given, in minor units of
    #: theirs.
    amounts: dict[CurrencyCode, dict[str, Minor]] = Field(default={})
