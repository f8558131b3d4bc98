"""A customer who is good for the business, and a draw that picks them."""

from hashlib import md5

from sqlmodel import SQLModel

from moment_rows import ago, visit
from outreach.models import Customer


def drawn(seed: int, month: str, who: str) -> bool:
    """Whether the draw of a month picks somebody, as the moment's page says it: one of 200."""
    place = int(md5(f"{seed} {month} {who}".encode()).hexdigest()[:8], 16)
    return place < 2**32 // 200


LUCKY = next(f"c{n}" for n in range(10_000) if drawn(1, "2026-03", f"c{n}"))


def good(**values: object) -> list[SQLModel]:
    """Somebody whom the draw of March picked, and who is good just so."""
    return [Customer(customer_id=LUCKY, **{"customer_since": ago(365), **values}), visit(ago(364), who=LUCKY)]
