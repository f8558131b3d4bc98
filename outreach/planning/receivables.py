"""Works out what a payer owes on a day, since when, and which of their bills a late note may be about.

An account is one payer and one currency; nothing of another account adds to it or comes off it. Credit notes, money
paid over the amount of a bill, and payments for no bill in particular come off what is open, oldest first. No other
module says so: rules and words ask this one. It writes nothing and decides nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Date, Select, case, func, literal, or_, select
from sqlmodel import Session, col

from outreach.chunks import IDS, rows_for, select_for
from outreach.clock import years_between
from outreach.models import Customer, Invoice, Payment
from outreach.moments.balances import (
    WRITTEN_OFF,
    currency_of_invoice,
    currency_of_payment,
    owed,
)
from outreach.moments.late_payment import LATE_PAYMENT
from outreach.money import convert_count
from outreach.planning.contact_cards import ADULT
from outreach.settings import Settings

REFUND = "money was given back on what would be late; a person looks before anyone is reminded of it"
OTHER_CURRENCY = "what would be late was paid in another currency; a person looks before anyone is reminded of it"
# As `_is_free` in moments/late_payment.py asks it of the database.
FREE = frozenset({None, "open"})


@dataclass(frozen=True)
class Item:
    """An invoice and what it alone adds to its payer's account."""

    invoice: Invoice
    payer_id: str
    currency: str
    #: In minor units; under nothing for a credit.
    owed: int
    #: Why a person must look at its payments first.
    doubt: str | None = None

    @property
    def late_since(self) -> date:
        """The later of issue and due day: nobody is late with a bill before they could have it."""
        return max(self.invoice.issued_on, self.invoice.due_on)

    @property
    def is_disputed(self) -> bool:
        return self.invoice.status == "disputed" and self.owed > 0


@dataclass(frozen=True)
class OpenInvoice(Item):
    """An item with something left to pay once all that its payer is credited has come off."""

    #: What is left; always over nothing.
    balance: int = 0
    #: The payer's record, where we have one.
    payer: Customer | None = None
    #: A bill of the same account is disputed.
    beside_dispute: bool = False

    def addressee(self, on: date) -> str | None:
        """Who is written to about it: its payer, or a minor's guardian; None where nobody is on record."""
        if self.payer is None:
            return None
        born_on = self.payer.born_on
        is_minor = born_on is not None and years_between(born_on, on) < ADULT
        return self.payer.guardian_id if is_minor else self.payer.customer_id


@dataclass
class Account:
    """What one payer has with us in one currency."""

    items: list[Item] = field(default_factory=list)
    #: What they paid for no bill in particular, less what went back.
    on_account: int = 0
    #: When some of that last went back.
    returned_on: date | None = None


def allocate(items: Iterable[Item], on_account: int = 0) -> list[tuple[Item, int]]:
    """The items of one account with something left to pay, and what, the oldest first.

    Every credit comes off the oldest; what was written off is the last to get any. Nothing left is under nothing.
    """
    listed = list(items)
    # More may have gone back than was paid on account; no bill grows by that.
    credit = max(0, on_account - sum(min(0, item.owed) for item in listed))
    unpaid = []
    for item in sorted((item for item in listed if item.owed > 0), key=_place):
        taken = min(credit, item.owed)
        credit -= taken
        if rest := item.owed - taken:
            unpaid.append((item, rest))
    return sorted(unpaid, key=lambda pair: _age(pair[0]))


def _age(item: Item) -> tuple[date, str]:
    return item.late_since, item.invoice.invoice_id


def _place(item: Item) -> tuple[bool, date, str]:
    return item.invoice.status == WRITTEN_OFF, *_age(item)


def late_bills(open_invoices: Iterable[OpenInvoice], settings: Settings, on: date) -> list[OpenInvoice]:
    """The bills that a late note may be about on `on`, the oldest first: late within the moment's days, and free."""
    knobs = LATE_PAYMENT.knobs_of(settings)
    late = [
        item
        for item in open_invoices
        if item.invoice.status in FREE and knobs.from_days <= (on - item.late_since).days <= knobs.until_days
    ]
    return sorted(late, key=_age)


def bills_of(
    open_invoices: Iterable[OpenInvoice], addressee: str | None, settings: Settings, on: date
) -> list[OpenInvoice]:
    """Those of the late bills that `addressee` is written to about: nobody reads of what another owes."""
    late = late_bills(open_invoices, settings, on)
    return [item for item in late if addressee is not None and item.addressee(on) == addressee]


def choose_addressee(open_invoices: Iterable[OpenInvoice], settings: Settings, on: date) -> tuple[bool, str | None]:
    """Whether any bill is late, and who is written to: whoever owes enough to be, else whoever has the oldest bill.

    Without anybody on record it is nobody. So a payer who is no customer never hides what another owes.
    """
    late = late_bills(open_invoices, settings, on)
    by_addressee: dict[str, list[OpenInvoice]] = defaultdict(list)
    for item in late:
        if addressee := item.addressee(on):
            by_addressee[addressee].append(item)
    enough = [who for who, bills in by_addressee.items() if is_enough(bills, settings)]
    return bool(late), next(iter([*enough, *by_addressee]), None)


def total_by_currency(bills: Iterable[OpenInvoice]) -> dict[str, int]:
    """The sum of the bills in each currency, in its minor units."""
    totals: dict[str, int] = defaultdict(int)
    for bill in bills:
        totals[bill.currency] += bill.balance
    return dict(totals)


def is_enough(bills: Iterable[OpenInvoice], settings: Settings) -> bool:
    """Whether the bills reach the smallest sum that is worth a note, in one currency at least."""
    return any(total >= least_of(settings, currency) for currency, total in total_by_currency(bills).items())


def least_of(settings: Settings, currency: str) -> int:
    """The smallest sum that is worth a note, in minor units of `currency`.

    In another currency than the business's it is what `min_balances` says, else as many major units: 10 for 10.
    """
    knobs, own = LATE_PAYMENT.knobs_of(settings), settings.business.currency
    if currency == own:
        return int(knobs.min_balance)
    return int(knobs.min_balances.get(currency, convert_count(knobs.min_balance, own, currency)))


# Whose account it is, for which customer alone (empty for all), and its currency.
AccountKey = tuple[str, str, str]


@dataclass(frozen=True)
class Receivables:
    """The accounts of some customers, and of whoever pays for them, on one day."""

    accounts: Mapping[AccountKey, Account]
    payers: Mapping[str, Customer]

    def open_invoices(self) -> list[OpenInvoice]:
        """Every bill with something left to pay, those of an account together, the oldest first."""
        return [bill for (payer_id, _, _), account in self.accounts.items() for bill in self._open(payer_id, account)]

    def _open(self, payer_id: str, account: Account) -> Iterator[OpenInvoice]:
        unpaid = allocate(account.items, account.on_account)
        first = min((item.invoice.issued_on for item, _ in unpaid), default=None)
        # What went back before the oldest of them was written has nothing to do with them.
        is_refunded = first is not None and account.returned_on is not None and account.returned_on >= first
        beside_dispute = any(item.is_disputed for item in account.items)
        for item, balance in unpaid:
            doubt = item.doubt or (REFUND if is_refunded else None)
            values = (item.invoice, item.payer_id, item.currency, item.owed, doubt)
            yield OpenInvoice(*values, balance, self.payers.get(payer_id), beside_dispute)

    def disputing(self) -> set[str]:
        """Whose bill is disputed, and who is to pay it."""
        disputed = (item for account in self.accounts.values() for item in account.items if item.is_disputed)
        return {who for item in disputed for who in (item.invoice.customer_id, item.payer_id)}


def read_receivables(session: Session, on: date, ids: Collection[str], currency: str) -> Receivables:
    """What the customers `ids`, and those who pay for them, have open on `on`; a payment of that day counts.

    `currency` is the business's. Whoever pays and is no customer of ours has an account for each customer alone: nobody
    is written to about it, and an insurer's may be as large as the practice.
    """
    items = {item.invoice.invoice_id: item for item in _read_items(session, on, currency, ids)}
    paying = {item.payer_id for item in items.values()}
    payers = {row.customer_id: row for row in select_for(session, select(Customer), Customer.customer_id, paying)}
    # A payer's account is whole only with what they are billed themselves: a credit of theirs covers a child's bill.
    others = payers.keys() - set(ids)
    items |= {item.invoice.invoice_id: item for item in _read_items(session, on, currency, others, only_as_payers=True)}
    accounts: dict[AccountKey, Account] = defaultdict(Account)
    for item in items.values():
        alone = "" if item.payer_id in payers else item.invoice.customer_id
        accounts[item.payer_id, alone, item.currency].items.append(item)
    _add_payments_on_account(session, on, currency, payers, accounts)
    return Receivables(accounts, payers)


def _read_items(
    session: Session, on: date, currency: str, ids: Collection[str], only_as_payers: bool = False
) -> Iterator[Item]:
    """The invoices that are not settled and that `ids` are to pay; also those of `ids` that another is to pay."""
    statement = _select_unsettled(on, currency, only_as_payers)
    for invoice, used, amount, returned, foreign in rows_for(session, statement, ids):
        doubt = OTHER_CURRENCY if foreign else REFUND if returned else None
        # As whole numbers: PostgreSQL sums a BIGINT to a Decimal.
        # What was paid in another currency cannot be a credit in this one.
        unpaid = max(0, int(amount)) if foreign else int(amount)
        yield Item(invoice, invoice.payer_id or invoice.customer_id, used, unpaid, doubt)


@lru_cache(maxsize=100)
def _select_unsettled(on: date, currency: str, only_as_payers: bool) -> Select[Any]:
    """(invoice, its currency, what it adds to its account, 1 where money went back, 1 where some was in another)."""
    amount, used = owed(on), currency_of_invoice(currency)
    payments: Any = select(func.max(literal(1))).where(
        col(Payment.invoice_id) == Invoice.invoice_id, col(Payment.paid_on) <= on
    )
    payments = payments.correlate(Invoice, Customer)
    returned = payments.where(Payment.amount < 0).scalar_subquery()
    foreign = payments.where(func.coalesce(Payment.currency, used) != used).scalar_subquery()
    theirs: Any = col(Invoice.customer_id).in_(IDS)
    # What another pays for them is in that payer's account, which is not asked for here.
    if only_as_payers:
        theirs = theirs & col(Invoice.payer_id).is_(None)
    return (
        select(Invoice, used, amount, returned, foreign)
        .join(Customer, col(Customer.customer_id) == Invoice.customer_id, isouter=True)
        .where(col(Invoice.issued_on) <= on, amount != 0, or_(theirs, col(Invoice.payer_id).in_(IDS)))
    )


def _add_payments_on_account(
    session: Session, on: date, currency: str, ids: Collection[str], accounts: dict[AccountKey, Account]
) -> None:
    """What whoever owes something paid for no bill in particular."""
    for payer_id, paid_in, total, returned_on in rows_for(session, _select_on_account(on, currency), ids):
        account = accounts[payer_id, "", paid_in]
        account.on_account, account.returned_on = int(total), returned_on


@lru_cache(maxsize=100)
def _select_on_account(on: date, currency: str) -> Select[Any]:
    """(payer, currency, the sum of what they paid for no bill in particular, when some of it last went back)."""
    used, payer = currency_of_payment(currency), col(Payment.customer_id)
    returned = func.max(case((col(Payment.amount) < 0, col(Payment.paid_on))), type_=Date)
    paid = (
        select(payer, used, func.sum(Payment.amount), returned)
        .join(Customer, col(Customer.customer_id) == payer)
        .where(col(Payment.invoice_id) == "", col(Payment.paid_on) <= on, payer.in_(IDS))
    )
    return paid.group_by(payer, used)
