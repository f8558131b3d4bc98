"""One finding of the doctor: whether a thing is well, and how to mend it. It holds no check of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from outreach.errors import OutreachError

# Names that lead nowhere by design (RFC 2606): the default's, and those of samples.
RESERVED_NAMES = (".invalid", ".example", ".test")


@dataclass(frozen=True)
class Finding:
    what: str
    is_well: bool
    mend: str = ""


def check(what: str, find_fault: Callable[[], str]) -> Finding:
    """The finding of a check that returns how to mend what is wrong, or nothing. One that cannot be made says why."""
    try:
        mend = find_fault()
    except OutreachError as error:
        mend = str(error)
    return Finding(what, not mend, mend)
