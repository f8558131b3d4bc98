"""The two ways in which a cell does not fit its column, and what is told of one that was taken in all the same.

They become refusals and notes, and never leave this room.
"""

from dataclasses import dataclass

from outreach.errors import IntakeError


class Unfit(IntakeError):
    """A value that its column cannot hold. It becomes a refusal and never leaves this room."""


class NoDay(Unfit):
    """A cell in which a date stands that cannot be meant. Where the column may be empty, it is taken in as empty."""


NOT_USED = "the cell was not used"


@dataclass(frozen=True)
class Remark:
    """What a person is told of a cell that was taken in, in another way than as it stands or with a doubt."""

    #: One of ours.
    column: str
    reason: str
    #: It was put right, and counts among the cells that were mended.
    is_mended: bool = False
