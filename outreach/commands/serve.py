"""The commands serve and up: servers on this machine."""

from typing import Annotated

import typer

from outreach.commands.context import open_context
from outreach.commands.options import Database, Now
from outreach.prefect_events import prefect_address

app = typer.Typer(rich_markup_mode=None)


@app.command()
def serve(
    # This machine alone: the pages are plain http, and a web server with a certificate belongs in front of them
    # (docs/desk.md).
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8080,
    database: Database = None,
    now: Now = None,
) -> None:
    """Serve the desk, the public unsubscribe page, and the webhooks of the vendors in use."""
    from outreach.supervisor import serve_pages  # Prefect and uvicorn take seconds to import

    context = open_context(database, now, create=True)
    # The pages get the settings as they were written, since they read anew what staff save meanwhile. Prefect's UI is
    # where its API is, without the end of that path.
    serve_pages(context.engine, context.written, context.clock, host, port, prefect_address().removesuffix("/api"))


@app.command()
def up(
    port: Annotated[int, typer.Option(help="The port of the desk; Prefect takes 4200.")] = 8080,
    prefect_port: Annotated[int, typer.Option(help="The port of Prefect's server and UI.")] = 4200,
    database: Database = None,
    now: Now = None,
) -> None:
    """Start everything on one machine: Prefect server and UI, deployments, worker, desk."""
    from outreach.supervisor import start_everything  # Prefect and uvicorn take seconds to import

    context = open_context(database, now, create=True)
    start_everything(context.written, context.url, port, prefect_port)
