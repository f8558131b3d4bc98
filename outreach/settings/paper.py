"""The settings of paper: `[paper]`, `[postage]` and `[proof]` in outreach.toml."""

from typing import Literal

from pydantic import Field

from outreach.settings.parts import Part


class PaperSettings(Part):
    """What letters are printed on, and what their files keep to."""

    #: The most pages that a letter's words may take.
    most_pages: int = Field(default=2, ge=1, le=10)
    #: Where the voucher of a gift stands.
    voucher: Literal["none", "strip", "page"] = "none"
    #: PDF/UA-1 can be read aloud; PDF/A-2b is that, and lasts as well.
    format: Literal["PDF/UA-1", "PDF/A-2b"] = "PDF/UA-1"
    #: Words, such as a brand, that nobody may read without opening the envelope.
    forbidden_outside: tuple[str, ...] = ()
    #: Each vendor and paper, as “stannp A4”, of which somebody has held a right proof in hand.
    confirmed_proofs: tuple[str, ...] = ()


class Postage(Part):
    """What one message costs, in minor units of the business's currency, for the count and cost staff approve."""

    #: The first page of a letter.
    letter: int = Field(default=105, ge=0)
    #: Each further page.
    letter_page: int = Field(default=15, ge=0)
    #: Both sides together.
    card: int = Field(default=75, ge=0)
    email: int = Field(default=0, ge=0)
    text_segment: int = Field(default=1, ge=0)
    call: int = Field(default=0, ge=0)


class ProofSettings(Part):
    """How letters look at the desk: on the `paper` they are printed on, in colour or in black. Never printed."""

    paper: Literal["white", "ivory", "cream", "grey"] = "white"
    ink: Literal["colour", "black"] = "colour"
