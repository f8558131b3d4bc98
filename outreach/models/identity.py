"""Who may be one person, who was merged with whom, what a merge moved, and what customers said of their household."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from outreach.models.column_types import instant_field, one_of

_STANDS = "undone_at IS NULL"


class Double(SQLModel, table=True):
    """Two customers who may be one person. Its words are for staff, and repeat no customer's value."""

    __tablename__ = "doubles"
    __table_args__ = (one_of("status", ("open", "merged", "two")), Index("doubles_open", "status", "first_id"))
    #: It sorts before `second_id`, so that a pair is one row.
    first_id: str = Field(primary_key=True)
    second_id: str = Field(primary_key=True)
    reasons: str
    #: What speaks against it; empty for nothing.
    doubt: str | None = None
    #: Staff answer “merged”, or “two” for two people, who are never asked about again.
    status: str = "open"
    found_at: datetime = instant_field()
    decided_by: str | None = None
    decided_at: datetime | None = instant_field(default=None, nullable=True)


class Merge(SQLModel, table=True):
    """A merge of two customers, which stands until it is taken back."""

    __tablename__ = "merges"
    __table_args__ = (
        # Of merges that stand alone: a customer whose merge was taken back may be merged again.
        Index("merged_once", "merged_id", unique=True, sqlite_where=text(_STANDS), postgresql_where=text(_STANDS)),
    )
    merge_id: int | None = Field(default=None, primary_key=True)
    #: The person. `merged_id` is another number of theirs.
    kept_id: str = Field(index=True)
    merged_id: str
    by: str
    at: datetime = instant_field()
    undone_by: str | None = None
    undone_at: datetime | None = instant_field(default=None, nullable=True)


class SetAside(SQLModel, table=True):
    """The row of a merged person as their own data has it, in JSON: what imports bring of them is kept here."""

    __tablename__ = "set_aside"
    customer_id: str = Field(primary_key=True)
    row: str


class Repointed(SQLModel, table=True):
    """What a merge changed, for the way back: one cell pointed at the kept person, or one row copied to them."""

    __tablename__ = "repointed"
    merge_id: int = Field(primary_key=True, foreign_key="merges.merge_id")
    table_name: str = Field(primary_key=True)
    #: Empty for a row that was copied.
    column_name: str = Field(primary_key=True)
    row_key: str = Field(primary_key=True)
    __table_args__ = (Index("repointed_rows", "table_name", "row_key"),)


class HouseholdWord(SQLModel, table=True):
    """What a customer said of whom they live with; it stands above the data and what was detected."""

    __tablename__ = "household_words"
    customer_id: str = Field(primary_key=True)
    #: Empty: they live with none of those they are on file with.
    other_id: str | None = None
    by: str
    at: datetime = instant_field()
