"""Records what staff have learned of a person with one tap, and pulls back everything that is open for them.

A slip of the finger is taken back by the next tap; what was withdrawn meanwhile stays withdrawn.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, delete, union
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_approver
from outreach.channels import CHANNELS
from outreach.clock import business_date
from outreach.contacts import contact_hash, load_key
from outreach.database import insert_new, writing
from outreach.delivery.providers import Provider
from outreach.errors import ApprovalError, NotFound, NotWaiting
from outreach.locks import take_turns
from outreach.models import DESK, PURPOSES, Consent, Customer, Decision, Flag, Message, Moment, Suppression
from outreach.planning.contact_cards import contacts_of
from outreach.planning.flags import FLAG_RULES
from outreach.settings import Settings
from outreach.tracking.events import ASKED, lift, suppress
from outreach.tracking.pulling_back import PullReport, cancel_pulled, pull_back

# The moments a flag holds, and its reason, stand in planning/flags.py.
FLAGS = ("bereaved", "moved", "separated", "hardship", "wrong_person")
NEWS = ("died", *FLAGS, "stop")
# The basis of the consents that a stop withdraws.
SAID = "said to staff"
REASONS = {
    "died": "they have died",
    "stop": "they asked us to stop",
    **{kind: FLAG_RULES[kind].reason for kind in FLAGS},
}


def record_news(
    engine: Engine,
    settings: Settings,
    customer_id: str,
    what: str,
    by: str,
    now: datetime,
    providers: Mapping[str, Provider] | None = None,
) -> PullReport:
    """What was pulled back because the member of staff `by` learned `what` (one of NEWS) of a customer.

    Whatever goes to them and is about them is pulled back; what goes to them about others, or to others about them, as
    far as planning's rules hold it from now on. Raises NotFound and NotAllowed.
    """
    key = load_key(engine, settings)
    with writing(engine) as session:
        take_turns(session, "approval")
        require_approver(session, by)
        customer = _require_customer(session, customer_id)
        _require_known(what)
        on = business_date(now, settings.business.timezone)
        hashes: set[str] = set()
        if what == "died":
            # An earlier day that the data knew stands. One that is yet to come, a slip in the data, would hold nothing
            # before.
            customer.died_on = min(customer.died_on or on, on)
        elif what == "stop":
            hashes = _stop_everything(session, settings, key, customer, now)
        else:
            _raise_flag(session, customer_id, what, on)
        session.flush()
        concerned = _concerned(customer, what, hashes)
        report = pull_back(session, settings, concerned, now, (customer_id, REASONS[what]))
        record_act(session, by, f"{what} recorded", customer_id, f"{report.withdrawn} withdrawn", now)
    return cancel_pulled(engine, settings, report, now, providers)


def take_back_news(engine: Engine, settings: Settings, customer_id: str, what: str, by: str, now: datetime) -> None:
    """Undoes what `record_news` wrote down, as if it had never been said; what was pulled back stays so.

    A stop can be taken back on the day it was recorded; later only an admin lifts it from the do-not-contact list.
    Raises NotFound, NotAllowed, and NotWaiting when there is nothing to take back.
    """
    key = load_key(engine, settings)
    with writing(engine) as session:
        take_turns(session, "approval")
        require_approver(session, by)
        customer = _require_customer(session, customer_id)
        _require_known(what)
        on = business_date(now, settings.business.timezone)
        if what == "died":
            is_done, customer.died_on = customer.died_on is not None, None
        elif what == "stop":
            is_done = _go_on(session, settings, key, customer, on)
        else:
            is_done = _lower_flag(session, customer_id, what, on)
        if not is_done:
            raise NotWaiting(f"Nobody recorded {what.replace('_', ' ')} here, or it has been taken back already")
        record_act(session, by, f"{what} taken back", customer_id, "", now)


def news_of(session: Session, settings: Settings, customer: Customer, on: date) -> dict[str, date]:
    """What is on record of the customer and could be taken back at the desk: since when, by its name in NEWS."""
    since = {flag.kind: flag.from_on for flag in _flags_of_the_desk(session, customer.customer_id)}
    if customer.died_on and customer.died_on <= on:
        since["died"] = customer.died_on
    stopped_at = _stopped_at(session, customer.customer_id)
    if stopped_at:
        since["stop"] = business_date(stopped_at, settings.business.timezone)
    return {what: since[what] for what in NEWS if what in since}


def _require_known(what: str) -> None:
    if what not in NEWS:
        raise ApprovalError(f"“{what}” is nothing that can be recorded; choose one of {', '.join(NEWS)}")


def _require_customer(session: Session, customer_id: str) -> Customer:
    customer = session.get(Customer, customer_id, with_for_update=True)
    if customer is None:
        raise NotFound(f"There is no customer “{customer_id}”. Ids are those of customers.csv")
    return customer


def _concerned(customer: Customer, what: str, hashes: set[str]) -> ColumnElement[bool]:
    """The condition, on messages, that they may have to do with this news."""
    shared = (
        select(Decision.reference)
        .join(Moment, col(Moment.moment_id) == Decision.moment_id)
        .where(Moment.customer_id == customer.customer_id)
    )
    ways: list[Any] = [shared, *_about({customer.customer_id})]
    if what == "died" and customer.household:
        household = select(Customer.customer_id).where(Customer.lives_in([customer.household]))
        ways += _about(household)
    if hashes:
        ways.append(select(Message.reference).where(col(Message.contact_hash).in_(hashes)))
    return col(Message.reference).in_(union(*ways))


def _about(ids: Any) -> list[Any]:
    return [
        select(Message.reference).where(column.in_(ids))
        for column in (col(Message.recipient_id), col(Message.customer_id))
    ]


def _raise_flag(session: Session, customer_id: str, kind: str, on: date) -> None:
    row = {"customer_id": customer_id, "kind": kind, "from_on": on, "source": DESK}
    if not insert_new(session, Flag, [row]):
        # One that was raised and lowered on this very day.
        flag = session.get_one(Flag, (customer_id, kind, on))
        flag.until_on, flag.source = None, DESK


def _flags_of_the_desk(session: Session, customer_id: str) -> list[Flag]:
    standing = select(Flag).where(
        Flag.customer_id == customer_id, Flag.source == DESK, col(Flag.until_on).is_(None), col(Flag.kind).in_(FLAGS)
    )
    return list(session.exec(standing.order_by(col(Flag.from_on))))


def _lower_flag(session: Session, customer_id: str, kind: str, on: date) -> bool:
    flags = [flag for flag in _flags_of_the_desk(session, customer_id) if flag.kind == kind]
    for flag in flags:
        # A flag holds on its last day as well, and this one must not hold today.
        flag.until_on = on - timedelta(days=1)
    return bool(flags)


def _stop_everything(session: Session, settings: Settings, key: bytes, customer: Customer, now: datetime) -> set[str]:
    """Suppresses every contact of theirs, also those we wrote to before, and writes their word down; the hashes."""
    # All with the instant of this tap: by it `_go_on` knows later what this tap alone has closed.
    rows = [
        {"customer_id": customer.customer_id, "channel": channel, "purpose": purpose, "at": now, "state": "withdrawn"}
        | {"source": DESK, "basis": SAID}
        for channel in CHANNELS
        for purpose in PURPOSES
    ]
    insert_new(session, Consent, rows)
    contacts = contacts_everywhere(session, settings, key, customer)
    for channel, hashed in sorted(contacts):
        suppress(session, hashed, channel, ASKED, now)
    return {hashed for _, hashed in contacts}


def contacts_everywhere(session: Session, settings: Settings, key: bytes, customer: Customer) -> set[tuple[str, str]]:
    """Every (channel, hash) by which this customer is reached, was reached, or asked to be reached in confidence."""
    flags = session.exec(
        select(Flag).where(Flag.customer_id == customer.customer_id, Flag.kind == "confidential")
    ).all()
    contacts = {
        (channel, contact_hash(key, channel, contact))
        for flag in (None, *flags)
        for channel, contact in contacts_of(customer, flag, settings).items()
    }
    used = select(Message.channel, Message.contact_hash).where(Message.recipient_id == customer.customer_id)
    return contacts | {(channel, hashed) for channel, hashed in session.exec(used.distinct()) if hashed}


def _stopped_at(session: Session, customer_id: str) -> datetime | None:
    theirs = select(Consent.at).where(Consent.customer_id == customer_id, Consent.source == DESK, Consent.basis == SAID)
    return session.exec(theirs.order_by(col(Consent.at).desc())).first()


def _go_on(session: Session, settings: Settings, key: bytes, customer: Customer, on: date) -> bool:
    """Takes back the last stop: its consents were never said, and what only this tap closed is open again."""
    stopped_at = _stopped_at(session, customer.customer_id)
    if stopped_at is None:
        return False
    if business_date(stopped_at, settings.business.timezone) != on:
        raise NotWaiting(
            "That stop was not recorded today, so it is no slip of the finger; an admin lifts it, contact by contact, "
            "from the do-not-contact list"
        )
    consents = delete(Consent).where(
        col(Consent.customer_id) == customer.customer_id, col(Consent.basis) == SAID, col(Consent.at) == stopped_at
    )
    session.connection().execute(consents)
    for channel, hashed in sorted(contacts_everywhere(session, settings, key, customer)):
        closed = session.get(Suppression, (hashed, channel), with_for_update=True)
        # What something else has closed, before or since, stays closed.
        if closed and (closed.source, closed.at) == (ASKED, stopped_at):
            lift(session, closed)
    return True
