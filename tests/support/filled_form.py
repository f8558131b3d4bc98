"""Forms filled in by program in a face of handwriting, a little otherwise each time, and photographed in bad light."""

import io
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
SHARPER = 2


@cache
def blank_pages(form: Form) -> list[Picture]:
    """The form as it comes out of the printer, `FINE` pixels a mm."""
    pdf = print_sheet(form)
    return [np.asarray(draw_page(pdf, round(form.paper.width * FINE), page + 1)) for page in range(form.pages)]


def characters_of(face: Path) -> set[str]:
    with TTFont(face) as font:
        return {chr(code) for code in font.getBestCmap()}


def fill_form(form: Form, face: Path, signature: str, seed: int, skip: str = "") -> list[Picture]:
    """Every page written on, but for the characters in `skip` and those that the face does not have."""
    rng = np.random.default_rng(seed)
    pages = [page.copy() for page in blank_pages(form)]
    known = characters_of(face) - set(skip)
    for box in form.boxes:
        words = box.words or signature
        if box.kind != "letter" or words in known:
            write(pages[box.page], box, words, size_of(face, form), face, rng)
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


def write(page: Picture, box: Box, words: str, size: float, face: Path, rng: np.random.Generator) -> None:
    """The words in ink, a little shifted, turned and larger or smaller than the last time."""
    font = ImageFont.truetype(face, round(size * SHARPER * rng.normal(1, 0.02)))
    left, _, right, _ = font.getbbox(words, anchor="ls")
    field = Image.new("L", (round(box.zone.width * FINE * SHARPER), round(box.zone.height * FINE * SHARPER)), 0)
    x = (field.width - (right - left)) / 2 - left if box.kind == "letter" else 3.0 * FINE * SHARPER
    line = (box.baseline - box.zone.top) * FINE * SHARPER
    place = x + rng.normal(0, 0.25) * FINE * SHARPER, line + rng.normal(0, 0.15) * FINE * SHARPER
    ImageDraw.Draw(field).text(place, words, font=font, fill=235, anchor="ls")
    turned = field.rotate(rng.normal(0, 1.0) if box.kind == "letter" else 0, Image.Resampling.BILINEAR)
    small = turned.resize((field.width // SHARPER, field.height // SHARPER), Image.Resampling.BOX)
    cover = np.asarray(small, float)[:, :, None] / 255
    top, begin = round(box.zone.top * FINE), round(box.zone.left * FINE)
    here = page[top : top + small.height, begin : begin + small.width]
    here[:] = (here * (1 - cover) + INK * cover).round().astype(np.uint8)


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
