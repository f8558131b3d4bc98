"""A template on the desk: its source to change, the fields it may use, and the true message for a real customer.

Nothing is stored before the button is pressed. A template that is refused names its line, and what was typed stays.
"""

from typing import Annotated, Any

from fastapi import Form, Request, Response
from fastapi.responses import JSONResponse

from outreach.approval.template_versions import list_template_versions, save_template, undo_template
from outreach.composing.preview import preview_template
from outreach.composing.sample_customers import find_samples
from outreach.composing.templating.engine import LONGEST_TEMPLATE
from outreach.composing.templating.fields import EXPLAINED_FILTERS, explain_fields
from outreach.composing.templating.filters import FILTERS
from outreach.composing.templating.templates import read_sources, saved_sources, split_name
from outreach.database import reading, writing
from outreach.errors import ComposingError, NotFound, SettingsError
from outreach.web.access import DeskNow, Viewer, Writer, new_router
from outreach.web.current_user import Signed
from outreach.web.desk import Desk
from outreach.web.message_parts import preview_content

router = new_router()
# What is too long is said by the check, with the words kept; only nonsense is cut off before.
Source = Annotated[str, Form(max_length=10 * LONGEST_TEMPLATE)]
Who = Annotated[str, Form(max_length=200)]
PATH = "/templates/{folder}/{file}"


@router.get(PATH)
def show_template(desk: DeskNow, signed: Viewer, folder: str, file: str, customer: str = "") -> Response:
    return _show(desk, signed, f"{folder}/{file}", None, customer)


@router.post(PATH + "/try")
def try_template(
    request: Request, desk: DeskNow, signed: Writer, folder: str, file: str, source: Source, customer: Who = ""
) -> Response:
    """The message as it would be with this source, for the page itself, or for a script that asks for JSON."""
    name = f"{folder}/{file}"
    if "application/json" in request.headers.get("accept", ""):
        _require(desk, name)
        return JSONResponse(preview(desk, name, source, customer))
    return _show(desk, signed, name, source, customer)


@router.post(PATH)
def take_template(
    desk: DeskNow, signed: Writer, folder: str, file: str, source: Source, customer: Who = ""
) -> Response:
    name = f"{folder}/{file}"
    _require(desk, name)
    try:
        version = save_template(desk.engine, desk.written, name, source, signed.staff_id, desk.now)
    except ComposingError as problem:
        return _show(desk, signed, name, source, customer, str(problem), 400)
    said = "Saved. The next run uses it, and waits for a person." if version else "Nothing was different."
    return desk.go(f"/templates/{name}", said)


@router.post(PATH + "/undo")
def undo(desk: DeskNow, signed: Writer, folder: str, file: str) -> Response:
    name = f"{folder}/{file}"
    with writing(desk.engine) as session:
        undo_template(session, name, signed.staff_id, desk.now)
    return desk.go(f"/templates/{name}", "The words are again as they were before the last change.")


def preview(desk: Desk, name: str, source: str, customer: str) -> dict[str, str]:
    """`picture` (a data URL) of a letter's page, or the `words` of anything else; or the `problem` in words."""
    if not customer:
        return {"words": "There is no customer to show it for: nobody has this moment in the days around today."}
    try:
        # A browser sends every line of a form's text with CR LF (HTML standard, form submission).
        plain = source.replace("\r\n", "\n")
        body, media_type = preview_template(desk.engine, desk.settings, name, customer, desk.today, plain)
    except (ComposingError, NotFound, SettingsError) as problem:
        return {"problem": str(problem)}
    return preview_content(desk.written.proof, split_name(name)[0], {}, body, media_type)


def _require(desk: Desk, name: str) -> str:
    """The source that stands. Raises TemplateRefused for a name that fits none, NotFound for one that is not there."""
    split_name(name)
    with reading(desk.engine) as session:
        source = (read_sources(desk.written.templates) | saved_sources(session)).get(name)
    if source is None:
        raise NotFound(f"There is no template {name}; the page of its moment lists those there are")
    return source


def _show(
    desk: Desk, signed: Signed, name: str, typed: str | None, customer: str, problem: str = "", status: int = 200
) -> Response:
    standing = _require(desk, name)
    source = standing if typed is None else typed
    channel, moment, language = split_name(name)
    with reading(desk.engine) as session:
        versions = list_template_versions(session, name)
        samples = find_samples(session, desk.settings, moment, desk.today, channel)
    chosen = customer or (samples[0].customer_id if samples else "")
    shown: dict[str, Any] = {"picture": "", "words": "", "problem": problem}
    shown |= {} if problem else preview(desk, name, source, chosen)
    return desk.show(
        "template.html",
        signed,
        status=status,
        here="/moments",
        name=name,
        channel=channel,
        moment=moment,
        language=language,
        source=source,
        longest=LONGEST_TEMPLATE,
        versions=versions,
        samples=samples,
        chosen=chosen,
        shown=shown,
        problem=shown["problem"],
        explained=explain_fields(moment, channel),
        filters=[(name, EXPLAINED_FILTERS[name]) for name in FILTERS],
    )
