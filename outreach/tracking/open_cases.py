"""Lists what only a person can close: messages that left without an answer, replies to read, and incidents.

Closing a message by hand stands in delivery/recovery/recovery.py, and deciding on a contact in do_not_contact.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_approver
from outreach.delivery.outbox import attempts_of
from outreach.errors import ApprovalError, NotFound, NotWaiting
from outreach.models import Attempt, Event, Incident, Message, Suppression
from outreach.tracking.events import HELD

A_PAGE = 50
OPEN = ("needs_person", "uncertain")


@dataclass(frozen=True)
class OpenMessage:
    """A message that left without an answer, and every try of it."""

    message: Message
    attempts: list[Attempt]


@dataclass(frozen=True)
class OpenIncident:
    """An incident that nobody has closed."""

    incident: Incident
    #: What somebody wrote back, where it is about a reply.
    words: str = ""
    #: The hash and the channel of their contact, where that is not used until somebody has read it.
    held: tuple[str, str] | None = None
    recipient_id: str | None = None


def count_open_cases(session: Session) -> int:
    """How many messages and incidents only a person, or a look-up, can close."""
    messages = select(func.count()).select_from(Message).where(col(Message.status).in_(OPEN))
    incidents = select(func.count()).select_from(Incident).where(col(Incident.closed_at).is_(None))
    return session.exec(messages).one() + session.exec(incidents).one()


def list_open_messages(session: Session, page: int = 1) -> tuple[list[OpenMessage], bool]:
    """One page of the messages that a look-up, or a person, has to settle, and whether there is another."""
    still_open = select(Message).where(col(Message.status).in_(OPEN))
    ordered = still_open.order_by(Message.status, Message.reference).offset((page - 1) * A_PAGE).limit(A_PAGE + 1)
    messages = session.exec(ordered).all()
    attempts = attempts_of(session, [message.reference for message in messages])
    return [OpenMessage(message, attempts[message.reference]) for message in messages[:A_PAGE]], len(messages) > A_PAGE


def list_open_incidents(session: Session, page: int = 1) -> tuple[list[OpenIncident], bool]:
    """One page of the incidents nobody has closed, the oldest first, and whether there is another."""
    still_open = select(Incident).where(col(Incident.closed_at).is_(None)).order_by(col(Incident.incident_id))
    incidents = session.exec(still_open.offset((page - 1) * A_PAGE).limit(A_PAGE + 1)).all()
    return [_read_incident(session, incident) for incident in incidents[:A_PAGE]], len(incidents) > A_PAGE


def _read_incident(session: Session, incident: Incident) -> OpenIncident:
    message = session.get(Message, incident.reference) if incident.reference else None
    if message is None or not message.contact_hash:
        return OpenIncident(incident, _words_of(session, incident))
    closed = session.get(Suppression, (message.contact_hash, message.channel))
    held = (closed.contact_hash, closed.channel) if closed and HELD in {closed.source, closed.beneath} else None
    return OpenIncident(incident, _words_of(session, incident), held, message.recipient_id)


def _words_of(session: Session, incident: Incident) -> str:
    """The words of the reply that an incident was made for: both came in the same request."""
    replies: Sequence[str | None] = session.exec(
        select(Event.words).where(
            Event.provider == incident.provider,
            Event.kind == "replied",
            Event.received_at == incident.at,
            col(Event.reference).is_not_distinct_from(incident.reference),
        )
    ).all()
    return "\n".join(words for words in replies if words)


def close_incident(session: Session, incident_id: int, note: str, by: str, now: datetime) -> Incident:
    """The incident, closed, with what the member of staff `by` found. Raises NotFound, NotAllowed and NotWaiting."""
    require_approver(session, by)
    incident = session.get(Incident, incident_id, with_for_update=True)
    if incident is None:
        raise NotFound(f"There is no incident {incident_id}")
    if incident.closed_at:
        raise NotWaiting("Somebody has closed that already")
    if not note.strip():
        raise ApprovalError("Say in a few words what you found, or what you did")
    # The note may name somebody, so it is kept out of the audit, which holds ids and hashes only.
    incident.closed_at, incident.note = now, note.strip()
    record_act(session, by, "incident closed", f"incident {incident_id}", "", now)
    return incident
