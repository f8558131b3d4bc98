"""The sign-in page: a name and a password in; a cookie, or a clear word, out. A link can only lead here, never act."""

import re
from typing import Annotated

from fastapi import Form, Request, Response

from outreach.approval.accounts import Entry, let_in, sign_out
from outreach.database import writing
from outreach.errors import SignInError, TooManyTries
from outreach.web.desk import Desk
from outreach.web.guard import COOKIE, KNOWN, DeskNow, MaybeSigned, caller_of, new_door, new_router

router = new_router()
door = new_door()
Text = Annotated[str, Form()]
KNOWN_SECONDS = 365 * 24 * 3600
# A browser takes a backslash for a slash, and drops line ends and tabs wherever they stand.
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,1000}")


@door.get("/signin")
def ask_to_sign_in(desk: DeskNow, signed: MaybeSigned, next: str = "/") -> Response:
    return desk.go(local_path(next)) if signed else show_sign_in(desk, next)


@door.post("/signin")
def take_sign_in(request: Request, desk: DeskNow, who: Text = "", password: Text = "", next: Text = "/") -> Response:
    try:
        entry = let_in(desk.engine, desk.settings, who, password, caller_of(request, desk), desk.now)
    except SignInError as error:
        return show_sign_in(desk, next, error, who)
    return welcome(desk, entry, next)


@router.post("/signout")
def take_sign_out(request: Request, desk: DeskNow, signed: MaybeSigned) -> Response:
    with writing(desk.engine) as session:
        sign_out(session, request.cookies.get(COOKIE, ""), desk.now)
    return let_out(desk)


def show_sign_in(desk: Desk, next: str, error: SignInError | None = None, who: str = "") -> Response:
    oidc = desk.written.desk.oidc
    response = desk.show(
        "signin.html",
        status=status_of(error),
        next=local_path(next),
        who=who,
        problem=str(error) if error else "",
        account=oidc.name if oidc.is_set else "",
    )
    return with_wait(response, error)


def status_of(error: SignInError | None) -> int:
    if error is None:
        return 200
    return 429 if isinstance(error, TooManyTries) else 403


def with_wait(response: Response, error: SignInError | None) -> Response:
    """Tells a program, too, how many seconds to wait."""
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(max(1, round(error.wait.total_seconds())))
    return response


def welcome(desk: Desk, entry: Entry, next: str) -> Response:
    response = desk.go(local_path(next))
    response.set_cookie(COOKIE, entry.token, secure=True, httponly=True, samesite="lax", path="/")
    response.set_cookie(KNOWN, entry.known, max_age=KNOWN_SECONDS, secure=True, httponly=True, samesite="lax", path="/")
    return response


def let_out(desk: Desk) -> Response:
    response = desk.go("/signin")
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="lax")
    return response


def local_path(path: str) -> str:
    """Only a path of ours: a link must not lead on to another site, nor round in circles."""
    return path if _LOCAL.fullmatch(path) and not path.startswith(("/signin", "/signout")) else "/"
