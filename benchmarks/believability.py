"""How much a page varies beside real handwriting: twelve measures from its pixels, and a score of 0 to 100.

    .venv/bin/python benchmarks/pages.py believable

A measure counts 0 where a page is as even as plain fonts are, 1 where it varies as six pages by three people do, and
in between by its logarithm. The score only says what it measures: a page must also be looked at.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from itertools import combinations

import cv2
import numpy as np
from page_scan import Blob, Pixels, Scan, ScannedWord, merge_word, scan_page

#: Of each measure what plain fonts and what real pages have, as medians.
SCALE: dict[str, tuple[float, float]] = {
    "pair distance, % of x": (1.37, 4.08),
    "nearest repeat, % of x": (0.68, 2.59),
    "letter height, cv %": (1.12, 11.98),
    "letter aspect, cv %": (2.05, 16.99),
    "feet in a word, % of x": (3.43, 8.87),
    "words on the line, % of x": (4.82, 24.00),
    "slope of lines, sd °": (0.04, 0.66),
    "slope of the page, °": (0.01, 0.86),
    "left margin, % of x": (12.38, 33.36),
    "stroke width, cv %": (4.11, 12.36),
    "slant, sd °": (5.15, 6.54),
    "line pitch, cv %": (0.63, 7.54),
}
# Letters with neither a part above an x nor one below the line.
SMALL = frozenset("acemnorsuvwxz")
# Fewer separate letters than this say nothing of letters.
FEWEST_LETTERS = 60
# So many of one letter are compared with one another, from the top of the page.
MOST_ALIKE = 22
STEPS = 14
SLANTS = np.radians(np.arange(-20, 46, 2))
Figures = dict[str, float]


def score(figures: Mapping[str, float]) -> float:
    """The mean of the measures that a page has, each from 0 (plain) to 1 (real), times 100."""
    shares = [
        math.log(max(value, 1e-3) / SCALE[name][0]) / math.log(SCALE[name][1] / SCALE[name][0])
        for name, value in figures.items()
        if name in SCALE and not math.isnan(value)
    ]
    return 100 * float(np.mean(np.clip(shares, 0, 1)))


def measure_page(grey: Pixels, lines: Sequence[str], paragraph_ends: Set[int] = frozenset()) -> Figures | None:
    """The measures of a page at 300 dots an inch on which `lines` stand; None where they cannot be told apart.

    After the lines in `paragraph_ends` the pitch is another. A page whose letters touch lacks the measures of letters.
    """
    scan = scan_page(grey, lines)
    if scan is None:
        return None
    letters = [each for word in scan.words for each in word.letters]
    figures = _measure_lines(scan, paragraph_ends) | _measure_words(scan)
    if len(letters) >= FEWEST_LETTERS:
        x_height = float(np.median([blob.height for letter, blob in letters if letter in SMALL]))
        figures |= _measure_letters(scan, letters, x_height) | measure_repeats(letters, x_height)
    return figures | {"letters": len(letters)}


# Letters


def _measure_letters(scan: Scan, letters: Sequence[tuple[str, Blob]], x_height: float) -> Figures:
    feet: list[float] = []
    for word in scan.words:
        small = [b for letter, b in word.letters if letter in SMALL and 0.5 * x_height < b.height < 1.7 * x_height]
        feet += _residuals([b.middle[0] for b in small], [b.foot for b in small]) if len(small) >= 3 else []
    by_letter = defaultdict(list)
    for letter, blob in letters:
        by_letter[letter].append(blob)
    often = [blobs for blobs in by_letter.values() if len(blobs) > 4]
    return {
        "letter height, cv %": float(np.median([_cv([b.height for b in blobs]) for blobs in often])),
        "letter aspect, cv %": float(np.median([_cv([b.width / b.height for b in blobs]) for blobs in often])),
        "feet in a word, % of x": 100 * float(np.std(feet)) / x_height,
    }


def measure_repeats(letters: Sequence[tuple[str, Blob]], x_height: float) -> Figures:
    """How unlike two of one letter are on a page, and how near the nearest is, moved, turned and scaled to match."""
    by_letter = defaultdict(list)
    for letter, blob in letters:
        if letter.islower() and len(by_letter[letter]) < MOST_ALIKE:
            by_letter[letter].append(_skeleton_points(blob.mask))
    pairs: list[float] = []
    nearest: list[float] = []
    for same in by_letter.values():
        if len(same) < 4:
            continue
        away = np.full((len(same), len(same)), np.nan)
        for a, b in combinations(range(len(same)), 2):
            away[a, b] = away[b, a] = _distance(same[a], same[b]) / x_height * 100
        # What is unlike all its sisters was given a wrong label.
        typical = np.nanmedian(away, axis=1)
        kept = typical <= 2.2 * np.nanmedian(typical)
        away = away[np.ix_(kept, kept)]
        if kept.sum() >= 3:
            pairs += list(away[np.triu_indices(len(away), 1)])
            nearest += list(np.nanmin(away, axis=1))
    return {"pair distance, % of x": float(np.nanmedian(pairs)), "nearest repeat, % of x": float(np.nanmedian(nearest))}


def _skeleton_points(mask: Pixels) -> Pixels:
    ys, xs = np.nonzero(thin(mask))
    return np.stack([xs, ys], axis=1).astype(np.float64)


def thin(mask: Pixels) -> Pixels:
    """The skeleton of a shape, one pixel wide (Zhang and Suen, 1984)."""
    shape = np.pad(mask, 2).astype(np.uint8)
    while True:
        before = int(shape.sum())
        for first in (True, False):
            p = [np.roll(shape, (dy, dx), (0, 1)) for dy, dx in _AROUND]
            around = sum(p[1:], p[0].copy())
            turns = sum(((1 - a) * b for a, b in zip(p, [*p[1:], p[0]], strict=True)), np.zeros_like(shape))
            ends = (p[0] * p[2] * p[4], p[2] * p[4] * p[6]) if first else (p[0] * p[2] * p[6], p[0] * p[4] * p[6])
            shape[(shape == 1) & (around >= 2) & (around <= 6) & (turns == 1) & (ends[0] == 0) & (ends[1] == 0)] = 0
        if int(shape.sum()) == before:
            return shape[2:-2, 2:-2].astype(bool)


# How far the picture moves so that each neighbour lies on the pixel: from above, with the clock.
_AROUND = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))


def _distance(moving: Pixels, still: Pixels) -> float:
    """The mean distance of two skeletons, each from the other, after turning, scaling and moving one to match."""
    if len(moving) < 8 or len(still) < 8:
        return math.nan
    scale = np.ptp(still, axis=0).max() / max(np.ptp(moving, axis=0).max(), 1)
    moved = (moving - moving.mean(axis=0)) * scale + still.mean(axis=0)
    for _ in range(STEPS):
        there, back = _nearest_both(moved, still)
        sources = np.concatenate([moved, moved[back[0]]])
        targets = np.concatenate([still[there[0]], still])
        away = np.concatenate([there[1], back[1]])
        # A tenth is left out, so that one stray stroke does not turn the whole letter.
        kept = away <= np.quantile(away, 0.9)
        moved = _align(sources[kept], targets[kept], moved)
    there, back = _nearest_both(moved, still)
    return float(there[1].mean() + back[1].mean()) / 2


def _nearest_both(a: Pixels, b: Pixels) -> tuple[tuple[Pixels, Pixels], tuple[Pixels, Pixels]]:
    """For each point of one the nearest of the other and how far it is, both ways."""
    square = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    there, back = square.argmin(axis=1), square.argmin(axis=0)
    far = [np.sqrt(np.maximum(each, 0)) for each in (square.min(axis=1), square.min(axis=0))]
    return (there, far[0]), (back, far[1])


def _align(sources: Pixels, targets: Pixels, points: Pixels) -> Pixels:
    """`points` moved as the turn, scale and shift say that bring sources nearest to targets (as complex numbers)."""
    s, t, p = (each[:, 0] + 1j * each[:, 1] for each in (sources, targets, points))
    from_middle, to_middle = s - s.mean(), t - t.mean()
    turn = (from_middle.conj() @ to_middle) / max(float((abs(from_middle) ** 2).sum()), 1e-9)
    moved = (p - s.mean()) * turn + t.mean()
    return np.stack([moved.real, moved.imag], axis=1)


# Words and lines


def _measure_words(scan: Scan) -> Figures:
    depth = cv2.distanceTransform(scan.ink, cv2.DIST_L2, 5)
    strokes, slants = [], []
    for word in scan.words:
        if len(word.text) > 2:
            whole = merge_word(word)
            lines = thin(whole.mask)
            strokes.append(float(np.median(depth[whole.y : whole.foot, whole.x : whole.right][lines])))
            slants.append(_slant(whole.mask))
    return {"stroke width, cv %": _cv(strokes), "slant, sd °": float(np.nanstd(slants))}


def _slant(mask: Pixels) -> float:
    """The angle, in degrees, at which a sheared word has the steepest columns."""
    height, width = mask.shape
    if height < 12 or width < 12:
        return math.nan
    side = int(height * 0.9)
    word = cv2.copyMakeBorder((mask * 255).astype(np.uint8), 0, 0, side, side, cv2.BORDER_CONSTANT)
    steepness = []
    for angle in SLANTS:
        lean = math.tan(angle)
        shear = np.array([[1, lean, -lean * height / 2], [0, 1, 0]], np.float32)
        columns = (cv2.warpAffine(word, shear, (word.shape[1], height)) > 127).sum(axis=0).astype(float)
        steepness.append(float((np.diff(columns) ** 2).sum()))
    return math.degrees(SLANTS[int(np.argmax(steepness))])


def _measure_lines(scan: Scan, paragraph_ends: Set[int]) -> Figures:
    by_line = defaultdict(list)
    for word in scan.words:
        by_line[word.line].append(word)
    bodies = {id(word): _body(word) for word in scan.words}
    x_height = float(
        np.median([low - high for word in scan.words if len(word.text) > 2 for high, low in [bodies[id(word)]]])
    )
    slopes, strays, lefts, heights = [], [], [], {}
    for line, words in by_line.items():
        longer = [word for word in words if len(word.text) > 1]
        if len(longer) < 3:
            continue
        xs = np.array([merge_word(word).middle[0] for word in longer])
        ys = np.array([bodies[id(word)][1] for word in longer], float)
        kept = _ordinary(xs, ys)
        slope, at = np.polyfit(xs[kept], ys[kept], 1)
        strays += _residuals(xs[kept], ys[kept])
        slopes.append(math.degrees(math.atan(slope)))
        lefts.append(min(blob.x for blob in words[0].blobs))
        heights[line] = at + slope * scan.ink.shape[1] * 0.4
    pitches = [heights[n + 1] - heights[n] for n in heights if n + 1 in heights and n not in paragraph_ends]
    return {
        "words on the line, % of x": 100 * float(np.std(strays)) / x_height,
        "slope of lines, sd °": float(np.std(slopes)),
        "slope of the page, °": abs(float(np.mean(slopes))),
        "left margin, % of x": 100 * float(np.std(lefts)) / x_height,
        "line pitch, cv %": _cv(pitches) if len(pitches) > 2 else math.nan,
        "word gap, cv %": _cv(scan.gaps),
    }


def _body(word: ScannedWord) -> tuple[int, int]:
    """The rows between which most of a word's ink lies, which is from the top of an x to the line."""
    whole = merge_word(word)
    rows = cv2.GaussianBlur(whole.mask.sum(axis=1).astype(np.float32).reshape(-1, 1), (1, 5), 0).ravel()
    full = np.nonzero(rows >= 0.45 * rows.max())[0]
    return whole.y + int(full[0]), whole.y + int(full[-1]) + 1


def _ordinary(xs: Pixels, ys: Pixels) -> Pixels:
    """Which words stand near the line through all; where few stand there, all do."""
    away = ys - np.polyval(np.polyfit(xs, ys, 1), xs)
    return abs(away) < 2.5 * np.std(away) + 1 if len(xs) > 4 else np.ones(len(xs), bool)


def _residuals(xs: Sequence[float] | Pixels, ys: Sequence[float] | Pixels) -> list[float]:
    """How far points stand off the line through them (off their mean, where they are three), for so many freedoms."""
    heights = np.asarray(ys, float)
    freedoms = 2 if len(heights) > 3 else 1
    fit = np.polyval(np.polyfit(xs, heights, freedoms - 1), xs)
    return list((heights - fit) * math.sqrt(len(heights) / (len(heights) - freedoms)))


def _cv(values: Sequence[float]) -> float:
    """The standard deviation in % of the mean."""
    return 100 * float(np.std(values)) / float(np.mean(values))
