"""Finds pairs of customers who may be one person, with the reasons in words and whatever makes it doubtful.

Nobody is merged here: a person says yes, or that they are two. Customers are compared only within small blocks that
share an exact key, so that twice the customers take twice the time.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Engine, MetaData, String, Table, and_, delete, func, insert
from sqlmodel import Session, col, select

from outreach.contacts import fold_words, normalise_address, normalise_email, normalise_phone
from outreach.database import insert_new, reading, writing
from outreach.locks import take_turns
from outreach.models import Customer, Double, Flag
from outreach.settings import Settings
from outreach.text_folding import plain_letters

# A key that more share than these is somebody's default (none@example.org, the office's number) and tells nothing.
MOST_IN_BLOCK = 12
AT_ONCE = 5_000
# A son is not born before his father is half grown: of one name and fewer years apart, it may be a slip.
FEWEST_YEARS_TO_A_CHILD = 12
REASONS = {
    "email": "the same name and e-mail address",
    "phone": "the same name and telephone number",
    "birth": "the same name and birth date",
    "address": "the same name and address",
}
KEYS = Table(
    "person_keys",
    MetaData(),
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("customer_id", String, primary_key=True),
    prefixes=["TEMPORARY"],
)
_GENERATIONS = frozenset({"jr", "junior", "sr", "senior", "ii", "iii", "iv"})


@dataclass(frozen=True)
class Proposal:
    """Two who may be one. No words repeat a customer's value."""

    first_id: str
    second_id: str
    reasons: tuple[str, ...]
    #: Empty where nothing speaks against it.
    doubt: str = ""


@dataclass(frozen=True)
class DuplicatesReport:
    """What a search for duplicates found."""

    #: Proposals that wait for staff, and how many of them are new since the last time.
    open: int
    new: int
    #: Proposals that staff have answered before.
    decided: int
    #: Keys that too many customers share to tell anything, counted by what they are.
    defaults: Counter[str] = field(default_factory=Counter)


def find_duplicates(engine: Engine, settings: Settings, now: datetime) -> DuplicatesReport:
    """Looks through all customers and keeps the proposals; what staff have answered is never asked again."""
    with reading(engine) as session:
        # The long look only reads, so that nobody who writes has to wait for it.
        defaults, proposals = propose(session, settings)
    with writing(engine) as session:
        take_turns(session, "import")
        return _keep(session, proposals, defaults, now)


def propose(session: Session, settings: Settings) -> tuple[Counter[str], list[Proposal]]:
    """The keys that are somebody's default, counted by kind, and every proposal, in the order of ids."""
    KEYS.create(session.connection())
    for page in _pages(session):
        rows = [row for customer in page for row in _keys_of(customer, settings)]
        if rows:
            session.connection().execute(insert(KEYS), rows)
    defaults = _count_defaults(session)
    pairs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for kind, first, second in session.connection().execute(_select_pairs()):
        pairs[first, second].append(kind)
    # A temporary table lives as long as its connection, which goes back to the pool.
    KEYS.drop(session.connection())
    return defaults, list(_judge_all(session, pairs))


def _pages(session: Session) -> Iterator[list[Customer]]:
    last = ""
    while page := session.exec(
        select(Customer).where(Customer.customer_id > last).order_by(Customer.customer_id).limit(AT_ONCE)
    ).all():
        last = page[-1].customer_id
        yield list(page)
        # Else the session would keep every customer in memory.
        session.expunge_all()


def name_key(customer: Customer) -> str:
    """The whole name without accents, case and marks; empty where they have none. "Jr" stays a part of it."""
    parts = (customer.given_name or customer.preferred_name, customer.family_name)
    return fold_words(plain_letters(" ".join(part for part in parts if part)) or "")


def _keys_of(customer: Customer, settings: Settings) -> Iterator[dict[str, str]]:
    name, region = name_key(customer), customer.country or settings.business.country
    if not name:
        return
    values = {
        "email": normalise_email(customer.email) if customer.email else None,
        "phone": normalise_phone(customer.phone, region, settings.business.country) if customer.phone else None,
        "birth": customer.born_on.isoformat() if customer.born_on else None,
        "address": _address(customer, region),
    }
    for kind, value in values.items():
        if value:
            key = hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()[:24]
            yield {"kind": kind, "key": key, "customer_id": customer.customer_id}


def _address(customer: Customer, country: str) -> str | None:
    if not (customer.address_line1 and customer.postal_code):
        return None
    lines = [line for line in (customer.address_line1, customer.address_line2) if line]
    return normalise_address(lines, customer.postal_code, country)


def _blocks(*what: Any) -> Any:
    return select(*what).group_by(KEYS.c.kind, KEYS.c.key)


def _count_defaults(session: Session) -> Counter[str]:
    too_large = _blocks(KEYS.c.kind).having(func.count() > MOST_IN_BLOCK)
    return Counter(session.connection().execute(too_large).scalars())


def _select_pairs() -> Any:
    size = func.count()
    blocks = _blocks(KEYS.c.kind, KEYS.c.key).having(size > 1, size <= MOST_IN_BLOCK).subquery("blocks")
    one, other = KEYS.alias("one"), KEYS.alias("other")
    return (
        select(one.c.kind, one.c.customer_id, other.c.customer_id)
        .select_from(blocks)
        .join(one, and_(one.c.kind == blocks.c.kind, one.c.key == blocks.c.key))
        .join(
            other,
            and_(
                other.c.kind == blocks.c.kind,
                other.c.key == blocks.c.key,
                other.c.customer_id > one.c.customer_id,
            ),
        )
    )


def _judge_all(session: Session, pairs: dict[tuple[str, str], list[str]]) -> Iterator[Proposal]:
    ordered = sorted(pairs)
    # Half as many pairs: each has two ids.
    for start in range(0, len(ordered), AT_ONCE // 2):
        chunk = ordered[start : start + AT_ONCE // 2]
        ids = {id_ for pair in chunk for id_ in pair}
        people = {one.customer_id: one for one in session.exec(select(Customer).where(_is_one_of(ids)))}
        flags: dict[str, set[str]] = defaultdict(set)
        for customer_id, kind in session.exec(
            select(Flag.customer_id, Flag.kind).where(col(Flag.customer_id).in_(ids), col(Flag.until_on).is_(None))
        ):
            flags[customer_id].add(kind)
        for first, second in chunk:
            kinds = sorted(pairs[first, second], key=list(REASONS).index)
            doubt = find_doubt(people[first], people[second], kinds, flags[first] | flags[second])
            if doubt is not None:
                yield Proposal(first, second, tuple(REASONS[kind] for kind in kinds), doubt)
        session.expunge_all()


def _is_one_of(ids: Collection[str]) -> Any:
    return col(Customer.customer_id).in_(ids)


def find_doubt(one: Customer, other: Customer, kinds: Collection[str], flags: Collection[str]) -> str | None:
    """What speaks against their being one person, in words; empty for nothing; None where they surely are two.

    `kinds` are the keys they share, and `flags` those that stand on either.
    """
    if other.guardian_id == one.customer_id or one.guardian_id == other.customer_id:
        return None
    if _is_parent_and_child(one, other):
        return None
    doubts = {
        "their birth dates differ": _differ(one.born_on, other.born_on),
        "a birth date is missing, so they may be parent and child of one name (Jr and Sr)": (
            not (one.born_on and other.born_on)
        ),
        "no e-mail address, telephone number or address agrees": kinds == ["birth"] and _share_nothing(one, other),
        "one of them is in a guardian's care": bool(one.guardian_id) != bool(other.guardian_id),
        "one of them has died": bool(one.died_on) != bool(other.died_on),
        # True of both or of neither: every key has the whole name in it.
        "only one name, or an initial, is on file": _looks_short(one),
        "one of them is going through a separation": "separated" in flags,
        "one of them asked to be reached in confidence": "confidential" in flags,
    }
    return "; ".join(words for words, holds in doubts.items() if holds)


def _differ(one: date | None, other: date | None) -> bool:
    return bool(one and other and one != other)


def _is_parent_and_child(one: Customer, other: Customer) -> bool:
    """Whether their birth dates lie so far apart that two of one name are Sr and Jr, and no slip of the keyboard."""
    if not (one.born_on and other.born_on):
        return False
    return abs(one.born_on.year - other.born_on.year) >= FEWEST_YEARS_TO_A_CHILD


def _share_nothing(one: Customer, other: Customer) -> bool:
    """Whether both have contacts on file, and none of them agrees (those that do were keys)."""
    return any(getattr(one, name) and getattr(other, name) for name in ("email", "phone", "address_line1"))


def _looks_short(customer: Customer) -> bool:
    words = [word for word in name_key(customer).split() if word not in _GENERATIONS]
    return len(words) < 2 or len(words[0]) == 1


def _keep(session: Session, proposals: list[Proposal], defaults: Counter[str], now: datetime) -> DuplicatesReport:
    statuses = {(row[0], row[1]): row[2] for row in session.execute(_select_statuses())}
    alive = _alive(session, {id_ for one in proposals for id_ in (one.first_id, one.second_id)})
    proposals = [one for one in proposals if {one.first_id, one.second_id} <= alive]
    standing = [one for one in proposals if statuses.get((one.first_id, one.second_id), "open") == "open"]
    # Those that wait are written anew, so that none stands that the data do not bear out any more.
    session.connection().execute(delete(Double).where(col(Double.status) == "open"))
    rows = [
        {
            "first_id": one.first_id,
            "second_id": one.second_id,
            "reasons": "; ".join(one.reasons),
            "doubt": one.doubt or None,
            "status": "open",
            "found_at": now,
        }
        for one in standing
    ]
    insert_new(session, Double, rows)
    new = sum((one.first_id, one.second_id) not in statuses for one in standing)
    return DuplicatesReport(len(standing), new, len(proposals) - len(standing), defaults)


def _select_statuses() -> Any:
    return select(Double.first_id, Double.second_id, Double.status)


def _alive(session: Session, ids: Collection[str]) -> set[str]:
    """Those of `ids` who are customers still: one may have been merged while we looked."""
    listed, alive = sorted(ids), set[str]()
    for start in range(0, len(listed), AT_ONCE):
        alive |= set(session.exec(select(Customer.customer_id).where(_is_one_of(listed[start : start + AT_ONCE]))))
    return alive


def list_doubles(session: Session, page: int, size: int) -> tuple[list[Double], bool]:
    """One page of the proposals that wait for an answer, the surest first, and whether there is another."""
    waiting = select(Double).where(Double.status == "open")
    surest = waiting.order_by(col(Double.doubt).is_not(None), Double.first_id, Double.second_id)
    doubles = session.exec(surest.offset((page - 1) * size).limit(size + 1)).all()
    return list(doubles[:size]), len(doubles) > size
