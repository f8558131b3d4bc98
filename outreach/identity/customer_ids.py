"""Reads what somebody typed for a customer's number. No other module reads one that a person typed."""

from sqlalchemy import func
from sqlmodel import Session, select

from outreach.errors import NotFound
from outreach.identity.aliases import resolve_ids
from outreach.models import Customer


def read_customer_id(session: Session, typed: str) -> str:
    """The id of the customer meant: as typed, or who that was merged into, or in another case where just one fits.

    Raises NotFound where there is none, and where several differ in nothing but case.
    """
    id_ = typed.strip()
    if session.get(Customer, id_):
        return id_
    if person := resolve_ids(session, [id_]).get(id_):
        return person
    alike = session.exec(
        select(Customer.customer_id)
        .where(func.lower(Customer.customer_id) == id_.lower())
        .order_by(Customer.customer_id)
    ).all()
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise NotFound(f"“{id_}” may be any of {', '.join(alike[:5])}; type it as it is in customers.csv")
    raise NotFound(f"There is no customer “{id_}”. Ids are those of customers.csv")
