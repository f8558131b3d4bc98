"""The messages of a batch in; which of them a person should look at first, and why, out. Reads, and decides nothing."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from sqlalchemy import Row, func
from sqlmodel import Session, col, select

from outreach.models import Content, Customer, Message

# What nobody is called: digits, signs, a form's words, a name typed in one case, one letter alone.
_ODD_NAME = re.compile(
    r"\d|[@/\\<>{}_=#*|]|\b(test|unknown|none|null|n/?a|customer|dear|asdf|xxx+)\b|^\W*\w\W*$", re.IGNORECASE
)
LONG = 1.25
MANY = 0.5
CHUNK = 500


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
    """The waiting messages of a batch, those with the most reasons to look first, then by reference."""
    rows = _messages_of(session, batch_id)
    known = _contacts_before(session, {row.contact_hash for row in rows if row.contact_hash}, batch_id)
    households = Counter(row.household_id for row in rows if row.household_id)
    contacts = Counter(row.contact_hash for row in rows if row.contact_hash)
    usual = median(row.length for row in rows) if rows else 0
    nameless = sum(not row.preferred_name for row in rows)
    looks = []
    for row in rows:
        reasons = _reasons(row, known, usual, few_nameless=nameless <= MANY * len(rows))
        if households[row.household_id] > 1 or contacts[row.contact_hash] > 1:
            reasons.append("several in one household")
        looks.append(_look(row, reasons))
    return sorted(looks, key=lambda look: (-len(look.reasons), look.reference))


def _messages_of(session: Session, batch_id: str) -> Sequence[Row[tuple[object, ...]]]:
    recipient = Customer
    waiting = (
        select(  # type: ignore[call-overload, misc]
            Message.reference,
            Message.customer_id,
            Message.channel,
            Message.status,
            Message.cost,
            Message.contact_hash,
            Message.content_sha256,
            func.length(Content.body).label("length"),
            recipient.given_name,
            recipient.family_name,
            recipient.preferred_name,
            recipient.household_id,
        )
        .join(recipient, col(recipient.customer_id) == Message.recipient_id)
        .join(Content, col(Content.sha256) == Message.content_sha256, isouter=True)
        .where(Message.batch_id == batch_id, col(Message.status).in_(("composed", "held")))
    )
    rows: Sequence[Row[tuple[object, ...]]] = session.execute(waiting.order_by(Message.reference)).all()
    return rows


def _contacts_before(session: Session, hashes: Iterable[str], batch_id: str) -> set[str]:
    """Those of `hashes` that something of ours reached before."""
    listed, known = sorted(hashes), set()
    for start in range(0, len(listed), CHUNK):
        reached = select(Message.contact_hash).where(
            col(Message.contact_hash).in_(listed[start : start + CHUNK]),
            col(Message.status).in_(("accepted", "delivered")),
            col(Message.batch_id).is_distinct_from(batch_id),
        )
        known |= set(session.exec(reached))
    return {contact for contact in known if contact}


def _reasons(row: Row[tuple[object, ...]], known: set[str], usual: float, few_nameless: bool) -> list[str]:
    reasons = []
    if row.status == "held":
        reasons.append("on hold")
    if odd_name(row.given_name) or odd_name(row.family_name):
        reasons.append("a name that looks wrong")
    if row.contact_hash not in known:
        reasons.append("we have not written to this address before")
    if (row.length or 0) > LONG * usual:
        reasons.append("longer than the others")
    if few_nameless and not row.preferred_name:
        reasons.append("no preferred name")
    return reasons


def odd_name(name: str | None) -> bool:
    """Whether a name looks like a slip of data entry; an empty one is no name at all."""
    if not name:
        return False
    shouted = len(name) > 2 and name.isupper()
    return bool(_ODD_NAME.search(name)) or shouted or name.islower()


def _look(row: Row[tuple[object, ...]], reasons: list[str]) -> Look:
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
