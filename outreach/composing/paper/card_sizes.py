"""The cards that a template may choose in place of a letter: what is cut off, where words stand, where the address.

All in mm from the top left of the artwork, which is larger than the card by the bleed on every side. 4 × 6 and 6 × 9
inches: Lob's postcards (artwork, safe area and ink-free zone of its templates, lob/examples, MIT). A6, 148 × 105 mm, is
ISO 216. No vendor says where its bleed and its clear zone are, so 3 mm and the right half below the stamp are assumed,
which is the most that any of the others keeps free.
"""

import re
from dataclasses import dataclass

from outreach.composing.paper.sizes import INCH, Zone

_CHOICE = re.compile(r"\s*\{#\s*paper:\s*(.*?)\s*#\}")


@dataclass(frozen=True)
class Card:
    """One kind of card, in mm."""

    name: str
    #: This and the height are the artwork's, with the bleed.
    width: float
    height: float
    bleed: float
    #: Words stand so far in.
    margin: float
    #: The post needs this place to itself.
    address: Zone


CARDS = {
    card.name: card
    for card in (
        Card(
            "card 4x6",
            6.25 * INCH,
            4.25 * INCH,
            0.125 * INCH,
            11,
            Zone(2.6915 * INCH, 1.625 * INCH, 3.2835 * INCH, 2.375 * INCH),
        ),
        Card(
            "card 6x9",
            9.25 * INCH,
            6.25 * INCH,
            0.125 * INCH,
            16,
            Zone(4.975 * INCH, 3.625 * INCH, 4.0 * INCH, 2.375 * INCH),
        ),
        Card("card A6", 154, 111, 3, 11, Zone(77, 43, 71, 62)),
    )
}
LETTER_PAPER = "letter"


def chosen_paper(source: str) -> str:
    """What a template's first line chooses, as in `{# paper: card 4x6 #}`; “letter” where it does not."""
    choice = _CHOICE.match(source)
    return choice[1] if choice else LETTER_PAPER


def choose(paper: str, source: str) -> str:
    """The source with `paper` chosen in its first line."""
    return source if paper == LETTER_PAPER else f"{{# paper: {paper} #}}{source}"
