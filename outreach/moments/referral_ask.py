"""They have been with us for a while, were just happy, and nothing stands between us: the day to ask for a referral.

Whether they were asked before is planning's question: this one is the same whatever ran before.
"""

from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlmodel import col

from outreach.models import Customer, Feedback, Invoice, Visit
from outreach.moments.definition import MomentDefinition
from outreach.moments.relationship import balance, first_contact, is_alive
from outreach.settings import ReferralAskKnobs


def find_referral_asks(knobs: ReferralAskKnobs, on: date) -> Select[tuple[str, date]]:
    """Tenure, completed visits, a fresh high score, nothing overdue, no open complaint. The last score names it."""
    since = func.coalesce(col(Customer.customer_since), first_contact())
    return (
        select(col(Feedback.customer_id), func.max(col(Feedback.given_on)))
        .join(Customer, col(Customer.customer_id) == col(Feedback.customer_id))
        .where(
            col(Feedback.kind) == "score",
            col(Feedback.score) >= knobs.score,
            col(Feedback.given_on).between(on - timedelta(days=knobs.happy_days), on),
            since <= on - timedelta(days=knobs.tenure_days),
            _completed_visits(on) >= knobs.visits,
            ~_is_overdue(on),
            ~_complains(on),
            is_alive(on),
        )
        .group_by(col(Feedback.customer_id))
    )


def _completed_visits(on: date) -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(Visit)
        .where(
            col(Visit.customer_id) == col(Customer.customer_id),
            col(Visit.status) == "completed",
            col(Visit.starts_on) <= on,
        )
        .correlate(Customer)
        .scalar_subquery()
    )


def _is_overdue(on: date) -> ColumnElement[bool]:
    """Whatever its status: also a planned or disputed invoice makes it the wrong day to ask for a favour."""
    theirs = or_(
        col(Invoice.customer_id) == col(Customer.customer_id), col(Invoice.payer_id) == col(Customer.customer_id)
    )
    return exists().where(theirs, col(Invoice.issued_on) <= on, col(Invoice.due_on) < on, balance(on) > 0)


def _complains(on: date) -> ColumnElement[bool]:
    complaint = Feedback.__table__.alias("complaint")  # type: ignore[attr-defined]
    return exists().where(
        complaint.c.customer_id == col(Customer.customer_id),
        complaint.c.kind == "complaint",
        complaint.c.given_on <= on,
        or_(complaint.c.status.is_(None), complaint.c.status == "open"),
    )


REFERRAL_ASK = MomentDefinition(
    kind="referral_ask",
    purpose="marketing",
    windowed=True,
    find=find_referral_asks,
    useful_until=lambda knobs, day: day + timedelta(days=knobs.happy_days),
    because="gave us a high score on {day}",
    summary="a referral is asked of someone with us for a while who was just very satisfied and owes nothing",
)
