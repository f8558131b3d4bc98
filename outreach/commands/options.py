"""The options that many commands take, worded once."""

from typing import Annotated

import typer

Database = Annotated[str | None, typer.Option(help="Database URL. [OUTREACH_DATABASE_URL, or sqlite:///outreach.db]")]
Now = Annotated[str | None, typer.Option(help="The instant to take for now, as 2026-11-22T10:00Z. [OUTREACH_NOW]")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
On = Annotated[str | None, typer.Option(help="The day, as 2026-11-22. [today]")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do none of it.")]
Scope = Annotated[str | None, typer.Option()]
By = Annotated[str, typer.Option(help="Who decides: the id of a staff record.")]
