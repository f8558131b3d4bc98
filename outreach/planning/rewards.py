"""What a moment gives a customer, in proportion to what they bring; what that is expected to cost; what it makes of it.

Amounts are in minor units of the customer's currency, and only somebody who pays in the business's has a worth.
"""

from typing import Literal

from outreach.moments import knobs_for
from outreach.planning.worth import NOTHING, Worth
from outreach.settings import Settings


def reward_of(settings: Settings, kind: str, worth: Worth = NOTHING) -> int:
    """What the moment gives: its knob `reward`, or more where `[rewards]` lets it grow; 0 where it gives nothing."""
    least = int(getattr(knobs_for(settings, kind), "reward", 0))
    grows = settings.rewards.moments.get(kind)
    if grows is None or least == 0:
        return least
    share = (worth.year * grows.year_percent + worth.lifetime * grows.lifetime_percent) / 100
    rounded = int(share // grows.step) * grows.step
    return max(least, min(rounded, grows.most))


def expected_cost(settings: Settings, amount: int) -> int:
    """What a reward is expected to cost us: not everybody takes it up."""
    return -(-amount * settings.rewards.redeemed_percent // 100)


def grows_with_worth(settings: Settings, kind: str) -> bool:
    """Whether what somebody brings must be known before the moment's reward is."""
    return kind in settings.rewards.moments


def purpose_of(purpose: Literal["service", "marketing"], reward: int) -> Literal["service", "marketing"]:
    """Any promotion inside makes a message marketing, whatever its moment is for."""
    return "marketing" if reward else purpose
