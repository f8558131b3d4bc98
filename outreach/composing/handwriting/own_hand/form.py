"""The form on which a person writes their hand down: what it asks for and where, and its pages as PDF.

Marks in the corners name form and page. A change to what a form asks for, or to its order, makes forms unreadable that
were printed before.
"""

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pypdf import PdfReader, PdfWriter

from outreach.composing.handwriting.own_hand.registration_marks import CELLS, CORNERS, MarkPlace, draw_mark
from outreach.composing.handwriting.pens import TYPED, face_path
from outreach.composing.paper.sizes import A4, US_LETTER, Paper, Zone
from outreach.composing.templating.small_print import fill_layout

# A mark on the form names its paper by the place here, so new ones go to the end.
PAPERS = (A4, US_LETTER)
TAKES = 3
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SIGNS = ".,;:!?’“”-–()/&@#%+=*°€$£"
# Letters in use abroad that cannot be put together from others; then the accents alone, from which others are.
ABROAD, ACCENTS = "æøłßœðþÆØŁŒÐÞ", "´`ˆ¨˜¸ˇ˚˘˝"
# A language is known on the form by its place here, so new ones go to the end.
ALPHABETS = {
    "en": "", "de": "äöüÄÖÜ„", "fr": "àâçéèêëîïôùûœÉ«»", "es": "áéíñóúü¡¿", "it": "àèéìòù", "pt": "áâãàçéêíóôõú",
    "nl": "éèëïöü", "sv": "åäöÅÄÖ", "da": "åÆØÅ", "nb": "åÆØÅ", "fi": "äöåÄÖÅ", "is": "áðéíóúýþöÐÞÆ", "et": "äöõüšž",
    "lv": "āčēģīķļņšūž", "lt": "ąčęėįšųūž", "pl": "ąćęńóśźżŁ„", "cs": "áčďéěíňóřšťúůýž„", "sk": "áäčďéíľĺňóôŕšťúýž",
    "sl": "čšž„", "hr": "čćđšžĐ", "hu": "áéíóöőúüű„", "ro": "ăâîșț„", "tr": "çğıöşüİ",
    "ca": "àçéèíïóòúü", "ga": "áéíóú", "cy": "âêîôûŵŷ", "sq": "ëç",
}  # fmt: skip
# From these a hand's spaces are measured: between letters in all of them, between words in the longer ones.
WORDS = ("minimum", "sunrise", "coloured", "as we do", "in our town", "one or more")
SIGNATURES = 6

# All in mm. What is printed keeps clear of what printers cannot reach.
MARK, EDGE, SIDE, TOP = 10.0, 8.0, 10.0, 25.0
LABEL, BETWEEN, SETS = 6.0, 0.9, 4
ROW, BOX_HEIGHT, BASELINE = 15.6, 14.6, 9.8
WORD_ROW, WORD_HEIGHT = 19.0, 15.5
SIGNATURE_ROW, SIGNATURE_HEIGHT, SIGNATURE_BASELINE = 33.0, 29.0, 19.0
X_HEIGHT = 4.0


@dataclass(frozen=True)
class Box:
    """A box to write into."""

    kind: Literal["letter", "word", "signature"]
    #: What is to be written; empty for a signature.
    words: str
    #: For which time it is written, from 0.
    take: int
    #: From 0.
    page: int
    zone: Zone
    #: In mm from the top of the page.
    baseline: float


@dataclass(frozen=True)
class Form:
    """One kind of form: for a language's alphabet, on one paper."""

    language: str
    paper: Paper

    @property
    def characters(self) -> str:
        return "".join(dict.fromkeys(LETTERS + SIGNS + ABROAD + ALPHABETS[self.language] + ACCENTS))

    @property
    def pages(self) -> int:
        return self.boxes[-1].page + 1

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Every box, in the order in which it is written."""
        return _boxes(self)

    def place(self, page: int, corner: int) -> MarkPlace:
        return MarkPlace(list(ALPHABETS).index(self.language), PAPERS.index(self.paper), page, corner)

    def mark_at(self, corner: int) -> tuple[float, float]:
        """Left and top of a corner's mark, in mm: top left, top right, bottom right, bottom left."""
        far = self.paper.width - EDGE - MARK, self.paper.height - EDGE - MARK
        return (far[0] if corner in (1, 2) else EDGE), (far[1] if corner in (2, 3) else EDGE)


def form_for(language: str, paper: Paper) -> Form:
    """The form for a language, written `en` or `en-US`; one of whose letters we know nothing gets the English form."""
    short = language.replace("_", "-").partition("-")[0].lower()
    return Form(short if short in ALPHABETS else "en", paper)


def form_of(place: MarkPlace) -> Form | None:
    """The form that a mark belongs to; None where we print no such form."""
    if place.alphabet >= len(ALPHABETS):
        return None
    return Form(list(ALPHABETS)[place.alphabet], PAPERS[place.paper])


@lru_cache(maxsize=8)
def _boxes(form: Form) -> tuple[Box, ...]:
    rows = int((form.paper.height - 2 * TOP) / ROW)
    on_page = rows * SETS
    wide = (form.paper.width - 2 * SIDE) / SETS
    box = (wide - LABEL - TAKES * BETWEEN) / TAKES
    letters = [
        Box("letter", character, take, at // on_page, Zone(left, top, box, BOX_HEIGHT), top + BASELINE)
        for at, character in enumerate(form.characters)
        for take in range(TAKES)
        for left in [SIDE + at % SETS * wide + LABEL + take * (box + BETWEEN)]
        for top in [TOP + at % on_page // SETS * ROW]
    ]
    last = letters[-1].page + 1
    words = [
        Box("word", text, 0, last, zone, zone.top + BASELINE)
        for at, text in enumerate(WORDS)
        for zone in [_half(form.paper, at, TOP + 4, WORD_ROW, WORD_HEIGHT)]
    ]
    below = TOP + 4 + WORD_ROW * len(WORDS) / 2 + 8
    signatures = [
        Box("signature", "", at, last, zone, zone.top + SIGNATURE_BASELINE)
        for at in range(SIGNATURES)
        for zone in [_half(form.paper, at, below, SIGNATURE_ROW, SIGNATURE_HEIGHT)]
    ]
    return (*letters, *words, *signatures)


def _half(paper: Paper, at: int, top: float, row: float, height: float) -> Zone:
    """The place of box number `at` where two stand side by side."""
    wide = (paper.width - 2 * SIDE) / 2
    return Zone(SIDE + at % 2 * wide + BETWEEN, top + at // 2 * row, wide - 2 * BETWEEN, height)


def print_sheet(form: Form) -> bytes:
    """The form as PDF, to be printed at its true size."""
    # WeasyPrint takes half a second to import, and most commands print nothing.
    from outreach.composing.handwriting.press import print_page

    whole = PdfWriter()
    for page in range(form.pages):
        html = fill_layout(
            "sheet.html",
            form=form,
            page=page,
            boxes=[box for box in form.boxes if box.page == page],
            marks=[(*form.mark_at(corner), draw_mark(form.place(page, corner))) for corner in range(CORNERS)],
            typed=TYPED,
            cell=MARK / CELLS,
            x_height=X_HEIGHT,
        )
        css = f'@font-face {{ font-family: "{TYPED}"; src: url("font:{face_path(TYPED).name}"); }}'
        whole.append(PdfReader(io.BytesIO(print_page(html, css))))
    out = io.BytesIO()
    whole.write(out)
    return out.getvalue()
