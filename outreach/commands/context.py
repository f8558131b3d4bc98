"""Opens the settings, the database and the clock that the shared options of one call name. Decides nothing."""

import os
import socket
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from outreach import console
from outreach.clock import Clock, parse_day, read_clock
from outreach.database import is_upgraded, open_database, reading, upgrade_database
from outreach.errors import DatabaseError, SettingsError
from outreach.installation import enter_installation
from outreach.intake.dates import redate
from outreach.planning.knobs import with_saved_knobs
from outreach.settings import Settings, load_settings, today_of


@dataclass(frozen=True)
class Context:
    """One call of the command."""

    settings: Settings
    #: The settings without what was saved at the desk, for pages that live long enough to see that change.
    written: Settings
    url: str
    #: The database, brought to today's shape.
    engine: Engine
    clock: Clock
    as_json: bool = False

    @property
    def now(self) -> datetime:
        return self.clock()

    @property
    def currency(self) -> str:
        return self.settings.business.currency

    def day(self, on: str | None) -> date:
        return parse_day(on) if on else today_of(self.settings, self.now)

    def tell(self, line: str) -> None:
        if not self.as_json:
            console.say(line)


def open_settings(**overrides: Any) -> Settings:
    """The settings of the installation in which the command was called, which becomes the current folder.

    Paths that were typed must be whole by now, or they would be looked for there.
    """
    enter_installation()
    return load_settings(**overrides)


def open_context(
    database: str | None, now: str | None, as_json: bool = False, create: bool = False, dates: bool = True
) -> Context:
    """Raises DatabaseError where there is no database and the command is not one that makes it.

    Without `dates` the business dates in the database stay as they are, whatever its time zone is now.
    """
    settings = open_settings()
    url = database or settings.database_url
    # SQLite makes a file that is not there. A slip in the path would begin an empty database, in which planning
    # finds nobody to write to.
    parsed = make_url(url) if url.startswith("sqlite") else None
    if parsed and parsed.database and not create and not Path(parsed.database).exists():
        raise DatabaseError(f"There is no database at {parsed.database} yet. Import data first: outreach import FOLDER")
    # From here on as `open_run` of flows/runs.py does it for Prefect: a step that is added to one belongs in the other.
    engine = open_database(url)
    upgrade_database(engine)
    if dates:
        redate(engine, settings)
    with reading(engine) as session:
        tuned = with_saved_knobs(session, settings)
    clock = read_clock(now or settings.now)
    if create:
        from outreach.delivery.recovery.restore_guard import name_installation  # half of delivery comes with it

        name_installation(engine, tuned, clock())
    return Context(tuned, settings, url, engine, clock, as_json)


def open_look(database: str | None, now: str | None, as_json: bool = False) -> Context:
    """The context of a command that leaves nothing behind: no database is made, upgraded or named.

    The knobs that were saved are laid over the settings where there is a database of today's shape.
    """
    settings = open_settings()
    url = database or settings.database_url
    engine, tuned = open_database(url), settings
    if engine.dialect.name != "sqlite" or Path(engine.url.database or "").is_file():
        with reading(engine) as session:
            if is_upgraded(session):
                tuned = with_saved_knobs(session, settings)
    return Context(tuned, settings, url, engine, read_clock(now or settings.now), as_json)


def owner_name() -> str:
    """This process, told apart from every other sender."""
    # With chance in it: process ids come again, and two senders must never pass for one.
    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"


def scope_of(moment: str | None, provider: str | None, batch: str | None) -> tuple[str, str]:
    named = [(scope, name) for scope, name in (("moment", moment), ("provider", provider), ("batch", batch)) if name]
    if len(named) > 1:
        raise SettingsError("Name one of --moment, --provider and --batch, or none for everything")
    return named[0] if named else ("everything", "")
