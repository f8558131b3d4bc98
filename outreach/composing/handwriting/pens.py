"""The hands a signatory can choose from, and the typed face: which file each is, and how large and wide it is set."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont

from outreach.errors import SettingsError

FACES = Path(__file__).parent / "faces"
TYPED = "Vazirmatn"


@dataclass(frozen=True)
class Pen:
    """A face as a hand: sizes in points, word spacing in em; the signature is larger and quicker, in `signature`."""

    family: str
    size: float
    line_height: float
    word_spacing: float
    signature: str
    signature_size: float


# Sizes were chosen by eye, so that the hands stand equally large on the page and 150 words fill it without crowding.
PENS = {
    pen.family: pen
    for pen in (
        Pen("La Belle Aurore", 18, 25, -0.06, "Homemade Apple", 22),
        Pen("Homemade Apple", 13, 25, 0.15, "La Belle Aurore", 34),
        Pen("Nothing You Could Do", 14.5, 25, 0, "Homemade Apple", 22),
        Pen("Reenie Beanie", 21, 25, 0, "La Belle Aurore", 34),
    )
}


def pen_named(family: str) -> Pen:
    """The pen of that name. Raises SettingsError when there is none."""
    if family not in PENS:
        raise SettingsError(f"There is no pen “{family}”; choose one of {', '.join(PENS)}")
    return PENS[family]


def face_path(family: str) -> Path:
    return FACES / f"{family.replace(' ', '')}.ttf"


@cache
def _advances(family: str) -> tuple[dict[int, int], int]:
    """Each character's width in font units, and how many of those an em has."""
    with TTFont(face_path(family)) as font:
        widths = font["hmtx"]
        return {code: widths[glyph][0] for code, glyph in font.getBestCmap().items()}, font["head"].unitsPerEm


def missing_letters(family: str, words: str) -> list[str]:
    """The characters of `words` that the face cannot draw, each once; line breaks do not count."""
    known, _ = _advances(family)
    return sorted({letter for letter in words if letter != "\n" and ord(letter) not in known})


def width_of(family: str, words: str, size: float) -> float:
    """How wide `words` are on one line at `size` points, in points, without kerning."""
    known, em = _advances(family)
    return sum(known.get(ord(letter), em) for letter in words) * size / em
