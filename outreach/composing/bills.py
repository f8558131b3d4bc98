"""The bills of a late payment as its words name them: each with its amount and day, and of many only the oldest.

What is late, and how much of it, is worked out in planning. Nothing is added here, and only what no page has room for
is left out: its number and its sum are told.
"""

from collections.abc import Sequence

from outreach.money import Amount, Bill, Rest
from outreach.planning.receivables import OpenInvoice, total_by_currency

# A letter has one page, and more than these nobody reads.
MOST_NAMED = 4


def name_bills(late: Sequence[OpenInvoice]) -> tuple[Bill, ...]:
    """The first of the bills, which are given the oldest first."""
    return tuple(Bill(Amount(b.balance, b.currency), b.late_since, b.currency) for b in late[:MOST_NAMED])


def sum_rest(late: Sequence[OpenInvoice]) -> tuple[Rest, ...]:
    """What is not named, summed up in each of its currencies; empty where all are named."""
    rest = late[MOST_NAMED:]
    return tuple(
        Rest(sum(bill.currency == currency for bill in rest), Amount(total, currency), currency)
        for currency, total in total_by_currency(rest).items()
    )
