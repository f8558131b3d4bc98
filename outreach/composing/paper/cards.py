"""Prints both sides of a card: the words in somebody's hand, and the address side.

Only providers that print what they are given as it is get one: no vendor's own cards are known to us.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from outreach.composing.handwriting.page_setup import Sheet
from outreach.composing.handwriting.pens import Pen
from outreach.composing.paper.address_lines import fit_address
from outreach.composing.paper.addresses import Address
from outreach.composing.paper.card_sizes import Card
from outreach.composing.paper.letterhead import read_letterhead
from outreach.composing.paper.letters import hands_of, lay_out, print_smaller
from outreach.composing.paper.sizes import Zone
from outreach.composing.paper.windows import BAR_CODE, OURS
from outreach.composing.template_data import Facts
from outreach.composing.templating.small_print import fill_layout, title_of
from outreach.composing.templating.templates import Words
from outreach.errors import SettingsError
from outreach.settings import Settings

# Few words are written larger.
SCALES = (1.3, 1.15, 1.0, 0.94, 0.88, 0.8, 0.72)
# The address keeps this far from the edge of its zone, in mm.
INSET = 6.0
SIDES = 2


def write_card(
    facts: Facts,
    words: Words,
    rendered: str,
    address: Address,
    settings: Settings,
    on: date,
    reference: str,
    card: Card,
) -> bytes:
    """The PDF of both sides with their bleed, the words first. The same reference gives the same bytes for ever.

    Raises as `write_letter` does; TooLong over one side, SettingsError where the provider prints no cards.
    """
    provider = settings.provider_for("letter")
    if provider not in OURS:
        raise SettingsError(
            f"{provider} prints letters for us, and no cards; set providers.letter to “printroom”, or take "
            "“paper:” out of the template"
        )
    letterhead = read_letterhead(settings)
    pen, values = lay_out(facts, words, rendered, address, settings, on, reference)
    values["address"], size = fit_address(values["address"], address_place(card), values["typed"])
    html = fill_layout(
        "card.html",
        **values,
        title=title_of("card", words.language, settings.business, reference),
        address_size=size,
        has_letterhead=letterhead is not None,
    )
    sheet = Sheet(
        SIDES,
        card.bleed,
        settings.paper.format == "PDF/A-2b",
        {"letterhead": letterhead} if letterhead else {},
        too_long=f"The words do not fit on one side of a {card.name}; shorten the template, or choose a larger card "
        "or a letter in its first line",
    )
    tries = [(sheet, scale) for scale in SCALES]
    return print_smaller(html, lambda _, scale: _style(card, pen, values["typed"], scale), pen, reference, tries)


def address_place(card: Card) -> Zone:
    """Where the lines of the address stand within the zone that the post keeps for it."""
    zone = card.address
    return Zone(zone.left + INSET, zone.top + INSET, zone.width - 2 * INSET, zone.height - INSET - BAR_CODE)


@lru_cache(maxsize=32)
def _style(card: Card, pen: Pen, typed: Sequence[str], scale: float) -> str:
    return fill_layout("card.css", card=card, place=address_place(card), **hands_of(pen, typed, scale))
