"""Goes over what the press has set on a page, as a hand would have written it.

It chooses which form of each letter stands where, moves words and lines, and changes the weight and colour of their
ink. It never changes the text of the page. The same seed gives the same page for ever.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import groupby
from typing import Any

from outreach.composing.handwriting.glyph_forms import FormCycle, forms_in
from outreach.composing.handwriting.glyph_subset import GlyphTables, keep_glyphs
from outreach.composing.handwriting.hand_movement import HandMovement, LineMovement, PageMovement
from outreach.composing.handwriting.signature import sign
from outreach.composing.handwriting.text_runs import Colour, PlacedFont, SetWord, TextRun, read_runs, show

STRAIGHT = re.compile(rb"(-?[0-9.]+) (-?[0-9.]+) l$")
# Written so many times as large as most of the page, it is a signature.
SIGNED = 1.3
# A line farther below the one before than so many of its sizes begins a paragraph.
PARAGRAPH = 1.75
# CSS pixels that a line may run on over the longest of the layout.
BEYOND = 4.0


class Ink:
    """Goes over a document as it is painted. `families` are the fonts that count as written, all others stay."""

    def __init__(self, seed: str, families: Collection[str], hand: HandMovement = HandMovement()) -> None:
        self.seed, self.families, self.hand = seed, families, hand

    def attach(self, document: Any) -> None:
        """Has each page of a laid-out document inked once it is painted: after that, WeasyPrint packs its fonts."""
        rng = random.Random(self.seed)  # noqa: S311 - a likeness, not a secret
        for page in document.pages:
            page.paint = partial(self._paint, page.paint, page.height, document.fonts, rng)

    def _paint(
        self,
        paint: Callable[[Any, float], None],
        height: float,
        fonts: Mapping[Any, PlacedFont],
        rng: random.Random,
        stream: Any,
        scale: float,
    ) -> None:
        paint(stream, scale)
        by_name = {font.hash.encode(): font for font in fonts.values()}
        page = _InkedPage(by_name, self.families, PageMovement(rng, self.hand, height))
        orders = page.go_over(list(stream.stream))
        stream.stream[:] = [
            part
            for are_bytes, run in groupby(orders, lambda order: isinstance(order, bytes))
            for part in ([b"\n".join(run)] if are_bytes else run)
        ]
        for font in by_name.values():
            if font.family in self.families and (tables := forms_in(font.family, font.file_content).tables):
                font.clean = partial(_clean, font, tables)


def _clean(font: PlacedFont, tables: GlyphTables, shown: Collection[int], *_: object) -> None:
    """In place of WeasyPrint's own subset, which takes longer."""
    font.file_content = keep_glyphs(tables, shown)


class _InkedPage:
    """One page's drawing orders: first all that is written is read and placed, then each order is written anew."""

    def __init__(self, fonts: Mapping[bytes, PlacedFont], families: Collection[str], movement: PageMovement) -> None:
        self.fonts, self.families, self.movement = fonts, families, movement
        self.cycle = FormCycle(movement.rng)
        self.lines: list[tuple[float, LineMovement]] = []

    def go_over(self, orders: Sequence[Any]) -> Iterator[Any]:
        runs = {run.order: run for run in read_runs(orders, self.fonts)}
        self._place([run for run in runs.values() if self._is_written(run)])
        # Between two marks only; a page without any is all text.
        run, mark, start, is_astray = None, "/Span", (0.0, 0.0), False
        for number, order in enumerate(orders):
            if not isinstance(order, bytes):
                mark = order if isinstance(order, str) and order.startswith("/") else mark
                yield order
            elif number in runs:
                run = runs[number]
                yield from self._write(run) if self._is_written(run) else _type(order, run, is_astray)
                is_astray = self._is_written(run)
            elif run and mark == "/Span" and self._is_written(run) and (end := STRAIGHT.match(order)):
                # Underlines; strokes of pictures and frames stay straight.
                yield self._draw_by_hand(start, (float(end[1]), float(end[2])))
            else:
                is_astray, mark = is_astray and not order.endswith(b" Tm"), "" if order == b"EMC" else mark
                if order.endswith(b" m"):
                    start = float(order.split()[0]), float(order.split()[1])
                    order = self._shift_start(order, start) if run and mark == "/Span" else order
                yield order

    def _is_written(self, run: TextRun) -> bool:
        return run.font.family in self.families

    def _place(self, runs: Sequence[TextRun]) -> None:
        """Says where every word of the page comes to stand, line by line."""
        usual = Counter(run.size for run in runs).most_common(1)[0][0] if runs else 0.0
        edge = max((word.ends for run in runs for word in run.words), default=0.0) + BEYOND
        above = 0.0
        for _, same in groupby(runs, lambda run: run.y):
            line = list(same)
            for run in line:
                self._choose_forms(run)
            if line[0].size > SIGNED * usual:
                continue
            movement = self.movement.begin_line(line[0].x, line[0].y, line[0].y - above > PARAGRAPH * usual)
            above = line[0].y
            self.lines.append((above, movement))
            words = [(run, word) for run in line for word in run.words]
            stroke = forms_in(line[0].font.family, line[0].font.file_content).stroke
            widths, gaps = [_width(*each) for each in words], [word.gap for _, word in words]
            placed = movement.place(widths, gaps, usual, stroke, edge)
            for (run, _), place in zip(words, placed, strict=True):
                run.placed.append(place)

    def _choose_forms(self, run: TextRun) -> None:
        """Puts a form of each letter in the place of the first, and has the font know it."""
        font, forms = run.font, forms_in(run.font.family, run.font.file_content)
        text, widths, choose = font.to_unicode, font.widths, self.cycle.choose
        letters, counts, family = forms.letters, forms.counts, font.family
        for word in run.words:
            written, is_after_letter = word.glyphs, False
            for number, (glyph, moved) in enumerate(written):
                place = "within"
                if glyph in letters:
                    is_before_letter = number + 1 < len(written) and written[number + 1][0] in letters
                    if not (is_before_letter and is_after_letter):
                        place = "start" if is_before_letter else "end"
                    is_after_letter = True
                else:
                    is_after_letter = False
                form = glyph + choose(family, glyph, counts.get(glyph, 1), place)
                if form not in text:
                    text[form], widths[form] = text[glyph], round(forms.widths[form])
                written[number] = form, moved

    def _write(self, run: TextRun) -> Iterator[bytes]:
        if not run.placed:
            yield from sign(run, self.movement.rng)
        # Round ends and corners: a pen has no edges.
        yield b"1 J 1 j"
        for word, place in zip(run.words, run.placed, strict=False):
            gathered, first, pale = _shades(run.fill, place.paleness, self.movement.hand.spread)
            # Mode 2 of text in PDF fills and strokes: what is stroked makes the pen heavier, and darkens the starts and
            # turns of strokes, which have a contour of their own (font/ink_spots.py).
            yield b"2 Tr %.2f w %b RG" % (place.weight * run.size, gathered)
            yield b"%.4f %.4f %.4f %.4f %.2f %.2f Tm" % place.matrix
            yield first + b" rg"
            yield show(word.glyphs[:1])
            if word.glyphs[1:]:
                yield pale + b" rg"
                yield show(word.glyphs[1:])
        yield b"0 J 0 j 0 Tr %.3f %.3f %.3f rg %.3f %.3f %.3f RG" % (*run.fill, *run.stroke)

    def _draw_by_hand(self, start: tuple[float, float], end: tuple[float, float]) -> bytes:
        """A stroke to `end` that bows a little and follows its words, instead of one along a ruler."""
        rng, bow = self.movement.rng, self.movement.hand.bow
        points = [self._moved(start[0] + (end[0] - start[0]) * share, end[1]) for share in (1 / 3, 2 / 3, 1)]
        return b"%.2f %.2f %.2f %.2f %.2f %.2f c" % tuple(
            part for x, y in points for part in (x, y + rng.gauss(0, bow))
        )

    def _shift_start(self, order: bytes, start: tuple[float, float]) -> bytes:
        return b"%.2f %.2f m" % self._moved(*start)

    def _moved(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the layout has gone with the line that is nearest above it."""
        above = [each for each in self.lines if each[0] <= y + 1]
        return above[-1][1].moved(x, y) if above else (x, y)


def _type(order: bytes, run: TextRun, is_astray: bool) -> Iterable[bytes]:
    """What is not written stays as it is; where the pen has been, it is led back first."""
    return [b"1 0 0 -1 %.2f %.2f Tm" % (run.x, run.y), order] if is_astray else [order]


def _width(run: TextRun, word: SetWord) -> float:
    """How wide a word is with the forms it has now, without the space after it."""
    widths, text = run.font.widths, run.font.to_unicode
    inked = [(glyph, moved) for glyph, moved in word.glyphs if not text.get(glyph, "x").isspace()]
    return sum(widths[glyph] - moved for glyph, moved in inked) * run.size / 1000


# A pen is dipped after so many words, so that there are few shades.
@lru_cache(maxsize=4096)
def _shades(fill: Colour, paleness: float, spread: float) -> tuple[bytes, bytes, bytes]:
    """The colours of a word as PDF writes them: where its ink gathers, in its first letter, and in the others."""
    each = (paleness, paleness + spread / 2, paleness + spread)
    gathered, first, others = (b"%.2f %.2f %.2f" % _mix(fill, pale) for pale in each)
    return gathered, first, others


def _mix(colour: Colour, paleness: float) -> Colour:
    return tuple(part + (1 - part) * paleness for part in colour)
