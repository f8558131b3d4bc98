"""Acts on what providers and staff report, in any order and any number of times, always with the same result.

Each event is stored as it came before anything is made of it. A status only ever moves to a stronger word, and only by
what the vendor that carried the message says, the person it went to, or staff.
"""

from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from outreach.database import insert_new
from outreach.delivery import outbox
from outreach.delivery.control import pauses
from outreach.delivery.providers.protocol import CLOSING, stand_in
from outreach.delivery.recovery.recovery import doubt
from outreach.delivery.staff_mail.notices import is_notice
from outreach.delivery.status_reasons import MAY_HAVE_LEFT
from outreach.models import DESK, Attempt, Batch, Event, Installation, Message, Suppression
from outreach.settings.providers import CARRIERS

Seen = Literal["applied", "known", "not ours", "unknown reference"]

# The status an event speaks for, and the words that go with it unless the provider has its own.
STATUS_OF = {
    "cancelled": ("cancelled", "its provider cancelled it"),
    "delivered": ("delivered", None),
    "failed": ("failed", "its provider could not deliver it"),
    "bounced": ("failed", "its address does not exist or refuses us"),
    "returned": ("returned", "it came back"),
}
# Who speaks without having carried anything: the recipient by their link, and staff.
LINK = "unsubscribe link"
OUR_OWN = frozenset({DESK, LINK})
HELD = "held for a person"
# A contact has one suppression. The strongest source stands, with the next beneath it: what the person said themselves
# is above what became of a message, so that lifting a bounce never lifts what they asked for.
SOURCES = (HELD, "returned", "bounced", "unsubscribed", "complained")
# What staff wrote themselves stands above all of these: what a customer asked them, and what they put on the list by
# hand.
ASKED, BY_HAND = "asked", "desk"


def record_event(
    session: Session,
    provider: str,
    event_id: str,
    kind: str,
    at: datetime,
    received_at: datetime,
    reference: str | None,
    provider_id: str | None = None,
    raw: bytes = b"",
    key: str | None = None,
    reason: str | None = None,
) -> Seen:
    """Keeps one event and does what follows from it.

    The message is found by its reference, else by the key of an attempt, else by `provider_id`, which is the provider's
    id for it: with one of the others, that also proves that the message was taken. "bounced" is for good; a bounce that
    may pass is no event. An event without a message of ours is kept too, and the answer says so; one that names nothing
    but a `provider_id` waits until that is known. A vendor that never had the message changes nothing of it.
    """
    message = _find_message(session, provider, reference, key, provider_id)
    named = message.reference if message else reference or _reference_in(key)
    event = Event(
        provider=provider, event_id=event_id, reference=named, provider_id=provider_id, kind=kind, reason=reason,
        at=at, received_at=received_at, raw=raw,
    )  # fmt: skip
    is_new = bool(insert_new(session, Event, [event.model_dump()]))
    if message is None:
        if is_new and named and not is_notice(named):
            what = "a provider reports on a reference that is not ours"
            outbox.record_incident(session, provider, None, what, received_at)
        return "unknown reference"
    if provider not in _speakers(session, message):
        if is_new:
            what = "a provider reports on a message that it was never given; nothing was made of it"
            outbox.record_incident(session, provider, message.reference, what, received_at)
        return "not ours"
    if is_new:
        # A repetition closes nothing again that a person, or the customer's own START, has opened since.
        _suppress_for(session, message, event)
    if provider_id and not _take_as_ours(session, message, event, key):
        if is_new:
            _stop_for_a_stranger(session, message, event)
        return "not ours"
    _take_waiting(session, message)
    apply_events(session, message)
    return "applied" if is_new else "known"


def _speakers(session: Session, message: Message) -> set[str]:
    """Who may say something of a message: those to whom it was handed over, and we ourselves.

    Where nobody is known to have it, as a restored backup may have forgotten, it is whoever carries its channel.
    """
    given = set(session.exec(select(Attempt.provider).where(Attempt.reference == message.reference).distinct()))
    if message.provider_id and message.provider:
        given.add(message.provider)
    return set(OUR_OWN) | (given or set(CARRIERS[message.channel]))


def _reference_in(key: str | None) -> str | None:
    """The reference of the message that an attempt's key belongs to: A.2 is the second attempt of A."""
    return key.rpartition(".")[0] or None if key else None


def _find_message(
    session: Session, provider: str, reference: str | None, key: str | None, provider_id: str | None
) -> Message | None:
    named = reference or _reference_in(key)
    if not named and provider_id:
        named = session.exec(_named_by_provider(provider, provider_id)).first()
    return session.get(Message, named, with_for_update=True) if named else None


def _named_by_provider(provider: str, provider_id: str) -> SelectOfScalar[str]:
    return select(Message.reference).where(Message.provider == provider, Message.provider_id == provider_id)


def _take_as_ours(session: Session, message: Message, event: Event, key: str | None) -> bool:
    """Whether the event's `provider_id` is an attempt of ours; if nobody knew that it was taken, it is known now."""
    theirs = event.provider_id or ""
    if (message.provider, message.provider_id) == (event.provider, theirs):
        return True
    if session.exec(_named_by_provider(event.provider, theirs)).first():
        return False
    attempt = _find_attempt(session, message, event.provider, key) or _find_forgotten(session, message, event)
    if attempt is None:
        return False
    if message.provider_id in {None, stand_in(attempt.key)}:
        outbox.record_acceptance(session, message.reference, attempt.number, theirs, event.received_at)
    elif attempt.outcome == "accepted":
        return False
    elif theirs not in (attempt.evidence or ""):
        # Another try of ours is there as well: the outbox makes an incident of it, once.
        outbox.record_acceptance(session, message.reference, attempt.number, theirs, event.received_at)
    return True


def _find_attempt(session: Session, message: Message, provider: str, key: str | None) -> Attempt | None:
    """The attempt that an event speaks of: the one it names, else the one whose answer is not known, else the last."""
    attempts = outbox.attempts_of(session, [message.reference])[message.reference]
    attempts = [attempt for attempt in attempts if attempt.provider == provider]
    if key:
        return next((attempt for attempt in attempts if attempt.key == key), None)
    if message.provider_id is not None:
        return next((one for one in attempts if message.provider_id == stand_in(one.key)), None)
    still_open = [attempt for attempt in attempts if attempt.outcome in (None, "unknown")]
    return next(reversed(still_open or attempts), None)


def _find_forgotten(session: Session, message: Message, event: Event) -> Attempt | None:
    """The attempt to put a report under whose own attempt a restored backup has forgotten; None where none was."""
    installation = session.get(Installation, 1)
    if installation is None or installation.restored_at is None:
        return None
    if message.provider_id is not None or message.provider != event.provider:
        return None
    attempts = outbox.attempts_of(session, [message.reference])[message.reference]
    # What has been handed over since is known, and so is what was looked up.
    if any(one.last_try_at >= installation.restored_at and one.evidence != MAY_HAVE_LEFT for one in attempts):
        return None
    return doubt(session, message, event.received_at, MAY_HAVE_LEFT)


def _stop_for_a_stranger(session: Session, message: Message, event: Event) -> None:
    """Our reference on something we did not hand over: nothing more of its batch leaves before a person has looked."""
    what = f"a provider has our reference on {event.provider_id}, which is no attempt of ours"
    outbox.record_incident(session, event.provider, message.reference, what, event.received_at)
    if message.batch_id and session.get(Batch, message.batch_id):
        pauses.pause(session, "batch", message.batch_id, event.received_at, by="an incident")


def _suppress_for(session: Session, message: Message, event: Event) -> None:
    if event.kind in CLOSING and message.contact_hash:
        suppress(session, message.contact_hash, message.channel, event.kind, event.at)


def suppress(session: Session, contact_hash: str, channel: str, source: str, at: datetime) -> bool:
    """Never uses the contact again by this channel; whether `source` stands now and did not before.

    Of several sources the strongest stands, and the next is kept beneath it.
    """
    contact = {"contact_hash": contact_hash, "channel": channel}
    if insert_new(session, Suppression, [contact | {"source": source, "at": at}]):
        return True
    closed = session.get_one(Suppression, (contact_hash, channel), with_for_update=True)
    if _strength(source) > _strength(closed.source):
        # Their own clear word answers what a person had to read.
        if not (closed.source == HELD and source in {"unsubscribed", "complained"}):
            closed.beneath = closed.source
        closed.source, closed.at = source, at
        return True
    if closed.source != source and _strength(source) > _strength(closed.beneath):
        closed.beneath = source
    return False


def lift(session: Session, closed: Suppression) -> None:
    """Takes back what stands of a contact; whatever it covered stands again."""
    if closed.beneath:
        closed.source, closed.beneath = closed.beneath, None
    else:
        session.delete(closed)
    session.flush()


def _strength(source: str | None) -> int:
    """Staff's own word is the strongest; of two of these the first stands. Nothing is the weakest."""
    return -1 if source is None else SOURCES.index(source) if source in SOURCES else len(SOURCES)


def _take_waiting(session: Session, message: Message) -> bool:
    """Links what was said of the message's `provider_id` before that was known to be ours; whether there was any."""
    named_so = (Event.provider == message.provider) & (Event.provider_id == message.provider_id)
    waiting = session.exec(select(Event).where(named_so, col(Event.reference).is_(None))).all()
    for event in waiting:
        event.reference = message.reference
        _suppress_for(session, message, event)
    session.flush()
    return bool(waiting)


def apply_waiting(session: Session) -> int:
    """Acts on events that came before their message was known as taken; returns how many messages they concern.

    Safe to run at any time, any number of times.
    """
    nameless = select(Message.reference).join(
        Event, (col(Event.provider) == Message.provider) & (col(Event.provider_id) == Message.provider_id)
    )
    early = select(Message.reference).join(Event, col(Event.reference) == Message.reference)
    references = {
        *session.exec(nameless.where(col(Event.reference).is_(None))),
        *session.exec(early.where(Message.status == "accepted", col(Event.kind).in_(STATUS_OF))),
    }
    # Always in the same order, so that two that lock several never wait for each other in a circle.
    messages = [session.get_one(Message, reference, with_for_update=True) for reference in sorted(references)]
    concerned = [_take_waiting(session, message) | apply_events(session, message) for message in messages]
    return sum(concerned)


def apply_events(session: Session, message: Message) -> bool:
    """Moves the message to the strongest word of all that is said of it, whichever came first; whether it moved.

    What is said of another `provider_id` is said of something else, and nobody speaks who never had it.
    """
    of_it = (Event.provider == message.provider) & (Event.provider_id == message.provider_id)
    events = session.exec(
        select(Event.kind, Event.reason)
        .where(Event.reference == message.reference, col(Event.provider_id).is_(None) | of_it)
        .where(col(Event.provider).in_(_speakers(session, message)))
        .order_by(col(Event.at), Event.event_id)
    ).all()
    moves = [(STATUS_OF[kind][0], reason or STATUS_OF[kind][1]) for kind, reason in events if kind in STATUS_OF]
    if not moves:
        return False
    status, words = max(moves, key=lambda move: outbox.AFTER_ACCEPTANCE.index(move[0]))
    return outbox.advance(session, message.reference, status, words)
