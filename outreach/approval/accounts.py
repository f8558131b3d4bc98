"""Names and passwords in; who is signed in, out. Passwords and the cookies of browsers are kept only as hashes."""

import hashlib
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlmodel import Session

from outreach.models import SignIn, Staff

# Argon2id with the package's parameters: those of RFC 9106 for machines with little memory.
HASHER = PasswordHasher()


def set_password(session: Session, staff_id: str, password: str, must_change: bool) -> None:
    """Gives somebody a new password; `must_change` asks them for another at their next sign-in."""
    member = session.get_one(Staff, staff_id)
    member.password_hash, member.must_change = HASHER.hash(password), must_change


def check_password(session: Session, staff_id: str, password: str) -> bool:
    """Whether this is the password of an active member of staff."""
    member = session.get(Staff, staff_id)
    if member is None or member.removed_at or not member.password_hash:
        return False
    try:
        return HASHER.verify(member.password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def sign_in(session: Session, staff_id: str, token: str, hours: float, now: datetime) -> SignIn:
    """Remembers that the browser with the cookie `token` is this person's for `hours`."""
    entry = SignIn(
        token_hash=_hash(token), staff_id=staff_id, at=now, seen_at=now, ends_at=now + timedelta(hours=hours)
    )
    session.add(entry)
    session.flush()
    return entry


def find_signed_in(session: Session, token: str, now: datetime) -> Staff | None:
    """The active member of staff whose browser has this cookie, as long as it is good."""
    entry = session.get(SignIn, _hash(token))
    if entry is None or entry.ends_at <= now:
        return None
    member = session.get(Staff, entry.staff_id)
    return None if member is None or member.removed_at else member


def sign_out(session: Session, token: str) -> None:
    if entry := session.get(SignIn, _hash(token)):
        session.delete(entry)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
