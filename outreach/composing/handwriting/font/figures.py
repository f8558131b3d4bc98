"""Mends what faces get wrong beside their letters: figures too small, stops with no width of their own, odd spaces.

An amount and a telephone number must be read as easily as the words around them.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from outreach.composing.handwriting.font.letterforms import Outline

DIGITS, MONEY, STOPS, STEMS = "0123456789", "$€£¥", ".,:;!?…", "ilI|1"
# How high figures stand beside the lower of l and H, and how many times larger they are drawn for it at most.
TALL, MOST_GROWN = 0.95, 1.45
# White before and after, as shares of the x-height: of a stop; of a figure, the least and the most; of a bare stem.
STOP_WHITE, FIGURE_WHITE, STEM_WHITE = (0.14, 0.20), (0.10, 0.17), 0.11


def mend(outlines: Mapping[str, Outline], x_height: float, is_joined: bool) -> dict[str, Outline]:
    """The outlines with figures as high as the letters, stops as wide as their ink, and one width of space."""
    mended = dict(outlines)
    digits = [outlines[each] for each in DIGITS if each in outlines]
    tall = [TALL * outlines[each].box[3] for each in "lH" if each in outlines]
    if digits and tall:
        high = sorted(_height(each) for each in digits)[len(digits) // 2]
        times = min(max(min(tall) / high, 1.0), MOST_GROWN)
        mended |= {each: _stand(outlines[each], times, x_height) for each in DIGITS if each in outlines}
        low = {each for each in MONEY if each in outlines and _height(outlines[each]) < min(tall)}
        mended |= {each: _stand(outlines[each], times, x_height) for each in low}
    for each in (*DIGITS, *MONEY, "+"):
        if each in mended:
            mended[each] = _set_apart(mended[each], *(white * x_height for white in FIGURE_WHITE))
    for each in STEMS:
        # Joined letters stand where they meet.
        if each in mended and not is_joined:
            mended[each] = _set_apart(mended[each], STEM_WHITE * x_height)
    mended |= {each: _set_stop(outlines[each], x_height) for each in STOPS if each in outlines}
    if " " in outlines and "\u00a0" in outlines:
        mended["\u00a0"] = outlines[" "]
    return mended


def _height(outline: Outline) -> float:
    return outline.box[3] - outline.box[1]


def _stand(figure: Outline, times: float, x_height: float) -> Outline:
    """Larger; one that floats comes down to the line."""
    grown = replace(figure, points=figure.points * times, advance=figure.advance * times)
    return grown.moved(0, -grown.box[1]) if grown.box[1] > 0.06 * x_height else grown


def _set_apart(outline: Outline, least: float, most: float = math.inf) -> Outline:
    """With white enough on both sides to be told from its neighbours, and no gap in a number."""
    left, _, right, _ = outline.box
    before, after = (min(max(white, least), most) for white in (left, outline.advance - right))
    return replace(outline.moved(before - left, 0), advance=before + right - left + after)


def _set_stop(stop: Outline, x_height: float) -> Outline:
    """With white of its own on both sides; one that floats comes down to the line."""
    left, bottom, right, _ = stop.box
    down = -bottom if bottom > 0.12 * x_height else 0.0
    before, after = (white * x_height for white in STOP_WHITE)
    return replace(stop.moved(before - left, down), advance=before + right - left + after)
