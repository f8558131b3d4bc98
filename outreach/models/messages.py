"""The life of a message: the moment found, the decisions on it, the message, its batch, its attempts and its events.

The constraints here are the last lock against a second send; no room may loosen them.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from outreach.channels import CHANNELS
from outreach.models.column_types import instant_field, one_of
from outreach.models.customers import PURPOSES

STATUSES = (
    "planned", "composed", "held", "approved", "sending", "uncertain", "needs_person", "accepted", "delivered",
    "returned", "failed", "rejected", "expired", "suppressed", "blocked", "withdrawn", "cancelled",
)  # fmt: skip
# What providers, and people, say of a message that left.
EVENT_KINDS = (
    "accepted", "in_transit", "delivered", "returned", "bounced", "failed", "cancelled", "complained", "unsubscribed",
    "replied",
)  # fmt: skip
# A message in one of these reached its person, or still may: it counts as a touch.
TOUCHING = (
    "planned", "composed", "held", "approved", "sending", "uncertain", "needs_person", "accepted", "delivered",
    "returned",
)  # fmt: skip

# A message in one of these has left us, or may have: what follows it is a further step of a ladder.
LEFT = ("sending", "uncertain", "needs_person", "accepted", "delivered", "returned", "failed")


class Moment(SQLModel, table=True):
    """A reason to write to one customer on one occasion, found once however often it is looked for."""

    __tablename__ = "moments"
    __table_args__ = (UniqueConstraint("kind", "customer_id", "occasion"),)
    moment_id: str = Field(primary_key=True)
    kind: str
    customer_id: str = Field(index=True)
    #: It tells the moment from the customer's others of its kind.
    occasion: str
    #: The day that it is about.
    occasion_on: date
    found_on: date
    #: The day for which it was found; empty where an earlier version of the program found it.
    looked_on: date | None = None


class Decision(SQLModel, table=True):
    """What planning said of a moment on a run date. Rows are only added."""

    __tablename__ = "decisions"
    __table_args__ = (one_of("outcome", ("send", "not_yet", "never")), Index("decisions_due", "outcome", "next_on"))
    moment_id: str = Field(primary_key=True, foreign_key="moments.moment_id")
    #: The highest of a moment stands.
    sequence: int = Field(primary_key=True)
    run_on: date
    outcome: str
    rule: str
    reason: str
    #: When planning looks at it again.
    next_on: date | None = None
    #: The message that carries the moment; two wards of one guardian share one.
    reference: str | None = Field(default=None, index=True)


class Content(SQLModel, table=True):
    """The exact bytes that are approved and sent, under their SHA-256. Never changed."""

    __tablename__ = "contents"
    sha256: str = Field(primary_key=True)
    media_type: str
    #: How many bytes there are.
    length: int
    #: Empty where they are in the storage (see outreach/composing/store/contents.py).
    body: bytes | None = None


class Thumbnail(SQLModel, table=True):
    """A small picture (PNG) of a letter's first page, made from its stored bytes."""

    __tablename__ = "thumbnails"
    sha256: str = Field(primary_key=True, foreign_key="contents.sha256")
    picture: bytes


class Batch(SQLModel, table=True):
    """Messages that staff approve together."""

    __tablename__ = "batches"
    __table_args__ = (
        one_of("status", ("waiting", "approved", "rejected", "expired", "empty")),
        # What approval/ refuses in words, the database refuses too: no other way lets an author approve.
        CheckConstraint("status <> 'approved' OR decided_by <> author OR single_person", name="author_is_not_approver"),
    )
    batch_id: str = Field(primary_key=True)
    kind: str = Field(index=True)
    channel: str
    run_on: date
    status: str = "waiting"
    #: Who wrote it, and so may not approve it, but for `single_person`.
    author: str
    #: Count, cost and seal are of what an approval lets go: its composed messages, without those on hold.
    count: int
    cost: int
    currency: str
    seal: str
    #: Of what its messages were made with.
    fingerprint: str
    why_waiting: str = ""
    opened_at: datetime = instant_field()
    decided_by: str | None = None
    decided_at: datetime | None = instant_field(default=None, nullable=True)
    reason: str | None = None
    #: This business lets its one person approve what they wrote.
    single_person: bool = False
    #: Edited and held messages are set apart in a batch of their own; this is the one of their run.
    apart_from: str | None = Field(default=None, foreign_key="batches.batch_id")
    #: Until then its approval can be undone.
    undo_until: datetime | None = instant_field(default=None, nullable=True)
    #: When somebody was told that it still waits, and who.
    reminded_at: datetime | None = instant_field(default=None, nullable=True)
    reminded: str | None = None


_ONE_A_DAY = "channel IN ('email', 'text') AND contact_hash IS NOT NULL"


class Message(SQLModel, table=True):
    """One piece of outreach to one person by one channel."""

    __tablename__ = "messages"
    __table_args__ = (
        # However often a day is planned, a moment has no second message of one step.
        UniqueConstraint("moment_id", "step"),
        # On both databases any number of rows may be without a provider_id.
        UniqueConstraint("provider", "provider_id"),
        one_of("status", STATUSES),
        one_of("channel", CHANNELS),
        one_of("purpose", PURPOSES),
        CheckConstraint("status <> 'accepted' OR provider_id IS NOT NULL", name="accepted_has_provider_id"),
        # Without an owner and an end, nobody could take back the claim of a sender that died.
        CheckConstraint(
            "status <> 'sending' OR (owner IS NOT NULL AND lease_until IS NOT NULL)", name="sending_has_owner"
        ),
        # In the order in which senders take messages (delivery/send_queue.py).
        Index("messages_queue", "status", "useful_until", "place", "reference"),
        Index("messages_by_recipient", "recipient_id", "send_on"),
        Index("messages_to_cancel", "status", "cancel_until"),
        # One number or address under two customers: the same news reaches it once on one day.
        Index(
            "one_a_contact",
            "kind",
            "step",
            "run_on",
            "channel",
            "contact_hash",
            unique=True,
            sqlite_where=text(_ONE_A_DAY),
            postgresql_where=text(_ONE_A_DAY),
        ),
    )
    reference: str = Field(primary_key=True)
    moment_id: str = Field(foreign_key="moments.moment_id")
    #: Its place on the ladder of channels, from 1.
    step: int = 1
    kind: str
    customer_id: str = Field(index=True)
    recipient_id: str
    channel: str
    purpose: str
    status: str = "planned"
    status_reason: str | None = None
    run_on: date
    #: The day on which it is to be handed over.
    send_on: date
    #: After this day it is not sent any more.
    useful_until: date
    #: Its moment's place in the order of moments; under a cap the queue goes by use, and then by it.
    place: int = 0
    #: Why a person must look at it first, whatever its channel.
    wants_person: str | None = None
    language: str | None = None
    contact_hash: str | None = Field(default=None, index=True)
    #: The recipient as the message was made for them, as JSON.
    recipient: str | None = None
    #: Keyed hashes of what its words state, by field, as JSON; empty where an earlier version composed it.
    facts: str | None = None
    #: The knobs it was planned with, and all that it was made with; empty where an earlier version did either.
    planned_with: str | None = None
    provenance_id: str | None = Field(default=None, index=True)
    content_sha256: str | None = Field(default=None, foreign_key="contents.sha256")
    template_sha256: str | None = None
    #: The hash of what an approval seals: bytes, recipient, channel, provider and dates.
    digest: str | None = None
    #: Pages of a letter, segments of a text, and 1 otherwise.
    size: int | None = None
    cost: int = 0
    #: The part of `cost` that its rewards are expected to come to.
    reward_cost: int = 0
    #: What its gifts come to if all are taken up, in minor units of the business's currency.
    reward_value: int = 0
    batch_id: str | None = Field(default=None, foreign_key="batches.batch_id", index=True)
    provider: str | None = None
    provider_id: str | None = None
    #: The sender that has claimed it; `fence` grows with each claim, so that a late one is told apart.
    owner: str | None = None
    fence: int = 0
    #: Until then the sender may act on its claim.
    lease_until: datetime | None = instant_field(default=None, nullable=True)
    #: When it may be tried again.
    not_before: datetime | None = instant_field(default=None, nullable=True)
    #: How often its recipient's own server has said “not now”; such messages go behind the others.
    put_off: int = 0
    accepted_at: datetime | None = instant_field(default=None, nullable=True)
    #: How long its provider lets us cancel it.
    cancel_until: datetime | None = instant_field(default=None, nullable=True)


# An open attempt, and those in LIVE of delivery/outbox.py: the provider may have the message.
_LIVE = "outcome IS NULL OR outcome IN ('accepted', 'unknown')"


class Attempt(SQLModel, table=True):
    """One hand-over of a message to one provider under one key, committed before a byte leaves."""

    __tablename__ = "attempts"
    __table_args__ = (
        one_of("outcome", ("accepted", "unknown", "refused", "not_sent", "absent")),
        # The lock against a second send: a message has at most one attempt that the provider may have taken.
        Index("one_live_attempt", "reference", unique=True, sqlite_where=text(_LIVE), postgresql_where=text(_LIVE)),
        # By these two the daily cap counts what has left (room_left in delivery/outbox.py).
        Index("attempts_of_a_day", "started_on", "outcome"),
    )
    reference: str = Field(primary_key=True, foreign_key="messages.reference")
    number: int = Field(primary_key=True)
    #: What the provider knows a second try by.
    key: str = Field(unique=True)
    provider: str
    owner: str
    fence: int
    started_at: datetime = instant_field()
    started_on: date
    last_try_at: datetime = instant_field()
    tries: int = 1
    #: Empty while it is open.
    outcome: str | None = None
    #: What the outcome is known by.
    evidence: str | None = None
    #: Of what was asked first under the key, where the provider must be asked the same again.
    request_sha256: str | None = None
    #: When, by the provider's own clock, a look-up first found nothing.
    missing_since: datetime | None = instant_field(default=None, nullable=True)


class Webhook(SQLModel, table=True):
    """One request to our webhook address whose sender was proved, as it came."""

    __tablename__ = "webhooks"
    webhook_id: int | None = Field(default=None, primary_key=True)
    provider: str
    received_at: datetime = instant_field()
    url: str
    #: As JSON.
    headers: str
    body: bytes
    #: Set once it is acted on.
    applied_at: datetime | None = instant_field(default=None, nullable=True, index=True)


class Event(SQLModel, table=True):
    """What a provider (or whoever opened the returned mail) later said of a message; kept as it came."""

    __tablename__ = "events"
    __table_args__ = (one_of("kind", EVENT_KINDS), Index("events_by_provider_id", "provider", "provider_id"))
    provider: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    reference: str | None = Field(default=None, index=True)
    #: An event that names no message of ours yet waits with it until that message is known.
    provider_id: str | None = None
    kind: str
    reason: str | None = None
    at: datetime = instant_field()
    received_at: datetime = instant_field()
    raw: bytes = b""
    #: What a reply says.
    words: str | None = None


class Incident(SQLModel, table=True):
    """Something that should not have happened, for a person to look at: ids only, and what it means in words."""

    __tablename__ = "incidents"
    incident_id: int | None = Field(default=None, primary_key=True)
    at: datetime = instant_field()
    provider: str
    reference: str | None = Field(default=None, index=True)
    what: str
    closed_at: datetime | None = instant_field(default=None, nullable=True)
    #: What the person who closed it found.
    note: str | None = None


class Suppression(SQLModel, table=True):
    """A contact we must not use, kept only as a keyed hash; no import lifts it."""

    __tablename__ = "suppressions"
    __table_args__ = (one_of("channel", CHANNELS),)
    # No customer's id: whoever comes with this contact in a later import is not written to either.
    contact_hash: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    source: str
    at: datetime = instant_field()
    #: The source that stands again once what covers it is lifted.
    beneath: str | None = None
