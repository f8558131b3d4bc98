"""What a message says, what it was made with, and which members of staff had a part in that."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from outreach.models.column_types import instant_field, one_of

# What somebody can have put into a message, beside an edit of that message alone.
PARTS = ("words", "knobs", "event", "treatment")


class Wording(SQLModel, table=True):
    """What composing wrote, as plain text and without the layout around it: what an edit begins from."""

    __tablename__ = "wordings"
    reference: str = Field(primary_key=True, foreign_key="messages.reference")
    words: str


class Edit(SQLModel, table=True):
    """New words that somebody gave to one message; the highest `number` is what it says."""

    __tablename__ = "edits"
    reference: str = Field(primary_key=True, foreign_key="messages.reference")
    number: int = Field(primary_key=True)
    words: str
    by: str
    at: datetime = instant_field()


class Provenance(SQLModel, table=True):
    """What messages were made with, and by whom: the same for all that were made alike. Never changed."""

    __tablename__ = "provenances"
    #: The hash of `fingerprint` and of the hands.
    provenance_id: str = Field(primary_key=True)
    kind: str
    #: The hash of the templates, knobs, mappings and letterhead.
    fingerprint: str
    #: The knobs asked for a person's approval.
    for_person: bool = False


class Hand(SQLModel, table=True):
    """A member of staff who put a part into the messages of a provenance."""

    __tablename__ = "hands"
    __table_args__ = (
        one_of("part", PARTS),
        Index("hands_by_part", "part", "name"),
    )
    provenance_id: str = Field(primary_key=True, foreign_key="provenances.provenance_id")
    by: str = Field(primary_key=True)
    part: str = Field(primary_key=True)
    #: The template, the knob, the event or the treatment.
    name: str = Field(primary_key=True)
    #: That of the template or the knobs.
    version: int | None = None


class KnobSet(SQLModel, table=True):
    """The knobs of a moment with which something was planned, as JSON, under their hash."""

    __tablename__ = "knob_sets"
    sha256: str = Field(primary_key=True)
    kind: str
    knobs: str
