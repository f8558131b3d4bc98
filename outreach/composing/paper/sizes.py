"""Paper and the places on it: sizes, the envelope's window, where words may begin. All in mm from the top left.

US Letter, from Lob's letter templates (lob/examples, MIT): recipient text at 0.695, 1.75 in of 2.92 × 0.9 in, in the
window at 0.625, 1.7 in of 4 × 1 in; return address in the window at 0.625, 0.5 in of 3.25 × 0.875 in; artwork from 2.9
in. A4, from DIN 5008 form B: the address field of 85 × 45 mm lies 20 mm from the left and 45 mm from the top, its first
5 mm a return line; DIN 680 and UK DL windows show it too. Text stands 5 mm in, at 25 mm.
"""

from dataclasses import dataclass

INCH = 25.4


@dataclass(frozen=True)
class Zone:
    left: float
    top: float
    width: float
    height: float

    def holds(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Whether a box lies inside; half a millimetre of tolerance for the printer."""
        within = 0.5
        return (
            left >= self.left - within
            and top >= self.top - within
            and right <= self.left + self.width + within
            and bottom <= self.top + self.height + within
        )


@dataclass(frozen=True)
class Paper:
    """One kind of paper, in mm."""

    name: str
    width: float
    height: float
    #: Where the recipient's lines stand.
    address: Zone
    #: Where our own lines stand.
    sender: Zone
    #: Where the letter may begin.
    body_top: float
    margin: float


US_LETTER = Paper(
    name="US Letter",
    width=8.5 * INCH,
    height=11 * INCH,
    address=Zone(0.695 * INCH, 1.75 * INCH, 2.92 * INCH, 0.9 * INCH),
    sender=Zone(0.695 * INCH, 0.52 * INCH, 3.1 * INCH, 0.83 * INCH),
    body_top=2.9 * INCH,
    margin=21,
)
A4 = Paper(
    name="A4",
    width=210,
    height=297,
    address=Zone(25, 50, 80, 38),
    sender=Zone(25, 17, 80, 24),
    body_top=93,
    margin=25,
)
_US_LETTER_COUNTRIES = frozenset({"US", "CA", "MX"})


def paper_for(country: str, provider: str = "outbox") -> Paper:
    """The paper a letter to `country` (two letters) is printed on: what envelopes and printers there expect.

    Lob, in the United States, prints on no A4 wherever a letter goes (lob-openapi 1.22.0, ltr_size).
    """
    return US_LETTER if provider == "lob" or country in _US_LETTER_COUNTRIES else A4


# Lob: 60 sheets printed on one side at home, and 6 abroad (lob-openapi 1.22.0, ltr_file). Stannp: 10 pages (its API
# reference, letters/create). PostGrid says nothing.
_MOST_PAGES = {"lob": (60, 6), "stannp": (10, 10)}
_MOST_PAGES_OF_OTHERS = 10


def most_pages_of(provider: str, is_domestic: bool) -> int:
    """How many pages of one letter a provider takes, within the country or abroad."""
    at_home, abroad = _MOST_PAGES.get(provider, (_MOST_PAGES_OF_OTHERS, _MOST_PAGES_OF_OTHERS))
    return at_home if is_domestic else abroad
