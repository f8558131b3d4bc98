"""What anybody may open: the unsubscribe page, the health of the service, and the files that pages are made of.

A GET or HEAD changes nothing, whoever follows the link, and no page tells good tokens from bad ones.
"""

from importlib.metadata import version

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from outreach.database import is_upgraded, reading
from outreach.tracking.unsubscribes import unsubscribe
from outreach.web.access import DeskNow
from outreach.web.desk import PAGES

router = APIRouter()
VERSION = version("outreach")
MEDIA_TYPES = {".svg": "image/svg+xml", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
FILES = {path.name: path for path in PAGES.iterdir() if path.suffix in MEDIA_TYPES}


@router.head("/healthz")
@router.get("/healthz")
def show_health(desk: DeskNow) -> Response:
    """For a load balancer: 200 while the database answers and has today's shape, else 503 and why."""
    try:
        with reading(desk.engine) as session:
            status = "ok" if is_upgraded(session) else "the database has another version's shape: outreach init"
    except SQLAlchemyError:
        status = "the database does not answer"
    about = {"status": status, "refused_webhooks": dict(desk.webhooks.refused), "version": VERSION}
    return JSONResponse(about, 200 if status == "ok" else 503)


@router.head("/assets/{name}")
@router.get("/assets/{name}")
def show_file(name: str) -> Response:
    """A style sheet or script of ours."""
    # Only names that were listed at the start: no path that is asked for is ever opened.
    if name not in FILES:
        raise HTTPException(404)
    return Response(FILES[name].read_bytes(), media_type=MEDIA_TYPES[FILES[name].suffix])


# As a path, because a link may have got a slash, or what stands before it, into its end.
@router.head("/unsubscribe/{token:path}")
@router.get("/unsubscribe/{token:path}")
def ask(desk: DeskNow, token: str) -> Response:
    """Looks nothing up: link scanners open every link, and a page must not tell good tokens from bad ones."""
    return desk.show("unsubscribe.html")


@router.post("/unsubscribe/{token:path}")
def act(desk: DeskNow, token: str) -> Response:
    """Unsubscribes at once, without a login: from the page's button, or from a mail program (RFC 8058)."""
    if not unsubscribe(desk.engine, desk.settings, token, desk.now):
        raise HTTPException(404)
    return desk.show("unsubscribed.html")
