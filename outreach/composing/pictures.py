"""The bytes of a printed letter in, pictures of its pages out. The only file that turns PDFs into pictures."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import pypdfium2
from PIL import Image, ImageChops

from outreach.paper_settings import ProofSettings

# PDFium may be used by one thread at a time.
# https://pypdfium2.readthedocs.io/en/stable/python_api.html#thread-incompatibility
_one_at_a_time = Lock()
PAPERS = {"white": (255, 255, 255), "ivory": (253, 250, 238), "cream": (250, 241, 216), "grey": (236, 236, 233)}


@contextmanager
def _opened(pdf: bytes) -> Iterator[Any]:
    with _one_at_a_time:
        document = pypdfium2.PdfDocument(pdf)
        try:
            yield document
        finally:
            document.close()


def draw_page(pdf: bytes, width: int, page: int = 1) -> Image.Image:
    """Page number `page` of a letter, `width` pixels wide. Raises IndexError where it has no such page."""
    with _opened(pdf) as document:
        if not 1 <= page <= len(document):
            raise IndexError(page)
        leaf = document[page - 1]
        picture: Image.Image = leaf.render(scale=width / leaf.get_width()).to_pil().convert("RGB")
        return picture


def measure_pages(pdf: bytes) -> list[tuple[float, float]]:
    """The width and height of each page in millimetres."""
    with _opened(pdf) as document:
        return [(page.get_width() * 25.4 / 72, page.get_height() * 25.4 / 72) for page in document]


def read_words(pdf: bytes) -> str:
    """The words of all pages, in the order in which they stand in the file."""
    with _opened(pdf) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document).replace("\r\n", "\n")


def as_proof(picture: Image.Image, proof: ProofSettings) -> Image.Image:
    """The picture of a page as it looks on the paper, and in the ink, that it is printed on and with."""
    inked = picture.convert("L").convert("RGB") if proof.ink == "black" else picture.convert("RGB")
    return ImageChops.multiply(inked, Image.new("RGB", inked.size, PAPERS[proof.paper]))


def as_png(picture: Image.Image, colours: int = 0) -> bytes:
    """The picture as a PNG; with `colours`, in no more than so many, which makes it several times smaller."""
    file = io.BytesIO()
    (picture.quantize(colours) if colours else picture).save(file, "PNG", optimize=True)
    return file.getvalue()
