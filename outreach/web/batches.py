"""A batch on the desk: a contact sheet with what stands out first, and the buttons that approve or reject it."""

from typing import Annotated

from fastapi import Form, Query, Response

from outreach.approval import approve_batch, reject
from outreach.approval.glance import glance_at
from outreach.approval.outliers import look_over
from outreach.database import reading
from outreach.errors import NotFound
from outreach.models import Batch, Place
from outreach.web.guard import Approver, DeskNow, Viewer, new_router
from outreach.web.readable import read_message

router = new_router()
A_PAGE = 60
Text = Annotated[str, Form()]


@router.get("/batches/{batch_id}")
def show_batch(
    desk: DeskNow, signed: Viewer, batch_id: str, page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> Response:
    with reading(desk.engine) as session:
        batch = session.get(Batch, batch_id)
        if batch is None:
            raise NotFound(f"There is no batch “{batch_id}”")
        glance = glance_at(session, desk.settings, batch, desk.now)
        looks = look_over(session, batch_id)
        shown = looks[(page - 1) * A_PAGE : page * A_PAGE]
        place = session.get(Place, (signed.staff_id, batch_id))
        sheets = [(look, read_message(session, look.reference)) for look in shown]
    return desk.show(
        "batch.html",
        signed,
        here="/",
        batch=batch,
        glance=glance,
        sheets=sheets,
        standing_out=sum(bool(look.reasons) for look in looks),
        place=place and place.reference,
        leaf=page,
        fewer=[],
        now=desk.now,
        pages=-(-len(looks) // A_PAGE),
    )


@router.post("/batches/{batch_id}/approve")
def approve(
    desk: DeskNow,
    signed: Approver,
    batch_id: str,
    seal: Text,
    count: Annotated[int, Form()],
    cost: Annotated[int, Form()],
) -> Response:
    batch = approve_batch(desk.engine, desk.settings, batch_id, signed.staff_id, desk.now, "desk", seal)
    return desk.go("/", f"{batch.count} approved.")


@router.post("/batches/{batch_id}/reject")
def reject_all(desk: DeskNow, signed: Approver, batch_id: str, reason: Text) -> Response:
    reject(desk.engine, batch_id, signed.staff_id, reason, desk.now, "desk")
    return desk.go("/", "The batch was rejected; nothing of it is sent.")
