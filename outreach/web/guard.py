"""Who is asking: a request in; the member of staff who is signed in out, or a way to the sign-in page.

Every unsafe request must come from our own pages: its origin is ours, and it brings the token of its session.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Depends, Request

from outreach.approval.accounts import find_signed_in
from outreach.database import reading
from outreach.errors import NotAllowed
from outreach.models import ROLES
from outreach.web.desk import SAID, Desk

COOKIE = "__Host-session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class NotSignedIn(Exception):
    """Nobody is signed in in this browser."""


class NotFromOurPages(Exception):
    """An unsafe request that another site may have made."""


@dataclass(frozen=True)
class Signed:
    """The person at this browser. `said` is what their last act had to say."""

    staff_id: str
    name: str
    role: str
    csrf: str
    said: str = ""

    def may(self, role: str) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


DeskNow = Annotated[Desk, Depends(desk_of)]


def find_signed(request: Request, desk: DeskNow) -> Signed | None:
    """Who is signed in in this browser, if anybody."""
    token = request.cookies.get(COOKIE, "")
    if not token:
        return None
    with reading(desk.engine) as session:
        member = find_signed_in(session, token, desk.now)
        if member is None:
            return None
        return Signed(
            member.staff_id, member.name, member.role, csrf_token(token), unquote(request.cookies.get(SAID, ""))
        )


MaybeSigned = Annotated[Signed | None, Depends(find_signed)]


def csrf_token(session_token: str) -> str:
    """The token that the forms of a session carry; it tells nothing of the session's own."""
    return hmac.new(session_token.encode(), b"csrf", hashlib.sha256).hexdigest()


def at_least(role: str) -> Callable[[Signed | None], Signed]:
    """A dependency that lets in whoever has `role` or more. Raises NotSignedIn or NotAllowed."""

    def let_in(signed: MaybeSigned) -> Signed:
        if signed is None:
            raise NotSignedIn
        if not signed.may(role):
            raise NotAllowed(f"You are signed in as a {signed.role}; this is for a {role}. Ask an admin for that role")
        return signed

    return let_in


Viewer = Annotated[Signed, Depends(at_least("viewer"))]
Writer = Annotated[Signed, Depends(at_least("writer"))]
Approver = Annotated[Signed, Depends(at_least("approver"))]
Admin = Annotated[Signed, Depends(at_least("admin"))]


def require_own_origin(request: Request) -> None:
    """Raises NotFromOurPages for an unsafe request that does not come from a page of the address it was sent to."""
    if request.method in SAFE:
        return
    named = request.headers.get("origin") or request.headers.get("referer") or ""
    if urlsplit(named).netloc != request.headers.get("host", ""):
        raise NotFromOurPages


async def require_csrf(request: Request, signed: MaybeSigned) -> None:
    """Raises NotFromOurPages for an unsafe request without the token of its session."""
    if request.method in SAFE or signed is None:
        return
    given = request.headers.get("x-csrf") or (await request.form()).get("csrf") or ""
    if not hmac.compare_digest(str(given).encode(), signed.csrf.encode()):
        raise NotFromOurPages


def new_router() -> APIRouter:
    """A router whose unsafe requests must come from our own pages."""
    return APIRouter(dependencies=[Depends(require_own_origin), Depends(require_csrf)])
