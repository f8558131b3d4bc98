"""Carries words that somebody typed before their sign-in ended through signing in, and shows them again afterwards.

Nothing is kept on the server, and nothing is done with the words before the person presses once more.
"""

import json
from dataclasses import dataclass

from fastapi import Request, Response

from outreach.database import reading
from outreach.web.access import LONGEST_FORM, find_by_token, is_longer_than
from outreach.web.current_user import Signed
from outreach.web.desk import Desk
from outreach.web.signin_paths import local_path

# The fields of our forms into which people write something of their own.
TYPED = frozenset({"words", "text", "note", "reason", "source", "ids", "query", "typed", "event", "other", "title"})


@dataclass(frozen=True)
class KeptForm:
    """A form as it was sent."""

    #: The path that it was sent to.
    action: str
    #: Its fields, without the proof of a session that has ended.
    fields: tuple[tuple[str, str], ...]

    @property
    def typed(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.fields if name in TYPED and value.strip()]

    @property
    def rest(self) -> list[tuple[str, str]]:
        return [field for field in self.fields if field not in self.typed]

    def write(self) -> str:
        """As one line of text, for a hidden field."""
        return json.dumps([self.action, self.fields])


async def keep_form(request: Request) -> KeptForm | None:
    """What a request brings of a form of the desk that somebody typed into; None for any other."""
    if request.method != "POST" or "form" not in request.headers.get("content-type", ""):
        return None
    # Nobody is signed in here: of a large file not a byte is read.
    if is_longer_than(request, LONGEST_FORM):
        return None
    # Files that came with it are let go.
    async with request.form() as form:
        fields = form.multi_items()
    kept = tuple((name, value) for name, value in fields if isinstance(value, str) and name != "csrf")
    query = f"?{request.url.query}" if request.url.query else ""
    return _with_words(KeptForm(request.url.path + query, kept))


def read_kept(text: str) -> KeptForm | None:
    """What `KeptForm.write` wrote; None for anything else."""
    try:
        action, fields = json.loads(text)
        kept = tuple((str(name), str(value)) for name, value in fields)
    except (ValueError, TypeError):
        return None
    return _with_words(KeptForm(str(action), kept))


def _with_words(form: KeptForm) -> KeptForm | None:
    """Only a form of the desk's own pages with words in it; never one with a password."""
    # The forms of /account hold passwords.
    is_ours = local_path(form.action) == form.action and not form.action.startswith("/account")
    return form if is_ours and form.typed else None


def show_again(desk: Desk, signed: Signed, form: KeptForm, status: int = 200, back: str = "/") -> Response:
    """The page with the typed words in their fields, and a button that sends them to where they were meant for."""
    return desk.show("kept.html", signed, status, here="", form=form, back=local_path(back))


def show_again_after(desk: Desk, token: str, form: KeptForm, back: str) -> Response:
    """The same for whoever has just signed in; where they must choose a password first, that page with the words."""
    with reading(desk.engine) as session:
        signed = find_by_token(session, desk, token)
    if signed is None:
        return desk.go(local_path(back))
    if signed.must_choose:
        return desk.show("password.html", signed, problem="", kept=form)
    return show_again(desk, signed, form, back=back)
