"""What makes a moment true: the customer, consents and records under a message that was made by hand.

A message is asked again whether its moment still stands before it leaves, so one without grounds would be withdrawn.
"""

import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from conftest import NOW
from outreach.database import insert_new
from outreach.models import Consent, Customer, Feedback, Goodwill, Import, Invoice, Moment, Treatment, Visit
from outreach.stable_ids import moment_id


def add_person(session: Session, customer_id: str, name: str, **more: Any) -> None:
    """A customer with a name of their own who can be reached by every channel, and has said yes to all of them."""
    number = zlib.crc32(customer_id.encode())
    person = {
        "customer_id": customer_id, "given_name": "Ada", "family_name": name, "region": "VT", "city": "Burlington",
        "address_line1": f"{number % 9000 + 1} Elm St", "postal_code": "05401", "country": "US",
        "timezone": "America/New_York", "email": f"ada{number}@example.org", "phone": f"+1802555{number % 10000:04}",
    }  # fmt: skip
    insert_new(session, Customer, [person | more])
    _complete(session.get_one(Customer, customer_id), person)
    said = {"customer_id": customer_id, "state": "granted", "at": datetime(2025, 1, 1, tzinfo=UTC), "basis": "written",
            "source": "form", "text": "yes"}  # fmt: skip
    both = [(channel, purpose) for channel in ("email", "text") for purpose in ("service", "marketing")]
    insert_new(session, Consent, [said | {"channel": channel, "purpose": purpose} for channel, purpose in both])


ADDRESS = ("address_line1", "city", "region", "postal_code", "country")


def _complete(customer: Customer, person: dict[str, Any]) -> None:
    """Gives somebody who was on record already a name and the contacts that they have none of."""
    wanted = [] if customer.given_name or customer.honorific else ["given_name"]
    wanted += [name for name in ("email", "phone") if getattr(customer, name) is None]
    for name in [*wanted, *(() if customer.address_line1 else ADDRESS)]:
        setattr(customer, name, person[name])


def add_moment(session: Session, kind: str, customer_id: str, on: date, **changes: Any) -> str:
    """The moment's row, and the records that give it to the customer on `on`; its id, as planning would make it."""
    occasion, occasion_on, looked_on = GROUNDS[kind](session, customer_id, on, changes.get("occasion"))
    known = {"kind": kind, "customer_id": customer_id, "occasion": occasion, "occasion_on": occasion_on}
    row = known | {"found_on": on, "looked_on": looked_on} | changes
    row["moment_id"] = moment_id(kind, customer_id, row["occasion"])
    insert_new(session, Moment, [row])
    return str(row["moment_id"])


Ground = tuple[str, date, date]
Give = Callable[[Session, str, date, str | None], Ground]


def _at(on: date) -> datetime:
    return datetime.combine(on, NOW.timetz())


def _checkin(session: Session, customer_id: str, on: date, occasion: str | None) -> Ground:
    # Several of one customer are told apart by the day of the treatment.
    on = date.fromisoformat(occasion) if occasion else on
    done = {"treatment_id": f"treatment of {customer_id} on {on}", "customer_id": customer_id, "name": "Filling"}
    insert_new(session, Treatment, [done | {"done_at": _at(on), "done_on": on}])
    return str(on), on, on + timedelta(2)


def _anniversary(session: Session, customer_id: str, on: date, occasion: str | None) -> Ground:
    # In years of their own: a day that many share is taken for an import's default.
    since = on.replace(year=1950 + zlib.crc32(customer_id.encode()) % 70)
    session.get_one(Customer, customer_id).customer_since = since
    _add_visits(session, customer_id, on, 30, 60)
    return str(on), on, on


def _add_visits(session: Session, customer_id: str, on: date, *days_ago: int) -> None:
    visit = {"customer_id": customer_id, "status": "completed"}
    insert_new(session, Visit, [
        visit | {"visit_id": f"visit of {customer_id}, {ago}", "starts_at": _at(on) - timedelta(ago),
                 "starts_on": on - timedelta(ago)}
        for ago in days_ago
    ])  # fmt: skip


def _late_payment(session: Session, customer_id: str, on: date, occasion: str | None) -> Ground:
    due = on - timedelta(18)
    owed = {"invoice_id": f"invoice of {customer_id}", "customer_id": customer_id, "amount": 18550, "status": "open"}
    insert_new(session, Invoice, [owed | {"issued_on": due - timedelta(31), "due_on": due}])
    session.add(Import(at=_at(on), file="payments.csv", table_name="payments", read=0, accepted=0, refused=0))
    return str(due), due, on


def _told(kind: str, score: int | None = None) -> Give:
    def give(session: Session, customer_id: str, on: date, occasion: str | None) -> Ground:
        said = {"feedback_id": occasion or str(on), "customer_id": customer_id, "kind": kind, "score": score}
        insert_new(session, Feedback, [said | {"given_at": _at(on) - timedelta(hours=5), "given_on": on}])
        return occasion or str(on), on, on

    return give


def _referral_ask(session: Session, customer_id: str, on: date, occasion: str | None) -> Ground:
    session.get_one(Customer, customer_id).customer_since = on - timedelta(673)
    _add_visits(session, customer_id, on, 30, 60)
    said = {"feedback_id": f"score of {customer_id}", "customer_id": customer_id, "kind": "score", "score": 10}
    insert_new(session, Feedback, [said | {"given_at": _at(on), "given_on": on}])
    return str(on), on, on


def _survey(session: Session, customer_id: str, on: date, occasion: str | None) -> Ground:
    _add_visits(session, customer_id, on, 0)
    return str(on), on, on + timedelta(1)


def _goodwill(session: Session, customer_id: str, on: date, occasion: str | None) -> Ground:
    insert_new(session, Goodwill, [{"event": occasion or "the storm", "customer_id": customer_id, "named_on": on}])
    return occasion or "the storm", on, on


GROUNDS: dict[str, Give] = {
    "anniversary": _anniversary,
    "checkin": _checkin,
    "enquiry": _told("enquiry"),
    "goodwill": _goodwill,
    "late_payment": _late_payment,
    # Not a complaint: that would hold whatever else is planned for them.
    "recovery": _told("score", 3),
    "referral_ask": _referral_ask,
    "review_reply": _told("review", 2),
    "survey": _survey,
}
