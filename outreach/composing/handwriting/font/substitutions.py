"""Builds the tables of a font that change a character's form as the hand writes on, and that kern.

It never draws: which outline a glyph has is the compiler's to say.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fontTools.otlLib import builder as otl
from fontTools.ttLib import newTable
from fontTools.ttLib.tables import otTables as ot  # noqa: N813 - fontTools' own name for it

from outreach.composing.handwriting.font.glyph_cycles import FORMS, GROUPS, Walk, choose_walk_of
from outreach.composing.handwriting.pens import WALKS


def build_substitutions(
    names: dict[str, list[str]], signed: dict[str, list[str]], seed: int, order: dict[str, int]
) -> Any:
    """GSUB: for each form a lookup that puts it in the place of form 0, and walks that say which form comes next.

    Characters with fewer forms begin anew when theirs are used up. A signature is put together before all that, because
    lookups are gone through in the order in which they stand; for the same reason `calt`, which stands before the other
    walks, must be switched off where one of them is to choose.
    """
    signing = [_together(names, signed)] if signed else []
    picks = [_pick(names, form) for form in range(FORMS)]
    forms = {character: len(glyphs) for character, glyphs in names.items()}
    walks = [_walk(names, choose_walk_of(forms, seed, walk), order, len(signing)) for walk in range(WALKS + 1)]
    again = [_pick(signed, walk) for walk in range(1, WALKS + 1)] if signed else []
    lookups = [otl.buildLookup([subtable]) for subtable in (*signing, *picks, *walks, *again)]
    # Lookups are named by their number: the walks stand after the signature and the picks.
    first = len(signing) + FORMS
    features = [("calt", [first])] + [
        (f"ss{walk:02d}", [first + walk] + ([first + WALKS + walk] if signed else [])) for walk in range(1, WALKS + 1)
    ]
    return _layout_table("GSUB", lookups, features + ([("liga", [0])] if signed else []))


def _together(names: dict[str, list[str]], signed: dict[str, list[str]]) -> ot.LigatureSubst:
    """All the letters of a name in a row become its signature."""
    rows = {tuple(names[letter][0] for letter in name): forms[0] for name, forms in signed.items()}
    made: ot.LigatureSubst = otl.buildLigatureSubstSubtable(rows)
    return made


def _pick(names: dict[str, list[str]], form: int) -> ot.SingleSubst:
    subtable = ot.SingleSubst()
    # Form 0 too is named, or a walk would stop at it: HarfBuzz takes a rule that changes nothing for one that did.
    subtable.mapping = {forms[0]: forms[form % len(forms)] for forms in names.values()}
    return subtable


def _walk(names: dict[str, list[str]], walk: Walk, order: dict[str, int], before_picks: int) -> ot.ChainContextSubst:
    """`before_picks` is how many lookups stand before the one that picks form 0."""
    # Classes are counted from 1: OpenType puts every glyph that is not named into class 0.
    before = {name: 1 + number for forms in names.values() for number, name in enumerate(forms)}
    groups = {forms[0]: 1 + walk.group[character] for character, forms in names.items()}
    subtable = ot.ChainContextSubst()
    subtable.Format = 2
    subtable.Coverage = otl.buildCoverage(groups, order)
    subtable.BacktrackClassDef = _classes(ot.BacktrackClassDef, before)
    subtable.InputClassDef = _classes(ot.InputClassDef, groups)
    subtable.LookAheadClassDef = _classes(ot.LookAheadClassDef, groups)
    sets = [_set(walk.step[each], walk.first[each], before_picks) for each in range(GROUPS)]
    subtable.ChainSubClassSet, subtable.ChainSubClassSetCount = [None, *sets], 1 + GROUPS
    return subtable


def _set(step: int, first: Sequence[int], before_picks: int) -> ot.ChainSubClassSet:
    """The rules for the characters of one group: after each form, and with nothing before, by the group that follows.

    HarfBuzz tries the rules of a set one after another, so a set is kept short: the group is not asked for again.
    """
    rules = [_rule([1 + number], [], before_picks + (number + step) % FORMS) for number in range(FORMS)]
    rules += [_rule([], [1 + each], before_picks + form) for each, form in enumerate(first)]
    rules.append(_rule([], [], before_picks + first[0]))
    chosen = ot.ChainSubClassSet()
    chosen.ChainSubClassRule, chosen.ChainSubClassRuleCount = rules, len(rules)
    return chosen


def _classes(kind: Any, classes: dict[str, int]) -> Any:
    made = kind()
    made.classDefs = classes
    return made


def _rule(before: list[int], after: list[int], pick: int) -> ot.ChainSubClassRule:
    """Lookup `pick` chooses the form of a character after one of class `before` and before one of class `after`."""
    record = ot.SubstLookupRecord()
    record.SequenceIndex, record.LookupListIndex = 0, pick
    rule = ot.ChainSubClassRule()
    rule.Backtrack, rule.BacktrackGlyphCount = before, len(before)
    rule.Input, rule.InputGlyphCount, rule.GlyphCount = [], 1, 1
    rule.LookAhead, rule.LookAheadGlyphCount = after, len(after)
    rule.SubstLookupRecord, rule.SubstCount = [record], 1
    return rule


def build_kerning(kerning: Mapping[tuple[str, str], int], names: dict[str, list[str]], order: dict[str, int]) -> Any:
    """GPOS: each pair of the base, for every form of both letters."""
    pairs = {
        (tuple(names[left]), tuple(names[right])): (otl.buildValue({"XAdvance": value}), None)
        for (left, right), value in kerning.items()
    }
    subtable = otl.buildPairPosClassesSubtable(pairs, order)
    return _layout_table("GPOS", [otl.buildLookup([subtable])], [("kern", [0])])


def _layout_table(tag: str, lookups: Sequence[Any], features: Sequence[tuple[str, list[int]]]) -> Any:
    """A GSUB or GPOS with these lookups, each feature switching some of them on, for Latin and for anything else."""
    table = getattr(ot, tag)()
    table.Version = 0x00010000
    table.LookupList = ot.LookupList()
    table.LookupList.Lookup, table.LookupList.LookupCount = list(lookups), len(lookups)
    table.FeatureList = ot.FeatureList()
    # OpenType wants the records of features and of scripts in the order of their tags.
    table.FeatureList.FeatureRecord = [_feature(name, switched) for name, switched in sorted(features)]
    table.FeatureList.FeatureCount = len(features)
    table.ScriptList = ot.ScriptList()
    table.ScriptList.ScriptRecord = [_script(name, len(features)) for name in ("DFLT", "latn")]
    table.ScriptList.ScriptCount = 2
    made = newTable(tag)
    made.table = table
    return made


def _feature(name: str, lookups: list[int]) -> ot.FeatureRecord:
    record = ot.FeatureRecord()
    record.FeatureTag, record.Feature = name, ot.Feature()
    record.Feature.FeatureParams = None
    record.Feature.LookupListIndex, record.Feature.LookupCount = lookups, len(lookups)
    return record


def _script(name: str, features: int) -> ot.ScriptRecord:
    record = ot.ScriptRecord()
    record.ScriptTag, record.Script = name, ot.Script()
    record.Script.LangSysRecord, record.Script.LangSysCount = [], 0
    record.Script.DefaultLangSys = system = ot.DefaultLangSys()
    # No feature is required of everybody (OpenType, LangSys table).
    system.LookupOrder, system.ReqFeatureIndex = None, 0xFFFF
    system.FeatureIndex, system.FeatureCount = list(range(features)), features
    return record
