"""A look at an import before it counts: what would be taken in, who could be written to, and who would hear from us.

All of it is done with a database of its own, which is thrown away: what is on record stays as it is, and where nothing
is on record yet, nothing is made. The one file that a look writes is that of the refused rows, where it is asked for.
"""

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, exists, func
from sqlmodel import Session, col, select

from outreach.channels import CHANNELS, EMAIL, LETTER, TEXT
from outreach.clock import business_date
from outreach.database import open_database, reading, upgrade_database
from outreach.intake.changes import Since
from outreach.intake.mapping.files import Mapping
from outreach.intake.oddities import Oddities, OddValue
from outreach.intake.postal_rules import missing_fields
from outreach.intake.refused_file import RefusedFile
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_data
from outreach.intake.sources.origins import Origin
from outreach.models import Customer, Visit
from outreach.planning.contact_cards import contacts_of, postal_fields
from outreach.planning.forecast import forecast
from outreach.settings import Settings

DAYS = 7
AT_ONCE = 2000
Tell = Callable[[str], None]


@dataclass
class Reach:
    """Whom of the customers on record a letter, an e-mail, a text or a call could reach, whatever they agreed to."""

    customers: int = 0
    #: On one channel at least.
    reachable: int = 0
    by_channel: Counter[str] = field(default_factory=Counter)
    #: Of those whom no letter can reach: what their address lacks, by the name of the first such field.
    lacking: Counter[str] = field(default_factory=Counter)
    #: They have no e-mail address, or one that cannot exist.
    without_email: int = 0


@dataclass(frozen=True)
class WeekCount:
    """How many messages of one moment would be planned within the week."""

    moment: str
    channel: str
    messages: int


@dataclass(frozen=True)
class ImportLook:
    """What would become of an import."""

    report: ImportReport
    odd: list[OddValue]
    reach: Reach
    #: The next seven days.
    week: list[WeekCount]
    #: Whether what is on record already was looked at too.
    is_beside_record: bool
    #: Customers with a visit before the day since when they are customers, as that day stands: it is another one.
    seen_before: int = 0


def look_at_import(
    engine: Engine,
    origin: Origin,
    settings: Settings,
    now: datetime,
    mapping: Mapping | None,
    tell: Tell,
    refused: RefusedFile | None = None,
    since: Since = None,
) -> ImportLook:
    """Imports into a copy of the database (of SQLite; beside PostgreSQL into an empty one), and looks at that.

    `since` is that of an import, and `refused` writes down each row that would not be taken in. Raises
    SourceUnreadable as an import does.
    """
    today = business_date(now, settings.business.timezone)
    oddities = Oddities(today, settings.business.country, settings.business.currency)
    with _own_folder() as folder, _copy_of(engine, folder) as copy:
        settings = _with_own_secret(settings, folder)
        report = import_data(copy, origin, settings, now, mapping, tell, since, oddities=oddities, refused=refused)
        # Both take as long as the import itself, where many have a moment soon.
        tell("Counting who could be written to …")
        with reading(copy) as session:
            reach, seen_before = count_reach(session, settings), count_seen_before(session)
        tell("Working out who would hear from you this week …")
        seen = forecast(copy, settings, today, today + timedelta(days=DAYS - 1), now)
    counts = Counter((message.moment, message.channel) for message in seen.messages)
    week = [WeekCount(moment, channel, count) for (moment, channel), count in sorted(counts.items())]
    return ImportLook(report, oddities.found, reach, week, engine.dialect.name == "sqlite", seen_before)


@contextmanager
def _own_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="outreach-look-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _copy_of(engine: Engine, folder: Path) -> Iterator[Engine]:
    path = folder / "look.db"
    # Asked first: SQLite would make the file of a database that is not there yet.
    if engine.dialect.name == "sqlite" and Path(engine.url.database or "").is_file():
        with closing(sqlite3.connect(engine.url.database or "")) as here, closing(sqlite3.connect(path)) as there:
            here.backup(there)
    copy = open_database(f"sqlite:///{path}")
    try:
        upgrade_database(copy)
        yield copy
    finally:
        copy.dispose()


def _with_own_secret(settings: Settings, folder: Path) -> Settings:
    """The settings with a secret that is thrown away with the copy, where there is none yet."""
    if settings.secret or settings.secret_file.exists():
        return settings
    return settings.model_copy(update={"secret_file": folder / settings.secret_file.name})


def count_reach(session: Session, settings: Settings) -> Reach:
    """Goes through all customers who live."""
    reach = Reach()
    living = select(Customer).where(col(Customer.died_on).is_(None)).order_by(Customer.customer_id)
    for page in session.exec(living.execution_options(yield_per=AT_ONCE)).partitions():
        for customer in page:
            _count(reach, customer, settings)
    return reach


def count_seen_before(session: Session) -> int:
    """How many customers completed a visit before the day since when they are said to be customers."""
    earlier = (col(Visit.status) == "completed") & (col(Visit.starts_on) < col(Customer.customer_since))
    found = select(col(Customer.customer_id)).where(
        exists().where((col(Visit.customer_id) == col(Customer.customer_id)) & earlier)
    )
    return session.exec(select(func.count()).select_from(found.subquery())).one()


def _count(reach: Reach, customer: Customer, settings: Settings) -> None:
    contacts = contacts_of(customer, None, settings)
    reach.customers += 1
    reach.reachable += bool(contacts)
    reach.by_channel.update(channel for channel in CHANNELS if channel in contacts)
    reach.without_email += EMAIL.name not in contacts
    if LETTER.name not in contacts:
        country = customer.country or settings.business.country
        missing = missing_fields(postal_fields(customer, country), country)
        reach.lacking.update(missing[:1])


# What an address may lack, in words.
_WORDS = {
    "address_line1": "no street",
    "city": "no town",
    "region": "no state or region",
    "postal_code": "no postal code, or one that the country cannot have",
}


def tell_reach(look: ImportLook) -> list[str]:
    """How many could be written to, and what the others lack, in sentences."""
    reach = look.reach
    lacking = "; ".join(
        f"{count:,} {'has' if count == 1 else 'have'} {_WORDS.get(name, f'no {name}')}"
        for name, count in reach.lacking.most_common()
    )
    lines = [f"Of {reach.customers:,} customers {reach.reachable:,} could be written to today."]
    lines.append(
        f"By letter {reach.by_channel[LETTER.name]:,}{f' ({lacking})' if lacking else ''}; "
        f"by e-mail {reach.by_channel[EMAIL.name]:,}; by text {reach.by_channel[TEXT.name]:,}."
    )
    if look.seen_before:
        lines.append(
            f"{look.seen_before:,} came before the day in customer_since: it may be when a record was made. Leave it "
            "out where you do not know, or anniversaries are told a false day."
        )
    if not look.is_beside_record:
        lines.append("What is on record already is not counted here: a look beside PostgreSQL starts with nothing.")
    return lines
