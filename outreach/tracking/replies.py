"""Reads what somebody wrote back: an opt-out and an opt-in are acted on, and anything else becomes a case for a person.

Only a whole message is a command. Whatever else may mean “stop”, or cannot be read here, stops us too, until a person
has read it.
"""

import re
import unicodedata
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.contacts import contact_hash, normalise_email, normalise_phone
from outreach.database import insert_new
from outreach.delivery.outbox import record_incident
from outreach.delivery.providers import Report
from outreach.models import Event, Message, Suppression
from outreach.settings import Business, Settings
from outreach.settings.providers import CARRIERS
from outreach.tracking.events import HELD, lift, suppress
from outreach.tracking.stop_words import STOP, can_be_read, fold

Meaning = Literal["stop", "start", "help", "person"]

COMMANDS: dict[str, Meaning] = {
    **dict.fromkeys(STOP, "stop"),
    **dict.fromkeys(("start", "unstop"), "start"),
    **dict.fromkeys(("help", "info"), "help"),
}
_QUESTION = frozenset("?？؟՞;⸮፧")
RECIPIENT = "the recipient"
_MESSAGES = (
    r"(text|texts|texting|message|messages|messaging|sms|contact|contacting|write|writing|send|sending|call|calling)"
)
# Wordings in plain small letters, without accents and apostrophes. Rather one too many: a person reads each of them.
_LIKE_STOP = re.compile(
    "|".join(
        (
            # Not “stop by on Friday”, not “the pain wont stop”, not the bus stop.
            r"(?<!wont )(?<!doesnt )(?<!didnt )(?<!cant )(?<!not )(?<!bus )\bstop(?![a-z])(?! (by|in|over|off|at)\b)",
            r"\b(stpo|sotp|st0p|stopp|stahp|unsub\w*|cease|desist|(had|thats) enough|spam\w*|harass\w*|basta|genug)\b",
            r"\b(opt|opting|opted|sign|take|count) (me )?(out|off)\b|\bopt-out\b|\bremove (me|my|this)\b",
            rf"\b(dont|do not|never|quit|no more|not want|no longer want)( \w+)?( \w+)? {_MESSAGES}\b",
            r"\b(never again|not interested|leave me alone|go away|delete (me|my)|lose (my|this) number)\b",
            rf"\b(cancel|end) (all |these |the |my |your )*(subscription|{_MESSAGES})\b",
            r"\b(arrete\w*|desabonne\w*|desinscri\w*|plus de (messages?|sms|textos?)|ne (me |m)?\w+ plus)\b",
            r"\b(alto|pare|paren|baja|no mas|no (me )?(envi|mand|escrib|contact|llam)\w*|dejen? de)\b",
            r"\b(abmelden|abbestellen|aufhoren|keine (sms|nachrichten|werbung)|nicht mehr (schreib|kontakt)\w*)\b",
            r"\bwrong (number|person)\b|\bnumero (equivocado|errado|sbagliato|errone)\b|\bnot (my|his|her) number\b",
            r"\b(nao (me )?(envi|mand|contact)\w*|pare de|non (mi )?(scriv|mand|contatt|invi)\w*|smett\w+ di)\b",
            r"\b(niet meer (sturen|schrijven|bellen)|geen (sms|berichten)|uitschrijven|afmelden|falsche nummer)\b",
            r"\b(nie (pisz|wysylaj|dzwon)\w*|wypisz|berhenti|jangan (kirim|hubungi|sms)|(dung|khong) (gui|nhan))\b",
            r"\b(mesaj (atma|gonderme)\w*|iptal|istemiyorum|huwag|tigil\w*)\b",
        )
    )
)
_SIGNS_OF_STOP = frozenset("🛑🚫⛔")


def read_reply(words: str) -> Meaning:
    """The command that the whole message is, whatever its case, accents and punctuation; else "person".

    “Stop!” stops; “restart the washing machine” and “please don't write any more” are for a person to read.
    """
    # A question is not a command: “Cancel?” asks about an appointment as likely as not.
    if not _QUESTION.isdisjoint(words):
        return "person"
    return COMMANDS.get(fold(words), "person")


def sounds_like_stop(words: str) -> bool:
    """Whether words that are no command may mean that we should stop (docs/rules.md, 9)."""
    plain = re.sub(r"['’‘`]", "", _plain(words).casefold())
    return bool(_LIKE_STOP.search(" ".join(plain.split()))) or not _SIGNS_OF_STOP.isdisjoint(plain)


def _plain(words: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", words) if not unicodedata.combining(letter))


def answer_help(business: Business) -> str:
    """What HELP is answered: who we are, how to reach us, and how to stop."""
    ways = [f"call {business.phone}" if business.phone else "", f"write to {business.email}" if business.email else ""]
    reach = " or ".join(way for way in ways if way) or "reply, and a person will read it"
    return f"{business.name or 'Outreach'}: {reach}. Reply STOP to get no more texts."


def record_reply(
    session: Session, settings: Settings, key: bytes, provider: str, reply: Report, received_at: datetime
) -> Meaning | None:
    """Keeps a reply and does what it asks; returns what it means, or None when it was known already.

    `key` is the installation's secret key: the contact itself is kept in nothing but the raw request.
    """
    channel, contact = _normalise(reply.contact or "", settings)
    # Nobody answers a vendor on what it does not carry: such a reply concerns no contact, and a person reads it.
    contact = contact if provider in CARRIERS[channel] else None
    hashed = contact_hash(key, channel, contact) if contact else None
    reference = _last_message_to(session, hashed, channel) if hashed else None
    row = {"provider": provider, "event_id": reply.event_id, "reference": reference, "kind": "replied", "at": reply.at}
    words = reply.words or ""
    if not insert_new(session, Event, [row | {"received_at": received_at, "raw": reply.raw, "words": words}]):
        return None
    meaning = read_reply(words)
    if hashed and meaning == "stop":
        _opt_out(session, hashed, channel, "unsubscribed", reference, received_at)
    elif hashed and meaning == "start":
        _opt_in(session, hashed, channel, reference, received_at)
    elif meaning != "help":
        _leave_to_a_person(session, provider, words, hashed, channel, reference, received_at)
    return meaning


def _normalise(contact: str, settings: Settings) -> tuple[str, str | None]:
    if "@" in contact:
        return "email", normalise_email(contact)
    return "text", normalise_phone(contact, settings.texts.region)


def _last_message_to(session: Session, hashed: str, channel: str) -> str | None:
    sent = select(Message.reference).where(Message.contact_hash == hashed, Message.channel == channel)
    latest = sent.where(col(Message.accepted_at).is_not(None)).order_by(col(Message.accepted_at).desc())
    return session.exec(latest.order_by(Message.reference)).first()


def _opt_out(
    session: Session, hashed: str, channel: str, source: str, reference: str | None, received_at: datetime
) -> None:
    # The hash stands for somebody we hold no message of: the audit never holds the contact.
    if suppress(session, hashed, channel, source, received_at):
        record_act(session, RECIPIENT, source, reference or hashed, f"replied by {channel}", received_at)


def _opt_in(session: Session, hashed: str, channel: str, reference: str | None, received_at: datetime) -> None:
    """Takes back only what they asked for themselves: not a bounce, a complaint, or what staff wrote down."""
    closed = session.get(Suppression, (hashed, channel), with_for_update=True)
    if closed is not None and closed.source == "unsubscribed":
        closed.beneath = None if closed.beneath == HELD else closed.beneath
        lift(session, closed)
        record_act(session, RECIPIENT, "subscribed again", reference or hashed, f"replied by {channel}", received_at)


def _leave_to_a_person(
    session: Session,
    provider: str,
    words: str,
    hashed: str | None,
    channel: str,
    reference: str | None,
    received_at: datetime,
) -> None:
    what = "a reply waits for a person"
    if hashed and not can_be_read(words):
        what = f"{what}; it cannot be read here, so nothing is sent to them by {channel} meanwhile"
        _opt_out(session, hashed, channel, HELD, reference, received_at)
    elif hashed and sounds_like_stop(words):
        what = f"{what}; it may mean “stop”, so nothing is sent to them by {channel} meanwhile"
        _opt_out(session, hashed, channel, HELD, reference, received_at)
    record_incident(session, provider, reference, what, received_at)
