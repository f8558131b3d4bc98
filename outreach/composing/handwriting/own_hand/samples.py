"""Cuts what was written into each box out of a form's pages and traces it, or says why it cannot be used.

It never guesses at a letter: an empty, faint, spilt or odd box is said to be so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from outreach.composing.handwriting.font.letterforms import Outline
from outreach.composing.handwriting.own_hand.form import X_HEIGHT, Box
from outreach.composing.handwriting.own_hand.ruled_lines import remove_lines
from outreach.composing.handwriting.own_hand.scans import FINE, Darkness, ScannedPage
from outreach.composing.handwriting.own_hand.tracing import Spots, trace

EMPTY, FAINT, SPILT, ODD = "empty", "too faint", "ink outside the box", "unlike its sisters"
# The darkest spot of a box, where 1 is black: below the first it is paper, below the second it cannot be told from it.
PAPER, PALE = 0.16, 0.3
# Spots of a mm: how far beyond a box we look for ink that leaves it, and how far inside its frame lies.
AROUND, FRAME = 0.7, 0.3
SPECK = 0.05
# How much larger the ink is traced, and the spots of white around it.
LARGER, BLANK = 4, 4
# Two shapes of one letter cover each other at least so far, once they are laid over one another and thickened.
ALIKE, SIZE, THICK = 0.30, 48, 5
# By so much more it may look like another letter, and a letter is as much larger than its sister at most.
FOREIGN, GROWN = 0.2, 1.7


@dataclass(frozen=True)
class Take:
    """What stands in one box."""

    box: Box
    #: The box as it was scanned, for a person to look at.
    seen: Darkness
    #: In mm from the left edge of the box and its line; None where nothing is.
    outline: Outline | None
    spots: Spots
    #: Why it cannot be used; empty where it can.
    complaint: str = ""

    @property
    def is_good(self) -> bool:
        return not self.complaint

    @property
    def is_character(self) -> bool:
        """Whether it is a letter, a sign or a pair of letters, of which there are several takes."""
        return self.box.kind in ("letter", "pair")


def cut_takes(pages: Iterable[ScannedPage]) -> list[Take]:
    """Every box on these pages; where a page is there more than once, each from the last on which it is well filled."""
    return choose_takes([cut_page(page) for page in pages])


def cut_page(page: ScannedPage) -> list[Take]:
    """Every box of a page, each as it is alone."""
    return [read_box(page, box) for box in page.form.boxes if box.page == page.number]


def choose_takes(pages: Iterable[Sequence[Take]]) -> list[Take]:
    """One take of each box, each letter's compared with one another."""
    best: dict[Box, Take] = {}
    for take in (take for page in pages for take in page):
        if take.box not in best or _worth(take) >= _worth(best[take.box]):
            best[take.box] = take
    read = list(best.values())
    odd = {take.box for take in find_odd([take for take in read if take.is_character and take.is_good])}
    return [replace(take, complaint=ODD) if take.box in odd else take for take in read]


def _worth(take: Take) -> tuple[bool, bool]:
    return take.is_good, take.complaint != EMPTY


def read_box(page: ScannedPage, box: Box) -> Take:
    """One box of a page, as it is alone."""
    seen = _crop(page.darkness, box, AROUND)
    line = box.baseline - box.zone.top + AROUND
    around = remove_lines(seen, FINE, AROUND, [line] if box.kind == "signature" else [line, line - X_HEIGHT])
    # A stroke has its edge where it is half as dark as at its darkest, however sharp the picture is.
    frame = round(AROUND * FINE)
    peak = float(cv2.blur(around, (3, 3))[frame:-frame, frame:-frame].max())
    nothing = np.zeros(around.shape, bool)
    take = Take(box, seen, None, nothing)
    if peak < PALE:
        return replace(take, complaint=EMPTY if peak < PAPER else FAINT)
    spots, is_spilt = _own_ink(around > max(peak / 2, PAPER * 1.2))
    if not spots.any():
        return replace(take, complaint=SPILT if is_spilt else EMPTY)
    return replace(
        take, spots=spots, outline=_outline(around, spots, peak / 2, box), complaint=SPILT if is_spilt else ""
    )


def _crop(darkness: Darkness, box: Box, more: float) -> Darkness:
    zone = box.zone
    left, right = round((zone.left - more) * FINE), round((zone.left + zone.width + more) * FINE)
    top, bottom = round((zone.top - more) * FINE), round((zone.top + zone.height + more) * FINE)
    return darkness[top:bottom, left:right]


def _own_ink(dark: NDArray[np.bool_]) -> tuple[Spots, bool]:
    """A box's ink, without specks and what reaches in from its neighbours; and whether it leaves the box."""
    number, labels, stats, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=8)
    inner = np.zeros(dark.shape, bool)
    edge = round((AROUND - FRAME) * FINE)
    inner[edge:-edge, edge:-edge] = True
    own, is_spilt = np.zeros(dark.shape, bool), False
    for label in range(1, number):
        piece = labels == label
        inside = float(piece[inner].sum()) / float(stats[label, cv2.CC_STAT_AREA])
        if stats[label, cv2.CC_STAT_AREA] >= SPECK * FINE**2 and inside > 0.5:
            own |= piece
            is_spilt |= inside < 1
    return own, is_spilt


def _outline(around: Darkness, spots: Spots, edge: float, box: Box) -> Outline:
    """The ink traced at `LARGER` times the size, where its edge is smooth."""
    near = cv2.dilate(spots.astype(np.uint8), np.ones((5, 5), np.uint8))
    # The white around the ink would cost most of the time.
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    top, bottom = max(rows[0] - BLANK, 0), rows[-1] + BLANK + 1
    left, right = max(columns[0] - BLANK, 0), columns[-1] + BLANK + 1
    only = np.where(near > 0, around, 0)[top:bottom, left:right].astype(np.float32)
    large = cv2.resize(only, None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC)
    traced = trace(cv2.GaussianBlur(large, (0, 0), 1.2) > edge)
    line = len(only) + top - (box.baseline - box.zone.top + AROUND) * FINE
    points = (traced.points / LARGER + (left, -line)) / FINE - (AROUND, 0)
    return replace(traced, points=points)


def find_odd(letters: Sequence[Take]) -> list[Take]:
    """Those unlike all others of their letter, most of which are alike, or far more like another letter than those."""
    if not letters:
        return []
    sizes = np.array([_size(take.spots) for take in letters], float)
    covered = compare(letters)
    alike = (covered > ALIKE) & (np.maximum.outer(sizes, sizes) < GROWN * np.minimum.outer(sizes, sizes) + 0.5 * FINE)
    words = np.array([take.box.words for take in letters])
    odd = []
    for at, take in enumerate(letters):
        sisters = np.flatnonzero((words == take.box.words) & (np.arange(len(letters)) != at))
        pairs = alike[np.ix_(sisters, sisters)][np.triu_indices(len(sisters), 1)]
        if len(pairs) and pairs.mean() >= 0.5:
            foreign = covered[at, words != take.box.words].max(initial=0.0)
            if not alike[at, sisters].any() or foreign > covered[at, sisters].max() + FOREIGN:
                odd.append(take)
    return odd


def compare(takes: Sequence[Take]) -> NDArray[np.float32]:
    """For each two takes how far their shapes cover each other, from 0 to 1, whatever their size."""
    return _covered(np.stack([_shape(take.spots) for take in takes]))


def _covered(shapes: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each two shapes, what they have in common as a share of all that either has."""
    flat = shapes.reshape(len(shapes), -1)
    common = flat @ flat.T
    area = flat.sum(axis=1)
    return np.asarray(common / (area[:, None] + area[None, :] - common), np.float32)


def _size(spots: Spots) -> int:
    return max(int(np.ptp(np.flatnonzero(spots.any(axis=axis)))) + 1 for axis in (0, 1))


def _shape(spots: Spots) -> NDArray[np.float32]:
    """The ink within its own frame, thickened and brought to one size."""
    rows, columns = np.flatnonzero(spots.any(axis=1)), np.flatnonzero(spots.any(axis=0))
    tight = spots[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.uint8)
    high, wide = tight.shape
    scale = SIZE / max(high, wide)
    small = cv2.resize(tight * 255, (max(1, round(wide * scale)), max(1, round(high * scale))))
    field = np.zeros((SIZE + THICK, SIZE + THICK), np.uint8)
    top, left = (SIZE - small.shape[0]) // 2 + THICK // 2, (SIZE - small.shape[1]) // 2 + THICK // 2
    field[top : top + small.shape[0], left : left + small.shape[1]] = small
    return (cv2.dilate(field, np.ones((THICK, THICK), np.uint8)) > 100).astype(np.float32)
