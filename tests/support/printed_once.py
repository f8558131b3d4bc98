"""Pages that are printed once in a process, for tests that write the same letters again and again.

What is printed is the same for the same words, fonts, pictures and ink: tests/composing/test_press.py holds the press
to that, and so do the tests of pens and of composing, without this.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from outreach.composing.handwriting import press
from outreach.composing.handwriting.ink import Ink
from outreach.composing.handwriting.page_setup import ONE_PAGE, Sheet

OWN_PRESS = press.print_page
_printed: dict[tuple[Any, ...], bytes] = {}


def print_once(
    html: str, css: str, fonts: Iterable[Path] = (), ink: Ink | None = None, sheet: Sheet = ONE_PAGE
) -> bytes:
    """As `press.print_page`, which is not asked again for what it has printed."""
    fonts = tuple(fonts)
    made_of = tuple((font, font.stat().st_mtime_ns) for font in fonts)
    hand = ink and (ink.seed, frozenset(ink.families), ink.hand)
    on = (sheet.most_pages, sheet.bleed, sheet.is_lasting, tuple(sorted(sheet.pictures.items())))
    key = (html, css, made_of, hand, on)
    if key not in _printed:
        _printed[key] = OWN_PRESS(html, css, fonts, ink, sheet)
    return _printed[key]
