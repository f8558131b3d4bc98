"""The sign-in page: a name and a password in; a cookie, or a clear word, out."""

import secrets
from typing import Annotated

from fastapi import Form, Request, Response

from outreach.approval.accounts import check_password, sign_in, sign_out
from outreach.database import reading, writing
from outreach.web.guard import COOKIE, DeskNow, MaybeSigned, new_router

router = new_router()
HOURS = 12
Text = Annotated[str, Form()]


@router.get("/signin")
def ask_to_sign_in(desk: DeskNow, next: str = "/") -> Response:
    return desk.show("signin.html", next=_local(next), problem="")


@router.post("/signin")
def take_sign_in(desk: DeskNow, who: Text, password: Text, next: Text = "/") -> Response:
    with reading(desk.engine) as session:
        is_right = check_password(session, who.strip(), password)
    if not is_right:
        return desk.show("signin.html", status=403, next=_local(next), problem="That name and password do not fit.")
    token = secrets.token_urlsafe(32)
    with writing(desk.engine) as session:
        sign_in(session, who.strip(), token, HOURS, desk.now)
    response = desk.go(_local(next))
    response.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="lax", path="/")
    return response


@router.post("/signout")
def take_sign_out(request: Request, desk: DeskNow, signed: MaybeSigned) -> Response:
    with writing(desk.engine) as session:
        sign_out(session, request.cookies.get(COOKIE, ""))
    response = desk.go("/signin")
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="lax")
    return response


def _local(path: str) -> str:
    """Only a path of ours: a link must not lead on to another site."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
