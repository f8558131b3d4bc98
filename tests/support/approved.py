"""Approved messages made by hand, for the rooms that only see messages once they are approved."""

import hashlib
import io
import json
from datetime import timedelta
from functools import cache
from typing import Any

from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject
from sqlmodel import Session

from conftest import NOW, TODAY
from grounds import add_moment, add_person
from outreach.channels import CHANNELS
from outreach.composing.digests import message_digest
from outreach.composing.store.contents import content_row
from outreach.database import insert_new
from outreach.models import Batch, Content, Message


@cache
def pdf_saying(words: str, pages: int = 1) -> bytes:
    """A PDF whose every page holds `words`."""
    writer = PdfWriter()
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    named = DictionaryObject({NameObject(key): NameObject(value) for key, value in font.items()})
    for _ in range(pages):
        page = writer.add_blank_page(width=612, height=792)
        words_on_it = DecodedStreamObject()
        words_on_it.set_data(f"BT /F1 24 Tf 72 700 Td ({words}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(words_on_it)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): writer._add_object(named)})}
        )
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def content_for(reference: str, channel: str) -> bytes:
    """Bytes such as composing makes: they differ from message to message, and always come out the same."""
    if channel == "letter":
        return pdf_saying(reference)
    if channel == "email":
        return f"From: us@x.example\r\nTo: them@x.example\r\nSubject: {reference}\r\n\r\nGood morning.\r\n".encode()
    if channel == "text":
        return f"Good morning, {reference} — we hope all is well.".encode()
    return json.dumps({"about": "how it feels", "script": f"Good morning, {reference}"}).encode()


def recipient_for(reference: str, channel: str) -> dict[str, Any]:
    if channel == "letter":
        return {"name": f"Ada {reference}", "lines": ["1 Elm St", "Bath"], "postal_code": "05401", "country": "US"}
    return {"name": f"Ada {reference}"} | (
        {"email": "them@x.example"} if channel == "email" else {"phone": "+18025550140"}
    )


def add_batch(session: Session, batch_id: str = "B1", **changes: Any) -> None:
    values: dict[str, Any] = {
        "batch_id": batch_id, "kind": "checkin", "channel": "letter", "run_on": TODAY, "status": "approved",
        "author": "the planner", "count": 1, "cost": 0, "currency": "USD", "seal": "s", "fingerprint": "f",
        "opened_at": NOW,
    }  # fmt: skip
    insert_new(session, Batch, [values | changes])


def add_approved(session: Session, reference: str, channel: str = "letter", **changes: Any) -> Message:
    """One approved message, due today, to a customer of its own, sealed as composing and approval leave it."""
    content = changes.pop("content", None) or content_for(reference, channel)
    to = changes.pop("to", None) or recipient_for(reference, channel)
    kind, batch_id = changes.get("kind", "checkin"), changes.get("batch_id", "B1")
    customer = changes.setdefault("customer_id", f"customer of {reference}")
    add_person(session, customer, reference)
    if batch_id:
        add_batch(session, batch_id)
    occasion = {"occasion": changes.pop("occasion")} if "occasion" in changes else {}
    # Not before today, so that it is of use as long as the message says.
    on = max(TODAY, changes.get("run_on", TODAY))
    moment = add_moment(session, kind, customer, on, **occasion)
    sha256 = hashlib.sha256(content).hexdigest()
    insert_new(session, Content, [content_row(sha256, CHANNELS[channel].media_type, content)])
    values: dict[str, Any] = {
        "reference": reference, "moment_id": moment, "kind": kind, "channel": channel,
        "recipient_id": customer, "purpose": "service", "status": "approved", "run_on": TODAY, "send_on": TODAY,
        "useful_until": TODAY + timedelta(days=3), "contact_hash": f"hash of {reference}", "provider": "outbox",
        "recipient": json.dumps(to, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        "content_sha256": sha256, "batch_id": batch_id, "size": 1,
    }  # fmt: skip
    message = Message(**(values | changes))
    message.digest = message_digest(message, sha256)
    session.add(message)
    session.flush()
    return message


def days(count: int) -> timedelta:
    return timedelta(days=count)
