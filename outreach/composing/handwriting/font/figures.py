"""Mends what faces get wrong beside their letters: figures too small, stops with no width of their own, odd spaces.

An amount and a telephone number must be read as easily as the words around them.
"""

from collections.abc import Mapping
from dataclasses import replace

from outreach.composing.handwriting.font.letterforms import Outline

FIGURES = "0123456789$€£¥"
STOPS = ".,:;!?…"
# How high figures stand beside capitals, and from how much less on they are drawn larger.
TALL, SMALL = 0.88, 0.80
# White before a stop and after it, as shares of the x-height.
BEFORE, AFTER = 0.14, 0.20


def mend(outlines: Mapping[str, Outline], x_height: float) -> dict[str, Outline]:
    """The outlines with figures as high as the letters, stops as wide as their ink, and one width of space."""
    mended = dict(outlines)
    if figures := [outlines[each] for each in FIGURES[:10] if each in outlines]:
        high = sorted(each.box[3] for each in figures)[len(figures) // 2]
        capital = outlines["H"].box[3] if "H" in outlines else high
        if high < SMALL * capital:
            mended |= {each: grow(outlines[each], TALL * capital / high) for each in FIGURES if each in outlines}
    mended |= {each: set_stop(outlines[each], x_height) for each in STOPS if each in outlines}
    if " " in outlines and "\u00a0" in outlines:
        mended["\u00a0"] = outlines[" "]
    return mended


def grow(outline: Outline, times: float) -> Outline:
    """Larger, standing where it stood."""
    return replace(outline, points=outline.points * times, advance=outline.advance * times)


def set_stop(stop: Outline, x_height: float) -> Outline:
    """With white of its own on both sides; one that floats comes down to the line."""
    left, bottom, right, _ = stop.box
    down = -bottom if bottom > 0.12 * x_height else 0.0
    before, after = BEFORE * x_height, AFTER * x_height
    return replace(stop.moved(before - left, down), advance=before + right - left + after)
