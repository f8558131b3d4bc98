"""Prints finished HTML pages as PDF and goes over them with ink. The only file that knows WeasyPrint.

Nothing is fetched but the typed faces, the pens and our own pictures, by name; whatever else a page asks for stops it.
Every PDF is tagged (PDF/UA-1), so that it can be read aloud.
"""

import gc
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from outreach.composing.handwriting.ink import Ink
from outreach.composing.handwriting.page_setup import ONE_PAGE, Sheet
from outreach.composing.handwriting.pdf_metadata import pack_streams, say_both, set_trim
from outreach.composing.handwriting.pens import TYPED, TYPED_WIDER, face_path, stamp_of
from outreach.errors import CannotWrite, TooLong

# What WeasyPrint logs instead of raising: a font that cannot be loaded, a style it does not know. It logs the texts and
# addresses it cannot lay out too; customers' words stay out of logs.
_complaints = BufferingHandler(100)
_complaints.setLevel(logging.WARNING)
_weasyprint = logging.getLogger("weasyprint")
_weasyprint.propagate, _weasyprint.handlers = False, [_complaints]
logging.getLogger("fontTools").setLevel(logging.CRITICAL)
# Pango's font map may be used by one thread at a time.
_one_at_a_time = threading.Lock()


class _Forbidden(FatalURLFetchingError):  # type: ignore[misc]
    """Not an ordinary exception: WeasyPrint would swallow one and print the page without what it asked for."""


class _Fonts(URLFetcher):  # type: ignore[misc]
    """Answers `font:Alder.ttf` and `picture:code` with the fonts and pictures it was given, and nothing else."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("font", "picture"), allow_redirects=False, fail_on_errors=True)
        self.paths = {font_address(path): path for path in map(face_path, (TYPED, TYPED_WIDER))}
        self.pictures: Mapping[str, bytes] = {}

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if picture := self.pictures.get(url.removeprefix("picture:")):
            return URLFetcherResponse(url, picture, {"Content-Type": "image/svg+xml"})
        # A pen's name may have spaces, which come here quoted.
        path = self.paths.get(unquote(url))
        if path is None:
            raise _Forbidden(url)
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": "font/ttf"})


def font_address(font: Path) -> str:
    """What a style sheet calls a font by."""
    return f"font:{font.name}"


class _Press:
    """Fonts and style sheets, read once: they cost more than the page."""

    def __init__(self) -> None:
        self.fetcher = _Fonts()
        self.fonts = FontConfiguration()
        self.stamps: dict[str, object] = {}

    def knows(self, fonts: Mapping[str, object]) -> bool:
        """Whether none of these fonts, by their names, took the place of one that was read already."""
        return all(self.stamps.get(name, stamp) == stamp for name, stamp in fonts.items())

    @lru_cache(maxsize=32)  # noqa: B019 - there is one press, and it lives as long as the process
    def style(self, css: str) -> Any:
        return CSS(string=css, base_url="font:", url_fetcher=self.fetcher, font_config=self.fonts)

    def print(self, html: str, css: str, ink: Ink | None, sheet: Sheet) -> bytes:
        page = HTML(string=html, base_url="font:", url_fetcher=self.fetcher)
        document = page.render(stylesheets=[self.style(css)], font_config=self.fonts)
        if len(document.pages) > sheet.most_pages:
            held = "one page" if sheet.most_pages == 1 else f"{sheet.most_pages} pages"
            raise TooLong(sheet.too_long or f"The letter does not fit on {held}; shorten the template")
        if ink:
            ink.attach(document)

        def finish(_: Any, pdf: Any) -> None:
            set_trim(pdf, sheet.bleed)
            if sheet.is_lasting:
                say_both(pdf)
            # Last, because what is packed can be changed no more.
            pack_streams(pdf)

        variant = "pdf/a-2b" if sheet.is_lasting else "pdf/ua-1"
        return bytes(document.write_pdf(finisher=finish, pdf_variant=variant, pdf_tags=True))


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Python does not look for garbage meanwhile: a page makes a hundred thousand objects, and needs them all."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@lru_cache(maxsize=1)
def _press() -> _Press:
    return _Press()


def print_page(
    html: str, css: str, fonts: Iterable[Path] = (), ink: Ink | None = None, sheet: Sheet = ONE_PAGE
) -> bytes:
    """The page, or the pages, as PDF with its `fonts` embedded, gone over with `ink` where there is some.

    The same words, fonts, pictures and ink give the same bytes, whenever and wherever it is printed. Raises TooLong
    over the pages that `sheet` allows, CannotWrite when the page asks for anything but these fonts and pictures.
    """
    with _one_at_a_time, _no_collecting():
        stamps = {font_address(font): stamp_of(font) for font in fonts}
        if not _press().knows(stamps):
            # Fontconfig would go on with the first font of a name.
            _press.cache_clear()
        press = _press()
        press.stamps |= stamps
        press.fetcher.paths |= {name: stamp[0] for name, stamp in stamps.items()}
        press.fetcher.pictures = sheet.pictures
        _complaints.flush()
        try:
            made = press.print(html, css, ink, sheet)
        except _Forbidden as forbidden:
            raise CannotWrite(
                "The page asks for a file or address that a letter may not load; remove it"
            ) from forbidden
        if _complaints.buffer:
            # It was printed all the same, and perhaps in another font than the one that was asked for.
            _press.cache_clear()
            # Only the sentence, without what was put into it.
            complaint = str(_complaints.buffer[0].msg)
            raise CannotWrite(f"The press complains of the page: “{complaint}”; mend the layout or the pen")
        return made
