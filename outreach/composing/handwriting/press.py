"""A finished page as HTML in, the PDF out. The only file that knows WeasyPrint.

Nothing is fetched but our own faces, by name; whatever else a page asks for stops it.
"""

import logging
import threading
from functools import lru_cache
from typing import Any

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from outreach.composing.handwriting.pens import FACES
from outreach.errors import CannotWrite, TooLong

# WeasyPrint logs the texts and addresses it cannot lay out; customers' words stay out of logs.
logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
logging.getLogger("fontTools").setLevel(logging.CRITICAL)
# Pango's font map may be used by one thread at a time.
_one_at_a_time = threading.Lock()


class _Forbidden(FatalURLFetchingError):  # type: ignore[misc]
    """Not an ordinary exception: WeasyPrint would swallow one and print the page without what it asked for."""


class _Faces(URLFetcher):  # type: ignore[misc]
    """Answers `face:LaBelleAurore.ttf` and the like from the folder of faces, and nothing else."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("face",), allow_redirects=False, fail_on_errors=True)
        self.faces = {f"face:{path.name}": path for path in FACES.glob("*.ttf")}

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url not in self.faces:
            raise _Forbidden(url)
        return URLFetcherResponse(url, self.faces[url].read_bytes(), {"Content-Type": "font/ttf"})


class _Press:
    """Faces and style sheets, read once: they cost more than the page."""

    def __init__(self) -> None:
        self.fetcher = _Faces()
        self.fonts = FontConfiguration()

    @lru_cache(maxsize=32)  # noqa: B019 - there is one press, and it lives as long as the process
    def style(self, css: str) -> Any:
        return CSS(string=css, base_url="face:", url_fetcher=self.fetcher, font_config=self.fonts)

    def print(self, html: str, css: str) -> bytes:
        page = HTML(string=html, base_url="face:", url_fetcher=self.fetcher)
        document = page.render(stylesheets=[self.style(css)], font_config=self.fonts)
        if len(document.pages) > 1:
            raise TooLong("The letter does not fit on one page; shorten the template")
        return bytes(document.write_pdf())


@lru_cache(maxsize=1)
def _press() -> _Press:
    return _Press()


def print_page(html: str, css: str) -> bytes:
    """One page as PDF, faces embedded; the same bytes for the same words, whenever and wherever it is printed.

    Raises TooLong over one page, CannotWrite when the page asks for anything but our faces.
    """
    with _one_at_a_time:
        try:
            return _press().print(html, css)
        except _Forbidden as forbidden:
            raise CannotWrite(
                "The page asks for a file or address that a letter may not load; remove it"
            ) from forbidden
