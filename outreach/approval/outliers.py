"""Finds which messages of a batch a person should look at first, and why. Reads, and decides nothing."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, col, select

from outreach.intake.name_affixes import has_degree, is_company
from outreach.models import Batch, Content, Customer, Message
from outreach.planning.debt_collection import DEBTS
from outreach.planning.receivables import OpenInvoice, read_receivables, total_by_currency

# What nobody is called: digits, signs, notes in brackets, two names in one, a form's words, one Latin letter alone.
# “md” is not among them, as in Md Rahman: `has_degree` knows where it is a degree.
_ODD_NAME = re.compile(
    r"\d|[@/\\<>{}_=#*|()\[\];（）［］【】；؛]|\b(test|unknown|none|null|n/?a|customer|dear|asdf|xxx+)\b|^\W*[a-z]\W*$",
    re.IGNORECASE,
)
SEVERAL = "several in one household"
LONG, FAR = 1.25, 3
# A statement can name only so many values.
CHUNK = 500
Rows = Sequence[Row[Any]]


@dataclass(frozen=True)
class Look:
    """One message of a batch: whom it is for, and every reason to look at it before the others."""

    reference: str
    customer_id: str
    channel: str
    status: str
    name: str
    size: int
    content_sha256: str | None
    cost: int
    reasons: list[str] = field(default_factory=list)


def look_over(session: Session, batch_id: str) -> list[Look]:
    """The waiting messages of a batch, those with the most reasons to look first, then by reference.

    What is true of more than half of them is no reason: it makes nobody stand out.
    """
    rows = _messages_of(session, batch_id)
    why = {row.reference: _own_reasons(row) for row in rows}
    unusual = _unusual(session, rows, session.get_one(Batch, batch_id).currency) if rows else {}
    for shared in (_new_contacts(session, rows, batch_id), _long_ones(rows), unusual):
        for reference, reason in shared.items():
            why[reference].append(reason)
    for reference in _together(rows):
        why[reference].append(SEVERAL)
    common = {
        reason for reason, n in Counter(r for reasons in why.values() for r in reasons).items() if n > len(rows) / 2
    }
    # With one message alone, whatever is true of it would be true of more than half.
    looks = [_look(row, [r for r in why[row.reference] if r not in common or len(rows) == 1]) for row in rows]
    return sorted(looks, key=lambda look: (-len(look.reasons), look.reference))


def _messages_of(session: Session, batch_id: str) -> Rows:
    waiting = (
        select(  # type: ignore[call-overload, misc]
            Message.reference,
            Message.kind,
            Message.customer_id,
            Message.run_on,
            Message.channel,
            Message.status,
            Message.cost,
            Message.contact_hash,
            Message.content_sha256,
            Content.length,
            Customer.given_name,
            Customer.family_name,
            Customer.preferred_name,
            Customer.household_column().label("household"),
        )
        .join(Customer, col(Customer.customer_id) == Message.recipient_id)
        .join(Content, col(Content.sha256) == Message.content_sha256, isouter=True)
        .where(Message.batch_id == batch_id, col(Message.status).in_(("composed", "held")))
    )
    rows: Rows = session.execute(waiting.order_by(Message.reference)).all()
    return rows


def _own_reasons(row: Row[Any]) -> list[str]:
    reasons = ["on hold"] if row.status == "held" else []
    if any(odd_name(name) for name in (row.given_name, row.family_name, row.preferred_name)):
        reasons.append("a name that looks wrong")
    return reasons


def _new_contacts(session: Session, rows: Rows, batch_id: str) -> dict[str, str]:
    """Those whose contact nothing of ours has reached before."""
    listed, known = sorted({row.contact_hash for row in rows if row.contact_hash}), set()
    for start in range(0, len(listed), CHUNK):
        reached = select(Message.contact_hash).where(
            col(Message.contact_hash).in_(listed[start : start + CHUNK]),
            col(Message.status).in_(("accepted", "delivered")),
            col(Message.batch_id).is_distinct_from(batch_id),
        )
        known |= set(session.exec(reached))
    return {row.reference: "we have not written there before" for row in rows if row.contact_hash not in known}


def _long_ones(rows: Rows) -> dict[str, str]:
    usual = median(row.length or 0 for row in rows) if rows else 0
    return {row.reference: "longer than the others" for row in rows if (row.length or 0) > LONG * usual}


def _together(rows: Rows) -> list[str]:
    """Those that share a household or a contact with another of the same batch."""
    households = Counter(row.household for row in rows if row.household)
    contacts = Counter(row.contact_hash for row in rows if row.contact_hash)
    return [row.reference for row in rows if households[row.household] > 1 or contacts[row.contact_hash] > 1]


def _unusual(session: Session, rows: Rows, currency: str) -> dict[str, str]:
    """Those about an amount far from what the others in the same currency are about."""
    about = [row for row in rows if row.kind in DEBTS]
    amounts: dict[str, dict[str, int]] = {}
    for start in range(0, len(about), CHUNK):
        chunk = about[start : start + CHUNK]
        # Any of them tells the day: a batch is of one run date (open_batches.py).
        amounts |= _late(session, {row.customer_id for row in chunk}, chunk[0].run_on, currency)
    usual = _medians(amounts.values())
    return {
        row.reference: "an unusual amount"
        for row in about
        if any(total > FAR * usual[paid_in] for paid_in, total in amounts.get(row.customer_id, {}).items())
    }


def _late(session: Session, customers: set[str], on: date, currency: str) -> dict[str, dict[str, int]]:
    """What is late of each customer's bills on the day, in each currency, in minor units."""
    late: dict[str, list[OpenInvoice]] = defaultdict(list)
    for bill in read_receivables(session, on, customers, currency).open_invoices():
        if bill.invoice.customer_id in customers and bill.late_since < on:
            late[bill.invoice.customer_id].append(bill)
    return {customer: total_by_currency(bills) for customer, bills in late.items()}


def _medians(amounts: Iterable[dict[str, int]]) -> dict[str, float]:
    totals: dict[str, list[int]] = defaultdict(list)
    for by_currency in amounts:
        for currency, total in by_currency.items():
            totals[currency].append(total)
    return {currency: median(listed) for currency, listed in totals.items()}


def odd_name(name: str | None) -> bool:
    """Whether a name looks like a slip of data entry; an empty one is no name at all."""
    if not name:
        return False
    # Two capitals may be initials, with points or without.
    shouted = sum(map(str.isalpha, name)) > 2 and name.isupper()
    is_odd = _ODD_NAME.search(name) or has_degree(name) or is_company(name)
    return bool(is_odd) or shouted or name.islower()


def _look(row: Row[Any], reasons: list[str]) -> Look:
    name = " ".join(part for part in (row.preferred_name or row.given_name, row.family_name) if part)
    return Look(
        row.reference,
        row.customer_id,
        row.channel,
        row.status,
        name or row.customer_id,
        row.length or 0,
        row.content_sha256,
        row.cost,
        reasons,
    )
