"""The token in an e-mail's unsubscribe link: a message's reference, and a proof that we made it. No person is in it."""

import hashlib
import hmac


def unsubscribe_token(key: bytes, reference: str) -> str:
    """The token for a message, such as K7QF-2M9X-TB4D.3f0c…; `key` is the installation's secret key."""
    proof = hmac.new(key, f"unsubscribe:{reference}".encode(), hashlib.sha256).hexdigest()[:32]
    return f"{reference}.{proof}"


def read_unsubscribe_token(key: bytes, token: str) -> str | None:
    """The reference a token was made for, or None when we did not make it."""
    if not token.isascii():
        return None
    reference, _, _ = token.partition(".")
    return reference if hmac.compare_digest(unsubscribe_token(key, reference), token) else None
