"""Hashes passwords with argon2id, checks them against their hashes, and refuses those that are easily guessed.

A password is never kept, written down or shown again; only a first one is shown, once.
"""

import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from outreach.errors import PasswordRefused

Draw = Callable[[int], bytes]
# This room's one source of chance: so many bytes that nobody can guess.
draw_at_random: Draw = secrets.token_bytes

SHORTEST, LONGEST = 12, 128
# What must be left of a password once everything that anybody would try first is taken out of it.
_LEFT_OVER = 8
_DIFFERENT = 5
_OBVIOUS = (
    "password", "passwort", "passphrase", "secret", "welcome", "letmein", "changeme", "outreach", "receptionist",
    "reception", "dental", "dentist", "admin", "qwertyuiop", "qwerty", "asdfghjkl", "iloveyou", "sunshine", "football",
    "1234567890", "123456789", "12345678", "123456", "0987654321", "987654321", "abcdefgh", "abcdef", "abc123",
)  # fmt: skip
# Crockford's base 32 in small letters: nothing in it is mistaken for another when read aloud or typed from paper.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Above the lowest parameters that OWASP names for argon2id; about a tenth of a second.
TIMES, KIBIBYTES = 2, 47_104
_hasher = PasswordHasher(time_cost=TIMES, memory_cost=KIBIBYTES, parallelism=1, type=Type.ID)
# Each takes 46 MiB while it runs: a crowd at the door must not use up the machine.
_at_once = BoundedSemaphore(2)


def make_first_password(draw: Draw = draw_at_random) -> str:
    """80 bits of chance as four groups of letters and digits, such as k7qf-2m9x-tb4d-w3hn."""
    number = int.from_bytes(draw(10), "big")
    code = "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(16))
    return "-".join(code[start : start + 4] for start in range(0, 16, 4))


def hash_password(password: str) -> str:
    with _at_once:
        return _hasher.hash(_normalise(password))


def fits(password: str, hashed: str | None) -> bool:
    """Whether it is the password of that hash. Without a hash the answer is no, after the same work as ever."""
    is_possible = len(password) <= LONGEST
    # Made for every try, since the first one in a process takes as long again: that must not tell who exists.
    nobodys = _nobodys_hash()
    try:
        with _at_once:
            _hasher.verify(hashed or nobodys, _normalise(password[:LONGEST]))
    except (VerificationError, InvalidHashError):
        return False
    return is_possible and hashed is not None


def is_outdated(hashed: str) -> bool:
    """Whether a hash was made with other parameters than today's, and should be made anew at the next chance."""
    return _hasher.check_needs_rehash(hashed)


def require_good_password(password: str, known: Iterable[str]) -> None:
    """Raises PasswordRefused, saying why, for one that is too short or easily guessed.

    `known` are the words that those who try would try first: the business's, and the person's own.
    """
    written = _normalise(password)
    if not SHORTEST <= len(written) <= LONGEST:
        raise PasswordRefused(
            f"A password has {SHORTEST} to {LONGEST} characters; this one has {len(written)}. Three or four words that "
            "do not belong together are easy to keep in mind"
        )
    rest = _fold(written)
    words = {word for line in known for word in (_fold(line), *(_fold(part) for part in line.split()))}
    for word in sorted({*_OBVIOUS, *words}, key=len, reverse=True):
        rest = rest.replace(word, "") if len(word) >= 3 else rest
    if len(rest) < _LEFT_OVER or len(set(_fold(written))) < _DIFFERENT:
        raise PasswordRefused(
            "This password is easily guessed: it is made of names, or of what everybody tries first. Three or four "
            "words that do not belong together are better"
        )


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(draw_at_random(32))


def _normalise(password: str) -> str:
    """The same letter, however a keyboard put it together."""
    return unicodedata.normalize("NFC", password)


def _fold(text: str) -> str:
    return re.sub(r"[\s_.\-]", "", unicodedata.normalize("NFKC", text).casefold())
