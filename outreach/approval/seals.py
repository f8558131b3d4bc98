"""The seal of a batch: one hash over its messages' digests in order, their number and their cost."""

import hashlib
import json
from collections.abc import Sequence

from outreach.models import Message


def batch_seal(messages: Sequence[Message]) -> str:
    """The seal of `messages`, whatever order they come in; all must be composed."""
    ordered = sorted(messages, key=lambda message: message.reference)
    sealed = {
        "digests": [message.digest for message in ordered],
        "count": len(ordered),
        "cost": sum(message.cost for message in ordered),
    }
    return hashlib.sha256(json.dumps(sealed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
