"""Chooses who is written to: the customer, the payer of a late invoice, or the guardian of a minor."""

from collections.abc import Collection, Iterable
from datetime import date

from sqlmodel import Session, col, select

from outreach.chunks import in_chunks
from outreach.models import Customer
from outreach.moments import MOMENTS, Found
from outreach.planning.contact_cards import Person
from outreach.planning.customer_state import Standing
from outreach.planning.receivables import choose_addressee
from outreach.settings import Settings


def people_needed(session: Session, found: Collection[Found], standings: dict[str, Standing]) -> set[str]:
    """The customers found, the payers of their open invoices, and the guardians of both."""
    ids = {item.customer_id for item in found}
    owing = {item.customer_id for item in found if "debt" in MOMENTS[item.kind].traits}
    # A payer may be a minor too, so that guardians are looked for once the payers are known.
    ids |= {invoice.payer_id for who in owing for invoice in standings[who].open_invoices}
    return ids | set(_guardians(session, ids))


def _guardians(session: Session, ids: Collection[str]) -> Iterable[str]:
    for chunk in in_chunks(ids):
        guardians = select(Customer.guardian_id).where(col(Customer.customer_id).in_(chunk))
        yield from (guardian for guardian in session.exec(guardians) if guardian)


def choose_recipient(
    found: Found, customer: Person, standing: Standing, people: dict[str, Person], settings: Settings, on: date
) -> Person | None:
    """The person to write to, or None where the payer or guardian is not among our customers."""
    if "debt" in MOMENTS[found.kind].traits:
        is_late, addressee = choose_addressee(standing.open_invoices, settings, on)
        # Where nothing is late any more the customer stands in, so that the moment's own rule gives the reason.
        if is_late:
            return people.get(addressee) if addressee else None
    if not customer.is_minor(on):
        return customer
    guardian = customer.customer.guardian_id
    return people.get(guardian) if guardian else None
