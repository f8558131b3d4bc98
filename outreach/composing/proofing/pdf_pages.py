"""Draws the pages of a printed letter, and reads what stands where on them. The only file that opens PDFs with PDFium.

It judges nothing.
"""

import ctypes
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import pypdfium2
from PIL import Image, ImageChops
from pypdfium2 import raw

from outreach.composing.paper.sizes import Zone
from outreach.errors import ComposingError
from outreach.settings.paper import ProofSettings

# PDFium may be used by one thread at a time.
# https://pypdfium2.readthedocs.io/en/stable/python_api.html#thread-incompatibility
_one_at_a_time = Lock()
# Dots to the inch at which ink is looked for, and the grey that counts as ink: half a millimetre cannot hide.
INK_DPI, INK_BELOW = 50, 250
POINT = 25.4 / 72
# What PDFium makes of a hyphen at the end of a line.
_DIVIDED = 2
# In mm: from a business card to a poster; and how many times longer than wide a page may be.
SMALLEST_SIDE, LARGEST_SIDE, LONGEST = 20, 1200, 10
PAPERS = {"white": (255, 255, 255), "ivory": (253, 250, 238), "cream": (250, 241, 216), "grey": (236, 236, 233)}


@dataclass(frozen=True)
class Seen:
    """What was read of one page, in mm from its top left."""

    width: float
    height: float
    #: All its words.
    words: str
    #: The words in each place that was asked for.
    words_in: Mapping[Zone, str]
    #: Where words stand, each on one line in one face.
    pieces: tuple[Zone, ...]
    #: White where there is ink, at INK_DPI.
    ink: Image.Image
    #: The faces that it uses and does not hold.
    loose: frozenset[str]


@contextmanager
def _opened(pdf: bytes) -> Iterator[Any]:
    with _one_at_a_time:
        try:
            document = pypdfium2.PdfDocument(pdf)
        except pypdfium2.PdfiumError as error:
            raise ComposingError("This is no PDF that can be read, or it needs a password; print it anew") from error
        try:
            yield document
        except pypdfium2.PdfiumError as error:
            raise ComposingError("A page of this PDF cannot be read; print it anew") from error
        finally:
            document.close()


def draw_page(pdf: bytes, width: int, page: int = 1) -> Image.Image:
    """Page number `page` of a letter, `width` pixels wide. Raises IndexError where it has no such page."""
    with _opened(pdf) as document:
        if not 1 <= page <= len(document):
            raise IndexError(page)
        leaf = document[page - 1]
        # Drawn so many pixels wide whatever it claims: a photograph in a PDF may claim any size.
        if not 0 < leaf.get_height() <= LONGEST * leaf.get_width():
            raise ComposingError("A page of this PDF has a size that no paper has; print it anew")
        picture: Image.Image = leaf.render(scale=width / leaf.get_width()).to_pil().convert("RGB")
        return picture


def measure_pages(pdf: bytes) -> list[tuple[float, float]]:
    """The width and height of each page in millimetres."""
    with _opened(pdf) as document:
        return [(page.get_width() * POINT, page.get_height() * POINT) for page in document]


def read_words(pdf: bytes) -> str:
    """The words of all pages, in the order in which they stand in the file."""
    with _opened(pdf) as document:
        return "\n".join(_bounded(page.get_textpage()) for page in document).replace("\r\n", "\n")


def see_pages(pdf: bytes, places_on: Callable[[float, float], Mapping[int, Sequence[Zone]]]) -> list[Seen]:
    """What stands on each page. Raises ComposingError for what is no PDF.

    `places_on` says, for the first page's width and height in mm, in which places of which pages, by their numbers,
    words are to be read apart.
    """
    with _opened(pdf) as document:
        pages = [document[number] for number in range(len(document))]
        places = places_on(*_size_of(pages[0])) if pages else {}
        return [_see(page, places.get(number, ())) for number, page in enumerate(pages, start=1)]


def ink_in(page: Seen, place: Zone, but: Sequence[Zone] = ()) -> Zone | None:
    """The box around the ink that lies wholly in `place`, the pieces in `but` left out; None where there is none."""
    dots = INK_DPI / 25.4
    left, top = math.ceil(place.left * dots), math.ceil(place.top * dots)
    right, bottom = int((place.left + place.width) * dots), int((place.top + place.height) * dots)
    if right <= left or bottom <= top:
        return None
    crop = page.ink.crop((left, top, right, bottom))
    for piece in but:
        # Tails hang a dot or so out of the box that PDFium gives for a line.
        x, y = int(piece.left * dots) - left - 2, int(piece.top * dots) - top - 2
        crop.paste(0, (x, y, x + int(piece.width * dots) + 5, y + int(piece.height * dots) + 5))
    box = crop.getbbox()
    if box is None:
        return None
    return Zone((left + box[0]) / dots, (top + box[1]) / dots, (box[2] - box[0]) / dots, (box[3] - box[1]) / dots)


def _see(page: Any, places: Sequence[Zone]) -> Seen:
    # What a page has from the node above it counts: PDFium tells of the box that is shown, and not of others.
    left, _, _, top = page.get_bbox()
    if not _is_drawn(page):
        return Seen(*_size_of(page), "", dict.fromkeys(places, ""), (), Image.new("L", (1, 1)), frozenset())
    text = page.get_textpage()

    def place_of(box: Sequence[float]) -> Zone:
        return Zone(
            (box[0] - left) * POINT, (top - box[3]) * POINT, (box[2] - box[0]) * POINT, (box[3] - box[1]) * POINT
        )

    def words_in(zone: Zone) -> str:
        x, y = left + zone.left / POINT, top - zone.top / POINT
        return _bounded(text, x, y - zone.height / POINT, x + zone.width / POINT, y)

    drawn = page.render(scale=INK_DPI / 72, grayscale=True).to_pil()
    return Seen(
        *_size_of(page),
        _all_words(text),
        {zone: words_in(zone) for zone in places},
        tuple(place_of(text.get_rect(number)) for number in range(text.count_rects())),
        drawn.point(lambda grey: 255 if grey < INK_BELOW else 0),
        _loose_faces(page),
    )


def _all_words(text: Any) -> str:
    """Every character of a page; a hyphen that ends a line as itself.

    PDFium takes it for a division of the word, counts it as character 2 and writes U+FFFE, as for what has no glyph.
    """
    said: str = text.get_text_range()
    if "\ufffe" not in said:
        return said
    return "".join(
        "-" if letter == "\ufffe" and raw.FPDFText_GetUnicode(text.raw, at) == _DIVIDED else letter
        for at, letter in enumerate(said)
    )


def _bounded(text: Any, *box: float) -> str:
    said: str = text.get_text_bounded(*box)
    return said.replace(chr(_DIVIDED), "-")


def _size_of(page: Any) -> tuple[float, float]:
    left, bottom, right, top = page.get_bbox()
    return (right - left) * POINT, (top - bottom) * POINT


def _is_drawn(page: Any) -> bool:
    """Whether it is as large as some paper: a picture of any other would fill the memory, or be none."""
    return all(SMALLEST_SIDE <= side * POINT <= LARGEST_SIDE for side in (page.get_width(), page.get_height()))


def _loose_faces(page: Any) -> frozenset[str]:
    """The names of the faces that words on the page are set in, and that are not in the file."""
    faces: dict[int, str] = {}
    for drawn in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=8):
        face = raw.FPDFTextObj_GetFont(drawn.raw)
        key = ctypes.addressof(face.contents)
        if key not in faces:
            faces[key] = "" if raw.FPDFFont_GetIsEmbedded(face) else _name_of(face)
    return frozenset(filter(None, faces.values()))


def _name_of(face: Any) -> str:
    name = ctypes.create_string_buffer(128)
    raw.FPDFFont_GetBaseFontName(face, name, len(name))
    return name.value.decode(errors="replace") or "a face without a name"


def as_proof(picture: Image.Image, proof: ProofSettings) -> Image.Image:
    """The picture of a page as it looks on the paper, and in the ink, that it is printed on and with."""
    inked = picture.convert("L").convert("RGB") if proof.ink == "black" else picture.convert("RGB")
    return ImageChops.multiply(inked, Image.new("RGB", inked.size, PAPERS[proof.paper]))


def as_png(picture: Image.Image, colours: int = 0) -> bytes:
    """The picture as a PNG; with `colours`, in no more than so many, which makes it several times smaller."""
    file = io.BytesIO()
    (picture.quantize(colours) if colours else picture).save(file, "PNG", optimize=True)
    return file.getvalue()
