"""What a business knows of its customers: a table for each of the nine CSV files, and one for whom an event hit.

`…_on` beside `…_at` is the business's local date of that instant, written at import, so that moments compare dates.
`…_at_local` says that it came without a zone: it is that time of day wherever the business's clocks are.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Index, and_, func, or_
from sqlmodel import Field, SQLModel, col

from outreach.channels import CHANNELS
from outreach.models.column_types import instant_field, one_of

PURPOSES = ("service", "marketing")
# Of the last three nothing is owed, whatever their amount.
INVOICE_STATUSES = ("open", "disputed", "plan", "written_off", "paid", "void", "draft")
# The source of a flag, a consent or feedback that staff recorded with one tap; no import takes it back.
DESK = "desk"


# Only ids and the days that a table is about are required, and no table here has a foreign key: a row may come before
# the one it belongs to, and what is missing holds up a letter and not the import (docs/data.md).
class Customer(SQLModel, table=True):
    """A person as the business's data has them. Of the three households below, the customer's own word stands first."""

    __tablename__ = "customers"
    customer_id: str = Field(primary_key=True)
    given_name: str | None = None
    family_name: str | None = None
    preferred_name: str | None = None
    honorific: str | None = None
    email: str | None = None
    phone: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    language: str | None = None
    timezone: str | None = None
    customer_since: date | None = Field(default=None, index=True)
    born_on: date | None = None
    died_on: date | None = None
    #: The data's own household. It stands above what detection wrote.
    household_id: str | None = Field(default=None, index=True)
    #: The customer who is written to in their place.
    guardian_id: str | None = Field(default=None, index=True)
    currency: str | None = None
    #: What detection wrote.
    household_found: str | None = Field(default=None, index=True)
    #: What the customer said; it stands above the data, and an empty word means that they live with nobody.
    household_said: str | None = Field(default=None, index=True)

    @property
    def household(self) -> str | None:
        """The one household that counts for them."""
        if self.household_said is not None:
            return self.household_said or None
        return self.household_id or self.household_found

    @classmethod
    def household_column(cls) -> Any:
        """The same in SQL; empty, or NULL, where they have none."""
        return func.coalesce(cls.household_said, cls.household_id, cls.household_found)

    @classmethod
    def lives_in(cls, households: Any) -> ColumnElement[bool]:
        """The condition that a customer's household is among `households`, each of its ways by an index of its own."""
        word, given, detected = col(cls.household_said), col(cls.household_id), col(cls.household_found)
        is_unsaid = word.is_(None)
        # Not by `household_column`: no index answers a coalesce.
        return or_(
            word.in_(households),
            and_(is_unsaid, given.in_(households)),
            and_(is_unsaid, given.is_(None), detected.in_(households)),
        )


class Visit(SQLModel, table=True):
    __tablename__ = "visits"
    __table_args__ = (
        one_of("status", ("booked", "completed", "cancelled", "no_show")),
        one_of("cancelled_by", ("us", "customer")),
        Index("visits_by_customer", "customer_id", "starts_on"),
    )
    visit_id: str = Field(primary_key=True)
    customer_id: str
    starts_at: datetime = instant_field()
    starts_on: date = Field(index=True)
    ended_at: datetime | None = instant_field(default=None, nullable=True)
    starts_at_local: bool = False
    ended_at_local: bool = False
    status: str | None = None
    cancelled_by: str | None = None


class Treatment(SQLModel, table=True):
    __tablename__ = "treatments"
    __table_args__ = (Index("treatments_by_customer", "customer_id", "done_on"),)
    treatment_id: str = Field(primary_key=True)
    customer_id: str
    visit_id: str | None = None
    name: str | None = None
    done_at: datetime = instant_field()
    done_on: date = Field(index=True)
    promised_at: datetime | None = instant_field(default=None, nullable=True)
    practitioner: str | None = None
    practitioner_phone: str | None = None
    done_at_local: bool = False
    promised_at_local: bool = False


class Invoice(SQLModel, table=True):
    """A bill, or, with a negative amount, a credit note."""

    __tablename__ = "invoices"
    __table_args__ = (
        one_of("status", INVOICE_STATUSES),
        Index("invoices_by_customer", "customer_id", "issued_on"),
    )
    invoice_id: str = Field(primary_key=True)
    customer_id: str
    #: Who pays; empty where the customer does.
    payer_id: str | None = Field(default=None, index=True)
    issued_on: date
    due_on: date = Field(index=True)
    # In PostgreSQL an INTEGER ends at 21 million dollars in cents.
    #: In minor units of its currency.
    amount: int = Field(sa_type=BigInteger)
    #: Empty for the customer's, or else the business's.
    currency: str | None = None
    status: str | None = None


class Payment(SQLModel, table=True):
    """What was paid, in minor units. One receipt for several invoices has a row for each under one `payment_id`."""

    __tablename__ = "payments"
    payment_id: str = Field(primary_key=True)
    #: Empty where a person paid without saying for which invoice.
    # Empty and not NULL: PostgreSQL allows no NULL in a key, and SQLite would take the same row for another.
    invoice_id: str = Field(default="", primary_key=True, index=True)
    customer_id: str | None = Field(default=None, index=True)
    paid_on: date
    #: A negative one is money given back.
    amount: int = Field(sa_type=BigInteger)
    #: Empty for its invoice's, else for the customer's, else for the business's.
    currency: str | None = None


class Feedback(SQLModel, table=True):
    """What somebody told us."""

    __tablename__ = "feedback"
    __table_args__ = (
        one_of("kind", ("score", "complaint", "review", "enquiry")),
        one_of("status", ("open", "answered", "closed")),
        Index("feedback_by_customer", "customer_id", "given_on"),
        Index("feedback_by_kind", "kind", "status", "given_on"),
    )
    feedback_id: str = Field(primary_key=True)
    #: A public review may be anyone's: it has no customer until staff have matched the person.
    customer_id: str | None = None
    given_at: datetime = instant_field()
    given_at_local: bool = False
    given_on: date = Field(index=True)
    kind: str
    score: int | None = None
    status: str | None = None
    text: str | None = None
    #: “desk” or “survey” for what did not come with an import.
    source: str | None = None
    #: Staff set this, and `matched_at`; no import takes either back.
    answered_at: datetime | None = instant_field(default=None, nullable=True)
    matched_at: datetime | None = instant_field(default=None, nullable=True)


class Referral(SQLModel, table=True):
    __tablename__ = "referrals"
    referral_id: str = Field(primary_key=True)
    customer_id: str = Field(index=True)
    referred_name: str | None = None
    referred_customer_id: str | None = None
    made_on: date
    status: str | None = None


class Consent(SQLModel, table=True):
    """What a customer said of one channel and purpose, and when; the latest `at` stands. Rows are never overwritten."""

    __tablename__ = "consents"
    __table_args__ = (
        one_of("channel", CHANNELS),
        one_of("purpose", PURPOSES),
        one_of("state", ("granted", "withdrawn")),
    )
    customer_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    # A part of the key: a new word stands beside the earlier ones, which show what was allowed when we wrote.
    at: datetime = instant_field(primary_key=True)
    state: str = Field(primary_key=True)
    basis: str | None = None
    expires_at: datetime | None = instant_field(default=None, nullable=True)
    source: str | None = None
    text: str | None = None


class Flag(SQLModel, table=True):
    """Something about a customer's life that holds some moments from `from_on` until `until_on` (open when empty)."""

    __tablename__ = "flags"
    customer_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    from_on: date = Field(primary_key=True)
    until_on: date | None = None
    source: str | None = None
    note: str | None = None


class Goodwill(SQLModel, table=True):
    """Staff named this customer on `named_on` as one of those whom an event hit."""

    __tablename__ = "goodwill"
    __table_args__ = (Index("goodwill_by_customer", "customer_id", "named_on"),)
    event: str = Field(primary_key=True)
    customer_id: str = Field(primary_key=True)
    named_on: date = Field(index=True)
    by: str | None = None
