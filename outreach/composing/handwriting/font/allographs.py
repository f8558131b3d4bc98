"""Other drawings of a letter than the one a face maps it to: those that the face hides in its tables, and redrawn ones.

A hand writes its commonest letters in several ways, and some only at the end of a word.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from fontTools.ttLib import TTFont

from outreach.composing.handwriting.font.letterforms import Outline, Points, outline_of
from outreach.composing.handwriting.font.variation import number_of

# The fifteen letters that come most often, by far, in the languages that the pens write.
COMMONEST = frozenset("etaoinshrdlumcy")
DRAWINGS, FEWER = 5, 3
BOWED = frozenset("abdegopq")
# Features that hold drawings of the same letter, for looks alone; all others say something else with them.
LOOKS = frozenset({"calt", "salt", "ss01", "ss02"})
# A drawing of another width is another letter, or made for a neighbour that it joins.
WIDTHS, HEIGHTS = (0.72, 1.35), (0.75, 1.3)
# A stroke ends at the edge of a letter where its ink is no higher, at the outermost share of the width, than such a
# share of the letter.
EDGE, TAIL = 0.12, 0.38


def hidden_drawings(font: TTFont) -> dict[str, list[str]]:
    """The glyphs that the face puts in another's place for looks, by that other's name."""
    if "GSUB" not in font:
        return {}
    table, mapped = font["GSUB"].table, set(font.getBestCmap().values())
    wanted = {
        number
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag in LOOKS
        for number in record.Feature.LookupListIndex
    }
    hidden: dict[str, list[str]] = defaultdict(list)
    lookups = table.LookupList.Lookup
    for number in sorted(wanted | {each for first in wanted for each in _called(lookups[first])}):
        for subtable in map(_plain, lookups[number].SubTable):
            for glyph, drawn in _replaced(subtable):
                if drawn not in mapped and drawn not in hidden[glyph]:
                    hidden[glyph].append(drawn)
    return dict(hidden)


def read_hidden(face: Path) -> dict[str, list[Outline]]:
    """The hidden drawings of each character that the face maps."""
    with TTFont(face) as font:
        hidden = hidden_drawings(font)
        return {
            chr(code): [outline_of(font, each) for each in hidden[glyph]]
            for code, glyph in font.getBestCmap().items()
            if glyph in hidden
        }


def _plain(subtable: Any) -> Any:
    # Large faces wrap their tables in extensions (GSUB lookup type 7).
    return getattr(subtable, "ExtSubTable", subtable)


def _called(lookup: Any) -> Iterator[int]:
    """The lookups that a contextual one calls, however its rules are written."""
    for subtable in map(_plain, lookup.SubTable):
        waiting = [subtable]
        while waiting:
            part = waiting.pop()
            if hasattr(part, "LookupListIndex"):
                yield part.LookupListIndex
            waiting += [
                each
                for name, value in vars(part).items()
                if name.endswith(("Record", "Rule", "RuleSet", "ClassSet", "Set", "SubstLookupRecord"))
                for each in (value if isinstance(value, list) else [value])
                if hasattr(each, "__dict__")
            ]


def _replaced(subtable: Any) -> Iterator[tuple[str, str]]:
    if type(subtable).__name__ == "SingleSubst":
        yield from subtable.mapping.items()
    if type(subtable).__name__ == "AlternateSubst":
        for glyph, drawn in subtable.alternates.items():
            yield from ((glyph, each) for each in drawn)


def is_alike(drawn: Outline, base: Outline) -> bool:
    """Whether a hidden drawing can stand where the letter stands."""
    if drawn.is_blank or base.is_blank:
        return False
    heights = (drawn.box[3] - drawn.box[1]) / max(base.box[3] - base.box[1], 1)
    widths = drawn.advance / max(base.advance, 1)
    return WIDTHS[0] < widths < WIDTHS[1] and HEIGHTS[0] < heights < HEIGHTS[1]


def drawings_of(
    character: str,
    base: Outline,
    hidden: Mapping[str, list[Outline]],
    x_height: float,
    far: float,
    is_joined: bool,
    seed: int,
) -> list[Outline]:
    """The base, the drawings its face hides, and as many redrawn ones as the character is to have."""
    if not character.isalpha() or base.is_blank:
        return [base]
    drawn = [base, *(each for each in hidden.get(character, ()) if is_alike(each, base))]
    if character in BOWED:
        # An open b is read as an h.
        drawn = [each for each in drawn if each.is_closed] or drawn
    count = DRAWINGS if character in COMMONEST else FEWER
    for number in range(len(drawn), count):
        drawn.append(redraw(character, drawn[number % len(drawn)], x_height, far, is_joined, seed, character, number))
    return drawn[:count]


def redraw(character: str, outline: Outline, x_height: float, far: float, is_joined: bool, *seed: object) -> Outline:
    """The letter as the same hand draws it another time: other proportions, bows and loops, and its dot elsewhere.

    `far` is the share of all that it may change. A joined letter keeps the heights at which it begins and ends.
    """
    rng = np.random.default_rng(number_of("redraw", *seed))
    points = outline.points.copy()
    if not is_joined:
        points = _move_dot(outline, points, far * x_height, x_height, rng)
    left, _, right, _ = outline.box
    middle, wide = (left + right) / 2, max(right - left, 1.0)
    wider = 1 + far * rng.choice([-0.10, -0.05, 0.07, 0.12] if is_joined else [-0.14, -0.09, 0.10, 0.16])
    top, rounder, bow = far * rng.uniform(-1, 1, 3) * [0.16, 0.10, 0.05]
    x, y = points[:, 0].copy(), points[:, 1].copy()
    within = np.clip(y / x_height, -1.0, 2.0)
    edge = np.clip(np.minimum(x - left, right - x) / (0.3 * wide), 0, 1) if is_joined else np.ones_like(x)
    x = x + edge * (top * (within - 0.5) * (x - middle) + bow * wide * np.sin(np.pi * within))
    y = y + edge * rounder * x_height * np.sin(2 * np.pi * np.clip((x - left) / wide, 0, 1)) * (within > 0)
    if character.islower():
        # Capitals that lose their height are taken for small letters.
        y = _stretch_ends(y, x_height, far, rng)
    x = x * wider
    return replace(outline, points=np.stack([x, y], axis=1), advance=outline.advance * wider)


def _stretch_ends(y: Points, x_height: float, far: float, rng: np.random.Generator) -> Points:
    """What rises above an x, and what hangs below the line, longer or shorter."""
    above, below = 1 + far * rng.choice([-0.16, -0.08, 0.08, 0.16], 2)
    stretched: Points = np.where(y > x_height, x_height + (y - x_height) * above, np.where(y < 0, y * below, y))
    return stretched


def _move_dot(outline: Outline, points: Points, far: float, x_height: float, rng: np.random.Generator) -> Points:
    """A dot over its letter stands aside, higher, or is a dash."""
    aside, up, longer = rng.uniform(-0.02, 0.22) * far, rng.uniform(-0.08, 0.18) * far, rng.uniform(1.0, 1.7)
    for contour in outline.contours:
        dot = points[contour]
        wide, high = np.ptp(dot, axis=0)
        if dot[:, 1].min() > x_height and max(wide, high) < 0.6 * x_height:
            middle = dot.mean(axis=0)
            points[contour] = middle + (dot - middle) * [longer, 1.0] + [aside, up]
    return points


def start_word(character: str, outline: Outline, x_height: float, is_joined: bool, *seed: object) -> Outline:
    """The letter as it is drawn at the start of a word: larger, and its first stroke comes from farther off."""
    if not character.islower() or outline.is_blank:
        return outline
    rng = np.random.default_rng(number_of("start", *seed))
    larger, farther, up = rng.uniform(1.02, 1.09), rng.uniform(0.05, 0.22), rng.uniform(-0.08, 0.04)
    before = outline.box[0]
    started = _run_on(outline, -1, farther * x_height, up * x_height, x_height)
    points = started.points * [1.0, larger]
    # A joined word begins in the white before it.
    longer = 0.0 if is_joined else before - float(points[:, 0].min())
    return replace(started, points=points, advance=outline.advance + longer).moved(longer, 0)


def end_word(character: str, outline: Outline, x_height: float, is_joined: bool, *seed: object) -> Outline:
    """The letter as it is drawn at the end of a word: its last stroke runs on, and what hangs below hangs lower."""
    if not character.islower() or outline.is_blank:
        return outline
    rng = np.random.default_rng(number_of("end", *seed))
    farther, lower, up = rng.uniform(0.05, 0.28), rng.uniform(1.0, 1.12), rng.uniform(-0.02, 0.10)
    ended = _run_on(outline, 1, farther * x_height, 0.0 if is_joined else up * x_height, x_height)
    x, y = ended.points.T
    # Of joined letters nothing touches the one after a word.
    longer = 0.0 if is_joined else float(x.max()) - outline.box[2]
    return replace(ended, points=np.stack([x, np.where(y < 0, y * lower, y)], axis=1), advance=outline.advance + longer)


def _run_on(outline: Outline, side: int, far: float, up: float, x_height: float) -> Outline:
    """The stroke that ends at the right (1) or left (-1) edge drawn out; a stem, a bow or a dot would only swell."""
    x, y = outline.points[:, 0] * side, outline.points[:, 1]
    left, edge = float(x.min()), float(x.max())
    high = y[x > edge - EDGE * (edge - left)]
    if np.ptp(high) > TAIL * np.ptp(y) or high.max() > x_height:
        return outline
    # Only at the height of the tail: what else is on that side stays.
    tip = np.clip((x - edge) / (0.3 * (edge - left)) + 1, 0, 1) ** 2
    tip = tip * np.clip(2 - abs(y - high.mean()) / (TAIL * np.ptp(y)), 0, 1)
    return replace(outline, points=np.stack([(x + tip * far) * side, y + tip * up], axis=1))
