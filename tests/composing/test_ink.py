"""Ink: how a hand moves over a page, which forms it takes, and how a name is signed."""

import io
import random
import re
from itertools import pairwise

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.composing.handwriting.font.compiler import compile_pen
from outreach.composing.handwriting.font.ink_spots import with_spots
from outreach.composing.handwriting.font.letterforms import read_letterforms
from outreach.composing.handwriting.font.recipes import RECIPES
from outreach.composing.handwriting.glyph_forms import FormCycle, for_word_ends, for_word_starts, forms_in, order_of
from outreach.composing.handwriting.hand_movement import FARTHEST, HandMovement, InkWell, PageMovement, PlacedWord
from outreach.composing.handwriting.pens import SHIPPED, find_pens
from outreach.composing.handwriting.signature import draw_flourish

SIZE, STROKE, WIDE, SPACE = 21.3, 0.05, 40.0, 8.0
SEEDS = st.integers(0, 2**32)
STILL = HandMovement(
    rise=(0, 0), steeper=0, slope=0, margin=0, indent=0, drift=0, paragraph=0, wander=0, hop=0, gap=0, turn=0, growth=0,
    width=0, lean=0,
)  # fmt: skip
of_each_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)


def write_line(seed: int, widths: list[float], edge: float, hand: HandMovement = HandMovement()) -> list[PlacedWord]:
    page = PageMovement(random.Random(seed), hand, 1000.0)
    return page.begin_line(80.0, 500.0, False).place(widths, [SPACE] * len(widths), SIZE, STROKE, edge)


def left_of(word: PlacedWord) -> float:
    return word.matrix[4]


@given(SEEDS, st.integers(1, 16))
def test_words_follow_one_another_and_none_leaves_its_line(seed: int, count: int) -> None:
    words = write_line(seed, [WIDE] * count, 2000.0)
    assert all(right.matrix[4] - left.matrix[4] > 0.8 * WIDE for left, right in pairwise(words))
    # What reads pages aloud takes a word half an em away for another line.
    assert all(abs(word.matrix[5] - words[0].matrix[5]) <= FARTHEST * SIZE + 1e-6 for word in words)


def test_what_a_word_takes_more_than_its_room_moves_the_next_ones_on() -> None:
    usual, wider = (write_line(1, [WIDE, first, WIDE, WIDE], 2000.0, STILL) for first in (WIDE, WIDE + 6))
    moved = [left_of(after) - left_of(before) for before, after in zip(usual, wider, strict=True)]
    assert moved == pytest.approx([0, 0, 6, 6])


def test_the_last_words_before_the_edge_are_squeezed_and_give_way_downwards() -> None:
    free, tight = (write_line(1, [WIDE] * 8, edge, STILL) for edge in (2000.0, 80.0 + 8 * WIDE + 7 * SPACE - 10))
    assert [left_of(word) for word in tight[:5]] == pytest.approx([left_of(word) for word in free[:5]])
    assert left_of(tight[-1]) < left_of(free[-1])
    assert tight[-1].matrix[0] < free[-1].matrix[0]
    assert tight[-1].matrix[1] > free[-1].matrix[1]


@given(SEEDS)
def test_ink_pales_from_word_to_word_until_the_pen_is_dipped(seed: int) -> None:
    well = InkWell(random.Random(seed), HandMovement())
    taken = [well.take() for _ in range(100)]
    dips = sum(after < before for before, after in pairwise(taken))
    assert 100 / HandMovement().dip[1] - 1 <= dips <= 100 / HandMovement().dip[0]
    assert max(taken) <= HandMovement().fade


@given(SEEDS, st.sampled_from([4, 8, 12, 20]))
@settings(max_examples=30)
def test_every_form_comes_once_before_one_comes_again_and_never_twice_in_a_row(seed: int, count: int) -> None:
    cycle, within = FormCycle(random.Random(seed)), count - len(for_word_ends(count)) - len(for_word_starts(count))
    taken = [cycle.choose("Fir", 7, count, "within") for _ in range(4 * within)]
    assert all(before != after for before, after in pairwise(taken))
    assert set(taken[:within]) == set(range(within))


def test_the_first_and_the_last_letter_of_a_word_have_forms_of_their_own() -> None:
    taken = [order_of(20, place, 0) for place in ("start", "within", "end")]
    assert sorted(form for forms in taken for form in forms) == list(range(20))
    # Capitals begin words, and have too few forms to keep some back.
    assert sorted(order_of(8, "start", 0)) == sorted(order_of(8, "within", 0)) == list(range(6))


def test_a_pen_of_few_forms_and_one_of_many_do_not_share_an_order() -> None:
    cycle = FormCycle(random.Random(1))
    assert {cycle.choose("Fir", 7, 20, "within") for _ in range(10)} == set(range(10))
    assert {cycle.choose("Fir signature", 7, 2, "within") for _ in range(12)} == {0, 1}


@pytest.mark.parametrize("pen", find_pens(SHIPPED / "none").values(), ids=lambda pen: pen.name)
def test_forms_are_counted_for_every_letter_and_for_pairs_drawn_as_one(pen: "object") -> None:
    body = pen.path.read_bytes()  # type: ignore[attr-defined]
    forms = forms_in("counted", body)
    with TTFont(io.BytesIO(body)) as font:
        e, glyphs = font.getGlyphID(font.getBestCmap()[ord("e")]), font["maxp"].numGlyphs
        pairs = font["GSUB"].table.LookupList.Lookup[0].SubTable[0].ligatures
    assert forms.counts[e] == 20
    assert e in forms.letters
    assert sum(forms.counts.values()) == glyphs - 1
    assert sum(len(rows) for rows in pairs.values()) == 5


def test_four_signatures_of_one_name_are_plainly_different_and_all_rise() -> None:
    drawn = [draw_flourish(random.Random(f"letter {number}")) for number in range(40)]
    assert all(flourish.slope < 0 for flourish in drawn)
    for four in zip(*[iter(drawn)] * 4, strict=True):
        assert max(each.width for each in four) - min(each.width for each in four) > 0.03
        assert max(each.lean for each in four) - min(each.lean for each in four) > 0.03


@of_each_recipe
def test_figures_are_as_high_as_letters_and_stops_have_room_of_their_own(recipe: "object") -> None:
    body = compile_pen(recipe, "lH0123456789.:e \u00a0")  # type: ignore[arg-type]
    with TTFont(io.BytesIO(body)) as font:
        glyphs = {letter: font["glyf"][font.getBestCmap()[ord(letter)]] for letter in "lH058.:e"}
        widths = {letter: font["hmtx"][font.getBestCmap()[ord(letter)]][0] for letter in ".: \u00a0"}
        x_height = font["OS/2"].sxHeight
    tall = min(glyphs["l"].yMax, glyphs["H"].yMax)
    assert all(glyphs[digit].yMax - glyphs[digit].yMin > 0.70 * tall for digit in "058")
    for stop in ".:":
        assert glyphs[stop].xMin > 0
        assert widths[stop] - glyphs[stop].xMax > 0.05 * x_height
        assert glyphs[stop].yMin < 0.25 * x_height
    # A number that must not be broken keeps its gaps.
    assert widths["\u00a0"] == pytest.approx(widths[" "], abs=1)


@of_each_recipe
def test_a_question_mark_has_a_hook_so_wide_that_it_is_no_exclamation_mark(recipe: "object") -> None:
    with TTFont(io.BytesIO(compile_pen(recipe, "?xlH"))) as font:  # type: ignore[arg-type]
        ask, x_height = font["glyf"][font.getBestCmap()[ord("?")]], font["OS/2"].sxHeight
    assert ask.xMax - ask.xMin > 0.6 * x_height
    assert ask.xMax - ask.xMin > 0.42 * (ask.yMax - ask.yMin)


@of_each_recipe
def test_ink_gathers_in_spots_within_the_strokes_of_a_letter_whose_shape_stays(recipe: "object") -> None:
    letters = read_letterforms(recipe.base, "nhtecp").outlines  # type: ignore[attr-defined]
    found = 0
    for plain in letters.values():
        spotted = with_spots(plain)
        spots = spotted.contours[len(plain.contours) :]
        found += len(spots)
        assert all(spot.stop - spot.start == 2 for spot in spots)
        assert spotted.box == plain.box
        assert spotted.advance == plain.advance
    assert found


@of_each_recipe
def test_the_signature_has_one_thin_stroke_however_large_it_is(recipe: "object") -> None:
    base = read_letterforms(recipe.base, "l")  # type: ignore[attr-defined]
    with TTFont(SHIPPED / f"{recipe.name} signature.ttf") as font:  # type: ignore[attr-defined]
        assert re.fullmatch(r"\w+ signature", font["name"].getDebugName(1))
        assert (font["name"].getDebugName(13) or "") == base.licence
        dot = font["glyf"][font.getBestCmap()[ord(".")]]
        # A stop is a spot of the pen, which is as thick as its stroke.
        assert min(dot.xMax - dot.xMin, dot.yMax - dot.yMin) < 0.30 * font["OS/2"].sxHeight
