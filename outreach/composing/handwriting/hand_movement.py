"""How a hand moves over a page: where each line and each word comes to stand, how heavy and how dark it is.

It knows nothing of PDF. Everything it draws by lot comes from the generator that it is given, always in one order.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

MOST = 2.0
# Drawn once for all pages: a page draws a thousand of them. The quantiles of a normal distribution within MOST.
DEVIATES = tuple(min(max(NormalDist().inv_cdf((place + 0.5) / 4096), -MOST), MOST) for place in range(4096))
# CSS pixels.
DATE_DOWN = 1.5
# In radians.
STEEPEST = (-0.0125, 0.0065)
# A share of an em: a word farther up or down than the first of its line, by half an em, is taken for another line by
# what reads pages aloud (pdftotext 22.12).
FARTHEST = 0.38
# A share of an em: no two words come nearer.
LEAST_GAP = 0.22
# How the last words before the edge give way: how many, to which share of their width, and turned by what, in radians.
SQUEEZED, NARROWEST, BEND = 3, 0.86, 0.22


@dataclass(frozen=True)
class HandMovement:
    """How far a hand strays: standard deviations unless said, in CSS pixels unless said.

    A third to a half of what people do, by eye on whole letters and by benchmarks/believability.py.
    """

    #: How the lines of a page rise (below zero) or fall on the whole: their mean and its deviation, in radians.
    rise: tuple[float, float] = (-0.0088, 0.0028)
    #: How much steeper the last line of a page is than the first, as a share.
    steeper: float = 0.35
    #: How one line's slope differs from the page's, in radians.
    slope: float = 0.0058
    #: How far the left margin moves from the first line of a page to the last.
    margin: float = 6.5
    #: Where a line begins, to the side, and in height, which the next lines keep for a while.
    indent: float = 3.0
    drift: float = 1.0
    #: How much more or less there is between two paragraphs.
    paragraph: float = 2.2
    #: How high the waves are that a line's words ride on.
    wander: float = 1.0
    #: How far a word stands from its place in height.
    hop: float = 1.05
    #: How much wider or narrower a gap between words is, as a share of an em.
    gap: float = 0.055
    #: How a word is turned, in radians.
    turn: float = 0.009
    #: Shares: how much larger, wider and more upright a word is.
    growth: float = 0.024
    width: float = 0.022
    lean: float = 0.064
    #: How much heavier a word's strokes are than the pen's letters: the mean as a share of an em, and the deviation as
    #: a share of the stroke.
    weight: tuple[float, float] = (0.022, 0.175)
    #: How much of its pressure a hand keeps from one word to the next, as a share: a word that is heavy alone among
    #: light ones looks printed in bold.
    kept: float = 0.75
    #: How much paler the ink is when the pen has to be dipped, as a share, and after how many words that is.
    fade: float = 0.17
    dip: tuple[int, int] = (11, 21)
    #: How much paler a stroke is along its middle than where it starts and turns, as a share; half as much in the first
    #: letter of a word.
    spread: float = 0.16
    #: How far a stroke strays from a straight one.
    bow: float = 0.9


@dataclass(frozen=True)
class PlacedWord:
    """Where and how a word is written."""

    #: Its text matrix without the size of the font.
    matrix: tuple[float, float, float, float, float, float]
    #: How much is added to the width of its strokes, as a share of an em.
    weight: float
    #: How pale its ink is, from 0 (as it leaves the pen) to 1 (paper).
    paleness: float


class PageMovement:
    """One page from its top: what the lines have in common, and what one hands on to the next."""

    def __init__(self, rng: random.Random, hand: HandMovement, height: float) -> None:
        self.rng, self.hand, self.height = rng, hand, height
        mean, deviation = hand.rise
        self.rise = mean + self.draw(deviation)
        self.steeper, self.margin = self.draw(hand.steeper), self.draw(hand.margin)
        self.drift, self.lines = 0.0, 0
        self.pressure = self.draw(1.0)
        self.well = InkWell(rng, hand)

    def draw(self, deviation: float) -> float:
        """A normal deviate without its tails: what stands out once gives a page away."""
        return DEVIATES[int(self.rng.random() * len(DEVIATES))] * deviation

    def press(self) -> float:
        """How much harder the hand presses on the next word than it does on the whole, in standard deviations."""
        kept = self.hand.kept
        self.pressure = kept * self.pressure + self.draw(math.sqrt(1 - kept * kept))
        return self.pressure

    def begin_line(self, left: float, y: float, is_paragraph: bool) -> "LineMovement":
        hand, down = self.hand, y / self.height
        self.drift = 0.6 * self.drift + self.draw(hand.drift) + (self.draw(hand.paragraph) if is_paragraph else 0)
        self.drift = min(max(self.drift, -2.5 * hand.drift), 2.5 * hand.drift)
        if self.lines < 2:
            # The date stays below the window, and the greeting apart from it: what reads pages aloud takes two lines
            # that come near for one.
            self.drift = DATE_DOWN + (abs(self.drift) if self.lines else 0)
        self.lines += 1
        slope = self.rise * (1 + self.steeper * (down - 0.5)) + self.draw(hand.slope)
        slope = min(max(slope, STEEPEST[0]), STEEPEST[1])
        indent = self.margin * (down - 0.5) + self.draw(hand.indent)
        return LineMovement(self, left, y, slope, indent)


class InkWell:
    """How much ink the pen holds."""

    def __init__(self, rng: random.Random, hand: HandMovement) -> None:
        self.rng, self.hand = rng, hand
        self.left = self.full = rng.randint(*hand.dip)

    def take(self) -> float:
        """How pale the next word is: paler from word to word, until the pen is dipped."""
        if self.left == 0:
            self.left = self.full = self.rng.randint(*self.hand.dip)
        self.left -= 1
        return float(self.hand.fade * (1 - (self.left + 1) / self.full) ** 1.6)


class LineMovement:
    """One line of handwriting: how it slopes, the waves its words ride on, and how far it has come."""

    def __init__(self, page: PageMovement, left: float, y: float, slope: float, indent: float) -> None:
        self.page, self.left, self.y, self.slope, self.indent = page, left, y, slope, indent
        rng, turn, wander = page.rng, 2 * math.pi, page.hand.wander
        self.waves = (
            (wander, rng.uniform(0.006, 0.012), rng.uniform(0, turn)),
            (wander * 0.55, rng.uniform(0.020, 0.035), rng.uniform(0, turn)),
        )
        self.drift, self.size = page.drift, 0.0
        #: How far below its place the first word stands.
        self.first: float | None = None
        #: Where words begin in the layout, and where they begin now; last, where the line ends.
        self.nominal: list[float] = []
        self.begins: list[float] = []

    def height_at(self, x: float) -> float:
        """How far below its place the line runs at `x`."""
        along = x - self.left
        wave = sum(height * math.sin(along * often + phase) for height, often, phase in self.waves)
        return self.drift + along * self.slope + wave

    def place(
        self, widths: Sequence[float], gaps: Sequence[float], size: float, stroke: float, edge: float
    ) -> list[PlacedWord]:
        """The words of the line, each with its width and with the gap that the layout has after it.

        What a word takes more than its room pushes the next ones on; near the edge of the page words are squeezed.
        """
        page, hand, self.size = self.page, self.page.hand, size
        scales = [(1 + page.draw(hand.growth), 1 + page.draw(hand.width)) for _ in widths]
        taken = [width * grown * wider for width, (grown, wider) in zip(widths, scales, strict=True)]
        spaces = [max(gap + page.draw(hand.gap) * size, LEAST_GAP * size) for gap in gaps]
        self.nominal, self.begins = [], []
        begins, nominal = self.left + self.indent, self.left
        over = begins + sum(taken) + sum(spaces[:-1]) - edge
        squeezed = min(SQUEEZED, len(widths))
        narrower = 1.0
        if over > 0:
            room = sum(taken[-squeezed:]) + sum(spaces[-squeezed:-1])
            narrower = max(1 - over / room, NARROWEST)
        placed = []
        for number, (grown, wider) in enumerate(scales):
            late = max(number - len(scales) + squeezed + 1, 0) / squeezed if narrower < 1 else 0.0
            across = wider * (narrower if late else 1.0)
            self.nominal.append(nominal)
            self.begins.append(begins)
            nominal += widths[number] + gaps[number]
            placed.append(self._place_word(begins, grown, across, late * (1 - narrower), stroke))
            begins += taken[number] * (narrower if late else 1.0) + spaces[number] * (narrower if late else 1.0)
        self.nominal.append(nominal)
        self.begins.append(begins)
        return placed

    def moved(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the layout has gone with the words around it."""
        after = next((n for n, at in enumerate(self.nominal) if at > x), len(self.nominal) - 1)
        moved = x + self.begins[max(after - 1, 0)] - self.nominal[max(after - 1, 0)]
        return moved, y + self.height_at(moved)

    def _place_word(self, x: float, grown: float, wider: float, bent: float, stroke: float) -> PlacedWord:
        """`bent` is how much it gives way to the edge of the page: the hand drops and writes smaller there."""
        page, hand = self.page, self.page.hand
        angle = self.slope + page.draw(hand.turn) + BEND * bent
        grown *= 1 - 0.3 * bent
        cosine, sine = grown * math.cos(angle), grown * math.sin(angle)
        lean = page.draw(hand.lean)
        up = self.height_at(x) + page.draw(hand.hop)
        self.first = up if self.first is None else self.first
        up = min(max(up, self.first - FARTHEST * self.size), self.first + FARTHEST * self.size)
        # WeasyPrint's pages count y downward, so its text stands upright only with a negative height.
        matrix = cosine * wider, sine * wider, sine + lean * grown, -cosine, x, self.y + up
        return PlacedWord(matrix, max(hand.weight[0] + page.press() * hand.weight[1] * stroke, 0.0), page.well.take())
