"""A base face, a name and a seed in; a pen out: a font with many forms of each letter, and rules that change them.

The same input gives the same bytes. A pen never bears its base's name, which some licences reserve, and keeps its
copyright and licence.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from fontTools.fontBuilder import FontBuilder
from fontTools.otlLib import builder as otl
from fontTools.ttLib import TTLibError, newTable
from fontTools.ttLib.tables import otTables as ot  # noqa: N813 - fontTools' own name for it
from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphCoordinates
from fontTools.ttLib.tables.ttProgram import Program

from outreach.composing.handwriting.letterforms import LATIN, Letterforms, Outline, read_letterforms
from outreach.composing.handwriting.pens import SET_AT, WALKS
from outreach.composing.handwriting.variation import Habit, number_of, vary
from outreach.errors import SettingsError

# A letter that comes often must come in more forms to seem as seldom the same.
FORMS, OFTEN, SELDOM, RARE = 12, "etaoinshrdlu ", "bcfgjkmpqvwxyz", 4
GROUPS = 7
# Seconds since 1904; a font that said when it was made would never be made twice the same.
MADE_AT = 3_786_912_000


@dataclass(frozen=True)
class Recipe:
    """What a pen is made from. `is_joined`: the base's letters touch, and must after each change.

    `size` is the size in points at which the base looks as large as any pen, and `word_gap` more space between its
    words, in em of the base.
    """

    name: str
    base: Path
    seed: int
    size: float = SET_AT
    word_gap: float = 0.0
    is_joined: bool = False
    habit: Habit = field(default_factory=Habit)


def forms_of(character: str) -> int:
    """How many forms of a character a pen has."""
    if character in OFTEN:
        return FORMS
    return 8 if character in SELDOM else 5 if character.isascii() else RARE


def compile_pen(recipe: Recipe, characters: Iterable[str] = LATIN) -> bytes:
    """The pen as a TrueType font for every character of `characters` that its base has, or has the parts of.

    Form 0 of each letter is in the character map; `calt` walks through the forms as the hand writes on, and `ss01` to
    `ss08` are other walks through the same forms.
    """
    letters = read_letterforms(recipe.base, characters)
    forms = {character: _forms(letters, recipe, character) for character in letters.outlines}
    names = {character: [f"u{ord(character):04X}.{n}" for n in range(len(forms[character]))] for character in forms}
    outlines = {name: outline for each in forms for name, outline in zip(names[each], forms[each], strict=True)}
    em = round(letters.units * SET_AT / recipe.size)
    font = FontBuilder(em, isTTF=True)
    font.setupGlyphOrder([".notdef", *outlines])
    font.setupCharacterMap({ord(character): names[character][0] for character in forms})
    notdef = Outline(np.zeros((0, 2)), (), (), em / 2)
    glyphs = {name: _glyph(outline) for name, outline in {".notdef": notdef, **outlines}.items()}
    font.setupGlyf(glyphs, calcGlyphBounds=True)
    widths = {name: int(outlines.get(name, notdef).advance) for name in glyphs}
    font.setupHorizontalMetrics({name: (widths[name], getattr(glyphs[name], "xMin", 0)) for name in glyphs})
    font.setupHorizontalHeader(ascent=letters.ascent, descent=letters.descent)
    font.setupNameTable(_names(recipe, letters))
    font.setupOS2(
        sTypoAscender=letters.ascent, sTypoDescender=letters.descent, usWinAscent=letters.ascent,
        usWinDescent=-letters.descent, sxHeight=round(letters.x_height), fsType=0,
    )  # fmt: skip
    font.setupPost(keepGlyphNames=False)
    font.font["GSUB"] = _substitutions(names, recipe.seed, font.font.getReverseGlyphMap())
    if letters.kerning:
        font.font["GPOS"] = _kerning(letters.kerning, names, font.font.getReverseGlyphMap())
    font.font["head"].created = font.font["head"].modified = MADE_AT
    font.font.recalcTimestamp = False
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def make_pen(recipe: Recipe, folder: Path) -> Path:
    """The file of a new pen in `folder`, under its name; one of that name is replaced.

    Raises SettingsError for a name that is no file's, and for a base that is no TrueType font with letters in it.
    """
    if not recipe.name.strip() or Path(recipe.name).name != recipe.name or recipe.name.startswith("."):
        raise SettingsError(
            f"“{recipe.name}” cannot be a pen's name, because it will be a file's; use letters and spaces"
        )
    try:
        made = compile_pen(recipe)
    except (OSError, TTLibError, KeyError) as error:
        raise SettingsError(
            f"{recipe.base} is no TrueType font with Latin letters in it; choose another base"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recipe.name}.ttf"
    beside = path.with_suffix(".new")
    beside.write_bytes(made)
    beside.replace(path)
    return path


def _forms(letters: Letterforms, recipe: Recipe, character: str) -> list[Outline]:
    outline = letters.outlines[character]
    if character.isspace():
        outline = replace(outline, advance=outline.advance + recipe.word_gap * letters.units)
    joined = recipe.is_joined and character.isalpha()
    return [
        vary(outline, recipe.habit, letters.units, letters.x_height, joined, recipe.seed, character, number)
        for number in range(forms_of(character))
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
    glyph.program.fromBytecode(b"")
    return glyph


def _names(recipe: Recipe, letters: Letterforms) -> dict[str, str]:
    return {
        "copyright": letters.copyright,
        "familyName": recipe.name,
        "styleName": "Regular",
        "uniqueFontIdentifier": f"{recipe.name} {recipe.seed}",
        "fullName": recipe.name,
        "psName": recipe.name.replace(" ", ""),
        "licenseDescription": letters.licence,
    }


def _substitutions(names: dict[str, list[str]], seed: int, order: dict[str, int]) -> Any:
    """GSUB: for each form a lookup that puts it in the place of form 0, and walks that say which form comes next.

    In a walk, the form of a letter is the form of the letter before it, moved on by as many as that letter's group
    steps. Letters with fewer forms begin anew when theirs are used up.
    """
    picks = [_pick(names, form) for form in range(FORMS)]
    walks = [_walk(names, number_of(seed, "walk", walk), order) for walk in range(WALKS + 1)]
    lookups = [otl.buildLookup([subtable]) for subtable in (*picks, *walks)]
    features = [("calt", FORMS)] + [(f"ss{walk:02d}", FORMS + walk) for walk in range(1, WALKS + 1)]
    return _layout_table("GSUB", lookups, features)


def _pick(names: dict[str, list[str]], form: int) -> ot.SingleSubst:
    subtable = ot.SingleSubst()
    # Form 0 too is named, or a walk would stop at it: HarfBuzz takes a rule that changes nothing for one that did.
    subtable.mapping = {forms[0]: forms[form % len(forms)] for forms in names.values()}
    return subtable


def _walk(names: dict[str, list[str]], seed: int, order: dict[str, int]) -> ot.ChainContextSubst:
    rng = np.random.default_rng(seed)
    group = {forms[0]: int(rng.integers(GROUPS)) for forms in names.values()}
    steps, first = rng.integers(1, FORMS, GROUPS), rng.integers(0, FORMS, GROUPS)
    before = {
        name: 1 + number * GROUPS + group[forms[0]] for forms in names.values() for number, name in enumerate(forms)
    }
    rules = [
        _rule([1 + number * GROUPS + each], [], int(number + steps[each]) % FORMS)
        for number in range(FORMS)
        for each in range(GROUPS)
    ]
    rules += [_rule([], [1 + each], int(first[each])) for each in range(GROUPS)]
    rules.append(_rule([], [], int(first[0])))
    subtable = ot.ChainContextSubst()
    subtable.Format = 2
    subtable.Coverage = otl.buildCoverage(group, order)
    subtable.BacktrackClassDef = _classes(ot.BacktrackClassDef, before)
    subtable.InputClassDef = _classes(ot.InputClassDef, dict.fromkeys(group, 1))
    subtable.LookAheadClassDef = _classes(ot.LookAheadClassDef, {name: 1 + each for name, each in group.items()})
    chosen = ot.ChainSubClassSet()
    chosen.ChainSubClassRule, chosen.ChainSubClassRuleCount = rules, len(rules)
    subtable.ChainSubClassSet, subtable.ChainSubClassSetCount = [None, chosen], 2
    return subtable


def _classes(kind: Any, classes: dict[str, int]) -> Any:
    made = kind()
    made.classDefs = classes
    return made


def _rule(before: list[int], after: list[int], form: int) -> ot.ChainSubClassRule:
    """Write `form` of a letter that comes after one of class `before`, and before one of class `after`."""
    record = ot.SubstLookupRecord()
    record.SequenceIndex, record.LookupListIndex = 0, form
    rule = ot.ChainSubClassRule()
    rule.Backtrack, rule.BacktrackGlyphCount = before, len(before)
    rule.Input, rule.InputGlyphCount, rule.GlyphCount = [], 1, 1
    rule.LookAhead, rule.LookAheadGlyphCount = after, len(after)
    rule.SubstLookupRecord, rule.SubstCount = [record], 1
    return rule


def _kerning(kerning: dict[tuple[str, str], int], names: dict[str, list[str]], order: dict[str, int]) -> Any:
    """GPOS: each pair of the base, for every form of both letters."""
    pairs = {
        (tuple(names[left]), tuple(names[right])): (otl.buildValue({"XAdvance": value}), None)
        for (left, right), value in kerning.items()
    }
    subtable = otl.buildPairPosClassesSubtable(pairs, order)
    return _layout_table("GPOS", [otl.buildLookup([subtable])], [("kern", 0)])


def _layout_table(tag: str, lookups: Sequence[Any], features: Sequence[tuple[str, int]]) -> Any:
    """A GSUB or GPOS with these lookups, each feature switching one of them on, for Latin and for anything else."""
    table = getattr(ot, tag)()
    table.Version = 0x00010000
    table.LookupList = ot.LookupList()
    table.LookupList.Lookup, table.LookupList.LookupCount = list(lookups), len(lookups)
    table.FeatureList = ot.FeatureList()
    table.FeatureList.FeatureRecord = [_feature(name, lookup) for name, lookup in sorted(features)]
    table.FeatureList.FeatureCount = len(features)
    table.ScriptList = ot.ScriptList()
    table.ScriptList.ScriptRecord = [_script(name, len(features)) for name in ("DFLT", "latn")]
    table.ScriptList.ScriptCount = 2
    made = newTable(tag)
    made.table = table
    return made


def _feature(name: str, lookup: int) -> ot.FeatureRecord:
    record = ot.FeatureRecord()
    record.FeatureTag, record.Feature = name, ot.Feature()
    record.Feature.FeatureParams = None
    record.Feature.LookupListIndex, record.Feature.LookupCount = [lookup], 1
    return record


def _script(name: str, features: int) -> ot.ScriptRecord:
    record = ot.ScriptRecord()
    record.ScriptTag, record.Script = name, ot.Script()
    record.Script.LangSysRecord, record.Script.LangSysCount = [], 0
    record.Script.DefaultLangSys = system = ot.DefaultLangSys()
    system.LookupOrder, system.ReqFeatureIndex = None, 0xFFFF
    system.FeatureIndex, system.FeatureCount = list(range(features)), features
    return record
