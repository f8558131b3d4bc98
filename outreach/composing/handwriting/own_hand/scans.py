"""Makes photographed or scanned forms into flat, upright and evenly lit pages that say how dark each spot is.

It keeps nothing and changes no file. What does not show enough marks is refused with the reason.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from outreach.composing.handwriting.own_hand.form import (
    AT_FOOT,
    EDITION,
    FOOT_MARK,
    MARK,
    PAPERS,
    Form,
    foot_at,
    mark_at,
    read_foot,
    write_key,
)
from outreach.composing.handwriting.own_hand.registration_marks import (
    CORNERS,
    MarkPlace,
    Picture,
    find_marks,
    read_foot_marks,
)
from outreach.composing.paper.sizes import Paper
from outreach.composing.proofing.page_tree import require_bounded
from outreach.composing.proofing.pdf_pages import draw_page, measure_pages
from outreach.errors import ComposingError, ScanUnreadable
from outreach.local_files import read_regular

# How finely a flat page is read, and the least that a picture must have to be worth it, in pixels a mm.
FINE, COARSE = 12, 5.0
INCH = 25.4
# Millimetres of white around the marks at the foot.
FOOT_AROUND = 3.0
MOST_PIXELS, MOST_PAGES = 120_000_000, 20
Darkness = NDArray[np.float32]


@dataclass(frozen=True)
class ScannedPage:
    """One page of a form: 0 where it is paper, 1 where it is black, `FINE` spots a mm; `number` counts from 0."""

    form: Form
    number: int
    darkness: Darkness
    #: Whose form it is, as a number; 0 for one without a name.
    key: int
    #: Its file, and which picture in it.
    source: str


def read_scans(paths: list[Path], is_one_person: bool = False) -> list[ScannedPage]:
    """The pages in these files, as they come: one that was written anew stands after the one it adds to.

    Raises ScanUnreadable for a file that is no picture or PDF, a page without marks, one too small to read, for pages
    of two kinds of form or of two persons' (unless these are said to be one person's), and where one of the form's
    pages is missing.
    """
    pages = [
        flatten(picture, f"{path.name}, page {at}")
        for path in paths
        for at, picture in enumerate(open_pictures(path), start=1)
    ]
    if len({page.form for page in pages}) > 1:
        raise ScanUnreadable(
            "These pages are of different forms; scan the pages of one form together: " + _list_sources(pages, _kind)
        )
    if len({page.key for page in pages}) > 1 and not is_one_person:
        raise ScanUnreadable(
            "These pages are of more than one person's form; give each person's alone, or say --one-person if one "
            "person wrote them: " + _list_sources(pages, lambda page: f"form {write_key(page.key)}")
        )
    whole = pages[0].form.pages if pages else 0
    if missing := sorted(set(range(whole)) - {page.number for page in pages}):
        lost = " and ".join(f"page {number + 1}" for number in missing)
        raise ScanUnreadable(f"Of the {whole} pages of the form, {lost} is not here; give all pages together")
    return pages


def _list_sources(pages: list[ScannedPage], kind: Callable[[ScannedPage], str]) -> str:
    """Which files belong to which form."""
    kinds = dict.fromkeys(map(kind, pages))
    return "; ".join(f"{each}: {', '.join(page.source for page in pages if kind(page) == each)}" for each in kinds)


def _kind(page: ScannedPage) -> str:
    return f"{page.form.language} on {page.form.paper.name}"


def open_pictures(path: Path) -> Iterator[Picture]:
    """The pages of a PDF, or the one picture in an image file, in red, green and blue."""
    try:
        content = read_regular(path)
    except OSError as error:
        raise ScanUnreadable(f"{path} cannot be read: {error.strerror}") from error
    if content.startswith(b"%PDF"):
        yield from _pages_of(content, path)
        return
    try:
        with Image.open(io.BytesIO(content)) as picture:
            # Before a pixel is unpacked: a small file may claim a picture that no memory holds.
            if picture.width * picture.height > MOST_PIXELS:
                raise ScanUnreadable(f"{path.name} has more than {MOST_PIXELS // 10**6} megapixels; save it smaller")
            # Phones keep a picture as the sensor lay, and say in EXIF which way is up.
            yield np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise ScanUnreadable(f"{path.name} is no picture that we can read; save it as PDF, PNG or JPEG") from error


def _pages_of(content: bytes, path: Path) -> Iterator[Picture]:
    try:
        require_bounded(content)
        sizes = measure_pages(content)
    except ComposingError as error:
        raise ScanUnreadable(f"{path.name} cannot be opened as a PDF; scan it again, without a password") from error
    if len(sizes) > MOST_PAGES:
        raise ScanUnreadable(f"{path.name} has {len(sizes)} pages, and a form has no more than four; scan it alone")
    for number, (width, height) in enumerate(sizes, start=1):
        # A photograph in a PDF may claim any size; it is drawn as large as the paper would be.
        scale = 297 / max(width, height)
        yield np.asarray(draw_page(content, round(width * scale * FINE), number))


def flatten(picture: Picture, name: str) -> ScannedPage:
    """The page of a form that a picture shows, cut out by its marks and read in red light."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    marks = _most_of_one_page(find_marks(grey.astype(np.uint8)))
    dense = _require_readable(marks, name)
    place = next(iter(marks))
    paper = PAPERS[place.paper]
    there = np.concatenate([_corners_on_paper(paper, each.corner) for each in marks]) * FINE
    matrix, _ = cv2.findHomography(np.concatenate(list(marks.values())), there)
    size = round(paper.width * FINE), round(paper.height * FINE)
    # As OpenCV advises: INTER_AREA to make a picture smaller, INTER_CUBIC to make it larger.
    method = cv2.INTER_AREA if dense > FINE else cv2.INTER_CUBIC
    warped = cv2.warpPerspective(_light(picture), matrix, size, flags=method, borderMode=cv2.BORDER_REPLICATE)
    flat = warped.astype(np.uint8)
    said = read_foot(paper, read_foot_marks(_foot_of(flat, paper)))
    if said is None:
        raise ScanUnreadable(
            f"{name}: the {AT_FOOT} marks at the foot of the page, which say whose form it is, cannot be read; "
            "take it again, flat and sharp, with nothing written over them"
        )
    form, key = said
    return ScannedPage(form, place.page, _darkness(flat), key, name)


def _require_readable(marks: Mapping[MarkPlace, NDArray[np.float64]], name: str) -> float:
    """How many pixels a mm has. Raises ScanUnreadable for a page that cannot be cut out, or is of another edition."""
    if len(marks) < CORNERS - 1:
        raise ScanUnreadable(
            f"{name}: {len(marks)} of the four marks in the corners can be seen, and three are needed; "
            "take it again, all corners in view, flat and sharp"
        )
    edition = next(iter(marks)).edition
    if edition != EDITION:
        age = "an older" if edition < EDITION else "a newer"
        raise ScanUnreadable(
            f"{name}: this form was printed by {age} version of Outreach and has its boxes in other places; "
            "print it anew (outreach pen sheet) and write on that"
        )
    side = np.median([np.linalg.norm(np.roll(each, 1, axis=0) - each, axis=1).mean() for each in marks.values()])
    dense = float(side) / MARK
    if dense < COARSE:
        raise ScanUnreadable(
            f"{name} has {dense * INCH:.0f} dots an inch, and {COARSE * INCH:.0f} are needed; scan it at 300"
        )
    return dense


def _foot_of(flat: Picture, paper: Paper) -> Picture:
    """The part of a page in which the marks at its foot stand, with the white around them."""
    (left, top), (last, _) = foot_at(paper, 0), foot_at(paper, AT_FOOT - 1)
    white = (FOOT_AROUND, FOOT_AROUND + FOOT_MARK)
    rows = slice(round((top - white[0]) * FINE), round((top + white[1]) * FINE))
    return flat[rows, round((left - white[0]) * FINE) : round((last + white[1]) * FINE)]


def _most_of_one_page(marks: dict[MarkPlace, NDArray[np.float64]]) -> dict[MarkPlace, NDArray[np.float64]]:
    """The marks of the page of which most are seen: a pattern on the table may pass for one of another."""
    pages: dict[tuple[int, int, int], dict[MarkPlace, NDArray[np.float64]]] = {}
    for place, corners in marks.items():
        pages.setdefault((place.edition, place.paper, place.page), {})[place] = corners
    return max(pages.values(), key=len, default={})


def _corners_on_paper(paper: Paper, corner: int) -> NDArray[np.float64]:
    left, top = mark_at(paper, corner)
    return np.array([(left, top), (left + MARK, top), (left + MARK, top + MARK), (left, top + MARK)])


def _light(picture: Picture) -> Picture:
    """How light each spot is, in red and green alone: orange frames vanish in red, yellow paper is dark in blue."""
    return cv2.addWeighted(picture[:, :, 0], 0.75, picture[:, :, 1], 0.25, 0).astype(np.uint8)


def _darkness(light: Picture) -> Darkness:
    """How dark each spot is against the paper around it: shadow and the paper's colour are gone."""
    small = cv2.resize(light, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    # Larger than any letter's stroke, so that the brightest within it is paper.
    paper = cv2.GaussianBlur(cv2.dilate(cv2.medianBlur(small, 3), np.ones((9, 9), np.uint8)), (0, 0), 6)
    paper = cv2.resize(paper, (light.shape[1], light.shape[0]), interpolation=cv2.INTER_CUBIC)
    shade: Darkness = cv2.GaussianBlur(light, (0, 0), 0.8).astype(np.float32)
    # In place: a page has nine million spots.
    shade /= np.maximum(paper, 1)
    np.subtract(1, shade, out=shade)
    return np.clip(shade, 0, 1, out=shade)
