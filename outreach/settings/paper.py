"""What the business decides about paper: `[paper]` and `[postage]` in outreach.toml, and how proofs look."""

from typing import Literal

from pydantic import Field

from outreach.settings.parts import Part


class PaperSettings(Part):
    """A letter has `most_pages` of words at most. `voucher` says where the voucher of a gift stands.

    `format` is what the file keeps to: PDF/UA-1 can be read aloud; PDF/A-2b is that, and lasts as well.
    `forbidden_outside` are words, such as a brand, that nobody may read without opening the envelope, and
    `confirmed_proofs` name each vendor and paper, as “stannp A4”, of which somebody has held a right proof in hand.
    """

    most_pages: int = Field(default=2, ge=1, le=10)
    voucher: Literal["none", "strip", "page"] = "none"
    format: Literal["PDF/UA-1", "PDF/A-2b"] = "PDF/UA-1"
    forbidden_outside: tuple[str, ...] = ()
    confirmed_proofs: tuple[str, ...] = ()


class Postage(Part):
    """What one message costs, in minor units of the business's currency, for the count and cost staff approve.

    `letter` is for the first page, and `letter_page` for each further one; `card` is for both sides.
    """

    letter: int = Field(default=105, ge=0)
    letter_page: int = Field(default=15, ge=0)
    card: int = Field(default=75, ge=0)
    email: int = Field(default=0, ge=0)
    text_segment: int = Field(default=1, ge=0)
    call: int = Field(default=0, ge=0)


class ProofSettings(Part):
    """How letters look at the desk: on the `paper` they are printed on, in colour or in black. Never printed."""

    paper: Literal["white", "ivory", "cream", "grey"] = "white"
    ink: Literal["colour", "black"] = "colour"
