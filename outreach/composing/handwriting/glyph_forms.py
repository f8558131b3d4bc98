"""Which glyphs of a pen are forms of one character, how wide each is, and in which order a hand takes them.

All that depends on the pen alone is read once and shared by every letter; a letter only looks it up.
"""

import io
import random
from dataclasses import dataclass
from functools import cache

from fontTools.ttLib import TTFont

from outreach.composing.handwriting.glyph_subset import GlyphTables, places_of, read_glyphs

# So many orders of the forms are drawn once; a page begins each character's with one of them.
ORDERS = 64
# Shares of an em: what strokes of handwriting are between.
THINNEST, THICKEST = 0.045, 0.08


@dataclass(frozen=True)
class GlyphForms:
    """The forms in a pen."""

    #: How many forms the character has that a glyph draws, by the glyph of its first form.
    counts: dict[int, int]
    #: The first forms of letters, and of names and pairs.
    letters: frozenset[int]
    #: The width of each glyph, in thousandths of an em.
    widths: tuple[float, ...]
    #: Its tables, from which the files of letters are put together; None where they cannot be.
    tables: GlyphTables | None
    #: How thick its strokes are, as a share of an em: as thick as its dash is high.
    stroke: float


def for_word_ends(count: int) -> range:
    """Which of a character's forms stand only at the end of a word: the last quarter, where there are enough."""
    return range(count - count // 4, count) if count >= 8 else range(0)


def for_word_starts(count: int) -> range:
    """Which of its forms stand only at the start of a word: as many, before those. Capitals have too few."""
    ends = for_word_ends(count)
    return range(ends.start - len(ends), ends.start) if count >= 12 else range(0)


@cache
def order_of(count: int, place: str, number: int) -> tuple[int, ...]:
    """One of the `ORDERS` in which forms are taken at a `place`: the "start" of a word, "within" it, or its "end"."""
    starts, ends = for_word_starts(count), for_word_ends(count)
    within = [form for form in range(count) if form not in starts and form not in ends]
    forms = list({"start": starts, "end": ends}.get(place, within)) or within
    random.Random(f"{count} {place} {number}").shuffle(forms)  # noqa: S311 - a likeness, not a secret
    return tuple(forms)


class FormCycle:
    """Hands out the forms of each character so that each comes once before one comes again."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.at: dict[tuple[str, int, str], tuple[tuple[int, ...], int]] = {}

    def choose(self, pen: str, glyph: int, count: int, place: str) -> int:
        """The form of the character whose first form in a pen is `glyph`, at that place in a word."""
        forms, taken = self.at.get((pen, glyph, place), ((), 0))
        if taken >= len(forms):
            before = forms[-1] if forms else -1
            forms, taken = order_of(count, place, int(self.rng.random() * ORDERS)), 0
            # The first of an order never repeats the last of the one before.
            if forms[0] == before and len(forms) > 1:
                taken = 1
        self.at[pen, glyph, place] = forms, taken + 1
        return forms[taken]


_read: dict[tuple[str, bytes], GlyphForms] = {}


def forms_in(family: str, font: bytes) -> GlyphForms:
    """The forms in a font file. Files are told apart by the checksum that each bears of all that it holds."""
    key = family, _checksum(font)
    if key not in _read:
        _read[key] = read_forms(font)
    return _read[key]


def _checksum(font: bytes) -> bytes:
    """The third number of the table “head”, of the whole file; nothing where there is no such table."""
    start, _ = places_of(font).get(b"head", (len(font), 0))
    return font[start + 8 : start + 12]


def read_forms(font: bytes) -> GlyphForms:
    """The forms of each mapped character, and of each name or pair that is written at one go.

    A pen's compiler puts the forms of a character one after another in the order of glyphs.
    """
    with TTFont(io.BytesIO(font), lazy=True) as file:
        widths = file["hmtx"].metrics
        order, em = file.getGlyphOrder(), file["head"].unitsPerEm
        mapped = {file.getGlyphID(name): chr(code) for code, name in file.getBestCmap().items()}
        together = _written_together(file)
        firsts = sorted(mapped.keys() | together)
        ends = [*firsts[1:], len(order)]
        counts = {first: end - first for first, end in zip(firsts, ends, strict=True)}
        letters = together | {glyph for glyph, character in mapped.items() if character.isalpha()}
        return GlyphForms(
            counts,
            frozenset(letters),
            tuple(widths[name][0] * 1000 / em for name in order),
            read_glyphs(font),
            _stroke(file) / em,
        )


def _stroke(file: TTFont) -> float:
    dash = file.getBestCmap().get(ord("-"))
    glyph = file["glyf"][dash] if dash else None
    em = file["head"].unitsPerEm
    high = glyph.yMax - glyph.yMin if glyph is not None and glyph.numberOfContours else THINNEST * em
    # A dash that slants is higher than it is thick.
    return float(min(max(high, THINNEST * em), THICKEST * em))


def _written_together(file: TTFont) -> set[int]:
    if "GSUB" not in file:
        return set()
    return {
        file.getGlyphID(row.LigGlyph)
        for lookup in file["GSUB"].table.LookupList.Lookup
        for subtable in lookup.SubTable
        for rows in getattr(subtable, "ligatures", {}).values()
        for row in rows
    }
