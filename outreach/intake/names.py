"""Reads the names that a customer may be greeted and addressed by; what stands for no name is never one of them.

A reason names the field and never repeats what stands in it, so that it may be read anywhere.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from outreach.intake.name_affixes import split_titles
from outreach.intake.placeholder_words import (
    CONTACT,
    DEATH,
    DEATH_AS_WRITTEN,
    GIVEN_NAMES,
    MARKS,
    NEVER_WITHIN,
    NO_NAMES,
    NO_TITLES,
    NOTE,
    OPEN_TITLE,
    PHRASES,
    SHORT_FORMS,
    SURNAMES,
    UNKNOWN_WITHIN,
)
from outreach.models import Customer

Role = Literal["given", "family", "title"]
FIELDS: dict[str, Role] = {
    "preferred_name": "given", "given_name": "given", "honorific": "title", "family_name": "family",
}  # fmt: skip
_NO_WORD = "a word that stands for no name"
_FEWEST_DIGITS_OF_A_NUMBER = 6
# What is typed to fill a field: one letter over and over, or an x.
_ONE_LETTER = re.compile(r"x+|([a-z])\1{2,}")


@dataclass(frozen=True)
class Names:
    """The parts of a customer's name that may be written, each empty where there is none."""

    preferred: str
    given: str
    title: str
    family: str


def names_of(customer: Customer) -> Names:
    """The parts of the customer's name, without what is no name; a title that stands in the given name is a title."""
    fields = {field: (getattr(customer, field) or "").strip() for field in FIELDS}
    faulty = dict(_faults(customer))
    right = {field: "" if field in faulty else value for field, value in fields.items()}
    title, given = _move_title(right["honorific"], right["given_name"], right["family_name"])
    return Names(right["preferred_name"], given, title, right["family_name"])


def _move_title(title: str, given: str, family: str) -> tuple[str, str]:
    """The title and the given name, with the titles that stood in the given name where they belong."""
    titles, rest = split_titles(given)
    # Without a family name beside it, the field holds all of the name: "Mr. Smith" is not to become "Smith".
    if not (titles and family and _fold(rest) != _fold(family)) or _fault_in(rest, "given", False):
        return title, given
    known = _fold(title).replace(".", "").split()
    new = " ".join(word for word in titles.split() if _fold(word).replace(".", "") not in known)
    return f"{title} {new}".strip(), rest


def greeting_of(customer: Customer) -> str | None:
    """What to call them: the name they prefer, their given name, or title and family name.

    None where a person must look first, as at a name that says that its bearer has died.
    """
    if tells_of_death(customer):
        return None
    names = names_of(customer)
    # Never the family name alone, which is rude where it is no one's only name; and no title is guessed.
    formal = f"{names.title} {names.family}" if names.title and names.family else ""
    return names.preferred or names.given or formal or None


def names_to_call(customer: Customer) -> set[str]:
    """All that the customer may be called in a letter: given names, with and without the family's, and with a title."""
    names = names_of(customer)
    given = {name for name in (names.preferred, names.given) if name}
    beside = {name for name in (*given, names.title) if name and names.family}
    return given | {f"{name} {names.family}" for name in beside}


def why_no_greeting(customer: Customer) -> str:
    """Why there is nothing to call them, for the person who can mend it; empty where there is something."""
    if greeting_of(customer):
        return ""
    if tells_of_death(customer):
        return "a name of theirs says that they have died; ask, and record the death or mend the name"
    faults = "; ".join(f"{field} holds {fault}" for field, fault in _faults(customer))
    return f"there is no name to greet them by{': ' + faults if faults else ''}"


def is_name(text: str) -> bool:
    """Whether `text` may be written as somebody's name, such as a practitioner's."""
    return bool(text.strip()) and not _fault_in(text.strip(), "given", False)


def tells_of_death(customer: Customer) -> bool:
    """Whether any part of the name says that they have died, such as “(deceased)” or “estate of”."""
    return any(_says_death(value) for field in FIELDS if (value := getattr(customer, field)))


def _faults(customer: Customer) -> Iterator[tuple[str, str]]:
    """The fields that hold something other than a name, with what it is."""
    given = [value.strip() for value in (customer.given_name, customer.preferred_name) if value and value.strip()]
    faults = [_fault_in(value, "given", False) for value in given]
    # A family name that is also a word for nobody is believed beside a name, or alone.
    is_beside_none = _NO_WORD in faults and all(faults)
    for field, role in FIELDS.items():
        value = (getattr(customer, field) or "").strip()
        if value and (fault := _fault_in(value, role, is_beside_none)):
            yield field, fault


@lru_cache(maxsize=1 << 16)
def _says_death(value: str) -> bool:
    return bool(DEATH.search(_fold(value)) or DEATH_AS_WRITTEN.search(value))


@lru_cache(maxsize=1 << 16)
def _fault_in(value: str, role: Role, is_beside_none: bool) -> str:
    """What stands in a field instead of a name; empty for a name."""
    shown = "".join(letter for letter in unicodedata.normalize("NFKC", value) if unicodedata.category(letter) != "Cf")
    folded = _fold(shown)
    letters, digits = sum(map(str.isalpha, shown)), sum(map(str.isdigit, shown))
    if _says_death(value):
        return "a note of a death"
    if CONTACT.search(folded):
        return "an e-mail address or a link"
    if digits >= _FEWEST_DIGITS_OF_A_NUMBER:
        return "a telephone number or another number"
    if digits > letters or not letters:
        return "signs or digits only"
    if _is_no_word(shown, folded, role, is_beside_none):
        return _NO_WORD
    if MARKS.search(shown):
        return "a mark of a template or of a broken file"
    return "a note or a household, not a name" if NOTE.search(folded) else ""


def _is_no_word(shown: str, folded: str, role: Role, is_beside_none: bool) -> bool:
    bare = shown.strip("()[]<>\"'“”‘’-–—.:;,#!?* ")
    words = re.sub(r"[\W\d_]+", " ", folded).split()
    short = SHORT_FORMS.fullmatch(shown) or SHORT_FORMS.fullmatch(bare)
    if role == "title":
        is_none = set(words) <= (NO_NAMES | NO_TITLES) - {"sir", "madam"} or " ".join(words) in PHRASES
        return bool(short or is_none or OPEN_TITLE.fullmatch(folded))
    if bare in GIVEN_NAMES and shown == bare:
        return False
    if role == "family" and not is_beside_none and (set(words) <= SURNAMES or words == ["x"]):
        # Of those, only what a program writes: "null", "NULL", "test".
        return bare != bare.title() and set(words) <= {"null", "nan", "nil", "na", "test", "true"}
    within = NEVER_WITHIN & {bare, *shown.split()} or UNKNOWN_WITHIN & set(words)
    filled = _ONE_LETTER.fullmatch("".join(words))
    return bool(short or within or filled or set(words) <= NO_NAMES or " ".join(words) in PHRASES)


def _fold(value: str) -> str:
    """In small letters, without accents, signs as they are."""
    apart = unicodedata.normalize("NFKD", value).casefold()
    return " ".join("".join(letter for letter in apart if not unicodedata.combining(letter)).split())
