"""Names the known word that is nearest to one that is not known, for whoever mistyped it."""

from collections.abc import Iterable
from difflib import get_close_matches


def add_nearest(sentence: str, name: str, known: Iterable[str]) -> str:
    """The sentence, and a question after it where a known word is much like `name`, whatever the case."""
    folded = {each.casefold(): each for each in known}
    near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f"{sentence}; did you mean “{folded[near[0]]}”?" if near else sentence
