"""Fits an address into its window: as large as it can be read, and broken where a person would break it."""

from collections.abc import Sequence

from outreach.composing.handwriting.pens import typed_width
from outreach.composing.paper.sizes import Zone
from outreach.errors import TooLong

POINT = 25.4 / 72
LARGEST, SMALLEST, STEP = 10.5, 8.0, 0.5
LINE_HEIGHT = 1.25
# Where a line may be broken, the best first: after a comma, between words, after a hyphen.
BREAKS = (", ", " ", "-")


def fit_address(lines: Sequence[str], place: Zone, typed: Sequence[str]) -> tuple[list[str], float]:
    """The lines, and the largest size in points at which they fit the window, set in the families `typed`.

    Lines are broken only where no legible size holds them whole. Raises TooLong when that does not help either.
    """
    steps = int((LARGEST - SMALLEST) / STEP) + 1
    sizes = [LARGEST - STEP * number for number in range(steps)]
    for size in sizes:
        if all(_is_held(line, size, place, typed) for line in lines) and _is_high_enough(len(lines), size, place):
            return list(lines), size
    for size in sizes:
        broken = [part for line in lines for part in break_line(line, size, place, typed)]
        if all(_is_held(line, size, place, typed) for line in broken) and _is_high_enough(len(broken), size, place):
            return broken, size
    raise TooLong("The address does not fit the window of the envelope; shorten it in the customer data")


def break_line(line: str, size: float, place: Zone, typed: Sequence[str]) -> list[str]:
    """The line, in as few parts as the window is wide enough for; nothing of it is lost but spaces at its breaks."""
    if _is_held(line, size, place, typed):
        return [line]
    for sign in BREAKS:
        ends = [at + len(sign) for at in range(1, len(line) - len(sign)) if line.startswith(sign, at)]
        if fitting := [end for end in ends if _is_held(line[:end].rstrip(), size, place, typed)]:
            return [line[: fitting[-1]].rstrip(), *break_line(line[fitting[-1] :], size, place, typed)]
    return [line]


def _is_held(line: str, size: float, place: Zone, typed: Sequence[str]) -> bool:
    return typed_width(typed, line, size) * POINT <= place.width


def _is_high_enough(count: int, size: float, place: Zone) -> bool:
    return count * size * LINE_HEIGHT * POINT <= place.height
