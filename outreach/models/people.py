"""The business's own staff and what they do: how they sign in, what they decided, and the audit of every act."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from outreach.models.column_types import instant_field, one_of

# From the lowest to the highest: each may do what those before it may.
ROLES = ("viewer", "writer", "approver", "admin")
# How somebody signed in: with a password of ours, or with an account that they have elsewhere.
WAYS_IN = ("password", "account")


class Staff(SQLModel, table=True):
    __tablename__ = "staff"
    __table_args__ = (one_of("role", ROLES),)
    staff_id: str = Field(primary_key=True)
    name: str
    role: str = "approver"
    added_at: datetime = instant_field()
    removed_at: datetime | None = instant_field(default=None, nullable=True)
    email: str | None = Field(default=None, unique=True)
    password_hash: str | None = None
    must_change: bool = True


class SignIn(SQLModel, table=True):
    """One browser that a member of staff signed in with. Its cookie is kept only as a hash."""

    __tablename__ = "sign_ins"
    __table_args__ = (one_of("how", WAYS_IN),)
    token_hash: str = Field(primary_key=True)
    staff_id: str = Field(foreign_key="staff.staff_id", index=True)
    at: datetime = instant_field()
    seen_at: datetime = instant_field()
    ends_at: datetime = instant_field()
    how: str = "password"
    browser: str = ""


class Failure(SQLModel, table=True):
    """Sign-ins that failed of late, by whose name was tried or from where."""

    __tablename__ = "failures"
    #: A keyed hash.
    subject: str = Field(primary_key=True)
    count: int = 0
    last_at: datetime = instant_field()


class Pause(SQLModel, table=True):
    """Sending that a person stopped: everything, one moment, one provider or one batch."""

    __tablename__ = "pauses"
    __table_args__ = (one_of("scope", ("everything", "moment", "provider", "batch")),)
    scope: str = Field(primary_key=True)
    #: Empty where everything is stopped.
    name: str = Field(primary_key=True, default="")
    at: datetime = instant_field()


class AuditEntry(SQLModel, table=True):
    """One act of somebody. Ids and hashes only."""

    __tablename__ = "audit"
    # Given by approval/audit.py and not by the database: PostgreSQL never gives again the number of an insert that
    # failed, and a number that is left out looks like an entry that somebody has taken away.
    sequence: int = Field(primary_key=True)
    #: The hash of the entry before; unique, so that no two entries follow the same one.
    previous: str = Field(unique=True)
    #: It covers the entry and `previous`, so that a changed or missing entry shows.
    hash: str = Field(unique=True)
    at: datetime = instant_field()
    actor: str
    act: str
    subject: str
    detail: str = ""


class ReadingPlace(SQLModel, table=True):
    """The message that someone last looked at in a batch, so that they can go on from there on any device."""

    __tablename__ = "places"
    staff_id: str = Field(primary_key=True, foreign_key="staff.staff_id")
    batch_id: str = Field(primary_key=True, foreign_key="batches.batch_id")
    reference: str
    at: datetime = instant_field()


class KnobVersion(SQLModel, table=True):
    """A moment's knobs as saved at the desk. The highest version stands."""

    __tablename__ = "knob_versions"
    version: int | None = Field(default=None, primary_key=True)
    moment: str = Field(index=True)
    #: JSON of what differs from outreach.toml.
    knobs: str
    by: str
    at: datetime = instant_field()


class TemplateVersion(SQLModel, table=True):
    """A template as saved at the desk. The highest version stands."""

    __tablename__ = "template_versions"
    version: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    #: Empty: the file in the templates folder stands again.
    source: str | None = None
    by: str
    at: datetime = instant_field()


class TreatmentAnswer(SQLModel, table=True):
    """Whether customers may be asked how they are after a treatment."""

    __tablename__ = "treatment_answers"
    __table_args__ = (one_of("answer", ("yes", "no")),)
    #: Its name, casefolded.
    treatment: str = Field(primary_key=True)
    answer: str
    by: str
    at: datetime = instant_field()
