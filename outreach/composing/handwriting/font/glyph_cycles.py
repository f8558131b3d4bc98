"""Chooses walks through the forms of each character, on which a hand seldom repeats itself.

A walk only says which form comes next. It knows nothing of what a form looks like, or of how a font says it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from outreach.composing.handwriting.font.variation import number_of

# A character that comes most often has so many forms.
FORMS = 16
GROUPS = 12
# So many walks are tried, and the one that repeats itself least on these lines is taken.
TRIED = 60
LINES = (
    "Thank you for coming to see us last week. How does your tooth feel by now?",
    "Most people notice it for two or three days, and then no more. If anything",
    "hurts or puzzles you, call me: I would rather hear it too early than too late.",
    "It is a year since you first came to us, and we have not said often enough",
    "how glad we are of it. Three hundred letters have left our office since then,",
    "between all those appointments, and the little things that nobody remembers.",
    "Vielen Dank, dass Sie uns so lange die Treue halten; wenn wir irgendetwas",
    "besser machen können, sagen Sie es uns bitte jederzeit gerne und immer offen.",
    "Merci beaucoup de nous avoir fait confiance ; nous serions heureux de savoir",
    "comment vous allez. Esperamos que todo siga bien, y que nos llame si necesita algo.",
)


@dataclass(frozen=True)
class Walk:
    """The form of a character is that of the one before it, moved on by as many as its own group steps."""

    #: The group of each character.
    group: Mapping[str, int]
    #: By how many forms each group moves on.
    step: tuple[int, ...]
    #: The form that a line begins with, by the groups of its first character and of the one after it.
    first: tuple[tuple[int, ...], ...]


def choose_walk_of(forms: Mapping[str, int], seed: int, number: int) -> Walk:
    """Walk `number` through the `forms` of each character; the same seed gives the same walk for ever."""
    tries = [_draw(forms, number_of(seed, "walk", number, each)) for each in range(TRIED)]
    return min(tries, key=lambda walk: count_repeats(walk, forms))


def _draw(forms: Mapping[str, int], seed: int) -> Walk:
    rng = np.random.default_rng(seed)
    group = {character: int(rng.integers(GROUPS)) for character in forms}
    step = tuple(int(each) for each in rng.integers(1, FORMS, GROUPS))
    first = tuple(tuple(int(each) for each in row) for row in rng.integers(0, FORMS, (GROUPS, GROUPS)))
    return Walk(group, step, first)


def go_along(walk: Walk, forms: Mapping[str, int], line: str) -> list[int]:
    """Which form each character of a line has on this walk."""
    group = walk.group
    at = walk.first[group[line[0]]][group[line[1]]] % forms[line[0]]
    taken = [at]
    for letter in line[1:]:
        # As the rules of substitutions.py do it: what is counted here must be what the font will do.
        at = (at + walk.step[group[letter]]) % FORMS % forms[letter]
        taken.append(at)
    return taken


def count_repeats(walk: Walk, forms: Mapping[str, int]) -> int:
    """How often a character has the form it had last; where that was in the same word it counts for ten.

    Words are moved and turned a little as they are written, each as a whole: within one, alike is alike.
    """
    repeats: Counter[bool] = Counter()
    for line in LINES:
        letters = [letter for letter in line if letter in forms]
        last: dict[str, tuple[int, int]] = {}
        word = 0
        for letter, form in zip(letters, go_along(walk, forms, "".join(letters)), strict=True):
            if letter.isspace():
                word += 1
                continue
            before = last.get(letter)
            if before is not None and before[0] == form:
                repeats[before[1] == word] += 1
            last[letter] = form, word
    return 10 * repeats[True] + repeats[False]
