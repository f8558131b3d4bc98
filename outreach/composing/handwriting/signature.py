"""Signs a name: larger and quicker than one writes, rising, and plainly another time each time.

A name that was learned as one drawing keeps its shape; one that is written letter by letter runs out towards its end.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from outreach.composing.handwriting.text_runs import Run, Word, show


@dataclass(frozen=True)
class Flourish:
    """How one signature is written, drawn anew for each."""

    #: In radians; below zero it rises.
    slope: float
    #: Shares: how large, how wide and how much leaned it is.
    size: float
    width: float
    lean: float
    #: How much smaller each letter of a word is than the one before, and how much larger a capital, as shares.
    trail: float
    capital: float
    #: How high its letters arch over the line, in em.
    arch: float


def draw_flourish(rng: random.Random) -> Flourish:
    """The same generator gives the same signature."""
    return Flourish(
        rng.uniform(-0.13, -0.035), rng.uniform(0.88, 1.12), rng.uniform(0.82, 1.06), rng.uniform(-0.06, 0.20),
        rng.uniform(0.0, 0.045), rng.uniform(0.0, 0.32), rng.uniform(-0.05, 0.09),
    )  # fmt: skip


def sign(run: Run, rng: random.Random) -> Iterator[bytes]:
    """The orders that write the run as a signature."""
    flourish, along = draw_flourish(rng), 0.0
    yield b"%.3f %.3f %.3f rg" % run.fill
    for word in run.words:
        for piece, number in _pieces(word):
            yield b"%.4f %.4f %.4f %.4f %.2f %.2f Tm" % _matrix(run, flourish, along, number, rng)
            yield show(piece)
            grown = _size(flourish, number) * flourish.width
            along += sum(run.font.widths[glyph] - moved for glyph, moved in piece) * run.size / 1000 * grown


def _pieces(word: Word) -> Iterator[tuple[list[tuple[int, float]], int]]:
    """The letters of a word one by one."""
    for number, glyph in enumerate(word.glyphs):
        yield [glyph], number


def _size(flourish: Flourish, number: int) -> float:
    if number == 0:
        return flourish.size * (1 + flourish.capital)
    return flourish.size * max(1 - flourish.trail * number, 0.7)


def _matrix(run: Run, flourish: Flourish, along: float, number: int, rng: random.Random) -> tuple[float, ...]:
    wide = sum(word.ends - word.begins for word in run.words) or 1.0
    size, angle = _size(flourish, number), flourish.slope + rng.gauss(0, 0.02)
    cosine, sine = size * math.cos(angle), size * math.sin(angle)
    up = -flourish.arch * run.size * math.sin(math.pi * min(along / wide, 1.0)) + rng.gauss(0, 0.012) * run.size
    # WeasyPrint's pages count y downward, so its text stands upright only with a negative height.
    return (
        cosine * flourish.width, sine * flourish.width, sine + size * flourish.lean, -cosine,
        run.x + along, run.y + along * math.tan(flourish.slope) + up,
    )  # fmt: skip
