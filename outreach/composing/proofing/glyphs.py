"""Finds the pages of a PDF on which a letter stands that its face cannot draw: it would show as a box or as nothing."""

import io
import re
from dataclasses import dataclass
from typing import Any

from fontTools.ttLib import TTFont, TTLibError
from pypdf import PdfReader

from outreach.composing.proofing.page_tree import foreign_pdf

# In turn: a face is chosen, glyphs in hexadecimal (not the “<<” of a dictionary), or code 0 within a string.
# The counts are bounded because the file is foreign; a name in PDF has 127 bytes at most.
_TOKENS = re.compile(rb"/(\S{1,127})\s{1,9}[\d.]{1,20}\s{1,9}Tf|<([0-9A-Fa-f\s]+)>(?!>)|(\\000|\x00)")
# WeasyPrint writes an encoding of its own for a face that lacks letters, and leads them to glyph 0.
_BOXES = re.compile(rb"<([0-9A-Fa-f]{4})>\s+0\b")
ENDLESS = 0x10000


@dataclass(frozen=True)
class _EmbeddedFace:
    """What a face in the file can draw."""

    #: Codes of two bytes below this draw something; 0 where codes have one byte.
    count: int
    #: The codes that draw a box or nothing all the same.
    boxes: frozenset[int] = frozenset({0})

    def lacks(self, hexes: bytes) -> bool:
        if not self.count:
            return False
        written = b"".join(hexes.split())
        codes = {int(written[at : at + 4], 16) for at in range(0, len(written) - 3, 4)}
        return bool(codes & self.boxes) or max(codes, default=0) >= self.count


def missing_glyphs(reader: PdfReader) -> list[int]:
    """The numbers of the pages that show a glyph their faces do not hold. Faces that are not in the file are passed."""
    faces: dict[int, _EmbeddedFace | None] = {}
    with foreign_pdf():
        return [number for number, page in enumerate(reader.pages, start=1) if _lacks(page, faces)]


def _lacks(page: Any, faces: dict[int, _EmbeddedFace | None]) -> bool:
    contents, resources = page.get_contents(), page.get("/Resources")
    fonts = resources.get_object().get("/Font", {}).get_object() if resources else {}
    if contents is None or not fonts:
        return False
    by_name = {name[1:].encode(): _face_of(font, faces) for name, font in fonts.items()}
    face: _EmbeddedFace | None = None
    for name, hexes, zero in _TOKENS.findall(contents.get_data()):
        if name:
            face = by_name.get(name)
        elif face and (face.lacks(hexes) if hexes else zero and not face.count):
            return True
    return False


def _face_of(font: Any, faces: dict[int, _EmbeddedFace | None]) -> _EmbeddedFace | None:
    """What an embedded face can draw; None where nothing can be said of it."""
    key = getattr(font, "idnum", id(font))
    if key not in faces:
        faces[key] = _read_face(font.get_object())
    return faces[key]


def _read_face(font: Any) -> _EmbeddedFace | None:
    if font.get("/Subtype") != "/Type0":
        return _EmbeddedFace(0) if "/FontDescriptor" in font else None
    encoding = font["/Encoding"].get_object()
    if hasattr(encoding, "get_data"):
        boxes = {int(code, 16) for code in _BOXES.findall(encoding.get_data())}
        return _EmbeddedFace(ENDLESS, frozenset({0, *boxes}))
    described = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
    # Only with Identity-H is a code the number of a glyph.
    if encoding != "/Identity-H" or "/FontFile2" not in described:
        return None
    try:
        with TTFont(io.BytesIO(described["/FontFile2"].get_object().get_data()), lazy=True) as face:
            return _EmbeddedFace(int(face["maxp"].numGlyphs))
    except (TTLibError, KeyError):
        return None
