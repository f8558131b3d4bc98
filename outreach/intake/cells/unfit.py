"""The two ways in which a cell does not fit its column. They become refusals and notes, and never leave this room."""

from outreach.errors import IntakeError


class Unfit(IntakeError):
    """A value that its column cannot hold. It becomes a refusal and never leaves this room."""


class NoDay(Unfit):
    """A cell in which a date stands that cannot be meant. Where the column may be empty, it is taken in as empty."""
