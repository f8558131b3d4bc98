"""What this installation is: its first import, its zone and its mark against old backups; and what imports brought."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from outreach.models.column_types import instant_field


class Installation(SQLModel, table=True):
    """What this database knows of itself, in one row."""

    __tablename__ = "installation"
    id: int = Field(default=1, primary_key=True)
    #: In live mode without `start_on`, no moment whose day lies before it is acted on.
    first_import_on: date | None = None
    #: The zone in which the stored dates were worked out.
    timezone: str | None = None
    # With another secret no hash fits any more, and whoever has asked us to stop would be written to again.
    #: It tells whether the secret is still the one that hashed the suppressions.
    key_fingerprint: str | None = None
    #: The name of this database in the mark outside it, by which a restored backup or a copy is told from it.
    name: str | None = None
    #: Counts the groups of attempts that were opened here.
    generation: int = 0
    #: The run that opened the last of them.
    run: str | None = None
    #: What was there to send from here until `restored_at` may have left unknown to us.
    restored_from: datetime | None = instant_field(default=None, nullable=True)
    restored_at: datetime | None = instant_field(default=None, nullable=True)


class RunMark(SQLModel, table=True):
    """One run that raised the generation. A mark left by a run that is not here is of another database, or of this one
    in a past that a backup has forgotten.
    """

    __tablename__ = "run_marks"
    run: str = Field(primary_key=True)
    #: The first that it raised it to.
    generation: int
    at: datetime = instant_field()


class Intake(SQLModel, table=True):
    """One import: all that was named at once. It never holds a customer's value."""

    __tablename__ = "intakes"
    intake_id: int | None = Field(default=None, primary_key=True)
    #: When it began.
    at: datetime = instant_field()
    #: A staff id; or the command line, or the nightly run, whose names hold a space.
    by: str
    #: What it was called: a saved source, a folder, or the names of files.
    source: str
    # While it is false, a lock says whether somebody still works at it: `intake/history.py`.
    #: Whether it came to its end, also where nothing could be read.
    finished: bool = False
    #: Why nothing was read; empty where something was.
    problem: str = ""


class Import(SQLModel, table=True):
    """One file that was read."""

    __tablename__ = "imports"
    import_id: int | None = Field(default=None, primary_key=True)
    intake_id: int | None = Field(default=None, foreign_key="intakes.intake_id", index=True)
    at: datetime = instant_field()
    file: str
    #: The table that it fed.
    table_name: str
    #: The hash of the mapping it was read by.
    mapping: str | None = None
    #: The URL of the database it lay in, without a password.
    origin: str | None = None
    #: The newest change that it had.
    changed_until: datetime | None = instant_field(default=None, nullable=True)
    #: Always accepted + refused.
    read: int
    accepted: int
    refused: int
    #: Of those accepted: ids that were not on record, that said something else there, or the same.
    new: int = 0
    changed: int = 0
    same: int = 0
    #: Whether it was read to its end. Payments with a row that says nothing of whose it is never were.
    complete: bool = True


class Refusal(SQLModel, table=True):
    """One row that was not taken in. The reason never repeats a customer's value."""

    __tablename__ = "refusals"
    refusal_id: int | None = Field(default=None, primary_key=True)
    import_id: int = Field(foreign_key="imports.import_id", index=True)
    line: int
    column: str
    reason: str


class UnreadRow(SQLModel, table=True):
    """A row that was refused and not yet taken in since. A file that could not be read at all is one without ids."""

    __tablename__ = "unread_rows"
    __table_args__ = (Index("unread_rows_by_id", "table_name", "row_id"),)
    table_name: str = Field(primary_key=True)
    file: str = Field(primary_key=True)
    # Empty and not NULL, as the ids below: by these columns a row that is refused again is known.
    origin: str = Field(primary_key=True, default="")
    #: The row's own key without its days. This and the ids below are empty where they cannot be read.
    row_id: str = Field(primary_key=True, default="")
    customer_id: str = Field(primary_key=True, default="", index=True)
    payer_id: str = Field(primary_key=True, default="", index=True)
    invoice_id: str = Field(primary_key=True, default="", index=True)
    column: str
    #: When it was first refused.
    since: datetime = instant_field()
    #: The last import that refused it.
    import_id: int = Field(foreign_key="imports.import_id")


class RefusedWebhook(SQLModel, table=True):
    """How many webhooks for one vendor were refused, when the last one came, and why: nothing of what they said."""

    __tablename__ = "refused_webhooks"
    provider: str = Field(primary_key=True)
    count: int = 0
    last_at: datetime = instant_field()
    reason: str
