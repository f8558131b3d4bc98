"""Says whether two pages were written by one hand, by the letters that stand on both.

It compares a person's letters with their own only: how alike they are from page to page, beside how alike they are on
each page. Where too few letters stand on both it says nothing.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from outreach.composing.handwriting.own_hand.samples import Take, compare
from outreach.errors import ScanUnreadable

# Pages are compared where they have so many letters in common; and how much less alike letters are from page to page
# than on one page, as a share, where two persons wrote them: benchmarks/own_hand.py `hands`.
FEWEST, STRANGE = 4, 0.14


def require_one_hand(sources: Sequence[str], pages: Sequence[Sequence[Take]]) -> None:
    """Raises ScanUnreadable where two of the pages, which came from these files, look like two persons' writing."""
    written = [[take for take in page if take.box.kind == "letter" and take.is_good] for page in pages]
    for (first, one), (second, other) in combinations(zip(sources, written, strict=True), 2):
        if (far := measure_strangeness(one, other)) is not None and far > STRANGE:
            raise ScanUnreadable(
                f"{first} and {second} look as if two persons had written them; give one person's pages alone, "
                "or say --one-person if one person wrote them"
            )


def measure_strangeness(one: Sequence[Take], other: Sequence[Take]) -> float | None:
    """How much less alike letters are from page to page than on one page; None where too few stand on both."""
    common = {take.box.words for take in one} & {take.box.words for take in other}
    takes = [take for take in (*one, *other) if take.box.words in common]
    if len(common) < FEWEST:
        return None
    covered = compare(takes)
    words = np.array([take.box.words for take in takes])
    is_first = np.arange(len(takes)) < sum(take.box.words in common for take in one)
    is_same = is_first[:, None] == is_first[None, :]
    upper = np.triu(np.ones_like(is_same), 1).astype(bool)
    far = []
    for letter in common:
        is_letter = upper & (words == letter)[:, None] & (words == letter)[None, :]
        within, across = covered[is_letter & is_same], covered[is_letter & ~is_same]
        if len(within):
            far.append(1 - float(across.mean()) / float(within.mean()))
    return float(np.mean(far)) if len(far) >= FEWEST else None
