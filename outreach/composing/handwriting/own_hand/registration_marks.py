"""Draws and finds the marks on a form: squares in the corners of a page, and a row of them at its foot.

Those in the corners say which page of which edition of the form it is, those at the foot whose form it is. It knows
nothing of letters.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
# Squares of 5 × 5 cells within a black frame in the corners, of 6 × 6 at the foot, so that neither is taken for the
# other. A thousand of each differ enough to be told apart when some cells are misread.
_IN_CORNERS = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_1000)
_AT_FOOT = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_6X6_1000)
CORNERS, PAGES, PAPERS = 4, 4, 2
MOST_AT_FOOT = 1000
# As a share of a picture's shorter side, which is a page or a little more: thicker than a rule, thinner than a cell.
THINNER = 0.0025
Cells = list[tuple[int, int]]


@dataclass(frozen=True)
class MarkPlace:
    """Where a mark stands: the form's edition and paper by number, its page and the page's corner, all from 0."""

    edition: int
    paper: int
    page: int
    corner: int

    @property
    def number(self) -> int:
        return ((self.edition * PAPERS + self.paper) * PAGES + self.page) * CORNERS + self.corner


def place_of(number: int) -> MarkPlace:
    """The place that a mark's number stands for."""
    number, corner = divmod(number, CORNERS)
    number, page = divmod(number, PAGES)
    edition, paper = divmod(number, PAPERS)
    return MarkPlace(edition, paper, page, corner)


def draw_mark(place: MarkPlace) -> Cells:
    """Column and row of each black cell of a corner's mark, seven in each direction."""
    return _black_cells(_IN_CORNERS, place.number, 7)


def draw_foot_mark(number: int) -> Cells:
    """Column and row of each black cell of the mark for a number below `MOST_AT_FOOT`, eight in each direction."""
    return _black_cells(_AT_FOOT, number, 8)


def _black_cells(marks: cv2.aruco.Dictionary, number: int, cells: int) -> Cells:
    drawn = cv2.aruco.generateImageMarker(marks, number, cells)
    return [(int(column), int(row)) for row, column in np.argwhere(drawn == 0)]


def find_marks(grey: Picture) -> dict[MarkPlace, NDArray[np.float64]]:
    """The four corners of each corner's mark in a grey picture, in pixels, clockwise from the mark's own top left."""
    found = _find(_IN_CORNERS, grey)
    if len(found) < CORNERS:
        # Rules of squared paper run into the marks; they are thinner than a mark's cells, and vanish.
        wide = max(3, round(min(grey.shape) * THINNER))
        bare = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((wide, wide), np.uint8))
        found = max(found, _find(_IN_CORNERS, bare.astype(np.uint8)), key=len)
    return {place_of(number): corners for number, corners in found}


def read_foot_marks(grey: Picture) -> list[int]:
    """The numbers of the marks in a grey picture of the foot, from the left."""
    bare = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((8, 8), np.uint8))
    found = max((_find(_AT_FOOT, each.astype(np.uint8)) for each in (grey, bare)), key=len)
    return [number for number, _ in sorted(found, key=lambda mark: float(mark[1][:, 0].min()))]


def _find(marks: cv2.aruco.Dictionary, grey: Picture) -> list[tuple[int, NDArray[np.float64]]]:
    """The marks of one kind in a grey picture: the number of each and its four corners."""
    finder = cv2.aruco.ArucoDetector(marks)
    options = finder.getDetectorParameters()
    # Whole pixels are too coarse: a page is measured by the corners of its marks.
    options.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    finder.setDetectorParameters(options)
    corners, numbers, _ = finder.detectMarkers(grey)
    if numbers is None:
        return []
    return [(int(n), np.asarray(each, float).reshape(4, 2)) for n, each in zip(numbers.flatten(), corners, strict=True)]
