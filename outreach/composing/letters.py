"""A letter's words and its recipient's address in; one printed page out, in the hand of whoever signs it."""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from html import unescape
from pathlib import Path

from babel.dates import format_date
from markupsafe import Markup

from outreach.composing.addresses import Address
from outreach.composing.environment import Fields, render_template
from outreach.composing.facts import Facts
from outreach.composing.handwriting.ink import Ink, choose_walk
from outreach.composing.handwriting.pens import (
    LINE_HEIGHT,
    SET_AT,
    TYPED,
    WALKS,
    Pen,
    face_path,
    missing_letters,
    pen_named,
    width_of,
)
from outreach.composing.layouts import fill_layout, signature_line, small_print
from outreach.composing.printing import Paper, paper_for
from outreach.composing.templates import Words
from outreach.errors import CannotWrite, TooLong
from outreach.settings import Settings, Signatory

POINT = 25.4 / 72
LARGEST_ADDRESS, SMALLEST_ADDRESS = 10.5, 8.0
ADDRESS_LINE_HEIGHT = 1.25
SCALES = (1.0, 0.94, 0.88)


def write_letter(facts: Facts, words: Words, address: Address, settings: Settings, on: date, reference: str) -> bytes:
    """The PDF of one page, dated `on`. No two references give the same handwriting, and one gives the same for ever.

    Raises FieldMissing, CannotWrite for characters that neither the pen nor the fallback pen can write, TooLong when
    page or window cannot hold it.
    """
    business, paper = settings.business, paper_for(address.country)
    name = words.name("html")
    body = unicodedata.normalize("NFC", render_template(name, words.sources["html"], unbroken(facts.fields), "letter"))
    day = unicodedata.normalize("NFC", format_date(on, "long", locale=facts.locale))
    lines = [unicodedata.normalize("NFC", line) for line in (address.name, *address.lines)]
    stop = small_print(words.language)["stop_letters"].format(phone=business.phone, email=business.email)
    signed = signature_line(facts.signatory, business)
    pen = choose_pen(settings, facts.signatory, unescape(re.sub(r"<[^<>]*>", " ", body)) + day)
    in_print = [*lines, stop, signed, reference, business.name, *business.address]
    _require_letters(TYPED, face_path(TYPED), "".join(in_print))
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
        walk=choose_walk(reference, WALKS),
    )
    return _print(html, paper, pen, reference)


def choose_pen(settings: Settings, signatory: Signatory, words: str) -> Pen:
    """The signatory's pen, or the fallback pen of the settings where only that one can write `words` and their name.

    Raises CannotWrite where neither can, SettingsError where there is no such pen.
    """
    pen = pen_named(signatory.pen, settings.pens)
    fallback = settings.fallback_pen
    if fallback and not can_write(pen, words, signatory.name):
        other = pen_named(fallback, settings.pens)
        pen = other if can_write(other, words, signatory.name) else pen
    _require_letters(pen.name, pen.path, words)
    _require_letters(pen.signs_with.name, pen.signs_with.path, signatory.name)
    return pen


def can_write(pen: Pen, words: str, name: str) -> bool:
    """Whether a pen has every letter of `words`, and its signature those of `name`."""
    return not missing_letters(pen.path, re.sub(r"\s", " ", words)) and not missing_letters(pen.signs_with.path, name)


def _print(html: str, paper: Paper, pen: Pen, reference: str) -> bytes:
    """The page, written smaller where that is what makes it one page, as a hand would."""
    # WeasyPrint takes half a second to import, and most commands print no letter.
    from outreach.composing.handwriting.press import print_page

    fonts = (pen.path, pen.signs_with.path)
    for scale in SCALES:
        try:
            return print_page(html, _style(paper, pen, scale), fonts, Ink(reference, {pen.name, pen.signs_with.name}))
        except TooLong:
            if scale == SCALES[-1]:
                raise
    raise AssertionError("a page is printed or too long")


def unbroken(fields: Fields) -> Fields:
    """The fields with spaces that keep a number, and a title with its name, on one line."""
    kept = {
        name: str(value).replace(" ", "\u00a0") for name, value in fields.items() if value and name.endswith("_phone")
    }
    if practitioner := fields.get("practitioner"):
        kept["practitioner"] = str(practitioner).replace(". ", ".\u00a0")
    return {**fields, **kept}


def _require_letters(name: str, font: Path, words: str) -> None:
    if missing := missing_letters(font, re.sub(r"\s", " ", words)):
        # Which characters they are would spell out a name.
        raise CannotWrite(f"{name} cannot write {len(missing)} of its characters; choose another pen or channel")


def address_size(lines: list[str], paper: Paper) -> float:
    """The largest size, in points, at which every line fits the window. Raises TooLong when none is legible."""
    size = LARGEST_ADDRESS
    while size >= SMALLEST_ADDRESS:
        wide = max(width_of(face_path(TYPED), line, size) for line in lines) * POINT
        high = len(lines) * size * ADDRESS_LINE_HEIGHT * POINT
        if wide <= paper.address.width and high <= paper.address.height:
            return size
        size -= 0.5
    raise TooLong("The address does not fit the window of the envelope; shorten it in the customer data")


@lru_cache(maxsize=32)
def _style(paper: Paper, pen: Pen, scale: float) -> str:
    fonts = {TYPED: face_path(TYPED), pen.name: pen.path, pen.signs_with.name: pen.signs_with.path}
    return fill_layout(
        "letter.css",
        paper=paper,
        pen=pen,
        size=SET_AT * scale,
        line_height=LINE_HEIGHT * scale,
        typed=TYPED,
        fonts=[(family, font.name) for family, font in fonts.items()],
        walks=range(1, WALKS + 1),
    )
