"""The seal of a batch: one hash over its messages' digests in order, their number and their cost.

A digest is only worth what it was made of: `find_unfit` makes it again from the bytes on record.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence

from sqlalchemy import Engine

from outreach.composing.digests import message_digest
from outreach.composing.store.contents import Bodies, read_bodies
from outreach.composing.store.storage import Storage
from outreach.errors import ContentLost
from outreach.models import Message

# The bytes of a chunk are all in memory at once.
CHUNK = 200


def batch_seal(messages: Sequence[Message]) -> str:
    """The seal of `messages`, whatever order they come in; all must be composed."""
    # By reference, so that whoever reads the rows in another order makes the same seal.
    ordered = sorted(messages, key=lambda message: message.reference)
    sealed = {
        "digests": [message.digest for message in ordered],
        "count": len(ordered),
        "cost": sum(message.cost for message in ordered),
    }
    # How it is written must never change: an approval makes the seal again, and one of a batch that waits since before
    # the change would not fit any more.
    return hashlib.sha256(json.dumps(sealed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def find_unfit(messages: Sequence[Message], bodies: Bodies) -> Iterator[str]:
    """The references of messages whose recipient, bytes or options are not those that their digest was made of."""
    for message in messages:
        body = bodies.whole.get(message.content_sha256 or "")
        if body is None or message_digest(message, hashlib.sha256(body).hexdigest()) != message.digest:
            yield message.reference


def list_unfit(engine: Engine, storage: Storage, messages: Sequence[Message]) -> list[str]:
    """The same, with the bytes read for it. Raises StorageError where some of them cannot be read now."""
    unfit: list[str] = []
    for start in range(0, len(messages), CHUNK):
        chunk = messages[start : start + CHUNK]
        bodies = read_bodies(engine, storage, [message.reference for message in chunk])
        if error := next((error for error in bodies.failed.values() if not isinstance(error, ContentLost)), None):
            raise error
        unfit += find_unfit(chunk, bodies)
    return unfit
