"""Makes ids that are the same whoever computes them, so that a second run finds the first one's rows."""

import hashlib
import unicodedata

# Crockford's base 32: no I, L, O or U, so that a person can read a reference aloud or type it from a letter.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOK_ALIKES = str.maketrans("OIL", "011")
_LENGTH = 12


def moment_id(kind: str, customer_id: str, occasion: str) -> str:
    return _code("moment", kind, customer_id, occasion, length=20)


def reference(moment_id: str, step: int) -> str:
    """Our id for a message, such as K7QF-2M9X-TB4D: 60 bits, no person in it."""
    return _dashed(_code("message", moment_id, str(step), length=_LENGTH))


def read_reference(typed: str) -> str | None:
    """The reference that somebody typed, read aloud or scanned; None when it can be none.

    Case, dashes and spaces do not matter, and what looks alike is taken for the one that can stand there.
    """
    plain = unicodedata.normalize("NFKC", typed).upper()
    code = "".join(letter for letter in plain if letter.isalnum()).translate(_LOOK_ALIKES)
    return _dashed(code) if len(code) == _LENGTH and set(code) <= set(_ALPHABET) else None


def _dashed(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, _LENGTH, 4))


def _code(*parts: str, length: int) -> str:
    # Lengths go in too, so that ("ab", "c") and ("a", "bc") differ.
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    number = int.from_bytes(hashlib.sha256(joined.encode()).digest(), "big")
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(length))
