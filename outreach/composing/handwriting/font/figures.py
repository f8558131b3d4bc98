"""Mends what faces get wrong beside their letters: figures too small, stops with no width of their own, odd spaces.

An amount and a telephone number must be read as easily as the words around them.
"""

from collections.abc import Mapping
from dataclasses import replace

from outreach.composing.handwriting.font.letterforms import Outline

DIGITS, MONEY, STOPS = "0123456789", "$€£¥", ".,:;!?…"
# How high figures are to stand beside the lower of l and H.
TALL = 0.90
# White before and after, as shares of the x-height: of a stop, and at least of a figure.
STOP_WHITE, FIGURE_WHITE = (0.14, 0.20), (0.09, 0.13)


def mend(outlines: Mapping[str, Outline], x_height: float) -> dict[str, Outline]:
    """The outlines with figures as high as the letters, stops as wide as their ink, and one width of space."""
    mended = dict(outlines)
    digits = [outlines[each] for each in DIGITS if each in outlines]
    tall = [outlines[each].box[3] for each in "lH" if each in outlines]
    if digits and tall:
        times = TALL * min(tall) / sorted(each.box[3] for each in digits)[len(digits) // 2]
        mended |= {each: grow(outlines[each], max(times, 1.0)) for each in DIGITS if each in outlines}
        low = {each for each in MONEY if each in outlines and outlines[each].box[3] < TALL * min(tall)}
        mended |= {each: grow(outlines[each], TALL * min(tall) / outlines[each].box[3]) for each in low}
    for each in (*DIGITS, *MONEY, "+"):
        if each in mended:
            mended[each] = _widen(mended[each], x_height)
    mended |= {each: _set_stop(outlines[each], x_height) for each in STOPS if each in outlines}
    if " " in outlines and "\u00a0" in outlines:
        mended["\u00a0"] = outlines[" "]
    return mended


def grow(outline: Outline, times: float) -> Outline:
    """Larger, standing where it stood."""
    return replace(outline, points=outline.points * times, advance=outline.advance * times)


def _widen(figure: Outline, x_height: float) -> Outline:
    """With white enough on both sides to be told from its neighbours."""
    left, _, right, _ = figure.box
    before = max(left, FIGURE_WHITE[0] * x_height)
    after = max(figure.advance - right, FIGURE_WHITE[1] * x_height)
    return replace(figure.moved(before - left, 0), advance=before + right - left + after)


def _set_stop(stop: Outline, x_height: float) -> Outline:
    """With white of its own on both sides; one that floats comes down to the line."""
    left, bottom, right, _ = stop.box
    down = -bottom if bottom > 0.12 * x_height else 0.0
    before, after = (white * x_height for white in STOP_WHITE)
    return replace(stop.moved(before - left, down), advance=before + right - left + after)
