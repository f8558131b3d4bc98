"""A yes or a no to asking after a treatment in; it stands until the next one, and is written to the audit."""

from datetime import datetime

from sqlmodel import Session

from outreach.approval.audit import record_act
from outreach.database import upsert
from outreach.errors import ApprovalError
from outreach.models import TreatmentAnswer


def answer_treatment(session: Session, name: str, answer: str, by: str, at: datetime) -> None:
    """Keeps the answer, “yes” or “no”, for the treatment of this name in any case. Raises ApprovalError for another."""
    treatment = name.strip().casefold()
    if answer not in {"yes", "no"} or not treatment:
        raise ApprovalError("Say yes or no to a treatment that has a name")
    upsert(session, TreatmentAnswer, [{"treatment": treatment, "answer": answer, "by": by, "at": at}])
    record_act(session, by, f"treatment answered {answer}", treatment, "", at)
