"""Runs every flow in this process, as a worker would, over a practice of canaries, and makes each room fail over them.

Prints the name of the state that each failure ended in, as JSON. `python tests/support/failing_flows.py FOLDER`
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

from sqlalchemy.exc import IntegrityError

from canaries import SECRET, TEMPLATE_WORD
from checkout import PROJECT
from flows.approve import approve
from flows.deliver import deliver
from flows.intake import intake
from flows.prepare import prepare
from flows.report import report
from flows.track import track
from outreach.approval.batches import list_batches
from outreach.approval.staff import add_staff
from outreach.clock import parse_instant
from outreach.database import open_database, reading, writing
from outreach.errors import ChangedSince, FieldMissing, NoAnswer, NotSent

ON = date(2026, 3, 10)
OUTBOX = "outreach.delivery.providers.outbox.Outbox"
ended: dict[str, str] = {}


def fall_over_a_row(*_: object, **__: object) -> NoReturn:
    row = {"given_name": "Zephyrine", "phone": "+18025550199"}
    raise IntegrityError("INSERT INTO customers", row, Exception("zq@canary.example, 9 Marmalade Row"))


def miss_a_field(*_: object, **__: object) -> NoReturn:
    raise FieldMissing("Quackenbush", TEMPLATE_WORD)


def find_a_change(*_: object, **__: object) -> NoReturn:
    try:
        fall_over_a_row()
    except IntegrityError as error:
        raise ChangedSince(f"Zephyrine Quackenbush is not who you looked at: {error}") from error


class Refusing:
    """A provider that names the recipient in what it says, and answers the second hand-over with a fault of its own."""

    def __init__(self) -> None:
        self.calls = 0

    def send(self, *_: object) -> NoReturn:
        self.calls += 1
        if self.calls == 1:
            raise NotSent("closed, tell Zephyrine Quackenbush of 9 Marmalade Row")
        raise RuntimeError("R0otcanal for zq@canary.example")

    def find(self, *_: object) -> NoReturn:
        raise NoAnswer("nobody knows Zephyrine here")


@contextmanager
def failing(target: str, instead: Callable[..., Any]) -> Iterator[None]:
    with patch(target, instead):
        yield


def note(name: str, flow: Any, *arguments: object) -> None:
    state = flow(*arguments, return_state=True)
    is_green = state.is_completed()
    ended[name] = (
        state.name if is_green else "FAILED" if state.name == "Failed" else f"{state.name}, {state.type.value}"
    )


def make_templates(folder: Path, name: str, words: str) -> None:
    """The project's templates, of which the letters of anniversaries say `words` too."""
    shutil.copytree(PROJECT / "templates", folder / name)
    letter = folder / name / "letters" / "anniversary.en.html"
    letter.write_text(letter.read_text() + f"<p>{words}</p>")


def take_in(folder: Path) -> None:
    with patch.dict(os.environ, OUTREACH_BUSINESS__SENDING_HOUR=SECRET):
        note("settings", intake, str(folder / "data"))
    (folder / "mapping.toml").write_text('[[file]]\nname = "customers.csv"\nQuackenbush = "Zephyrine"\n')
    note("mapping", intake, str(folder / "data"), str(folder / "mapping.toml"))
    with failing("flows.intake.import_at_night", fall_over_a_row):
        note("intake", intake, str(folder / "data"))
    intake(str(folder / "data"))


def write(folder: Path) -> None:
    with failing("outreach.day.plan_day", fall_over_a_row):
        note("planning", prepare, ON)
    make_templates(folder, "faulty", f"{{{{ {TEMPLATE_WORD} }}}}")
    with patch.dict(os.environ, OUTREACH_TEMPLATES=str(folder / "faulty")):
        note("writing", prepare, ON)
    with failing("outreach.day.compose_planned", miss_a_field):
        note("composing", prepare, ON)
    make_templates(folder, "sound", f"Your {TEMPLATE_WORD} is in bloom.")
    with failing("outreach.day.open_batches", find_a_change):
        note("approval", prepare, ON)
    prepare(ON)


def send() -> None:
    engine = open_database(os.environ["OUTREACH_DATABASE_URL"])
    with writing(engine) as session:
        add_staff(session, "maria", "Maria Stone", "approver", parse_instant(os.environ["OUTREACH_NOW"]))
    with reading(engine) as session:
        [batch] = list_batches(session)
    with failing("flows.approve.approve_batch", fall_over_a_row):
        note("form", approve, batch.batch_id, "maria")
    approve(batch.batch_id, "maria")
    provider = Refusing()
    with failing(f"{OUTBOX}.send", provider.send), failing(f"{OUTBOX}.find", provider.find):
        note("hand-over", deliver)
        note("look-up", track)
    with failing("flows.deliver.deliver_day", fall_over_a_row):
        note("delivery", deliver)
    deliver()
    with failing("flows.track.track_open", fall_over_a_row):
        note("tracking", track)
    with failing("flows.report.count_messages", fall_over_a_row):
        note("learning", report)


if __name__ == "__main__":
    practice = Path(sys.argv[1])
    os.environ["OUTREACH_DATABASE_URL"] = f"sqlite:///{practice / 'failing.db'}"
    os.environ["OUTREACH_TEMPLATES"] = str(practice / "sound")
    take_in(practice)
    write(practice)
    send()
    print(json.dumps(ended))
