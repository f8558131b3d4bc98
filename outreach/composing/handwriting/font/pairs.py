"""Draws two letters as one, where a hand does not lift between them: th, tt, ff, oo and ll."""

from collections.abc import Mapping
from dataclasses import replace

from outreach.composing.handwriting.font.letterforms import Outline

PAIRS = ("th", "tt", "ff", "oo", "ll")
# How much nearer two letters stand that are drawn as one.
NEARER = 0.93
# Above the line, as a share of the x-height, where an o goes over into the next, and an l.
HANDED_ON = {"oo": 0.88, "ll": 0.06}


def draw_pair(pair: str, letters: Mapping[str, Outline], x_height: float, kerning: float, is_joined: bool) -> Outline:
    """Both letters with one stroke through them; where letters join, they already are one."""
    first, second = letters[pair[0]], letters[pair[1]]
    far = (first.advance + kerning) * (1.0 if is_joined else NEARER)
    both = replace(first.joined(second.moved(far, 0)), advance=far + second.advance)
    if is_joined or "-" not in letters or letters["-"].is_blank:
        return both
    start, end, height = _stroke(pair, first, second, far, x_height)
    return both.joined(_bar(letters["-"], start, end, height)) if end > start else both


def _stroke(pair: str, first: Outline, second: Outline, far: float, x_height: float) -> tuple[float, float, float]:
    """Where the stroke through both begins and ends, and how high it lies."""
    if pair in HANDED_ON:
        inside = 0.12 * x_height
        return first.box[2] - inside, far + second.box[0] + inside, HANDED_ON[pair] * x_height
    left, height = _bar_of(first, x_height)
    if pair == "th":
        return left, far + second.box[0] + 0.55 * (second.box[2] - second.box[0]), height
    return left, far + _bar_of(second, x_height, from_left=False)[0], height


def _bar_of(letter: Outline, x_height: float, from_left: bool = True) -> tuple[float, float]:
    """The left tip of a letter's bar, or the right one; a t has nothing else that reaches out so far up there."""
    upper = letter.points[(letter.points[:, 1] > 0.55 * x_height) & (letter.points[:, 1] < 1.35 * x_height)]
    upper = upper if len(upper) else letter.points
    tip = upper[upper[:, 0].argmin() if from_left else upper[:, 0].argmax()]
    return float(tip[0]), float(tip[1])


def _bar(dash: Outline, start: float, end: float, height: float) -> Outline:
    """The hand's own dash, as long as that and lying at that height."""
    left, bottom, right, top = dash.box
    points = dash.points - [left, (bottom + top) / 2]
    points = points * [(end - start) / max(right - left, 1.0), 1.0] + [start, height]
    return replace(dash, points=points)
