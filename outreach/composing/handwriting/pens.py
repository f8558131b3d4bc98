"""The pens that a signatory can choose from, and the typed faces: which file each is, what it writes, and how wide.

Every pen is made to be set at the same size. Eight come with the product, and a business makes its own beside them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from fontTools.ttLib import TTFont

from outreach.errors import SettingsError
from outreach.local_files import make_private_folder, write_private

FACES = Path(__file__).parent / "faces"
SHIPPED = Path(__file__).parent / "pens"
TYPED = "Vazirmatn"
# Has Vietnamese, Greek, Cyrillic and Hebrew, which the other lacks; and no Arabic.
TYPED_WIDER = "Open Sans"
# Points. A pen has as many units in an em as make it look right at this size, so that all are set at one.
SET_AT, LINE_HEIGHT = 16.0, 25.0
# So many forms has a signature that was learned.
SIGNATURE_FORMS = 9
# A name is signed larger and quicker than one writes.
SIGNED_LARGER = 1.75
# A font of a pen's name and this is how its owner signs.
SIGNATURE = " signature"


@dataclass(frozen=True)
class Pen:
    """A hand as a font of its own."""

    name: str
    path: Path
    #: Writes the name under the letter; None where the pen itself does.
    signature: "Pen | None" = None
    #: How many times as large as the letter.
    signed_larger: float = SIGNED_LARGER

    @property
    def signs_with(self) -> "Pen":
        return self.signature or self


def find_pens(own: Path) -> dict[str, Pen]:
    """Every pen by its name: those that come with the product, and the fonts in the folder `own`, which win."""
    paths = {path.stem: path for folder in (SHIPPED, own) for path in sorted(folder.glob("*.ttf"))}
    pens = {name: Pen(name, path) for name, path in paths.items()}
    for name in [name for name in pens if name + SIGNATURE in paths]:
        signature = pens.pop(name + SIGNATURE)
        # A pen of one's own does not sign as one of ours whose name it bears.
        if signature.path.parent == paths[name].parent:
            pens[name] = Pen(name, paths[name], signature)
    return pens


def require_unused(name: str, own: Path) -> None:
    """Raises SettingsError for a name that is no file's, and where there is a pen of that name already."""
    require_name(name)
    if name in find_pens(own):
        raise SettingsError(f"There is a pen “{name}” already; choose another name, or say --replace")


def require_name(name: str) -> None:
    """Raises SettingsError for a name that is no file's."""
    if not re.fullmatch(r"\w[\w -]*", name):
        raise SettingsError(f"“{name}” cannot be a pen's name, because it will be a file's; use letters and spaces")


def keep_pen(name: str, made: bytes, folder: Path) -> Path:
    """The file of a pen in `folder`, under its name; one of that name is replaced.

    Raises SettingsError for a name that is no file's.
    """
    require_name(name)
    make_private_folder(folder)
    path = folder / f"{name}.ttf"
    beside = path.with_suffix(".new")
    write_private(beside, made)
    # In one step: a letter that is printed meanwhile reads the old pen or the new one, never half of one.
    beside.replace(path)
    return path


def pen_named(name: str, own: Path) -> Pen:
    """The pen of that name. Raises SettingsError when there is none."""
    pens = find_pens(own)
    if name not in pens:
        raise SettingsError(
            f"There is no pen “{name}”; choose one of {', '.join(sorted(pens))}, or make it: outreach pen make “{name}”"
        )
    return pens[name]


@cache
def face_path(family: str) -> Path:
    return FACES / f"{family.replace(' ', '')}.ttf"


def stamp_of(font: Path) -> tuple[Path, int, int]:
    """Tells a font's file from one that took its place, as `outreach pen learn --replace` puts one there."""
    status = font.stat()
    return font, status.st_mtime_ns, status.st_size


def _advances(path: Path) -> tuple[dict[int, int], int]:
    """Each character's width in font units, and how many of those an em has."""
    return _read_advances(stamp_of(path))


@lru_cache(maxsize=64)
def _read_advances(stamp: tuple[Path, int, int]) -> tuple[dict[int, int], int]:
    with TTFont(stamp[0]) as font:
        widths = font["hmtx"]
        return {code: widths[glyph][0] for code, glyph in font.getBestCmap().items()}, font["head"].unitsPerEm


def missing_letters(font: Path, words: str) -> list[str]:
    """The characters of `words` that the font cannot draw, each once; line breaks do not count."""
    widths, _ = _advances(font)
    return sorted({letter for letter in words if letter != "\n" and ord(letter) not in widths})


def typed_faces(words: str) -> tuple[str, ...]:
    """The families that the typed `words` of one page are set in; where one lacks a character, the next is taken."""
    # The wider face goes first wherever it is needed, so that no word is set in two faces: “Nguyễn”.
    return (TYPED_WIDER, TYPED) if missing_letters(face_path(TYPED), words) else (TYPED,)


def missing_typed(words: str) -> list[str]:
    """The characters of `words` that no typed face can draw, each once; line breaks do not count."""
    missing = (missing_letters(face_path(family), words) for family in (TYPED, TYPED_WIDER))
    return sorted(set.intersection(*map(set, missing)))


def typed_width(families: Sequence[str], words: str, size: float) -> float:
    """How wide typed `words` are on one line at `size` points, in points, without kerning."""
    return sum(_typed_advance(tuple(families), letter) for letter in words) * size


@cache
def _typed_advance(families: tuple[str, ...], letter: str) -> float:
    """The width of a character in parts of an em; a whole one where no face has it."""
    for widths, em in (_advances(face_path(family)) for family in families):
        if ord(letter) in widths:
            return widths[ord(letter)] / em
    return 1.0
