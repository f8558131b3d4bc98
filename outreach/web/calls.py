"""Today's calls on the desk: whom to call, what to say, and one tap for what became of each."""

from typing import Annotated

from fastapi import Form, Response

from outreach.tracking.calls import calls_now, record_call
from outreach.web.access import Approver, DeskNow, Viewer, new_router
from outreach.web.outcome_sentences import say_pulled

router = new_router()


@router.get("/calls")
def show_calls(desk: DeskNow, signed: Viewer) -> Response:
    calls = calls_now(desk.engine, desk.settings, desk.now)
    return desk.show(
        "calls.html",
        signed,
        here="/calls",
        today=desk.today,
        to_make=[call for call in calls if call.is_open],
        later=[call for call in calls if call.status in {"approved", "sending"} and not call.against],
        others=[
            call for call in calls if not call.is_open and (call.status not in {"approved", "sending"} or call.against)
        ],
    )


@router.post("/calls/{reference}")
def tick(desk: DeskNow, signed: Approver, reference: str, outcome: Annotated[str, Form(max_length=20)]) -> Response:
    report = record_call(desk.engine, desk.settings, reference, outcome, signed.staff_id, desk.now)
    said = f"Ticked: {outcome}."
    if report.withdrawn or report.left:
        said = f"{said} {say_pulled(report, desk.settings.business.currency)}"
    return desk.go("/calls", said)
