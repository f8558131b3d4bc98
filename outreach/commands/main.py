"""The `outreach` command: words from the keyboard in, a call to a room, a table or JSON out. It holds no rules.

Exit status: 0 done, 1 failed, 2 done with refused rows.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.engine import make_url
from typer.exceptions import TyperException

from outreach import console
from outreach.approval.approving import approve_batch
from outreach.approval.batches import list_batches, require_waiting
from outreach.approval.rejections import reject
from outreach.commands import output
from outreach.commands.check import checking
from outreach.commands.context import open_call
from outreach.commands.deploy import deploying
from outreach.commands.doctor import doctoring
from outreach.commands.dry_run import show_plan
from outreach.commands.goodwill import naming
from outreach.commands.options import AsJson, By, Database, DryRun, Now, On
from outreach.commands.pen import pen
from outreach.commands.people import people
from outreach.commands.redeem import redeeming
from outreach.commands.send import sending
from outreach.commands.simulate import simulating
from outreach.commands.staff import staff
from outreach.composing.preview import preview_template
from outreach.database import reading
from outreach.database_errors import DATABASE_ERRORS, explain_database_error
from outreach.day import prepare_day
from outreach.delivery.control import pauses
from outreach.errors import OutreachError, SettingsError
from outreach.identity.customer_ids import read_customer_id
from outreach.intake.changes import read_since
from outreach.intake.database_tables import open_tables
from outreach.intake.dates import reading_dated
from outreach.intake.mapping import read_mapping
from outreach.intake.run import import_data
from outreach.intake.sources import Folder
from outreach.learning.alarms import find_alarms
from outreach.learning.counts import count_messages
from outreach.local_files import PRIVATE_UMASK, explain_file_error, write_private
from outreach.moments import find_moments, require_kinds
from outreach.planning.why import explain_customer
from outreach.prefect_events import announce_approval, prefect_address

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, help=__doc__
)
app.add_typer(sending)
app.add_typer(doctoring)
app.add_typer(simulating)
app.add_typer(redeeming)
app.add_typer(deploying)
app.add_typer(checking)
app.add_typer(naming)
app.add_typer(staff, name="staff")
app.add_typer(pen, name="pen")
app.add_typer(people, name="people")


@app.command()
def init(database: Database = None, now: Now = None) -> None:
    """Create the database, or bring it to today's shape."""
    call = open_call(database, now, create=True)
    console.say(f"The database is ready: {make_url(call.url).render_as_string(hide_password=True)}")


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="A folder of CSV or Parquet files, or a database's URL.")],
    mapping: Annotated[Path | None, typer.Option(help="A mapping file, for files with other columns.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only rows that changed from this day on, or since the `last` import.")
    ] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Take in customer data; bad rows are listed and never stop good ones."""
    call = open_call(database, now, as_json, create=True)
    read = read_mapping(mapping) if mapping else None
    origin = open_tables(source) if "://" in source else Folder(Path(source))
    changed = read_since(since, call.settings.business.timezone)
    report = import_data(call.engine, origin, call.settings, call.now, read, call.tell, changed)
    output.show_import(report, as_json)
    raise typer.Exit(2 if report.refused else 0)


@app.command()
def moments(
    on: On = None,
    from_: Annotated[str | None, typer.Option("--from", help="The first day of a range.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="The last day of a range.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this moment; may be given again.")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Who has a moment on a day, whatever was sent before; writes nothing."""
    call = open_call(database, now, as_json, dates=False)
    first, last = call.day(from_ or on or to), call.day(to or on or from_)
    require_kinds(kind or [])
    days = (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))
    with reading_dated(call.engine, call.settings) as session:
        found = (item for day in days for item in find_moments(session, call.settings, day, kind or None))
        output.show_moments(found, as_json)


@app.command()
def prepare(
    on: On = None,
    moment: Annotated[list[str] | None, typer.Option(help="Plan only this moment; may be given again.")] = None,
    dry_run: DryRun = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Write at most so many messages; the rest later.")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Find moments, decide, write the messages and open the batches of a day; running it again changes nothing."""
    call = open_call(database, now, as_json)
    day = call.day(on)
    prepared = prepare_day(call.engine, call.settings, day, call.clock, call.tell, moment or (), dry_run, limit)
    if dry_run:
        return show_plan(prepared, as_json)
    for batch in prepared.approved:
        announce_approval(prefect_address(), batch)
    with reading(call.engine) as session:
        return output.show_prepared(session, prepared, as_json)


@app.command()
def why(
    customer: Annotated[str, typer.Argument(help="A customer's id.")],
    on: On = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Why this person, why today, why not."""
    call = open_call(database, now, as_json)
    with reading(call.engine) as session:
        person = read_customer_id(session, customer)
    output.show_answers(explain_customer(call.engine, call.settings, person, call.day(on), call.now), as_json)


@app.command()
def batches(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are decided.")] = False,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """List the batches that wait for a person."""
    call = open_call(database, now, as_json)
    with reading(call.engine) as session:
        output.show_batches(list_batches(session, None if all_ else "waiting"), as_json)


@app.command()
def approve(
    batch: Annotated[list[str], typer.Argument(help="One or more batches.")],
    by: By,
    seal: Annotated[str | None, typer.Option(help="The seal you looked at; for one batch.")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Approve a batch as it is sealed."""
    if seal and len(batch) > 1:
        raise SettingsError("A seal is of one batch; name that batch alone")
    call = open_call(database, now, as_json)
    zone = call.settings.business.zone
    with reading(call.engine) as session:
        names = [require_waiting(session, one, zone).batch_id for one in dict.fromkeys(batch)]  # all of them, or none
    approved = [approve_batch(call.engine, call.settings, one, by, call.now, "command line", seal) for one in names]
    for one in approved:
        announce_approval(prefect_address(), one)
    output.show_batches(approved, as_json)


@app.command("reject")
def reject_(
    subject: Annotated[str, typer.Argument(help="A batch, or the reference of one message.")],
    by: By,
    reason: Annotated[str, typer.Option(help="Why, for those who wrote it.")],
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Reject a batch or one message; the rest of its batch goes on."""
    call = open_call(database, now, as_json)
    output.show_batches([reject(call.engine, subject, by, reason, call.now, "command line")], as_json)


@app.command()
def status(database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """Count messages by moment, channel and status; the counts always add up. Say which alarms stand."""
    call = open_call(database, now, as_json)
    with reading(call.engine) as session:
        alarms = find_alarms(session, call.settings, call.now)
        output.show_status(count_messages(session), pauses.list_pauses(session), alarms, as_json)


@app.command()
def preview(
    template: Annotated[str, typer.Argument(help="Such as letters/anniversary.en.html.")],
    customer: Annotated[str, typer.Option(help="A customer's id.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    on: On = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Write a template as one customer would get it."""
    call = open_call(database, now)
    content, media_type = preview_template(call.engine, call.settings, template, customer, call.day(on))
    write_private(out, content)
    console.say(f"{out}: {len(content):,} bytes of {media_type}")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8080,
    database: Database = None,
    now: Now = None,
) -> None:
    """Serve the desk, the public unsubscribe page, and the webhooks of the vendors in use."""
    from outreach.supervisor import serve_pages  # Prefect and uvicorn take seconds to import

    call = open_call(database, now, create=True)
    serve_pages(call.engine, call.written, call.clock, host, port, prefect_address().removesuffix("/api"))


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


@app.command()
def demo(database: Database = None, now: Now = None) -> None:
    """Run the whole main job on a sample practice, into ./outbox."""
    from outreach.commands.demo import run_demo  # Prefect takes seconds to import

    run_demo(database, now)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="The port of the desk; Prefect takes 4200.")] = 8080,
    prefect_port: Annotated[int, typer.Option(help="The port of Prefect's server and UI.")] = 4200,
    database: Database = None,
    now: Now = None,
) -> None:
    """Start everything on one machine: Prefect server and UI, deployments, worker, desk."""
    from outreach.supervisor import start_everything  # Prefect and uvicorn take seconds to import

    call = open_call(database, now, create=True)
    start_everything(call.written, call.url, port, prefect_port)


def main() -> None:
    """Runs the command and exits with its status; an error of ours is one line on stderr, without a traceback."""
    os.umask(PRIVATE_UMASK)  # the database and the outbox hold people's health and debts: for this user's eyes only
    try:
        status: Any = app(standalone_mode=False)
    except OutreachError as error:
        sys.exit(f"outreach: {error}")
    except TyperException as error:
        # Typer's own status for a wrong call is 2, which here means "done, with refused rows".
        sys.exit(f"outreach: {error.format_message()} See outreach --help")
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except DATABASE_ERRORS as error:
        sys.exit(f"outreach: {explain_database_error(error)}")
    except OSError as error:
        sys.exit(f"outreach: {explain_file_error(error)}")
    sys.exit(status if isinstance(status, int) else 0)
