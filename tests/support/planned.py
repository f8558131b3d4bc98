"""Customers, and the planned messages about them, for the tests of composing; and the words of what came out."""

import email.policy
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pypdfium2
from pypdf import PdfReader
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, select

from conftest import NOW, TODAY
from outreach.composing.digests import message_digest
from outreach.composing.reports import ComposeReport
from outreach.composing.run import compose_planned
from outreach.database import reading, writing
from outreach.models import (
    Consent,
    Content,
    Customer,
    Decision,
    Feedback,
    Goodwill,
    Import,
    Invoice,
    Message,
    Moment,
    Treatment,
    Visit,
)
from outreach.moments import MOMENTS
from outreach.settings import Settings
from outreach.stable_ids import moment_id

CHANNELS = ("letter", "email", "text", "call")
# The day of each moment's occasion here; the others are of today.
OCCASIONS = dict.fromkeys(MOMENTS, TODAY) | {
    "checkin": date(2026, 3, 8), "enquiry": date(2026, 3, 9), "goodwill": date(2026, 3, 6),
    "late_payment": date(2026, 2, 20), "recovery": date(2026, 3, 9), "referral_ask": date(2026, 3, 1),
    "review_reply": date(2026, 2, 14), "survey": date(2026, 3, 9), "welcome": date(2026, 3, 9),
    "win_back": date(2025, 1, 15),
}  # fmt: skip
# What tells an occasion from others, where it is not its day.
KEYS = {
    "enquiry": "asked", "first_hundred": "60", "goodwill": "water main break 12 May", "recovery": "complained",
    "review_reply": "reviewed", "surprise": "2026-03", "thank_you": "2026",
}  # fmt: skip
# One for each channel, in the order of CHANNELS.
FOUR = ("anniversary", "checkin", "late_payment", "referral_ask")
_FOLDERS = {"letter": "letters", "email": "emails", "text": "texts", "call": "calls"}


def shipped(*channels: str) -> list[tuple[str, str]]:
    """(moment, channel) of every template that comes with us, by `channels` or by all."""
    folder = Path(__file__).parents[2] / "templates"
    every = [(kind, channel) for kind in MOMENTS for channel in channels or CHANNELS]
    return [(kind, channel) for kind, channel in every if [*folder.glob(f"{_FOLDERS[channel]}/{kind}.en.*")]]


MARIA: dict[str, Any] = {
    "given_name": "Maria", "family_name": "Lopez", "honorific": "Mrs.", "email": "maria@example.org",
    "phone": "+1 802 555 2671", "address_line1": "27 Orchard Terrace", "address_line2": "Apartment 4B",
    "city": "Winooski", "region": "VT", "postal_code": "05404", "country": "US", "customer_since": date(2023, 3, 10),
}  # fmt: skip
LONDON: dict[str, Any] = {
    "address_line1": "221 Baker Street", "address_line2": None, "city": "London", "region": None,
    "postal_code": "NW1 6XE", "country": "GB",
}  # fmt: skip


def add_customer(engine: Engine, customer_id: str = "c1", **values: Any) -> None:
    """Maria, or somebody who differs from her in `values`, with a treatment. She owes only where `plan` says so."""
    with writing(engine) as session:
        session.add(Customer(customer_id=customer_id, **{**MARIA, "customer_since": _since(customer_id), **values}))
        session.flush()
        agreed = {"customer_id": customer_id, "state": "granted", "at": datetime(2025, 1, 1, tzinfo=UTC),
                  "basis": "written", "source": "form", "text": "yes"}  # fmt: skip
        session.add_all(
            Consent(channel=channel, purpose=purpose, **agreed)
            for channel in ("email", "text")
            for purpose in ("service", "marketing")
        )
        session.add(
            Treatment(
                treatment_id=f"t-{customer_id}", customer_id=customer_id, name="Filling",
                done_at=datetime(2026, 3, 8, 15, tzinfo=UTC), done_on=date(2026, 3, 8),
                practitioner="Dr. Okafor", practitioner_phone="+1 802 555 0143",
            )
        )  # fmt: skip


def _since(customer_id: str) -> date:
    """Three years ago for c1, and a year earlier for each after: a day that many share is taken for a default."""
    number = customer_id.removeprefix("c")
    return date(2024 - int(number), 3, 10) if number.isdecimal() else MARIA["customer_since"]


def add_debt(engine: Engine, customer_id: str = "c1") -> None:
    """What a note about a late payment is about, for those that nobody has planned."""
    with writing(engine) as session:
        session.add_all(_owed(customer_id))


def plan(engine: Engine, kind: str, channel: str, *customers: str, to: str | None = None, **values: Any) -> str:
    """A planned message on the moments of `customers`, as planning leaves it; returns its reference."""
    reference = f"{kind[:4]}-{channel}-{customers[0]}".upper()
    with writing(engine) as session:
        moments = [_moment(session, kind, customer_id) for customer_id in customers]
        for moment in moments:
            decided = session.exec(select(Decision).where(Decision.moment_id == moment.moment_id)).all()
            session.add(
                Decision(
                    moment_id=moment.moment_id, sequence=len(decided) + 1, run_on=TODAY, outcome="send", rule="send",
                    reason=f"by {channel}", reference=reference,
                )
            )  # fmt: skip
        known = {"run_on": TODAY, "send_on": TODAY, "useful_until": TODAY + timedelta(9), **values}
        session.add(
            Message(
                reference=reference, moment_id=moments[0].moment_id, step=CHANNELS.index(channel) + 1, kind=kind,
                customer_id=customers[0], recipient_id=to or customers[0], channel=channel, purpose="service", **known,
            )
        )  # fmt: skip
    return reference


def _moment(session: Session, kind: str, customer_id: str) -> Moment:
    """The customer's one moment of that kind, and what gives it; messages by several channels are steps of it."""
    occasion = KEYS.get(kind, str(OCCASIONS[kind]))
    known = session.get(Moment, moment_id(kind, customer_id, occasion))
    if known is None:
        known = Moment(
            moment_id=moment_id(kind, customer_id, occasion), kind=kind, customer_id=customer_id, occasion=occasion,
            occasion_on=OCCASIONS[kind], found_on=TODAY, looked_on=TODAY,
        )  # fmt: skip
        session.add_all(GROUNDS.get(kind, lambda _: [])(customer_id))
        session.add(known)
        session.flush()
    return known


def _owed(customer_id: str) -> list[SQLModel]:
    return [
        Invoice(
            invoice_id=f"i-{customer_id}", customer_id=customer_id, issued_on=date(2026, 1, 20),
            due_on=OCCASIONS["late_payment"], amount=18550, status="open",
        ),
        # Nobody is asked for money where payments were not read lately.
        Import(at=NOW, file="payments.csv", table_name="payments", read=0, accepted=0, refused=0),
    ]  # fmt: skip


def _told(moment: str, kind: str, score: int | None = None) -> Callable[[str], list[SQLModel]]:
    """What somebody said on the day of the moment's occasion, and nobody has answered."""
    on = OCCASIONS[moment]
    at = datetime(on.year, on.month, on.day, 15, tzinfo=UTC)

    def give(customer_id: str) -> list[SQLModel]:
        said = {"feedback_id": KEYS.get(moment, f"{moment}-{customer_id}"), "customer_id": customer_id, "kind": kind}
        return [Feedback(**said, score=score, given_at=at, given_on=on, status="open")]

    return give


def _visited(customer_id: str, *days: date) -> list[SQLModel]:
    return [
        Visit(
            visit_id=f"v-{customer_id}-{day}", customer_id=customer_id, status="completed", starts_on=day,
            starts_at=datetime(day.year, day.month, day.day, 15, tzinfo=UTC),
        )
        for day in days
    ]  # fmt: skip


def _pleased(customer_id: str) -> list[SQLModel]:
    visits = _visited(customer_id, date(2025, 6, 2), date(2025, 12, 1))
    return [*visits, *_told("referral_ask", "score", 10)(customer_id)]


# What gives somebody the moment, beside the treatment that everyone has had, and the day on which they came to us.
GROUNDS: dict[str, Callable[[str], list[SQLModel]]] = {
    "enquiry": _told("enquiry", "enquiry"),
    "goodwill": lambda who: [Goodwill(event=KEYS["goodwill"], customer_id=who, named_on=OCCASIONS["goodwill"])],
    "late_payment": _owed,
    "recovery": _told("recovery", "complaint"),
    "referral_ask": _pleased,
    "review_reply": _told("review_reply", "review", 2),
    "survey": lambda who: _visited(who, OCCASIONS["survey"]),
}


def compose(engine: Engine, settings: Settings) -> ComposeReport:
    return compose_planned(engine, settings, TODAY, NOW)


def message_of(engine: Engine, reference: str) -> tuple[Message, bytes]:
    with reading(engine) as session:
        message = session.get_one(Message, reference)
        content = session.get(Content, message.content_sha256 or "")
        return message, content.body if content else b""


def write_one(engine: Engine, settings: Settings, kind: str, channel: str, **values: Any) -> tuple[Message, bytes]:
    """One message to a customer like Maria, composed."""
    add_customer(engine, **values)
    reference = plan(engine, kind, channel, "c1")
    compose(engine, settings)
    message, body = message_of(engine, reference)
    assert message.status == "composed", message.status_reason
    return message, body


def email_of(body: bytes) -> EmailMessage:
    parsed = message_from_bytes(body, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def words_of(pdf: bytes) -> str:
    """The text of a letter as a reader copies it out, with single spaces."""
    return " ".join(PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())


def box_of(pdf: bytes, words: str, side: int = 0) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of `words` on one page, in millimetres from the top left."""
    document = pypdfium2.PdfDocument(pdf)
    page = document[side]
    textpage = page.get_textpage()
    found = textpage.search(words, match_case=True).get_next()
    assert found is not None, words
    boxes = [textpage.get_charbox(found[0] + offset) for offset in range(found[1])]
    height = page.get_height()
    edges = (min(b[0] for b in boxes), height - max(b[3] for b in boxes), max(b[2] for b in boxes),
             height - min(b[1] for b in boxes))  # fmt: skip
    textpage.close()
    page.close()
    document.close()
    left, top, right, bottom = (edge * 25.4 / 72 for edge in edges)
    return left, top, right, bottom


def plain_words(channel: str, body: bytes) -> str:
    if channel == "letter":
        return words_of(body)
    if channel == "email":
        part = email_of(body).get_body(("plain",))
        assert part is not None
        return f"{email_of(body)['Subject']}\n{part.get_content()}"
    return body.decode()


def know_contacts(engine: Engine) -> None:
    """Gives composed messages the contact that planning would have given them: one of their own each."""
    with writing(engine) as session:
        for message in session.exec(select(Message).where(Message.status == "composed")):
            message.contact_hash = message.contact_hash or f"contact of {message.reference}"
            message.digest = message_digest(message, message.content_sha256 or "")
