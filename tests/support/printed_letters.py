"""A printed letter to look over."""

import io
from collections.abc import Callable

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from outreach.composing.handwriting.pens import TYPED, face_path
from outreach.composing.paper.sizes import US_LETTER, Paper

pdfmetrics.registerFont(TTFont(TYPED, str(face_path(TYPED))))
ADDRESS = ("Mrs. Maria Lopez", "27 Orchard Terrace", "Winooski, VT 05404")


def letter(
    more: Callable[[Canvas], None] = lambda _: None,
    paper: Paper = US_LETTER,
    lines: tuple[str, ...] = ADDRESS,
    at: tuple[float, float] = (20, 48),
    pages: int = 1,
) -> bytes:
    """A plain letter with an address `at` mm from the top left, drawn on by `more`."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(paper.width * mm, paper.height * mm), initialFontName=TYPED)
    for _ in range(pages):
        canvas.setFont(TYPED, 10)
        for number, line in enumerate(lines):
            say(canvas, line, at[0], at[1] + 5 * number, paper)
        say(canvas, "Dear Maria, it is good to know you.", 25, 110, paper)
        more(canvas)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def say(canvas: Canvas, words: str, left: float, top: float, paper: Paper = US_LETTER) -> None:
    canvas.drawString(left * mm, (paper.height - top) * mm, words)
