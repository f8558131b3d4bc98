"""Says where an envelope or a card shows words, and where no ink may be, for a provider and a paper.

All in mm from the top left. The numbers are the vendors' own: Lob's letter templates and postcards (lob/examples, MIT).
What a vendor has not published is forbidden, until a person has held a proof in hand and the settings say so; then our
own paper counts.
"""

from collections.abc import Collection
from dataclasses import dataclass

from outreach.composing.paper.card_sizes import CARDS, Card
from outreach.composing.paper.sizes import A4, INCH, US_LETTER, Paper, Zone
from outreach.errors import SettingsError

Stock = Paper | Card
# Files and the print room print what they are given as it is, on paper and into envelopes of our choosing.
OURS = frozenset({"outbox", "printroom"})
PUBLISHED = frozenset({("lob", "US Letter"), ("lob", "card 4x6"), ("lob", "card 6x9")})
# Lob's help asks for 1/16 in and its template keeps 3/16; the larger is right for both, and for office printers.
CLEAR_EDGE = 0.1875 * INCH
# What a blade may miss its line by.
CUT_TOLERANCE = 0.0625 * INCH
# The post prints its bar code into the foot of a card's address zone.
BAR_CODE = 16.0
_WINDOWS = {
    "US Letter": (
        Zone(0.625 * INCH, 1.7 * INCH, 4.0 * INCH, 1.0 * INCH),
        Zone(0.625 * INCH, 0.5 * INCH, 3.25 * INCH, 0.875 * INCH),
    ),
    "A4": (Zone(20, 45, 85, 45), None),
}
# Lob prints a white box over the artwork, and the address and ours into it.
_COVERED = {("lob", "US Letter"): Zone(0.6 * INCH, 0.84 * INCH, 3.15 * INCH, 2.0 * INCH)}


@dataclass(frozen=True)
class Zones:
    """The places on the page that carries the address; everything on the other pages may be read."""

    #: The number of that page.
    page: int
    #: The recipient's lines stand here, where we print them, and nothing else does.
    window: Zone | None
    #: Where an envelope shows our lines.
    sender: Zone | None = None
    #: What stands here is lost, because the provider prints the address and ours over it.
    covered: Zone | None = None
    #: No ink may be here.
    keep_out: tuple[Zone, ...] = ()
    #: No ink may be so near to the page's edges.
    edge: float = CLEAR_EDGE
    #: A card has one, and only its words must keep away from the edge.
    bleed: float = 0.0

    @property
    def seen(self) -> tuple[Zone, ...]:
        """What anybody can read without opening the envelope."""
        return tuple(zone for zone in (self.window, self.sender) if zone)


def stock_of_size(width: float, height: float) -> Stock | None:
    """The paper or card of ours with this size in mm; None where there is none."""
    sizes = {stock: max(abs(stock.width - width), abs(stock.height - height)) for stock in stocks()}
    return next((stock for stock, off in sizes.items() if off < 1), None)


def stocks() -> tuple[Stock, ...]:
    """Every paper and card there is."""
    return (US_LETTER, A4, *CARDS.values())


def takes(provider: str, stock: Stock) -> bool:
    """Whether a provider prints on that paper at all: Lob knows no A4, and Handwrytten no artwork of ours."""
    return provider != "handwrytten" and (provider != "lob" or stock.name not in {"A4", "card A6"})


def zones_for(provider: str, stock: Stock) -> Zones:
    """The places on a letter or card as far as they are known; ours where the vendor has published none."""
    if isinstance(stock, Paper):
        window, sender = _WINDOWS[stock.name]
        return Zones(1, window, sender, _COVERED.get((provider, stock.name)))
    place = stock.address
    edge = stock.bleed + CUT_TOLERANCE
    if provider not in OURS:
        # The vendor prints the address, so that our own would be in its way.
        return Zones(2, None, keep_out=(place,), edge=edge, bleed=stock.bleed)
    foot = Zone(place.left, place.top + place.height - BAR_CODE, place.width, BAR_CODE)
    shown = Zone(place.left, place.top, place.width, place.height - BAR_CODE)
    return Zones(2, shown, keep_out=(foot,), edge=edge, bleed=stock.bleed)


def is_known(provider: str, stock: Stock, confirmed: Collection[str]) -> bool:
    """Whether the places are published, of our choosing, or found right on a proof that the settings confirm."""
    named = (provider, stock.name)
    return provider in OURS or named in PUBLISHED or " ".join(named) in confirmed


def unknown_because(provider: str, stock: Stock) -> str:
    """Why nothing may be printed yet, and what to do."""
    return (
        f"{provider} does not publish where its window and its clear zones are on {stock.name}, so all of it is "
        f"forbidden: order one proof, see that the address shows and nothing is covered, then add "
        f"“{provider} {stock.name}” to paper.confirmed_proofs in outreach.toml"
    )


def require_known(provider: str, stock: Stock, confirmed: Collection[str]) -> None:
    """Raises SettingsError where the places are not known and no proof is confirmed."""
    if takes(provider, stock) and not is_known(provider, stock, confirmed):
        raise SettingsError(unknown_because(provider, stock))
