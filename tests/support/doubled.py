"""People on file twice, for the tests of merges: what each number has, and all that a database says of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select
from sqlmodel import Session

from conftest import NOW
from outreach.database import reading, writing
from outreach.identity.aliases import COPIED, POINTING, table_of
from outreach.models import (
    Consent,
    Customer,
    Decision,
    Feedback,
    Flag,
    Goodwill,
    Invoice,
    Message,
    Moment,
    Payment,
    Referral,
    Reward,
    Staff,
    Treatment,
    Visit,
)
from outreach.stable_ids import moment_id, reference

DAY = date(2026, 3, 1)
FACTS = (*POINTING, *COPIED, Moment, Decision, Message, Reward)


def add_staff(engine: Engine) -> None:
    with writing(engine) as session:
        for who, role in (("nora", "writer"), ("vic", "viewer")):
            session.add(Staff(staff_id=who, name=who, role=role, added_at=NOW))


def add_person(session: Session, customer_id: str, **values: Any) -> None:
    session.add(Customer(customer_id=customer_id, **values))
    session.flush()


def add_history(session: Session, customer_id: str, number: int = 1) -> None:
    """A row of everything that can name a customer."""
    at = datetime(2026, 2, number, 12, tzinfo=UTC)
    code = f"{customer_id}-{number}"
    session.add(Visit(visit_id=code, customer_id=customer_id, starts_at=at, starts_on=at.date(), status="completed"))
    session.add(Treatment(treatment_id=code, customer_id=customer_id, done_at=at, done_on=at.date(), name="Filling"))
    session.add(Invoice(invoice_id=code, customer_id=customer_id, payer_id=customer_id, issued_on=DAY, due_on=DAY,
                        amount=100))  # fmt: skip
    session.add(Payment(payment_id=code, invoice_id=code, paid_on=DAY, amount=100))
    session.add(Payment(payment_id=code, customer_id=customer_id, paid_on=DAY, amount=50))
    session.add(Feedback(feedback_id=code, customer_id=customer_id, given_at=at, given_on=at.date(), kind="score"))
    session.add(Referral(referral_id=code, customer_id=customer_id, referred_customer_id=customer_id, made_on=DAY))
    session.add(Consent(customer_id=customer_id, channel="email", purpose="marketing", at=at, state="granted"))
    session.add(Flag(customer_id=customer_id, kind="hardship", from_on=at.date()))
    session.add(Goodwill(event=f"storm {number}", customer_id=customer_id, named_on=DAY))
    sent = add_sent(session, customer_id, "checkin", at.date())
    session.add(Reward(code_hash=code, reference=sent, customer_id=customer_id, amount=1000, currency="USD",
                       issued_on=DAY, valid_until=DAY))  # fmt: skip


def add_sent(session: Session, customer_id: str, kind: str, day: date, status: str = "delivered") -> str:
    """A moment that was decided, and its message."""
    id_ = moment_id(kind, customer_id, day.isoformat())
    code = reference(id_, 1)
    add_decided(session, customer_id, kind, day, "send", code)
    session.add(Message(
        reference=code, moment_id=id_, kind=kind, customer_id=customer_id, recipient_id=customer_id, channel="letter",
        purpose="service", status=status, run_on=day, send_on=day, useful_until=day + timedelta(days=30),
    ))  # fmt: skip
    session.flush()
    return code


def add_decided(
    session: Session, customer_id: str, kind: str, day: date, outcome: str, code: str | None = None
) -> None:
    id_ = moment_id(kind, customer_id, day.isoformat())
    session.add(Moment(moment_id=id_, kind=kind, customer_id=customer_id, occasion=day.isoformat(), occasion_on=day,
                       found_on=day))  # fmt: skip
    session.flush()
    session.add(Decision(moment_id=id_, sequence=1, run_on=day, outcome=outcome, rule=outcome, reason="because",
                         next_on=day if outcome == "not_yet" else None, reference=code))  # fmt: skip
    session.flush()


def picture(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row that a merge may touch, in an order of its own."""
    with reading(engine) as session:
        return {
            table_of(model).name: sorted(
                (dict(row) for row in session.connection().execute(select(table_of(model))).mappings()), key=str
            )
            for model in FACTS
        }
