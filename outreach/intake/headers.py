"""The nine tables a business's data goes into: the columns their files may have, and how each is checked.

A missing name, postal code or currency blocks composing, not import: only ids, and what a table is about, are required.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlmodel import SQLModel

from outreach.channels import CHANNELS
from outreach.database import Kept
from outreach.intake.cells import calendar_days as days
from outreach.intake.cells import parsers
from outreach.intake.cells.calendar_days import DayCheck
from outreach.intake.cells.parsers import Check, Style
from outreach.intake.cells.postal_codes import mend_postal_code
from outreach.intake.cells.unfit import Remark
from outreach.models import (
    INVOICE_STATUSES,
    PURPOSES,
    Consent,
    Customer,
    Feedback,
    Flag,
    Invoice,
    Payment,
    Referral,
    Treatment,
    Visit,
)
from outreach.models.precedence import keep_death_of, keep_deaths, keep_flags_of_the_desk, keep_what_staff_wrote


@dataclass(frozen=True)
class Column:
    """One column that a file of a table may have."""

    #: What heads it in files.
    name: str
    check: Check
    required: bool = False
    #: Its name in the database, where that is another.
    stored: str = ""
    #: Where the business date of an instant is stored.
    day: str = ""
    #: Where it is stored whether an instant was written without a zone, in the business's own time.
    local: str = ""

    @property
    def key(self) -> str:
        return self.stored or self.name


@dataclass(frozen=True)
class Table:
    """One of our tables, as files fill it."""

    model: type[SQLModel]
    columns: tuple[Column, ...]
    #: A row that is there already is left as it is, never overwritten.
    appends: bool = False
    #: What of a row that is there stands against the one that comes in.
    kept: Kept | None = None
    #: The same where both come in together: it is given the earlier row and the later, and changes the later.
    kept_together: Callable[[dict[str, Any], dict[str, Any]], None] | None = None
    #: In which column, and why, a record whose cells all fit cannot be taken as a whole.
    fault: Callable[[dict[str, Any]], tuple[str, str] | None] | None = None
    #: Puts right, or empties, cells that cannot be meant beside the others, and says which and why.
    mend: Callable[[dict[str, Any], Style], Iterator[Remark]] | None = None
    #: What a column of the key holds in a row that has nothing there.
    empty: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def has_money(self) -> bool:
        """Whether its rows are amounts in a currency of their own."""
        return any(column.check is parsers.amount for column in self.columns)

    @cached_property
    def key(self) -> list[str]:
        return [column.name for column in self.model.__table__.primary_key]  # type: ignore[attr-defined]

    @cached_property
    def identity(self) -> tuple[Column, ...]:
        """The columns by which a row is known that comes again with a mended cell: of its key, all but the days."""
        return tuple(each for each in self.columns if each.key in self.key and not isinstance(each.check, DayCheck))


def _require_whose(record: dict[str, Any]) -> tuple[str, str] | None:
    """Only a public review may be anyone's."""
    if record.get("customer_id") or record["kind"] == "review":
        return None
    return "customer_id", "it is empty, and only a review can do without it"


def _require_what_for(record: dict[str, Any]) -> tuple[str, str] | None:
    if record.get("invoice_id") or record.get("customer_id"):
        return None
    return "invoice_id", "it is empty, and so is customer_id: a payment is for an invoice, or a customer's"


def _mend_customer(record: dict[str, Any], style: Style) -> Iterator[Remark]:
    yield from days.drop_beginning_before_birth(record)
    yield from mend_postal_code(record, style)


# What other programs call the states of an invoice.
_STATES_OF_INVOICES = {
    "settled": "paid", "closed": "paid", "paid_in_full": "paid", "paid_off": "paid", "completed": "paid",
    "voided": "void", "cancelled": "void", "canceled": "void", "deleted": "void", "reversed": "void",
    "drafted": "draft", "proforma": "draft", "pro_forma": "draft",
    "unpaid": "open", "outstanding": "open", "due": "open", "overdue": "open", "past_due": "open", "sent": "open",
    "issued": "open", "partial": "open", "partially_paid": "open", "in_dispute": "disputed", "contested": "disputed",
    "payment_plan": "plan", "uncollectible": "written_off", "bad_debt": "written_off", "writtenoff": "written_off",
}  # fmt: skip
_STATES_OF_VISITS = {
    "canceled": "cancelled", "late_cancelled": "cancelled", "late_canceled": "cancelled", "late_cancel": "cancelled",
    "noshow": "no_show", "missed": "no_show", "did_not_attend": "no_show", "dna": "no_show",
    "arrived": "completed", "attended": "completed", "checked_in": "completed", "checked_out": "completed",
    "fulfilled": "completed", "finished": "completed", "done": "completed",
    "scheduled": "booked", "confirmed": "booked", "unconfirmed": "booked", "reserved": "booked", "upcoming": "booked",
}  # fmt: skip


def _id(name: str) -> Column:
    return Column(name, parsers.identifier, required=True)


def _lines(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, parsers.line) for name in names)


# In the order in which they are imported: a payment's amount is read in the currency of its invoice, and an invoice's
# in that of its customer, where they name none.
TABLES = {
    "customers": Table(
        Customer,
        (
            _id("customer_id"),
            *_lines("given_name", "family_name", "preferred_name", "honorific"),
            Column("email", parsers.email),
            Column("phone", parsers.line),
            *_lines("address_line1", "address_line2", "city", "region", "postal_code"),
            Column("country", parsers.country),
            Column("language", parsers.language),
            Column("timezone", parsers.timezone),
            Column("customer_since", days.BEGINNING),
            Column("born_on", days.BIRTH),
            Column("died_on", days.DEATH),
            Column("household_id", parsers.identifier),
            Column("guardian_id", parsers.identifier),
            Column("currency", parsers.currency),
        ),
        kept=keep_deaths,
        kept_together=keep_death_of,
        mend=_mend_customer,
    ),
    "treatments": Table(
        Treatment,
        (
            _id("treatment_id"),
            _id("customer_id"),
            Column("visit_id", parsers.identifier),
            Column("name", parsers.line),
            Column("done_at", days.INSTANT, required=True, day="done_on", local="done_at_local"),
            Column("promised_at", days.INSTANT, local="promised_at_local"),
            *_lines("practitioner", "practitioner_phone"),
        ),
    ),
    "visits": Table(
        Visit,
        (
            _id("visit_id"),
            _id("customer_id"),
            Column("starts_at", days.INSTANT, required=True, day="starts_on", local="starts_at_local"),
            Column("ended_at", days.INSTANT, local="ended_at_local"),
            Column(
                "status", parsers.one_word_of("booked", "completed", "cancelled", "no_show", also=_STATES_OF_VISITS)
            ),
            Column("cancelled_by", parsers.one_word_of("us", "customer")),
        ),
    ),
    "invoices": Table(
        Invoice,
        (
            _id("invoice_id"),
            _id("customer_id"),
            Column("payer_id", parsers.identifier),
            Column("issued_on", days.DAY, required=True),
            Column("due_on", days.DAY, required=True),
            # Before the amount, which is read in it as soon as its own column comes.
            Column("currency", parsers.currency),
            Column("amount", parsers.amount, required=True),
            Column("status", parsers.one_word_of(*INVOICE_STATUSES, also=_STATES_OF_INVOICES)),
        ),
    ),
    "payments": Table(
        Payment,
        (
            _id("payment_id"),
            Column("invoice_id", parsers.identifier),
            Column("customer_id", parsers.identifier),
            Column("paid_on", days.PAST_DAY, required=True),
            # Before the amount, which is read in it as soon as its own column comes.
            Column("currency", parsers.currency),
            Column("amount", parsers.amount, required=True),
        ),
        fault=_require_what_for,
        empty={"invoice_id": ""},
    ),
    "feedback": Table(
        Feedback,
        (
            _id("feedback_id"),
            Column("customer_id", parsers.identifier),
            Column("given_at", days.INSTANT, required=True, day="given_on", local="given_at_local"),
            Column("kind", parsers.one_word_of("score", "complaint", "review", "enquiry"), required=True),
            Column("score", parsers.score),
            Column("status", parsers.one_word_of("open", "answered", "closed")),
            Column("text", parsers.passage),
        ),
        kept=keep_what_staff_wrote,
        fault=_require_whose,
    ),
    "referrals": Table(
        Referral,
        (
            _id("referral_id"),
            _id("customer_id"),
            Column("referred_name", parsers.line),
            Column("referred_customer_id", parsers.identifier),
            Column("made_on", days.DAY, required=True),
            Column("status", parsers.line),
        ),
    ),
    "consents": Table(
        Consent,
        (
            _id("customer_id"),
            Column("channel", parsers.one_word_of(*CHANNELS), required=True),
            Column("purpose", parsers.one_word_of(*PURPOSES), required=True),
            Column("state", parsers.one_word_of("granted", "withdrawn"), required=True),
            Column("at", days.SAID_AT, required=True),
            Column("basis", parsers.line),
            Column("expires_at", days.EXPIRY),
            Column("source", parsers.line),
            Column("text", parsers.passage),
        ),
        appends=True,
    ),
    "flags": Table(
        Flag,
        (
            _id("customer_id"),
            Column("kind", parsers.word, required=True),
            Column("from", days.FROM_DAY, required=True, stored="from_on"),
            Column("until", days.UNTIL_DAY, stored="until_on"),
            Column("source", parsers.line),
            Column("note", parsers.passage),
        ),
        kept=keep_flags_of_the_desk,
    ),
}
