"""Counts the rows that belong to nobody on record, in the tables that were just fed. It changes nothing.

Such rows are kept, for a file may come before the one it belongs to; but nobody should have to find out by chance.
"""

from collections.abc import Collection

from sqlalchemy import Engine
from sqlmodel import col, func, select

from outreach.database import reading
from outreach.intake.headers import TABLES
from outreach.models import Customer, Invoice, Payment


def count_orphans(engine: Engine, tables: Collection[str]) -> dict[str, int]:
    """For each of `tables` that has any: its rows whose customer, or whose invoice, is not on record."""
    with reading(engine) as session:
        counts = {}
        for name in sorted(set(tables) - {"customers"}):
            model = TABLES[name].model
            own, whole = col(model.customer_id), col(Customer.customer_id)  # type: ignore[attr-defined]
            lost = own.is_not(None) & ~select(whole).where(whole == own).exists()
            if name == "payments":
                # With an invoice it belongs to that, whoever paid it.
                of, invoice = col(Payment.invoice_id), col(Invoice.invoice_id)
                unknown = ~select(invoice).where(invoice == of).exists()
                lost = ((of == "") & lost) | ((of != "") & unknown)
            counts[name] = session.exec(select(func.count()).select_from(model).where(lost)).one()
    return {name: count for name, count in counts.items() if count}
