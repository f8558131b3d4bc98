"""Tells which care is never mentioned, by the name that a record gives it.

The words stand in care_words.toml, by kind of care and language. A name is read without regard to case, accents and
scripts' variants, word by word: "Instrumental" is no mental health care, and "Kaiserschnittentbindung" is a birth. It
never asks a business's list of treatments: no yes by anybody makes such care fit to be mentioned.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from outreach.text_folding import plain_letters

CareKind = Literal["reproductive", "mental_health", "abuse", "addiction", "end_of_life"]

WORDS = Path(__file__).with_name("care_words.toml")
CARE_KINDS: tuple[CareKind, ...] = ("reproductive", "mental_health", "abuse", "addiction", "end_of_life")
END_OF_LIFE: CareKind = "end_of_life"
# What SNOMED CT writes behind a name to say what sort of entry it is: https://confluence.ihtsdotools.org/display/DOCEG
_TAG = re.compile(
    r"\((?:procedure|regime/therapy|finding|disorder|situation|record artifact|physical object|event)?\)?$"
)
_WORD = re.compile(r"[^\W_]+")
# One letter each for what Arabic and Persian keyboards write differently; what joins or stretches letters goes.
_ONE_LETTER = str.maketrans(
    {"ى": "ي", "ی": "ي", "ې": "ي", "ک": "ك", "ة": "ه", "ە": "ه", "ہ": "ه", "ھ": "ه", "ـ": None, "\u200d": None}
)
_ARABIC = re.compile(r"^\*?[\u0600-\u06ff]")
# "And", "with the", "for the" and "the" are written onto an Arabic word.
_ARABIC_PREFIX = r"(?:[وف]?(?:بال|كال|ال|لل|ب|ل)?)"


@dataclass(frozen=True)
class _Phrase:
    """One way to say it: all of `there` are in the name, and none of `not_there`."""

    there: tuple[re.Pattern[str], ...]
    not_there: re.Pattern[str] | None

    def is_in(self, name: str) -> bool:
        return all(part.search(name) for part in self.there) and not (self.not_there and self.not_there.search(name))


@lru_cache(maxsize=20_000)
def kinds_of_care(name: str) -> frozenset[CareKind]:
    """The kinds of care that are never mentioned and that `name` names; none for a filling."""
    folded = _fold(_TAG.sub("", name.strip()))
    return frozenset(kind for kind, phrases in _read_words().items() if any(p.is_in(folded) for p in phrases))


def is_never_mentioned(name: str) -> bool:
    """Whether nobody is asked how they are after this, and nothing cheerful follows it."""
    return bool(kinds_of_care(name))


def is_end_of_life(name: str) -> bool:
    """Whether only a person writes to whoever has this."""
    return END_OF_LIFE in kinds_of_care(name)


def _fold(text: str) -> str:
    """The words of `text` in plain letters, a space before and behind each."""
    plain = (plain_letters(text) or "").translate(_ONE_LETTER)
    return f" {' '.join(_WORD.findall(plain))} "


@lru_cache(maxsize=1)
def _read_words() -> dict[CareKind, tuple[_Phrase, ...]]:
    """What care_words.toml says, the phrases of one kind that only have to be there as one pattern."""
    written = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return {kind: _phrases([line for lines in written[kind].values() for line in lines]) for kind in CARE_KINDS}


def _phrases(lines: Sequence[str]) -> tuple[_Phrase, ...]:
    simple = [line for line in lines if not re.search(r"[&=]|(?:^| )-", line)]
    together = re.compile("|".join(_pattern(line) for line in simple))
    return (_Phrase((together,), None), *(_phrase(line) for line in lines if line not in simple))


def _phrase(line: str) -> _Phrase:
    if line.startswith("="):
        return _Phrase((re.compile(f"^{_pattern(line[1:])} $"),), None)
    words = line.split()
    against = [word[1:] for word in words if word.startswith("-")]
    parts = " ".join(word for word in words if not word.startswith("-")).split(" & ")
    not_there = re.compile("|".join(_pattern(word) for word in against)) if against else None
    return _Phrase(tuple(re.compile(_pattern(part)) for part in parts), not_there)


def _pattern(part: str) -> str:
    """Words next to each other in a folded name; a star stands for any letters of its word."""
    return "".join(f" {_word(word)}" for word in part.split()) + "(?= )"


def _word(word: str) -> str:
    letters = _fold(word.replace("*", "")).strip() if "*" not in word.strip("*") else None
    assert letters, f"{word} in {WORDS.name}: a star stands at the beginning or end of a word"  # noqa: S101
    prefix = _ARABIC_PREFIX if _ARABIC.match(word) else ""
    return ("[^ ]*" if word.startswith("*") else prefix) + re.escape(letters) + ("[^ ]*" if word.endswith("*") else "")
