"""The options that many commands take, worded once."""

from pathlib import Path
from typing import Annotated, Any

import typer

Database = Annotated[str | None, typer.Option(help="Database URL. [OUTREACH_DATABASE_URL, or sqlite:///outreach.db]")]
Now = Annotated[str | None, typer.Option(help="The instant to take for now, as 2026-11-22T10:00Z. [OUTREACH_NOW]")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
On = Annotated[str | None, typer.Option(help="The day, as 2026-11-22. [today]")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do none of it.")]
Scope = Annotated[str | None, typer.Option()]
By = Annotated[str, typer.Option(help="Who decides: the id of a staff record.")]


def path_option(says: str) -> Any:
    """An option that takes a path, which is made whole while the folder in which it was typed is the current one."""
    return typer.Option(resolve_path=True, help=says)


def path_argument(says: str) -> Any:
    """An argument that takes a path, made whole likewise."""
    return typer.Argument(resolve_path=True, help=says)


def source_argument(says: str) -> Any:
    """An argument that takes a path, made whole likewise, or a database's URL, which stays as it is."""

    def whole(source: str) -> str:
        return source if "://" in source else str(Path(source).resolve())

    return typer.Argument(callback=whole, help=says)
