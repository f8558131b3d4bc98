"""Marketing's pages: the moments, the knobs of each with what would change, the days ahead, treatments to answer.

They call rooms and hold no rules.
"""

import json
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Form, Request, Response
from fastapi.datastructures import FormData
from markupsafe import Markup
from sqlalchemy import func
from sqlmodel import Session, select

from outreach.approval.knob_versions import list_knob_versions, save_knobs, undo_knobs
from outreach.approval.treatment_answers import answer_treatment, list_answers
from outreach.composing.templating.templates import moment_of, read_sources, saved_sources
from outreach.database import reading, writing
from outreach.delivery.control import pauses
from outreach.delivery.control.stopping import stop_sending
from outreach.errors import NotFound, SettingsError
from outreach.learning.moment_results import count_results
from outreach.models import Customer, Pause
from outreach.moments import MOMENTS, knobs_for
from outreach.moments.checkin import CHECKIN
from outreach.planning.forecast import Forecast, forecast
from outreach.planning.forecast_chart import count_weeks, draw_weeks
from outreach.planning.knobs import overlay_knobs
from outreach.planning.unanswered_treatments import waiting_treatments
from outreach.settings import WEEKDAYS, MomentKnobs, Settings, fixed_knobs
from outreach.web.access import Approver, DeskNow, Viewer, Writer, new_router
from outreach.web.current_user import Signed
from outreach.web.desk import Desk
from outreach.web.knob_forms import fields_of, label_of, read_knobs
from outreach.web.outcome_sentences import say_stopped

router = new_router()
DAYS_AHEAD = 30
# Up to so many customers the days ahead are counted with the page; beyond, by a page of their own.
QUICK = 3_000
Text = Annotated[str, Form(max_length=200)]


async def read_form(request: Request) -> FormData:
    return await request.form()


Typed = Annotated[FormData, Depends(read_form)]


@router.get("/moments")
def show_moments(desk: DeskNow, signed: Viewer, count: bool = False) -> Response:
    """Every moment at a glance. With many customers the days ahead are counted only when asked (`count`)."""
    settings = desk.settings
    seen = look_ahead(desk, settings) if count or is_quick(desk) else None
    with reading(desk.engine) as session:
        rows = [_row(session, desk, settings, moment, seen) for moment in MOMENTS]
        waiting = len(waiting_treatments(session, settings, desk.today))
    # `draw_weeks` escapes every word in its picture.
    picture = Markup(draw_weeks(count_weeks(seen), "Touches per week")) if seen and seen.messages else None  # noqa: S704
    return desk.show(
        "moments.html", signed, here="/moments", rows=rows, waiting=waiting, days=DAYS_AHEAD, picture=picture
    )


def _row(session: Session, desk: Desk, settings: Settings, moment: str, seen: Forecast | None) -> dict[str, Any]:
    return {
        "moment": moment,
        "summary": MOMENTS[moment].summary,
        "knobs": knobs_for(settings, moment),
        "paused": session.get(Pause, ("moment", moment)),
        "seen": seen and seen.of(moment),
        "results": count_results(session, moment, desk.today),
        "every_day": len(knobs_for(settings, moment).weekdays) == len(WEEKDAYS),
    }


def look_ahead(desk: Desk, settings: Settings) -> Forecast:
    """The next 30 days, from today, with these settings."""
    last = desk.today + timedelta(days=DAYS_AHEAD - 1)
    return forecast(desk.engine, settings, desk.today, last, desk.now)


def is_quick(desk: Desk) -> bool:
    with reading(desk.engine) as session:
        return session.exec(select(func.count()).select_from(Customer)).one() <= QUICK


# Before /moments/{moment}, which would take this for a moment's name: the first route that fits is taken.
@router.get("/moments/treatments")
def show_treatments(desk: DeskNow, signed: Viewer) -> Response:
    settings = desk.settings
    with reading(desk.engine) as session:
        waiting = waiting_treatments(session, settings, desk.today)
        answers = list_answers(session)
    listed = CHECKIN.knobs_of(desk.written).treatments
    return desk.show(
        "treatments.html", signed, here="/moments", waiting=waiting, answers=answers, listed=sorted(listed)
    )


@router.post("/moments/treatments")
def take_answer(desk: DeskNow, signed: Writer, name: Text, answer: Text) -> Response:
    with writing(desk.engine) as session:
        answer_treatment(session, name, answer, signed.staff_id, desk.now)
    said = "Customers will be asked how they are after it." if answer == "yes" else "Nobody will be asked about it."
    return desk.go("/moments/treatments", f"{name}: {said}")


@router.get("/moments/{moment}")
def show_moment(desk: DeskNow, signed: Viewer, moment: str, count: bool = False) -> Response:
    require_moment(moment)
    seen = look_ahead(desk, desk.settings).of(moment) if count or is_quick(desk) else None
    return _show(desk, signed, moment, seen=seen)


@router.post("/moments/{moment}/check")
def check_knobs(desk: DeskNow, signed: Writer, moment: str, form: Typed) -> Response:
    """What would change: the knobs, and the messages of the days ahead with them and without."""
    require_moment(moment)
    settings = desk.settings
    typed = read_knobs(knobs_for(settings, moment), form, fixed_knobs(moment))
    try:
        tried = overlay_knobs(settings, moment, typed)
    except SettingsError as problem:
        return _show(desk, signed, moment, typed=typed, problem=str(problem), status=400)
    before, after = look_ahead(desk, settings), look_ahead(desk, tried)
    change = {
        "knobs": _differences(knobs_for(settings, moment), knobs_for(tried, moment)),
        "rows": [
            (name, before.of(name), after.of(name))
            for name in MOMENTS
            if name == moment or before.of(name).messages != after.of(name).messages
        ],
    }
    return _show(desk, signed, moment, seen=before.of(moment), typed=typed, change=change)


@router.post("/moments/{moment}")
def take_knobs(desk: DeskNow, signed: Writer, moment: str, form: Typed) -> Response:
    require_moment(moment)
    typed = read_knobs(knobs_for(desk.settings, moment), form, fixed_knobs(moment))
    try:
        with writing(desk.engine) as session:
            # The settings without what was saved here: that is laid over them anew.
            version = save_knobs(session, desk.written, moment, typed, signed.staff_id, desk.now)
    except SettingsError as problem:
        return _show(desk, signed, moment, typed=typed, problem=str(problem), status=400)
    said = "Saved. The next run plans with it, and waits for a person." if version else "Nothing was different."
    return desk.go(f"/moments/{moment}", said)


@router.post("/moments/{moment}/undo")
def undo(desk: DeskNow, signed: Writer, moment: str) -> Response:
    require_moment(moment)
    with writing(desk.engine) as session:
        undo_knobs(session, moment, signed.staff_id, desk.now)
    return desk.go(f"/moments/{moment}", "The knobs are again as they were before the last change.")


@router.post("/moments/{moment}/pause")
def pause(desk: DeskNow, signed: Writer, moment: str) -> Response:
    stopped = stop_sending(desk.engine, desk.settings, desk.clock, "moment", moment, signed.staff_id)
    return desk.go(f"/moments/{moment}", say_stopped("This moment is paused", stopped))


@router.post("/moments/{moment}/resume")
def resume(desk: DeskNow, signed: Approver, moment: str) -> Response:
    require_moment(moment)
    with writing(desk.engine) as session:
        was_paused = pauses.resume(session, "moment", moment, desk.now, by=signed.staff_id)
    said = "Sending goes on." if was_paused else "That was not paused any more; nothing changed."
    return desk.go(f"/moments/{moment}", said)


def require_moment(moment: str) -> None:
    if moment not in MOMENTS:
        raise NotFound(f"There is no moment “{moment}”; there are {', '.join(MOMENTS)}")


def _differences(before: MomentKnobs, after: MomentKnobs) -> list[tuple[str, Any, Any]]:
    """The label of each knob that differs, with its value before and after."""
    names = type(before).model_fields
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in names)
    return [(label_of(type(before), name)[0], old, new) for name, old, new in pairs if old != new]


def _show(
    desk: Desk,
    signed: Signed,
    moment: str,
    seen: Forecast | None = None,
    typed: dict[str, Any] | None = None,
    change: dict[str, Any] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    settings, fixed = desk.settings, fixed_knobs(moment)
    with reading(desk.engine) as session:
        row = _row(session, desk, settings, moment, seen)
        versions = [(version, json.loads(version.knobs)) for version in list_knob_versions(session, moment)]
        saved = saved_sources(session)
    names = [name for name in sorted({*read_sources(settings.templates), *saved}) if moment_of(name) == moment]
    return desk.show(
        "moment.html",
        signed,
        status=status,
        here="/moments",
        **row,
        fields=fields_of(knobs_for(settings, moment), typed or {}, fixed),
        weekdays=WEEKDAYS,
        versions=versions,
        templates=[(name, name in saved) for name in names],
        change=change,
        problem=problem,
        days=DAYS_AHEAD,
    )
