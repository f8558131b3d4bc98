"""Reads one outline for each character of a pen from a base face, and puts accents together where the face has none.

It draws nothing of its own but what the face's own letters and accents are made of.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from fontTools.ttLib import TTFont
from numpy.typing import NDArray

from outreach.errors import SettingsError

Points = NDArray[np.float64]
# Western, Central, Baltic and Nordic European languages, and the Romanian commas and Turkish letters.
LATIN = (
    # Without U+00AD, the soft hyphen: it is never drawn.
    "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0xAD), *range(0xAE, 0x100))))
    + "ĀāĂăĄąĆćČčĎďĐđĒēĖėĘęĚěĞğĢģĪīĮįİıĶķĹĺĻļĽľŁłŃńŅņŇňŌōŐőŒœŔŕŘřŚśŞşŠšŢţŤťŪūŮůŰűŲųŴŵŶŷŸŹźŻżŽžȘșȚțẞ"
    + "‐‑–—‘’‚“”„…€"
)
# Vietnamese, Greek and Cyrillic, which few faces of handwriting have.
FURTHER = "".join(
    letter
    for low, high in ((0x01A0, 0x01A2), (0x01AF, 0x01B1), (0x0386, 0x03CF), (0x0400, 0x0460), (0x0490, 0x0492),
                      (0x1EA0, 0x1EFA))
    for letter in map(chr, range(low, high))
    if letter.isalpha()
)  # fmt: skip
# What stands for each combining accent, in the order of preference.
MARKS = {
    "\u0300": "`", "\u0301": "´", "\u0302": "ˆ^", "\u0303": "˜~", "\u0304": "¯–", "\u0306": "˘", "\u0307": "˙.",
    "\u0308": "¨", "\u030a": "˚°", "\u030b": "˝", "\u030c": "ˇ", "\u0326": ",", "\u0327": "¸,", "\u0328": "˛¸",
}  # fmt: skip
BELOW = frozenset("\u0326\u0327\u0328")
# The same letter, or one that a hand writes the same way.
SAME = {"\u00a0": " ", "‐": "-", "‑": "-", "ẞ": "ß", "\u00b7": "•"}
# A caron on a tall letter is written as an apostrophe beside it.
BESIDE = frozenset("ďľťĽ")
GAP = 0.05


@dataclass(frozen=True)
class Outline:
    """One letter as drawn, in font units."""

    #: The points of all its contours.
    points: Points
    #: Which of them lie on the line; the others bend it.
    on_line: tuple[bool, ...]
    #: The last point of each contour.
    ends: tuple[int, ...]
    #: How far the hand moves on.
    advance: float

    @property
    def is_blank(self) -> bool:
        return not self.ends

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def moved(self, right: float, up: float) -> "Outline":
        return replace(self, points=self.points + np.array([right, up]))

    def turned_over(self) -> "Outline":
        """Its mirror image in a standing mirror."""
        left, _, right, _ = self.box
        return replace(self, points=np.stack([left + right - self.points[:, 0], self.points[:, 1]], axis=1))

    @property
    def contours(self) -> list[slice]:
        """Which points each contour has."""
        return [slice(before + 1, end + 1) for before, end in zip((-1, *self.ends), self.ends, strict=False)]

    @property
    def is_closed(self) -> bool:
        """Whether it goes round some white."""
        return any(area_of(self.points[contour]) > 0 for contour in self.contours)

    @property
    def outward(self) -> Points:
        """Which way is out of the ink at each point: a step of length 1, or none where the contour does not run on."""
        out = np.zeros_like(self.points)
        for contour in self.contours:
            points = self.points[contour]
            along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
            length = np.hypot(along[:, 0], along[:, 1])[:, None]
            # TrueType draws outer contours clockwise.
            out[contour] = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.where(length == 0, 1, length)
        return out

    def swollen(self, times: float, most: float) -> "Outline":
        """Its dots, which are no larger than `most`, drawn that much larger, each about its own middle."""
        points = self.points.copy()
        for contour in self.contours:
            if np.ptp(points[contour], axis=0).max() <= most:
                middle = points[contour].mean(axis=0)
                points[contour] = middle + (points[contour] - middle) * times
        return replace(self, points=points)

    def joined(self, other: "Outline") -> "Outline":
        """Both, drawn one over the other, as wide as this one."""
        ends = (*self.ends, *(end + len(self.points) for end in other.ends))
        points = np.concatenate([self.points, other.points])
        return Outline(points, (*self.on_line, *other.on_line), ends, self.advance)


@dataclass(frozen=True)
class Letterforms:
    """What a base face gives a pen: outlines by character, kerning by pair of characters, and its measures."""

    outlines: dict[str, Outline]
    kerning: dict[tuple[str, str], int]
    units: int
    ascent: int
    descent: int
    x_height: float
    copyright: str
    licence: str


def read_letterforms(face: Path, characters: Iterable[str] = LATIN) -> Letterforms:
    """All of `characters` that the face has, or has the parts of; SettingsError where it has no Latin letters."""
    with TTFont(face) as font:
        reader = _BaseFace(font)
        x = reader.find("x")
        if x is None or x.is_blank:
            raise SettingsError(f"{face.name} has no Latin letters; choose another base")
        outlines = {each: made for each in characters if (made := reader.find(each)) is not None}
        # OpenType's name 0 is the copyright, 13 the licence.
        names = {number: font["name"].getDebugName(number) or "" for number in (0, 13)}
        return Letterforms(
            outlines, reader.kerning(outlines), reader.units, font["hhea"].ascent, font["hhea"].descent,
            x.box[3], names[0], names[13],
        )  # fmt: skip


class Alphabet:
    """The letters that a hand has of its own, and those that can be put together from a letter and an accent of it.

    `own` gives the outline of a character, None where the hand has none.
    """

    def __init__(self, own: Callable[[str], Outline | None], units: float) -> None:
        self.own, self.units = own, units

    def find(self, character: str) -> Outline | None:
        """The hand's own letter, or the same as another, or put together; None where none of these can be had."""
        if (own := self.own(character)) is not None:
            return own
        if character in SAME:
            return self.find(SAME[character])
        if character == "ı":
            return self._without_dot("i")
        if character in "đĐ":
            return self._crossed("d" if character == "đ" else "D")
        letter, accent = _parts_of(character)
        return self._accented(letter, accent, character) if accent else None

    def _accented(self, letter: str, accent: str, character: str) -> Outline | None:
        base = self.find("ı" if letter == "i" and accent not in BELOW else letter)
        mark = self._mark("’" if character in BESIDE else accent)
        if base is None or mark is None or base.is_blank:
            return None
        left, bottom, right, top = base.box
        mark_left, mark_bottom, mark_right, mark_top = mark.box
        gap = GAP * self.units
        middle = (left + right) / 2 - (mark_left + mark_right) / 2
        if character in BESIDE:
            return base.joined(mark.moved(right + gap - mark_left, top - mark_top))
        if accent not in BELOW or (letter, accent) == ("g", "\u0327"):  # ģ wears its cedilla above
            return base.joined(mark.moved(middle, top + gap - mark_bottom))
        # A comma hangs clear of the letter; a cedilla and an ogonek touch it.
        hangs = gap if accent == "\u0326" else -gap / 2
        return base.joined(mark.moved(middle, min(bottom, 0.0) - hangs - mark_top))

    def _mark(self, accent: str) -> Outline | None:
        """An accent as the face has it, or as it can be made from another."""
        for character in MARKS.get(accent, accent):
            if (mark := self.own(character)) is not None:
                # A cedilla turned over is an ogonek.
                return mark.turned_over() if (accent, character) == ("\u0328", "¸") else mark
        return None

    def _without_dot(self, character: str) -> Outline | None:
        """A letter without its topmost contour."""
        whole = self.find(character)
        if whole is None or len(whole.ends) < 2:
            return None
        contours = whole.contours
        dot = max(contours, key=lambda contour: float(whole.points[contour, 1].min()))
        kept = [contour for contour in contours if contour != dot]
        points = np.concatenate([whole.points[contour] for contour in kept])
        on_line = tuple(flag for contour in kept for flag in whole.on_line[contour])
        ends = tuple(int(end) - 1 for end in np.cumsum([contour.stop - contour.start for contour in kept]))
        return Outline(points, on_line, ends, whole.advance)

    def _crossed(self, letter: str) -> Outline | None:
        """A d or D with a bar through its stem."""
        base, bar = self.find(letter), self.find("-")
        if base is None or bar is None:
            return None
        left, bottom, right, top = base.box
        bar_left, bar_bottom, bar_right, bar_top = bar.box
        high = 0.78 if letter == "d" else 0.5
        stem = right if letter == "d" else left + 0.1 * (right - left)
        up = bottom + high * (top - bottom) - (bar_bottom + bar_top) / 2
        return base.joined(bar.moved(stem - (bar_left + bar_right) / 2, up))


class _BaseFace(Alphabet):
    """One open face's letters, and its kerning."""

    def __init__(self, font: TTFont) -> None:
        super().__init__(self._own, font["head"].unitsPerEm)
        self.glyphs = font.getBestCmap()
        self.units: int = font["head"].unitsPerEm
        self.font = font

    def _own(self, character: str) -> Outline | None:
        if ord(character) not in self.glyphs:
            return None
        return outline_of(self.font, self.glyphs[ord(character)])

    def kerning(self, outlines: dict[str, Outline]) -> dict[tuple[str, str], int]:
        """How much nearer or farther each pair of characters stands, where the face says so."""
        characters = defaultdict(list)
        for character in outlines:
            if ord(character) in self.glyphs:
                characters[self.glyphs[ord(character)]].append(character)
        return {
            (left, right): value
            for (first, second), value in _pairs_in(self.font).items()
            if value
            for left in characters.get(first, ())
            for right in characters.get(second, ())
        }


def outline_of(font: TTFont, glyph: str) -> Outline:
    """One glyph of a face as it is drawn."""
    points, ends, flags = font["glyf"][glyph].getCoordinates(font["glyf"])
    advance = float(font["hmtx"][glyph][0])
    # TrueType: bit 0 of a point's flags says that it lies on the line.
    return Outline(np.array(points, float).reshape(-1, 2), tuple(bool(f & 1) for f in flags), tuple(ends), advance)


def area_of(contour: Points) -> float:
    """How much a polygon goes round: below zero where with the clock, as outer contours of TrueType are."""
    x, y = contour.T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)


def _parts_of(character: str) -> tuple[str, str]:
    """A letter and its combining accent; no accent where it has none, or more than one."""
    parts = unicodedata.normalize("NFD", character)
    return (parts[0], parts[1]) if len(parts) == 2 else (character, "")


def _pairs_in(font: TTFont) -> dict[tuple[str, str], int]:
    """Every pair of glyphs that the face's own kerning moves; the first table that names a pair decides."""
    pairs: dict[tuple[str, str], int] = {}
    if "GPOS" not in font:
        return pairs
    table = font["GPOS"].table
    numbers = {
        number
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag == "kern"
        for number in record.Feature.LookupListIndex
    }
    for number in sorted(numbers):
        for subtable in table.LookupList.Lookup[number].SubTable:
            # Large faces wrap their tables in extensions (GPOS lookup type 9).
            for pair, value in _pairs_of(getattr(subtable, "ExtSubTable", subtable)):
                pairs.setdefault(pair, value)
    return pairs


def _pairs_of(subtable: Any) -> Iterator[tuple[tuple[str, str], int]]:
    if type(subtable).__name__ != "PairPos":
        return
    firsts = subtable.Coverage.glyphs
    if subtable.Format == 1:
        for first, following in zip(firsts, subtable.PairSet, strict=True):
            for record in following.PairValueRecord:
                yield (first, record.SecondGlyph), getattr(record.Value1, "XAdvance", 0)
        return
    for first in firsts:
        # OpenType: a glyph that no class names is in class 0.
        row = subtable.Class1Record[subtable.ClassDef1.classDefs.get(first, 0)].Class2Record
        for second, number in subtable.ClassDef2.classDefs.items():
            yield (first, second), getattr(row[number].Value1, "XAdvance", 0)
