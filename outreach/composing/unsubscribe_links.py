"""The token in an e-mail's unsubscribe link: a message's reference, and a proof that we made it. No person is in it.

Mail programs, copying and trackers mangle links: a token is read whatever stands around it and however it is spelled.
"""

import hashlib
import hmac
import re
import unicodedata
from urllib.parse import unquote

# What may have crept into a token: spaces, and letters that show nothing.
_CREPT_IN = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff]")
_DASHES = re.compile(r"[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_TOKEN = re.compile(r"([0-9A-Z]{4}-?[0-9A-Z]{4}-?[0-9A-Z]{4})\.([0-9A-F]{32})(?![0-9A-F])")


def unsubscribe_token(key: bytes, reference: str) -> str:
    """The token for a message, such as K7QF-2M9X-TB4D.3f0c…; `key` is the installation's secret key."""
    proof = hmac.new(key, f"unsubscribe:{reference}".encode(), hashlib.sha256).hexdigest()[:32]
    return f"{reference}.{proof}"


def mend_token(token: str) -> str:
    """A token of a link, as we would have written it, out of what became of it on its way; unknown ones unchanged.

    Our references and proofs have one case each, so that capitals and small letters tell nothing.
    """
    # Unquoted twice: some trackers quote a link that is quoted already.
    plain = unicodedata.normalize("NFKC", unquote(unquote(token)))
    match = _TOKEN.search(_DASHES.sub("-", _CREPT_IN.sub("", plain)).upper())
    if match is None:
        return token
    letters = match[1].replace("-", "")
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}.{match[2].lower()}"


def read_unsubscribe_token(key: bytes, token: str) -> str | None:
    """The reference a token was made for, however the link was mangled, or None when we did not make it."""
    for tried in (token, mend_token(token)):
        reference, _, _ = tried.partition(".")
        if tried.isascii() and hmac.compare_digest(unsubscribe_token(key, reference), tried):
            return reference
    return None
