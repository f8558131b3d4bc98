"""The command drill: proves that each message goes once."""

from typing import Annotated

import typer

from outreach import console
from outreach.commands.options import AsJson
from outreach.errors import SettingsError

app = typer.Typer(rich_markup_mode=None)


@app.command()
def drill(
    kills: Annotated[int, typer.Option(min=1, help="How often senders are killed or stopped.")] = 50,
    seed: Annotated[int, typer.Option(help="Chooses whom to kill and when; the vendors' faults, too.")] = 7,
    keyed: Annotated[
        bool | None,
        typer.Option("--keyed/--keyless", help="Only a vendor that takes our keys, or only one that does not. [both]"),
    ] = None,
    naive: Annotated[bool, typer.Option("--naive", help="Retry as a general job queue does, and see it fail.")] = False,
    restore: Annotated[bool, typer.Option("--restore", help="Restore backups meanwhile, with two machines.")] = False,
    clocks: Annotated[bool, typer.Option("--clocks", help="Let the senders' clocks jump ahead and back.")] = False,
    # Not the option of the other commands: where nothing is named, those take the user's own database, and a drill
    # works on nobody's data.
    database: Annotated[
        str | None, typer.Option(help="A PostgreSQL URL, or a SQLite file that is not there yet. [a file of its own]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Kill senders at random against simulated vendors, and count from the vendors' logs what they got."""
    from outreach.drill.drill import run_drill
    from outreach.drill.options import DrillOptions
    from outreach.drill.show import show_drill  # the web pages take a second to import

    if naive and restore:
        raise SettingsError("A job queue knows nothing of restored backups: leave out --naive or --restore")
    options = DrillOptions(kills, seed, database, keyed, naive, restore=restore, clocks=clocks)
    result = run_drill(options, (lambda _: None) if as_json else console.say)
    show_drill(result, as_json)
    raise typer.Exit(0 if result.passed else 1)
