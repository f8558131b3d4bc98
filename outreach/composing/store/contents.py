"""Keeps the bytes of messages, and reads the very bytes that a message on record has.

Printed letters (PDF) go to the storage where there is one. All else is a few kilobytes, and stays in its row; so does a
letter that was written before there was a storage. No transaction is open while a storage is read or written.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine
from sqlmodel import Session, col, select

from outreach.composing.store.storage import Storage, open_storage
from outreach.database import reading
from outreach.errors import ContentLost, StorageError
from outreach.models import Content, Message
from outreach.settings import Settings

LETTER = "application/pdf"
Row = dict[str, Any]


@dataclass(frozen=True)
class Bodies:
    """What was read of the bytes that were asked for."""

    #: By their SHA-256, each hashed on the way in.
    whole: dict[str, bytes]
    #: Why others could not be had.
    failed: dict[str, StorageError]


def content_row(sha256: str, media_type: str, body: bytes) -> Row:
    """A row of `Content` with its bytes in it."""
    return {"sha256": sha256, "media_type": media_type, "length": len(body), "body": body}


def open_to_write(engine: Engine, settings: Settings) -> Storage:
    """The storage, ready for new letters. Where it cannot take any, its `fault` says why.

    An empty one is refused while letters on record are in some other: they would end up in two places.
    """
    storage = open_storage(settings.storage)
    if storage.is_set and not storage.is_there() and storage.is_bare:
        with reading(engine) as session:
            is_first = session.exec(select(Content.sha256).where(col(Content.body).is_(None)).limit(1)).first() is None
        if is_first:
            storage.begin()
    return storage


def keep_bodies(storage: Storage, rows: Sequence[Row]) -> dict[str, Row | StorageError]:
    """The rows to insert, by SHA-256; those of letters without their bytes, which are in the storage by then.

    A row that is not inserted after all leaves bytes in the storage that nothing points at, and that do no harm.
    """
    if not storage.is_set:
        return {row["sha256"]: row for row in rows}
    # Letters alone: all else is a few kilobytes.
    failed = storage.put_all({row["sha256"]: row["body"] for row in rows if row["media_type"] == LETTER})
    return {
        row["sha256"]: failed.get(row["sha256"]) or (row | {"body": None} if row["media_type"] == LETTER else row)
        for row in rows
    }


def keep_body(storage: Storage, row: Row) -> Row:
    """The same for one row. Raises StorageError."""
    kept = keep_bodies(storage, [row])[row["sha256"]]
    if isinstance(kept, StorageError):
        raise kept
    return kept


def read_bodies(engine: Engine, storage: Storage, references: Collection[str]) -> Bodies:
    """The bytes that the messages have on record. Whoever asks for many asks in chunks: all are in memory at once."""
    theirs = select(Message.content_sha256).where(col(Message.reference).in_(references))
    return _read(engine, storage, col(Content.sha256).in_(theirs))


def read_letter(engine: Engine, storage: Storage, sha256: str) -> bytes | None:
    """A printed letter; None where there is none under that hash. Raises StorageError."""
    bodies = _read(engine, storage, (col(Content.sha256) == sha256) & (col(Content.media_type) == LETTER))
    if error := bodies.failed.get(sha256):
        raise error
    return bodies.whole.get(sha256)


def read_row(session: Session, sha256: str | None) -> bytes | None:
    """The bytes of what is no printed letter; None where there are none. Raises ContentLost."""
    body = read_rows(session, [sha256]).get(sha256) if sha256 else None
    if isinstance(body, StorageError):
        raise body
    return body


def read_rows(session: Session, hashes: Collection[str]) -> dict[str, bytes | StorageError]:
    """The bytes of several such, by SHA-256, in one statement; a ContentLost for bytes that are not what they were."""
    rows = select(Content.sha256, Content.body).where(col(Content.sha256).in_(hashes), col(Content.body).is_not(None))
    return {sha256: _checked(sha256, body) for sha256, body in session.exec(rows) if body is not None}


def _read(engine: Engine, storage: Storage, wanted: ColumnElement[bool]) -> Bodies:
    with reading(engine) as session:
        rows = session.exec(select(Content.sha256, Content.body).where(wanted)).all()
    bodies = storage.get_all([sha256 for sha256, body in rows if body is None])
    bodies |= {sha256: _checked(sha256, body) for sha256, body in rows if body is not None}
    return Bodies(
        {sha256: body for sha256, body in bodies.items() if isinstance(body, bytes)},
        {sha256: error for sha256, error in bodies.items() if isinstance(error, StorageError)},
    )


def _checked(sha256: str, body: bytes) -> bytes | StorageError:
    if hashlib.sha256(body).hexdigest() == sha256:
        return body
    return ContentLost(f"The bytes of a message are not what they were: compare contents {sha256} with a backup")
