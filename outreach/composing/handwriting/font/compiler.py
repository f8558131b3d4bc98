"""Compiles a pen: a font with many forms of each character, and rules that change them.

Its forms come from a base face, or are a person's own. The same input gives the same bytes. A pen never bears its
base's name, which some licences reserve, and keeps its copyright and licence.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib import TTLibError
from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphCoordinates
from fontTools.ttLib.tables.ttProgram import Program

from outreach.composing.handwriting.font.allographs import COMMONEST, drawings_of, end_word, read_hidden, start_word
from outreach.composing.handwriting.font.figures import DIGITS, MONEY, QUOTES, STOPS, mend
from outreach.composing.handwriting.font.ink_spots import with_spots
from outreach.composing.handwriting.font.letterforms import FURTHER, LATIN, Letterforms, Outline, read_letterforms
from outreach.composing.handwriting.font.pairs import PAIRS, draw_pair
from outreach.composing.handwriting.font.substitutions import build_kerning, build_substitutions
from outreach.composing.handwriting.font.variation import Habit, vary
from outreach.composing.handwriting.glyph_forms import for_word_ends, for_word_starts
from outreach.composing.handwriting.pens import SET_AT, keep_pen, require_name
from outreach.errors import SettingsError
from outreach.local_files import MOST_BYTES, require_regular

# A character that comes often must come in more forms to seem as seldom the same.
FORMS, SELDOM, RARE = 20, "bfgjkpqvwxz", 4
PAIR_FORMS = 8
# A contour of a stop that is no larger is a dot, as a share of the x-height.
DOT = 0.3
# How much of its habit a hand has in figures, and in other signs: they are read one by one, with no word around them.
CAREFUL, CLEAR = 0.16, 0.5
APART = frozenset(STOPS + QUOTES + DIGITS)
# Seconds since 1904; a font that said when it was made would never be made twice the same.
MADE_AT = 3_786_912_000


@dataclass(frozen=True)
class Recipe:
    """What a pen is made from."""

    name: str
    base: Path
    seed: int
    #: At this size, in points, the base looks as large as any pen.
    size: float = SET_AT
    #: More space between its words, in em of the base.
    word_gap: float = 0.0
    #: How many times larger full stops are drawn than the base has them.
    dot: float = 1.0
    #: The base's letters touch, and must touch after each change.
    is_joined: bool = False
    #: Letters that the base hides a drawing of which is read more easily than the one it shows.
    hidden: str = ""
    habit: Habit = field(default_factory=Habit)


@dataclass(frozen=True)
class Measures:
    """How a pen sits on its line, in font units."""

    #: So many units are `SET_AT` points high.
    em: int
    ascent: int
    #: Below zero.
    descent: int
    x_height: float


@dataclass(frozen=True)
class Named:
    """What a pen says of itself."""

    name: str
    copyright: str
    licence: str


def forms_of(character: str) -> int:
    """How many forms of a character a pen has."""
    if character in COMMONEST or character == " ":
        return FORMS
    return 12 if character in SELDOM else 8 if character.isascii() else RARE


def compile_pen(recipe: Recipe, characters: Iterable[str] = LATIN) -> bytes:
    """The pen as a TrueType font for every character of `characters` that its base has, or has the parts of.

    Form 0 of each character is in the character map, and the others follow it in the order of glyphs.
    """
    letters = read_letterforms(recipe.base, characters)
    hidden = read_hidden(recipe.base)
    # A recipe that varies nothing is the face as it is.
    if recipe.habit.waver:
        outlines = letters.outlines | {each: hidden[each].pop(0) for each in recipe.hidden if each in letters.outlines}
        letters = replace(letters, outlines=mend(outlines, letters.x_height, recipe.is_joined))
    forms = {character: _forms(letters, recipe, character, hidden) for character in letters.outlines}
    pairs = {pair: _pair_forms(pair, letters, recipe) for pair in PAIRS if set(pair) <= set(letters.outlines)}
    # What is white around a stop or a figure is said by its width.
    kerning = {pair: value for pair, value in letters.kerning.items() if not set(pair) & APART}
    em = round(letters.units * SET_AT / recipe.size)
    measures = Measures(em, letters.ascent, letters.descent, letters.x_height)
    named = Named(recipe.name, letters.copyright, letters.licence)
    return compile_forms(forms, measures, named, recipe.seed, kerning, pairs)


def compile_forms(
    forms: Mapping[str, Sequence[Outline]],
    measures: Measures,
    named: Named,
    seed: int,
    kerning: Mapping[tuple[str, str], int] = MappingProxyType({}),
    signatures: Mapping[str, Sequence[Outline]] = MappingProxyType({}),
) -> bytes:
    """The pen whose forms of each character are these; `seed` is only named in it.

    Whole names, or pairs of letters, in `signatures` are written at one go, and have forms of their own; all that they
    are written with must be among the characters.
    """
    names = {character: [f"u{ord(character):04X}.{n}" for n in range(len(forms[character]))] for character in forms}
    signed = {name: [f"signed{at}.{n}" for n in range(len(signatures[name]))] for at, name in enumerate(signatures)}
    outlines = {
        name: outline
        for named_forms, drawn in ((names, forms), (signed, signatures))
        for each in drawn
        for name, outline in zip(named_forms[each], drawn[each], strict=True)
    }
    font = FontBuilder(measures.em, isTTF=True)
    # OpenType: glyph 0 is the one for missing characters.
    font.setupGlyphOrder([".notdef", *outlines])
    font.setupCharacterMap({ord(character): names[character][0] for character in forms})
    _setup_outlines(font, outlines, measures)
    font.setupNameTable(_names(named, seed))
    # Nobody reads the names of glyphs, and each letter carries them.
    font.setupPost(keepGlyphNames=False)
    order = font.font.getReverseGlyphMap()
    if signed:
        font.font["GSUB"] = build_substitutions(names, signed)
    if kerning:
        font.font["GPOS"] = build_kerning(kerning, names, order)
    font.font["head"].created = font.font["head"].modified = MADE_AT
    # Else fontTools writes the time of saving over `modified`.
    font.font.recalcTimestamp = False
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def make_pen(recipe: Recipe, folder: Path) -> Path:
    """The file of a new pen in `folder`, under its name; one of that name is replaced.

    Raises SettingsError for a name that is no file's, and for a base that is no TrueType font with letters in it.
    """
    # Asked first, since making a pen takes seconds.
    require_name(recipe.name)
    try:
        require_regular(recipe.base, MOST_BYTES)
        made = compile_pen(recipe, LATIN + FURTHER)
    except (OSError, TTLibError, KeyError) as error:
        raise SettingsError(
            f"{recipe.base} is no TrueType font with Latin letters in it; choose another base"
        ) from error
    return keep_pen(recipe.name, made, folder)


def _setup_outlines(font: FontBuilder, outlines: Mapping[str, Outline], measures: Measures) -> None:
    notdef = Outline(np.zeros((0, 2)), (), (), measures.em / 2)
    glyphs = {name: _glyph(outline) for name, outline in {".notdef": notdef, **outlines}.items()}
    font.setupGlyf(glyphs, calcGlyphBounds=True)
    widths = {name: int(outlines.get(name, notdef).advance) for name in glyphs}
    font.setupHorizontalMetrics({name: (widths[name], getattr(glyphs[name], "xMin", 0)) for name in glyphs})
    font.setupHorizontalHeader(ascent=measures.ascent, descent=measures.descent)
    font.setupOS2(
        # fsType 0 is OpenType's leave to embed the font: every letter does.
        sTypoAscender=measures.ascent, sTypoDescender=measures.descent, usWinAscent=measures.ascent,
        usWinDescent=-measures.descent, sxHeight=round(measures.x_height), fsType=0,
    )  # fmt: skip


def _forms(letters: Letterforms, recipe: Recipe, character: str, hidden: Mapping[str, list[Outline]]) -> list[Outline]:
    outline = letters.outlines[character]
    if character.isspace():
        outline = replace(outline, advance=outline.advance + recipe.word_gap * letters.units)
    if character in STOPS:
        outline = outline.swollen(recipe.dot, DOT * letters.x_height)
    joined, count = recipe.is_joined and character.isalpha(), forms_of(character)
    drawings = [outline]
    if recipe.habit.waver:
        drawings = drawings_of(character, outline, hidden, letters.x_height, recipe.habit.redrawn, joined, recipe.seed)
        drawings = [with_spots(drawing) for drawing in drawings]
    habit = _habit_for(character, recipe.habit)
    forms = []
    for number in range(count):
        drawn = drawings[number % len(drawings)]
        for places, draw in ((for_word_starts(count), start_word), (for_word_ends(count), end_word)):
            if number in places and recipe.habit.waver:
                drawn = draw(character, drawn, letters.x_height, joined, recipe.seed, character, number)
        forms.append(vary(drawn, habit, letters.units, joined, recipe.seed, character, number))
    # Pages are laid out with the first form, which is therefore as wide as the face has it.
    return [replace(forms[0], advance=max(1.0, round(outline.advance))), *forms[1:]]


def _habit_for(character: str, habit: Habit) -> Habit:
    if character in DIGITS + MONEY + "+":
        return habit.gentler(CAREFUL)
    return habit if character.isalpha() or character.isspace() else habit.gentler(CLEAR)


def _pair_forms(pair: str, letters: Letterforms, recipe: Recipe) -> list[Outline]:
    kerning = letters.kerning.get((pair[0], pair[1]), 0)
    drawn = with_spots(draw_pair(pair, letters.outlines, letters.x_height, kerning, recipe.is_joined))
    return [
        vary(drawn, recipe.habit, letters.units, recipe.is_joined, recipe.seed, pair, number)
        for number in range(PAIR_FORMS)
    ]


def _glyph(outline: Outline) -> Glyph:
    glyph = Glyph()
    glyph.numberOfContours = len(outline.ends)
    if outline.is_blank:
        return glyph
    glyph.endPtsOfContours = list(outline.ends)
    glyph.flags = bytearray(outline.on_line)
    glyph.coordinates = GlyphCoordinates([(int(x), int(y)) for x, y in outline.points])
    glyph.program = Program()
    # There is no hinting, but fontTools cannot compile a glyph that has no program.
    glyph.program.fromBytecode(b"")
    return glyph


def _names(named: Named, seed: int) -> dict[str, str]:
    return {
        "copyright": named.copyright,
        "familyName": named.name,
        "styleName": "Regular",
        "uniqueFontIdentifier": f"{named.name} {seed}",
        "fullName": named.name,
        # OpenType allows no space in a PostScript name.
        "psName": named.name.replace(" ", ""),
        "licenseDescription": named.licence,
    }
