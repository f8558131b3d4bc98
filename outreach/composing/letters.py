"""A letter's words and its recipient's address in; one printed page out, in the hand of whoever signs it."""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from html import unescape

from babel.dates import format_date
from markupsafe import Markup

from outreach.composing.addresses import Address
from outreach.composing.environment import Fields, render_template
from outreach.composing.facts import Facts
from outreach.composing.handwriting.pens import TYPED, Pen, face_path, missing_letters, pen_named, width_of
from outreach.composing.layouts import fill_layout, signature_line, small_print
from outreach.composing.printing import Paper, paper_for
from outreach.composing.templates import Words
from outreach.errors import CannotWrite, TooLong
from outreach.settings import Business

POINT = 25.4 / 72
LARGEST_ADDRESS, SMALLEST_ADDRESS = 10.5, 8.0
ADDRESS_LINE_HEIGHT = 1.25
SCALES = (1.0, 0.94, 0.88)


def write_letter(facts: Facts, words: Words, address: Address, business: Business, on: date, reference: str) -> bytes:
    """The PDF of one page, dated `on`.

    Raises FieldMissing, CannotWrite for characters a face lacks, TooLong when page or window cannot hold it.
    """
    paper, pen = paper_for(address.country), pen_named(facts.signatory.pen)
    name = words.name("html")
    body = unicodedata.normalize("NFC", render_template(name, words.sources["html"], unbroken(facts.fields), "letter"))
    day = unicodedata.normalize("NFC", format_date(on, "long", locale=facts.locale))
    lines = [unicodedata.normalize("NFC", line) for line in (address.name, *address.lines)]
    stop = small_print(words.language)["stop_letters"].format(phone=business.phone, email=business.email)
    signed = signature_line(facts.signatory, business)
    _require_glyphs(pen.family, unescape(re.sub(r"<[^<>]*>", " ", body)) + day)
    _require_glyphs(pen.signature, facts.signatory.name)
    _require_glyphs(TYPED, "".join([*lines, stop, signed, reference, business.name, *business.address]))
    html = fill_layout(
        "letter.html",
        language=words.language,
        reference=reference,
        business=business,
        address=lines,
        address_size=address_size(lines, paper),
        day=day,
        body=Markup(body),  # noqa: S704 - the template's tags are checked, and every field in it is escaped
        signatory=facts.signatory,
        signed=signed,
        stop=stop,
    )
    return _print(html, paper, pen)


def _print(html: str, paper: Paper, pen: Pen) -> bytes:
    """The page, written smaller where that is what makes it one page, as a hand would."""
    # WeasyPrint takes half a second to import, and most commands print no letter.
    from outreach.composing.handwriting.press import print_page

    for scale in SCALES[:-1]:
        try:
            return print_page(html, _style(paper, pen, scale))
        except TooLong:
            continue
    return print_page(html, _style(paper, pen, SCALES[-1]))


def unbroken(fields: Fields) -> Fields:
    """The fields with spaces that keep a number, and a title with its name, on one line."""
    kept = {
        name: str(value).replace(" ", "\u00a0") for name, value in fields.items() if value and name.endswith("_phone")
    }
    if practitioner := fields.get("practitioner"):
        kept["practitioner"] = str(practitioner).replace(". ", ".\u00a0")
    return {**fields, **kept}


def _require_glyphs(family: str, words: str) -> None:
    if missing := missing_letters(family, re.sub(r"\s", " ", words)):
        # Which characters they are would spell out a name.
        raise CannotWrite(f"{family} has no glyph for {len(missing)} of its characters; choose another pen or channel")


def address_size(lines: list[str], paper: Paper) -> float:
    """The largest size, in points, at which every line fits the window. Raises TooLong when none is legible."""
    size = LARGEST_ADDRESS
    while size >= SMALLEST_ADDRESS:
        wide = max(width_of(TYPED, line, size) for line in lines) * POINT
        high = len(lines) * size * ADDRESS_LINE_HEIGHT * POINT
        if wide <= paper.address.width and high <= paper.address.height:
            return size
        size -= 0.5
    raise TooLong("The address does not fit the window of the envelope; shorten it in the customer data")


@lru_cache(maxsize=32)
def _style(paper: Paper, pen: Pen, scale: float) -> str:
    families = dict.fromkeys((TYPED, pen.family, pen.signature))
    faces = [(family, face_path(family).name) for family in families]
    return fill_layout("letter.css", paper=paper, pen=pen, scale=scale, typed=TYPED, faces=faces)
