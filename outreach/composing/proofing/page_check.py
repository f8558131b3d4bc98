"""Finds everything that is wrong on paper with a printed letter or card, each fault with its place.

What it says never repeats a customer's words, so that it may stand in logs. It changes nothing and reads no database.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from outreach.composing.paper.card_sizes import Card
from outreach.composing.paper.sizes import Zone, most_pages_of
from outreach.composing.paper.windows import Stock, Zones, is_known, stock_of_size, takes, unknown_because, zones_for
from outreach.composing.proofing.glyphs import missing_glyphs
from outreach.composing.proofing.page_tree import find_reshaped, read_pdf
from outreach.composing.proofing.pdf_pages import Seen, ink_in, see_pages
from outreach.composing.proofing.text_match import holds_line, is_mixed, plain_words, squeeze, take_out
from outreach.composing.templating.private_words import DEBT, HEALTH
from outreach.settings import Settings

Kind = Literal["paper", "pages", "proof", "address", "window", "covered", "ink", "words", "face", "glyph", "overflow",
               "person"]  # fmt: skip
SIDES = 2
# More lines than any address has.
MOST_LINES = 7
# A piece of words ends in spaces of up to 5.5 mm, measured in every pen; where more lacks ink, something hides it.
CUT_OFF = 9.0
# A smaller piece, in mm, may be a space or a full stop alone.
SMALLEST = 5.0
# In mm: what PDFium gives for a gap between words is as flat as a line, and nothing is drawn there.
FLATTEST = 0.2
_BROKEN = re.compile("[\ufffd\ufffe\uffff]")


@dataclass(frozen=True)
class Fault:
    """Something that is wrong on a page."""

    kind: Kind
    #: The page's number, from 1.
    page: int
    #: Where, in mm from the page's top left; None for the whole page.
    box: Zone | None
    #: It tells a person what to do.
    says: str


@dataclass(frozen=True)
class ExpectedLetter:
    """What is known of a letter's recipient."""

    #: Their name and address, line by line.
    lines: tuple[str, ...]
    #: What no outside may tell of them, such as a treatment.
    private: frozenset[str] = frozenset()
    is_domestic: bool = True
    #: What a card calls them, as often as it does.
    called: tuple[str, ...] = ()


@dataclass(frozen=True)
class Examined:
    """What one look at a letter found."""

    #: Page by page; empty when all is well.
    faults: list[Fault]
    #: None where the file is built so that its pages were not drawn.
    pages: Sequence[Seen] = ()

    @property
    def words(self) -> str:
        """The words of all pages, in the order in which they stand in the file."""
        return "\n".join(page.words for page in self.pages).replace("\r\n", "\n")


def check_letter(pdf: bytes, provider: str, settings: Settings, expected: ExpectedLetter | None = None) -> list[Fault]:
    """What is wrong with a letter or card that `provider` shall print, page by page; empty when all is well.

    Without `expected`, any few lines may stand in the window. Raises ComposingError for what is no PDF.
    """
    return examine_letter(pdf, provider, settings, expected).faults


def examine_letter(pdf: bytes, provider: str, settings: Settings, expected: ExpectedLetter | None = None) -> Examined:
    """As `check_letter`, with the pages as they were seen: to read a PDF takes as long as to judge it."""
    reader = read_pdf(pdf)
    if reshaped := find_reshaped(reader):
        # Where its words stand depends on whether whoever prints it turns and cuts the page as well.
        says = "This page is shown turned, cut or at another scale; print it anew, upright and whole, on its own paper"
        return Examined([Fault("paper", number, None, says) for number in reshaped])
    pages = see_pages(pdf, lambda wide, high: _looked_at(provider, stock_of_size(wide, high)))
    stock = stock_of_size(pages[0].width, pages[0].height) if pages else None
    if stock is None or not takes(provider, stock):
        named = stock.name if stock else "a page of this size"
        says = f"{provider} does not print on {named}; choose a paper or card that it takes"
        return Examined([Fault("paper", 1, None, says)], pages)
    undrawn = missing_glyphs(reader)
    return Examined(_Check(undrawn, provider, settings, expected, pages, stock).faults(), pages)


def _looked_at(provider: str, stock: Stock | None) -> dict[int, tuple[Zone, ...]]:
    if stock is None:
        return {}
    zones = zones_for(provider, stock)
    return {zones.page: (*zones.seen, *((zones.covered,) if zones.covered else ()))}


class _Check:
    """One letter, looked at once."""

    def __init__(
        self,
        undrawn: Sequence[int],
        provider: str,
        settings: Settings,
        expected: ExpectedLetter | None,
        pages: Sequence[Seen],
        stock: Stock,
    ) -> None:
        self.undrawn, self.provider, self.settings, self.expected = undrawn, provider, settings, expected
        self.stock, self.pages = stock, pages
        self.zones: Zones = zones_for(provider, stock)
        self.front = pages[self.zones.page - 1] if len(pages) >= self.zones.page else None

    def faults(self) -> list[Fault]:
        faults = [*self._paper(), *self._pages(), *self._glyphs()]
        if self.front:
            faults += [*self._address(self.front), *self._covered(self.front)]
        for number, page in enumerate(self.pages, start=1):
            faults += [*self._ink(number, page), *self._hidden(number, page), *self._faces(number, page)]
        return sorted([*faults, *self._words()], key=lambda fault: fault.page)

    def _paper(self) -> Iterator[Fault]:
        stock = self.stock
        for number, page in enumerate(self.pages, start=1):
            if max(abs(page.width - stock.width), abs(page.height - stock.height)) >= 1:
                says = f"This page is not {stock.name} as the first is; print every page on the same paper"
                yield Fault("paper", number, None, says)
        if not is_known(self.provider, stock, self.settings.paper.confirmed_proofs):
            yield Fault("proof", self.zones.page, None, unknown_because(self.provider, stock))

    def _pages(self) -> Iterator[Fault]:
        count = len(self.pages)
        if isinstance(self.stock, Card):
            if count != SIDES:
                yield Fault("pages", count, None, f"A card has {SIDES} sides, and this file has {count}; write both")
            return
        most = most_pages_of(self.provider, self.expected is None or self.expected.is_domestic)
        if count > most:
            yield Fault("pages", most + 1, None, f"{self.provider} takes {most} pages and this has {count}; shorten it")

    def _glyphs(self) -> Iterator[Fault]:
        broken = {number for number, page in enumerate(self.pages, start=1) if _BROKEN.search(page.words)}
        for number in sorted({*broken, *self.undrawn}):
            says = "A letter on this page cannot be drawn and is a box or a gap; choose another pen or mend the word"
            yield Fault("glyph", number, None, says)

    def _address(self, page: Seen) -> Iterator[Fault]:
        window = self.zones.window
        if window is None:
            return
        words, number = page.words_in[window], self.zones.page
        lines = self.expected.lines if self.expected else tuple(words.splitlines())
        if not words.strip() or not all(holds_line(words, line) for line in lines):
            says = "The recipient's whole address does not stand in the window; move it there, or write it smaller"
            yield Fault("address", number, window, says)
        elif len(lines) > MOST_LINES or _left_over(words, lines):
            says = "Words that are not the address stand in the window; move them out of it"
            yield Fault("window", number, window, says)
        for piece in _across(page.pieces, window):
            says = "Words stand across the edge of the window and would be cut; move them in or out"
            yield Fault("address", number, piece, says)
        if drawn := ink_in(page, window, page.pieces):
            says = "Something drawn stands in the window beside the address; move it out of it"
            yield Fault("window", number, drawn, says)

    def _covered(self, page: Seen) -> Iterator[Fault]:
        """What the provider prints over is lost, but for what it prints there anew."""
        covered, window = self.zones.covered, self.zones.window
        if covered is None or window is None:
            return
        business = self.settings.business
        lines = self.expected.lines if self.expected else tuple(page.words_in[window].splitlines())
        drawn = ink_in(page, covered, page.pieces)
        if drawn or _left_over(page.words_in[covered], [*lines, business.name, *business.address]):
            says = f"{self.provider} prints addresses over this place, and what else stands in it is lost; move it"
            yield Fault("covered", self.zones.page, drawn or covered, says)

    def _ink(self, number: int, page: Seen) -> Iterator[Fault]:
        if number == self.zones.page:
            for place in self.zones.keep_out:
                if box := ink_in(page, place):
                    says = f"Ink stands where {self.provider} or the post prints its own; keep this place empty"
                    yield Fault("ink", number, box, says)
        edge, bleed = self.zones.edge, self.zones.bleed
        inside = Zone(edge, edge, page.width - 2 * edge, page.height - 2 * edge)
        # A card's artwork runs over the cut on purpose: only its words must stay clear of it.
        if bleed:
            for piece in page.pieces:
                if _touches(piece, Zone(0, 0, page.width, page.height)) and not _holds(inside, piece):
                    says = f"Words stand in the {edge:.1f} mm that may be cut off; move them further in"
                    yield Fault("ink", number, piece, says)
            return
        for strip in _strips(page, edge):
            if box := ink_in(page, strip):
                says = f"Ink stands within {edge:.1f} mm of the edge, where it may not print; move it further in"
                yield Fault("ink", number, box, says)

    def _hidden(self, number: int, page: Seen) -> Iterator[Fault]:
        whole = Zone(0, 0, page.width, page.height)
        for piece in page.pieces:
            if not _holds(whole, piece):
                says = "Words run off the page and would not be printed; shorten the line or the letter"
                yield Fault("overflow", number, piece, says)
            elif piece.width > SMALLEST and piece.height > FLATTEST and _is_cut(page, piece):
                says = "Words are cut off, covered, or have the colour of the paper; shorten the line, or move them"
                yield Fault("overflow", number, piece, says)

    def _faces(self, number: int, page: Seen) -> Iterator[Fault]:
        for name in sorted(page.loose):
            yield Fault("face", number, None, f"The font {name} is not in the file; print it with its fonts embedded")

    def _words(self) -> Iterator[Fault]:
        """What can be read from outside: a card on both sides, and a letter where the envelope has a window.

        A name or a street may be any word (Krebs, Fertility Lane): the recipient's own are not searched, each as often
        as it has to stand there.
        """
        business = self.settings.business
        ours = [business.name, *business.address, *(signatory.name for signatory in business.signatories)]
        theirs = (*self.expected.lines, *self.expected.called) if self.expected else ()
        private = self.expected.private if self.expected else frozenset()
        for number, box, said in self._open_words():
            rest = take_out(said, theirs)
            # Of a debt: Regulation F, 12 CFR 1006.22(f)(2). Of health: HIPAA's minimum necessary.
            telling = _find_words(_without(rest, ours), _telling())
            telling += _find_words(said, self.settings.paper.forbidden_outside)
            # Which word of theirs it is would tell it again.
            telling += ["what is theirs alone"] * bool(_find_words(_without(rest, ours), private))
            for word in dict.fromkeys(telling):
                says = f"Anybody can read “{word}” here without opening anything; take it out, or send a closed letter"
                yield Fault("words", number, box, says)

    def _open_words(self) -> Iterator[tuple[int, Zone | None, str]]:
        if isinstance(self.stock, Card):
            yield from ((number, None, page.words) for number, page in enumerate(self.pages, start=1))
        elif self.front:
            yield from ((self.zones.page, place, self.front.words_in[place]) for place in self.zones.seen)


@lru_cache(maxsize=1)
def _telling() -> tuple[str, ...]:
    return tuple(word for words in (DEBT, HEALTH) for some in words.values() for word in some)


def _find_words(said: str, words: Iterable[str]) -> list[str]:
    """Those of `words` that stand in `said` as whole words, whatever their letters' size."""
    plain = plain_words(said)
    return [
        word
        for word in words
        if (sought := plain_words(word)) in plain and re.search(rf"(?<!\w){re.escape(sought)}(?!\w)", plain)
    ]


def _without(said: str, lines: Iterable[str]) -> str:
    """`said` without these lines of words, the longest first."""
    plain = plain_words(said)
    for line in sorted(filter(None, map(plain_words, lines)), key=len, reverse=True):
        plain = plain.replace(line, " ")
    return plain


def _left_over(said: str, lines: Sequence[str]) -> str:
    """What is left of `said` once each of `lines` is taken out as often as it is given, spaces aside."""
    # The longest first below: a short line may be a part of a longer one.
    mixed = [line for line in lines if is_mixed(plain_words(line))]
    rest = take_out(said, mixed).replace(" ", "")
    for line in sorted((squeeze(line) for line in lines if line not in mixed), key=len, reverse=True):
        rest = rest.replace(line, "", 1)
    return rest


def _touches(piece: Zone, place: Zone) -> bool:
    wide = min(piece.left + piece.width, place.left + place.width) - max(piece.left, place.left)
    high = min(piece.top + piece.height, place.top + place.height) - max(piece.top, place.top)
    return wide > 0 and high > 0


def _holds(place: Zone, piece: Zone) -> bool:
    return place.holds(piece.left, piece.top, piece.left + piece.width, piece.top + piece.height)


def _across(pieces: Iterable[Zone], place: Zone) -> list[Zone]:
    return [piece for piece in pieces if _touches(piece, place) and not _holds(place, piece)]


def _strips(page: Seen, edge: float) -> tuple[Zone, ...]:
    return (
        Zone(0, 0, page.width, edge),
        Zone(0, page.height - edge, page.width, edge),
        Zone(0, 0, edge, page.height),
        Zone(page.width - edge, 0, edge, page.height),
    )


def _is_cut(page: Seen, piece: Zone) -> bool:
    shown = ink_in(page, piece)
    return shown is None or piece.left + piece.width - shown.left - shown.width > CUT_OFF
