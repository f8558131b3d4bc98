"""Importing customer data at the desk: give files or choose a saved source, look, then import; and what came in before.

It asks the rooms for everything. A page that waits for a long step asks again by itself, with or without JavaScript.
"""

import secrets
from typing import Annotated

from fastapi import Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from outreach.approval.audit import record_act
from outreach.approval.staff import list_staff, require_writer
from outreach.database import reading, writing
from outreach.errors import IntakeError, NotFound
from outreach.import_look import tell_reach
from outreach.import_steps import PROBLEM, PROGRESS, Stage, read_anew, read_report, read_seen
from outreach.intake.history import find_intake, group_refusals, list_intakes, load_reasons
from outreach.intake.mapping.files import list_presets, list_saved, read_preset
from outreach.intake.saved_sources import require_source
from outreach.intake.uploads import Upload, add_upload, find_upload, list_uploads
from outreach.web.access import UPLOADS, DeskNow, Writer, new_router
from outreach.web.current_user import Signed
from outreach.web.desk import Desk
from outreach.web.import_sentences import name_of, say_when

router = new_router("writer")
Text = Annotated[str, Form(max_length=400)]
Page = Annotated[int, Query(ge=1, le=10_000)]
SHOWN = 20
GONE = "Somebody has put it away, or looks at it anew. Open it again from the page “Import”"


@router.get("/imports")
def show_imports(desk: DeskNow, signed: Writer, page: Page = 1) -> Response:
    return _show_imports(desk, signed, page)


def _show_imports(desk: Desk, signed: Signed, page: int = 1, problem: str = "") -> Response:
    with reading(desk.engine) as session:
        past = list_intakes(session, SHOWN + 1, (page - 1) * SHOWN)
        names = {member.staff_id: member.name for member in list_staff(session)}
    stages = [(upload, desk.jobs.stage_of(upload)) for upload in list_uploads(desk.written.uploads)]
    return desk.show(
        "imports.html",
        signed,
        status=400 if problem else 200,
        here="/imports",
        problem=problem,
        sources=desk.written.sources,
        most=desk.longest_upload,
        waiting=[(upload, stage) for upload, stage in stages if stage != Stage.DONE],
        past=[(each, name_of(each.intake.by, names)) for each in past[:SHOWN]],
        leaf=page,
        more=len(past) > SHOWN,
    )


@router.post(UPLOADS)
async def take_files(request: Request, desk: DeskNow, signed: Writer) -> Response:
    """Keeps the files, and looks at them."""
    # Not as a parameter of this function: FastAPI would read the files before it asks who sends them.
    given = [each for each in (await request.form()).getlist("files") if not isinstance(each, str)]
    files = [(each.filename or "", each.file) for each in given if each.filename]
    return await run_in_threadpool(_take, desk, signed, files=files)


@router.post("/imports/source")
def choose_source(desk: DeskNow, signed: Writer, source: Text = "") -> Response:
    """Looks at a saved source."""
    require_source(desk.written, source)
    return _take(desk, signed, source=source)


def _take(desk: Desk, signed: Signed, **what: object) -> Response:
    try:
        upload = add_upload(desk.written.uploads, secrets.token_hex(16), signed.staff_id, desk.now, **what)  # type: ignore[arg-type]
    except IntakeError as error:
        return _show_imports(desk, signed, problem=str(error))
    desk.jobs.start_look(upload, desk.settings)
    return desk.go(f"/imports/{upload.key}")


@router.get("/imports/past/{number}")
def show_past(desk: DeskNow, signed: Writer, number: int) -> Response:
    """One import of the history."""
    with reading(desk.engine) as session:
        past = find_intake(session, number) if 0 < number < 2**31 else None
        if past is None:
            raise NotFound("There is no import of this number")
        reasons = load_reasons(session, number)
        names = {member.staff_id: member.name for member in list_staff(session)}
    when = say_when(past.intake.at, desk.now, desk.written.business.zone)
    return desk.show(
        "past_import.html",
        signed,
        here="/imports",
        past=past,
        reasons=reasons,
        who=name_of(past.intake.by, names),
        when=when,
    )


@router.get("/imports/{key}")
def show_upload(desk: DeskNow, signed: Writer, key: str) -> Response:
    """How far an upload is: at work, not recognised, looked at, or imported."""
    upload = find_upload(desk.written.uploads, key)
    if desk.jobs.stage_of(upload) == Stage.NEW:
        desk.jobs.start_look(upload, desk.settings)
    stage = desk.jobs.stage_of(upload)
    show = {Stage.SEEN: _show_seen, Stage.DONE: _show_done}.get(stage)
    if show:
        return show(desk, signed, upload)
    return _show_waiting(desk, signed, upload, stage)


def _show_waiting(desk: Desk, signed: Signed, upload: Upload, stage: Stage) -> Response:
    return desk.show(
        "upload.html",
        signed,
        here="/imports",
        upload=upload,
        stage=stage,
        progress=upload.read(PROGRESS) or "",
        problem=upload.read(PROBLEM) or "",
        readings=_readings(desk),
    )


def _readings(desk: Desk) -> list[tuple[str, str]]:
    """How an upload can be read: each choice with the words for it."""
    saved = [(f"mapping:{name}", each.title or name) for name, each in list_saved(desk.written.mappings).items()]
    return saved + [(f"preset:{name}", read_preset(name).title) for name in list_presets()]


def _show_seen(desk: Desk, signed: Signed, upload: Upload) -> Response:
    seen = read_seen(upload)
    if seen is None:
        raise NotFound(GONE)
    odd: dict[str, list[object]] = {}
    for value in seen.look.odd:
        odd.setdefault(value.kind, []).append(value)
    return desk.show(
        "import_look.html",
        signed,
        here="/imports",
        upload=upload,
        title=seen.title,
        report=seen.look.report,
        reasons=group_refusals(seen.look.report),
        odd=odd,
        reach=tell_reach(seen.look),
        week=seen.look.week,
        refused_files=upload.refused_files,
        readings=_readings(desk),
    )


def _show_done(desk: Desk, signed: Signed, upload: Upload) -> Response:
    report = read_report(upload)
    if report is None:
        raise NotFound(GONE)
    return desk.show(
        "import_done.html",
        signed,
        here="/imports",
        upload=upload,
        report=report,
        reasons=group_refusals(report),
        refused_files=upload.refused_files,
    )


@router.post("/imports/{key}/reading")
def read_otherwise(
    desk: DeskNow, signed: Writer, key: str, how: Text = "", encoding: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    """Looks once more: at files of another system, by a saved matching, or with another encoding."""
    upload = find_upload(desk.written.uploads, key)
    if not upload.is_claimed and not desk.jobs.is_at_work(key):
        kind, _, name = how.partition(":")
        if how and how not in {choice for choice, _ in _readings(desk)}:
            raise NotFound("That is none of the systems, or matchings, that are known here")
        chosen = {"preset": "", "mapping": ""} | ({kind: name} if how else {})
        read_anew(upload, **(chosen if how or not encoding else {}), encoding=encoding)
        desk.jobs.start_look(upload, desk.settings)
    return desk.go(f"/imports/{key}")


@router.post("/imports/{key}/import")
def import_upload(desk: DeskNow, signed: Writer, key: str) -> Response:
    """Begins the import; a second press finds it begun."""
    upload = find_upload(desk.written.uploads, key)
    stage = desk.jobs.stage_of(upload)
    if stage == Stage.BROKEN_OFF:
        upload.give_back()
    if stage in {Stage.SEEN, Stage.BROKEN_OFF} and upload.claim():
        with writing(desk.engine) as session:
            require_writer(session, signed.staff_id, "import customer data")
            record_act(session, signed.staff_id, "import begun", key, "", desk.now)
        desk.jobs.start_import(upload, desk.settings, signed.staff_id)
    return desk.go(f"/imports/{key}")


@router.post("/imports/{key}/away")
def put_away(desk: DeskNow, signed: Writer, key: str) -> Response:
    """Deletes what was given, without importing it."""
    upload = find_upload(desk.written.uploads, key)
    if desk.jobs.is_at_work(key):
        return desk.go(f"/imports/{key}", "Somebody is at work on it. Wait for its end, then put it away.")
    was_imported = desk.jobs.stage_of(upload) == Stage.DONE
    upload.remove()
    return desk.go("/imports", "Put away." if was_imported else "Put away. Nothing of it was kept.")


@router.get("/imports/{key}/refused/{number}")
def give_refused(desk: DeskNow, signed: Writer, key: str, number: int) -> Response:
    """The refused rows of one file as they were, each with the reason, to be mended and imported again."""
    files = find_upload(desk.written.uploads, key).refused_files
    if not 0 <= number < len(files):
        raise NotFound("There are no refused rows here")
    return FileResponse(files[number], media_type="text/csv", filename=files[number].name)
