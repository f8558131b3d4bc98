"""Draws two letters as one, where a hand does not lift between them: th, tt, ff, oo and ll."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from outreach.composing.handwriting.font.letterforms import Outline

PAIRS = ("th", "tt", "ff", "oo", "ll")
# How much nearer two letters stand that are drawn as one.
NEARER = 0.95
# Above the line, as a share of the x-height, where one o goes over into the next, and one l.
HANDED_ON = {"oo": 0.86, "ll": 0.05}


def draw_pair(pair: str, letters: Mapping[str, Outline], x_height: float, kerning: float, is_joined: bool) -> Outline:
    """Both letters with one stroke through them; where letters join, they already are one."""
    first, second = letters[pair[0]], letters[pair[1]]
    far = (first.advance + kerning) * (1.0 if is_joined or pair == "ll" else NEARER)
    if not is_joined and pair not in HANDED_ON:
        # The bar of a t runs on to the stem of an h, and through a second t.
        end = far + second.box[0] + (0.35 if pair == "th" else 0.75) * (second.box[2] - second.box[0])
        first = _reach(first, end, x_height)
    both = replace(first.joined(second.moved(far, 0)), advance=far + second.advance)
    if is_joined or pair not in HANDED_ON or "-" not in letters or letters["-"].is_blank:
        return both
    inside = 0.10 * x_height
    start, end = first.box[2] - inside, far + second.box[0] + inside
    return both.joined(_bar(letters["-"], start, end, HANDED_ON[pair] * x_height)) if end > start else both


def _reach(letter: Outline, end: float, x_height: float) -> Outline:
    """The letter with the right half of its bar drawn out to `end`; up there it has nothing else on that side."""
    left, _, right, _ = letter.box
    x, y = letter.points[:, 0], letter.points[:, 1]
    upper = (y > 0.5 * x_height) & (y < 1.3 * x_height)
    tip = x[upper].max() if upper.any() else right
    start = left + 0.5 * (right - left)
    if end <= tip or tip <= start:
        return letter
    share = np.clip((x - start) / (tip - start), 0, 1) * upper
    return replace(letter, points=np.stack([x + share * (end - tip), y], axis=1))


def _bar(dash: Outline, start: float, end: float, height: float) -> Outline:
    """The hand's own dash, as long as that and lying at that height."""
    left, bottom, right, top = dash.box
    points = dash.points - [left, (bottom + top) / 2]
    points = points * [(end - start) / max(right - left, 1.0), 1.0] + [start, height]
    return replace(dash, points=points)
