"""What this installation is: the day of its first import, the zone of its dates, and what each import brought."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from outreach.models.column_types import instant_field


class Installation(SQLModel, table=True):
    """One row. `key_fingerprint` tells whether the secret is still the one that hashed the suppressions.

    `generation` counts the groups of attempts opened in the database named `name`, and `run` is the run that opened the
    last; a mark outside the database tells a restored backup or a copy from the database itself. What was there to send
    between `restored_from` and `restored_at` may have left unknown to us.
    """

    __tablename__ = "installation"
    id: int = Field(default=1, primary_key=True)
    first_import_on: date | None = None
    timezone: str | None = None
    key_fingerprint: str | None = None
    name: str | None = None
    generation: int = 0
    run: str | None = None
    restored_from: datetime | None = instant_field(default=None, nullable=True)
    restored_at: datetime | None = instant_field(default=None, nullable=True)


class RunMark(SQLModel, table=True):
    """One run that raised the generation, first to `generation`. A mark left by a run that is not here is of another
    database, or of this one in a past that a backup has forgotten.
    """

    __tablename__ = "run_marks"
    run: str = Field(primary_key=True)
    generation: int
    at: datetime = instant_field()


class Import(SQLModel, table=True):
    """One file that was read; read = accepted + refused. `table_name` is what it fed, `mapping` that mapping's hash.

    `origin` is the URL of the database it lay in, without a password, and `changed_until` the newest change it had.
    `complete` is whether it was read to its end; payments of which a row says nothing of whose it is never were.
    """

    __tablename__ = "imports"
    import_id: int | None = Field(default=None, primary_key=True)
    at: datetime = instant_field()
    file: str
    table_name: str
    mapping: str | None = None
    origin: str | None = None
    changed_until: datetime | None = instant_field(default=None, nullable=True)
    read: int
    accepted: int
    refused: int
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
    """A row that was refused, and not yet taken in since: whose it is, as far as that can be read (else empty).

    `row_id` is the row's own key without its days. `import_id` is the last import that refused it, `since` when the
    first one did. A file that could not be read at all is one row without ids.
    """

    __tablename__ = "unread_rows"
    __table_args__ = (Index("unread_rows_by_id", "table_name", "row_id"),)
    table_name: str = Field(primary_key=True)
    file: str = Field(primary_key=True)
    origin: str = Field(primary_key=True, default="")
    row_id: str = Field(primary_key=True, default="")
    customer_id: str = Field(primary_key=True, default="", index=True)
    payer_id: str = Field(primary_key=True, default="", index=True)
    invoice_id: str = Field(primary_key=True, default="", index=True)
    column: str
    since: datetime = instant_field()
    import_id: int = Field(foreign_key="imports.import_id")


class RefusedWebhook(SQLModel, table=True):
    """How many webhooks for one vendor were refused, when the last one came, and why: nothing of what they said."""

    __tablename__ = "refused_webhooks"
    provider: str = Field(primary_key=True)
    count: int = 0
    last_at: datetime = instant_field()
    reason: str
