"""The page on which a person says what each column of unknown files is; their answer is kept and known again."""

from typing import Annotated

from fastapi import Form, Request, Response
from fastapi.concurrency import run_in_threadpool

from outreach.approval.audit import record_act
from outreach.approval.staff import require_writer
from outreach.database import writing
from outreach.errors import IntakeError, MappingRefused, NotFound
from outreach.import_steps import origin_of, read_anew
from outreach.intake.mapping.column_choices import (
    find_title,
    list_targets,
    propose_choices,
    save_mapping,
    write_mapping,
)
from outreach.intake.mapping.draft_formats import DAY_FIRST, MONTH_FIRST, order_of
from outreach.intake.mapping.draft_parts import SheetSample
from outreach.intake.sheets import read_sheets
from outreach.intake.uploads import Upload, find_upload
from outreach.web.access import DeskNow, Writer, new_router
from outreach.web.column_labels import label_of
from outreach.web.current_user import Signed
from outreach.web.desk import Desk

router = new_router("writer")
Text = Annotated[str, Form(max_length=200)]
GROUPS = {"customers": "Of the customer", "visits": "Of a visit", "treatments": "Of a treatment",
          "invoices": "Of an invoice", "payments": "Of a payment", "consents": "Of what they agreed to"}  # fmt: skip


@router.get("/imports/{key}/matching")
def show_matching(desk: DeskNow, signed: Writer, key: str) -> Response:
    upload = _find_open(desk, key)
    return _show(desk, signed, upload, _sheets_of(desk, upload))


@router.post("/imports/{key}/matching")
async def take_matching(
    request: Request, desk: DeskNow, signed: Writer, key: str, title: Text = "", order: Text = ""
) -> Response:
    """Keeps the matching under its name, and looks at the files by it."""
    answers = {name: str(value) for name, value in (await request.form()).items()}
    return await run_in_threadpool(_take, desk, signed, key, title, order, answers)


def _take(desk: Desk, signed: Signed, key: str, title: str, order: str, answers: dict[str, str]) -> Response:
    upload = _find_open(desk, key)
    sheets = _sheets_of(desk, upload)
    country = order if order in {DAY_FIRST, MONTH_FIRST} else desk.written.business.country
    chosen = [
        {column: answer for at, column in _columns(sheet) if (answer := answers.get(f"c{number}-{at}", ""))}
        for number, sheet in enumerate(sheets)
    ]
    try:
        text = write_mapping(title.strip(), sheets, chosen, country)
        with writing(desk.engine) as session:
            require_writer(session, signed.staff_id, "match columns")
            path = save_mapping(desk.written.mappings, title.strip(), text)
            record_act(session, signed.staff_id, "columns matched", path.name, "", desk.now)
    except MappingRefused as error:
        return _show(desk, signed, upload, sheets, answers, str(error))
    read_anew(upload, preset="", mapping=path.name)
    desk.jobs.start_look(upload, desk.settings)
    return desk.go(f"/imports/{key}", f"Kept as “{title.strip()}”: the next file with these columns is known by it.")


def _find_open(desk: Desk, key: str) -> Upload:
    upload = find_upload(desk.written.uploads, key)
    if upload.is_claimed or desk.jobs.is_at_work(key):
        raise NotFound("It is being looked at, or imported. Open it again from the page “Import”")
    return upload


def _sheets_of(desk: Desk, upload: Upload) -> list[SheetSample]:
    sheets = read_sheets(origin_of(upload, desk.written))
    if not sheets:
        raise IntakeError("No line of these files names columns. Give each column a name in the first line, and choose "
                          "the file again")  # fmt: skip
    return sheets


def _columns(sheet: SheetSample) -> list[tuple[int, str]]:
    return list(enumerate(dict.fromkeys(name for name in sheet.header if name.strip())))


def _show(
    desk: Desk,
    signed: Signed,
    upload: Upload,
    sheets: list[SheetSample],
    answers: dict[str, str] | None = None,
    problem: str = "",
) -> Response:
    proposed = [propose_choices(sheet, desk.written.business.country) for sheet in sheets]
    country = desk.written.business.country
    first = {"order": order_of(country), "title": find_title(desk.written.mappings, sheets)}
    for number, sheet in enumerate(proposed):
        first |= {f"c{number}-{at}": column.proposed for at, column in enumerate(sheet.columns)}
    return desk.show(
        "import_columns.html",
        signed,
        here="/imports",
        status=400 if problem else 200,
        upload=upload,
        sheets=proposed,
        answers=first if answers is None else answers,
        is_order_open=any(sheet.is_order_open for sheet in proposed),
        month_first=MONTH_FIRST,
        day_first=DAY_FIRST,
        groups=[(GROUPS[into], [(f"{into}.{ours}", label_of(into, ours)) for ours in targets])
                for into, targets in list_targets().items()],
        problem=problem,
    )  # fmt: skip
