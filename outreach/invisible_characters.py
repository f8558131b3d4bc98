"""Drops letters that nobody sees, such as a zero-width space from a web page, where data comes in.

Joiners stay inside words of the scripts that need them (Persian, Hindi, emoji), where they change what is read.
"""

import re
import unicodedata

_JOINERS = "\u200c\u200d"
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
# A black flag and the letters of England, Scotland or Wales are one emoji.
_FLAG, _TAGS = "\U0001f3f4", range(0xE0020, 0xE0080)
# The first word of the Unicode names of letters that stand differently with a joiner beside them.
_JOINING = frozenset({
    "ARABIC", "SYRIAC", "MONGOLIAN", "NKO", "MANDAIC", "PHAGS-PA", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI",
    "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN", "BALINESE",
    "JAVANESE",
})  # fmt: skip
_VIRAMA = 9
_SPACES = " \t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def drop_invisible(text: str) -> str:
    """The text without letters that nobody sees, and without spaces around it."""
    if text.isascii():
        return text.strip(" \t")
    if not _INVISIBLE.search(text):
        return text.strip(_SPACES)
    kept = (letter for at, letter in enumerate(text) if not _INVISIBLE.match(letter) or _is_needed(text, at))
    return "".join(kept).strip(_SPACES)


def _is_needed(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if not before:
        return False
    if text[at] in _JOINERS:
        return _joins(before, after)
    return ord(text[at]) in _TAGS and text[:at].rstrip("".join(map(chr, _TAGS))).endswith(_FLAG)


def _joins(before: str, after: str) -> bool:
    # At the end of a word only behind the sign that takes a vowel away: an old way to write Malayalam's last letters.
    if unicodedata.combining(before) == _VIRAMA:
        return True
    if not after:
        return False
    if _script(before) in _JOINING and _script(after) in _JOINING:
        return True
    return _is_picture(before) and _is_picture(after)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _is_picture(letter: str) -> bool:
    return unicodedata.category(letter) in {"So", "Sk"} or letter == "\ufe0f"
