"""HTTP requests in; the status page, its health, the public unsubscribe page and answers to webhooks out.

Shows ids and counts, never a name. A GET or HEAD changes nothing, whoever follows the link.
"""

import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from outreach.approval.batches import list_batches
from outreach.clock import Clock
from outreach.database import reading
from outreach.delivery.providers import Provider
from outreach.learning import count_messages
from outreach.models import Pause
from outreach.settings import Settings
from outreach.tracking import unsubscribe
from outreach.web.webhooks import Webhooks

log = logging.getLogger("outreach.web")
PAGES = Path(__file__).parent / "pages"
# No script at all, nothing from another host, and no address of ours (it may hold a token) given to the next page.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}


def create_app(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    prefect: str = "",
    providers: Mapping[str, Provider] | None = None,
) -> FastAPI:
    """The pages on one database, and the way in for webhooks of every vendor whose secrets are set.

    `prefect` is the address of Prefect's UI, linked from the status page when given; `providers` are used as they are.
    """
    webhooks = Webhooks(engine, settings, clock, providers)

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncIterator[None]:
        yield
        webhooks.close()

    app = FastAPI(title="Outreach", docs_url=None, redoc_url=None, openapi_url=None, lifespan=closing)
    desk = Desk(engine, settings, clock, prefect, webhooks)
    both = ["GET", "HEAD"]
    app.middleware("http")(desk.guard)
    app.add_api_route("/", desk.show_status, methods=both)
    app.add_api_route("/healthz", desk.show_health, methods=both)
    app.add_api_route("/style.css", show_style, methods=both)
    app.add_api_route("/unsubscribe/{token}", desk.ask, methods=both)
    app.add_api_route("/unsubscribe/{token}", desk.act, methods=["POST"])
    app.add_api_route("/webhooks/{provider}", webhooks.take, methods=["POST"])
    app.add_exception_handler(404, desk.show_missing)
    return app


def show_style() -> Response:
    return Response((PAGES / "style.css").read_bytes(), media_type="text/css; charset=utf-8")


class Desk:
    """What each page needs: the database, the business, the clock, and the templates of the pages."""

    def __init__(self, engine: Engine, settings: Settings, clock: Clock, prefect: str, webhooks: Webhooks) -> None:
        self.engine, self.settings, self.clock, self.prefect = engine, settings, clock, prefect
        self.webhooks = webhooks
        self.pages = Environment(loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined)

    def show(self, page: str, status: int = 200, **values: Any) -> HTMLResponse:
        business = self.settings.business
        about = {"business": business.name or "Outreach", "phone": business.phone, "email": business.email}
        return HTMLResponse(self.pages.get_template(page).render(**about, **values), status)

    def show_status(self) -> Response:
        with reading(self.engine) as session:
            counts, waiting, pauses = count_messages(session), list_batches(session), list_pauses(session)
        return self.show(
            "status.html",
            mode=self.settings.mode,
            at=self.clock().astimezone(self.settings.business.zone),
            timezone=self.settings.business.timezone,
            messages=[(*key, number) for key, number in sorted(counts.messages.items())],
            moments=counts.moments,
            decisions=counts.decisions,
            waiting=waiting,
            pauses=pauses,
            prefect=self.prefect,
            words=lambda name: name.replace("_", " "),
        )

    def show_health(self) -> Response:
        try:
            with reading(self.engine) as session:
                session.connection().execute(text("SELECT 1"))
        except SQLAlchemyError:
            return JSONResponse({"status": "the database does not answer"}, 503)
        return JSONResponse({"status": "ok", "refused_webhooks": dict(self.webhooks.refused)})

    def ask(self, token: str) -> Response:
        """Looks nothing up: link scanners open every link, and a page must not tell good tokens from bad ones."""
        return self.show("unsubscribe.html")

    def act(self, token: str) -> Response:
        """Unsubscribes at once, without a login: from the page's button, or from a mail program (RFC 8058)."""
        if not unsubscribe(self.engine, self.settings, token, self.clock()):
            raise HTTPException(404)
        return self.show("unsubscribed.html")

    async def show_missing(self, request: Request, error: Exception) -> Response:
        return self.show(
            "trouble.html",
            404,
            heading="This address is not complete",
            text="A part of the link may be missing. Open it once more from the message, or tell a person.",
        )

    async def guard(self, request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        """Gives every answer the strict headers, and turns a failure into a page that says nothing of its cause."""
        try:
            response = await go_on(request)
        except Exception as error:
            # Neither the text (a database driver's holds the row) nor the address (it may hold a token).
            last = traceback.extract_tb(error.__traceback__)[-1]
            log.error("%s at %s, line %s", type(error).__name__, last.filename, last.lineno)
            response = self.show_failure()
        response.headers.update(HEADERS)
        return response

    def show_failure(self) -> Response:
        return self.show(
            "trouble.html",
            500,
            heading="Something went wrong here",
            text="It is our fault, and nothing was changed. Please try again in a minute, or tell a person.",
        )


def list_pauses(session: Session) -> list[str]:
    pauses = session.exec(select(Pause).order_by(Pause.scope, Pause.name)).all()
    return [f"{pause.scope} {pause.name}".strip() for pause in pauses]
