"""Ids that come out the same whoever computes them, so that a second run finds the first one's rows."""

import hashlib

# Crockford's base 32: no I, L, O or U, so that a person can read a reference aloud or type it from a letter.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def moment_id(kind: str, customer_id: str, occasion: str) -> str:
    return _code("moment", kind, customer_id, occasion, length=20)


def reference(moment_id: str, step: int) -> str:
    """Our id for a message, such as K7QF-2M9X-TB4D: 60 bits, no person in it."""
    code = _code("message", moment_id, str(step), length=12)
    return "-".join(code[start : start + 4] for start in range(0, 12, 4))


def _code(*parts: str, length: int) -> str:
    # Lengths go in too, so that ("ab", "c") and ("a", "bc") differ.
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    number = int.from_bytes(hashlib.sha256(joined.encode()).digest(), "big")
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(length))
