"""Gives one message new words: it is written anew, and set apart for somebody else to approve.

The rest of its batch goes on. The words themselves are never in the audit: only their hash is.
"""

from datetime import datetime

from sqlalchemy import Engine, func
from sqlmodel import Session, select

from outreach.approval.audit import record_act
from outreach.approval.batches import CHANGED, require_message, require_waiting
from outreach.approval.held_messages import set_apart
from outreach.approval.staff import require_writer
from outreach.composing.digests import media_type_for, message_digest
from outreach.composing.editing import open_draft, sha256_of, words_of, write_edited
from outreach.composing.store.contents import Row, content_row, keep_body, open_to_write
from outreach.composing.writing import WrittenMessage
from outreach.contacts import load_key
from outreach.database import insert_new, reading, writing
from outreach.errors import ChangedSince
from outreach.locks import take_turns
from outreach.models import Batch, Content, Edit, Message
from outreach.settings import Settings


def edit_message(
    engine: Engine, settings: Settings, reference: str, words: str, by: str, now: datetime, digest: str | None = None
) -> Batch:
    """The batch that the message is in now: one of `by`'s own, which somebody else must approve.

    `digest` is that of the message they began from, where they looked. The same words again change nothing; others
    take a message off hold too, since somebody has looked.

    Raises NotFound, NotWaiting, NotAllowed, ChangedSince when another edit came first, and for the words what
    `write_edited` does: TemplateRefused with the line, CannotWrite, TooLong. StorageError where its bytes cannot be
    kept now.
    """
    with reading(engine) as session:
        require_writer(session, by)
        draft = open_draft(session, reference.upper())
        before = words_of(session, draft.message.reference)
    # A page takes a while to print, and nobody should have to wait for it.
    written = write_edited(settings, load_key(engine, settings), draft, words)
    media_type = media_type_for(draft.message.channel, draft.message.provider)
    # Before the transaction, so that nobody waits for a slow storage. Should the edit fail, no row names these bytes.
    row = keep_body(open_to_write(engine, settings), content_row(written.sha256, media_type, written.body))
    with writing(engine) as session:
        take_turns(session, "approval")
        message = require_message(session, reference)
        batch = require_waiting(session, message.batch_id or "", settings.business.zone)
        if message.digest != draft.message.digest or digest not in (None, message.digest):
            raise ChangedSince(f"{message.reference} was edited while you were at it. Look at it again, then edit it")
        if written.words == before:
            return batch
        _store(session, message, written, row, by, now)
        return set_apart(session, batch, [message], by, False, by, now, CHANGED)


def _store(session: Session, message: Message, written: WrittenMessage, row: Row, by: str, now: datetime) -> None:
    """Keeps the words and the bytes, and makes them what the message is."""
    edits = select(func.count()).select_from(Edit).where(Edit.reference == message.reference)
    number = session.exec(edits).one() + 1
    session.add(Edit(reference=message.reference, number=number, words=written.words, by=by, at=now))
    insert_new(session, Content, [row])
    message.content_sha256, message.template_sha256 = written.sha256, sha256_of(written.words)
    message.size, message.cost = written.size, written.cost + message.reward_cost
    message.status, message.status_reason = "composed", None
    message.digest = message_digest(message, written.sha256)
    record_act(session, by, "message edited", message.reference, message.digest, now)
