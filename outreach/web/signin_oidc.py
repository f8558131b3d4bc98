"""Signing in with an account from elsewhere: a button here, the provider's own pages, and back to a button here.

The way back changes nothing by itself: whoever opens such a link still has to press, in the browser that began.
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Form, HTTPException, Request, Response

from outreach.approval.accounts import let_in_by_account
from outreach.approval.passwords import draw_at_random
from outreach.contacts import load_key
from outreach.errors import NotLetIn, SignInError
from outreach.settings.desk import OidcSettings
from outreach.web.access import DeskNow, caller_of, new_door
from outreach.web.desk import Desk
from outreach.web.oidc import Handshake, begin, finish
from outreach.web.signin import show_sign_in, welcome
from outreach.web.signin_paths import local_path

router = new_door()
Text = Annotated[str, Form()]
COOKIE = "__Host-handshake"
GOOD_FOR = timedelta(minutes=10)


@router.post("/signin/account")
def send_to_provider(desk: DeskNow, next: Text = "/") -> Response:
    """A page that leads on, and not a redirect: browsers hold a form to its own site, redirects included."""
    oidc = _oidc_of(desk)
    try:
        address, handshake = begin(oidc, _our_address(desk), draw_at_random)
    except NotLetIn as error:
        return show_sign_in(desk, next, error)
    response = desk.show("provider.html", address=address, account=oidc.name)
    response.set_cookie(
        # Strict, since no other site has to send it: the way back ends on a page of ours, whose button does.
        COOKIE, _seal(desk, handshake, local_path(next)), max_age=int(GOOD_FOR.total_seconds()),
        secure=True, httponly=True, samesite="strict", path="/",
    )  # fmt: skip
    return response


@router.get("/signin/back")
def show_way_back(desk: DeskNow, code: str = "", state: str = "", iss: str = "") -> Response:
    oidc = _oidc_of(desk)
    if not code:
        return show_sign_in(desk, "/", NotLetIn("You were not signed in there. Try again, or use your name here"))
    return desk.show("back.html", code=code, state=state, iss=iss, account=oidc.name)


@router.post("/signin/back")
def take_way_back(request: Request, desk: DeskNow, code: Text = "", state: Text = "", iss: Text = "") -> Response:
    oidc, next = _oidc_of(desk), "/"
    try:
        handshake, next = _unseal(desk, request.cookies.get(COOKIE, ""))
        if not hmac.compare_digest(state.encode("utf-8", "replace"), handshake.state.encode()):
            raise NotLetIn("This sign-in was begun in another browser, or long ago. Begin anew")
        email = finish(oidc, _our_address(desk), handshake, code, iss, desk.now)
        entry = let_in_by_account(desk.engine, desk.settings, email, caller_of(request, desk), desk.now)
        response = welcome(desk, entry, next)
    except SignInError as error:
        response = show_sign_in(desk, next, error)
    # Right or wrong, it was good for one try.
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
    return response


def _oidc_of(desk: Desk) -> OidcSettings:
    oidc = desk.written.desk.oidc
    if not oidc.is_set:
        raise HTTPException(404)
    return oidc


def _our_address(desk: Desk) -> str:
    return desk.written.business.public_url.rstrip("/") + "/signin/back"


def _seal(desk: Desk, handshake: Handshake, next: str) -> str:
    """All of it in the browser's keeping, with a proof that it is ours."""
    until = (desk.now + GOOD_FOR).isoformat()
    handshake_json = json.dumps([handshake.state, handshake.nonce, handshake.verifier, next, until])
    written = base64.urlsafe_b64encode(handshake_json.encode()).decode()
    return f"{written}.{_prove(desk, written)}"


def _unseal(desk: Desk, cookie: str) -> tuple[Handshake, str]:
    written, _, proof = cookie.partition(".")
    if not hmac.compare_digest(proof.encode(), _prove(desk, written).encode()):
        raise NotLetIn("This sign-in was begun in another browser, or is used up. Begin anew")
    state, nonce, verifier, next, until = json.loads(base64.urlsafe_b64decode(written))
    if desk.now >= datetime.fromisoformat(until):
        raise NotLetIn("That took too long. Begin anew")
    return Handshake(state, nonce, verifier), next


def _prove(desk: Desk, written: str) -> str:
    key = load_key(desk.engine, desk.settings)
    # The key proves other things too, such as links to unsubscribe: by the word in front, none of them passes for
    # another.
    return hmac.new(key, f"handshake\0{written}".encode(), hashlib.sha256).hexdigest()
