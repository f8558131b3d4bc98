"""What comes after sending, on the desk: batches on their way, cases that only a person can close, returned mail."""

from typing import Annotated

from fastapi import Form, Query, Response

from outreach.clock import instant_at
from outreach.database import reading, writing
from outreach.delivery.recovery.recovery import close_by_hand
from outreach.errors import ApprovalError, NotFound, NotWaiting
from outreach.learning.progress import follow_batch, follow_messages, list_followed
from outreach.learning.search import names_of
from outreach.tracking.open_cases import close_incident, list_open_incidents, list_open_messages
from outreach.tracking.pulling_back import cancel_pulled
from outreach.tracking.returned_mail import list_returned, record_returned
from outreach.web.access import Approver, DeskNow, Viewer, new_router
from outreach.web.current_user import Signed
from outreach.web.desk import Desk
from outreach.web.outcome_sentences import say_pulled

router = new_router()
Page = Annotated[int, Query(ge=1, le=10_000)]
Text = Annotated[str, Form(max_length=400)]
# So many incidents can be kept as a database counts; a larger number is none of ours.
Number = Annotated[int, Form(ge=1, le=2**31 - 1)]


@router.get("/follow")
def show_followed(desk: DeskNow, signed: Viewer, page: Page = 1) -> Response:
    with reading(desk.engine) as session:
        followed, more = list_followed(session, page)
    return desk.show("follow.html", signed, here="/follow", followed=followed, leaf=page, more=more)


@router.get("/follow/{batch_id}")
def show_batch(
    desk: DeskNow, signed: Viewer, batch_id: str, page: Page = 1, at: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """The messages of one batch, a page at a time; only those that have come as far as `at`, if it is given."""
    with reading(desk.engine) as session:
        followed = follow_batch(session, batch_id)
        messages, more = follow_messages(session, batch_id, page, at or None)
    return desk.show(
        "followed.html", signed, here="/follow", followed=followed, messages=messages, at=at, leaf=page, more=more
    )


@router.get("/open")
def show_open(desk: DeskNow, signed: Viewer, page: Page = 1) -> Response:
    with reading(desk.engine) as session:
        cases, more_cases = list_open_messages(session, page)
        incidents, more_incidents = list_open_incidents(session, page)
        ids = {case.message.recipient_id for case in cases} | {
            one.recipient_id for one in incidents if one.recipient_id
        }
        names = names_of(session, ids)
    return desk.show(
        "open.html",
        signed,
        here="/open",
        cases=cases,
        incidents=incidents,
        names=names,
        leaf=page,
        more=more_cases or more_incidents,
    )


@router.post("/open/{reference}")
def close_case(desk: DeskNow, signed: Approver, reference: str, status: Text, reason: Text) -> Response:
    with writing(desk.engine) as session:
        message = close_by_hand(session, reference, status, signed.staff_id, reason, desk.now)
    return desk.go("/open", f"{message.reference} is closed as {message.status}.")


@router.post("/incidents")
def close_one(desk: DeskNow, signed: Approver, incident_id: Number, note: Text) -> Response:
    with writing(desk.engine) as session:
        close_incident(session, incident_id, note, signed.staff_id, desk.now)
    return desk.go("/open", "It is closed, with your note.")


@router.get("/returned")
def show_returned(desk: DeskNow, signed: Viewer) -> Response:
    return _show_returned(desk, signed)


def _show_returned(desk: Desk, signed: Signed, typed: str = "", problem: str = "", status: int = 200) -> Response:
    midnight = instant_at(desk.today, 0, desk.settings.business.timezone)
    with reading(desk.engine) as session:
        entered = list_returned(session, midnight)
        names = names_of(session, {message.recipient_id for _, message in entered})
    return desk.show(
        "returned.html", signed, status, here="/follow", entered=entered, names=names, typed=typed, problem=problem
    )


@router.post("/returned")
def enter_returned(desk: DeskNow, signed: Approver, typed: Text) -> Response:
    """Takes the next letter from a pile: what is wrong is said above the field, which keeps what was typed."""
    try:
        with writing(desk.engine) as session:
            done = record_returned(session, desk.settings, typed, signed.staff_id, desk.now)
    except (NotFound, ApprovalError) as error:
        status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, NotWaiting) else 400
        return _show_returned(desk, signed, typed, str(error), status)
    if not done.is_new:
        return desk.go("/returned", f"{done.message.reference} had been entered already. Next letter, please.")
    # Only now: no transaction stays open while a vendor is asked, and what was entered stands whatever it answers.
    report = cancel_pulled(desk.engine, desk.settings, done.pulled, desk.now, desk.webhooks.given)
    said = f"{done.message.reference} came back, and its address is closed for letters."
    if report.withdrawn or report.cancelled or report.left:
        said = f"{said} Of others to the same address: {say_pulled(report, desk.settings.business.currency)}"
    return desk.go("/returned", said)
