"""One's own account: where one is signed in, signing out everywhere, and choosing a password."""

from typing import Annotated

from fastapi import Form, Request, Response

from outreach.approval.accounts import change_password, hash_token, list_sign_ins, sign_out_everywhere
from outreach.approval.staff import require_staff
from outreach.database import reading, writing
from outreach.errors import PasswordRefused, SignInError
from outreach.web.access import COOKIE, DeskNow, Present, Viewer, caller_of, new_router
from outreach.web.current_user import Signed
from outreach.web.desk import Desk
from outreach.web.kept_words import KeptForm, read_kept, show_again_after
from outreach.web.signin import let_out, status_of, with_wait

router = new_router()
Text = Annotated[str, Form()]


@router.get("/account")
def show_account(request: Request, desk: DeskNow, signed: Viewer) -> Response:
    with reading(desk.engine) as session:
        entries = list_sign_ins(session, desk.written.desk, signed.staff_id, desk.now)
        member = require_staff(session, signed.staff_id)
    # Only the hashes of tokens are on record.
    here = hash_token(request.cookies.get(COOKIE, ""))
    return desk.show("account.html", signed, entries=entries, this_one=here, member=member)


@router.post("/account/signout")
# `Present` and not `Viewer`, here and below: it is also for those who have to choose a password before anything else.
def sign_out_of_all(desk: DeskNow, signed: Present) -> Response:
    with writing(desk.engine) as session:
        sign_out_everywhere(session, signed.staff_id, desk.now)
    return let_out(desk)


@router.get("/account/password")
def ask_for_password(desk: DeskNow, signed: Present) -> Response:
    return _show_password(desk, signed)


@router.post("/account/password")
def take_password(
    request: Request,
    desk: DeskNow,
    signed: Present,
    old: Text = "",
    new: Text = "",
    again: Text = "",
    kept: Text = "",
) -> Response:
    form, token = read_kept(kept), request.cookies.get(COOKIE, "")
    try:
        if new != again:
            raise PasswordRefused("The new password was not typed twice alike. Type it again, both times")
        change_password(desk.engine, desk.settings, token, old, new, caller_of(request, desk), desk.now)
    except SignInError as error:
        return _show_password(desk, signed, error, form)
    if form:
        # The cookie is still good: `change_password` ends all sign-ins but this one.
        return show_again_after(desk, token, form, "/")
    return desk.go("/", "Your password is changed. You are signed out wherever else you were signed in.")


def _show_password(
    desk: Desk, signed: Signed, error: SignInError | None = None, kept: KeptForm | None = None
) -> Response:
    status = 400 if isinstance(error, PasswordRefused) else status_of(error)
    return with_wait(desk.show("password.html", signed, status, problem=str(error) if error else "", kept=kept), error)
