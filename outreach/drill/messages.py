"""Hands approved messages in for a drill, has people opt out and tampers with a few, and keeps the records of all.

Made directly, as approval leaves them: nothing here is composed, and nobody is written to.
"""

import hashlib
import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlmodel import col, func, select

from outreach.channels import CHANNELS, LETTER, TEXT
from outreach.clock import business_date, system_clock
from outreach.composing.digests import canonical_json, message_digest
from outreach.composing.store.contents import content_row
from outreach.contacts import contact_hash, load_key, normalise_address
from outreach.database import insert_new, reading, writing
from outreach.drill.ledger import Record
from outreach.drill.options import CHANNEL_OF
from outreach.models import Attempt, Batch, Content, Customer, Goodwill, Message, Moment, Suppression
from outreach.settings import Settings

TAMPERED_IN_A_HUNDRED = 2
# The moment of every message: staff named these people after an event, and so it stands while the drill is held.
KIND, EVENT = "goodwill", "the drill"
CITY, REGION, POSTAL_CODE = "Burlington", "VT", "05401"
OPEN = ("approved", "sending", "uncertain")


class Feeder:
    """Hands messages in and remembers what was approved, which were tampered with, and who opted out when."""

    def __init__(self, engine: Engine, settings: Settings, vendors: list[str], rng: random.Random) -> None:
        self.engine, self.settings, self.vendors, self.rng = engine, settings, vendors, rng
        self.key = load_key(engine, settings)
        self.made = 0
        self.approved: dict[str, str] = {}
        self.tampered: set[str] = set()
        self.opted_out: dict[str, datetime] = {}
        #: What was handed in, and who is not to be written to: a restored database gets them again.
        self.handed_in: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {}
        self.suppressions: list[dict[str, Any]] = []

    def feed(self, number: int) -> None:
        """Hands in `number` messages as one batch, the vendors in turn."""
        batch = self._batch(f"drill {self.made}", number)
        rows = [self._message(batch["batch_id"]) for _ in range(number)]
        self.handed_in |= {message.reference: (batch, message.model_dump(), content) for message, content in rows}
        self._insert([batch], rows)

    def _insert(self, batches: list[dict[str, Any]], rows: list[tuple[Message, dict[str, Any]]]) -> None:
        with writing(self.engine) as session:
            insert_new(session, Batch, batches)
            # Before a message leaves it is asked whether its moment still stands, and who its customer is.
            insert_new(session, Customer, [_customer(message) for message, _ in rows])
            insert_new(session, Goodwill, [_named(message) for message, _ in rows])
            insert_new(session, Moment, [_moment(message) for message, _ in rows])
            insert_new(session, Content, [content for _, content in rows])
            session.add_all(message for message, _ in rows)

    def bring_do_not_contact(self) -> None:
        """Imports the do-not-contact list again, which a restored database has forgotten a part of."""
        with writing(self.engine) as session:
            insert_new(session, Suppression, self.suppressions)

    def plan_again(self) -> int:
        """Hands in again what a restored database has forgotten, as the next run would plan it; returns how many."""
        with reading(self.engine) as session:
            present = set(session.exec(select(Message.reference)).all())
        forgotten = [self.handed_in[reference] for reference in self.handed_in if reference not in present]
        batches = {batch["batch_id"]: batch for batch, _, _ in forgotten}
        self._insert([*batches.values()], [(Message(**message), content) for _, message, content in forgotten])
        return len(forgotten)

    def _batch(self, batch_id: str, number: int) -> dict[str, Any]:
        return {
            "batch_id": batch_id, "kind": KIND, "channel": LETTER.name, "run_on": self._today(),
            "status": "approved", "author": "the drill", "count": number, "cost": 0, "currency": "USD",
            "seal": batch_id, "fingerprint": "drill", "opened_at": system_clock(),
        }  # fmt: skip

    def _today(self) -> Any:
        return business_date(system_clock(), self.settings.business.timezone)

    def _message(self, batch_id: str) -> tuple[Message, dict[str, Any]]:
        """One message and its content, which for a few is not what was approved."""
        self.made += 1
        number, vendor = self.made, self.vendors[self.made % len(self.vendors)]
        channel, reference, on = CHANNEL_OF[vendor], f"DRILL-{number:06}", self._today()
        recipient, contact = _recipient(number, channel)
        body = _content(reference, channel)
        sha256 = hashlib.sha256(body).hexdigest()
        message = Message(
            reference=reference, moment_id=f"moment of {reference}", kind=KIND, channel=channel,
            customer_id=f"customer {number}", recipient_id=f"customer {number}", purpose="service", status="approved",
            run_on=on, send_on=on, useful_until=on + timedelta(days=3), provider=vendor, batch_id=batch_id, size=1,
            contact_hash=contact_hash(self.key, channel, contact), recipient=canonical_json(recipient),
            content_sha256=sha256,
        )  # fmt: skip
        message.digest = message_digest(message, sha256)
        self.approved[reference] = sha256
        if self.rng.randrange(100) < TAMPERED_IN_A_HUNDRED:
            self.tampered.add(reference)
            body += b" "
        return message, content_row(sha256, CHANNELS[channel].media_type, body)

    def opt_out(self) -> None:
        """Has someone opt out whose message is approved or just leaving."""
        with writing(self.engine) as session:
            leaving = select(Message).where(col(Message.status).in_(("approved", "sending")))
            message = session.exec(leaving.order_by(func.random()).limit(1)).first()
            if message is None or message.reference in self.opted_out:
                return
            contact = {"contact_hash": message.contact_hash, "channel": message.channel}
            self.suppressions.append(contact | {"source": "unsubscribed", "at": system_clock()})
            insert_new(session, Suppression, self.suppressions[-1:])
        # Only once it is committed can anybody be asked to keep to it.
        self.opted_out[message.reference] = system_clock()

    def count(self, *statuses: str) -> int:
        with reading(self.engine) as session:
            wanted = select(func.count()).select_from(Message).where(col(Message.status).in_(statuses))
            return session.exec(wanted).one()

    def count_open(self) -> int:
        """How many a sender or a look-up will still close."""
        with reading(self.engine) as session:
            rows = session.exec(select(Message.reference, Message.status).where(col(Message.status).in_(OPEN))).all()
        return sum(status != "uncertain" or reference not in self.tampered for reference, status in rows)

    def records(self) -> list[Record]:
        """What our tables say of every message handed in; one that is no longer there is on record as "gone"."""
        with reading(self.engine) as session:
            rows = session.exec(select(Message.reference, Message.status, Message.provider_id)).all()
        by_reference = {reference: (status, provider_id) for reference, status, provider_id in rows}
        return [
            Record(
                reference,
                *by_reference.get(reference, ("gone", None)),
                approved_sha256=sha256,
                is_tampered=reference in self.tampered,
                opted_out_at=self.opted_out.get(reference),
            )
            for reference, sha256 in self.approved.items()
        ]

    def tries(self) -> dict[str, datetime]:
        """When the last try under each key was begun; what was only put in doubt was not tried."""
        with reading(self.engine) as session:
            tried = select(Attempt.key, Attempt.last_try_at).where(Attempt.tries > 0)
            return dict(session.exec(tried).all())


def _customer(message: Message) -> dict[str, Any]:
    """The customer as a record of ours, to whom it is about noon whenever the drill is run: no night may hold it up."""
    number = int(message.customer_id.removeprefix("customer "))
    return {
        "customer_id": message.customer_id, "given_name": "Ada", "family_name": str(number),
        "address_line1": _street(number), "city": CITY, "region": REGION, "postal_code": POSTAL_CODE, "country": "US",
        # The signs of these names are the other way round: Etc/GMT+5 is five hours behind UTC.
        "phone": _phone(number), "timezone": f"Etc/GMT{system_clock().hour - 12:+d}",
    }  # fmt: skip


def _named(message: Message) -> dict[str, Any]:
    return {"event": EVENT, "customer_id": message.customer_id, "named_on": message.run_on}


def _moment(message: Message) -> dict[str, Any]:
    occasion = {"kind": KIND, "customer_id": message.customer_id, "occasion": EVENT, "occasion_on": message.run_on}
    return {"moment_id": message.moment_id, "found_on": message.run_on, "looked_on": message.run_on, **occasion}


def _recipient(number: int, channel: str) -> tuple[dict[str, Any], str]:
    """Made-up people, no two of whom share a contact; what a message says of one, and the contact in one form."""
    name = {"name": f"Ada {number}"}
    if channel == TEXT.name:
        return name | {"phone": _phone(number)}, _phone(number)
    place = {"city": CITY, "region": REGION, "postal_code": POSTAL_CODE, "country": "US"}
    lines = [_street(number), f"{CITY} {REGION} {POSTAL_CODE}"]
    contact = normalise_address([_street(number), CITY, REGION], POSTAL_CODE, "US")
    return name | {"lines": lines, "streets": [_street(number)], **place}, contact


def _street(number: int) -> str:
    return f"{number} Elm St"


def _phone(number: int) -> str:
    return f"+1802{5_550_000 + number}"


def _content(reference: str, channel: str) -> bytes:
    if channel == TEXT.name:
        return f"Good morning, this is {reference}. We hope that all is well.".encode()
    return _pdf(reference)


def _pdf(words: str) -> bytes:
    """The smallest PDF of one page that says `words`."""
    drawing = f"BT /F1 24 Tf 72 500 Td ({words}) Tj ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(drawing)}>>stream\n{drawing}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    text, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(text))
        text += f"{number} 0 obj{content}endobj\n"
    # Each line must be 20 bytes long, and so has a blank before its end (ISO 32000-1, 7.5.4).
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(text)}\n%%EOF\n"
    return f"{text}xref\n0 {size}\n0000000000 65535 f \n{table}{end}".encode()
