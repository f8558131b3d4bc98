"""Builds the tables of a font that write a whole name or a pair of letters at one go, and that kern.

It never draws: which outline a glyph has is the compiler's to say. Which of a character's forms stands on a page is
chosen when the page is inked, so that the rules know only the first form of each.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fontTools.otlLib import builder as otl
from fontTools.ttLib import newTable
from fontTools.ttLib.tables import otTables as ot  # noqa: N813 - fontTools' own name for it


def build_substitutions(names: Mapping[str, list[str]], together: Mapping[str, list[str]]) -> Any:
    """GSUB: the letters of each row in `together` become one glyph, the longest row first."""
    rows = {tuple(names[letter][0] for letter in row): forms[0] for row, forms in together.items()}
    return _layout_table("GSUB", [otl.buildLookup([otl.buildLigatureSubstSubtable(rows)])], [("liga", [0])])


def build_kerning(kerning: Mapping[tuple[str, str], int], names: dict[str, list[str]], order: dict[str, int]) -> Any:
    """GPOS: each pair of the base."""
    pairs = {
        ((names[left][0],), (names[right][0],)): (otl.buildValue({"XAdvance": value}), None)
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
