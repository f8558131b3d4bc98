"""Cuts a page of handwriting into lines, words and labelled letters, from its pixels and the words that stand on it.

It knows nothing of fonts or of PDF, so that a scan of real handwriting and a page of ours go the same way.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]
# How far ink is blurred to find lines, to the side and in height, in pixels at 300 dots an inch; tried in turn.
BLURS = [(side, height) for height in (7, 5, 9, 12, 4) for side in (110, 70, 160, 50)]
RIDGES = (0.012, 0.02, 0.006, 0.035)


@dataclass
class Blob:
    """Ink that hangs together: a letter, several joined ones, or a stop."""

    x: int
    y: int
    #: Which pixels of its box are ink.
    mask: Pixels

    @property
    def width(self) -> int:
        return int(self.mask.shape[1])

    @property
    def height(self) -> int:
        return int(self.mask.shape[0])

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def foot(self) -> int:
        return self.y + self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass
class ScannedWord:
    """One word on the page."""

    text: str
    line: int
    blobs: list[Blob]

    @property
    def letters(self) -> list[tuple[str, Blob]]:
        """Each letter with its ink; none where letters touch, because nobody can say whose ink is whose."""
        named = re.sub(r"[^A-Za-z]", "", self.text)
        return list(zip(named, self.blobs, strict=True)) if len(named) == len(self.blobs) else []


@dataclass
class Scan:
    """What was found on a page."""

    ink: Pixels
    #: The median height of its components, which is about that of an x.
    size: float
    words: list[ScannedWord] = field(default_factory=list)
    #: The gap before each word that does not begin a line, in pixels.
    gaps: list[float] = field(default_factory=list)


def scan_page(grey: Pixels, lines: Sequence[str]) -> Scan | None:
    """The words of `lines` where they stand on a grey picture; None where so many lines cannot be told apart."""
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    threshold, _ = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    ink = (grey < threshold).astype(np.uint8)
    blobs = _components(ink)
    rows = _assign_lines(ink, blobs, [len(line.split()) for line in lines])
    if rows is None:
        return None
    scan = Scan(ink, float(np.median([blob.height for blob in blobs if blob.height > 12])))
    for number, (row, text) in enumerate(zip(rows, lines, strict=True)):
        _read_line(scan, number, text.split(), _letters_of(row, scan.size))
    return scan


def _components(ink: Pixels) -> list[Blob]:
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    found = []
    for number in range(1, count):
        x, y, width, height, area = (int(each) for each in boxes[number])
        # Specks, and rules or frames.
        if area >= 18 and width <= 700 and height <= 400:
            found.append(Blob(x, y, labels[y : y + height, x : x + width] == number))
    return found


def _assign_lines(ink: Pixels, blobs: Sequence[Blob], words: Sequence[int]) -> list[list[Blob]] | None:
    """The components of each line: ink blurred to the side makes a ridge of each, and the nearest ridge has them.

    None unless there are as many ridges as lines, each with ink enough for its `words`.
    """
    for side, height in BLURS:
        blurred = cv2.GaussianBlur(ink.astype(np.float32), (0, 0), sigmaX=side, sigmaY=height)
        raised = blurred - cv2.GaussianBlur(blurred, (0, 0), sigmaX=10, sigmaY=32)
        for threshold in RIDGES:
            if len(ridges := _ridges((raised > threshold).astype(np.uint8))) == len(words):
                rows = _nearest(blobs, ridges)
                if all(len(row) >= count for row, count in zip(rows, words, strict=True)):
                    return rows
    return None


def _ridges(raised: Pixels) -> list[tuple[float, Pixels, int, int]]:
    """Each ridge from the top: its height, the curve through it, and where it begins and ends."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(raised, connectivity=8)
    found = []
    for number in range(1, count):
        if boxes[number][2] > 0.04 * raised.shape[1] and boxes[number][4] > 800:
            ys, xs = np.nonzero(labels == number)
            curve = np.polyfit(xs, ys, 2 if xs.max() - xs.min() > 900 else 1)
            found.append((float(ys.mean()), curve, int(xs.min()), int(xs.max())))
    return sorted(found, key=lambda ridge: ridge[0])


def _nearest(blobs: Sequence[Blob], ridges: Sequence[tuple[float, Pixels, int, int]]) -> list[list[Blob]]:
    rows: list[list[Blob]] = [[] for _ in ridges]
    for blob in blobs:
        x, y = blob.middle
        away = [abs(float(np.polyval(curve, min(max(x, start), end))) - y) for _, curve, start, end in ridges]
        rows[int(np.argmin(away))].append(blob)
    return [sorted(row, key=lambda blob: blob.x) for row in rows]


def _letters_of(row: Sequence[Blob], size: float) -> list[Blob]:
    """Dots and accents go to the letter beneath, stops are left out, and parts one over another are one letter."""
    small = [b for b in row if b.mask.sum() < 0.12 * size * size and max(b.width, b.height) < 0.75 * size]
    groups = [[blob] for blob in row if blob not in small]
    for dot in small:
        x, y = dot.middle
        beneath = [
            (_beside(group, x), n) for n, group in enumerate(groups) if y < min(b.y for b in group) + 0.15 * size
        ]
        if beneath and min(beneath)[0] < 0.55 * size:
            groups[min(beneath)[1]].append(dot)
    letters: list[Blob] = []
    for blob in sorted(map(_merge, groups), key=lambda blob: blob.x):
        last = letters[-1] if letters else None
        if last and min(last.right, blob.right) - blob.x > 0.6 * min(last.width, blob.width):
            letters[-1] = _merge([last, blob])
        else:
            letters.append(blob)
    return letters


def _beside(group: Sequence[Blob], x: float) -> float:
    return max(min(blob.x for blob in group) - x, x - max(blob.right for blob in group), 0)


def _merge(blobs: Sequence[Blob]) -> Blob:
    left, top = min(blob.x for blob in blobs), min(blob.y for blob in blobs)
    mask = np.zeros((max(blob.foot for blob in blobs) - top, max(blob.right for blob in blobs) - left), bool)
    for blob in blobs:
        mask[blob.y - top : blob.foot - top, blob.x - left : blob.right - left] |= blob.mask
    return Blob(left, top, mask)


def merge_word(word: ScannedWord) -> Blob:
    """All the ink of a word."""
    return _merge(word.blobs)


def _read_line(scan: Scan, line: int, texts: Sequence[str], blobs: Sequence[Blob]) -> None:
    """Cuts a line at its widest gaps, as many as it has spaces."""
    if len(blobs) < len(texts):
        return
    ends = np.maximum.accumulate([blob.right for blob in blobs])
    gaps = [(float(blobs[n + 1].x - ends[n]), n) for n in range(len(blobs) - 1)]
    widest = sorted(gaps, reverse=True)[: len(texts) - 1]
    scan.gaps += [gap for gap, _ in widest]
    cuts = [0, *sorted(n + 1 for _, n in widest), len(blobs)]
    scan.words += [
        ScannedWord(text, line, list(blobs[start:end]))
        for text, start, end in zip(texts, cuts[:-1], cuts[1:], strict=True)
    ]
