"""Signs a name: larger and quicker than one writes, rising, and plainly another time each time.

A name that was learned as one drawing keeps its shape; one that is written letter by letter runs out towards its end.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from outreach.composing.handwriting.text_runs import TextRun, show

# So high a name rises at most from its first letter to its last, in em.
HIGHEST = 0.5


@dataclass(frozen=True)
class Flourish:
    """How one signature is written, drawn anew for each."""

    #: In radians; below zero it rises.
    slope: float
    #: Shares: how large, how wide and how much leaned it is.
    size: float
    width: float
    lean: float
    #: Shares: how much smaller each letter of a word is than the one before, and how much larger a capital.
    trail: float
    capital: float
    #: How high it arches over its line, in em.
    arch: float


def draw_flourish(rng: random.Random) -> Flourish:
    """The same generator gives the same signature."""
    return Flourish(
        slope=rng.uniform(-0.16, -0.03),
        size=rng.uniform(0.84, 1.10),
        width=rng.uniform(0.76, 1.14),
        lean=rng.uniform(-0.12, 0.34),
        trail=rng.uniform(0.0, 0.06),
        capital=rng.uniform(0.0, 0.35),
        arch=rng.uniform(-0.06, 0.10),
    )


def sign(run: TextRun, rng: random.Random) -> Iterator[bytes]:
    """The orders that write the run as a signature."""
    flourish = draw_flourish(rng)
    wide = max(sum(word.ends - word.begins for word in run.words), run.size)
    # A long name that rose as steeply as a short one would run into the words above it.
    flourish = replace(flourish, slope=max(flourish.slope, -HIGHEST * run.size / wide))
    along = 0.0
    # Letters that rise are no line to what reads pages aloud, so it is told the name.
    name = "".join(run.font.to_unicode.get(glyph, "") for word in run.words for glyph, _ in word.glyphs)
    yield b"/Span <</ActualText <feff%b>>> BDC" % name.encode("utf-16-be").hex().encode()
    yield b"%.3f %.3f %.3f rg" % run.fill
    for word in run.words:
        for number, glyph in enumerate(word.glyphs):
            size = _size(flourish, number)
            yield b"%.4f %.4f %.4f %.4f %.2f %.2f Tm" % _matrix(run, flourish, along, along / wide, size)
            yield show([glyph])
            along += (run.font.widths[glyph[0]] - glyph[1]) * run.size / 1000 * size * flourish.width
    yield b"EMC"


def _size(flourish: Flourish, number: int) -> float:
    """How large letter `number` of a word is; none so small that it cannot be read."""
    return flourish.size * ((1 + flourish.capital) if number == 0 else max(1 - flourish.trail * number, 0.72))


def _matrix(run: TextRun, flourish: Flourish, along: float, share: float, size: float) -> tuple[float, ...]:
    """The text matrix of the letter that begins `along` the name, which is a `share` of it."""
    # Letters turn with the arch, so that joined ones go on meeting.
    wide = along / share if share else run.size
    arch = flourish.arch * run.size
    angle = flourish.slope - arch * math.pi / wide * math.cos(math.pi * share) * (share > 0)
    up = along * math.tan(flourish.slope) - arch * math.sin(math.pi * share)
    cosine, sine = size * math.cos(angle), size * math.sin(angle)
    # WeasyPrint's pages count y downward, so its text stands upright only with a negative height.
    return (
        cosine * flourish.width, sine * flourish.width, sine + size * flourish.lean, -cosine, run.x + along, run.y + up,
    )  # fmt: skip
