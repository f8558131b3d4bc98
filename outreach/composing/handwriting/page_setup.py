"""How a page is printed, apart from its words and pens: how many pages, what is cut off, which standard it keeps to."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sheet:
    """What the press must know of the paper."""

    #: So many pages there may be.
    most_pages: int = 1
    #: So many mm are cut off all around.
    bleed: float = 0.0
    #: Whether it is PDF/A-2b.
    is_lasting: bool = False
    #: SVGs of ours, checked, that the page may show as `picture:<name>`.
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    #: What to say where the words need more pages; empty for a letter's usual sentence.
    too_long: str = ""


ONE_PAGE = Sheet()
