"""The commands init and import, for customer data."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url

from outreach import console
from outreach.commands.context import open_context
from outreach.commands.options import AsJson, Database, Now
from outreach.console import print_json, print_table, say
from outreach.intake.changes import read_since
from outreach.intake.mapping.files import read_mapping, read_preset
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_data
from outreach.intake.sources.places import open_origin

app = typer.Typer(rich_markup_mode=None)


@app.command()
def init(database: Database = None, now: Now = None) -> None:
    """Create the database, or bring it to today's shape."""
    context = open_context(database, now, create=True)
    # The URL may hold a password, and what commands print is often kept in logs.
    console.say(f"The database is ready: {make_url(context.url).render_as_string(hide_password=True)}")


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="A folder of CSV or Parquet files, or a database's URL.")],
    preset: Annotated[
        str | None, typer.Option("--as", help="The system that the files come from, such as shopify.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="A mapping file, for files with other columns.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only rows that changed from this day on, or since the `last` import.")
    ] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Take in customer data; bad rows are listed and never stop good ones."""
    context = open_context(database, now, as_json, create=True)
    read = read_preset(preset) if preset else read_mapping(mapping) if mapping else None
    origin = open_origin(source)
    changed = read_since(since, context.settings.business.timezone)
    report = import_data(context.engine, origin, context.settings, context.now, read, context.tell, changed)
    show_import(report, as_json)
    # The statuses that main.py promises.
    raise typer.Exit(2 if report.refused else 0)


def show_import(report: ImportReport, as_json: bool) -> None:
    if as_json:
        return print_json(report)
    rows = [(f.file, f.table, f.read, f.accepted, f.refused) for f in report.files]
    print_table("Read", ["file", "into", "read", "accepted", "refused"], rows)
    for remark in report.remarks:
        say(remark)
    if report.refusals:
        refused = [(r.file, r.line, r.column, r.reason) for r in report.refusals]
        print_table("Refused", ["file", "line", "column", "reason"], refused)
    return None
