"""Mends text that another program spoiled on its way: encoded twice, or written with HTML's names for letters.

It mends what can only be meant so: a text that is fit as it stands is left as it is.
"""

import html
import re
from functools import lru_cache

from ftfy import fix_encoding

_ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,6}|[A-Za-z]{2,8}\d?);")
TWICE, ENTITIES = "the text had been encoded twice", "the text had HTML's names for letters, such as &amp;"


def mend_text(text: str) -> tuple[str, str]:
    """The text as it was meant, and what had been wrong with it; empty where nothing was."""
    if text.isascii() and "&" not in text:
        return text, ""
    return _mend(text)


@lru_cache(maxsize=1 << 14)
def _mend(text: str) -> tuple[str, str]:
    plain = _ENTITY.sub(_letter_of, text)
    mended = plain if plain.isascii() else fix_encoding(plain)
    if mended != plain:
        return mended, TWICE
    return plain, ENTITIES if plain != text else ""


def _letter_of(entity: re.Match[str]) -> str:
    """The letter or sign that is meant; what would make a mark of HTML, or cannot be printed, stays as it is."""
    letter = html.unescape(entity[0])
    return letter if len(letter) == 1 and letter.isprintable() and letter not in "<>" else entity[0]
