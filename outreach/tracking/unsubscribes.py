"""Unsubscribes whoever uses the link of an e-mail: that address is never used again. No login, no question."""

from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, select

from outreach.approval.audit import record_act
from outreach.composing.unsubscribe_links import read_unsubscribe_token
from outreach.contacts import load_key
from outreach.database import writing
from outreach.delivery.outbox import record_incident
from outreach.models import Event, Incident, Message
from outreach.settings import Settings
from outreach.tracking.events import LINK, record_event


def unsubscribe(engine: Engine, settings: Settings, token: str, now: datetime) -> bool:
    """Suppresses the contact that the token's message went to; False for a token that we did not make.

    A second use changes nothing and is True as well. A token of ours whose message is not on file, as after a restored
    backup, is False too, and becomes an incident: a person must find out who asked.
    """
    reference = read_unsubscribe_token(load_key(engine, settings), token)
    if reference is None:
        return False
    with writing(engine) as session:
        if session.get(Message, reference, with_for_update=True) is None:
            _tell_of_a_message_that_is_gone(session, reference, now)
            return False
        # Asked before the event is kept: afterwards every press would look like a second one.
        is_first = session.get(Event, (LINK, reference)) is None
        record_event(session, LINK, reference, "unsubscribed", now, now, reference)
        if is_first:
            record_act(session, "the recipient", "unsubscribed", reference, "", now)
    return True


def _tell_of_a_message_that_is_gone(session: Session, reference: str, now: datetime) -> None:
    what = f"somebody pressed the unsubscribe link of {reference}, which is not on file: find out whose it was"
    # One case for a person, however often the link is pressed.
    if session.exec(select(Incident).where(Incident.what == what)).first() is None:
        record_incident(session, LINK, None, what, now)
