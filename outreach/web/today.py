"""The first page of the desk: what waits for a person, what is wrong or paused, and the button that stops it all."""

from typing import Annotated

from fastapi import Form, Response

from outreach.approval.batch_summary import glance_at_batches
from outreach.database import reading, writing
from outreach.delivery.control import pauses
from outreach.delivery.control.stopping import stop_sending
from outreach.intake.history import find_last
from outreach.learning.alarms import find_alarms
from outreach.learning.counts import count_messages, count_set_aside
from outreach.planning.unanswered_treatments import waiting_treatments
from outreach.tracking.feedback import count_open
from outreach.tracking.open_cases import count_open_cases
from outreach.web.access import Approver, DeskNow, Viewer, new_router
from outreach.web.import_sentences import say_last
from outreach.web.outcome_sentences import say_stopped

router = new_router()


@router.get("/")
def show_today(desk: DeskNow, signed: Viewer) -> Response:
    settings = desk.settings
    with reading(desk.engine) as session:
        glances = glance_at_batches(session, settings, desk.now)
        treatments = waiting_treatments(session, settings, desk.today)
        told = count_open(session)
        set_aside = sorted(count_set_aside(session).items())
        open_cases, paused = count_open_cases(session), pauses.list_pauses(session)
        last_import = find_last(session)
        alarms = find_alarms(session, settings, desk.now) if signed.may("admin") else []
    return desk.show(
        "today.html",
        signed,
        here="/",
        now=desk.now,
        today=desk.today,
        glances=glances,
        paused=paused,
        alarms=alarms,
        treatments=len(treatments),
        open_cases=open_cases,
        told=told,
        last_import=last_import,
        import_said=say_last(last_import, desk.now, settings.business.zone) if last_import else "",
        set_aside=[(*key, number) for key, number in set_aside],
    )


@router.get("/status")
def show_status(desk: DeskNow, signed: Viewer) -> Response:
    """Counts by moment, channel and status; they always add up."""
    with reading(desk.engine) as session:
        counts, paused = count_messages(session), pauses.list_pauses(session)
    return desk.show(
        "status.html",
        signed,
        now=desk.now,
        timezone=desk.written.business.timezone,
        messages=[(*key, number) for key, number in sorted(counts.messages.items())],
        funnel=counts.funnel,
        moments=counts.moments,
        decisions=counts.decisions,
        paused=paused,
        set_aside=[(*key, number) for key, number in sorted(counts.set_aside.items())],
        prefect=desk.prefect,
    )


@router.post("/stop")
def stop(desk: DeskNow, signed: Approver) -> Response:
    """Stops all sending at once, then cancels what vendors still let us cancel."""
    stopped = stop_sending(desk.engine, desk.settings, desk.clock, "everything", "", signed.staff_id)
    return desk.go("/", say_stopped("All sending is stopped", stopped))


@router.post("/resume")
def resume(
    desk: DeskNow, signed: Approver, scope: Annotated[str, Form()], name: Annotated[str, Form()] = ""
) -> Response:
    with writing(desk.engine) as session:
        was_paused = pauses.resume(session, scope, name, desk.now, by=signed.staff_id)
    return desk.go("/", "Sending goes on." if was_paused else "That was not paused any more; nothing changed.")
