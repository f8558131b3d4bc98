"""Traces a letter's dark spots to an outline, and fills an outline to spots. The only file that knows vtracer.

The outline's curves are quadratic, as fonts have them, outer contours clockwise.
"""

import re

import cv2
import numpy as np
import vtracer
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.svgLib.path import SVGPath
from numpy.typing import NDArray

from outreach.composing.handwriting.font.letterforms import Outline, Points

Spots = NDArray[np.bool_]
Grey = NDArray[np.uint8]
# Curves are kept to whole numbers, so they are drawn this much larger meanwhile; and may stray by so much of it.
FINER, STRAY = 16, 6.0
MOVED = re.compile(r"translate\(([-0-9.]+),([-0-9.]+)\)")
# Straight steps for each curve where an outline is filled.
STEPS, SHARPER = 8, 4


def trace(spots: Spots) -> Outline:
    """The outline around the true spots, in their own measure, from the lower left corner upward; its advance is 0."""
    black = np.where(spots, 0, 255).astype(np.uint8)
    # vtracer unpacks it at once: to pack it well takes as long as to trace it.
    png = cv2.imencode(".png", black, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
    svg = vtracer.convert_raw_image_to_svg(
        png, img_format="png", colormode="binary", mode="spline", filter_speckle=3, corner_threshold=70,
        length_threshold=8.0, splice_threshold=45, path_precision=2,
    )  # fmt: skip
    # fontTools reads of all transformations only matrices.
    svg = MOVED.sub(r"matrix(1 0 0 1 \1 \2)", svg)
    pen = TTGlyphPen(None)
    upright = (FINER, 0, 0, -FINER, 0, FINER * len(spots))
    SVGPath.fromstring(svg.encode()).draw(TransformPen(Cu2QuPen(pen, STRAY, all_quadratic=True), upright))
    points, ends, flags = pen.glyph().getCoordinates(None)
    drawn = np.array(points, float).reshape(-1, 2) / FINER
    return _clockwise(Outline(drawn, tuple(bool(flag & 1) for flag in flags), tuple(ends), 0.0))


def contours_of(outline: Outline) -> list[slice]:
    """Which of its points each contour has."""
    starts = [0, *(end + 1 for end in outline.ends[:-1])]
    return [slice(start, end + 1) for start, end in zip(starts, outline.ends, strict=True)]


def _clockwise(outline: Outline) -> Outline:
    """The same with every contour turned round where the largest, which must be an outer one, runs the wrong way."""
    contours = contours_of(outline)
    if max((_area(outline.points[each]) for each in contours), key=abs, default=0.0) <= 0:
        return outline
    order = np.concatenate([np.arange(each.start, each.stop)[::-1] for each in contours])
    return Outline(outline.points[order], tuple(outline.on_line[at] for at in order), outline.ends, outline.advance)


def _area(points: Points) -> float:
    """The area that a contour goes around: below zero clockwise."""
    following = np.roll(points, -1, axis=0)
    return float(np.sum(points[:, 0] * following[:, 1] - following[:, 0] * points[:, 1]) / 2)


def fill(outline: Outline, scale: float, width: int, height: int, origin: tuple[float, float] = (0, 0)) -> Grey:
    """The outline in black on white, `scale` spots for each of its units; `origin` is in spots, from the lower left."""
    rows = np.full((height * SHARPER, width * SHARPER), 255, np.uint8)
    if not outline.is_blank:
        moved = [_straight(outline, each) * scale + origin for each in contours_of(outline)]
        # OpenCV counts from the middle of a spot, we from its corner; and it fills the edge as well.
        corners = [np.round((each * (1, -1) + (0, height)) * SHARPER - 0.5).astype(np.int32) for each in moved]
        cv2.fillPoly(rows, corners, 0)
    small: Grey = cv2.resize(rows, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small


def _straight(outline: Outline, contour: slice) -> Points:
    """A contour as many short straight lines."""
    points, on_line = outline.points[contour], outline.on_line[contour]
    whole: list[Points] = []
    steps = np.linspace(0, 1, STEPS, endpoint=False)[:, None]
    for at, point in enumerate(points):
        before, after = points[at - 1], points[(at + 1) % len(points)]
        if on_line[at]:
            whole.append(point[None, :])
            continue
        first = before if on_line[at - 1] else (before + point) / 2
        last = after if on_line[(at + 1) % len(points)] else (point + after) / 2
        whole.append((1 - steps) ** 2 * first + 2 * steps * (1 - steps) * point + steps**2 * last)
    return np.concatenate(whole)
