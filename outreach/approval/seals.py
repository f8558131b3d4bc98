"""The seal of a batch: one hash over its messages' digests in order, their number and their cost.

A digest is only worth what it was made of: `find_unfit` makes it again from the stored bytes.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence

from sqlmodel import Session

from outreach.composing.digests import message_digest
from outreach.models import Content, Message


def batch_seal(messages: Sequence[Message]) -> str:
    """The seal of `messages`, whatever order they come in; all must be composed."""
    ordered = sorted(messages, key=lambda message: message.reference)
    sealed = {
        "digests": [message.digest for message in ordered],
        "count": len(ordered),
        "cost": sum(message.cost for message in ordered),
    }
    return hashlib.sha256(json.dumps(sealed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def find_unfit(session: Session, messages: Sequence[Message]) -> Iterator[str]:
    """The references of messages whose recipient, bytes or options are not those that their digest was made of."""
    for message in messages:
        content = session.get(Content, message.content_sha256 or "")
        if content is None or message_digest(message, hashlib.sha256(content.body).hexdigest()) != message.digest:
            yield message.reference
