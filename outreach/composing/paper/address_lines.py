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

    Lines are broken only where no legible size holds them whole, and at a worse place only where no size makes do with
    a better one. Raises TooLong when that does not help either.
    """
    steps = int((LARGEST - SMALLEST) / STEP) + 1
    for allowed in range(len(BREAKS) + 1):
        for size in (LARGEST - STEP * number for number in range(steps)):
            broken = [part for line in lines for part in break_line(line, size, place, typed, BREAKS[:allowed])]
            is_wide_enough = all(_is_held(line, size, place, typed) for line in broken)
            if is_wide_enough and len(broken) * size * LINE_HEIGHT * POINT <= place.height:
                return broken, size
    raise TooLong("The address does not fit the window of the envelope; shorten it in the customer data")


def break_line(line: str, size: float, place: Zone, typed: Sequence[str], breaks: Sequence[str] = BREAKS) -> list[str]:
    """The line, in as few parts as the window is wide enough for; nothing of it is lost but spaces at its breaks."""
    if _is_held(line, size, place, typed):
        return [line]
    for sign in breaks:
        ends = [at + len(sign) for at in range(1, len(line) - len(sign)) if line.startswith(sign, at)]
        if fitting := [end for end in ends if _is_held(line[:end].rstrip(), size, place, typed)]:
            rest = line[fitting[-1] :]
            return [line[: fitting[-1]].rstrip(), *break_line(rest, size, place, typed, breaks)]
    return [line]


def _is_held(line: str, size: float, place: Zone, typed: Sequence[str]) -> bool:
    return typed_width(typed, line, size) * POINT <= place.width
