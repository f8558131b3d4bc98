"""Says how much may be given: the ceilings of `[rewards]` on the gifts of one message, of one batch and of one month.

Planning, composing and approval all ask here. A gift counts in full, as if everybody took it up.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.models import TOUCHING, Message
from outreach.money import write_money
from outreach.planning.budget import first_of_next_month
from outreach.settings import Settings

# What has been approved: from here on it is given, unless it never arrives.
GIVEN = tuple(status for status in TOUCHING if status not in {"planned", "composed", "held"})


@dataclass(frozen=True)
class GiftTotals:
    """What gifts come to, in minor units of the business's currency: in one message, in its batch, in its month."""

    message: int = 0
    batch: int = 0
    month: int = 0


def why_too_much(settings: Settings, given: GiftTotals) -> str:
    """Which ceiling `given` is above, and what to do about it; empty where it is above none."""
    rewards, currency = settings.rewards, settings.business.currency
    counted = (
        ("a message", "most_per_message", given.message, rewards.most_per_message, "lower the moment's reward"),
        ("a batch", "most_per_batch", given.batch, rewards.most_per_batch, "reject some of it"),
        (
            "this month",
            "most_per_month",
            given.month,
            rewards.most_per_month,
            "wait for the next",
        ),
    )
    for what, name, value, most, mend in counted:
        if most is not None and value > most:
            return (
                f"the gifts of {what} would come to {write_money(value, currency)}, over rewards.{name} "
                f"({write_money(most, currency)}): {mend}, or have the ceiling raised in outreach.toml"
            )
    return ""


def find_given(session: Session, on: date, statuses: tuple[str, ...] = TOUCHING) -> int:
    """What the gifts of the month of `on` come to, of messages in one of `statuses`."""
    of_month = col(Message.run_on) >= on.replace(day=1), col(Message.run_on) < first_of_next_month(on)
    total = select(func.coalesce(func.sum(col(Message.reward_value)), 0))
    return int(session.exec(total.where(*of_month, col(Message.status).in_(statuses))).one())
