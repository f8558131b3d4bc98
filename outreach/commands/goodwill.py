"""The command goodwill: names those whom an event hit, from a file or by a query."""

from pathlib import Path
from typing import Annotated

import typer

from outreach import console
from outreach.commands.context import open_context
from outreach.commands.options import AsJson, By, Database, Now, path_option
from outreach.errors import SettingsError
from outreach.intake.goodwill_lists import GoodwillReport, read_list
from outreach.tracking.goodwill_events import name_by_query, name_hit

app = typer.Typer(rich_markup_mode=None)


@app.command()
def goodwill(
    event: Annotated[str, typer.Option(help="What hit them, as they would call it: “water main break 12 May”.")],
    by: By,
    file: Annotated[Path | None, path_option("A CSV with a column customer_id, or a list of ids.")] = None,
    query: Annotated[str | None, typer.Option(help="A SELECT over our tables that yields customer_id; admins.")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Name those whom an event hit, so that planning writes to them; the same list again changes nothing."""
    if (file is None) == (query is None):
        raise SettingsError("Say who was hit: --file FILE, or --query 'SELECT customer_id FROM …'; one of the two")
    context = open_context(database, now, as_json)
    if file:
        report = name_hit(context.engine, context.settings, read_list(file), event, by, context.now)
    else:
        report = name_by_query(context.engine, context.settings, query or "", event, by, context.now)
    show_named(report, as_json)
    # The statuses that main.py promises.
    raise typer.Exit(2 if report.refused else 0)


def show_named(report: GoodwillReport, as_json: bool) -> None:
    if as_json:
        return console.print_json(report)
    if report.heading is not None:
        console.say(f"Line {report.heading} was taken for a heading: nobody has it for an id.")
    console.say(
        f"{report.event}: {report.read:,} read, {report.named:,} named now, {report.known:,} named before, "
        f"{report.refused:,} refused"
    )
    refused = [(row.file, row.line, row.column, row.reason) for row in report.refusals]
    return console.print_table("Refused", ["file", "line", "column", "reason"], refused) if refused else None
