"""The press: pages that look written however often, words that come out again, and what stops a page."""

import gc
import importlib.util
import io
import logging
import shutil
import statistics
from itertools import combinations
from logging.handlers import BufferingHandler
from pathlib import Path
from types import ModuleType

import pytest
from fontTools.ttLib import TTFont
from pypdf import PdfReader

from outreach.composing.handwriting import press
from outreach.composing.handwriting.glyph_subset import keep_glyphs, read_glyphs
from outreach.composing.handwriting.ink import Ink
from outreach.composing.handwriting.pens import FACES, find_pens
from outreach.composing.handwriting.press import print_page
from outreach.composing.paper.sizes import Zone
from outreach.composing.proofing.pdf_pages import read_words, see_pages
from outreach.errors import CannotWrite

MORNING = '<html lang="en"><p>Good morning</p>'
PENS = sorted(find_pens(Path("none")))


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    """The benchmark's own measures, so that it and these tests mean the same."""
    path = Path(__file__).resolve().parents[2] / "benchmarks/pages.py"
    spec = importlib.util.spec_from_file_location("pages", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("pen", PENS)
def test_hardly_a_letter_of_a_page_has_the_outline_of_another_or_the_form_it_had_last(
    pages: ModuleType, pen: str
) -> None:
    make = pages.letter_maker(pen)
    repeats = [pages.count_repeats(make(number), pen) for number in range(8)]
    assert statistics.mean(outline for outline, _ in repeats) <= 0.01
    assert statistics.mean(nearest for _, nearest in repeats) <= 0.10


def test_two_letters_of_the_same_words_go_through_a_pens_forms_in_other_ways(pages: ModuleType) -> None:
    make = pages.letter_maker("Alder")
    ways = {tuple(glyph for _, glyph, _ in pages.drawn_letters(make(number), "Alder")) for number in range(12)}
    one, *_ = ways
    assert len(ways) == 12
    assert all(sum(a == b for a, b in zip(*two, strict=True)) < 0.25 * len(one) for two in combinations(ways, 2))


@pytest.mark.parametrize("pen", PENS)
def test_every_reader_gets_the_same_words_out_of_a_letter(pages: ModuleType, pen: str) -> None:
    truth = " ".join(pages.paragraphs())
    for reader, words in pages.readings(pages.letter_maker(pen)(1)).items():
        assert truth in words, reader


def test_a_letter_is_the_same_bytes_whatever_was_printed_before_it(pages: ModuleType) -> None:
    alder, cedar = pages.letter_maker("Alder"), pages.letter_maker("Cedar")
    first = [alder(1), cedar(2), alder(3)]
    press._press.cache_clear()
    assert [cedar(2), alder(3), alder(1)] == [first[1], first[2], first[0]]


def test_garbage_is_collected_again_after_a_page_and_after_one_that_failed() -> None:
    print_page(MORNING, "")
    assert gc.isenabled()
    with pytest.raises(CannotWrite):
        print_page('<img src="http://127.0.0.1/x.svg">', "")
    assert gc.isenabled()


@pytest.mark.parametrize(
    "source", ["http://127.0.0.1:9/x.svg", "file:///etc/passwd", "font:../../secret", "picture:none", "data:,x"]
)
def test_a_page_that_asks_for_anything_but_our_own_fonts_and_pictures_is_not_printed(source: str) -> None:
    with pytest.raises(CannotWrite, match="may not load"):
        print_page(f'<img src="{source}">', "")


def test_a_font_that_cannot_be_loaded_stops_the_page_instead_of_another_font_taking_its_place(tmp_path: Path) -> None:
    broken = tmp_path / "Broken.ttf"
    broken.write_bytes(b"no font")
    css = '@font-face { font-family: "Broken"; src: url("font:Broken.ttf") } p { font-family: "Broken" }'
    for _ in range(2):
        with pytest.raises(CannotWrite, match="press complains"):
            print_page(MORNING, css, [broken])
    # Mended, it is read anew.
    shutil.copy(FACES / "Caveat.ttf", broken)
    fonts = PdfReader(io.BytesIO(print_page(MORNING, css, [broken]))).pages[0]["/Resources"]["/Font"]  # type: ignore[index]
    assert [str(font.get_object()["/BaseFont"]).partition("+")[2] for font in fonts.values()] == ["Broken"]


def test_a_pen_that_took_the_place_of_another_is_written_with_from_the_next_page_on(tmp_path: Path) -> None:
    path = tmp_path / "Nora.ttf"
    css = '@font-face { font-family: "Nora"; src: url("font:Nora.ttf"); } p { font-family: "Nora"; }'

    def print_with(pen: str) -> bytes:
        make = find_pens(Path("none"))[pen].path.read_bytes()
        beside = path.with_suffix(".new")
        beside.write_bytes(make)
        beside.replace(path)
        return print_page(MORNING, css, [path])

    first, second = print_with("Fir"), print_with("Hazel")
    assert first != second
    assert print_with("Fir") == first


def test_what_the_press_complains_of_stays_out_of_logs() -> None:
    heard = BufferingHandler(100)
    logging.getLogger().addHandler(heard)
    try:
        with pytest.raises(CannotWrite, match="press complains") as caught:
            print_page('<html lang="en"><p style="colour: Maria Lopez">Good morning</p>', "")
    finally:
        logging.getLogger().removeHandler(heard)
    assert [record.name for record in heard.buffer if record.name.startswith("weasyprint")] == []
    assert "Maria" not in str(caught.value)


def test_a_hyphen_that_ends_a_line_is_read_as_one_and_is_no_missing_glyph() -> None:
    pen = find_pens(Path("none"))["Fir"]
    css = f'@font-face {{ font-family: "Fir"; src: url("{press.font_address(pen.path)}") }} p {{ font: 14pt "Fir" }}'
    page = print_page(
        '<html lang="en"><p>a well-<br>known name and follow-<br>up</p>', css, [pen.path], Ink("1", {"Fir"})
    )
    (seen,) = see_pages(page, lambda wide, high: {1: (Zone(0, 0, wide, high),)})
    for words in (seen.words, *seen.words_in.values(), read_words(page)):
        assert "well-known" in words
        assert "\ufffe" not in words


def test_a_pens_own_subset_draws_what_the_pen_draws() -> None:
    body = find_pens(Path("none"))["Fir"].path.read_bytes()
    tables = read_glyphs(body)
    assert tables is not None
    with TTFont(io.BytesIO(body)) as whole, TTFont(io.BytesIO(keep_glyphs(tables, {5, 900}))) as kept:
        assert kept["maxp"].numGlyphs == 901
        for glyph in (5, 900):
            names = whole.getGlyphName(glyph), kept.getGlyphName(glyph)
            drawn = [font["glyf"][name] for font, name in zip((whole, kept), names, strict=True)]
            assert drawn[0] == drawn[1]
            assert whole["hmtx"][names[0]] == kept["hmtx"][names[1]]


def test_a_font_that_we_did_not_make_is_left_to_weasyprint() -> None:
    for face in ("Vazirmatn.ttf", "Mynerve.ttf"):
        assert read_glyphs((FACES / face).read_bytes()) is None, face
