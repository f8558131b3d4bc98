"""What people told us, on the desk: staff write it down, answer it, and match it with a person.

What they complain of is planned for at once.
"""

import logging
from typing import Annotated
from urllib.parse import quote

from fastapi import BackgroundTasks, Form, Query, Response

from outreach.composing.review_answers import draft_review_answer
from outreach.database import reading
from outreach.day import prepare_day
from outreach.errors import OutreachError
from outreach.learning.search import find_people, name_of, names_of
from outreach.models import Feedback
from outreach.planning.run import plan_day
from outreach.planning.why import list_decided
from outreach.prefect_events import announce_approval, prefect_address
from outreach.tracking.feedback import RecordedFeedback, is_low, list_open, match_review, set_status, write_down
from outreach.web.access import Approver, DeskNow, Viewer, new_router
from outreach.web.desk import Desk
from outreach.web.outcome_sentences import say_pulled

router = new_router()
log = logging.getLogger("outreach.web")
RECOVERY_ALONE = ("recovery",)
SECTIONS = ("enquiry", "review", "complaint", "score")
Id = Annotated[str, Form(max_length=400)]
Word = Annotated[str, Form(max_length=20)]
Text = Annotated[str, Form(max_length=20_000)]
Page = Annotated[int, Query(ge=1, le=10_000)]
Typed = Annotated[str, Query(max_length=400)]
# A form sends an empty text for a number that nobody chose.
Number = Annotated[int | None, Form(ge=0, le=10)]


@router.get("/feedback")
def show_feedback(desk: DeskNow, signed: Viewer, page: Page = 1, match: Typed = "", q: Typed = "") -> Response:
    """All that waits for an answer; people are searched for the one review that `match` names."""
    with reading(desk.engine) as session:
        pages = {kind: list_open(session, desk.settings, kind, desk.now, page) for kind in SECTIONS}
        ids = {told.feedback.customer_id for records, _ in pages.values() for told in records}
        names = names_of(session, ids - {None})  # type: ignore[arg-type]
        people, _ = find_people(session, q, desk.settings.texts.region) if q and match else ([], False)
    return desk.show(
        "feedback.html",
        signed,
        here="/feedback",
        told={kind: records for kind, (records, _) in pages.items()},
        names=names,
        draft=_draft(desk),
        match=match,
        q=q.strip(),
        people=[(customer, name_of(customer)) for customer in people],
        leaf=page,
        more=any(more for _, more in pages.values()),
    )


def _draft(desk: Desk) -> str:
    try:
        # A template that is to be mended must not shut the page: it lists the people who wait for an answer.
        return draft_review_answer(desk.settings, desk.today)
    except OutreachError as error:
        return str(error)


@router.post("/feedback")
def take_down(
    desk: DeskNow,
    signed: Approver,
    background: BackgroundTasks,
    kind: Word,
    customer_id: Id = "",
    score: Number = None,
    text: Text = "",
) -> Response:
    """Writes down what somebody said; a complaint or a low score opens a recovery in the same act."""
    written = write_down(
        desk.engine,
        desk.settings,
        kind,
        customer_id or None,
        score,
        text,
        signed.staff_id,
        desk.now,
        desk.webhooks.given,
    )
    return desk.go(_page_of(written.feedback.customer_id), " ".join(_say_written(desk, written, background)))


def _say_written(desk: Desk, written: RecordedFeedback, background: BackgroundTasks) -> list[str]:
    if not written.is_new:
        return ["That is on record already, from today; nothing was written twice."]
    sentences = ["Written down."]
    if written.pulled.withdrawn or written.pulled.left:
        sentences.append(say_pulled(written.pulled, desk.settings.business.currency))
    if written.feedback.customer_id and is_low(desk.settings, written.feedback):
        sentences.append(_open_recovery(desk, written.feedback, background))
    return sentences


def _open_recovery(desk: Desk, feedback: Feedback, background: BackgroundTasks) -> str:
    """Plans today's recoveries now, and says what was decided of this one."""
    try:
        plan_day(desk.engine, desk.settings, desk.today, desk.now, kinds=RECOVERY_ALONE)
    except OutreachError as error:
        # It is on record: the next run finds it.
        return f"The recovery could not be planned now, and the next run tries again. {error}"
    with reading(desk.engine) as session:
        decided = [a for a in list_decided(session, feedback.customer_id or "") if a.occasion == feedback.feedback_id]
    if not decided:
        return "No recovery follows from it."
    if decided[0].outcome != "send":
        return f"No recovery goes out now: {decided[0].reason}. Call them yourself."
    # Writing takes its time, and longer while a night's run writes; nobody's page shall wait for it.
    background.add_task(write_recovery, desk)
    return "A recovery is planned, and stands with today's batches in a moment."


def write_recovery(desk: Desk) -> None:
    """Writes what was planned, and opens its batch. It never raises: the next run does what could not be done now."""
    try:
        prepared = prepare_day(
            desk.engine, desk.settings, desk.today, desk.clock, lambda _line: None, kinds=RECOVERY_ALONE
        )
        for batch in prepared.approved:
            announce_approval(prefect_address(), batch)
    except Exception as error:
        # Not its text: it may hold a person's row.
        log.warning("a recovery that the desk planned could not be written now: %s", type(error).__name__)


@router.post("/feedback/status")
def settle(
    desk: DeskNow, signed: Approver, feedback_id: Id, status: Word, of_person: Annotated[bool, Form()] = False
) -> Response:
    """One tap: it is answered, closed, or open again."""
    done = set_status(desk.engine, desk.settings, feedback_id, status, signed.staff_id, desk.now, desk.webhooks.given)
    said = f"It is {status}."
    if done.pulled.withdrawn or done.pulled.left:
        said = f"{said} {say_pulled(done.pulled, desk.settings.business.currency)}"
    return desk.go(_page_of(done.feedback.customer_id if of_person else None), said)


@router.post("/feedback/match")
def match_person(desk: DeskNow, signed: Approver, feedback_id: Id, customer_id: Id = "") -> Response:
    review = match_review(desk.engine, feedback_id, customer_id, signed.staff_id, desk.now)
    said = "It is theirs now; the next run plans a letter to them." if review.customer_id else "It is nobody's again."
    return desk.go("/feedback", said)


def _page_of(customer_id: str | None) -> str:
    return f"/people/{quote(customer_id)}#told" if customer_id else "/feedback"
