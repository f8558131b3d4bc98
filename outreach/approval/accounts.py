"""Signs people in by name and password, and knows who is signed in at a browser.

Passwords and the cookies of browsers are kept only as hashes. Nobody is made a member of staff here, and nothing here
tells a wrong password from a name that does not exist.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.login_throttle import Subject, count_try, forget_failures, name_subjects, subjects_of
from outreach.approval.passwords import (
    Draw,
    draw_at_random,
    fits,
    hash_password,
    is_outdated,
    require_good_password,
)
from outreach.approval.staff import end_sign_ins, find_by_email, known_words, set_password
from outreach.contacts import load_key
from outreach.database import reading, writing
from outreach.errors import NotLetIn, PasswordRefused
from outreach.models import SignIn, Staff
from outreach.settings import Settings
from outreach.settings.desk import DeskSettings

SEEN_EVERY = timedelta(minutes=1)
# On one browser, as many people as take turns at a front desk.
_KNOWN_AT_MOST = 6


@dataclass(frozen=True)
class Caller:
    """Whose request it is, as far as the connection tells."""

    address: str
    #: The cookie of a browser in which somebody has signed in before.
    known: str = ""
    #: What the browser is, such as “Firefox on Windows”.
    browser: str = ""


@dataclass(frozen=True)
class SignedIn:
    """Somebody who was let in."""

    staff_id: str
    #: For the cookie of their session.
    token: str
    #: For the cookie by which the browser is known from now on.
    known: str


def let_in(
    engine: Engine,
    settings: Settings,
    name: str,
    password: str,
    caller: Caller,
    now: datetime,
    draw: Draw = draw_at_random,
) -> SignedIn:
    """Lets in the member of staff with this id (or e-mail address) and password. Raises NotLetIn or TooManyTries."""
    key = load_key(engine, settings)
    with reading(engine) as session:
        member = _find_by_name(session, name)
    known = _find_known(key, member.staff_id, caller.known) if member else ""
    # Counted by what was typed, and not by whose it is: else a name that exists would be known by how it counts.
    subjects = subjects_of(key, name, caller.address, known)
    is_right = _try(engine, subjects, password, member.password_hash if member else None, now)
    if not member or not is_right:
        raise NotLetIn("This name and this password do not belong together. Try again, or ask an admin for a new one")
    who = member.staff_id
    fresh = hash_password(password) if is_outdated(member.password_hash or "") else None
    with writing(engine) as session:
        # Whoever comes by a browser they know opens the door to nobody who tries their name from elsewhere.
        names = [] if known else name_subjects(key, [who, member.email or ""])
        forget_failures(session, [*subjects, *names])
        # The password was looked at with no transaction open: somebody may have been removed meanwhile.
        current = session.get_one(Staff, who, with_for_update=True)
        if current.removed_at or current.password_hash != member.password_hash:
            raise NotLetIn("This account has just been changed. Try again")
        current.password_hash = fresh or current.password_hash
        token = _open(session, settings.desk, who, "password", caller, now, draw)
    return SignedIn(who, token, _remember(key, who, caller.known, draw))


def let_in_by_account(
    engine: Engine, settings: Settings, email: str, caller: Caller, now: datetime, draw: Draw = draw_at_random
) -> SignedIn:
    """Lets in the member of staff with an address that a provider has verified. Raises NotLetIn; nobody is made."""
    key = load_key(engine, settings)
    with writing(engine) as session:
        member = find_by_email(session, email)
        if member is None:
            raise NotLetIn("Nobody here has the e-mail address of that account. Ask an admin to add it to your record")
        token = _open(session, settings.desk, member.staff_id, "account", caller, now, draw)
    return SignedIn(member.staff_id, token, _remember(key, member.staff_id, caller.known, draw))


def _try(engine: Engine, subjects: Sequence[Subject], password: str, hashed: str | None, now: datetime) -> bool:
    """Whether it is the password, after counting this try. Raises TooManyTries instead of looking at it."""
    with writing(engine) as session:
        count_try(session, subjects, now)
    # Outside of any transaction: it takes a tenth of a second, and on SQLite everybody would wait for it.
    return fits(password, hashed)


def _find_by_name(session: Session, name: str) -> Staff | None:
    """The active member of staff whose id or e-mail address was typed, as phones and people write them."""
    typed = name.strip()
    if "\0" in typed:  # PostgreSQL does not even compare with it
        return None
    member = session.get(Staff, typed) or session.get(Staff, typed.lower())
    if member is None and "@" in typed:
        member = find_by_email(session, typed)
    return None if member is None or member.removed_at else member


def _open(
    session: Session, desk: DeskSettings, staff_id: str, how: str, caller: Caller, now: datetime, draw: Draw
) -> str:
    """A new session, and the token for its cookie: 256 bits of chance that are kept nowhere."""
    token = draw(32).hex()
    session.connection().execute(delete(SignIn).where(col(SignIn.ends_at) <= now))
    sign_in(session, staff_id, token, desk.session_hours, now, how, caller.browser)
    record_act(session, staff_id, "signed in", staff_id, how, now)
    return token


def sign_in(
    session: Session, staff_id: str, token: str, hours: float, now: datetime, how: str = "password", browser: str = ""
) -> SignIn:
    """Remembers that the browser with the cookie `token` is this person's for `hours`."""
    entry = SignIn(
        token_hash=hash_token(token), staff_id=staff_id, at=now, seen_at=now, ends_at=now + timedelta(hours=hours),
        how=how, browser=browser,
    )  # fmt: skip
    session.add(entry)
    session.flush()
    return entry


def find_signed_in(session: Session, desk: DeskSettings, token: str, now: datetime) -> tuple[SignIn, Staff] | None:
    """The sign-in that a browser's cookie stands for, and whose it is, as long as it is good."""
    entry = session.get(SignIn, hash_token(token)) if token else None
    if entry is None or entry.ends_at <= now or entry.seen_at + timedelta(minutes=desk.idle_minutes) <= now:
        return None
    member = session.get(Staff, entry.staff_id)
    return None if member is None or member.removed_at else (entry, member)


def must_choose_password(entry: SignIn, member: Staff) -> bool:
    """Whether nothing else may be done before a password of one's own is chosen."""
    return entry.how == "password" and member.password_hash is not None and member.must_change


def note_seen(engine: Engine, entry: SignIn, now: datetime) -> None:
    """Keeps a sign-in from ending unused; written at most once a minute."""
    if now - entry.seen_at < SEEN_EVERY:
        return
    with writing(engine) as session:
        seen = session.get(SignIn, entry.token_hash)
        if seen and seen.seen_at < now:
            seen.seen_at = now


def list_sign_ins(session: Session, desk: DeskSettings, staff_id: str, now: datetime) -> Sequence[SignIn]:
    """Where somebody is signed in, the last used first."""
    used_since = now - timedelta(minutes=desk.idle_minutes)
    good = select(SignIn).where(SignIn.staff_id == staff_id, SignIn.ends_at > now, SignIn.seen_at > used_since)
    return session.exec(good.order_by(col(SignIn.seen_at).desc(), SignIn.token_hash)).all()


def sign_out(session: Session, token: str, now: datetime) -> None:
    """Ends the sign-in of this cookie, if there is one."""
    mine = delete(SignIn).where(col(SignIn.token_hash) == hash_token(token)).returning(col(SignIn.staff_id))
    for staff_id in session.connection().execute(mine).scalars().all():
        record_act(session, staff_id, "signed out", staff_id, "", now)


def sign_out_everywhere(session: Session, staff_id: str, now: datetime) -> int:
    """Ends all of somebody's sign-ins; returns how many there were."""
    record_act(session, staff_id, "signed out everywhere", staff_id, "", now)
    return end_sign_ins(session, staff_id)


def change_password(
    engine: Engine, settings: Settings, token: str, old: str, new: str, caller: Caller, now: datetime
) -> None:
    """Takes a new password from whoever is signed in and knows the old one; ends their other sign-ins.

    Raises NotLetIn, TooManyTries, or PasswordRefused saying what is wrong with the new one.
    """
    key = load_key(engine, settings)
    with reading(engine) as session:
        signed_in = find_signed_in(session, settings.desk, token, now)
    if signed_in is None:
        raise NotLetIn("You are not signed in any more. Sign in, then choose the password")
    entry, member = signed_in
    require_good_password(new, known_words(member, settings.business.name))
    subjects = subjects_of(key, member.staff_id, caller.address, _find_known(key, member.staff_id, caller.known))
    if not _try(engine, subjects, old, member.password_hash, now):
        raise NotLetIn("That is not your present password. Try again")
    if fits(new, member.password_hash):
        raise PasswordRefused("The new password is the old one. Choose another")
    with writing(engine) as session:
        forget_failures(session, subjects)
        # As in `let_in`: the old password was looked at with no transaction open.
        current = session.get_one(Staff, member.staff_id, with_for_update=True)
        if current.removed_at or current.password_hash != member.password_hash:
            raise NotLetIn("This account has just been changed. Try again")
        set_password(session, member.staff_id, new, must_change=False, keep=entry.token_hash)
        record_act(session, member.staff_id, "password changed", member.staff_id, "", now)


def _find_known(key: bytes, staff_id: str, cookie: str) -> str:
    """The part of a browser's cookie that proves that this person signed in there before; empty without one."""
    for part in cookie.split("~")[:_KNOWN_AT_MOST]:
        nonce, _, proof = part.partition(".")
        if hmac.compare_digest(proof.encode(), _prove(key, staff_id, nonce).encode()):
            return part
    return ""


def _remember(key: bytes, staff_id: str, cookie: str, draw: Draw) -> str:
    """The cookie by which this browser is known from now on, beside those who signed in there before."""
    if _find_known(key, staff_id, cookie):
        return cookie
    nonce = draw(16).hex()
    before = [part for part in cookie.split("~") if part]
    return "~".join([f"{nonce}.{_prove(key, staff_id, nonce)}", *before][:_KNOWN_AT_MOST])


def _prove(key: bytes, staff_id: str, nonce: str) -> str:
    # The key proves other things too: by the words in front, nothing that it proved elsewhere passes for this cookie.
    return hmac.new(key, f"known browser\0{staff_id}\0{nonce}".encode(), hashlib.sha256).hexdigest()


def hash_token(token: str) -> str:
    # No salt and no slow hash, as a password needs: nobody guesses 256 bits of chance.
    return hashlib.sha256(token.encode()).hexdigest()
