"""The command deploy: brings Prefect's server to what the files say, and shows what became of each piece."""

from typing import Annotated, Any

import typer

from outreach import console
from outreach.commands.context import open_context
from outreach.commands.options import AsJson, Database, Now
from outreach.prefect_events import prefect_address

app = typer.Typer(rich_markup_mode=None)
# Where Prefect's server listens unless it is told otherwise, and where `outreach up` starts it.
LOCAL = "http://127.0.0.1:4200"


@app.command()
def deploy(
    prefect: Annotated[
        str, typer.Option(help="The address of Prefect's server. [PREFECT_API_URL, or port 4200 here]")
    ] = "",
    desk: Annotated[str, typer.Option(help="Where Prefect reaches the desk. [desk.url, or business.public_url]")] = "",
    reset: Annotated[bool, typer.Option("--reset", help="Let the files win over what staff changed.")] = False,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Create and update the deployments and automations of Prefect, keeping what staff changed."""
    from flows.reconcile import deploy as deploy_all  # Prefect takes seconds to import
    from flows.reconcile import find_recipient

    context = open_context(database, now, as_json, create=True)
    recipient = find_recipient(context.engine, context.settings, desk)
    changes = deploy_all(context.written, prefect or prefect_address() or LOCAL, recipient, reset)
    rows: list[tuple[Any, ...]] = [(change.name, change.outcome, change.why) for change in changes]
    if as_json:
        return console.print_json([{"name": name, "outcome": outcome, "why": why} for name, outcome, why in rows])
    changed = [row for row in rows if row[1] != "unchanged"]
    if not changed:
        return console.say(f"Everything was as it should be: {len(rows)} pieces")
    return console.print_table("On Prefect's server", ["piece", "", "why"], changed)
