"""A gift and whom it is for in; vouchers with a code each out, and the picture of a code that a telephone can read.

A code says nothing of its holder and cannot be guessed from anything that is printed beside it.
"""

import hashlib
import hmac
import io
from collections.abc import Iterable
from dataclasses import dataclass

import segno

from outreach.moments import knobs_for
from outreach.settings import Settings

# No letters that are read as digits or as one another.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_HALF = 4


@dataclass(frozen=True)
class Voucher:
    """A gift of `amount` minor units of `currency`, had for the `code`."""

    code: str
    amount: int
    currency: str


def vouchers_for(
    settings: Settings, key: bytes, kind: str, reference: str, customers: Iterable[str], currency: str
) -> tuple[Voucher, ...]:
    """One voucher for each of `customers`, where the moment `kind` carries a reward and letters enclose vouchers.

    The same message gives the same codes for ever, so that an edited letter keeps those it had.
    """
    amount = reward_of(settings, kind)
    if not amount or settings.paper.voucher == "none":
        return ()
    return tuple(Voucher(code_for(key, reference, customer), amount, currency) for customer in customers)


def reward_of(settings: Settings, kind: str) -> int:
    """What a moment gives each customer, in minor units; 0 for those that give nothing."""
    return int(getattr(knobs_for(settings, kind), "reward", 0))


def code_for(key: bytes, reference: str, customer_id: str) -> str:
    """The code of one customer's voucher in one message, such as 7KQ2-M9XB: 40 bits that only `key` tells."""
    said = f"voucher {len(reference)}:{reference} {customer_id}".encode()
    number = int.from_bytes(hmac.new(key, said, hashlib.sha256).digest()[:5], "big")
    letters = "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(2 * _HALF))
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


def draw_code(code: str) -> bytes:
    """An SVG of the code as a QR code with its quiet zone, which still reads when a seventh of it is lost."""
    file = io.BytesIO()
    segno.make_qr(code, error="m", boost_error=False).save(
        file, kind="svg", xmldecl=False, svgclass=None, lineclass=None, omitsize=True, border=4
    )
    return file.getvalue()
