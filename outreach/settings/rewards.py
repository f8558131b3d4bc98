"""What the business decides about the rewards that some moments carry: `[rewards]` in outreach.toml."""

from typing import Annotated

from pydantic import Field, StringConstraints

from outreach.settings.parts import Part

CurrencyCode = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
Minor = Annotated[int, Field(ge=0)]


class Proportion(Part):
    """How far a moment's reward grows with what its customer brings: a moment's knob `reward` is the least of it.

    Shares are in percent of what they paid, over twelve months and ever; `step` is what the sum is rounded to, `most`
    where it ends, both in minor units.
    """

    year_percent: float = Field(default=0, ge=0, le=100)
    lifetime_percent: float = Field(default=0, ge=0, le=100)
    step: int = Field(default=500, ge=1)
    most: int = Field(default=10_000, ge=0)


class RewardsSettings(Part):
    """`redeemed_percent` is how many of a hundred rewards are expected to be taken up: that much of each is its cost.

    A reward can be redeemed for `valid_days`. `moments` has the proportion of those that have one. `amounts` has, by
    currency and moment, what somebody with another currency than the business's is given, in minor units of theirs.

    `most_per_message`, `most_per_batch` and `most_per_month` are the most that gifts may come to if all are taken up,
    in minor units of the business's currency; none set means no ceiling.
    """

    redeemed_percent: int = Field(default=50, ge=0, le=100)
    most_per_message: int | None = Field(default=10_000, ge=0)
    most_per_batch: int | None = Field(default=None, ge=0)
    most_per_month: int | None = Field(default=None, ge=0)
    valid_days: int = Field(default=365, ge=1)
    moments: dict[str, Proportion] = Field(default={})
    amounts: dict[CurrencyCode, dict[str, Minor]] = Field(default={})
