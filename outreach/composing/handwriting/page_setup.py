"""How a page is printed, apart from its words and pens: how many there may be, what is cut off, what it keeps to."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sheet:
    """`most_pages` there may be, of which `bleed` mm are cut off all around; `is_lasting` makes them PDF/A-2b.

    `pictures` are SVGs of ours, checked, that the page may show as `picture:<name>`.
    """

    most_pages: int = 1
    bleed: float = 0.0
    is_lasting: bool = False
    pictures: Mapping[str, bytes] = field(default_factory=dict)


ONE_PAGE = Sheet()
