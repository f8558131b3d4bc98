"""Draws and finds registration marks: squares in the corners of a form that say which page of which form it is.

It knows nothing of letters.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
# Marks of 5 × 5 cells within a black frame; a thousand differ enough to be told apart when some cells are misread.
_MARKS = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_1000)
CELLS = 7
CORNERS, PAGES, PAPERS = 4, 4, 2


@dataclass(frozen=True)
class MarkPlace:
    """Where a mark stands: the form's alphabet and paper by number, its page and the page's corner, all from 0."""

    alphabet: int
    paper: int
    page: int
    corner: int

    @property
    def number(self) -> int:
        return ((self.alphabet * PAPERS + self.paper) * PAGES + self.page) * CORNERS + self.corner


def place_of(number: int) -> MarkPlace:
    """The place that a mark's number stands for."""
    number, corner = divmod(number, CORNERS)
    number, page = divmod(number, PAGES)
    alphabet, paper = divmod(number, PAPERS)
    return MarkPlace(alphabet, paper, page, corner)


def draw_mark(place: MarkPlace) -> list[tuple[int, int]]:
    """Column and row of each black cell of the mark, `CELLS` in each direction."""
    cells = cv2.aruco.generateImageMarker(_MARKS, place.number, CELLS)
    return [(int(column), int(row)) for row, column in np.argwhere(cells == 0)]


def find_marks(grey: Picture) -> dict[MarkPlace, NDArray[np.float64]]:
    """The four corners of each mark in a grey picture, in pixels, clockwise from the mark's own top left."""
    finder = cv2.aruco.ArucoDetector(_MARKS)
    options = finder.getDetectorParameters()
    # Whole pixels are too coarse: a page is measured by the corners of its marks.
    options.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    finder.setDetectorParameters(options)
    corners, numbers, _ = finder.detectMarkers(grey)
    if numbers is None:
        return {}
    marks = zip(numbers.flatten(), corners, strict=True)
    return {place_of(int(number)): np.asarray(each, float).reshape(4, 2) for number, each in marks}
