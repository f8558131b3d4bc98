"""Marks where ink gathers in a letter: where its strokes start, and where they turn.

A spot is a contour of two points along the middle of a stroke. Filled, it is nothing; ink that draws contours darker
than what is within them (ink.py) makes the letter darker there, at no cost to the page. It never changes the shape of
a letter.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from outreach.composing.handwriting.font.letterforms import Outline, Points, area_of

# How far apart the points are at which contours are looked at, as a share of the stroke.
STEP = 0.22
# A stroke ends where its edge turns by so much within so many strokes, and bends where it turns by the other.
END, END_WITHIN = math.radians(135), 1.7
BEND, BEND_WITHIN = math.radians(62), 2.6
MOST_BENDS = 3
# Half the length of a spot, how far its middle lies from the end of a stroke, and the ink it needs on both sides, in
# strokes.
LONG, INSIDE, ROOM = 0.5, 0.7, 0.2


def with_spots(outline: Outline) -> Outline:
    """The outline with a spot at the start of each stroke and at its sharpest bends."""
    if outline.is_blank:
        return outline
    stroke = stroke_of(outline)
    edges = [_resample(contour, STEP * stroke) for contour in _polygons(outline) if len(contour) > 2]
    edges = [edge for edge in edges if len(edge) > 4 * END_WITHIN / STEP]
    for edge in edges:
        for middle, along in _spots(edge, stroke):
            across = np.array([along[1], -along[0]]) * ROOM * stroke
            spot = np.array([middle - along * LONG * stroke, middle + along * LONG * stroke])
            if all(_is_inside(point, edges) for point in (*(spot - across), *(spot + across))):
                outline = outline.joined(Outline(spot, (True, True), (1,), outline.advance))
    return outline


def stroke_of(outline: Outline) -> float:
    """How thick its strokes are: their area by half the length of their edges."""
    polygons = list(_polygons(outline))
    lengths = sum(float(np.hypot(*(np.roll(each, -1, axis=0) - each).T).sum()) for each in polygons)
    return max(2 * abs(sum(map(area_of, polygons))) / max(lengths, 1.0), 1.0)


def _polygons(outline: Outline) -> Iterator[Points]:
    """Each contour as a polygon: TrueType's curves are quadratic, with a point on the line between two that bend it."""
    for contour in outline.contours:
        points, on_line = outline.points[contour], outline.on_line[contour]
        after, is_after_on = np.roll(points, -1, axis=0), np.roll(on_line, -1)
        before, is_before_on = np.roll(points, 1, axis=0), np.roll(on_line, 1)
        drawn: list[Points] = []
        for at, point in enumerate(points):
            if on_line[at]:
                drawn.append(point[None, :])
                continue
            first = before[at] if is_before_on[at] else (before[at] + point) / 2
            last = after[at] if is_after_on[at] else (point + after[at]) / 2
            share = np.linspace(0, 1, 7)[:, None]
            drawn.append((1 - share) ** 2 * first + 2 * share * (1 - share) * point + share**2 * last)
        yield np.concatenate(drawn)


def _resample(contour: Points, step: float) -> Points:
    """Points along the contour at equal distances."""
    closed = np.concatenate([contour, contour[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.linspace(0, along[-1], max(round(along[-1] / step), 1), endpoint=False)
    return np.stack([np.interp(at, along, closed[:, 0]), np.interp(at, along, closed[:, 1])], axis=1)


def _spots(edge: Points, stroke: float) -> Iterator[tuple[Points, Points]]:
    """The middle of each spot, and which way its stroke runs there."""
    ahead = np.roll(edge, -1, axis=0) - np.roll(edge, 1, axis=0)
    ahead = ahead / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    # TrueType draws outer contours clockwise, so that ink lies to the right.
    inward = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)
    ends = _peaks(_turning(ahead, END_WITHIN), END, END_WITHIN)
    for at in ends:
        yield edge[at] + inward[at] * INSIDE * stroke, inward[at]
    turning = _turning(ahead, BEND_WITHIN)
    near = round(BEND_WITHIN / STEP)
    for end in ends:
        turning[np.arange(end - near, end + near + 1) % len(edge)] = 0
    for at in _peaks(turning, BEND, BEND_WITHIN)[:MOST_BENDS]:
        yield edge[at] + inward[at] * stroke / 2, ahead[at]


def _turning(ahead: Points, within: float) -> Points:
    """By how much the edge turns to the right around each of its points, within so many strokes."""
    angle = np.arctan2(ahead[:, 1], ahead[:, 0])
    turned = (angle - np.roll(angle, -1) + math.pi) % (2 * math.pi) - math.pi
    half = round(within / STEP / 2)
    around: Points = np.sum([np.roll(turned, shift) for shift in range(-half + 1, half + 1)], axis=0)
    return around


def _peaks(turning: Points, least: float, within: float) -> list[int]:
    """Where the edge turns most, the sharpest first, none within so many strokes of another."""
    left, found = turning.copy(), []
    far = round(within / STEP)
    while left.max() >= least:
        at = int(left.argmax())
        found.append(at)
        left[np.arange(at - far, at + far + 1) % len(left)] = 0
    return found


def _is_inside(point: Points, edges: Sequence[Points]) -> bool:
    """Whether the edges go round the point (its winding number)."""
    turns = 0
    for edge in edges:
        x, y = (edge - point).T
        next_x, next_y = np.roll(x, -1), np.roll(y, -1)
        left = x * next_y - next_x * y
        turns += int(np.sum((y <= 0) & (next_y > 0) & (left > 0))) - int(np.sum((y > 0) & (next_y <= 0) & (left < 0)))
    return turns != 0
