"""The `outreach` command: words from the keyboard in, a call to a room, a table or JSON out. It holds no rules.

Exit status: 0 done, 1 failed, 2 done with refused rows.
"""

import os
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from typer.exceptions import TyperException

from outreach import tables
from outreach.approval import add_staff, approve_batch, list_staff, reject, remove_staff
from outreach.approval.batches import list_batches
from outreach.clock import Clock, parse_day, parse_instant, stopped_clock, system_clock
from outreach.composing import preview_template
from outreach.database import open_database, reading, upgrade_database, writing
from outreach.day import deliver_day, prepare_day
from outreach.delivery.pauses import pause as pause_sending
from outreach.delivery.pauses import resume as resume_sending
from outreach.doctor import examine
from outreach.errors import DatabaseError, OutreachError, SettingsError
from outreach.intake import import_folder, read_mapping, redate
from outreach.learning import count_messages
from outreach.moments import MOMENTS, find_moments
from outreach.planning import today_of
from outreach.planning.why import explain_customer
from outreach.settings import Settings, load_settings
from outreach.tracking import track_open

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help=__doc__)
staff_app = typer.Typer(no_args_is_help=True, help="The people who may approve: add, list, remove.")
app.add_typer(staff_app, name="staff")

Database = Annotated[str | None, typer.Option(help="Database URL. [OUTREACH_DATABASE_URL, or sqlite:///outreach.db]")]
Now = Annotated[str | None, typer.Option(help="The instant to take for now, as 2026-11-22T10:00Z. [OUTREACH_NOW]")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
On = Annotated[str | None, typer.Option(help="The day, as 2026-11-22. [today]")]
By = Annotated[str, typer.Option(help="Who decides: the id of a staff record.")]


@dataclass(frozen=True)
class Desk:
    """What every command works with: settings, an upgraded database, the clock, and whether to speak JSON."""

    settings: Settings
    url: str
    engine: Engine
    clock: Clock
    as_json: bool = False

    @property
    def now(self) -> datetime:
        return self.clock()

    def day(self, on: str | None) -> date:
        return parse_day(on) if on else today_of(self.settings, self.now)

    def tell(self, line: str) -> None:
        if not self.as_json:
            tables.say(line)


def open_desk(database: str | None, now: str | None, as_json: bool = False, create: bool = False) -> Desk:
    """Raises DatabaseError where there is no database and the command is not one that makes it."""
    settings = load_settings()
    url = database or settings.database_url
    parsed = make_url(url) if url.startswith("sqlite") else None
    if parsed and parsed.database and not create and not Path(parsed.database).exists():
        raise DatabaseError(f"There is no database at {parsed.database} yet. Import data first: outreach import FOLDER")
    engine = open_database(url)
    upgrade_database(engine)
    redate(engine, settings)
    said = now or settings.now
    clock = stopped_clock(parse_instant(said)) if said else system_clock
    return Desk(settings, url, engine, clock, as_json)


@app.command()
def init(database: Database = None, now: Now = None) -> None:
    """Create the database, or bring it to today's shape."""
    desk = open_desk(database, now, create=True)
    tables.say(f"The database is ready: {make_url(desk.url).render_as_string(hide_password=True)}")


@app.command()
def doctor(database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """Say what is missing on this machine, and how to mend it."""
    findings = examine(database, now)
    tables.show_findings(findings, as_json)
    raise typer.Exit(0 if all(finding.is_well for finding in findings) else 1)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="A folder of CSV files.")],
    mapping: Annotated[Path | None, typer.Option(help="A mapping file, for files with other columns.")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Take in customer data; bad rows are listed and never stop good ones."""
    desk = open_desk(database, now, as_json, create=True)
    read = read_mapping(mapping) if mapping else None
    report = import_folder(desk.engine, folder, desk.settings, desk.now, read, desk.tell)
    tables.show_import(report, as_json)
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
    desk = open_desk(database, now, as_json)
    first, last = desk.day(from_ or on or to), desk.day(to or on or from_)
    if unknown := set(kind or []) - set(MOMENTS):
        raise SettingsError(f"There is no moment “{min(unknown)}”; there are {', '.join(MOMENTS)}")
    days = (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))
    with reading(desk.engine) as session:
        found = (item for day in days for item in find_moments(session, desk.settings, day, kind or None))
        tables.show_moments(found, as_json)


@app.command()
def prepare(on: On = None, database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """Find moments, decide, write the messages and open the batches of a day; running it again changes nothing."""
    desk = open_desk(database, now, as_json)
    prepared = prepare_day(desk.engine, desk.settings, desk.day(on), desk.clock, desk.tell)
    with reading(desk.engine) as session:
        tables.show_prepared(session, prepared, as_json)


@app.command()
def why(
    customer: Annotated[str, typer.Argument(help="A customer's id.")],
    on: On = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Why this person, why today, why not."""
    desk = open_desk(database, now, as_json)
    tables.show_answers(explain_customer(desk.engine, desk.settings, customer, desk.day(on), desk.now), as_json)


@app.command()
def batches(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are decided.")] = False,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """List the batches that wait for a person."""
    desk = open_desk(database, now, as_json)
    with reading(desk.engine) as session:
        tables.show_batches(list_batches(session, None if all_ else "waiting"), as_json)


@app.command()
def approve(
    batch: Annotated[list[str], typer.Argument(help="One or more batches.")],
    by: By,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Approve a batch as it is sealed."""
    desk = open_desk(database, now, as_json)
    approved = [approve_batch(desk.engine, desk.settings, one, by, desk.now, "command line") for one in batch]
    tables.show_batches(approved, as_json)


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
    desk = open_desk(database, now, as_json)
    tables.show_batches([reject(desk.engine, subject, by, reason, desk.now, "command line")], as_json)


@app.command()
def deliver(database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """Send what is approved and due, each exactly once."""
    desk = open_desk(database, now, as_json)
    tables.show_delivered(deliver_day(desk.engine, desk.settings, desk.clock, owner_name(), desk.tell), as_json)


@app.command()
def track(database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """Close what is open: look up uncertain messages, recover interrupted ones, expire what came too late."""
    desk = open_desk(database, now, as_json)
    tables.show_tracked(track_open(desk.engine, desk.settings, desk.clock, desk.tell), as_json)


@app.command()
def run(on: On = None, database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """Prepare, deliver and track, with no server: for cron."""
    desk = open_desk(database, now, as_json)
    prepared = prepare_day(desk.engine, desk.settings, desk.day(on), desk.clock, desk.tell)
    delivered = deliver_day(desk.engine, desk.settings, desk.clock, owner_name(), desk.tell)
    tracked = track_open(desk.engine, desk.settings, desk.clock, desk.tell)
    with reading(desk.engine) as session:
        tables.show_run(session, prepared, delivered, tracked, as_json)


def owner_name() -> str:
    """This process, told apart from every other sender."""
    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"


Scope = Annotated[str | None, typer.Option()]


@app.command()
def pause(
    moment: Scope = None, provider: Scope = None, batch: Scope = None, database: Database = None, now: Now = None
) -> None:
    """Stop sending: everything, or one moment, provider or batch. Says what had already left."""
    desk = open_desk(database, now)
    scope, name = scope_of(moment, provider, batch)
    with writing(desk.engine) as session:
        tables.show_pause(pause_sending(session, scope, name, desk.now))


@app.command()
def resume(
    moment: Scope = None, provider: Scope = None, batch: Scope = None, database: Database = None, now: Now = None
) -> None:
    """Take a pause back."""
    desk = open_desk(database, now)
    scope, name = scope_of(moment, provider, batch)
    with writing(desk.engine) as session:
        was_paused = resume_sending(session, scope, name, desk.now)
        tables.say("Sending goes on." if was_paused else "That was not paused; nothing changed.")


def scope_of(moment: str | None, provider: str | None, batch: str | None) -> tuple[str, str]:
    named = [(scope, name) for scope, name in (("moment", moment), ("provider", provider), ("batch", batch)) if name]
    if len(named) > 1:
        raise SettingsError("Name one of --moment, --provider and --batch, or none for everything")
    return named[0] if named else ("everything", "")


@app.command()
def status(database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """Count messages by moment, channel and status; the counts always add up."""
    desk = open_desk(database, now, as_json)
    with reading(desk.engine) as session:
        tables.show_status(count_messages(session), as_json)


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
    desk = open_desk(database, now)
    content, media_type = preview_template(desk.engine, desk.settings, template, customer, desk.day(on))
    out.write_bytes(content)
    tables.say(f"{out}: {len(content):,} bytes of {media_type}")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8080,
    database: Database = None,
    now: Now = None,
) -> None:
    """Serve the status page and the public unsubscribe page."""
    from outreach.up import serve_pages  # Prefect and uvicorn take seconds to import

    desk = open_desk(database, now, create=True)
    serve_pages(desk.engine, desk.settings, desk.clock, host, port)


@staff_app.command("add")
def staff_add(
    who: Annotated[str, typer.Argument(help="A short id, such as maria.")],
    name: Annotated[str, typer.Option(help="The full name.")] = "",
    role: Annotated[str, typer.Option(help="viewer, writer, approver or admin.")] = "approver",
    database: Database = None,
    now: Now = None,
) -> None:
    """Add someone, or change their name or role."""
    desk = open_desk(database, now, create=True)
    with writing(desk.engine) as session:
        member = add_staff(session, who, name or who, role, desk.now)
        tables.say(f"{member.staff_id} is {member.name}, {member.role}")


@staff_app.command("list")
def staff_list(database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """List the staff."""
    desk = open_desk(database, now, as_json)
    with reading(desk.engine) as session:
        tables.show_staff(list_staff(session), as_json)


@staff_app.command("remove")
def staff_remove(
    who: Annotated[str, typer.Argument(help="The id.")], database: Database = None, now: Now = None
) -> None:
    """Remove someone; what they did stays in the audit."""
    desk = open_desk(database, now)
    with writing(desk.engine) as session:
        remove_staff(session, who, desk.now)
        tables.say(f"{who} may not act any more")


@app.command()
def demo(database: Database = None, now: Now = None) -> None:
    """Run the whole main job on a sample practice, into ./outbox."""
    from outreach.demo.show import run_demo  # Prefect takes seconds to import

    run_demo(database, now)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="The port of the status page; Prefect takes 4200.")] = 8080,
    prefect_port: Annotated[int, typer.Option(help="The port of Prefect's server and UI.")] = 4200,
    database: Database = None,
    now: Now = None,
) -> None:
    """Start everything on one machine: Prefect server and UI, deployments, worker, status page."""
    from outreach.up import start_everything  # Prefect and uvicorn take seconds to import

    desk = open_desk(database, now, create=True)
    start_everything(desk.settings, desk.url, port, prefect_port)


def main(arguments: Iterable[str] | None = None) -> None:
    """Runs the command and exits with its status; an error of ours is one line on stderr, without a traceback."""
    try:
        status: Any = app(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except OutreachError as error:
        print(f"outreach: {error}", file=sys.stderr)
        sys.exit(1)
    except TyperException as error:
        # Typer's own status for a wrong call is 2, which here means "done, with refused rows".
        print(f"outreach: {error.format_message()} See outreach --help", file=sys.stderr)
        sys.exit(1)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(status if isinstance(status, int) else 0)
