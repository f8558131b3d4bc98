"""The form on which a person writes their hand down: what it asks for and where, and its pages as PDF.

Marks in the corners name edition and page, marks at the foot the language and whose form it is. A change to what a form
asks for, to its order or to its places needs another `EDITION`: else forms that were printed before are cut wrongly.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pypdf import PdfReader, PdfWriter

from outreach.composing.handwriting.font.allographs import COMMONEST
from outreach.composing.handwriting.font.pairs import PAIRS
from outreach.composing.handwriting.own_hand.registration_marks import (
    CORNERS,
    MOST_AT_FOOT,
    PAGES,
    MarkPlace,
    draw_foot_mark,
    draw_mark,
)
from outreach.composing.handwriting.pens import TYPED, face_path
from outreach.composing.paper.sizes import A4, US_LETTER, Paper, Zone
from outreach.composing.templating.small_print import fill_layout

# Where the marks' numbers have the edition, the first forms had their language, of which there were 27. Four numbers
# fit in; those of forms that were never printed are free again.
EDITION = 27
# A mark on the form names its paper by the place here, so new ones go to the end.
PAPERS = (A4, US_LETTER)
# How many boxes a letter has, and one of the commonest.
TAKES, MOST_TAKES = 3, 6
COMMON = "".join(sorted(COMMONEST))
LETTERS, SMALL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 26
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
MARK, EDGE, SIDE, TOP, BOTTOM = 10.0, 8.0, 10.0, 21.0, 20.0
FOOT_MARK, FOOT_PITCH, AT_FOOT = 9.0, 13.0, 3
LABEL, BETWEEN, SETS = 6.0, 0.9, 4
ROW, BOX_HEIGHT, BASELINE = 15.6, 14.6, 9.8
WORD_ROW, WORD_HEIGHT = 19.0, 14.6
SIGNATURE_ROW, SIGNATURE_HEIGHT, SIGNATURE_BASELINE = 33.0, 29.0, 19.0
# What is typed above the first row of words, and of signatures.
ABOVE_WORDS, ABOVE_SIGNATURES = 4.0, 8.0
X_HEIGHT = 4.0


Kind = Literal["letter", "pair", "word", "signature"]
# Boxes side by side: what is written into them, and for which time into the first.
Set = tuple[Kind, str, int]


@dataclass(frozen=True)
class Box:
    """A box to write into."""

    kind: Kind
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
        return MarkPlace(EDITION, PAPERS.index(self.paper), page, corner)


def mark_at(paper: Paper, corner: int) -> tuple[float, float]:
    """Left and top of a corner's mark, in mm: top left, top right, bottom right, bottom left."""
    far = paper.width - EDGE - MARK, paper.height - EDGE - MARK
    return (far[0] if corner in (1, 2) else EDGE), (far[1] if corner in (2, 3) else EDGE)


def form_for(language: str, paper: Paper) -> Form:
    """The form for a language, written `en` or `en-US`; one of whose letters we know nothing gets the English form."""
    short = language.replace("_", "-").partition("-")[0].lower()
    return Form(short if short in ALPHABETS else "en", paper)


def key_of(name: str) -> int:
    """The number on every page of the form of a person of that name, the same each time; 0 without a name."""
    folded = " ".join(name.split()).casefold()
    digest = hashlib.blake2b(folded.encode(), digest_size=8).digest()
    return 1 + int.from_bytes(digest, "big") % (MOST_AT_FOOT**2 - 1) if folded else 0


def write_key(key: int) -> str:
    """A form's number as it is printed for people to read."""
    return f"{key // MOST_AT_FOOT:03}-{key % MOST_AT_FOOT:03}" if key else "without a name"


def foot_numbers(form: Form, key: int) -> tuple[int, ...]:
    """The numbers of the marks at the foot of a page, from the left."""
    return list(ALPHABETS).index(form.language), *divmod(key, MOST_AT_FOOT)


def read_foot(paper: Paper, numbers: Sequence[int]) -> tuple[Form, int] | None:
    """The form and key that marks at the foot stand for; None where no form of ours has them."""
    if len(numbers) != AT_FOOT or numbers[0] >= len(ALPHABETS):
        return None
    return Form(list(ALPHABETS)[numbers[0]], paper), numbers[1] * MOST_AT_FOOT + numbers[2]


def foot_at(paper: Paper, number: int) -> tuple[float, float]:
    """Left and top of one of the marks at the foot, in mm."""
    first = (paper.width - AT_FOOT * FOOT_PITCH + FOOT_PITCH - FOOT_MARK) / 2
    return first + number * FOOT_PITCH, paper.height - EDGE - FOOT_MARK


@lru_cache(maxsize=8)
def _boxes(form: Form) -> tuple[Box, ...]:
    return next(boxes for pages in range(2, PAGES + 1) if (boxes := _lay_out(form, pages)))


def _lay_out(form: Form, pages: int) -> tuple[Box, ...]:
    """The boxes on so many pages; none where they do not fit."""
    rows = int((form.paper.height - TOP - BOTTOM) / ROW)
    by_page, left = _deal_sets(form, pages, rows * SETS)
    below = TOP + -(-len(by_page[-1]) // SETS) * ROW + ABOVE_WORDS
    words = [
        Box("word", text, 0, pages - 1, zone, zone.top + BASELINE)
        for at, text in enumerate(WORDS)
        for zone in [_half(form.paper, at, below, WORD_ROW, WORD_HEIGHT)]
    ]
    below += WORD_ROW * len(WORDS) / 2 + ABOVE_SIGNATURES
    signatures = [
        Box("signature", "", at, pages - 1, zone, zone.top + SIGNATURE_BASELINE)
        for at in range(SIGNATURES)
        for zone in [_half(form.paper, at, below, SIGNATURE_ROW, SIGNATURE_HEIGHT)]
    ]
    lowest = signatures[-1].zone.top + SIGNATURE_HEIGHT
    if left or lowest > form.paper.height - BOTTOM:
        return ()
    sets = [box for page, dealt in enumerate(by_page) for box in _boxes_of_sets(form.paper, page, dealt)]
    return (*sets, *words, *signatures)


def _deal_sets(form: Form, pages: int, on_page: int) -> tuple[list[list[Set]], list[Set]]:
    """Which sets of boxes stand on each page, and those for which there is no room.

    Each page after the first begins with some of the commonest letters once more: a hand varies more from one page to
    the next than from one box to the next, and two people's pages can be told apart by them.
    """
    letters = form.characters
    again: list[Set] = [("letter", letter, TAKES) for letter in COMMON]
    left: list[Set] = [("letter", letter, 0) for letter in letters[:SMALL]]
    left += [("pair", pair, 0) for pair in PAIRS]
    left += [("letter", letter, 0) for letter in letters[SMALL:]]
    by_page = []
    for page in range(pages):
        dealt = again[page - 1 :: pages - 1] if page else []
        room = on_page - len(dealt)
        by_page.append(dealt + left[:room])
        left = left[room:]
    return by_page, left


def _boxes_of_sets(paper: Paper, page: int, sets: Sequence[Set]) -> Iterator[Box]:
    wide = (paper.width - 2 * SIDE) / SETS
    box = (wide - LABEL - TAKES * BETWEEN) / TAKES
    for at, (kind, words, first) in enumerate(sets):
        top = TOP + at // SETS * ROW
        for take in range(TAKES):
            left = SIDE + at % SETS * wide + LABEL + take * (box + BETWEEN)
            yield Box(kind, words, first + take, page, Zone(left, top, box, BOX_HEIGHT), top + BASELINE)


def _half(paper: Paper, at: int, top: float, row: float, height: float) -> Zone:
    """The place of box number `at` where two stand side by side."""
    wide = (paper.width - 2 * SIDE) / 2
    return Zone(SIDE + at % 2 * wide + BETWEEN, top + at // 2 * row, wide - 2 * BETWEEN, height)


def print_sheet(form: Form, name: str = "") -> bytes:
    """The form of the person of that name as PDF, to be printed at its true size."""
    # WeasyPrint takes half a second to import, and most commands print nothing.
    from outreach.composing.handwriting.press import print_page

    whole, key = PdfWriter(), key_of(name)
    foot = [(*foot_at(form.paper, at), draw_foot_mark(number)) for at, number in enumerate(foot_numbers(form, key))]
    for page in range(form.pages):
        html = fill_layout(
            "sheet.html",
            form=form,
            page=page,
            boxes=[box for box in form.boxes if box.page == page],
            takes=TAKES,
            marks=[
                (*mark_at(form.paper, corner), MARK / 7, draw_mark(form.place(page, corner)))
                for corner in range(CORNERS)
            ],
            foot=[(left, top, FOOT_MARK / 8, cells) for left, top, cells in foot],
            person=name,
            key=write_key(key),
            typed=TYPED,
            x_height=X_HEIGHT,
        )
        css = f'@font-face {{ font-family: "{TYPED}"; src: url("font:{face_path(TYPED).name}"); }}'
        whole.append(PdfReader(io.BytesIO(print_page(html, css))))
    out = io.BytesIO()
    whole.write(out)
    return out.getvalue()
