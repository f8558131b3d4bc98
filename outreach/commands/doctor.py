"""The command doctor: says what is missing on this machine. It only calls."""

from collections.abc import Sequence
from typing import Annotated

import typer

from outreach import console
from outreach.commands.context import open_context
from outreach.commands.deploy import LOCAL
from outreach.commands.options import AsJson, Database, Now
from outreach.console import print_json, print_table
from outreach.doctor.examination import examine
from outreach.doctor.findings import Finding
from outreach.doctor.trial_email import send_test_email
from outreach.installation import enter_installation
from outreach.prefect_events import prefect_address

app = typer.Typer(rich_markup_mode=None)


@app.command()
def doctor(
    prefect: Annotated[bool, typer.Option("--prefect", help="Look at Prefect's server too.")] = False,
    send_to: Annotated[
        str | None, typer.Option(help="Send one e-mail, marked as a test, to this address of our own; needs --by.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="For --send-to: the id of an admin's staff record.")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Say what is missing on this machine, and how to mend it."""
    if send_to is not None:
        context = open_context(database, now)
        return console.say(send_test_email(context.engine, context.settings, send_to, by or "", context.now))
    # Without `open_context`, which ends the command at the first thing that is wrong: here that is one finding, and the
    # others are wanted too.
    enter_installation()
    findings = examine(database, now)
    if prefect:
        from flows.health import examine_prefect  # Prefect takes seconds to import

        findings += examine_prefect(prefect_address() or LOCAL)
    show_findings(findings, as_json)
    raise typer.Exit(0 if all(finding.is_well for finding in findings) else 1)


def show_findings(findings: Sequence[Finding], as_json: bool) -> None:
    if as_json:
        return print_json(findings)
    rows = [("ok" if finding.is_well else "MEND", finding.what, finding.mend) for finding in findings]
    return print_table("This machine", ["", "what", "how to mend it"], rows)
