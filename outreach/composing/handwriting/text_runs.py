"""Reads what a page's drawing orders write: runs of glyphs, cut into words, with what the orders before them set."""

import re
import struct
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from outreach.composing.handwriting.hand_movement import PlacedWord

# What a TJ of PDF holds in turn: glyphs, and how far the next one moves back, in thousandths of an em.
PIECE = re.compile(rb"<([0-9a-f]*)>|(-?[0-9.]+)")
TWO_BYTES = struct.Struct(">H")
Colour = tuple[float, ...]


class PlacedFont(Protocol):
    """What WeasyPrint knows of a font on the page: widths in thousandths of an em and text, by glyph."""

    family: str
    #: Its name in the drawing orders.
    hash: str
    file_content: bytes
    widths: dict[int, int]
    to_unicode: dict[int, str]
    #: Called with the glyphs that are shown, before the file is written.
    clean: Callable[..., None]


@dataclass
class SetWord:
    """A word as the press has set it, with the space after it."""

    begins: float
    #: Each glyph, and how far the next one moves back after it, in thousandths of an em.
    glyphs: list[tuple[int, float]] = field(default_factory=list)
    #: Where its ink ends.
    ends: float = 0.0
    #: How much white the layout has after it, before the next word.
    gap: float = 0.0


@dataclass
class TextRun:
    """One order of a page that writes, and what was set when it came."""

    #: Its place among the orders.
    order: int
    font: PlacedFont
    size: float
    x: float
    y: float
    fill: Colour
    stroke: Colour
    words: list[SetWord]
    #: Where each word comes to stand, once that is said.
    placed: list[PlacedWord] = field(default_factory=list)


def read_runs(orders: Sequence[Any], fonts: Mapping[bytes, PlacedFont]) -> Iterator[TextRun]:
    """The runs of text among a page's orders, each with where it begins."""
    spaces = {
        font.hash: {glyph for glyph, text in font.to_unicode.items() if text.isspace()} for font in fonts.values()
    }
    font: PlacedFont | None = None
    size = x = y = 0.0
    fill: Colour = (0.0, 0.0, 0.0)
    stroke: Colour = (0.0, 0.0, 0.0)
    for number, order in enumerate(orders):
        if not isinstance(order, bytes):
            continue
        operator = order[order.rfind(b" ") + 1 :]
        if operator == b"TJ" and font is not None:
            words, x_after = cut_words(order, font, spaces[font.hash], size, x)
            yield TextRun(number, font, size, x, y, fill, stroke, words)
            x = x_after
        elif operator == b"Tf":
            name, said = order.split()[:2]
            font, size = fonts.get(name[1:]), float(said)
        elif operator == b"Tm":
            x, y = (float(part) for part in order.split()[4:6])
        elif operator == b"rg":
            fill = _numbers(order)
        elif operator == b"RG":
            stroke = _numbers(order)


def _numbers(order: bytes) -> Colour:
    return tuple(float(part) for part in order.split()[:3])


def cut_words(
    order: bytes, font: PlacedFont, spaces: Collection[int], size: float, x: float
) -> tuple[list[SetWord], float]:
    """The words of a run of text that begins at `x`, and where it ends; `spaces` are the glyphs that show nothing."""
    em, widths = size / 1000, font.widths
    at, word, has_ended = x, SetWord(x), False
    words = [word]
    glyphs_of_word = word.glyphs
    for glyphs, moved in PIECE.findall(order):
        if moved:
            if moved != b"0" and glyphs_of_word:
                at -= float(moved) * em
                glyph, already = glyphs_of_word[-1]
                glyphs_of_word[-1] = glyph, already + float(moved)
            continue
        # WeasyPrint names a glyph by two bytes, in hexadecimal.
        for (glyph,) in TWO_BYTES.iter_unpack(bytes.fromhex(glyphs.decode())):
            if glyph in spaces:
                has_ended = True
                at += widths.get(glyph, 0) * em
            else:
                if has_ended:
                    word.gap = at - word.ends
                    word, has_ended = SetWord(at), False
                    words.append(word)
                    glyphs_of_word = word.glyphs
                at += widths.get(glyph, 0) * em
                word.ends = at
            glyphs_of_word.append((glyph, 0.0))
    word.gap = at - word.ends
    return words, at


def show(glyphs: Sequence[tuple[int, float]]) -> bytes:
    """The order that writes these glyphs."""
    pieces = b"".join(b"%04x>%d<" % (glyph, moved) if moved else b"%04x" % glyph for glyph, moved in glyphs)
    return (b"[<%b>] TJ" % pieces).replace(b"<>", b"")
