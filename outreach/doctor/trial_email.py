"""Sends one e-mail to ourselves, marked as a test, by the provider that carries e-mails. Never a customer's data.

It is written as every e-mail is, and handed over once; nothing tries again. In rehearsal it goes to the outbox.
"""

import hashlib
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_admin
from outreach.channels import EMAIL
from outreach.clock import business_date
from outreach.composing.emails import write_email
from outreach.composing.templating.templates import Words
from outreach.contacts import contact_hash, load_key, normalise_email
from outreach.database import reading, writing
from outreach.delivery.control.pauses import list_pauses
from outreach.delivery.providers import Handover, open_vendor, require_secrets
from outreach.delivery.providers.outbox import open_provider as open_outbox
from outreach.delivery.staff_mail.notices import TEST
from outreach.doctor.specimens import as_live, email_handover, sample_facts
from outreach.errors import SettingsError
from outreach.models import Suppression
from outreach.settings import Settings

_SUBJECT = "Test by Outreach: please ignore"
_WHAT = (
    "This is a test of {{ business }}: somebody ran “outreach doctor --send-to”. It concerns no customer, and its "
    "unsubscribe link does nothing."
)
_LOOK = "If you read this, e-mails leave and arrive. Its headers tell of SPF, DKIM and DMARC: each should say “pass”."
_SOURCES = {"txt": f"{_SUBJECT}\n{_WHAT}\n\n{_LOOK}\n", "html": f"<p>{_WHAT}</p>\n<p>{_LOOK}</p>\n"}


def send_test_email(engine: Engine, settings: Settings, address: str, by: str, now: datetime) -> str:
    """Where it went, in words. `by` is an admin's staff record, and the audit keeps who did it.

    Raises SettingsError in rehearsal, once it lies in the outbox, and where it must not leave; NotSent, Refused or
    OutcomeUnknown as the provider says.
    """
    with reading(engine) as session:
        require_admin(session, by, "send a test e-mail")
    handover = _compose(engine, settings, address, now)
    if settings.mode == "rehearsal":
        shown = open_outbox(settings).send(handover)
        raise SettingsError(f"Nothing left: the mode is rehearsal. What would have left is in the outbox, as {shown}")
    with reading(engine) as session:
        _require_open(session, settings, address, load_key(engine, settings))
    require_secrets(settings)
    carrier = settings.provider_for(EMAIL.name)
    with writing(engine) as session:
        # Before it leaves: what was begun is on record, whatever becomes of it.
        record_act(session, by, "test e-mail sent", handover.reference, carrier, now)
    theirs = open_vendor(carrier, settings).send(handover)
    return f"{carrier} took the test ({theirs}). Look for it at {address}, and among the spam there"


def _compose(engine: Engine, settings: Settings, address: str, now: datetime) -> Handover:
    if normalise_email(address) is None:
        raise SettingsError(f"“{address}” is no e-mail address")
    today = business_date(now, settings.business.timezone)
    # By its beginning the program knows it again where the vendor reports on it: else that would be an incident, about
    # a reference that is not ours (tracking/events.py).
    reference = TEST + hashlib.sha256(f"{address}\0{now.isoformat()}".encode()).hexdigest()[:16]
    live, key, to = as_live(settings), load_key(engine, settings), ("Outreach test", address)
    words = Words("welcome", EMAIL.name, settings.business.language, _SOURCES, "")
    content = write_email(sample_facts(live, words, today), words, to, live.business, reference, key)
    return email_handover(settings, content, to, reference, now)


def _require_open(session: Session, settings: Settings, address: str, key: bytes) -> None:
    """Raises SettingsError while e-mails are paused, and for an address that must not be written to."""
    carrier = settings.provider_for(EMAIL.name)
    paused = {(pause.scope, pause.name) for pause in list_pauses(session)}
    if paused & {("everything", ""), ("provider", carrier)}:
        raise SettingsError(f"Nothing left: {carrier} is paused. outreach resume lets it go on")
    hashed = contact_hash(key, EMAIL.name, normalise_email(address) or "")
    closed = select(Suppression).where(col(Suppression.contact_hash) == hashed)
    if session.exec(closed.limit(1)).first() is not None:
        raise SettingsError("Nothing left: this address is on the do-not-contact list; take another of yours")
