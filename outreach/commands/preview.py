"""The command preview: writes a template as one customer would get it."""

from pathlib import Path
from typing import Annotated

import typer

from outreach import console
from outreach.commands.context import open_context
from outreach.commands.options import Database, Now, On, path_option
from outreach.composing.preview import preview_template
from outreach.local_files import write_private

app = typer.Typer(rich_markup_mode=None)


@app.command()
def preview(
    template: Annotated[str, typer.Argument(help="Such as letters/anniversary.en.html.")],
    customer: Annotated[str, typer.Option(help="A customer's id.")],
    out: Annotated[Path, path_option("The file to write.")],
    on: On = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Write a template as one customer would get it."""
    context = open_context(database, now)
    content, media_type = preview_template(context.engine, context.settings, template, customer, context.day(on))
    # It holds a customer's name and what is on file of them.
    write_private(out, content)
    console.say(f"{out}: {len(content):,} bytes of {media_type}")
