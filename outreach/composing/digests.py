"""One hash over all that a member of staff approves in a message: who gets it, the exact bytes, how and when.

It holds no personal data that could be read back, and is the same in whichever process makes it.
"""

import hashlib
import json
from typing import Any

from outreach.channels import CHANNELS, LETTER
from outreach.models import Message

# Providers that write a letter's words themselves, and so take them as plain text.
PENS = frozenset({"handwrytten"})


def media_type_for(channel: str, provider: str | None) -> str:
    """What a message's content is, given who carries it."""
    return "text/plain" if channel == LETTER.name and provider in PENS else CHANNELS[channel].media_type


def canonical_json(value: Any) -> str:
    """JSON that is the same for the same value: sorted keys, no spaces, letters as they are."""
    # Another order or spacing would give another digest, and every approved message would fail its seal.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def message_digest(message: Message, content_sha256: str) -> str:
    """The digest of `message` carrying the bytes whose SHA-256 is `content_sha256`; any later change changes it."""
    sealed = {
        "reference": message.reference,
        "recipient": message.recipient,
        "content": content_sha256,
        "media_type": media_type_for(message.channel, message.provider),
        "channel": message.channel,
        "provider": message.provider,
        "send_on": str(message.send_on),
        "useful_until": str(message.useful_until),
        "contact": message.contact_hash,
    }
    return hashlib.sha256(canonical_json(sealed).encode()).hexdigest()
