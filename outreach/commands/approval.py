"""The commands batches, approve and reject."""

from typing import Annotated

import typer

from outreach.approval.approving import approve_batch
from outreach.approval.batches import list_batches, require_waiting
from outreach.approval.rejections import reject
from outreach.approval.staff import COMMAND_LINE
from outreach.commands import output
from outreach.commands.context import open_context
from outreach.commands.options import AsJson, By, Database, Now
from outreach.database import reading
from outreach.errors import SettingsError
from outreach.prefect_events import announce_approval, prefect_address

app = typer.Typer(rich_markup_mode=None)


@app.command()
def batches(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are decided.")] = False,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """List the batches that wait for a person."""
    context = open_context(database, now, as_json)
    with reading(context.engine) as session:
        output.show_batches(list_batches(session, None if all_ else "waiting"), as_json)


@app.command()
def approve(
    batch: Annotated[list[str], typer.Argument(help="One or more batches.")],
    by: By,
    seal: Annotated[str | None, typer.Option(help="The seal you looked at; for one batch.")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Approve a batch as it is sealed."""
    if seal and len(batch) > 1:
        raise SettingsError("A seal is of one batch; name that batch alone")
    context = open_context(database, now, as_json)
    zone = context.settings.business.zone
    with reading(context.engine) as session:
        # A batch that is named twice is asked for once: at its second turn it would be decided, and the command would
        # fail after it had approved.
        names = [require_waiting(session, one, zone).batch_id for one in dict.fromkeys(batch)]  # all of them, or none
    approved = [
        approve_batch(context.engine, context.settings, one, by, context.now, COMMAND_LINE, seal) for one in names
    ]
    for one in approved:
        announce_approval(prefect_address(), one)
    output.show_batches(approved, as_json)


@app.command("reject")
def reject_(
    subject: Annotated[str, typer.Argument(help="A batch, or the reference of one message.")],
    by: By,
    reason: Annotated[str, typer.Option(help="Why, for those who wrote it.")],
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Reject a batch or one message; the rest of its batch goes on."""
    context = open_context(database, now, as_json)
    output.show_batches([reject(context.engine, subject, by, reason, context.now, COMMAND_LINE)], as_json)
