"""How every flow of ours runs: opened from the environment, told in counts, ended with a message that means something.

Nothing that passes through here may be about a person: ids, dates and counts only.
"""

import logging
import os
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, cast

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run
from prefect.states import Completed
from sqlalchemy import Engine

from outreach.clock import Clock, read_clock
from outreach.database import open_database, reading, upgrade_database
from outreach.errors import OutreachError
from outreach.intake import redate
from outreach.planning import today_of
from outreach.planning.knobs import with_saved_knobs
from outreach.settings import PROJECT, Settings, load_settings

__all__ = [
    "Run",
    "as_page",
    "as_table",
    "finish",
    "flow",
    "name_by_day",
    "open_run",
    "outcomes_of",
    "publish",
    "sender_name",
]
T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """What a flow hands to a room: the settings and database that the environment names, the clock, the run's log."""

    settings: Settings
    engine: Engine
    clock: Clock
    log: "logging.Logger | logging.LoggerAdapter[Any]"

    def tell(self, line: str) -> None:
        self.log.info(line)

    def today(self) -> date:
        return today_of(self.settings, self.clock())


@contextmanager
def open_run() -> Iterator[Run]:
    """A run on an upgraded database. An error of ours passes; any other is raised again without its text.

    Prefect keeps the text of every exception, and a database driver's holds the row it failed on.
    """
    try:
        settings = load_settings()
        engine = open_database(settings.database_url)
        upgrade_database(engine)
        redate(engine, settings)
        with reading(engine) as session:
            settings = with_saved_knobs(session, settings)
        yield Run(settings, engine, read_clock(settings.now), get_run_logger())
    except OutreachError:
        raise
    except Exception as error:
        raise OutreachError(describe(error)) from None


def describe(error: Exception) -> str:
    """The kind of the error and where it was raised, without a word of its text."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PROJECT / "outreach")]
    last = (ours or frames)[-1]
    where = f"{Path(last.filename).name}, line {last.lineno}"
    return f"{type(error).__name__} at {where}; the same command of `outreach`, run by hand, shows the whole error"


def name_by_day() -> str:
    """The name of the run in progress, such as `prepare 2026-11-22`: the day it works on, else the business's today."""
    day = flow_run.parameters.get("on")
    if day is None:
        settings = load_settings()
        day = today_of(settings, read_clock(settings.now)())
    return f"{flow_run.flow_name} {day}"


def sender_name() -> str:
    """A name for this process among senders; a run that Prefect starts twice must not take itself for its twin."""
    return f"prefect:{flow_run.id}:{os.urandom(4).hex()}"


def as_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; “none” where there are no rows."""
    listed = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    if not listed:
        return "none\n"
    lines = [columns, ["---"] * len(columns), *listed]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def outcomes_of(report: object) -> dict[str, int]:
    """Every count of a report under its own name; the sum that was saved is money, not a count."""
    return {name: value for name, value in vars(report).items() if isinstance(value, int) and name != "saved"}


def publish(markdown: str) -> None:
    """Leaves one Markdown artifact on the run, under the flow's own key so that the UI shows one after the other."""
    create_markdown_artifact(key=cast(str, flow_run.flow_name), markdown=markdown)


def as_page(title: str, sections: dict[str, str]) -> str:
    """A Markdown page with a heading for each section."""
    return "\n".join([f"# {title}\n", *(f"## {heading}\n\n{text}" for heading, text in sections.items())])


def finish(message: str, result: T) -> T:
    """Ends the run as completed with `message`; Prefect unwraps the state, so whoever called the flow gets `result`."""
    state: Any = Completed(message=message, data=result)
    return cast(T, state)
