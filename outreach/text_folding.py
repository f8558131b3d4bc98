"""Writes letters as people type them when they have no others: without accents and case.

`plain_letters` does so to a text, and `plain` to a column of the database; both must write every letter alike.
"""

import unicodedata
from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

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


class plain(FunctionElement[str]):  # noqa: N801 — it reads as the function of SQL that it is
    """A column's text as `plain_letters` writes it."""

    type = String()
    inherit_cache = True


@compiles(plain)
def _plain(element: plain, compiler: Any, **options: Any) -> str:
    return f"plain_letters({compiler.process(element.clauses, **options)})"


@compiles(plain, "postgresql")
def _plain_on_postgresql(element: plain, compiler: Any, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    letters, instead = ("".join(side) for side in zip(*PLAIN.items(), strict=True))
    for letter, several in SEVERAL.items():
        text = f"replace({text}, '{letter}', '{several}')"
    # Letters with nothing in their place are left out: accents that stand apart from what they are on.
    return f"translate(lower({text}), '{letters}{ACCENTS}', '{instead}')"
