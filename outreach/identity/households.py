"""Finds who lives with whom, by their addresses and by what customers said, beside what the data says of it.

Detection never changes the data's own household, and stands below it; what a customer said stands above both for ever.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, delete, func, insert, text, update
from sqlmodel import Session, col, select

from outreach.clock import business_date
from outreach.contacts import normalise_address
from outreach.database import upsert, writing
from outreach.errors import NotFound
from outreach.identity.aliases import resolve_ids
from outreach.identity.neighbours import Moved, list_around, list_people, select_always
from outreach.locks import take_turns
from outreach.models import Customer, Flag, HouseholdWord
from outreach.settings import Settings

# More people than these at one address are a home, a hostel or an office, and no household.
MOST_PEOPLE = 8
# Whoever has one of these is never taken to live with anybody because of an address.
KEPT_APART = ("separated", "confidential", "moved", "wrong_person")
AT_ONCE = 5_000
ALONE = ""
_CELLS = ("customer_id", "household_id", "address_line1", "address_line2", "postal_code", "country")
_COLUMNS: tuple[Any, ...] = tuple(getattr(Customer, name) for name in _CELLS)
AT = Table(
    "at_addresses",
    MetaData(),
    Column("customer_id", String, primary_key=True),
    Column("address", String, nullable=False, index=True),
    Column("household_id", String),
    Column("is_apart", Integer, nullable=False),
    prefixes=["TEMPORARY"],
)
LIVING = Table(
    "living_together",
    MetaData(),
    Column("customer_id", String, primary_key=True),
    Column("household", String, nullable=False),
    prefixes=["TEMPORARY"],
)
LOOKED_AT = Table(
    "households_looked_at",
    MetaData(),
    Column("customer_id", String, primary_key=True),
    prefixes=["TEMPORARY"],
)


def detect_households(engine: Engine, settings: Settings, now: datetime, moved: Moved | None = None) -> int:
    """Finds who shares an address and writes `household_found` anew; returns how many rows changed.

    With `moved`, only of those who may live otherwise since these moved.
    """
    with writing(engine) as session:
        # In turn with imports, which write the same rows.
        take_turns(session, "import")
        for table in (AT, LIVING, LOOKED_AT):
            table.create(session.connection())
        people = _pages(session) if moved is None else _find_neighbours(session, settings, moved)
        _gather(session, settings, people, business_date(now, settings.business.timezone))
        _count_rows(session, AT)
        changed = _write_found(session, is_of_all=moved is None)
        apply_words(session)
        for table in (AT, LIVING, LOOKED_AT):
            table.drop(session.connection())
    return changed


def address_key(customer: Mapping[str, str | None], country: str) -> str | None:
    """A hash of where they live, with the flat; None where the street or the postal code is missing."""
    lines = [line for name in ("address_line1", "address_line2") if (line := customer[name])]
    if not (customer["address_line1"] and customer["postal_code"]):
        return None
    address = normalise_address(lines, customer["postal_code"], customer["country"] or country)
    return hashlib.sha256(address.encode()).hexdigest()[:24]


def _find_neighbours(session: Session, settings: Settings, moved: Moved) -> Iterator[list[dict[str, str | None]]]:
    """All who have an address that was left or taken; they, and whoever moved, are noted in `LOOKED_AT`."""
    country = settings.business.country
    ids = moved.ids | {id_ for id_ in session.execute(select_always(KEPT_APART)).scalars() if id_}
    people = {person["customer_id"]: person for person in list_people(session, ids, _COLUMNS)}
    places = [*moved.places, *people.values()]
    wanted = {address_key(place, country) for place in places}
    for person in list_around(session, places, _COLUMNS):
        if address_key(person, country) in wanted:
            people[person["customer_id"]] = person
    looked_at = [{"customer_id": id_} for id_ in people]
    if looked_at:
        session.connection().execute(insert(LOOKED_AT), looked_at)
    yield list(people.values())


def _gather(session: Session, settings: Settings, people: Iterator[list[dict[str, str | None]]], on: date) -> None:
    apart = select(Flag.customer_id).where(
        col(Flag.kind).in_(KEPT_APART), Flag.from_on <= on, col(Flag.until_on).is_(None) | (col(Flag.until_on) >= on)
    )
    kept_apart = set(session.exec(apart))
    for page in people:
        rows = [
            {
                "customer_id": row["customer_id"],
                "address": key,
                # Theirs says nothing of the others at the address.
                "household_id": None if row["customer_id"] in kept_apart else row["household_id"],
                "is_apart": int(row["customer_id"] in kept_apart),
            }
            for row in page
            if (key := address_key(row, settings.business.country))
        ]
        if rows:
            session.connection().execute(insert(AT), rows)


def _pages(session: Session) -> Iterator[list[dict[str, str | None]]]:
    last = ""
    while True:
        theirs = select(*_COLUMNS).where(Customer.customer_id > last).order_by(Customer.customer_id).limit(AT_ONCE)
        rows = [dict(row) for row in session.connection().execute(theirs).mappings()]
        if not rows:
            return
        last = rows[-1]["customer_id"]
        yield rows


def _count_rows(session: Session, table: Table) -> None:
    """Has PostgreSQL count a temporary table for its planner, which nobody else does."""
    # Without it 20,000 customers took 158 seconds: it compared each address with every other.
    if session.connection().dialect.name == "postgresql":
        session.connection().execute(text(f"ANALYZE {table.name}"))


def _write_found(session: Session, is_of_all: bool) -> int:
    """The household of each shared address: the data's where all who have one there have the same, else the address."""
    shared = (
        select(
            AT.c.address,
            func.coalesce(func.max(AT.c.household_id), "address:" + AT.c.address).label("household"),
        )
        .group_by(AT.c.address)
        .having(
            # Those kept apart are counted too: they make an office no smaller.
            func.count() <= MOST_PEOPLE,
            func.sum(1 - AT.c.is_apart) > 1,
            # Two households of the data live apart at one address: nobody is put into either.
            func.count(AT.c.household_id.distinct()) <= 1,
        )
        .subquery()
    )
    living = (
        select(AT.c.customer_id, shared.c.household)
        .join(shared, shared.c.address == AT.c.address)
        .where(AT.c.is_apart == 0, AT.c.household_id.is_(None))
    )
    session.connection().execute(insert(LIVING).from_select(["customer_id", "household"], living))
    # Kept in a table with a key of its own: a million customers are each looked up in it once.
    theirs = select(LIVING.c.household).where(LIVING.c.customer_id == col(Customer.customer_id)).scalar_subquery()
    change = update(Customer).where(col(Customer.household_found).is_distinct_from(theirs))
    if not is_of_all:
        change = change.where(col(Customer.customer_id).in_(select(LOOKED_AT.c.customer_id)))
    return session.connection().execute(change.values(household_found=theirs)).rowcount


def say_household(session: Session, customer_id: str, other_id: str | None, by: str, now: datetime) -> None:
    """Keeps that a customer lives together with another, or, without one, with none of those they are on file with.

    The latest word stands, above the data and what is detected. Raises NotFound for an id that is no customer's.
    """
    for id_ in (customer_id, other_id):
        if id_ is not None and session.get(Customer, id_) is None:
            raise NotFound(f"There is no customer “{id_}”. Ids are those of customers.csv")
    if customer_id == other_id:
        raise NotFound("Name another customer with whom they live")
    row = {"customer_id": customer_id, "other_id": other_id, "by": by, "at": now}
    upsert(session, HouseholdWord, [row])
    apply_words(session)


def take_back_household(session: Session, customer_id: str) -> bool:
    """Forgets what was said, so that the data and detection stand again; whether anything had been said."""
    word = delete(HouseholdWord).where(col(HouseholdWord.customer_id) == customer_id)
    is_done = session.connection().execute(word).rowcount > 0
    apply_words(session)
    return is_done


def apply_words(session: Session) -> None:
    """Writes `household_said` for everybody whom a word is about, and for nobody else."""
    session.flush()
    words = _words(session)
    data = _data_of(session, {id_ for pair in words.items() for id_ in pair if id_})
    settled = {id_: household for id_, household in _settle(words, data).items() if id_ in data}
    before = session.exec(select(Customer.customer_id).where(col(Customer.household_said).is_not(None))).all()
    for id_ in sorted({*before, *settled}):
        change = update(Customer).where(col(Customer.customer_id) == id_).values(household_said=settled.get(id_))
        session.connection().execute(change)
    session.expire_all()


def _words(session: Session) -> dict[str, str | None]:
    """With whom each says to live, by the numbers that are kept; under two numbers of one person the later word."""
    rows = session.exec(select(HouseholdWord).order_by(col(HouseholdWord.at), HouseholdWord.customer_id)).all()
    kept = resolve_ids(session, {id_ for row in rows for id_ in (row.customer_id, row.other_id) if id_})
    words = {}
    for row in rows:
        one, other = (kept.get(id_ or "", id_) for id_ in (row.customer_id, row.other_id))
        if one and one != other:
            words[one] = other
    return words


def _data_of(session: Session, ids: set[str]) -> dict[str, str | None]:
    """The household of each, were it not for what was said."""
    household = func.coalesce(Customer.household_id, Customer.household_found)
    listed = sorted(ids)
    households: dict[str, str | None] = {}
    for start in range(0, len(listed), AT_ONCE):
        chunk = select(Customer.customer_id, household).where(
            col(Customer.customer_id).in_(listed[start : start + AT_ONCE])
        )
        households |= {row[0]: row[1] for row in session.connection().execute(chunk)}
    return households


def _settle(words: Mapping[str, str | None], data: Mapping[str, str | None]) -> dict[str, str]:
    """The household of each who said something, and of those they join where these have none of their own."""
    members: dict[str, set[str]] = defaultdict(set)
    for id_ in words:
        members[_end_of(words, id_)].add(id_)
    settled: dict[str, str] = {}
    for end, joined in members.items():
        household = data.get(end) if end not in words else None
        alone = end in words and joined == {end}
        name = ALONE if alone else household or f"with:{end}"
        theirs = joined if household else joined | {end}
        settled |= dict.fromkeys(theirs, name)
    return settled


def _end_of(words: Mapping[str, str | None], id_: str) -> str:
    """Where following each one's word leads: somebody who said nothing, or nobody; of a circle, the first by id."""
    passed = [id_]
    while (following := words.get(passed[-1])) is not None:
        if following in passed:
            return min(passed[passed.index(following) :])
        passed.append(following)
    return passed[-1]
