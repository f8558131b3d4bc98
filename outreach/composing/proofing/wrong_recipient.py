"""Finds what makes a printed letter somebody else's, by its words as they are read back from its pages.

It trusts nothing that wrote the letter: only the text on the pages, the recipient, and the people it could be mixed up
with. What it says names nobody.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outreach.composing.proofing.text_match import (
    find_words,
    holds_words,
    is_mixed,
    is_right_to_left,
    plain_words,
    squeeze,
    take_out,
)
from outreach.intake.names import names_of
from outreach.models import Customer

# Of fewer letters, a name is too easily a part of what is written anyway.
SHORTEST = 5
_CODES = "USD|EUR|GBP|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|ISK|JPY|INR|MXN"
_SIGN = rf"(?:[A-Z]{{0,3}}[$€£¥₹₽₩]|\b(?:{_CODES})\b|\bkr\b|zł|Kč)"
# Thousands are parted by points, commas, apostrophes (Switzerland) or hard spaces (France), as Babel writes them.
_NUMBER = r"\d[\d.,'’\u00a0\u202f]*"
# Before its sign it ends with a digit: in “March 5, $900” the day is no part of the amount.
_MONEY = re.compile(rf"{_SIGN}[\s\u00a0]?{_NUMBER}|{_NUMBER}(?<=\d)[\s\u00a0]?{_SIGN}")


@dataclass(frozen=True)
class Bystander:
    """Somebody a letter could be mixed up with: the names and the street that would show it."""

    customer_id: str
    names: tuple[str, ...]
    street: str


@dataclass(frozen=True)
class Own:
    """What a letter must and may hold."""

    #: The recipient's name and address as they are printed.
    lines: tuple[str, ...]
    #: Those whom it is for and about.
    people: tuple[Bystander, ...]
    #: Words that its template puts in, such as the greeting and the amount.
    must: tuple[str, ...] = ()
    #: All the amounts that it may name.
    amounts: tuple[str, ...] = ()
    #: Words that are in every such letter, which may happen to be somebody's name.
    fixed: str = ""
    #: What it calls the recipient, as often as it does.
    called: tuple[str, ...] = ()


def person_of(customer: Customer) -> Bystander:
    """What tells a customer from all others on paper; a name of one word tells nobody."""
    own = names_of(customer)
    names = {f"{name} {own.family}" for name in (own.given, own.preferred) if name and own.family}
    street = customer.address_line1 or ""
    has_number = any(letter.isdigit() for letter in street)
    kept = tuple(sorted(plain for name in names if len(plain := plain_words(name)) >= SHORTEST))
    return Bystander(customer.customer_id, kept, plain_words(street) if has_number else "")


def find_mix_up(said: str, own: Own, others: Iterable[Bystander]) -> str:
    """Why the letter whose whole text is `said` is not theirs, for a person to mend; empty when it is.

    `others` may hold the letter's own people, whom it may name. Twins, a father and a son of one name, and people of
    one household share what they share, and are not taken for one another.
    """
    text = plain_words(said)
    if not all(_holds_whole(text, plain_words(line)) for line in own.lines):
        return "it lacks its recipient's name or address; write it anew"
    body = take_out(said, own.lines)
    if not all(holds_words(body, word) for word in own.must):
        return "it lacks its recipient's greeting or amount; write it anew"
    expected = {squeeze(amount) for amount in own.amounts}
    # At the end of a sentence the full stop counts as part of the number.
    if any(squeeze(found).rstrip(".,") not in expected for found in find_amounts(said)):
        return "it names an amount that is not its recipient's; look at the template and the invoices"
    return _find_other(text, own, others)


def _holds_whole(text: str, line: str) -> bool:
    return bool(find_words(text, line)) if is_mixed(line) else line in text


def _find_other(text: str, own: Own, others: Iterable[Bystander]) -> str:
    mine = {person.customer_id for person in own.people}
    fixed = plain_words(own.fixed)
    excused = [span for words in _own_words(own) for span in find_words(text, words)]
    for other in others:
        if other.customer_id in mine:
            continue
        if any(_stands(text, name, excused) for name in other.names if name not in fixed):
            return "it carries another customer's name; look at who the moment is about"
        if other.street and other.street not in fixed and _stands(text, other.street, excused):
            return "it carries another customer's address; look at who the moment is about"
    return ""


def _own_words(own: Own) -> list[str]:
    names = [name for person in own.people for name in (*person.names, person.street) if name]
    return [*(plain_words(line) for line in own.lines), *names]


def _stands(text: str, words: str, excused: Sequence[tuple[int, int]]) -> bool:
    """Whether `words` stand in the text anywhere but inside what is the recipient's own."""
    # Most names stand nowhere on the page, and `in` says so far sooner than a search does.
    return (words in text or is_right_to_left(words)) and any(
        not any(first <= start and end <= last for first, last in excused) for start, end in find_words(text, words)
    )


def find_amounts(said: str) -> list[str]:
    """The amounts of money in a text, as they are written there."""
    return [found[0] for found in _MONEY.finditer(said)]
