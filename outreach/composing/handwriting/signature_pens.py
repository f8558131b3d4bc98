"""Makes the pen that signs for a shipped pen: its letters with one thin stroke, each led into the next.

Signed larger than one writes, a pen's own letters would have strokes as much thicker; no signature has.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from outreach.composing.handwriting.font.compiler import Measures, Named, Recipe, compile_forms
from outreach.composing.handwriting.font.letterforms import LATIN, Letterforms, Outline, read_letterforms
from outreach.composing.handwriting.font.variation import Habit, vary
from outreach.composing.handwriting.own_hand.tracing import fill, trace
from outreach.composing.handwriting.pens import SET_AT, SIGNATURE, SIGNED_LARGER

# Spots that an x is high while its skeleton is found, and so many times as many while it is drawn.
FINE, FINER = 56, 2
MARGIN = 24
FORMS, RARE_FORMS = 2, 1
# The stroke is this much wider than the text's, because it is the only large thing in it.
HEAVIER = 1.1
# Shares of the x-height: how high a letter is left and entered, and the white before and after it that joins cross.
JOIN, BEFORE, AFTER = 0.14, 0.10, 0.14
# So high stands what follows a capital.
UNDER_ARM = 0.8
# A hand lifts after these: led on from their foot, they would be read as other letters.
LIFTED = frozenset("bovwröøóòôõőōŕřŗŵ")
HABIT = Habit(turn=1.5, lean=0.03, growth=0.03, width=0.07, rise=0.0, shift=0.0, thinner=0.0, pressure=0.0)
Spots = NDArray[np.bool_]
Spread = NDArray[np.floating[Any]]


def compile_signature_pen(recipe: Recipe, characters: Iterable[str] = LATIN) -> bytes:
    """The font that signs for the pen of this recipe, with the letters and marks that names have."""
    named = [each for each in characters if each.isalpha() or each in " \u00a0.,-‐‑’'&"]
    letters = read_letterforms(recipe.base, named)
    stroke = HEAVIER * measure_stroke(letters) / SIGNED_LARGER
    drawn = {each: _draw(each, outline, letters.x_height, stroke) for each, outline in letters.outlines.items()}
    forms = {
        each: [
            vary(outline, HABIT, letters.units, each.islower(), recipe.seed, "signature", each, number)
            for number in range(FORMS)
        ]
        for each, outline in drawn.items()
    }
    em = round(letters.units * SET_AT / recipe.size)
    measures = Measures(em, letters.ascent, letters.descent, letters.x_height)
    return compile_forms(
        forms, measures, Named(recipe.name + SIGNATURE, letters.copyright, letters.licence), recipe.seed
    )


def measure_stroke(letters: Letterforms) -> float:
    """How thick the strokes of small letters are, in font units: twice the depth of ink along their middle."""
    depths: list[float] = []
    for each in "nouil":
        if each in letters.outlines:
            spots, _ = _spots(letters.outlines[each], FINE / letters.x_height)
            depth = cv2.distanceTransform(spots.astype(np.uint8), cv2.DIST_L2, 5)
            depths += list(depth[thin(spots)])
    return 2 * float(np.median(depths)) * letters.x_height / FINE


def _spots(outline: Outline, scale: float) -> tuple[Spots, tuple[float, float]]:
    """A letter as spots with white around, and where its origin lies in them, from the lower left."""
    left, bottom, right, top = (round(edge * scale) for edge in outline.box)
    origin = MARGIN - left, MARGIN - bottom
    wide, high = right - left + 2 * MARGIN, top - bottom + 2 * MARGIN
    return fill(outline, scale, wide, high, origin) < 128, origin


def thin(spots: Spots) -> Spots:
    """The skeleton of a shape, one spot wide (Zhang and Suen, 1984)."""
    shape = spots.astype(np.uint8)
    before = -1
    while (now := int(shape.sum())) != before:
        before = now
        for first in (True, False):
            p = [np.roll(shape, move, (0, 1)) for move in _AROUND]
            around = np.sum(p, axis=0)
            turns = np.sum([(1 - a) * b for a, b in zip(p, [*p[1:], p[0]], strict=True)], axis=0)
            corners = (p[0] * p[2] * p[4], p[2] * p[4] * p[6]) if first else (p[0] * p[2] * p[6], p[0] * p[4] * p[6])
            edge = (around >= 2) & (around <= 6) & (turns == 1) & (corners[0] == 0) & (corners[1] == 0)
            shape[edge] = 0
    return shape.astype(bool)


# How far the picture moves so that each neighbour lies on the spot: from above, with the clock.
_AROUND = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))


def _draw(character: str, outline: Outline, x_height: float, stroke: float) -> Outline:
    """The letter along its middle with one stroke, and where it is a small one, with what leads in and out."""
    if outline.is_blank:
        return outline
    scale = FINE / x_height
    spots, origin = _spots(outline, scale)
    lines = thin(spots)
    left, _, right, _ = outline.box
    if character.isupper():
        right = _foot_of(lines, origin) / scale
    ends = (left - BEFORE * x_height, right + (0.04 if character.isupper() else AFTER) * x_height)
    if character.islower():
        lines = _join(lines, origin, [edge * scale for edge in ends], character in LIFTED)
    away = cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, 5)
    larger = cv2.resize(away, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_CUBIC)
    # Blurred, or the steps of the skeleton would show as a trembling hand.
    smooth = cv2.GaussianBlur(larger, (0, 0), FINER * 1.2)
    radius = max(stroke / 2 * scale, 0.9)
    traced = trace(smooth < radius + 0.35)
    points = traced.points / (FINER * scale) - np.array(origin) / scale
    advance = ends[1] - ends[0]
    return replace(traced, points=points - [ends[0], 0], advance=advance)


def _foot_of(lines: Spots, origin: tuple[float, float]) -> float:
    """How far right a capital reaches as high as small letters stand: what follows it stands under its arm."""
    ys, xs = np.nonzero(lines)
    low = lines.shape[0] - 1 - ys - origin[1] < UNDER_ARM * FINE
    return float((xs[low] if low.any() else xs).max() - origin[0])


def _join(lines: Spots, origin: tuple[float, float], ends: list[float], is_lifted: bool) -> Spots:
    """With a curve from the edge of its room to the letter, and one from the letter to the other edge."""
    ys, xs = np.nonzero(lines)
    across, up = xs - origin[0], lines.shape[0] - 1 - ys - origin[1]
    height = JOIN * FINE
    drawn = lines.astype(np.uint8)
    entered = _tip(across, up, (0.30, 0.80), np.argmin)
    left = None if is_lifted else _tip(across, up, (-0.10, 0.30), np.argmax)
    # In it comes level and bends up to the letter; out it goes straight, or the tail would be read as a c.
    for edge, tip, level in ((ends[0] - 1, entered, 0.65), (ends[1] + 1, left, 0.5)):
        if tip is not None:
            middle = edge + level * (tip[0] - edge), height if tip == entered else (height + tip[1]) / 2
            _curve(drawn, origin, ((edge, height), middle, tip))
    return drawn.astype(bool)


def _tip(
    across: Spread, up: Spread, band: tuple[float, float], farthest: Callable[[Spread], np.intp]
) -> tuple[float, float] | None:
    """The spot of the skeleton that lies farthest out between two heights."""
    within = np.nonzero((up > band[0] * FINE) & (up < band[1] * FINE))[0]
    if not len(within):
        return None
    at = within[farthest(across[within])]
    return float(across[at]), float(up[at])


def _curve(drawn: NDArray[np.uint8], origin: tuple[float, float], bends: Sequence[tuple[float, float]]) -> None:
    """A quadratic stroke from the first of three points to the last."""
    share = np.linspace(0, 1, 24)[:, None]
    start, middle, end = (np.array(point) for point in bends)
    points = (1 - share) ** 2 * start + 2 * share * (1 - share) * middle + share**2 * end
    spots = np.stack([points[:, 0] + origin[0], drawn.shape[0] - 1 - points[:, 1] - origin[1]], axis=1)
    cv2.polylines(drawn, [spots.round().astype(np.int32)], False, 1)
