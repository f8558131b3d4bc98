"""Who is written to: the customer, the payer of a late invoice, or the guardian of a minor."""

from collections.abc import Collection, Iterable
from datetime import date

from sqlmodel import Session, col, select

from outreach.models import Customer
from outreach.moments import Found
from outreach.planning.people import Person, in_chunks
from outreach.planning.standing import Standing


def people_needed(session: Session, found: Collection[Found], standings: dict[str, Standing]) -> set[str]:
    """The customers found, the payers of their late invoices, and the guardians of both."""
    ids = {item.customer_id for item in found}
    ids |= {payer for item in found if (payer := payer_of(item, standings[item.customer_id]))}
    return ids | set(_guardians(session, ids))


def _guardians(session: Session, ids: Collection[str]) -> Iterable[str]:
    for chunk in in_chunks(ids):
        guardians = select(Customer.guardian_id).where(col(Customer.customer_id).in_(chunk))
        yield from (guardian for guardian in session.exec(guardians) if guardian)


def payer_of(found: Found, standing: Standing) -> str | None:
    """Who pays the invoice that makes a late payment: the oldest of those due on the occasion."""
    if found.kind != "late_payment":
        return None
    due = [item.invoice for item in standing.open_invoices if item.invoice.due_on.isoformat() == found.occasion]
    payers = [invoice.payer_id for invoice in sorted(due, key=lambda i: i.invoice_id) if invoice.payer_id]
    return payers[0] if payers else None


def choose_recipient(
    found: Found, customer: Person, standing: Standing, people: dict[str, Person], on: date
) -> Person | None:
    """The person to write to, or None where the payer or guardian is not among our customers."""
    payer = payer_of(found, standing)
    recipient = people.get(payer) if payer else customer
    if recipient is None or not recipient.is_minor(on):
        return recipient
    guardian = recipient.customer.guardian_id
    return people.get(guardian) if guardian else None
