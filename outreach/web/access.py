"""Finds the member of staff who is signed in at a browser, or sends the request to the sign-in page.

Every unsafe request must come from our own pages: its origin is ours, and it brings the token of its session.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from sqlmodel import Session

from outreach.approval.accounts import Caller, find_signed_in, must_choose_password, note_seen
from outreach.approval.staff import whom_to_ask
from outreach.database import reading
from outreach.errors import NotAllowed
from outreach.models import SignIn, Staff
from outreach.web.browsers import name_browser
from outreach.web.current_user import Signed
from outreach.web.desk import SAID, Desk

# Of a name that begins with __Host- a browser keeps only what came by https, for this host alone.
COOKIE = "__Host-session"
# By this a browser is known in which somebody has signed in before; it lets nobody in.
KNOWN = "__Host-known"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_FORM = 1024 * 1024
# The one address that takes more. It asks who sends before it reads any of it.
UPLOADS = "/imports/files"
# In the state of a request: how many bytes somebody sends who may send many. The server waits longer for these.
LONG_BODY = "long_body"


class NotSignedIn(Exception):
    """Nobody is signed in in this browser."""


class MustChoosePassword(Exception):
    """Nothing else may be done before the first password is changed."""


class NotFromOurPages(Exception):
    """An unsafe request that another site may have made."""


class OldToken(NotFromOurPages):
    """A form of our own that was opened in a session that has ended; another has begun since."""


class NotText(Exception):
    """A form holds a character that is no part of any text."""


def desk_of(request: Request) -> Desk:
    """The desk of this request, one for all that it depends on."""
    desk: Desk = request.app.state.desk
    return desk.for_request()


DeskNow = Annotated[Desk, Depends(desk_of)]


def find_signed(request: Request, desk: DeskNow, background: BackgroundTasks) -> Signed | None:
    """Who is signed in in this browser, if anybody."""
    token = request.cookies.get(COOKIE, "")
    if not token:
        return None
    with reading(desk.engine) as session:
        signed_in = find_signed_in(session, desk.written.desk, token, desk.now)
    if signed_in is None:
        return None
    # After the answer: while a long run writes, nobody's page shall wait for this.
    background.add_task(note_seen, desk.engine, signed_in[0], desk.now)
    return _signed_as(*signed_in, token, unquote(request.cookies.get(SAID, "")))


def find_by_token(session: Session, desk: Desk, token: str) -> Signed | None:
    """Who is signed in with the cookie `token`, for the answer that gives the browser this cookie."""
    signed_in = find_signed_in(session, desk.written.desk, token, desk.now)
    return _signed_as(*signed_in, token) if signed_in else None


def _signed_as(entry: SignIn, member: Staff, token: str, said: str = "") -> Signed:
    must_choose = must_choose_password(entry, member)
    return Signed(member.staff_id, member.name, member.role, csrf_token(token), said, must_choose)


MaybeSigned = Annotated[Signed | None, Depends(find_signed)]


def csrf_token(session_token: str) -> str:
    """The token that the forms of a session carry; it tells nothing of the session's own."""
    return hmac.new(session_token.encode(), b"csrf", hashlib.sha256).hexdigest()


def require_signed(signed: MaybeSigned) -> Signed:
    """Whoever is signed in, even before they have chosen a password. Raises NotSignedIn."""
    if signed is None:
        raise NotSignedIn
    return signed


Present = Annotated[Signed, Depends(require_signed)]


def at_least(role: str) -> Callable[[Signed, Desk], Signed]:
    """A dependency that lets in whoever has `role` or more. Raises NotSignedIn, MustChoosePassword or NotAllowed."""

    def let_in(signed: Present, desk: DeskNow) -> Signed:
        if signed.must_choose:
            raise MustChoosePassword
        if not signed.may(role):
            with reading(desk.engine) as session:
                ask = whom_to_ask(session)
            raise NotAllowed(f"You are signed in as {_a(signed.role)}; this is for {_a(role)}. Ask {ask} for that role")
        return signed

    return let_in


def _a(role: str) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}"


Viewer = Annotated[Signed, Depends(at_least("viewer"))]
Writer = Annotated[Signed, Depends(at_least("writer"))]
Approver = Annotated[Signed, Depends(at_least("approver"))]
Admin = Annotated[Signed, Depends(at_least("admin"))]


def require_own_origin(request: Request) -> None:
    """Raises NotFromOurPages for an unsafe request that does not come from a page of the address it was sent to."""
    if request.method not in SAFE and not _is_from_our_pages(request):
        raise NotFromOurPages


def _is_from_our_pages(request: Request) -> bool:
    """By what only the browser itself can write into a request. Whatever is missing or cannot be read says no.

    The page that sent it must be named, by its origin or its address, and be of the very host that it was sent to.
    """
    # Browsers send it to https and to their own machine alone (https://www.w3.org/TR/fetch-metadata/). Where it is
    # missing, the origin below has to do.
    if any(site != "same-origin" for site in request.headers.getlist("sec-fetch-site")):
        return False
    named = request.headers.getlist("origin") or request.headers.getlist("referer")
    came_from, own = {_host_of(page) for page in named}, _own_host(request)
    return own is not None and came_from == {own}


def _host_of(address: str) -> tuple[str, int] | None:
    """Host and port of an http(s) address; None for anything else, such as the “null” of a page from nowhere."""
    try:
        parts = urlsplit(address)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.hostname, port) if parts.hostname else None


def _own_host(request: Request) -> tuple[str, int] | None:
    """Where the browser sent it. A port that goes without saying is the one of the scheme that the browser names."""
    named = request.headers.get("origin") or request.headers.get("referer") or ""
    scheme = "https" if named.startswith("https://") else "http"
    return _host_of(f"{scheme}://{request.headers.get('host', '')}")


async def require_csrf(request: Request, signed: MaybeSigned) -> None:
    """Raises OldToken for an unsafe request without the token of its session."""
    # Without a session there is none to misuse, and pages that need one send the request to the sign-in.
    if request.method in SAFE or signed is None:
        return
    given = request.headers.get("x-csrf") or (await request.form()).get("csrf") or ""
    # As bytes: of texts, `compare_digest` takes only those in ASCII, and raises TypeError for others.
    if not hmac.compare_digest(str(given).encode("utf-8", "replace"), signed.csrf.encode()):
        raise OldToken


async def require_text(request: Request) -> None:
    """Raises NotText for a form with a NUL character: SQLite would keep it, and PostgreSQL would not."""
    if request.method not in SAFE and any("\0" in str(value) for value in (await request.form()).values()):
        raise NotText


async def expect_long_body(request: Request) -> None:
    """Lets whoever sends it take their time: they are signed in, and `is_too_long` has seen how long it is."""
    announced = request.headers.get("content-length", "")
    setattr(request.state, LONG_BODY, int(announced) if announced.isdecimal() else 0)


async def close_form(request: Request) -> AsyncIterator[None]:
    """Lets go of the files that came with a form, whatever becomes of the request."""
    yield
    await request.close()


def is_longer_than(request: Request, most: int) -> bool:
    """Whether a request announces more than `most` bytes, or a length that is none."""
    announced = request.headers.get("content-length", "")
    return bool(announced) and (not announced.isdecimal() or int(announced) > most)


def is_too_long(request: Request) -> bool:
    """Whether a form is longer than any of ours, or does not say how long it is.

    Webhooks and alarms see to that themselves, and unsubscribing does not read what comes with it.
    """
    if request.method in SAFE or request.url.path.startswith(("/webhooks/", "/unsubscribe/", "/alarms")):
        return False
    # It would be known only at its end how long it is.
    if "transfer-encoding" in request.headers:
        return True
    desk: Desk = request.app.state.desk
    is_upload = request.url.path == UPLOADS
    return is_longer_than(request, desk.longest_upload if is_upload else LONGEST_FORM)


def caller_of(request: Request, desk: Desk) -> Caller:
    """Who calls, as far as the connection tells. Only a proxy that the settings trust may say on whose behalf."""
    addresses = [part.strip() for part in ",".join(request.headers.getlist("x-forwarded-for")).split(",")]
    address = request.client.host if request.client else ""
    # From the right, where our own proxy wrote: whatever stands left of the first address we do not trust, anybody may
    # have written.
    while addresses and _is_trusted(address, desk):
        address = addresses.pop() or address
    return Caller(address, request.cookies.get(KNOWN, ""), name_browser(request.headers.get("user-agent", "")))


def _is_trusted(address: str, desk: Desk) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in desk.written.desk.trusted_proxies)


def new_door() -> APIRouter:
    """A router for those who are not signed in yet: its unsafe requests must come from our own pages."""
    return APIRouter(dependencies=[Depends(require_own_origin)])


def new_router(lowest: str = "") -> APIRouter:
    """A router whose unsafe requests must come from our own pages, and from this very session.

    With `lowest`, whoever has a lower role is sent away before anything of the request's body is read.
    """
    first = [Depends(require_own_origin), *([Depends(at_least(lowest)), Depends(expect_long_body)] if lowest else [])]
    return APIRouter(dependencies=[Depends(close_form), *first, Depends(require_csrf), Depends(require_text)])
