"""The link of a survey: a message's reference, and a proof that we made it for that customer. No person is in it."""

import hashlib
import hmac
from collections.abc import Collection

from outreach.settings import Business


def survey_url(business: Business, key: bytes, reference: str, customer_id: str) -> str:
    """The public page with the one question, for the message `reference` about a customer."""
    return f"{business.public_url.rstrip('/')}/survey/{survey_token(key, reference, customer_id)}"


def survey_token(key: bytes, reference: str, customer_id: str) -> str:
    """Such as K7QF-2M9X-TB4D.3f0c…; `key` is the installation's secret key."""
    # Each kind of link signs a prefix of its own: a proof for one page is none for another.
    proof = hmac.new(key, f"survey:{reference}:{customer_id}".encode(), hashlib.sha256).hexdigest()[:32]
    return f"{reference}.{proof}"


def reference_in(token: str) -> str:
    """The reference that a token names, whether or not we made it; empty where it cannot be one of ours."""
    reference, _, proof = token.partition(".")
    return reference if token.isascii() and len(proof) == 32 else ""


def read_survey_token(key: bytes, token: str, customer_ids: Collection[str]) -> str | None:
    """Which of these customers a token was made for, or None when we made it for none of them."""
    # compare_digest refuses text beyond ASCII with a TypeError.
    if not token.isascii():
        return None
    reference = reference_in(token)
    made_for = (id_ for id_ in customer_ids if hmac.compare_digest(survey_token(key, reference, id_), token))
    return next(made_for, None)
