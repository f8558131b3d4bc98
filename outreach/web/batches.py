"""A batch on the desk: a contact sheet with what stands out first, and the buttons that approve, undo or reject it."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import BackgroundTasks, Form, Query, Response

from outreach.approval.approving import AT_THE_DESK, approve_batch
from outreach.approval.authors import find_other_approvers
from outreach.approval.batch_summary import glance_at
from outreach.approval.outliers import look_over
from outreach.approval.rejections import reject
from outreach.database import reading
from outreach.delivery.control.undoing import undo_approval
from outreach.errors import NotFound, NowFewer
from outreach.models import Batch, ReadingPlace
from outreach.prefect_events import announce_approval
from outreach.web.access import Approver, DeskNow, Viewer, new_router
from outreach.web.current_user import Signed
from outreach.web.desk import Desk
from outreach.web.message_parts import read_messages

router = new_router()
A_PAGE = 60
Text = Annotated[str, Form(max_length=400)]
Number = Annotated[int, Form()]


@router.get("/batches/{batch_id}")
def show_batch(
    desk: DeskNow, signed: Viewer, batch_id: str, page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> Response:
    return _show(desk, signed, batch_id, page)


def _show(
    desk: Desk, signed: Signed, batch_id: str, page: int = 1, gone: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    with reading(desk.engine) as session:
        batch = session.get(Batch, batch_id)
        if batch is None:
            raise NotFound(f"There is no batch “{batch_id}”")
        looks = look_over(session, batch_id)
        glance = glance_at(session, desk.written, batch, looks, desk.now)
        place = session.get(ReadingPlace, (signed.staff_id, batch_id))
        shown = looks[(page - 1) * A_PAGE : page * A_PAGE]
        parts = read_messages(session, [look.reference for look in shown])
        sheets = [(look, parts[look.reference]) for look in shown]
        others = find_other_approvers(session, desk.written, batch, signed.staff_id)
    return desk.show(
        "batch.html",
        signed,
        status=status,
        here="/",
        batch=batch,
        glance=glance,
        sheets=sheets,
        others=others,
        standing_out=sum(bool(look.reasons) for look in looks),
        place=place.reference if place and place.reference in {look.reference for look in looks} else None,
        leaf=page,
        pages=-(-len(looks) // A_PAGE),
        gone=gone or {},
        now=desk.now,
        leaves_on=batch.run_on if batch.run_on > desk.today else None,
    )


@router.post("/batches/{batch_id}/approve")
def approve(
    desk: DeskNow, signed: Approver, batch_id: str, seal: Text, count: Number, cost: Number, afterwards: BackgroundTasks
) -> Response:
    """Approves what the screen showed. Where some of it is gone since, it says so and asks once more."""
    try:
        batch = approve_batch(
            desk.engine, desk.settings, batch_id, signed.staff_id, desk.now, AT_THE_DESK, seal, count, cost
        )
    except NowFewer as fewer:
        return _show(desk, signed, batch_id, gone=fewer.gone, status=409)
    # After the answer: nobody at the desk waits for Prefect.
    afterwards.add_task(announce_approval, desk.prefect, batch)
    if not batch.undo_until or batch.undo_until <= desk.now:
        return desk.go("/", f"{batch.count} approved.")
    until = batch.undo_until.astimezone(desk.written.business.zone)
    leave = f"on {batch.run_on:%A, %-d %B}" if batch.run_on > desk.today else f"after {until:%H:%M}"
    return desk.go(f"/batches/{batch_id}", f"{batch.count} approved. They leave {leave}.")


@router.post("/batches/{batch_id}/undo")
def undo(desk: DeskNow, signed: Approver, batch_id: str) -> Response:
    undone = undo_approval(desk.engine, desk.settings, batch_id, signed.staff_id, desk.now)
    left = f" {undone.left} had left already." if undone.left else ""
    return desk.go(f"/batches/{batch_id}", f"The approval is undone: {undone.back} wait again.{left}")


@router.post("/batches/{batch_id}/reject")
def reject_all(desk: DeskNow, signed: Approver, batch_id: str, reason: Text) -> Response:
    reject(desk.engine, batch_id, signed.staff_id, reason, desk.now, AT_THE_DESK)
    return desk.go("/", "The batch was rejected; nothing of it is sent.")
