"""Finds the currency of an amount whose row names none: an invoice's is its customer's, a payment's is its invoice's.

Amounts are stored with it, so that what becomes known later never changes what a number means. It stores nothing.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from sqlalchemy import Engine, Select, func
from sqlmodel import col, select

from outreach.database import reading
from outreach.models import Customer, Invoice, Payment

Record = dict[str, Any]


class Currencies:
    """What is on record of customers, invoices and payments in another currency than the business's `own`.

    Each is read when the first row asks for it: most files name their currency, or have only one.
    """

    def __init__(self, engine: Engine, own: str) -> None:
        self._engine, self._own = engine, own

    def reader_for(self, table: str) -> Callable[[Record], str | None]:
        """What tells the currency of a row of `table` that names none; None stands for the business's own."""
        return {"invoices": self._of_invoice, "payments": self._of_payment}.get(table, lambda record: None)

    def _of_invoice(self, record: Record) -> str | None:
        if "currency" not in record and (on_record := self._invoices.get(record["invoice_id"])):
            # A file without the column leaves the currency alone, and its amount is in that.
            return on_record
        return self._customers.get(record["customer_id"])

    def _of_payment(self, record: Record) -> str | None:
        invoice_id, customer_id = record.get("invoice_id") or "", record.get("customer_id")
        if "currency" not in record and (on_record := self._payments.get((record["payment_id"], invoice_id))):
            return on_record
        return self._invoices.get(invoice_id) if invoice_id else self._customers.get(customer_id or "")

    @cached_property
    def _customers(self) -> dict[str, str]:
        return dict(self._read(select(Customer.customer_id, Customer.currency).where(Customer.currency != self._own)))

    @cached_property
    def _invoices(self) -> dict[str, str]:
        currency = func.coalesce(Invoice.currency, Customer.currency)
        theirs = select(Invoice.invoice_id, currency).join(
            Customer, col(Customer.customer_id) == Invoice.customer_id, isouter=True
        )
        return dict(self._read(theirs.where(currency != self._own)))

    @cached_property
    def _payments(self) -> dict[tuple[str, str], str]:
        rows = select(Payment.payment_id, Payment.invoice_id, Payment.currency).where(Payment.currency != self._own)
        return {(payment_id, invoice_id): currency for payment_id, invoice_id, currency in self._read(rows)}

    def _read(self, rows: Select[Any]) -> list[Any]:
        with reading(self._engine) as session:
            return [tuple(row) for row in session.execute(rows)]
