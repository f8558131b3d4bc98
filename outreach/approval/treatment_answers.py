"""Keeps a yes or a no on asking about a treatment, audited. An answer stands until it is changed."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_writer
from outreach.database import upsert
from outreach.errors import ApprovalError
from outreach.models import TreatmentAnswer
from outreach.moments.care_words import is_never_mentioned

LONGEST_NAME = 120


def answer_treatment(session: Session, name: str, answer: str, by: str, at: datetime) -> None:
    """Keeps whether customers may be asked how they are after this treatment; an answer may be changed.

    Raises ApprovalError for an answer that is neither yes nor no, a name that is empty or over 120 characters, and a
    yes to care that is never asked about. Raises NotAllowed for whoever is no writer.
    """
    require_writer(session, by, "answer this")
    treatment = name.strip().casefold()
    if answer not in {"yes", "no"}:
        raise ApprovalError("Say yes or no to asking about this treatment")
    if not treatment or len(treatment) > LONGEST_NAME:
        raise ApprovalError(f"The name of a treatment has 1 to {LONGEST_NAME} characters; shorten it in the data")
    if answer == "yes" and is_never_mentioned(treatment):
        raise ApprovalError("This kind of care is never mentioned, not even by asking; nobody can say yes to it")
    upsert(session, TreatmentAnswer, [{"treatment": treatment, "answer": answer, "by": by, "at": at}])
    record_act(session, by, "treatment answered", treatment, answer, at)


def list_answers(session: Session) -> Sequence[TreatmentAnswer]:
    """Every answer, by the treatment's name."""
    return session.exec(select(TreatmentAnswer).order_by(col(TreatmentAnswer.treatment))).all()
