"""Draws a picture of a learned hand for its owner to look at: each letter beside its scan, and a few lines written.

What is to be written again is marked, and accents stand on letters. The lines come from the true press.
"""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from outreach.composing.handwriting.font.letterforms import Outline
from outreach.composing.handwriting.ink import Ink
from outreach.composing.handwriting.own_hand.form import BASELINE, BOX_HEIGHT, TAKES
from outreach.composing.handwriting.own_hand.learn import OwnHand
from outreach.composing.handwriting.own_hand.samples import AROUND, Take
from outreach.composing.handwriting.own_hand.scans import FINE, Darkness
from outreach.composing.handwriting.own_hand.tracing import fill
from outreach.composing.handwriting.pens import (
    LINE_HEIGHT,
    SET_AT,
    TYPED,
    Pen,
    face_path,
    missing_letters,
)
from outreach.composing.proofing.pdf_pages import draw_page

# Pixels: of a mm, of the whole width, of a letter's height, and of the margin.
DENSE, WIDE, HIGH, MARGIN = 5, 1760, 96, 40
# How many letters stand side by side: those that were written three times, and those written more often.
COLUMNS, FEWER_COLUMNS = 3, 2
# The lines' place, in mm.
LINES = (176.0, 94.0)
INK, RED, GREY = (28, 43, 87), (190, 40, 30), (120, 120, 120)
MADE_WITH = {
    "´": "éáó", "`": "àèù", "ˆ": "âêô", "¨": "äöü", "˜": "ãñõ", "¸": "çşÇ", "ˇ": "čšž", "˚": "åůÅ", "˘": "ăğĂ",
    "˝": "őűŐ",
}  # fmt: skip
SENTENCES = (
    "Thank you for coming to see us last week.",
    "How does your tooth feel by now? Most people notice it for two or three days, and then no more.",
    "If anything hurts or puzzles you, call me: I am here every day from 9 to 5, and I would rather hear it too early.",
    "Jack Quinn and Zoë Fox send their very best wishes as well.",
)


def draw_proof(hand: OwnHand, pen: Pen, signs: str) -> Image.Image:
    """The proof of a hand that was kept as `pen`; `signs` is the name its signature stands for."""
    by_character: dict[str, list[Take]] = {}
    for take in hand.takes:
        if take.is_character:
            by_character.setdefault(take.box.words, []).append(take)
    written = write_lines(hand, pen, signs, LINES, WIDE)
    places, bottom = _places(by_character)
    page = Image.new("RGB", (WIDE, bottom + written.height + 50), "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(face_path(TYPED), 20)
    draw.text((MARGIN, 18), f"{pen.name}: left what was scanned, right what the pen writes", GREY, font)
    for character, (left, top) in places.items():
        draw.text((left, top + 30), character, (0, 0, 0), font)
        _letter(page, (left + 30, top), hand, by_character[character])
        if character in hand.again:
            lead, colour = ("again: ", RED) if character in hand.lost else ("", GREY)
            text = f"{lead}{hand.again[character]}"
            draw.text((left + 30, top + HIGH - 20), text, colour, font.font_variant(size=15))
    page.paste(written, (0, page.height - written.height))
    return page


def _places(by_character: Mapping[str, Sequence[Take]]) -> tuple[dict[str, tuple[int, int]], int]:
    """Left and top of each character's place, and where the last row ends."""
    places, top = {}, MARGIN + 20
    for columns, are_many in ((FEWER_COLUMNS, True), (COLUMNS, False)):
        characters = [each for each, takes in by_character.items() if (len(takes) > TAKES) == are_many]
        for at, character in enumerate(characters):
            places[character] = MARGIN + at % columns * (WIDE - 2 * MARGIN) // columns, top + at // columns * HIGH
        top += -(-len(characters) // columns) * HIGH
    return places, top


def _letter(page: Image.Image, corner: tuple[int, int], hand: OwnHand, takes: Sequence[Take]) -> None:
    """The scans of a letter's boxes, then its first forms."""
    left, top = corner
    for take in takes:
        seen = _seen(take.seen)
        page.paste(seen, (left, top))
        left += seen.width + 2
    left += 12
    scale = DENSE / hand.units
    for form in _shown(hand, takes[0].box.words)[: len(takes)]:
        wide, up = max(8, round(form.advance * scale) + 16), (BOX_HEIGHT + AROUND - BASELINE) * DENSE
        page.paste(_inked(fill(form, scale, wide, round((BOX_HEIGHT + AROUND) * DENSE), (8, up))), (left, top))
        left += wide


def _shown(hand: OwnHand, character: str) -> list[Outline]:
    """The forms of a letter as they were written, or letters that an accent stands on."""
    if character not in MADE_WITH:
        return hand.pairs.get(character) or hand.forms.get(character, [])
    return [hand.forms[letter][take] for take, letter in enumerate(MADE_WITH[character]) if letter in hand.forms]


def _seen(darkness: Darkness) -> Image.Image:
    picture = Image.fromarray(((1 - darkness) * 255).astype(np.uint8))
    return picture.resize((picture.width * DENSE // FINE, picture.height * DENSE // FINE), Image.Resampling.BOX)


def _inked(spots: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Image.Image:
    """Black on white, in the colour of ink."""
    shade = spots[:, :, None] / 255
    return Image.fromarray((np.array(INK) * (1 - shade) + 255 * shade).astype(np.uint8))


def write_lines(hand: OwnHand, pen: Pen, signs: str, size: tuple[float, float], width: int) -> Image.Image:
    """What the pen can write of the sentences, and the signature, printed as a letter is.

    On a page of `size`, its width and height in mm, drawn `width` pixels wide.
    """
    # WeasyPrint takes half a second to import.
    from outreach.composing.handwriting.press import font_address, print_page

    lines = [sentence for sentence in SENTENCES if not missing_letters(pen.path, sentence)]
    signed = f'<p class="signed">{escape(signs)}</p>' if hand.signature else ""
    css = "".join(
        f'@font-face {{ font-family: "{font.name}"; src: url("{font_address(font.path)}"); }}'
        for font in (pen, pen.signs_with)
    )
    css += f"""
        @page {{ size: {size[0]}mm {size[1]}mm; margin: 4mm 8mm; }}
        body {{ font: {SET_AT}pt/{LINE_HEIGHT}pt "{pen.name}"; color: rgb{INK}; margin: 0 }}
        p {{ margin: 0 }}
        .signed {{ font: {SET_AT * pen.signed_larger}pt/1.5 "{pen.signs_with.name}"; margin-left: 6mm }}
    """
    html = f"<html lang='en'><body><p>{escape(' '.join(lines))}</p>{signed}</body>"
    pdf = print_page(html, css, (pen.path, pen.signs_with.path), Ink("proof", {pen.name, pen.signs_with.name}))
    return draw_page(pdf, width)
