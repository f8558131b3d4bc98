"""The sign-in page: takes a name and a password, and gives a cookie or says why not.

A link can only lead here, never act.
"""

from typing import Annotated

from fastapi import Form, Request, Response

from outreach.approval.accounts import SignedIn, let_in, sign_out
from outreach.database import writing
from outreach.errors import SignInError, TooManyTries
from outreach.web.access import COOKIE, KNOWN, DeskNow, MaybeSigned, caller_of, new_door, new_router
from outreach.web.desk import Desk
from outreach.web.kept_words import KeptForm, read_kept, show_again_after
from outreach.web.signin_paths import local_path

router = new_router()
door = new_door()
Text = Annotated[str, Form()]
KNOWN_SECONDS = 365 * 24 * 3600


@door.get("/signin")
def ask_to_sign_in(desk: DeskNow, signed: MaybeSigned, next: str = "/") -> Response:
    return desk.go(local_path(next)) if signed else show_sign_in(desk, next)


@door.post("/signin")
def take_sign_in(
    request: Request, desk: DeskNow, who: Text = "", password: Text = "", next: Text = "/", kept: Text = ""
) -> Response:
    form = read_kept(kept)
    try:
        entry = let_in(desk.engine, desk.settings, who, password, caller_of(request, desk), desk.now)
    except SignInError as error:
        return show_sign_in(desk, next, error, who, form)
    return welcome(desk, entry, next, form)


@router.post("/signout")
def take_sign_out(request: Request, desk: DeskNow, signed: MaybeSigned) -> Response:
    with writing(desk.engine) as session:
        sign_out(session, request.cookies.get(COOKIE, ""), desk.now)
    return let_out(desk)


def show_sign_in(
    desk: Desk, next: str, error: SignInError | None = None, who: str = "", kept: KeptForm | None = None
) -> Response:
    """The page; with `kept`, it carries what somebody typed before their sign-in ended."""
    oidc = desk.written.desk.oidc
    response = desk.show(
        "signin.html",
        status=status_of(error),
        next=local_path(next),
        who=who,
        problem=str(error) if error else "",
        account=oidc.name if oidc.is_set else "",
        kept=kept,
    )
    return with_wait(response, error)


def status_of(error: SignInError | None) -> int:
    if error is None:
        return 200
    # Not 401: that answer has to name a scheme by which HTTP itself signs in (RFC 9110, 15.5.2).
    return 429 if isinstance(error, TooManyTries) else 403


def with_wait(response: Response, error: SignInError | None) -> Response:
    """Tells a program, too, how many seconds to wait."""
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(max(1, round(error.wait.total_seconds())))
    return response


def welcome(desk: Desk, entry: SignedIn, next: str, kept: KeptForm | None = None) -> Response:
    response = show_again_after(desk, entry.token, kept, next) if kept else desk.go(local_path(next))
    # Lax and not strict: with a strict cookie, a link in an e-mail or on Prefect's pages would lead to the sign-in
    # those who are signed in already.
    # Without an age: it ends with the browser, and here after `desk.session_hours`.
    response.set_cookie(COOKIE, entry.token, secure=True, httponly=True, samesite="lax", path="/")
    response.set_cookie(KNOWN, entry.known, max_age=KNOWN_SECONDS, secure=True, httponly=True, samesite="lax", path="/")
    return response


def let_out(desk: Desk) -> Response:
    response = desk.go("/signin")
    # The browser stays known (KNOWN), which lets nobody in: without it, a stranger's wrong tries with this name could
    # make its owner wait here too (login_throttle.py).
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="lax")
    return response
