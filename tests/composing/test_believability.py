"""The instrument that says how much a page varies: it finds what is known of a drawn page, and tells ink from print."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from outreach.composing.handwriting.font.recipes import RECIPES

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
HIGH, WIDE, STROKE, GAP, SPACE = 34, 26, 5, 9, 110
# Too few letters to be compared with one another, which takes long; and enough.
FEW, ENOUGH = "con non one", "con non ones"
MARGINS = (0, 12, -9, 15, -6, 3)
PITCHES = (118, 126, 121, 131, 115)


class Instrument(NamedTuple):
    """The modules of the folder of benchmarks, which is no package."""

    believability: Any
    pages: Any
    written_body: Any


@pytest.fixture(scope="module")
def instrument() -> Iterator[Instrument]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        names = ("believability", "pages", "written_body", "page_scan")
        yield Instrument(*(__import__(name) for name in names[:3]))
        for name in names:
            sys.modules.pop(name, None)


def draw_page(
    words: str = FEW, slope: float = 0.0, margins: tuple[int, ...] = (0,) * 6, pitches: tuple[int, ...] = (120,) * 5
) -> Any:
    """Lines of rings on white, at so many degrees (above zero they fall), with these margins and distances."""
    page, line = np.full((1000, 1000), 255, np.uint8), 150
    for margin, pitch in zip(margins, (*pitches, 0), strict=True):
        x = 150 + margin
        for letter in words:
            if letter != " ":
                y = line + round(np.tan(np.radians(slope)) * (x - 150 - margin))
                cv2.ellipse(page, (x + WIDE // 2, y - HIGH // 2), (WIDE // 2, HIGH // 2), 0, 0, 360, 0, STROKE)
            x += SPACE if letter == " " else WIDE + GAP
        line += pitch
    return page


def measure(instrument: Instrument, page: Any, words: str = FEW) -> dict[str, float]:
    figures: dict[str, float] | None = instrument.believability.measure_page(page, [words] * len(MARGINS))
    assert figures is not None
    return figures


@pytest.mark.parametrize("slope", [-1.0, 0.0, 0.7])
def test_the_slope_of_a_page_is_found(instrument: Instrument, slope: float) -> None:
    figures = measure(instrument, draw_page(slope=slope))
    assert figures["slope of the page, °"] == pytest.approx(abs(slope), abs=0.12)
    assert figures["slope of lines, sd °"] < 0.06


def test_the_margin_and_the_distances_of_lines_are_found(instrument: Instrument) -> None:
    figures = measure(instrument, draw_page(margins=MARGINS, pitches=PITCHES))
    assert figures["left margin, % of x"] == pytest.approx(100 * np.std(MARGINS) / HIGH, rel=0.25)
    assert figures["line pitch, cv %"] == pytest.approx(100 * np.std(PITCHES) / np.mean(PITCHES), rel=0.15)


def test_a_page_drawn_by_a_machine_varies_in_nothing(instrument: Instrument) -> None:
    figures = measure(instrument, draw_page(ENOUGH), ENOUGH)
    for name in ("letter height, cv %", "letter aspect, cv %", "words on the line, % of x", "line pitch, cv %"):
        assert figures[name] < 1.5, name
    assert figures["pair distance, % of x"] < 1.0
    assert instrument.believability.score(figures) < 10


def test_a_page_in_ink_scores_far_above_the_same_words_in_the_face_that_its_pen_is_made_of(
    instrument: Instrument,
) -> None:
    elm = next(recipe for recipe in RECIPES if recipe.name == "Elm")
    said = instrument.pages.paragraphs()[1:2]
    scores = [
        instrument.believability.score(
            instrument.believability.measure_page(*instrument.written_body.scan_body(body, said))
        )
        for body in (instrument.pages.plain_page(elm), instrument.pages.letter_maker("Elm")(1))
    ]
    assert scores[0] < 20
    assert scores[1] > 45


def test_what_varies_as_people_do_scores_full_and_what_is_missing_counts_for_nothing(instrument: Instrument) -> None:
    scale = instrument.believability.SCALE
    real = {name: real for name, (_, real) in scale.items()}
    plain = {name: plain for name, (plain, _) in scale.items()}
    assert instrument.believability.score(real) == pytest.approx(100)
    assert instrument.believability.score(plain) == pytest.approx(0)
    assert instrument.believability.score({"slant, sd °": float("nan"), "line pitch, cv %": 7.54}) == pytest.approx(100)
