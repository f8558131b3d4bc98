"""The life of a message: a moment found, the decisions on it, the message, its batch, its attempts and its events."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from outreach.models.columns import instant_field, one_of
from outreach.models.customers import CHANNELS, PURPOSES

STATUSES = (
    "planned", "composed", "held", "approved", "sending", "uncertain", "needs_person", "accepted", "delivered",
    "returned", "failed", "rejected", "expired", "suppressed", "blocked", "withdrawn", "cancelled",
)  # fmt: skip
# A message in one of these reached its person, or still may: it counts as a touch.
TOUCHING = (
    "planned", "composed", "held", "approved", "sending", "uncertain", "needs_person", "accepted", "delivered",
    "returned",
)  # fmt: skip


class Moment(SQLModel, table=True):
    """A reason to write to one customer on one occasion, found once however often it is looked for."""

    __tablename__ = "moments"
    __table_args__ = (UniqueConstraint("kind", "customer_id", "occasion"),)
    moment_id: str = Field(primary_key=True)
    kind: str
    customer_id: str = Field(index=True)
    occasion: str
    found_on: date


class Decision(SQLModel, table=True):
    """What planning said of a moment on a run date. Append-only: the highest `sequence` stands.

    `reference` is the message that carries the moment; two wards of one guardian share one.
    """

    __tablename__ = "decisions"
    __table_args__ = (one_of("outcome", ("send", "not_yet", "never")), Index("decisions_due", "outcome", "next_on"))
    moment_id: str = Field(primary_key=True, foreign_key="moments.moment_id")
    sequence: int = Field(primary_key=True)
    run_on: date
    outcome: str
    rule: str
    reason: str
    next_on: date | None = None
    reference: str | None = Field(default=None, index=True)


class Content(SQLModel, table=True):
    """The exact bytes that are approved and sent, under their SHA-256. Never changed."""

    __tablename__ = "contents"
    sha256: str = Field(primary_key=True)
    media_type: str
    body: bytes


class Batch(SQLModel, table=True):
    """Messages that staff approve together. `fingerprint` hashes the templates, knobs and mapping that made them."""

    __tablename__ = "batches"
    __table_args__ = (one_of("status", ("waiting", "approved", "rejected", "expired")),)
    batch_id: str = Field(primary_key=True)
    kind: str = Field(index=True)
    channel: str
    run_on: date
    status: str = "waiting"
    author: str
    count: int
    cost: int
    currency: str
    seal: str
    fingerprint: str
    why_waiting: str = ""
    opened_at: datetime = instant_field()
    decided_by: str | None = None
    decided_at: datetime | None = instant_field(default=None, nullable=True)
    reason: str | None = None


class Message(SQLModel, table=True):
    """One piece of outreach to one person by one channel."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("moment_id", "step"),
        UniqueConstraint("provider", "provider_id"),
        one_of("status", STATUSES),
        one_of("channel", CHANNELS),
        one_of("purpose", PURPOSES),
        CheckConstraint("status <> 'accepted' OR provider_id IS NOT NULL", name="accepted_has_provider_id"),
        CheckConstraint(
            "status <> 'sending' OR (owner IS NOT NULL AND lease_until IS NOT NULL)", name="sending_has_owner"
        ),
        Index("messages_due", "status", "send_on", "reference"),
        Index("messages_by_recipient", "recipient_id", "send_on"),
    )
    reference: str = Field(primary_key=True)
    moment_id: str = Field(foreign_key="moments.moment_id")
    step: int = 1
    kind: str
    customer_id: str = Field(index=True)
    recipient_id: str
    channel: str
    purpose: str
    status: str = "planned"
    status_reason: str | None = None
    run_on: date
    send_on: date
    useful_until: date
    language: str | None = None
    contact_hash: str | None = Field(default=None, index=True)
    recipient: str | None = None
    content_sha256: str | None = Field(default=None, foreign_key="contents.sha256")
    template_sha256: str | None = None
    digest: str | None = None
    size: int | None = None
    cost: int = 0
    batch_id: str | None = Field(default=None, foreign_key="batches.batch_id", index=True)
    provider: str | None = None
    provider_id: str | None = None
    owner: str | None = None
    fence: int = 0
    lease_until: datetime | None = instant_field(default=None, nullable=True)
    accepted_at: datetime | None = instant_field(default=None, nullable=True)


_LIVE = "outcome IS NULL OR outcome IN ('accepted', 'unknown')"


class Attempt(SQLModel, table=True):
    """One hand-over of a message to one provider under one key, committed before a byte leaves."""

    __tablename__ = "attempts"
    __table_args__ = (
        one_of("outcome", ("accepted", "unknown", "refused", "not_sent", "absent")),
        # The lock against a second send: a message has at most one attempt that the provider may have taken.
        Index("one_live_attempt", "reference", unique=True, sqlite_where=text(_LIVE), postgresql_where=text(_LIVE)),
    )
    reference: str = Field(primary_key=True, foreign_key="messages.reference")
    number: int = Field(primary_key=True)
    key: str = Field(unique=True)
    provider: str
    owner: str
    fence: int
    started_at: datetime = instant_field()
    started_on: date
    tries: int = 1
    outcome: str | None = None
    evidence: str | None = None


class Event(SQLModel, table=True):
    """What a provider (or the person who opened the returned mail) later said of a message; kept as it came."""

    __tablename__ = "events"
    __table_args__ = (
        one_of(
            "kind",
            ("accepted", "in_transit", "delivered", "returned", "bounced", "complained", "unsubscribed", "replied"),
        ),
    )
    provider: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    reference: str | None = Field(default=None, index=True)
    kind: str
    at: datetime = instant_field()
    received_at: datetime = instant_field()
    raw: bytes = b""


class Suppression(SQLModel, table=True):
    """A contact we must not use, kept only as a keyed hash; no import lifts it."""

    __tablename__ = "suppressions"
    __table_args__ = (one_of("channel", CHANNELS),)
    contact_hash: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    source: str
    at: datetime = instant_field()
