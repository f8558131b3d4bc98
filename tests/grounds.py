"""What makes a moment true: the customer, consents and records under a message that was made by hand.

A message is asked again whether its moment still stands before it leaves, so one without grounds would be withdrawn.
"""

import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from conftest import NOW, TODAY
from outreach.database import insert_new
from outreach.models import Consent, Customer, Feedback, Goodwill, Import, Invoice, Moment, Treatment, Visit

DUE = date(2026, 2, 20)


def add_person(session: Session, customer_id: str, name: str, **more: Any) -> None:
    """A customer with a name of their own who can be reached by every channel, and has said yes to all of them."""
    number = zlib.crc32(customer_id.encode())
    person = {
        "customer_id": customer_id, "given_name": "Ada", "family_name": name, "region": "VT", "city": "Burlington",
        "address_line1": f"{number % 9000 + 1} Elm St", "postal_code": "05401", "country": "US",
        "timezone": "America/New_York", "email": f"ada{number}@example.org", "phone": f"+1802555{number % 10000:04}",
    }  # fmt: skip
    insert_new(session, Customer, [person | more])
    said = {"customer_id": customer_id, "state": "granted", "at": datetime(2025, 1, 1, tzinfo=UTC), "basis": "written",
            "source": "form", "text": "yes"}  # fmt: skip
    both = [(channel, purpose) for channel in ("email", "text") for purpose in ("service", "marketing")]
    insert_new(session, Consent, [said | {"channel": channel, "purpose": purpose} for channel, purpose in both])


def add_moment(session: Session, kind: str, customer_id: str, moment_id: str, **changes: Any) -> None:
    """The moment's row, and the records that give it to the customer on TODAY."""
    occasion, occasion_on, looked_on = GROUNDS[kind](session, customer_id, changes.get("occasion"))
    row = {"moment_id": moment_id, "kind": kind, "customer_id": customer_id, "occasion": occasion,
           "occasion_on": occasion_on, "found_on": TODAY, "looked_on": looked_on}  # fmt: skip
    insert_new(session, Moment, [row | changes])


Ground = tuple[str, date, date]
Give = Callable[[Session, str, str | None], Ground]


def _checkin(session: Session, customer_id: str, occasion: str | None) -> Ground:
    done = {"treatment_id": f"treatment of {customer_id}", "customer_id": customer_id, "name": "Filling"}
    insert_new(session, Treatment, [done | {"done_at": NOW, "done_on": TODAY}])
    return str(TODAY), TODAY, TODAY + timedelta(2)


def _anniversary(session: Session, customer_id: str, occasion: str | None) -> Ground:
    # In years of their own: a day that many share is taken for an import's default.
    since = TODAY.replace(year=1950 + zlib.crc32(customer_id.encode()) % 70)
    session.get_one(Customer, customer_id).customer_since = since
    _add_visits(session, customer_id, 30, 60)
    return str(TODAY), TODAY, TODAY


def _add_visits(session: Session, customer_id: str, *days_ago: int) -> None:
    visit = {"customer_id": customer_id, "status": "completed"}
    insert_new(session, Visit, [
        visit | {"visit_id": f"visit of {customer_id}, {ago}", "starts_at": NOW - timedelta(ago),
                 "starts_on": TODAY - timedelta(ago)}
        for ago in days_ago
    ])  # fmt: skip


def _late_payment(session: Session, customer_id: str, occasion: str | None) -> Ground:
    owed = {"invoice_id": f"invoice of {customer_id}", "customer_id": customer_id, "amount": 18550, "status": "open"}
    insert_new(session, Invoice, [owed | {"issued_on": date(2026, 1, 20), "due_on": DUE}])
    session.add(Import(at=NOW, file="payments.csv", table_name="payments", read=0, accepted=0, refused=0))
    return str(DUE), DUE, TODAY


def _told(kind: str, score: int | None = None) -> Give:
    def give(session: Session, customer_id: str, occasion: str | None) -> Ground:
        said = {"feedback_id": occasion or str(TODAY), "customer_id": customer_id, "kind": kind, "score": score}
        insert_new(session, Feedback, [said | {"given_at": NOW - timedelta(hours=5), "given_on": TODAY}])
        return occasion or str(TODAY), TODAY, TODAY

    return give


def _referral_ask(session: Session, customer_id: str, occasion: str | None) -> Ground:
    session.get_one(Customer, customer_id).customer_since = date(2024, 5, 6)
    _add_visits(session, customer_id, 30, 60)
    said = {"feedback_id": f"score of {customer_id}", "customer_id": customer_id, "kind": "score", "score": 10}
    insert_new(session, Feedback, [said | {"given_at": NOW, "given_on": TODAY}])
    return str(TODAY), TODAY, TODAY


def _survey(session: Session, customer_id: str, occasion: str | None) -> Ground:
    _add_visits(session, customer_id, 0)
    return str(TODAY), TODAY, TODAY + timedelta(1)


def _goodwill(session: Session, customer_id: str, occasion: str | None) -> Ground:
    insert_new(session, Goodwill, [{"event": occasion or "the storm", "customer_id": customer_id, "named_on": TODAY}])
    return occasion or "the storm", TODAY, TODAY


GROUNDS: dict[str, Give] = {
    "anniversary": _anniversary,
    "checkin": _checkin,
    "enquiry": _told("enquiry"),
    "goodwill": _goodwill,
    "late_payment": _late_payment,
    "recovery": _told("complaint"),
    "referral_ask": _referral_ask,
    "review_reply": _told("review", 2),
    "survey": _survey,
}
