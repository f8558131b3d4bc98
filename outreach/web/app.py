"""Puts together the desk, the public pages and the way in for webhooks, and holds no rule of its own.

Every answer has strict headers; a failure becomes a page that says nothing of its cause.
"""

import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit

from fastapi import BackgroundTasks, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.datastructures import URL
from fastapi.responses import RedirectResponse
from sqlalchemy import Engine
from sqlalchemy.exc import DataError

from outreach.clock import Clock
from outreach.database_errors import DATABASE_ERRORS, WRONG_SHAPE, find_trouble
from outreach.delivery.providers import Provider
from outreach.errors import ChangedSince, NotAllowed, NotFound, NotWaiting, OutreachError, SamePerson
from outreach.settings import Settings
from outreach.web import (
    account,
    batches,
    calls,
    do_not_contact_page,
    duplicates_page,
    feedback,
    follow_up,
    goodwill,
    import_columns,
    imports,
    marketing,
    message_editor,
    messages,
    people,
    pictures,
    public,
    rewards,
    signin,
    signin_oidc,
    survey,
    template_editor,
    today,
)
from outreach.web.access import (
    COOKIE,
    MustChoosePassword,
    NotFromOurPages,
    NotSignedIn,
    NotText,
    OldToken,
    find_signed,
    is_too_long,
)
from outreach.web.alarms import AlarmDoor
from outreach.web.desk import Desk
from outreach.web.import_jobs import ImportJobs
from outreach.web.kept_words import keep_form, show_again, show_again_after
from outreach.web.request_limits import RequestLimits
from outreach.web.sub_path import SubPath
from outreach.web.thumbnails import ThumbnailDrawer
from outreach.web.webhooks import Webhooks

log = logging.getLogger("outreach.web")
PARTS = (
    public, survey, signin, signin_oidc, account, today, batches, messages, message_editor, pictures, people,
    duplicates_page, feedback, calls, follow_up, do_not_contact_page, goodwill, marketing, rewards, template_editor,
    imports, import_columns,
)  # fmt: skip
# Nothing from another host, nothing written into a page, and no address of ours (it may hold a token) to the next.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    # A browser heeds this only where it came by https, and then never tries without.
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}
# The narrower kind before the one that it belongs to: the first that fits counts.
STATUS_OF: tuple[tuple[type[OutreachError], int], ...] = (
    (NotFound, 404),
    (ChangedSince, 409),
    (NotWaiting, 409),
    (SamePerson, 403),
    (NotAllowed, 403),
    (OutreachError, 400),
)
HEADINGS = {
    400: "That did not work",
    403: "That is not for you to do",
    404: "There is no such page",
    409: "It has changed since you looked",
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
    webhooks, drawer = Webhooks(engine, settings, clock, providers), ThumbnailDrawer(engine, settings.storage)
    jobs = ImportJobs(engine, settings, clock)

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncIterator[None]:
        drawer.open()
        jobs.open()
        yield
        jobs.close()
        drawer.close()
        webhooks.close()

    app = FastAPI(title="Outreach", docs_url=None, redoc_url=None, openapi_url=None, lifespan=closing)
    app.state.desk = Desk(engine, settings, clock, prefect, webhooks, jobs)
    app.middleware("http")(guard)
    # Added last, it stands in front of everything.
    app.add_middleware(RequestLimits, headers=HEADERS)
    # As they are: `include_router` would build each route anew, which takes longer than a dozen pages.
    for router in (*(part.router for part in PARTS), signin.door):
        app.router.routes.extend(router.routes)
    app.add_api_route("/webhooks/{provider}", webhooks.take, methods=["POST"])
    app.add_api_route("/alarms", AlarmDoor(engine, settings, clock).take, methods=["POST"])
    app.add_exception_handler(404, show_missing)
    app.add_exception_handler(OutreachError, show_problem)
    app.add_exception_handler(DataError, show_unfit)
    app.add_exception_handler(NotText, show_unfit)
    app.add_exception_handler(NotSignedIn, send_to_sign_in)
    app.add_exception_handler(MustChoosePassword, send_to_password)
    app.add_exception_handler(NotFromOurPages, show_stranger)
    app.add_exception_handler(OldToken, show_old_token)
    # The outermost: all the rest believes itself to be at the root of its host.
    app.add_middleware(SubPath, settings=settings)
    return app


async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """Gives every answer the strict headers, and turns a failure into a page that says nothing of its cause."""
    try:
        response = await go_on(request) if not is_too_long(request) else show_too_long(request)
    # Caught here and not by a handler for errors of the status 500: Starlette raises the error once more after such a
    # one, and the server would write its whole text into the log.
    except Exception as error:
        response = show_trouble(request, *_trouble_of(error))
    response.headers.update({name: value for name, value in HEADERS.items() if name not in response.headers})
    if request.url.path.startswith(("/unsubscribe/", "/survey/")):
        # The address of these pages holds a token.
        response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _trouble_of(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, DATABASE_ERRORS) and (trouble := find_trouble(error)):
        log.error(trouble)
        if trouble != WRONG_SHAPE:  # which waiting does not mend
            return 503, "The database does not answer", "Nothing was changed. Please try again in a minute."
    # Neither the text (a database driver's holds the row) nor the address (it may hold a token).
    last = traceback.extract_tb(error.__traceback__)[-1]
    log.error("%s at %s, line %s", type(error).__name__, last.filename, last.lineno)
    text = "It is our fault, and nothing was changed. Please try again in a minute, or tell a person."
    return 500, "Something went wrong here", text


def show_trouble(request: Request, status: int, heading: str, text: str) -> Response:
    desk: Desk = request.app.state.desk
    return desk.show("trouble.html", status=status, heading=heading, text=text)


async def show_missing(request: Request, error: Exception) -> Response:
    return show_trouble(
        request,
        404,
        "This address is not complete",
        "A part of the link may be missing. Open it once more from the message, or tell a person.",
    )


async def show_problem(request: Request, error: Exception) -> Response:
    """An error that says what to do next, with the status that fits it, and the way back to the page it came from."""
    status = next(code for kind, code in STATUS_OF if isinstance(error, kind))
    desk: Desk = request.app.state.desk
    signed = await run_in_threadpool(find_signed, request, desk, BackgroundTasks())
    if signed is None:
        return show_trouble(request, status, HEADINGS[status], str(error))
    came_from = urlsplit(request.headers.get("referer", "")).path
    # A browser takes what begins with two slashes for the name of another host.
    back = came_from if came_from != request.url.path and not came_from.startswith("//") else ""
    return desk.show("problem.html", signed, status=status, heading=HEADINGS[status], text=str(error), back=back)


async def show_unfit(request: Request, error: Exception) -> Response:
    """A value that no database column holds, such as a NUL character in PostgreSQL: it was never one of ours."""
    return show_trouble(request, 400, HEADINGS[400], "It holds a character, or a number, that cannot be right.")


async def send_to_sign_in(request: Request, error: Exception) -> Response:
    """A link never acts: it leads to the sign-in, and from there to the page. What was typed is carried through it."""
    wanted = request.url if request.method in {"GET", "HEAD"} else URL(request.headers.get("referer") or "/")
    back = wanted.path + (f"?{wanted.query}" if wanted.query else "")
    if form := await keep_form(request):
        return signin.show_sign_in(request.app.state.desk, back, kept=form)
    return RedirectResponse(f"/signin?next={quote(back, safe='')}", 303)


async def send_to_password(request: Request, error: Exception) -> Response:
    desk: Desk = request.app.state.desk
    if form := await keep_form(request):
        token = request.cookies.get(COOKIE, "")
        return await run_in_threadpool(show_again_after, desk, token, form, "/")
    return RedirectResponse("/account/password", 303)


def show_too_long(request: Request) -> Response:
    return show_trouble(request, 413, "That is too much at once", "Nothing was changed. Send less, and try again.")


async def show_old_token(request: Request, error: Exception) -> Response:
    """A form from before the last sign-in: what was typed into it is shown again, with the proof of this one."""
    desk: Desk = request.app.state.desk
    signed = await run_in_threadpool(find_signed, request, desk, BackgroundTasks())
    form = await keep_form(request)
    if signed is None or form is None or signed.must_choose:
        return await show_stranger(request, error)
    return show_again(desk, signed, form, 403, urlsplit(request.headers.get("referer", "")).path)


async def show_stranger(request: Request, error: Exception) -> Response:
    return show_trouble(
        request,
        403,
        "That did not come from this desk",
        "Nothing was changed. Open the page again, and press the button there.",
    )
