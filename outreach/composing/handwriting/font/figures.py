"""Mends what faces get wrong beside their letters: figures too small, stops with no width of their own, odd spaces.

An amount and a telephone number must be read as easily as the words around them.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from outreach.composing.handwriting.font.ink_spots import stroke_of
from outreach.composing.handwriting.font.letterforms import Outline

DIGITS, MONEY, STOPS, QUOTES, STEMS = "0123456789", "$€£¥", ".,:;!?…", '"“”„', "ilI|1"
# How high figures stand beside the lower of l and H, and how many times larger they are drawn for it at most.
TALL, MOST_GROWN = 0.95, 1.45
# White before and after, as shares of the x-height: of a stop, and where the tail of a joined letter runs on under it;
# of a figure, the least and the most; of a bare stem; of quotes.
STOP_WHITE, JOINED_STOP_WHITE = (0.14, 0.20), (0.36, 0.20)
FIGURE_WHITE, STEM_WHITE, QUOTE_WHITE = (0.12, 0.17), 0.11, 0.08
# Around the plus of a telephone number, whose bar else makes a 7 or a 4 of the 1 after it.
PLUS_WHITE = 0.40
# A 1 that is a bare stem, narrower than such a share of its height, is told from the next figure only by what is white.
BARE, BARE_WHITE = 0.30, 0.20
# How wide the hook of a question mark is, as a share of its height, and how many times wider it is drawn at most.
HOOK, MOST_OPENED = 0.75, 1.7


def mend(outlines: Mapping[str, Outline], x_height: float, is_joined: bool) -> dict[str, Outline]:
    """The outlines with figures as high as the letters, stops as wide as their ink, and one width of space."""
    mended = dict(outlines) | _mend_figures(outlines, x_height)
    # Joined letters stand where they meet.
    stems = "" if is_joined else STEMS
    mended |= {each: _part_stem(mended[each], x_height) for each in stems if each in mended}
    mended |= {each: _set_apart(mended[each], QUOTE_WHITE * x_height) for each in QUOTES if each in mended}
    if "1" in mended and _width(mended["1"]) < BARE * _height(mended["1"]):
        mended["1"] = _set_apart(mended["1"], BARE_WHITE * x_height)
    if "?" in mended:
        mended["?"] = _open_hook(mended["?"])
    white = JOINED_STOP_WHITE if is_joined else STOP_WHITE
    mended |= {each: _set_stop(mended[each], white, x_height) for each in STOPS if each in mended}
    if " " in outlines and "\u00a0" in outlines:
        mended["\u00a0"] = outlines[" "]
    return mended


def _mend_figures(outlines: Mapping[str, Outline], x_height: float) -> dict[str, Outline]:
    """Figures and signs of money, larger where they are lower than the letters, each with white around it."""
    mended = {each: outlines[each] for each in (*DIGITS, *MONEY) if each in outlines}
    digits = [outlines[each] for each in DIGITS if each in outlines]
    tall = [TALL * outlines[each].box[3] for each in "lH" if each in outlines]
    if digits and tall:
        high = sorted(_height(each) for each in digits)[len(digits) // 2]
        times = min(max(min(tall) / high, 1.0), MOST_GROWN)
        low = {each for each in MONEY if each in outlines and _height(outlines[each]) < min(tall)}
        mended |= {each: _stand(mended[each], times, x_height) for each in mended if each in DIGITS or each in low}
    least, most = (white * x_height for white in FIGURE_WHITE)
    plus = {"+": _set_apart(outlines["+"], PLUS_WHITE * x_height)} if "+" in outlines else {}
    return {each: _set_apart(figure, least, most) for each, figure in mended.items()} | plus


def _height(outline: Outline) -> float:
    return outline.box[3] - outline.box[1]


def _width(outline: Outline) -> float:
    return outline.box[2] - outline.box[0]


def _open_hook(mark: Outline) -> Outline:
    """A question mark whose hook is wide enough, or it is read as an exclamation mark. Its stroke stays as thick."""
    hook = max(mark.contours, key=lambda contour: float(np.ptp(mark.points[contour, 1])))
    wide, high = np.ptp(mark.points[hook], axis=0)
    times = min(max(HOOK * high / max(wide, 1.0), 1.0), MOST_OPENED)
    points = mark.points.copy()
    # Drawn wider, upright strokes would be as much thicker.
    thicker = (times - 1) * stroke_of(mark) / 2
    # The dot stays under its foot.
    foot = points[hook, 0][points[hook, 1].argmin()]
    points[hook, 0] = foot + (points[hook, 0] - foot) * times - mark.outward[hook, 0] * thicker
    return replace(mark, points=points)


def _stand(figure: Outline, times: float, x_height: float) -> Outline:
    """Larger; one that floats comes down to the line."""
    grown = replace(figure, points=figure.points * times, advance=figure.advance * times)
    return grown.moved(0, -grown.box[1]) if grown.box[1] > 0.06 * x_height else grown


def _set_apart(outline: Outline, least: float, most: float = math.inf) -> Outline:
    """With white enough on both sides to be told from its neighbours, and no gap in a number."""
    left, _, right, _ = outline.box
    before, after = (min(max(white, least), most) for white in (left, outline.advance - right))
    return replace(outline.moved(before - left, 0), advance=before + right - left + after)


def _part_stem(stem: Outline, x_height: float) -> Outline:
    """With white enough beside it at the height of small letters: one that leans has no gap at its foot."""
    x, y = stem.points.T
    low, high = y < y.min() + 0.2 * np.ptp(y), y > y.max() - 0.2 * np.ptp(y)
    lean = (x[high].mean() - x[low].mean()) / max(y[high].mean() - y[low].mean(), 1.0)
    upright = x - lean * (y - x_height / 2)
    before = max(STEM_WHITE * x_height - float(upright.min()), 0.0)
    after = max(STEM_WHITE * x_height - (stem.advance - float(upright.max())), 0.0)
    return replace(stem.moved(before, 0), advance=before + stem.advance + after)


def _set_stop(stop: Outline, white: tuple[float, float], x_height: float) -> Outline:
    """With white of its own on both sides; one that floats comes down to the line."""
    left, bottom, right, _ = stop.box
    down = -bottom if bottom > 0.12 * x_height else 0.0
    before, after = (share * x_height for share in white)
    return replace(stop.moved(before - left, down), advance=before + right - left + after)
