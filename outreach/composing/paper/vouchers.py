"""Makes a voucher with a code for each customer who is given something, and draws the code for a telephone to read.

A code says nothing of its holder and cannot be guessed from anything that is printed beside it.
"""

import hashlib
import hmac
import io
from collections.abc import Iterable
from dataclasses import dataclass

import segno

from outreach.settings import Settings

# No letters that are read as digits or as one another.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOK_ALIKES = str.maketrans("OIL", "011")
_HALF = 4


@dataclass(frozen=True)
class Voucher:
    """A gift of `amount` minor units of `currency`, had for the `code`."""

    code: str
    amount: int
    currency: str


def vouchers_for(
    settings: Settings, key: bytes, amount: int, reference: str, customers: Iterable[str], currency: str
) -> tuple[Voucher, ...]:
    """One voucher for each of `customers`, where they are given an `amount` and letters enclose vouchers.

    The same message gives the same codes for ever, so that an edited letter keeps those it had.
    """
    if not amount or settings.paper.voucher == "none":
        return ()
    return tuple(Voucher(code_for(key, reference, customer), amount, currency) for customer in customers)


def code_for(key: bytes, reference: str, customer_id: str) -> str:
    """The code of one customer's voucher in one message, such as 7KQ2-M9XB: 40 bits that only `key` tells."""
    # The length comes first, so that no other reference and id can be written one after the other to the same text.
    named = f"voucher {len(reference)}:{reference} {customer_id}".encode()
    number = int.from_bytes(hmac.new(key, named, hashlib.sha256).digest()[:5], "big")
    letters = "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(2 * _HALF))
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


def hash_code(key: bytes, code: str) -> str:
    """What is kept of a code: whoever reads the database cannot redeem."""
    return hmac.new(key, f"reward {code}".encode(), hashlib.sha256).hexdigest()


def read_code(typed: str) -> str | None:
    """The code that somebody typed, read out or scanned; None when it can be none. Look-alikes are taken for theirs."""
    plain = "".join(letter for letter in typed.upper() if letter.isalnum()).translate(_LOOK_ALIKES)
    return f"{plain[:_HALF]}-{plain[_HALF:]}" if len(plain) == 2 * _HALF and set(plain) <= set(_ALPHABET) else None


def draw_code(code: str) -> bytes:
    """An SVG of the code as a QR code with its quiet zone, which still reads when a seventh of it is lost."""
    file = io.BytesIO()
    segno.make_qr(code, error="m", boost_error=False).save(
        file, kind="svg", xmldecl=False, svgclass=None, lineclass=None, omitsize=True, border=4
    )
    return file.getvalue()
