"""The press: pages that look written however often, words that come out again, and what stops a page."""

import gc
import importlib.util
import io
import logging
import shutil
import statistics
from logging.handlers import BufferingHandler
from pathlib import Path
from types import ModuleType

import pytest
from pypdf import PdfReader

from outreach.composing.handwriting import press
from outreach.composing.handwriting.pens import FACES, find_pens
from outreach.composing.handwriting.press import print_page
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
    one, other, *_ = ways
    assert len(ways) >= 6
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 0.25 * len(one)


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
