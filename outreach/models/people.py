"""The business's own people and what they did: staff, pauses they set, and the append-only audit."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from outreach.models.columns import instant_field, one_of

ROLES = ("viewer", "writer", "approver", "admin")


class Staff(SQLModel, table=True):
    __tablename__ = "staff"
    __table_args__ = (one_of("role", ROLES),)
    staff_id: str = Field(primary_key=True)
    name: str
    role: str = "approver"
    added_at: datetime = instant_field()
    removed_at: datetime | None = instant_field(default=None, nullable=True)


class Pause(SQLModel, table=True):
    """Sending that a person stopped: everything (`name` is empty), one moment, one provider or one batch."""

    __tablename__ = "pauses"
    __table_args__ = (one_of("scope", ("everything", "moment", "provider", "batch")),)
    scope: str = Field(primary_key=True)
    name: str = Field(primary_key=True, default="")
    at: datetime = instant_field()


class AuditEntry(SQLModel, table=True):
    """One act. `hash` covers the entry and `previous`, so a changed or missing entry shows. Ids and hashes only."""

    __tablename__ = "audit"
    sequence: int = Field(primary_key=True)
    previous: str = Field(unique=True)
    hash: str = Field(unique=True)
    at: datetime = instant_field()
    actor: str
    act: str
    subject: str
    detail: str = ""
