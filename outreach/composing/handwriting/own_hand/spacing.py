"""Measures a hand by its letters and words: how high it is, and how far apart it sets letters and words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from outreach.composing.handwriting.font.letterforms import Outline
from outreach.composing.handwriting.own_hand.samples import Take
from outreach.composing.handwriting.own_hand.scans import FINE

# From these, how high a hand's small letters are and where its line is; so many different ones are enough.
LEVEL, ENOUGH = "acemnorsuvwxz", 5
# In x-heights: where nothing was measured, and what is believed of a measure.
GAP, LEAST_GAP, MOST_GAP = 0.18, -0.06, 0.45
WORD_GAP, LEAST_WORD_GAP, MOST_WORD_GAP = 0.75, 0.4, 1.3
# A hook above the line may reach over the next letter by so much.
OVERHANG = 0.25


@dataclass(frozen=True)
class Spacing:
    """A hand's measures in mm."""

    x_height: float
    #: How far above the printed line it writes.
    line: float
    gap: float
    word_gap: float
    #: Whether its letters touch.
    is_joined: bool

    def body(self, outline: Outline) -> tuple[float, float]:
        """Left and right edge of what a neighbour keeps clear of: all but hooks above and below the small letters."""
        points = outline.points
        left, right = float(points[:, 0].min()), float(points[:, 0].max())
        level = points[(points[:, 1] > -0.1 * self.x_height) & (points[:, 1] < 1.1 * self.x_height)]
        if len(level) < 3:
            return left, right
        over = OVERHANG * self.x_height
        return min(float(level[:, 0].min()), left + over), max(float(level[:, 0].max()), right - over)


def measure_spacing(written: Mapping[str, Sequence[Take]], words: Sequence[Take]) -> Spacing | None:
    """None where too few small letters were written for a measure."""
    boxes = [[take.outline.box for take in written[letter] if take.outline] for letter in LEVEL if letter in written]
    if len(boxes) < ENOUGH:
        return None
    # Medians, so that one letter that went wrong moves nothing.
    line = median(box[1] for group in boxes for box in group)
    x_height = median(box[3] for group in boxes for box in group) - line
    flat = Spacing(x_height, line, 0.0, 0.0, False)
    widths = {letter: median(_width(flat, take) for take in group) for letter, group in written.items()}
    measured = [gaps for take in words if (gaps := _gaps(take, widths)) is not None]
    letter_gaps = [gap / x_height for gap, _ in measured]
    word_gaps = [gap / x_height for _, spaces in measured for gap in spaces]
    gap = median(letter_gaps) if letter_gaps else GAP
    word_gap = median(word_gaps) - gap if word_gaps else WORD_GAP
    return Spacing(
        x_height, line, min(max(gap, LEAST_GAP), MOST_GAP) * x_height,
        min(max(word_gap, LEAST_WORD_GAP), MOST_WORD_GAP) * x_height, bool(letter_gaps) and _are_joined(words),
    )  # fmt: skip


def _width(spacing: Spacing, take: Take) -> float:
    assert take.outline is not None  # noqa: S101
    left, right = spacing.body(take.outline.moved(0, -spacing.line))
    return right - left


def _gaps(take: Take, widths: Mapping[str, float]) -> tuple[float, list[float]] | None:
    """The mean gap between letters and each gap between words, in mm; None where they cannot be told."""
    letters = take.box.words.replace(" ", "")
    if not set(letters) <= widths.keys():
        return None
    columns = np.flatnonzero(take.spots.any(axis=0))
    blanks = sorted((np.diff(columns) - 1) / FINE, reverse=True)
    spaces = [float(blank) for blank in blanks[: take.box.words.count(" ")]]
    wide = (columns[-1] - columns[0] + 1) / FINE - sum(spaces)
    pairs = len(letters) - 1 - len(spaces)
    return (wide - sum(widths[letter] for letter in letters)) / pairs, spaces


def _are_joined(words: Sequence[Take]) -> bool:
    """Whether most letters of the words hang together: then there are far fewer pieces of ink than letters."""
    pieces = sum(_pieces(take) for take in words)
    return pieces < 0.6 * sum(len(take.box.words.replace(" ", "")) for take in words)


def _pieces(take: Take) -> int:
    """How many stretches of ink stand side by side."""
    columns = take.spots.any(axis=0).astype(np.int8)
    return int((np.diff(columns, prepend=0) == 1).sum())
