"""Looks at how a PDF is built before its pages are drawn: how many, whether they are turned, what they unpack to.

Raises ComposingError, never another error, for what cannot be a letter. It draws nothing and repeats none of its words.
"""

import io
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pypdf import PdfReader

from outreach.errors import ComposingError

NO_PDF = "This is no PDF that can be read, or it needs a password; print it anew"
MOST_PAGES = 500
# A page scanned in colour at 600 dots to the inch unpacks to 104 MB.
MOST_UNPACKED = 128 * 1024 * 1024
# A stream may be packed several times over; its bytes are looked at a few at a time.
DEEPEST, AT_ONCE = 3, 16 * 1024
# It finds “endstream” as well: what follows that is not packed, and so counts for nothing.
_STREAM = re.compile(rb"stream\r?\n")
# PDF lets a page inherit these from the nodes above it, and never its UserUnit.
_INHERITED = ("/MediaBox", "/CropBox", "/Rotate")
_ROUNDING = 0.5


@contextmanager
def foreign_pdf() -> Iterator[None]:
    """Whatever a reader of PDFs says of a broken one becomes a ComposingError.

    They raise what their code happens to meet (KeyError, RecursionError, AttributeError …), not errors of their own.
    """
    try:
        yield
    except ComposingError:
        raise
    except Exception as error:
        raise ComposingError(NO_PDF) from error


def require_bounded(pdf: bytes) -> None:
    """Raises ComposingError where a stream, or one that is packed in it, unpacks to more than any page has."""
    for stream in _STREAM.finditer(pdf):
        layers, sizes = [zlib.decompressobj() for _ in range(DEEPEST)], [0] * DEEPEST
        at, is_packed = stream.end(), True
        while is_packed and at < len(pdf):
            is_packed = _unpack(pdf[at : at + AT_ONCE], layers, sizes)
            at += AT_ONCE


def _unpack(content: bytes, layers: list[Any], sizes: list[int]) -> bool:
    """Unpacks the next bytes of a stream, layer by layer, and lets go of them; whether more may follow."""
    for depth, layer in enumerate(layers):
        try:
            content = layer.decompress(content, MOST_UNPACKED + 1 - sizes[depth])
        except zlib.error:  # what is packed otherwise, or not at all
            return depth > 0 and not layers[0].eof
        sizes[depth] += len(content)
        if sizes[depth] > MOST_UNPACKED:
            raise ComposingError("This PDF unpacks to far more than a letter has; print it anew")
    return not layers[0].eof


def read_pdf(pdf: bytes) -> PdfReader:
    """The objects of a PDF, each read when it is asked for. Raises ComposingError for what is none."""
    with foreign_pdf():
        return PdfReader(io.BytesIO(pdf))


def find_reshaped(reader: PdfReader) -> list[int]:
    """The numbers of the pages that are shown turned, cut or at another scale than they are written.

    Raises ComposingError for a tree of pages that never ends, or has more than MOST_PAGES.
    """
    with foreign_pdf():
        return [number for number, page in enumerate(_pages_of(reader), start=1) if _is_reshaped(page)]


def _pages_of(reader: PdfReader) -> Iterator[dict[str, Any]]:
    """Each page with what it has from the nodes above it, in order."""
    catalogue: Any = reader.trailer["/Root"].get_object()
    root = catalogue["/Pages"]
    waiting: list[tuple[Any, Mapping[str, Any]]] = [(root, {})]
    seen, count = set[int](), 0
    while waiting:
        reference, above = waiting.pop()
        node = reference.get_object()
        own = {**above, **{name: node[name] for name in _INHERITED if name in node}}
        if "/Kids" not in node:
            count += 1
            if count > MOST_PAGES:
                raise ComposingError(f"This PDF has more than {MOST_PAGES} pages; check one letter alone")
            yield {**own, "/UserUnit": node.get("/UserUnit", 1)}
        elif id(node) in seen:
            raise ComposingError("The pages of this PDF are listed in a circle; print it anew")
        else:
            seen.add(id(node))
            waiting += [(kid, own) for kid in reversed(node["/Kids"])]


def _is_reshaped(page: Mapping[str, Any]) -> bool:
    if int(page.get("/Rotate", 0)) % 360 or float(page["/UserUnit"]) != 1:
        return True
    if "/MediaBox" not in page or "/CropBox" not in page:
        return False
    media, crop = _box(page["/MediaBox"]), _box(page["/CropBox"])
    return (
        crop[0] > media[0] + _ROUNDING
        or crop[1] > media[1] + _ROUNDING
        or (crop[2] < media[2] - _ROUNDING or crop[3] < media[3] - _ROUNDING)
    )


def _box(written: Any) -> tuple[float, float, float, float]:
    """Left, bottom, right and top, whichever corners are written."""
    x, y, other_x, other_y = (float(number.get_object()) for number in written.get_object())
    return min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y)
