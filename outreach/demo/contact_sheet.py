"""Draws the first pages of PDF letters side by side, in one picture."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from outreach.composing.proofing.pdf_pages import draw_page

WIDTH, GAP, COLUMNS = 560, 24, 4
DESK = (226, 222, 214)


def draw_contact_sheet(letters: Sequence[Path], out: Path) -> None:
    """Writes a PNG of the letters' first pages in rows of four, in the order given."""
    pages = [draw_page(letter.read_bytes(), WIDTH) for letter in letters]
    height = max(page.height for page in pages)
    columns = min(COLUMNS, len(pages))
    rows = -(-len(pages) // columns)
    sheet = Image.new("RGB", (columns * (WIDTH + GAP) + GAP, rows * (height + GAP) + GAP), DESK)
    for index, page in enumerate(pages):
        row, column = divmod(index, columns)
        sheet.paste(page, (GAP + column * (WIDTH + GAP), GAP + row * (height + GAP)))
    sheet.save(out, optimize=True)
