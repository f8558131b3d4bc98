"""Letters as people type them when they have no others: without accents and case. A text in; its plain letters out."""

import unicodedata

# Letters that no accent makes, and that people write with a plain one.
_LIKE = dict(zip("łøđħıŧŋðəƒ", "lodhitndef", strict=True))
SEVERAL = {"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th"}
ACCENTS = "".join(map(chr, range(0x300, 0x370)))
# Latin with all its accents, Greek and Cyrillic.
_RANGES = (range(0xC0, 0x250), range(0x370, 0x530), range(0x1E00, 0x2000))


def plain_letters(text: str | None) -> str | None:
    """The text in lower case with ö as o, ł as l, ß as ss: as it is compared, never as it is shown."""
    if text is None:
        return None
    for letter, several in SEVERAL.items():
        text = text.replace(letter, several)
    apart = unicodedata.normalize("NFKD", text.lower())
    kept = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return "".join(_LIKE.get(letter, letter) for letter in kept)


def _list_plain() -> dict[str, str]:
    """Each single letter that has another plain one, for databases that take them one by one."""
    letters = (chr(code) for spread in _RANGES for code in spread)
    plain = {letter: plain_letters(letter) or "" for letter in letters if letter not in SEVERAL}
    return {letter: instead for letter, instead in plain.items() if len(instead) == 1 and instead != letter}


PLAIN = _list_plain()
