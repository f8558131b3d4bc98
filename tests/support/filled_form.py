"""Forms filled in by program in a face of handwriting, a little otherwise each time, and photographed in bad light."""

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from fontTools.ttLib import TTFont
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from outreach.composing.handwriting.own_hand.form import X_HEIGHT, Box, Form, print_sheet
from outreach.composing.handwriting.own_hand.scans import FINE
from outreach.composing.proofing.pdf_pages import draw_page

Picture = NDArray[np.uint8]
INK = np.array((28, 34, 92), float)
YELLOW = (1.0, 0.955, 0.80)
SHARPER, WAVES = 2, 4


@dataclass(frozen=True)
class Unevenness:
    """How much otherwise a letter is written each time: standard deviations."""

    #: Shares: how high it is, and how wide for its height.
    height: float
    width: float
    #: As shares of an x: how far its foot is off the line, and how far its strokes stray from their way.
    foot: float
    waver: float
    #: In degrees.
    lean: float
    #: In mm: how far its place is off the middle.
    aside: float = 0.25


# As little as a careful program, and as much as people: six real pages have letters whose height varies by 12 % and
# whose width to height by 17 %, whose feet are 9 % of an x off their line and whose strokes 4 % off one another.
EVEN = Unevenness(0.02, 0.0, 0.04, 0.0, 1.0)
REAL = Unevenness(0.105, 0.14, 0.085, 0.12, 6.0)


@cache
def blank_pages(form: Form, name: str = "") -> list[Picture]:
    """The form as it comes out of the printer, `FINE` pixels a mm."""
    pdf = print_sheet(form, name)
    return [np.asarray(draw_page(pdf, round(form.paper.width * FINE), page + 1)) for page in range(form.pages)]


def characters_of(face: Path) -> set[str]:
    with TTFont(face) as font:
        return {chr(code) for code in font.getBestCmap()}


def fill_form(
    form: Form, face: Path, signature: str, seed: int, skip: str = "", unevenness: Unevenness = EVEN, name: str = ""
) -> list[Picture]:
    """Every page written on, but for the characters in `skip` and those that the face does not have."""
    rng = np.random.default_rng(seed)
    pages = [page.copy() for page in blank_pages(form, name)]
    known = characters_of(face) - set(skip)
    for box in form.boxes:
        words = box.words or signature
        if box.kind != "letter" or words in known:
            write(pages[box.page], box, words, size_of(face, form), face, rng, unevenness)
    return pages


@cache
def size_of(face: Path, form: Form) -> float:
    """Pixels of an em at which the face's x is as high as the form's lines, or its widest letter fits a box."""
    font = ImageFont.truetype(face, 1000, layout_engine=ImageFont.Layout.BASIC)
    high = -font.getbbox("x", anchor="ls")[1] / 1000
    box = form.boxes[0].zone
    letters = [font.getbbox(letter, anchor="ls") for letter in "mwMWQdlbfgjpy@"]
    wide = max(right - left for left, _, right, _ in letters) / 1000
    up, down = -min(each[1] for each in letters) / 1000, max(each[3] for each in letters) / 1000
    return FINE * min(X_HEIGHT / high, (box.width - 2.2) / wide, 8.6 / up, 4.0 / down)


def write(
    page: Picture, box: Box, words: str, size: float, face: Path, rng: np.random.Generator, how: Unevenness = EVEN
) -> None:
    """The words in ink, each letter a little otherwise than the last time."""
    font = ImageFont.truetype(face, round(size * SHARPER))
    left, _, right, _ = font.getbbox(words, anchor="ls")
    field = np.zeros((round(box.zone.height * FINE * SHARPER), round(box.zone.width * FINE * SHARPER)), np.uint8)
    is_centred = box.kind in ("letter", "pair")
    x = (field.shape[1] - (right - left)) / 2 - left if is_centred else 3.0 * FINE * SHARPER
    x += rng.normal(0, how.aside) * FINE * SHARPER
    line = (box.baseline - box.zone.top) * FINE * SHARPER
    # A hand that varies little writes a word at one go, so that joined letters stay joined.
    for part in words if how.waver else [words]:
        wide = font.getlength(part)
        patch, far = (int(wide + 2.4 * size * SHARPER), field.shape[0]), int(x - 1.2 * size * SHARPER)
        written = Image.new("L", patch, 0)
        ImageDraw.Draw(written).text((x - far, line), part, font=font, fill=235, anchor="ls")
        moved, wider = _vary(np.asarray(written), x - far + wide / 2, line, size * SHARPER, rng, how)
        start, end = max(far, 0), min(far + patch[0], field.shape[1])
        field[:, start:end] = np.maximum(field[:, start:end], moved[:, start - far : end - far])
        x += wide * wider
    ink = np.flatnonzero(field.any(axis=0))
    if is_centred and how.waver and len(ink):
        # Whoever writes unevenly keeps inside the box all the same.
        if np.ptp(ink) > field.shape[1] - 1.6 * FINE * SHARPER:
            write(page, box, words, 0.9 * size, face, rng, how)
            return
        field = np.roll(field, (field.shape[1] - int(ink[0] + ink[-1])) // 2, axis=1)
    small = cv2.resize(field, None, fx=1 / SHARPER, fy=1 / SHARPER, interpolation=cv2.INTER_AREA)
    cover = small.astype(float)[:, :, None] / 255
    top, begin = round(box.zone.top * FINE), round(box.zone.left * FINE)
    here = page[top : top + small.shape[0], begin : begin + small.shape[1]]
    here[:] = (here * (1 - cover) + INK * cover).round().astype(np.uint8)


def _vary(
    letter: Picture, middle: float, line: float, size: float, rng: np.random.Generator, how: Unevenness
) -> tuple[Picture, float]:
    """A letter written otherwise about its foot, and how many times as wide it has become."""
    x_height = 0.4 * size
    taller = float(np.clip(rng.normal(1, how.height), 0.7, 1.35))
    wider = taller * float(np.clip(rng.normal(1, how.width), 0.65, 1.4))
    lean = np.tan(np.radians(rng.normal(0, how.lean)))
    rise, turn = rng.normal(0, how.foot) * x_height, np.radians(rng.normal(0, how.lean / 3))
    y, x = np.mgrid[0 : letter.shape[0], 0 : letter.shape[1]].astype(np.float32)
    right, up = x - np.float32(middle), np.float32(line - rise) - y
    right, up = right * np.cos(turn) + up * np.sin(turn), up * np.cos(turn) - right * np.sin(turn)
    from_x, from_y = middle + (right - lean * up) / wider, line - up / taller
    for _ in range(WAVES if how.waver else 0):
        (angle, phase, way), long = rng.uniform(0, 2 * np.pi, 3), rng.uniform(1.2, 3.0) * x_height
        far = rng.normal(0, how.waver / np.sqrt(WAVES)) * x_height
        wave = far * np.sin((np.cos(angle) * x + np.sin(angle) * y) * 2 * np.pi / long + phase)
        from_x, from_y = from_x + np.cos(way) * wave, from_y + np.sin(way) * wave
    return cv2.remap(letter, from_x.astype(np.float32), from_y.astype(np.float32), cv2.INTER_LINEAR), wider


def photograph(page: Picture, seed: int, degrees: float = 8.0, fine: float = 8.0) -> Picture:
    """The page on a dark table, seen askew and turned by up to `degrees`, on yellow paper, half in shadow, unsharp."""
    rng = np.random.default_rng(seed)
    high, wide = round(page.shape[0] / FINE * fine * 1.25), round(page.shape[1] / FINE * fine * 1.35)
    corners = np.array([(0, 0), (page.shape[1], 0), (page.shape[1], page.shape[0]), (0, page.shape[0])], np.float32)
    angle = np.radians(rng.uniform(-degrees, degrees))
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    seen = (corners - corners.mean(axis=0)) / FINE * fine @ turn.T
    seen = seen * (1 + rng.uniform(-0.045, 0.045, (4, 2))) + (wide / 2, high / 2)
    matrix = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    paper = (page * YELLOW).astype(np.uint8)
    shot = cv2.warpPerspective(paper, matrix, (wide, high), flags=cv2.INTER_AREA, borderValue=(88, 66, 50))
    lit = cv2.GaussianBlur((shot * shadow(high, wide, rng)[:, :, None]).astype(np.float32), (0, 0), 0.9)
    noisy = np.clip(lit + 5 * rng.standard_normal((high, wide, 1), np.float32), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=82)
    return np.asarray(Image.open(file).convert("RGB"))


def shadow(high: int, wide: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """How much light falls on each spot: it fades across the page, and a head stands in it."""
    y, x = np.mgrid[0:1:100j, 0:1:100j]
    angle = rng.uniform(0, 2 * np.pi)
    across = (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5)) * 0.35
    head = np.hypot(x - rng.uniform(0.2, 0.8), (y - rng.uniform(0.2, 0.8)) * 1.3)
    light = np.clip(0.78 + across - 0.22 * np.exp(-((head / 0.3) ** 2)), 0.3, 1)
    return cv2.resize(light, (wide, high), interpolation=cv2.INTER_CUBIC).astype(np.float32)
