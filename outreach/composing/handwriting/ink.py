"""Moves what the press has set on a page as a hand would have written it.

Each word stands a little off, turned, larger or darker than its neighbours, and each line wanders. It changes where
things stand, and never the text of the page. The same seed gives the same page for ever.
"""

import math
import random
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

# What a TJ of PDF holds in turn: glyphs, and how far the next one moves back, in thousandths of an em.
PIECE = re.compile(rb"<([0-9a-f]*)>|(-?[0-9.]+)")
STRAIGHT = re.compile(rb"(-?[0-9.]+) (-?[0-9.]+) l$")
Words = list[tuple[float, bytes]]


class PlacedFont(Protocol):
    """What WeasyPrint knows of a font on the page: widths in thousandths of an em and text, by glyph."""

    family: str
    widths: dict[int, int]
    to_unicode: dict[int, str]


@dataclass(frozen=True)
class HandMovement:
    """How far a hand strays: standard deviations, chosen by eye on whole letters."""

    #: Where a line begins, to the side, in CSS pixels.
    indent: float = 2.0
    #: Where a line begins, in height.
    drift: float = 0.6
    #: How a line rises or falls, in radians.
    slope: float = 0.0035
    #: How high the waves are that a line's words ride on, in CSS pixels.
    wander: float = 0.58
    #: How far a word stands from its place, in CSS pixels.
    gap: float = 0.35
    #: How a word is turned, in radians.
    turn: float = 0.006
    #: How much larger or smaller a word is, as a share.
    growth: float = 0.012
    lean: float = 0.012
    #: How much paler than the ink a word is, as a share.
    fade: float = 0.05
    #: How far a stroke strays from a straight one, in CSS pixels.
    bow: float = 0.9


def choose_walk(seed: str, walks: int) -> int:
    """Which of a pen's walks through its forms a posted letter takes, from 1 to `walks`."""
    return random.Random(f"walk {seed}").randint(1, walks)  # noqa: S311 - a likeness, not a secret


class Ink:
    """Goes over pages as WeasyPrint's `finisher`. `families` are the fonts that count as written, all others stay."""

    def __init__(self, seed: str, families: Collection[str], hand: HandMovement = HandMovement()) -> None:
        self.seed, self.families, self.hand = seed, families, hand

    def __call__(self, document: Any, pdf: Any) -> None:
        rng = random.Random(self.seed)  # noqa: S311 - a likeness, not a secret
        fonts = {font.hash.encode(): font for font in document.fonts.values()}
        for written in pdf.objects:
            stream = getattr(written, "stream", None)
            if isinstance(stream, list) and hasattr(written, "ctm"):
                orders = _InkedPage(fonts, self.families, self.hand, rng).go_over(stream)
                stream[:] = [
                    part
                    for are_bytes, run in groupby(orders, lambda order: isinstance(order, bytes))
                    for part in ([b"\n".join(run)] if are_bytes else run)
                ]


class _InkedPage:
    """One page's drawing orders, one after another, and where the pen stands among them."""

    def __init__(
        self, fonts: dict[bytes, PlacedFont], families: Collection[str], hand: HandMovement, rng: random.Random
    ) -> None:
        self.fonts, self.families, self.hand, self.rng = fonts, families, hand, rng
        self.font: PlacedFont | None = None
        self.size = self.x = self.y = 0.0
        self.is_astray = False
        self.colour: tuple[float, ...] = (0.0, 0.0, 0.0)
        self.line = _Line(rng, hand, 0.0)
        self.line_y: float | None = None
        self.start = (0.0, 0.0)
        # Between two marks only; a page without any is all text.
        self.mark = "/Span"

    @property
    def is_written(self) -> bool:
        return self.font is not None and self.font.family in self.families

    @property
    def is_underlining(self) -> bool:
        """Whether a stroke belongs to written words: those of pictures and frames stay straight."""
        return self.is_written and self.mark == "/Span"

    def go_over(self, orders: Iterable[Any]) -> Iterator[Any]:
        for order in list(orders):
            if not isinstance(order, bytes):
                self.mark = order if isinstance(order, str) and order.startswith("/") else self.mark
                yield order
            elif order.endswith(b" TJ") and self.font is not None:
                yield from self._text(order)
            elif order.endswith(b" l") and self.is_underlining and (end := STRAIGHT.match(order)):
                yield self._line_by_hand(float(end[1]), float(end[2]))
            else:
                self._notice(order)
                yield order

    def _notice(self, order: bytes) -> None:
        """Keeps account of what an order that stays as it is says about those to come."""
        parts = order.split()
        match parts[-1] if parts else b"":
            case b"EMC":
                self.mark = ""
            case b"Tf":
                self.font, self.size = self.fonts.get(parts[0][1:]), float(parts[1])
            case b"Tm":
                self.x, self.y, self.is_astray = float(parts[4]), float(parts[5]), False
            case b"rg":
                self.colour = tuple(float(part) for part in parts[:3])
            case b"m":
                self.start = float(parts[0]), float(parts[1])

    def _text(self, order: bytes) -> Iterator[bytes]:
        words, end = self._split(order)
        if not self.is_written:
            # What we wrote before has left the pen somewhere else.
            yield from [b"1 0 0 -1 %.2f %.2f Tm" % (self.x, self.y)] if self.is_astray else []
            yield order
        else:
            yield from self._write(words)
        self.x, self.is_astray = end, self.is_written

    def _split(self, order: bytes) -> tuple[Words, float]:
        """The words of a run of text with the place where each begins, and where the run ends."""
        assert self.font is not None  # noqa: S101
        em, widths, to_unicode = self.size / 1000, self.font.widths, self.font.to_unicode
        words: Words = []
        at = begins = self.x
        codes: list[bytes] = []
        for glyphs, moved in PIECE.findall(order):
            if moved:
                at -= float(moved) * em
                codes.append(b">" + moved + b"<")
            # WeasyPrint names a glyph by two bytes, in hexadecimal.
            for first in range(0, len(glyphs), 4):
                code = glyphs[first : first + 4]
                glyph = int(code, 16)
                at += widths.get(glyph, 0) * em
                codes.append(code)
                if to_unicode.get(glyph, "x").isspace():
                    words.append((begins, b"<%b>" % b"".join(codes)))
                    begins, codes = at, []
        return ([*words, (begins, b"<%b>" % b"".join(codes))] if codes else words), at

    def _write(self, words: Sequence[tuple[float, bytes]]) -> Iterator[bytes]:
        if self.y != self.line_y:
            self.line, self.line_y = _Line(self.rng, self.hand, self.x), self.y
        for begins, codes in words:
            yield b"%.3f %.3f %.3f rg" % self._darkness()
            yield b"%.4f %.4f %.4f %.4f %.2f %.2f Tm" % self.line.place(begins, self.y)
            yield b"[%b] TJ" % codes.replace(b"<>", b"")
        yield b"%.3f %.3f %.3f rg" % self.colour

    def _darkness(self) -> tuple[float, ...]:
        """The colour of the next word: sometimes a little paler than the ink, never darker."""
        fade = min(abs(self.rng.gauss(0, self.hand.fade)), 0.15)
        return tuple(part + (1 - part) * fade for part in self.colour)

    def _line_by_hand(self, x: float, y: float) -> bytes:
        """A stroke to (x, y) that bows a little, instead of one along a ruler."""
        from_x, from_y = self.start
        bow = [self.rng.gauss(0, self.hand.bow) for _ in range(3)]
        third = (x - from_x) / 3
        return b"%.2f %.2f %.2f %.2f %.2f %.2f c" % (
            from_x + third, from_y + bow[0], from_x + 2 * third, from_y + bow[1], x, y + bow[2],
        )  # fmt: skip


class _Line:
    """One line of handwriting: where it begins, how it slopes, and two slow waves that its words ride on."""

    def __init__(self, rng: random.Random, hand: HandMovement, left: float) -> None:
        self.rng, self.hand, self.left = rng, hand, left
        self.slope = rng.gauss(0, hand.slope)
        self.indent, self.drift = rng.gauss(0, hand.indent), rng.gauss(0, hand.drift)
        turn = 2 * math.pi
        self.waves = (
            (hand.wander, rng.uniform(0.006, 0.012), rng.uniform(0, turn)),
            (hand.wander * 0.55, rng.uniform(0.020, 0.035), rng.uniform(0, turn)),
        )

    def place(self, x: float, y: float) -> tuple[float, ...]:
        """The text matrix of the word that would begin at (x, y)."""
        hand, along = self.hand, x - self.left
        angle = self.slope + self.rng.gauss(0, hand.turn)
        grown = 1 + self.rng.gauss(0, hand.growth)
        cosine, sine = grown * math.cos(angle), grown * math.sin(angle)
        wave = sum(height * math.sin(along * often + phase) for height, often, phase in self.waves)
        up = self.drift + along * self.slope + wave + self.rng.gauss(0, hand.gap * 0.6)
        right = self.indent + self.rng.gauss(0, hand.gap)
        # WeasyPrint's pages count y downward, so its text stands upright only with a negative height.
        return cosine, sine, sine + self.rng.gauss(0, hand.lean), -cosine, x + right, y + up
