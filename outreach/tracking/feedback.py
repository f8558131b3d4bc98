"""What somebody told us, as staff write it down, answer it and match it with a person. No import takes that back.

The same words of the same person are one record a day, so that a second press writes nothing. Audited by ids only.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, or_
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_approver
from outreach.clock import business_date
from outreach.contacts import load_key
from outreach.database import insert_new, writing
from outreach.delivery.providers import Provider
from outreach.errors import ApprovalError, NotFound, NotWaiting
from outreach.intake.cells.parsers import Style, passage
from outreach.intake.cells.unfit import Unfit
from outreach.locks import take_turns
from outreach.models import DESK, Customer, Feedback, Message
from outreach.moments.enquiry import ENQUIRY
from outreach.moments.recovery import RECOVERY
from outreach.moments.review_reply import REVIEW_REPLY
from outreach.settings import Settings
from outreach.tracking.pulling_back import PullReport, cancel_pulled, pull_back

KINDS = ("complaint", "score", "enquiry", "review")
STATUSES = ("open", "answered", "closed")
# What each number may be: how likely they are to recommend us, and stars.
SCALES = {"score": range(11), "review": range(1, 6)}
LONGEST_TEXT = 4_000
A_PAGE = 50
SHOWN = 8


@dataclass(frozen=True)
class Told:
    """One record, as a page shows it."""

    feedback: Feedback
    #: How long it has waited, or did wait.
    waited: timedelta
    #: Whether an enquiry waited longer than it should.
    is_late: bool = False
    #: Whether it is a review with no more stars than the knob of review replies says.
    is_bad: bool = False

    @property
    def is_open(self) -> bool:
        return self.feedback.status in {None, "open"}


@dataclass(frozen=True)
class RecordedFeedback:
    """What was written down; `is_new` is false where it was on record already."""

    feedback: Feedback
    is_new: bool
    pulled: PullReport = field(default_factory=PullReport)


def write_down(
    engine: Engine,
    settings: Settings,
    kind: str,
    customer_id: str | None,
    score: int | None,
    text: str,
    by: str,
    now: datetime,
    providers: Mapping[str, Provider] | None = None,
) -> RecordedFeedback:
    """The record of what somebody told the member of staff `by`, and what a complaint pulled back at once.

    Only a review may be nobody's yet. Raises NotFound, NotAllowed, and ApprovalError for a number or words that do not
    fit.
    """
    score, words = _require_fit(kind, score), _require_words(text)
    key = load_key(engine, settings)
    with writing(engine) as session:
        take_turns(session, "approval")
        require_approver(session, by)
        _require_customer(session, customer_id, kind)
        row: dict[str, Any] = {"customer_id": customer_id, "kind": kind, "score": score, "text": words}
        # The day is part of the id: a second press of the button writes nothing, and another day is another complaint.
        day = business_date(now, settings.business.timezone)
        # In the order in which `row` is written above: in another, the same words would have another id.
        feedback_id = _desk_id(key, *row.values(), day)
        row |= {"feedback_id": feedback_id, "given_at": now, "given_on": day, "status": "open", "source": DESK}
        is_new = insert_new(session, Feedback, [row]) > 0
        pulled = _pull_back(session, settings, customer_id, now) if is_new else PullReport()
        if is_new:
            record_act(session, by, f"{kind} written down", feedback_id, customer_id or "", now)
        written = RecordedFeedback(session.get_one(Feedback, feedback_id), is_new, pulled)
    return replace(written, pulled=cancel_pulled(engine, settings, pulled, now, providers))


def _require_fit(kind: str, score: int | None) -> int | None:
    if kind not in KINDS:
        raise ApprovalError(f"“{kind}” is nothing that can be written down; choose one of {', '.join(KINDS)}")
    if kind not in SCALES:
        return None
    scale = SCALES[kind]
    if score not in scale:
        raise ApprovalError(f"Choose a number from {scale[0]} to {scale[-1]}")
    return score


def _require_words(text: str) -> str | None:
    """The words as they are kept, or None for none. Raises ApprovalError for what is no text, or too much of it."""
    words = text.strip().replace("\r\n", "\n")
    if len(words) > LONGEST_TEXT:
        raise ApprovalError(f"Shorten it to {LONGEST_TEXT:,} characters; what matters is that somebody calls them")
    try:
        return str(passage(words, Style("UTC", "USD"))) or None
    except Unfit as error:
        raise ApprovalError(f"These words cannot be kept: {error}") from error


def _require_customer(session: Session, customer_id: str | None, kind: str) -> None:
    if customer_id is None and kind == "review":
        return
    if customer_id is None or session.get(Customer, customer_id) is None:
        raise NotFound(f"There is no customer “{customer_id or ''}”. Ids are those of customers.csv")


def _desk_id(key: bytes, *parts: object) -> str:
    """Keyed, so that nobody can guess from an id in the audit what somebody said."""
    # What `repr` writes must not change: a second press would no longer find the record of the first.
    return f"desk-{hmac.new(key, repr(parts).encode(), hashlib.sha256).hexdigest()[:16]}"


def _pull_back(session: Session, settings: Settings, customer_id: str | None, now: datetime) -> PullReport:
    if customer_id is None:
        return PullReport()
    session.flush()
    theirs = or_(col(Message.customer_id) == customer_id, col(Message.recipient_id) == customer_id)
    return pull_back(session, settings, theirs, now)


def set_status(
    engine: Engine,
    settings: Settings,
    feedback_id: str,
    status: str,
    by: str,
    now: datetime,
    providers: Mapping[str, Provider] | None = None,
) -> RecordedFeedback:
    """The record as answered, closed or open again; what waits to be sent about it is withdrawn once it is not open.

    Raises NotFound and NotAllowed, NotWaiting where somebody was faster, and ApprovalError for another status.
    """
    if status not in STATUSES:
        raise ApprovalError(f"“{status}” is no status; choose one of {', '.join(STATUSES)}")
    with writing(engine) as session:
        take_turns(session, "approval")
        require_approver(session, by)
        feedback = _require_feedback(session, feedback_id)
        if status == (feedback.status or "open"):
            raise NotWaiting(f"It is {status} already; somebody was faster")
        feedback.status, feedback.answered_at = status, now
        pulled = _pull_back(session, settings, feedback.customer_id, now)
        record_act(session, by, f"feedback {status}", feedback_id, "", now)
        session.refresh(feedback)
    return RecordedFeedback(feedback, False, cancel_pulled(engine, settings, pulled, now, providers))


def match_review(engine: Engine, feedback_id: str, customer_id: str, by: str, now: datetime) -> Feedback:
    """The review as that customer's; an empty id makes it nobody's again.

    Raises NotFound and NotAllowed, and ApprovalError for what is no review.
    """
    with writing(engine) as session:
        take_turns(session, "approval")
        require_approver(session, by)
        feedback = _require_feedback(session, feedback_id)
        if feedback.kind != "review":
            raise ApprovalError("Only a review is matched with a person; the others came from somebody we know")
        _require_customer(session, customer_id or None, "review")
        feedback.customer_id, feedback.matched_at = customer_id or None, now
        record_act(session, by, "review matched" if customer_id else "review unmatched", feedback_id, customer_id, now)
    return feedback


def _require_feedback(session: Session, feedback_id: str) -> Feedback:
    feedback = session.get(Feedback, feedback_id, with_for_update=True)
    if feedback is None:
        raise NotFound("That is not on record any more. Open the page again")
    return feedback


def is_low(settings: Settings, feedback: Feedback) -> bool:
    """Whether a recovery follows: it is a complaint, or a score as low as that moment's knob says."""
    if feedback.kind == "score":
        return feedback.score is not None and feedback.score <= RECOVERY.knobs_of(settings).low_score
    return feedback.kind == "complaint"


def list_told(session: Session, settings: Settings, customer_id: str, now: datetime) -> list[Told]:
    """The last that one customer told us, what is open first."""
    theirs = select(Feedback).where(Feedback.customer_id == customer_id)
    # Data may bring no status at all: then nobody has answered.
    open_first = func.coalesce(col(Feedback.status), "open") != "open"
    records = session.exec(theirs.order_by(open_first, col(Feedback.given_at).desc()).limit(SHOWN))
    return [_told(settings, feedback, now) for feedback in records]


def list_open(session: Session, settings: Settings, kind: str, now: datetime, page: int = 1) -> tuple[list[Told], bool]:
    """One page of the open records of a kind, the one that has waited longest first, and whether there is another.

    Of scores only the low ones: the others ask for no answer.
    """
    still_open = select(Feedback).where(
        Feedback.kind == kind, or_(col(Feedback.status).is_(None), col(Feedback.status) == "open")
    )
    if kind == "score":
        still_open = still_open.where(col(Feedback.score) <= RECOVERY.knobs_of(settings).low_score)
    ordered = still_open.order_by(col(Feedback.given_at), Feedback.feedback_id)
    records: Sequence[Feedback] = session.exec(ordered.offset((page - 1) * A_PAGE).limit(A_PAGE + 1)).all()
    return [_told(settings, feedback, now) for feedback in records[:A_PAGE]], len(records) > A_PAGE


def count_open(session: Session) -> int:
    """How many reviews and enquiries wait for an answer."""
    is_open = or_(col(Feedback.status).is_(None), col(Feedback.status) == "open")
    of_them = col(Feedback.kind).in_(("review", "enquiry"))
    return session.exec(select(func.count()).select_from(Feedback).where(of_them, is_open)).one()


def _told(settings: Settings, feedback: Feedback, now: datetime) -> Told:
    is_open = feedback.status in {None, "open"}
    waited = max(timedelta(0), (now if is_open else feedback.answered_at or now) - feedback.given_at)
    late = feedback.kind == "enquiry" and waited > timedelta(hours=ENQUIRY.knobs_of(settings).hours)
    bad = feedback.kind == "review" and (feedback.score or 0) <= REVIEW_REPLY.knobs_of(settings).stars
    return Told(feedback, waited, late, bad)
