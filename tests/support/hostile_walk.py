"""Takes hostile customers' data from files to sealed bytes in live mode, and reads the bytes back with other programs.

A row is refused where nothing was written for it, right where what was sealed is its customer's alone, and wrong
otherwise. Connections, processes and files that data could ask for are counted by the interpreter itself.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import select

# WeasyPrint's libraries are looked for once, by processes of Python's own, when it is imported.
import outreach.composing.handwriting.press  # noqa: F401
from conftest import NOW, TODAY
from intake_data import import_folder, write
from outreach.clock import stopped_clock
from outreach.database import reading
from outreach.day import prepare_day
from outreach.errors import OutreachError
from outreach.models import Content, Customer, Message
from outreach.settings import Settings
from sealed_reader import READERS, Sealed, seal_faults

# One of these in every walk: it shows that what is right still goes out, and what a page of ours is made of.
CONTROL = {"customer_id": "control", "given_name": "Anna", "family_name": "Plain"}
COLUMNS = (
    "customer_id", "given_name", "family_name", "preferred_name", "honorific", "email", "phone", "address_line1",
    "address_line2", "city", "region", "postal_code", "country", "language", "practitioner",
)  # fmt: skip
CONNECTS = frozenset({
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request", "ftplib.connect",
    "http.client.connect", "smtplib.connect", "webbrowser.open",
})  # fmt: skip
RUNS = frozenset({"os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "pty.spawn"})
# The fence around templates is a process of our own.
OUR_PROCESS = "outreach.composing.templating.sandbox"
# What payloads of all sets ask for.
SECRET_FILES = re.compile(r"^/(etc/(passwd|shadow|hosts|issue)|proc/self|dev/random|windows)", re.IGNORECASE)
Row = dict[str, str]


@dataclass
class Tally:
    """What became of the rows of one set; `faults` says of each wrong one what is wrong with it."""

    name: str
    right: int = 0
    refused: int = 0
    wrong: int = 0
    traceback: int = 0
    fetch: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        numbers = " ".join(f"{one.name} {getattr(self, one.name)}" for one in fields(self)[1:-1])
        return f"{self.name}: {numbers}"

    def add(self, other: "Tally") -> None:
        for name in ("right", "refused", "wrong", "traceback", "fetch"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def judge(self, faults: Sequence[str], what: str) -> None:
        self.wrong += bool(faults)
        self.right += not faults
        self.faults += [f"{fault}: {what!a}" for fault in faults]


class _Watch:
    """Counts what this process does beyond its own files while it is on. A hook stays until the process ends."""

    def __init__(self) -> None:
        self.is_on, self.seen = False, list[str]()
        sys.addaudithook(self._hear)

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.is_on:
            return
        if event in CONNECTS or (event in RUNS and OUR_PROCESS not in str(given)):
            self.seen.append(f"{event} {str(given)[:150]}")
        elif event == "open" and isinstance(given[0], str) and SECRET_FILES.match(given[0]):
            self.seen.append(f"open {given[0]}")


_watch: list[_Watch] = []


@contextmanager
def watching(tally: Tally) -> Iterator[None]:
    """Counts connections, processes and secret files of the block as fetches, and what it raises as a traceback."""
    if not _watch:
        _watch.append(_Watch())
    watch = _watch[0]
    watch.seen.clear()
    watch.is_on = True
    try:
        yield
    except OutreachError as told:
        tally.faults.append(f"stopped: {told}")
        tally.wrong += 1
    except Exception as error:
        tally.faults.append(f"{type(error).__name__}: {error}")
        tally.traceback += 1
    finally:
        watch.is_on = False
        tally.fetch += len(watch.seen)
        tally.faults += watch.seen


def live(settings: Settings, channel: str) -> Settings:
    """Live mode with one moment and one channel: a mail server, a print room, and lists for the rest."""
    smtp = settings.providers.smtp.model_copy(update={"host": "127.0.0.1", "security": "none", "health": True})
    carriers = {"email": "smtp", "smtp": smtp, "letter": "printroom"}
    # Its own hours and days are not what is tried here.
    checkin = settings.moments["checkin"] | {"channels": [channel]}
    others = {kind: {"enabled": False} for kind in ("anniversary", "late_payment", "referral_ask")}
    return settings.model_copy(
        update={
            "mode": "live",
            "start_on": TODAY - timedelta(days=30),
            "transit": settings.transit.model_copy(update={"letter": 0}),
            "business": settings.business.model_copy(update={"public_url": "https://desk.alderlane.com"}),
            "providers": settings.providers.model_copy(update=carriers),
            "moments": settings.moments | others | {"checkin": checkin},
        }
    )


def walk(name: str, engine: Engine, settings: Settings, folder: Path, channel: str, rows: Sequence[Row]) -> Tally:
    """What became of `rows`, cells of customers.csv and a treatment's practitioner, on the way to one channel."""
    own, tally = live(settings, channel), Tally(f"{name}, {channel}")
    people = [CONTROL, *({"customer_id": f"h{number:05}"} | row for number, row in enumerate(rows))]
    _write(folder, [_reachable(number) | person for number, person in enumerate(people)])
    with watching(tally):
        import_folder(engine, folder, own, NOW)
        prepare_day(engine, own, TODAY, stopped_clock(NOW), lambda _line: None)
    sealed = _sealed(engine)
    control = sealed.pop("control", None)
    if control is None or isinstance(control, str):
        tally.faults.append(f"the control was not written ({control})")
        tally.wrong += 1
        return tally
    read = READERS[channel]
    for person in people[1:]:
        found = sealed.get(person["customer_id"])
        if isinstance(found, str):
            tally.judge([found], str(person))
        elif found is None:
            tally.refused += 1
        else:
            tally.judge(seal_faults(found) + read(found, control, own), str(person))
    return tally


def _reachable(number: int) -> Row:
    """Contacts of somebody's own, so that nobody is held for sharing one."""
    return {
        "family_name": "Smith",
        "email": f"h{number}@canary-mail.com",
        "phone": f"+1802{2000000 + number}",
        "address_line1": f"{number + 1} Elm St",
        "city": "Burlington",
        "region": "VT",
        "postal_code": "05401",
        "country": "US",
    }


def _write(folder: Path, people: Sequence[Row]) -> None:
    columns = [name for name in COLUMNS if name != "practitioner"]
    write(folder, "customers.csv", columns, *([person.get(name, "") for name in columns] for person in people))
    done = (NOW - timedelta(days=2)).isoformat()
    write(folder, "treatments.csv", ["treatment_id", "customer_id", "name", "done_at", "practitioner"],
          *([f"t-{who['customer_id']}", who["customer_id"], "Filling", done, who.get("practitioner", "")]
            for who in people))  # fmt: skip
    write(folder, "consents.csv", ["customer_id", "channel", "purpose", "state", "at", "basis", "source", "text"],
          *([who["customer_id"], channel, "service", "granted", "2025-01-01", "written", "form", "yes"]
            for who in people for channel in ("email", "text")))  # fmt: skip


def _sealed(engine: Engine) -> dict[str, Sealed | str]:
    """By customer: what is in a batch, or what is wrong with a message that is in none and was not withdrawn."""
    found: dict[str, Sealed | str] = {}
    with reading(engine) as session:
        rows = session.exec(
            select(Message, Customer, Content)
            .join(Customer, Customer.customer_id == Message.recipient_id)  # type: ignore[arg-type]
            .outerjoin(Content, Content.sha256 == Message.content_sha256)  # type: ignore[arg-type]
        )
        for message, person, content in rows:
            if message.status == "withdrawn":
                continue
            if content is None or content.body is None or message.batch_id is None:
                found[person.customer_id] = f"left {message.status} and in no batch"
                continue
            found[person.customer_id] = Sealed(message, content.body, person)
        session.expunge_all()
    return found
