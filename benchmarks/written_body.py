"""The handwritten paragraphs of a letter's PDF as a scanner would see them, and the lines that stand there."""

import ctypes
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pypdfium2
from page_scan import Pixels
from pypdfium2 import raw

DOTS, BLUR, NOISE, WHITE = 300, 0.9, 5.0, 255
# Points. A word that begins so far left of the one before it stands on the next line.
BACK = 40.0
Box = tuple[float, float, float, float]


def scan_body(body: bytes, paragraphs: Sequence[str], seed: int = 0) -> tuple[Pixels, list[str], set[int]]:
    """A grey picture of the first page's `paragraphs`, their lines, and which lines end a paragraph.

    Blurred and with noise, as a scan is: a page from a printer's file would be cleaner than any real one.
    """
    document = pypdfium2.PdfDocument(body)
    page = document[0]
    texts = [(text, box) for text, box in _texts(page) if text.strip()]
    written = _find_run(texts, "".join("".join(paragraphs).split()))
    lines, ends = _lines(written, [len("".join(each.split())) for each in paragraphs])
    grey = np.array(page.render(scale=DOTS / 72).to_pil().convert("L"))
    for _, box in (each for each in texts if each not in written):
        left, top, right, bottom = _pixels(box, grey.shape[0])
        grey[max(top, 0) : bottom, max(left, 0) : right] = WHITE
    tops, bottoms = zip(*[_pixels(box, grey.shape[0])[1::2] for _, box in written], strict=True)
    cut = cv2.GaussianBlur(grey[min(tops) - 12 : max(bottoms) + 12], (0, 0), BLUR)
    noise = np.random.default_rng(seed).normal(0, NOISE, cut.shape)
    return np.clip(cut + noise, 0, WHITE).astype(np.uint8), lines, ends


def _texts(page: pypdfium2.PdfPage) -> Iterator[tuple[str, Box]]:
    """Each piece of text in the order in which it is drawn, with its box in points from the bottom left."""
    text_page = page.get_textpage()
    for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
        room = ctypes.create_string_buffer(1000)
        length = raw.FPDFTextObj_GetText(
            item.raw, text_page.raw, ctypes.cast(room, ctypes.POINTER(ctypes.c_ushort)), 1000
        )
        yield room.raw[:length].decode("utf-16-le").rstrip("\0"), item.get_bounds()


def _find_run(texts: Sequence[tuple[str, Box]], sought: str) -> list[tuple[str, Box]]:
    """The pieces one after another that say `sought`, spaces apart."""
    for first in range(len(texts)):
        said = ""
        for last in range(first, len(texts)):
            said += "".join(texts[last][0].split())
            if said == sought:
                return list(texts[first : last + 1])
            if not sought.startswith(said):
                break
    raise ValueError("the page does not hold these paragraphs")


def _lines(written: Sequence[tuple[str, Box]], lengths: Sequence[int]) -> tuple[list[str], set[int]]:
    lines: list[str] = []
    at: float | None = None
    for text, (left, _, right, _) in written:
        if at is None or left < at - BACK:
            lines.append("")
        lines[-1] += text
        at = right
    ends, counted, wanted = set(), 0, np.cumsum(lengths)
    for number, line in enumerate(lines):
        counted += len("".join(line.split()))
        if counted in wanted:
            ends.add(number)
    return lines, ends


def _pixels(box: Box, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a box in pixels from the top left."""
    left, bottom, right, top = (each * DOTS / 72 for each in box)
    return round(left), round(height - top), round(right), round(height - bottom)
