"""The command demo: the whole main job on a sample practice, from generating it to where to look next.

It generates, imports, prepares, approves and delivers. The flows run in this process on Prefect's embedded server;
everything goes to files.
"""

import os
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import cast

import typer
from sqlalchemy import Engine
from sqlmodel import Session, select

from outreach import console
from outreach.approval.approving import approve_batch
from outreach.approval.batches import list_batches
from outreach.approval.staff import add_staff
from outreach.channels import LETTER
from outreach.clock import instant_at, read_clock
from outreach.commands import output
from outreach.commands.options import Database, Now
from outreach.database import open_database, reading, upgrade_database, writing
from outreach.delivery.reports import DeliverReport
from outreach.demo.contact_sheet import draw_contact_sheet
from outreach.demo.practice import write_practice
from outreach.errors import SettingsError
from outreach.installation import EXAMPLE, SETTINGS_FILE, enter_installation
from outreach.models import Customer, Installation, Message
from outreach.settings import Settings, load_settings, today_of

app = typer.Typer(rich_markup_mode=None)
PRACTICE = Path("demo/practice")
SHEET = Path("contact-sheet.png")
SEED = 7
APPROVER = "nora"
# Three full rows of contact_sheet.py.
ON_SHEET = 12


@app.command()
def demo(database: Database = None, now: Now = None) -> None:
    """Run the whole main job on a sample practice, into ./outbox."""
    run_demo(database, now)


def run_demo(database: str | None, now: str | None) -> None:
    """Raises SettingsError where the database holds customers that are not the sample's."""
    began = time.monotonic()
    settings = demo_settings(database)
    engine = open_database(settings.database_url)
    upgrade_database(engine)
    on = demo_day(engine, settings, read_clock(now or settings.now)())
    # At noon `business.sending_hour` is past and the hours of texts and calls are open, whenever somebody tries the
    # demo.
    noon = instant_at(on, 12, settings.business.timezone)
    _refuse_real_customers(engine, _write(on))
    _set_environment(settings, noon)
    # Only now that the environment is set: Prefect reads it when it is imported.
    from flows.deliver import deliver
    from flows.intake import intake
    from flows.prepare import prepare

    console.say("Starting Prefect's embedded server (10 to 40 seconds the first time) and importing …")
    intake(str(PRACTICE))
    console.say(f"Preparing {on} …")
    prepared = prepare(on)
    with reading(engine) as session:
        output.show_prepared(session, prepared, as_json=False)
    _approve_all(engine, settings, on, noon)
    console.say("Delivering …")
    output.show_delivered(cast(DeliverReport, deliver()), settings.business, as_json=False)
    _draw(engine, settings)
    _leave_waiting(engine, on)
    _point_onwards(engine, settings, on, time.monotonic() - began)


def demo_settings(database: str | None) -> Settings:
    """The settings of the sample practice: those of this installation, or of the example where there is none."""
    if not (enter_installation() / SETTINGS_FILE).exists() and "OUTREACH_CONFIG" not in os.environ:
        os.environ["OUTREACH_CONFIG"] = str(EXAMPLE / SETTINGS_FILE)
    return load_settings(**{"database_url": database} if database else {})


def demo_day(engine: Engine, settings: Settings, now: datetime) -> date:
    """Today; or, where the demo ran before, its day, so that a second run finds what the first one did."""
    with reading(engine) as session:
        installation = session.get(Installation, 1)
    return (installation and installation.first_import_on) or today_of(settings, now)


def _write(on: date) -> set[str]:
    summary = write_practice(PRACTICE, on, SEED)
    console.say(f"A sample practice of {len(summary.customer_ids)} customers is in {PRACTICE}/, as of {on}")
    return set(summary.customer_ids)


def _refuse_real_customers(engine: Engine, sample: set[str]) -> None:
    with reading(engine) as session:
        customers = set(session.exec(select(Customer.customer_id)).all())
    if customers - sample:
        raise SettingsError(
            "This database holds customers of your own; give the demo another: --database sqlite:///demo.db"
        )


def _set_environment(settings: Settings, noon: datetime) -> None:
    """The flows read their settings as a worker would: from the environment."""
    os.environ["OUTREACH_DATABASE_URL"] = settings.database_url
    os.environ["OUTREACH_NOW"] = noon.isoformat()


def _approve_all(engine: Engine, settings: Settings, on: date, now: datetime) -> None:
    with writing(engine) as session:
        add_staff(session, APPROVER, "Nora Whitcomb", "approver", now)
    with reading(engine) as session:
        # What an earlier run left waiting for the desk stays there, and so does what somebody put on hold.
        waiting = [batch.batch_id for batch in list_batches(session) if batch.run_on <= on and batch.count]
    for batch_id in waiting:
        approve_batch(engine, settings, batch_id, APPROVER, now, "demo")
    console.say(f"{APPROVER} approves {len(waiting)} batches" if waiting else "Nothing waits for approval.")


def _leave_waiting(engine: Engine, on: date) -> None:
    """Prepares the next day too, and leaves its batches for whoever opens the desk."""
    # Imported here, as in `run_demo`: only by now is the environment set.
    from flows.prepare import prepare

    tomorrow = on + timedelta(days=1)
    prepare(tomorrow)
    with reading(engine) as session:
        waiting = len(list_batches(session))
    batches_wait = "1 batch waits" if waiting == 1 else f"{waiting} batches wait"
    console.say(f"For {tomorrow}, {batches_wait} at the desk: outreach up")


def _draw(engine: Engine, settings: Settings) -> None:
    with reading(engine) as session:
        sent = _sent_letters(session)
    folder = settings.providers.outbox.folder or Path("outbox")
    letters = [path for reference in sent for path in sorted(folder.glob(f"*/{reference}.pdf"))][:ON_SHEET]
    if letters:
        draw_contact_sheet(letters, SHEET)


def _sent_letters(session: Session) -> list[str]:
    """References of letters, the moments taking turns, so that the sheet shows some of each."""
    rows = session.exec(
        select(Message.reference, Message.kind)
        .where(Message.channel == LETTER.name, Message.status == "accepted")
        .order_by(Message.reference)
    ).all()
    turn: dict[str, int] = {}
    ordered = []
    for reference, kind in rows:
        turn[kind] = turn.get(kind, 0) + 1
        ordered.append((turn[kind], kind, reference))
    return [reference for _, _, reference in sorted(ordered)]


def _point_onwards(engine: Engine, settings: Settings, on: date, seconds: float) -> None:
    with reading(engine) as session:
        someone = session.exec(select(Message.customer_id).order_by(Message.reference).limit(1)).first()
    stores = settings.database_url
    with_database = "" if stores == "sqlite:///outreach.db" else f" --database {stores}"
    console.say(
        f"\nDone in {seconds:.0f} s. Where to look next:\n"
        f"  {SHEET}  the first letters in one picture\n"
        f"  {settings.providers.outbox.folder}/  the letters, e-mails and texts, and the call sheet calls.csv\n"
        f"  .venv/bin/outreach why {someone}{with_database}  why this person, why today\n"
        f"  .venv/bin/outreach status{with_database}  what became of everything\n"
        f"  .venv/bin/outreach up{with_database}  the desk, where tomorrow's batches wait; Prefect's UI"
    )
