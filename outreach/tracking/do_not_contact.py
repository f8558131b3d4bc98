"""The do-not-contact list: takes contacts typed by hand, and finds whose a contact is. It keeps hashes, and no contact.

An admin can lift what staff wrote themselves, and a bounce. A complaint or an opt-out never is.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, and_, or_
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_admin, require_approver
from outreach.channels import CHANNELS
from outreach.contacts import contact_hash, load_key, normalise_address, normalise_email, normalise_phone
from outreach.database import reading, writing
from outreach.errors import ApprovalError, NotFound, NotWaiting
from outreach.locks import take_turns
from outreach.models import DESK, Customer, Event, Message, Suppression
from outreach.planning.contact_cards import contacts_of
from outreach.settings import Settings
from outreach.tracking.events import ASKED, BY_HAND, HELD, lift, suppress
from outreach.tracking.pulling_back import PullReport, pull_back
from outreach.tracking.replies import read_reply

A_PAGE = 50
AT_ONCE = 1000
BOUNCED = "bounced"
LIFTED = frozenset({ASKED, BY_HAND, BOUNCED})
# In fixed words, because the audit keeps them and must never hold anybody's name or contact.
REASONS_TO_LIFT = (
    "entered by mistake", "they asked to hear from us again", "it belongs to somebody else now", "the address works",
)  # fmt: skip
REASONS_TO_DECIDE = ("their words were read: they want no more", "their words were read: they did not mean stop")


@dataclass(frozen=True)
class Closed:
    """One contact that is not used. `customers` are those on file that we wrote to there."""

    contact_hash: str
    channel: str
    source: str
    since: datetime
    customers: tuple[str, ...] = ()

    @property
    def may_be_lifted(self) -> bool:
        return self.source in LIFTED


def list_closed(session: Session, page: int = 1, source: str | None = None) -> tuple[list[Closed], bool]:
    """One page of the list, the latest first, and whether there is another; only those of `source` when it is given."""
    rows = select(Suppression).order_by(col(Suppression.at).desc(), Suppression.contact_hash, Suppression.channel)
    if source:
        rows = rows.where(Suppression.source == source)
    closed = session.exec(rows.offset((page - 1) * A_PAGE).limit(A_PAGE + 1)).all()
    return _with_owners(session, closed[:A_PAGE]), len(closed) > A_PAGE


def _with_owners(session: Session, rows: Sequence[Suppression]) -> list[Closed]:
    written_to = (
        select(Message.contact_hash, Message.channel, Message.recipient_id)
        .where(col(Message.contact_hash).in_([row.contact_hash for row in rows]))
        .distinct()
    )
    owners: dict[tuple[str | None, str], list[str]] = {}
    for hashed, channel, recipient_id in session.exec(written_to):
        owners.setdefault((hashed, channel), []).append(recipient_id)
    return [
        Closed(
            row.contact_hash, row.channel, row.source, row.at,
            tuple(sorted(owners.get((row.contact_hash, row.channel), []))),
        )
        for row in rows
    ]  # fmt: skip


def find_closed(engine: Engine, settings: Settings, typed: str, postal_code: str = "") -> list[Closed]:
    """What the list says of a contact: an e-mail address, a number (for calls and texts), or a postal address.

    Raises ApprovalError for what is none of these.
    """
    hashes = {hashed for _, hashed in _hashes(engine, settings, typed, postal_code)}
    with reading(engine) as session:
        rows = session.exec(select(Suppression).where(col(Suppression.contact_hash).in_(hashes))).all()
        return _with_owners(session, rows)


def _hashes(engine: Engine, settings: Settings, typed: str, postal_code: str) -> list[tuple[str, str]]:
    """The (channel, hash) of each channel that this contact is used by."""
    key, country = load_key(engine, settings), settings.business.country
    contacts: dict[str, str | None] = {}
    if postal_code.strip():
        lines = [line for line in typed.replace(";", "\n").splitlines() if line.strip()]
        contacts["letter"] = normalise_address(lines, postal_code, country) if lines else None
    elif "@" in typed:
        contacts["email"] = normalise_email(typed)
    else:
        # A number serves both, and is hashed for each channel by itself.
        contacts["call"] = contacts["text"] = normalise_phone(typed, country)
    hashes = [(channel, contact_hash(key, channel, contact)) for channel, contact in contacts.items() if contact]
    if not hashes:
        raise ApprovalError(
            "That is no e-mail address, telephone number or postal address. For an address, write street, town and "
            "region on lines of their own, and the postal code in its own field"
        )
    return hashes


def close_contact(
    engine: Engine, settings: Settings, typed: str, postal_code: str, by: str, now: datetime
) -> PullReport:
    """Puts a contact on the list by hand, and pulls back what is open to it.

    Raises ApprovalError for what is no contact, and NotAllowed.
    """
    hashes = _hashes(engine, settings, typed, postal_code)
    with writing(engine) as session:
        take_turns(session, "approval")
        require_approver(session, by)
        for channel, hashed in hashes:
            suppress(session, hashed, channel, BY_HAND, now)
        report = pull_back(session, settings, col(Message.contact_hash).in_([hashed for _, hashed in hashes]), now)
        for channel, hashed in hashes:
            record_act(session, by, "put on the do-not-contact list", hashed, channel, now)
        return report


def lift_contact(session: Session, contact_hash: str, channel: str, by: str, reason: str, now: datetime) -> None:
    """Takes a contact off the list that staff or a bounce put on it; what that covered stands again.

    Raises NotFound, NotAllowed for all but admins, and NotWaiting for what nobody lifts.
    """
    require_admin(session, by, "take a contact off the do-not-contact list")
    _require_one_of(reason, REASONS_TO_LIFT)
    closed = _require_closed(session, contact_hash, channel)
    if closed.source not in LIFTED or (closed.source == BOUNCED and _have_asked(session, contact_hash, channel)):
        raise NotWaiting(f"That contact is “{closed.source}”, and nobody lifts that: only their own word could")
    lift(session, closed)
    record_act(session, by, "taken off the do-not-contact list", contact_hash, f"{channel}: {reason}", now)


def _have_asked(session: Session, contact_hash: str, channel: str) -> bool:
    """Whether the last word of whoever has this contact was to stop, as events tell it.

    An earlier version of the program let a bounce stand in the place of what they had asked. What staff heard on the
    telephone (“wrong number”) stands as a bounce, and is their word too.
    """
    theirs = select(Event.kind, Event.words).join(Message, col(Message.reference) == Event.reference)
    of_it = theirs.where(Message.contact_hash == contact_hash, Message.channel == channel)
    of_people = col(Event.kind).in_(("unsubscribed", "complained", "replied"))
    on_the_telephone = and_(col(Event.kind) == BOUNCED, col(Event.provider) == DESK)
    events = of_it.where(or_(of_people, on_the_telephone)).order_by(col(Event.received_at))
    meanings = [read_reply(words or "") if kind == "replied" else "stop" for kind, words in session.exec(events)]
    commands = [meaning for meaning in meanings if meaning in {"start", "stop"}]
    return commands[-1:] == ["stop"]


def lift_typed(
    engine: Engine, settings: Settings, typed: str, postal_code: str, by: str, reason: str, now: datetime
) -> list[str]:
    """Lifts a contact as it is typed, by every channel that it is closed for and may be lifted; names these channels.

    Raises what `lift_contact` does, NotFound where it is not on the list, and ApprovalError for what is no contact.
    """
    closed = find_closed(engine, settings, typed, postal_code)
    if not closed:
        raise NotFound("That contact is not on the do-not-contact list")
    # Of a number that is closed for calls and texts, the one that may be lifted is.
    wanted = [one for one in closed if one.may_be_lifted] or closed
    with writing(engine) as session:
        for one in wanted:
            lift_contact(session, one.contact_hash, one.channel, by, reason, now)
    return [one.channel for one in wanted]


def decide_held(session: Session, contact_hash: str, channel: str, keep: bool, by: str, now: datetime) -> None:
    """Ends the waiting of a contact whose reply a person had to read: closed for good when `keep`, else open again.

    Raises NotFound, NotAllowed, and NotWaiting when it does not wait.
    """
    require_approver(session, by)
    closed = _require_closed(session, contact_hash, channel)
    if HELD not in {closed.source, closed.beneath}:
        raise NotWaiting(f"That contact does not wait for anybody: it is “{closed.source}”")
    if closed.source == HELD and not keep:
        lift(session, closed)
    elif closed.beneath == HELD:
        closed.beneath = None
    if keep:
        suppress(session, contact_hash, channel, "unsubscribed", now)
    reason = REASONS_TO_DECIDE[0] if keep else REASONS_TO_DECIDE[1]
    record_act(session, by, "held contact closed" if keep else "held contact opened", contact_hash, reason, now)


def _require_closed(session: Session, contact_hash: str, channel: str) -> Suppression:
    closed = session.get(Suppression, (contact_hash, channel), with_for_update=True)
    if closed is None:
        raise NotFound("That contact is not on the list any more")
    return closed


def _require_one_of(reason: str, reasons: Collection[str]) -> None:
    if reason not in reasons:
        raise ApprovalError(f"Choose why: {'; '.join(reasons)}")


def find_owners(engine: Engine, settings: Settings, hashed: str, channel: str) -> list[str]:
    """The customers on file who have this contact, whether we ever wrote to it or not.

    It hashes the contacts of all customers, some at a time: for one contact, when somebody asks.
    """
    key, owners, last = load_key(engine, settings), [], ""
    # No transaction is open while the contacts of a chunk are hashed.
    chunk = select(Customer).order_by(Customer.customer_id).limit(AT_ONCE)
    while True:
        with reading(engine) as session:
            customers = session.exec(chunk.where(Customer.customer_id > last)).all()
        for customer in customers:
            contact = contacts_of(customer, None, settings).get(channel)
            if contact and contact_hash(key, channel, contact) == hashed:
                owners.append(customer.customer_id)
        if len(customers) < AT_ONCE:
            return owners
        last = customers[-1].customer_id


def closed_channels(engine: Engine, settings: Settings, customer: Customer) -> dict[str, str]:
    """Why each of the customer's channels is closed, by channel; those that are open are not in it."""
    with reading(engine) as session:
        # With an empty list nothing need be hashed.
        if session.exec(select(Suppression).limit(1)).first() is None:
            return {}
    key = load_key(engine, settings)
    contacts = contacts_of(customer, None, settings)
    hashes = {contact_hash(key, channel, contact): channel for channel, contact in contacts.items()}
    with reading(engine) as session:
        rows = session.exec(select(Suppression).where(col(Suppression.contact_hash).in_(hashes))).all()
    closed = {row.channel: row.source for row in rows if hashes[row.contact_hash] == row.channel}
    return {channel: closed[channel] for channel in CHANNELS if channel in closed}
