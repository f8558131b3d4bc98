"""The token of an unsubscribe link in; the address it was sent to is never used again. No login, no question."""

from datetime import datetime

from sqlalchemy import Engine

from outreach.approval.audit import record_act
from outreach.composing.unsubscribing import read_unsubscribe_token
from outreach.database import writing
from outreach.intake.contacts import load_key
from outreach.models import Event, Message
from outreach.settings import Settings
from outreach.tracking.events import record_event

LINK = "unsubscribe link"


def unsubscribe(engine: Engine, settings: Settings, token: str, now: datetime) -> bool:
    """Suppresses the contact that the token's message went to; False for a token that we did not make.

    A second use changes nothing and is True as well.
    """
    reference = read_unsubscribe_token(load_key(engine, settings), token)
    if reference is None:
        return False
    with writing(engine) as session:
        if session.get(Message, reference, with_for_update=True) is None:
            return False
        is_first = session.get(Event, (LINK, reference)) is None
        record_event(session, LINK, reference, "unsubscribed", now, now, reference)
        if is_first:
            record_act(session, "the recipient", "unsubscribed", reference, "", now)
    return True
