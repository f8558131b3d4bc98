"""Works out what a moment gives a customer, what that is expected to cost, and that it makes the message marketing.

Amounts are in minor units. Nothing here converts a currency: whoever has another than the business's is given the
amount that the settings name in theirs, or nothing.
"""

from dataclasses import dataclass
from typing import Literal

from outreach.moments import knobs_for
from outreach.planning.worth import NOTHING, Worth
from outreach.settings import Settings


@dataclass(frozen=True)
class Gift:
    """What one customer is given: `amount` in `currency`, 0 for nothing, and what it is expected to cost us in ours."""

    amount: int
    currency: str
    cost: int


def gift_of(settings: Settings, kind: str, worth: Worth = NOTHING, currency: str | None = None) -> Gift:
    """What the moment gives whoever has `currency` (the business's, where they have none of their own).

    In another than the business's it is what `[rewards.amounts]` says, whatever their worth, and it counts as costing
    what the moment's knob says: the two amounts are meant to be the same gift.
    """
    own = settings.business.currency
    amount = reward_of(settings, kind, worth)
    if currency is None or currency == own:
        return Gift(amount, own, expected_cost(settings, amount))
    named = settings.rewards.amounts.get(currency, {}).get(kind, 0) if amount else 0
    return Gift(named, currency, expected_cost(settings, reward_of(settings, kind)) if named else 0)


def value_of_gift(settings: Settings, kind: str, amount: int, currency: str) -> int:
    """What a gift counts as in minor units of the business's currency: one in another counts as the knob says."""
    if not amount:
        return 0
    return amount if currency == settings.business.currency else reward_of(settings, kind)


def reward_of(settings: Settings, kind: str, worth: Worth = NOTHING) -> int:
    """What the moment gives in the business's currency: its knob `reward`, or more where `[rewards]` lets it grow."""
    least = int(getattr(knobs_for(settings, kind), "reward", 0))
    grows = settings.rewards.moments.get(kind)
    # A knob of 0 is a no to any gift, however much somebody brings.
    if grows is None or least == 0:
        return least
    share = (worth.year * grows.year_percent + worth.lifetime * grows.lifetime_percent) / 100
    rounded = int(share // grows.step) * grows.step
    return max(least, min(rounded, grows.most))


def expected_cost(settings: Settings, amount: int) -> int:
    """What a reward is expected to cost us: not everybody takes it up."""
    # Rounded up, so that no gift is counted for less than it is expected to cost.
    return -(-amount * settings.rewards.redeemed_percent // 100)


def grows_with_worth(settings: Settings, kind: str) -> bool:
    """Whether what somebody brings must be known before the moment's reward is."""
    return kind in settings.rewards.moments


def purpose_of(purpose: Literal["service", "marketing"], reward: int) -> Literal["service", "marketing"]:
    """Any promotion inside makes a message marketing, whatever its moment is for."""
    return "marketing" if reward else purpose
