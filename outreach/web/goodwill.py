"""Goodwill on the desk: whom an event hit, as a file, as pasted ids, or as a query of an admin's."""

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

from fastapi import File, Form, Response, UploadFile

from outreach.database import reading
from outreach.errors import IntakeError
from outreach.intake.goodwill_lists import GoodwillReport, List, read_list
from outreach.tracking.goodwill_events import list_events, name_by_query, name_hit
from outreach.web.access import Admin, Approver, DeskNow, Viewer, new_router
from outreach.web.current_user import Signed
from outreach.web.desk import Desk

router = new_router()
Event = Annotated[str, Form(max_length=400)]
Ids = Annotated[str, Form(max_length=1_000_000)]
Query = Annotated[str, Form(max_length=20_000)]
REFUSED_SHOWN = 200


@router.get("/goodwill")
def show_goodwill(desk: DeskNow, signed: Viewer) -> Response:
    return _show(desk, signed)


@router.post("/goodwill")
def take_list(
    desk: DeskNow,
    signed: Approver,
    event: Event = "",
    ids: Ids = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Names those of a file, or of pasted ids, and says what became of each line."""
    try:
        # All of it at once: `is_too_long` in access.py has refused what is longer than a form.
        listed = _read(file.file.read() if file and file.filename else b"", ids)
        report = name_hit(desk.engine, desk.settings, listed, event, signed.staff_id, desk.now)
    except IntakeError as error:
        return _show(desk, signed, typed={"event": event, "ids": ids}, problem=str(error))
    return _show(desk, signed, report)


@router.post("/goodwill/query")
def take_query(desk: DeskNow, signed: Admin, event: Event = "", query: Query = "") -> Response:
    try:
        report = name_by_query(desk.engine, desk.settings, query, event, signed.staff_id, desk.now)
    except IntakeError as error:
        return _show(desk, signed, typed={"event": event, "query": query}, problem=str(error))
    return _show(desk, signed, report)


def _read(uploaded: bytes, ids: str) -> List:
    """What came with the form as a list. Raises IntakeError where it is neither a file nor ids, or is both."""
    if bool(uploaded.strip()) == bool(ids.strip()):
        raise IntakeError("Choose a file, or paste the ids: one of the two")
    # Lists are read from files, as the command line gives them.
    with NamedTemporaryFile(suffix=".csv") as kept:
        kept.write(uploaded or ids.encode("utf-8", "replace"))
        kept.flush()
        return read_list(Path(kept.name), "the file" if uploaded else "the ids")


def _show(
    desk: Desk,
    signed: Signed,
    report: GoodwillReport | None = None,
    typed: dict[str, str] | None = None,
    problem: str = "",
) -> Response:
    with reading(desk.engine) as session:
        events = list_events(session)
    return desk.show(
        "goodwill.html",
        signed,
        status=400 if problem else 200,
        here="/moments",
        events=events,
        report=report,
        refusals=report.refusals[:REFUSED_SHOWN] if report else [],
        typed={"event": "", "ids": "", "query": ""} | (typed or {}),
        problem=problem,
    )
