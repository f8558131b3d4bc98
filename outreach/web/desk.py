"""What every page of the desk needs: database, settings, clock, and the look of a page. It holds no rules."""

from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from sqlalchemy import Engine

from outreach.clock import Clock, business_date
from outreach.database import reading
from outreach.money import write_money
from outreach.planning.knobs import with_saved_knobs
from outreach.settings import Settings
from outreach.web.current_user import Signed
from outreach.web.import_jobs import ImportJobs
from outreach.web.webhooks import Webhooks

PAGES = Path(__file__).parent / "pages"
WORDS = {"checkin": "check-in", "do_not_mail": "no mail"}
SAID = "__Host-said"
# Long enough for the page that follows, however slow the line.
SAID_SECONDS = 60


@dataclass
class Desk:
    """The desk on one database. Each request has a desk of its own (`for_request`)."""

    engine: Engine
    #: The settings of outreach.toml and the environment; `settings` are they with what was saved here since, read once.
    written: Settings
    clock: Clock
    #: The address of Prefect's UI, where there is one.
    prefect: str
    webhooks: Webhooks
    jobs: ImportJobs

    def __post_init__(self) -> None:
        # Escaped, since names and words come from outside. Strict: a page that names a value wrongly fails where a test
        # sees it, and does not leave out what somebody has to know.
        self.pages = Environment(loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined)
        self.pages.filters |= {
            "words": _words,
            "money": self._money,
            "when": self._when,
            "day": _day,
            "code": _code,
            "number": _number,
        }

    def for_request(self) -> "Desk":
        """The same desk, which has read no settings yet."""
        # A shallow copy, so that all requests share the compiled pages.
        desk = copy(self)
        desk.__dict__.pop("settings", None)
        return desk

    @cached_property
    def settings(self) -> Settings:
        with reading(self.engine) as session:
            return with_saved_knobs(session, self.written)

    @property
    def longest_upload(self) -> int:
        """How many bytes may be given to the desk to import at once."""
        return self.written.desk.upload_megabytes * 1024 * 1024

    @property
    def now(self) -> datetime:
        return self.clock()

    @property
    def today(self) -> date:
        return business_date(self.now, self.written.business.timezone)

    def show(self, page_name: str, signed: Signed | None = None, status: int = 200, **values: Any) -> HTMLResponse:
        """The page in HTML. What the last act said (see `go`) is shown on it, and then forgotten."""
        business = self.written.business
        about = {
            "business": business.name or "Outreach",
            "phone": business.phone,
            "email": business.email,
            "mode": self.written.mode,
            "signed": signed,
            "token": lambda: (
                Markup('<input type="hidden" name="csrf" value="{}">').format(signed.csrf) if signed else ""
            ),
        }
        response = HTMLResponse(self.pages.get_template(page_name).render(**about, **values), status)
        if signed and signed.said:
            # Without `secure` a browser heeds nothing about a cookie that begins with __Host-, and would keep it.
            response.delete_cookie(SAID, secure=True, httponly=True, samesite="lax")
        return response

    def go(self, path: str, say: str = "") -> Response:
        """Sends the browser on to `path` after an act, so that reloading repeats nothing; `say` is shown there once."""
        # After 303 a browser asks for `path` by GET, whatever it had sent (RFC 9110, 15.4.4).
        response = RedirectResponse(path, 303)
        if say:
            # Quoted, since a cookie holds neither spaces nor letters beyond ASCII.
            response.set_cookie(
                SAID, quote(say), max_age=SAID_SECONDS, secure=True, httponly=True, samesite="lax", path="/"
            )
        return response

    def _when(self, instant: datetime) -> Markup:
        """An instant in the business's time, for people and for machines."""
        local = instant.astimezone(self.written.business.zone)
        shown = f"{local:%H:%M}" if local.date() == self.today else f"{local:%-d %b %Y, %H:%M}"
        return Markup('<time datetime="{}">{}</time>').format(local.isoformat(), shown)

    def _money(self, minor: int, currency: str = "") -> str:
        """What a message costs is in the business's currency; what was given to somebody is in its own."""
        return write_money(minor, currency or self.written.business.currency)


def _words(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))


def _code(text: str) -> Markup:
    """What stands between backticks, as something to type."""
    parts = enumerate(text.split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in parts)


def _number(number: int) -> str:
    return f"{number:,}"


def _day(day: date) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), f"{day:%a %-d %b %Y}")
