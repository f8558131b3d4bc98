"""The commands init and import, for customer data."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url

from outreach import console
from outreach.commands.context import open_context, open_look
from outreach.commands.options import AsJson, Database, Now, path_option, source_argument
from outreach.console import print_json, print_table, say
from outreach.import_look import ImportLook, look_at_import, tell_reach
from outreach.intake.changes import read_since
from outreach.intake.recognition import choose_mapping
from outreach.intake.refused_file import RefusedFile
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
    source: Annotated[str, source_argument("A file, a folder or a zip of files, or a database's URL.")],
    preset: Annotated[
        str | None, typer.Option("--as", help="The system that it comes from, such as shopify. [recognised]")
    ] = None,
    mapping: Annotated[Path | None, path_option("A mapping file, for files with other columns.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="That of the files, such as cp1250, where it cannot be told. [found out]")
    ] = None,
    look: Annotated[bool, typer.Option("--look", help="Only show what would come of it; nothing is kept.")] = False,
    refused: Annotated[
        Path | None,
        path_option("Write refused rows into this new CSV file, to mend and import again."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only rows that changed from this day on, or since the `last` import.")
    ] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Take in customer data; bad rows are listed and never stop good ones."""
    context = open_look(database, now, as_json) if look else open_context(database, now, as_json, create=True)
    origin = open_origin(source, encoding)
    read = choose_mapping(origin, context.tell, context.settings.mappings, preset, mapping)
    rows = RefusedFile(refused) if refused else None
    changed = read_since(since, context.settings.business.timezone)
    engine, settings = context.engine, context.settings
    if look:
        seen = look_at_import(engine, origin, settings, context.now, read, context.tell, rows, changed)
        report = seen.report
        show_look(seen, as_json)
    else:
        report = import_data(engine, origin, settings, context.now, read, context.tell, changed, refused=rows)
        show_import(report, as_json)
    for path in rows.close() if rows else ():
        context.tell(f"Refused rows: {path}")
    # The statuses that main.py promises.
    raise typer.Exit(2 if report.refused else 0)


def show_import(report: ImportReport, as_json: bool) -> None:
    if as_json:
        return print_json(report)
    rows = [(f.file, f.table, f.read, f.accepted, f.refused, f.new, f.changed, f.same) for f in report.files]
    print_table("Read", ["file", "into", "read", "accepted", "refused", "new", "changed", "same"], rows)
    for remark in report.remarks:
        say(remark)
    if report.readings:
        print_table(
            "Which is right?",
            ["file", "--encoding", "reads"],
            [(each.file, each.encoding, each.word) for each in report.readings],
        )
    if report.refusals:
        refused = [(r.file, r.line, r.column, r.reason) for r in report.refusals]
        print_table("Refused", ["file", "line", "column", "reason"], refused)
    return None


def show_look(seen: ImportLook, as_json: bool) -> None:
    if as_json:
        return print_json(seen)
    show_import(seen.report, as_json)
    odd = [(value.kind, value.shown, value.column, value.file, value.line) for value in seen.odd]
    print_table("Odd", ["kind", "value", "column", "file", "line"], odd)
    for line in tell_reach(seen):
        say(line)
    week = [(count.moment, count.channel, count.messages) for count in seen.week]
    print_table("Who would hear from you this week", ["moment", "channel", "messages"], week)
    say("Nothing was kept of this. Without --look it counts.")
    return None
