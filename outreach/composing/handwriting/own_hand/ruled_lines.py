"""Takes ruled lines out of the picture of a box: the form's own where it was printed in black, and those of the paper.

A straight line that runs through a box and out of it on both sides is ruled, and so is one from frame to frame where
the form has a line of its own. What is thicker or darker than such a line is the pen's, and stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Darkness = NDArray[np.float32]
# Lines are sought in a picture so many times smaller, in which paper is paler than this.
SMALLER, PAPER = 3, 0.09
# How far a line may lean on the form's own, as a share; how much of it must be there; how many a box may have.
LEAN, WHOLE, MOST = 0.035, 0.96, 32
# In mm: how far the form's own lines may lie off their places, how far a line may stray from straight, and how thick it
# is at most: a fold is broad and soft.
ASTRAY, STRAY, THICKEST = 0.7, 0.35, 1.8
# How many times as much ink, thicker or darker, there is across a line where the pen has been as where it has not; and
# the share of a line that the pen leaves free at least.
HEAVIER, FREE = 1.4, 35
# How many times as dark as two lines that cross the pen is on a crossing.
DARKER = 1.15


@dataclass(frozen=True)
class _Line:
    """A line in the smaller picture: its row in the middle, and how much lower it ends than it begins."""

    row: float
    fall: float
    thick: float


def remove_lines(around: Darkness, fine: int, frame: float, own: Sequence[float]) -> Darkness:
    """The picture of a box without ruled lines, `fine` spots a mm.

    The frame lies `frame` mm within its edges, and the form's own lines `own` mm below its top.
    """
    high, wide = around.shape[0] / fine, around.shape[1] / fine
    level = _find_lines(around, fine, frame, [frame, high - frame, *own])
    upright = _find_lines(around.T, fine, frame, [frame, wide - frame])
    if not level and not upright:
        return around
    cleaned, turned = around.copy(), np.ascontiguousarray(around.T)
    for line in level:
        _erase(cleaned, line, fine, _cover(cleaned.shape, upright, fine).T)
    for line in upright:
        _erase(turned, line, fine, _cover(turned.shape, level, fine).T)
    return np.minimum(cleaned, turned.T)


def _find_lines(around: Darkness, fine: int, frame: float, own: Sequence[float]) -> list[_Line]:
    """The ruled lines from the picture's left to its right."""
    small = cv2.resize(around, None, fx=1 / SMALLER, fy=1 / SMALLER, interpolation=cv2.INTER_AREA).astype(np.float32)
    dense = fine / SMALLER
    at = (np.arange(len(small)) + 0.5) / dense
    is_own = (np.abs(at[:, None] - np.array(own)) <= ASTRAY).any(axis=1)
    lines: list[_Line] = []
    for _ in range(MOST):
        line = _find_line(small, round(2 * frame * dense), is_own)
        if line is None:
            break
        if line.thick <= THICKEST * dense:
            lines.append(line)
        _blank(small, line)
    return lines


def _cover(shape: tuple[int, ...], lines: Sequence[_Line], fine: int) -> NDArray[np.bool_]:
    """Where lines lie in a picture that is as high as the other is wide."""
    along, across = np.arange(shape[0]), np.arange(shape[1])[:, None]
    covered = np.zeros((shape[1], shape[0]), bool)
    for line in lines:
        middle = (line.row + line.fall * (along / shape[0] - 0.5)) * SMALLER
        covered |= np.abs(across - middle) <= (line.thick * SMALLER / 2 + STRAY * fine)
    return covered


def _find_line(small: Darkness, edge: int, is_own: NDArray[np.bool_]) -> _Line | None:
    """The darkest of the ruled lines in the smaller picture, which go on for all but `edge` spots at both ends."""
    inner, outer = slice(edge, -edge), max(1, edge // 4)
    # A line strays a little from straight where the paper is not flat.
    dark = cv2.dilate((small > PAPER).astype(np.uint8), np.ones((3, 1), np.uint8))
    # Nothing goes all through where there are columns without ink, as beside nearly every letter.
    if dark[:, inner].any(axis=0).mean() < WHOLE:
        return None
    most = int(np.ceil(LEAN * small.shape[1]))
    best, found = 0.0, None
    for fall in sorted(range(-most, most + 1), key=abs):
        straight = _shear(dark, fall)
        goes_on = straight[:, :outer].all(axis=1) & straight[:, -outer:].all(axis=1)
        is_ruled = (straight[:, inner].mean(axis=1) >= WHOLE) & (goes_on | is_own)
        if is_ruled.any():
            shade = np.where(is_ruled, _shear(small, fall)[:, inner].mean(axis=1), 0)
            if shade.max() > best:
                best, found = float(shade.max()), (int(shade.argmax()), fall)
    if found is None:
        return None
    row, fall = found
    return _Line(row + 0.5, fall, _thickness(np.median(_shear(small, fall)[:, inner], axis=1), row))


def _shear(picture: NDArray[Any], fall: float) -> NDArray[Any]:
    """The picture with a line that falls by so many rows laid level; its middle stays."""
    high, wide = picture.shape
    along = np.array([[1, 0, 0], [fall / wide, 1, -fall / 2]], np.float32)
    return cv2.warpAffine(
        picture, along, (wide, high), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )


def _thickness(shade: Darkness, row: int) -> float:
    """How many rows around one are at least half as dark."""
    dark = shade > max(shade[row] / 2, PAPER / 2)
    above, below = np.flatnonzero(~dark[: row + 1]), np.flatnonzero(~dark[row:])
    return float((below[0] if len(below) else len(shade) - row) + (row - above[-1] if len(above) else row + 1) - 1)


def _blank(small: Darkness, line: _Line) -> None:
    rows = np.arange(len(small))[:, None] + 0.5
    middle = line.row + line.fall * (np.arange(small.shape[1])[None, :] / small.shape[1] - 0.5)
    small[np.abs(rows - middle) <= line.thick / 2 + 2] = 0


def _erase(picture: Darkness, line: _Line, fine: int, crossed: NDArray[np.bool_]) -> None:
    """Makes the line paper wherever nothing thicker or darker lies on it; it is `crossed` by other lines there."""
    high, wide = picture.shape
    reach = round(line.thick * SMALLER / 2 + 2 * STRAY * fine) + 4
    middle = (line.row + line.fall * ((np.arange(wide) + 0.5) / wide - 0.5)) * SMALLER
    rows = np.clip(np.round(middle).astype(int)[None, :] + np.arange(-reach, reach + 1)[:, None], 0, high - 1)
    columns = np.broadcast_to(np.arange(wide), rows.shape)
    band = picture[rows, columns]
    near = slice(reach - round(STRAY * fine), reach + round(STRAY * fine) + 1)
    at = near.start + band[near].argmax(axis=0)
    shade = float(np.median(band[at, np.arange(wide)]))
    run = _run_at(band > shade / 2, at)
    wider = cv2.dilate(run.astype(np.uint8), np.ones((5, 1), np.uint8)) > 0
    ink = (band * wider).sum(axis=0)
    is_pen = ink > HEAVIER * np.percentile(ink, FREE)
    # Where another line crosses it there is more ink than elsewhere, and it is as dark as two of them at most.
    darkest = np.where(run, band, 0).max(axis=0)
    is_pen &= ~crossed[rows, columns].any(axis=0) | (darkest > DARKER * (1 - (1 - shade) ** 2))
    # A single column is noise; and beside a stroke the line begins within its soft edge.
    is_pen = cv2.morphologyEx(is_pen[None].astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, 3), np.uint8))[0] > 0
    gone = wider & ~is_pen[None, :]
    picture[rows[gone], columns[gone]] = 0


def _run_at(dark: NDArray[np.bool_], at: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Of each column the dark spots that hang together with the one at `at`."""
    rows = np.arange(len(dark))[:, None]
    before = np.where(~dark & (rows < at), rows, -1).max(axis=0)
    after = np.where(~dark & (rows > at), rows, len(dark)).min(axis=0)
    run: NDArray[np.bool_] = (rows > before) & (rows < after) & dark
    return run
