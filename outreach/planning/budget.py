"""Holds what would pass the month's budget, its moment's, or a share of what its customer brings.

Planning asks before it writes: a message is counted at the most it may cost until it is composed, and then at its cost.
"""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from sqlalchemy import case, func
from sqlmodel import Session, col, select

from outreach.channels import CALL, CHANNELS, EMAIL, LETTER, TEXT
from outreach.models import TOUCHING, Message
from outreach.planning.verdicts import Hold
from outreach.settings import Settings

Spent = Counter[str]


def find_spent(session: Session, settings: Settings, on: date) -> Spent:
    """What the messages of the month of `on` cost, by moment, in minor units; those that never reach anybody do not."""
    first = on.replace(day=1)
    of_month = col(Message.run_on) >= first, col(Message.run_on) < first_of_next_month(on)
    counted = select(Message.kind, func.sum(counted_cost(settings))).where(*of_month, col(Message.status).in_(TOUCHING))
    return Counter({kind: int(total) for kind, total in session.exec(counted.group_by(Message.kind))})


def counted_cost(settings: Settings) -> Any:
    """What a message counts for, in minor units, as part of a select: until it is composed the most it may cost."""
    # Planning reserves the most: with a smaller sum, messages that are composed later could pass the budget unseen.
    most = case({channel: most_cost(settings, channel) for channel in CHANNELS}, value=col(Message.channel))
    return case((col(Message.status) == "planned", most + col(Message.reward_cost)), else_=col(Message.cost))


def most_cost(settings: Settings, channel: str) -> int:
    """The most that one message by the channel may cost, in minor units."""
    postage, paper = settings.postage, settings.paper
    pages = paper.most_pages + (paper.voucher == "page")
    most: dict[str, int] = {
        # Whether a letter is printed as a card is not known before it is composed.
        LETTER.name: max(postage.letter + (pages - 1) * postage.letter_page, postage.card),
        EMAIL.name: postage.email,
        TEXT.name: settings.texts.max_segments * postage.text_segment,
        CALL.name: postage.call,
    }
    return most[channel]


def hold_for_budget(settings: Settings, spent: Spent, kind: str, cost: int, on: date) -> Hold | None:
    """A Hold until the first of next month where `cost` more would pass the month's budget, its moment's or all's.

    What costs nothing is never held.
    """
    if cost <= 0:
        return None
    words = kind.replace("_", " ")
    limits = (
        (settings.budget.moments.get(kind), spent[kind], words),
        (settings.budget.month, spent.total(), "outreach"),
    )
    for budget, used, what in limits:
        if budget is not None and used + cost > budget:
            return Hold("budget", f"this month's budget for {what} is used up", first_of_next_month(on))
    return None


def hold_for_worth(settings: Settings, worth: int, cost: int, on: date) -> Hold | None:
    """A Hold where a message costs more of what its customer is worth in twelve months than the setting allows.

    `worth` and `cost` are in minor units of one currency.
    """
    percent = settings.budget.worth_percent
    if percent is None or cost <= 0 or cost * 100 <= worth * percent:
        return None
    return Hold(
        "worth", f"it would cost more than {percent:g} % of their twelve months with us", on + timedelta(days=1)
    )


def first_of_next_month(on: date) -> date:
    # The 31st day after the first of any month lies in the next month.
    return (on.replace(day=1) + timedelta(days=31)).replace(day=1)
