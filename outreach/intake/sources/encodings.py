"""Finds the encoding of a text file. It never guesses where letters would come out wrong.

It tries a byte-order mark, UTF-16 without a mark, UTF-8 (in which a few stray bytes cost only their own rows), and then
the 8-bit pages of Europe, Turkish and Arabic.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from outreach.errors import EncodingUnclear, SourceUnreadable
from outreach.intake.sources.code_pages import WESTERN, choose_likely, read_word, weigh_pages

# A byte that is no text becomes this lone surrogate, so that only its row is refused.
UNDECODABLE = "\udcff"
ERRORS = "outreach.undecodable"
codecs.register_error(ERRORS, lambda error: (UNDECODABLE, error.end))  # type: ignore[attr-defined]

CHUNK, SAMPLE = 1 << 20, 1 << 16
WORDS = 20_000
# UTF-32 before UTF-16, since the mark of one begins with that of the other.
BOMS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
TURKISH = "cp1254"
# Measured on lists of names: of Turkish ones the page leads by more even where few letters tell, of Icelandic by less.
TURKISH_LEAD = -1.3
_WHAT_TO_DO = "save it as CSV UTF-8, or name its encoding in a mapping file"
_CONTROLS = bytes(set(range(32)) - {0, 9, 10, 11, 12, 13, 27})
_SIGNS = b',;\t|\r\n"'
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
# Turkish and Western pages differ in these six letters only: Ğ İ Ş ğ ı ş where Icelandic has Ð Ý Þ ð ý þ.
_TURKISH_OR_ICELANDIC = set("ÐÝÞðýþ")
_TURKISH = _TURKISH_OR_ICELANDIC | set("çÇöÖüÜâîûÂÎÛ")
_NEVER_TURKISH = re.compile(r"[bcdfghjklmnprstvxz]ð|\bþ|[A-Za-z]Þ")
_BEFORE_WORDS = "“‘„‚«¿¡–—…\xa0\xad"
_INSIDE_WORDS = "’‘´·–—\xa0\xad"
_AFTER_WORDS = "”’“»–—…ªº°®™©´\xa0\xad"


def detect_encoding(path: Path) -> str:
    """The name of a Python codec that reads the file; the whole file is looked at, a chunk at a time.

    Raises SourceUnreadable for a file that is not text, or whose letters fit none of the encodings known here.
    """
    with path.open("rb") as handle:
        head = handle.read(CHUNK)
        for mark, name in BOMS:
            if head.startswith(mark):
                return name
        if wide := _utf16_without_mark(head[:SAMPLE]):
            return wide
        # Of what is packed, such as the pages of a PDF, every tenth byte is one of these; of text hardly any.
        if len(head) - len(head.translate(None, _CONTROLS)) > len(head) / 25:
            raise SourceUnreadable("this is not a text file; save it as CSV (UTF-8)")
        handle.seek(0)
        return _utf8_or_page(iter(lambda: handle.read(CHUNK), b""))


def _utf16_without_mark(head: bytes) -> str | None:
    """Every plain letter and sign of UTF-16 has a NUL on the same side; 8-bit text has no NUL to speak of."""
    first, second = head[0::2].count(0), head[1::2].count(0)
    if first + second < max(3, len(head) / 50):
        return None
    if min(first, second) * 20 > max(first, second):
        return None
    name = "utf-16-le" if second > first else "utf-16-be"
    text = head.decode(name, ERRORS)
    strange = sum(unicodedata.category(letter) in {"Cc", "Cn", "Cs"} and letter not in "\t\r\n" for letter in text)
    return name if strange <= len(text) / 10 else None


def _utf8_or_page(chunks: Iterator[bytes]) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")(ERRORS)
    good = bad = 0
    words: list[bytes] = []
    for chunk in chunks:
        text = decoder.decode(chunk)
        if text.isascii():
            continue
        wrong = text.count(UNDECODABLE)
        good += len(text) - len(text.encode("ascii", "ignore")) - wrong
        bad += wrong
        if wrong and len(words) < WORDS:
            words += _WORD.findall(chunk)[:WORDS]
    bad += decoder.decode(b"", True).count(UNDECODABLE)
    # A few stray bytes in a UTF-8 file cost their own rows; they must not turn every other name into nonsense.
    return "utf-8" if good >= bad else choose_page(words)


def choose_page(words: Sequence[bytes]) -> str:
    """The page that makes names of these words. Raises SourceUnreadable where none does, or several do alike."""
    scores = weigh_pages(words)
    likely = choose_likely(scores)
    if set(likely) <= {WESTERN, TURKISH}:
        is_turkish = scores[TURKISH] - scores[WESTERN] > TURKISH_LEAD and _reads_like_turkish(words)
        page = TURKISH if is_turkish else WESTERN
    else:
        page = likely[0]
        if readings := _unlike_readings(words, likely):
            raise EncodingUnclear(readings)
    verdicts = [_is_name(read_word(word, page)) for word in words]
    # One in ten may be nonsense, as old data holds; more means that the page is another one.
    if verdicts.count(False) * 10 > len(verdicts) - verdicts.count(None):
        raise SourceUnreadable(f"its letters are not UTF-8, and of no encoding that is known here; {_WHAT_TO_DO}")
    return page


def _unlike_readings(words: Sequence[bytes], pages: Sequence[str]) -> list[tuple[str, str]]:
    """The first word that these pages read differently, as each reads it; each reading once, by its likeliest page."""
    for word in words:
        readings: dict[str, str] = {}
        for page in pages:
            readings.setdefault(read_word(word, page), page)
        if len(readings) > 1:
            return [(page, reading) for reading, page in readings.items()]
    return []


def _is_name(text: str) -> bool | None:
    """Whether it is a word, foreign letters among plain ones; None where it says nothing either way."""
    text = text.lstrip(_BEFORE_WORDS).rstrip(_AFTER_WORDS)
    foreign = sum(not letter.isascii() for letter in text)
    if len(text) < 2 or not foreign:
        return None
    if not all(letter.isalpha() or letter in _INSIDE_WORDS or unicodedata.combining(letter) for letter in text):
        return False
    scripts = {unicodedata.name(letter).partition(" ")[0] for letter in text if letter.isalpha()}
    if "LATIN" not in scripts or len(scripts) > 1 or foreign == len(text):
        # Greek or Cyrillic letters alone make a name; accented Latin letters alone, or letters of two scripts, do not.
        return len(scripts) == 1 and "LATIN" not in scripts
    return foreign == 1 or foreign <= len(text) * 3 / 4


def _reads_like_turkish(words: Iterable[bytes]) -> bool:
    """Whether the six letters whose places the two languages share outnumber the signs that it is not Turkish."""
    text = " ".join(word.decode("cp1252", ERRORS) for word in words)
    shared = sum(letter in _TURKISH_OR_ICELANDIC for letter in text)
    others = sum(letter.isalpha() and not letter.isascii() and letter not in _TURKISH for letter in text)
    return shared > others + 3 * len(_NEVER_TURKISH.findall(text))
