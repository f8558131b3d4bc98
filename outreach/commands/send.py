"""The commands deliver, track, close, run, pause and resume: sending, and what follows it."""

from typing import Annotated

import typer

from outreach import console
from outreach.approval.staff import COMMAND_LINE
from outreach.commands import output
from outreach.commands.context import open_context, owner_name, scope_of
from outreach.commands.dry_run import show_due
from outreach.commands.options import AsJson, By, Database, DryRun, Now, On, Scope
from outreach.database import reading, writing
from outreach.day import deliver_day, prepare_day
from outreach.delivery.control import pauses
from outreach.delivery.control.stopping import stop_sending
from outreach.delivery.expected_stops import foresee_delivery
from outreach.delivery.recovery.recovery import close_by_hand
from outreach.tracking.lookup import track_open

app = typer.Typer(rich_markup_mode=None)


@app.command()
def deliver(
    dry_run: DryRun = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Hand over at most so many messages in this run.")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Send what is approved and due, each exactly once."""
    context = open_context(database, now, as_json)
    if dry_run:
        return show_due(foresee_delivery(context.engine, context.settings, context.clock, limit), as_json)
    delivered = deliver_day(context.engine, context.settings, context.clock, owner_name(), context.tell, limit)
    return output.show_delivered(delivered, context.settings.business, as_json)


@app.command()
def track(
    after_restore: Annotated[
        bool, typer.Option("--after-restore", help="A backup was restored: look up what it may have forgotten.")
    ] = False,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Close what is open: look up uncertain messages, recover interrupted ones, expire what came too late."""
    context = open_context(database, now, as_json)
    report = track_open(context.engine, context.settings, context.clock, context.tell, after_restore=after_restore)
    output.show_tracked(report, context.currency, as_json)


@app.command()
def close(
    reference: Annotated[str, typer.Argument(help="The reference of a message that left without an answer.")],
    by: By,
    as_: Annotated[str, typer.Option("--as", help="What became of it: accepted, failed, or approved (it goes again).")],
    reason: Annotated[str, typer.Option(help="How you know.")],
    database: Database = None,
    now: Now = None,
) -> None:
    """Close an open case by hand, once you have asked the provider what became of it."""
    context = open_context(database, now)
    with writing(context.engine) as session:
        message = close_by_hand(session, reference, as_, by, reason, context.now)
        console.say(f"{message.reference} is {message.status}: {message.status_reason}")


@app.command()
def run(on: On = None, database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """Prepare, deliver and track, with no server: for cron."""
    context = open_context(database, now, as_json)
    prepared = prepare_day(context.engine, context.settings, context.day(on), context.clock, context.tell)
    delivered = deliver_day(context.engine, context.settings, context.clock, owner_name(), context.tell)
    tracked = track_open(context.engine, context.settings, context.clock, context.tell)
    with reading(context.engine) as session:
        output.show_run(session, prepared, delivered, tracked, context.settings.business, as_json)


@app.command()
def pause(
    moment: Scope = None, provider: Scope = None, batch: Scope = None, database: Database = None, now: Now = None
) -> None:
    """Stop sending: everything, or one moment, provider or batch. Says what had left, and cancels what it can."""
    context = open_context(database, now)
    scope, name = scope_of(moment, provider, batch)
    # `show_pause` is called as soon as the pause stands: vendors, who are asked next, may take their time.
    stopped = stop_sending(
        context.engine, context.settings, context.clock, scope, name, COMMAND_LINE, output.show_pause, context.tell
    )
    output.show_cancelled(stopped, context.currency)


@app.command()
def resume(
    moment: Scope = None, provider: Scope = None, batch: Scope = None, database: Database = None, now: Now = None
) -> None:
    """Take a pause back."""
    context = open_context(database, now)
    scope, name = scope_of(moment, provider, batch)
    with writing(context.engine) as session:
        was_paused = pauses.resume(session, scope, name, context.now)
        # Sending goes on only where no other pause holds it, so the others are named too.
        others = pauses.list_pauses(session)
    console.say("Sending goes on." if was_paused else "That was not paused; nothing changed.")
    for other in others:
        console.say(f"  Still paused: {other.scope} {other.name}".rstrip())
