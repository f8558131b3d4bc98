"""How every flow of ours runs: opened from the environment, ended with a name and a message that mean something.

Nothing that passes through here may be about a person: ids, dates and counts only.
"""

import logging
import os
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.runtime import deployment, flow_run
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed, Failed, Scheduled
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from outreach.channels import CHANNELS
from outreach.clock import Clock, parse_day, read_clock, system_clock
from outreach.database import open_database, reading, upgrade_database
from outreach.database_errors import explain_database_error
from outreach.delivery.recovery.restore_guard import name_installation
from outreach.errors import ApprovalError, DatabaseError, NotFound, OutreachError, SettingsError
from outreach.installation import PACKAGE
from outreach.intake.dates import redate
from outreach.models import Batch
from outreach.planning.knobs import with_saved_knobs
from outreach.prefect_events import announce_approval
from outreach.settings import Settings, load_settings, today_of

__all__ = [
    "TO_MEND", "Run", "announce_approved", "as_many", "count_of", "finish", "flow", "name_by_day", "next_run_at",
    "open_run", "outcomes_of", "plan_next_run", "sender_name", "telling",
]  # fmt: skip
T = TypeVar("T")
# Errors whose texts are words of ours, ids and dates. Others may repeat a row, a letter's words, or a file's name.
TELLABLE = (SettingsError, DatabaseError, NotFound, ApprovalError)
# The name of each deployment for shard workers.
SHARDS = "shards"
TO_MEND = "ToMend"
# The server's clock and ours may differ by a little; a run that came too early would find nothing.
A_LITTLE_LATER = timedelta(seconds=5)


@dataclass(frozen=True)
class Run:
    """What a flow hands to a room."""

    #: Those that the environment names, as is the database.
    settings: Settings
    engine: Engine
    clock: Clock
    #: The day that it works on: its parameter `on`, else the business's today as it began.
    day: date
    log: "logging.Logger | logging.LoggerAdapter[Any]"

    def when(self, instant: datetime) -> str:
        """An instant in the business's time."""
        return f"{instant.astimezone(self.settings.business.zone):%H:%M}"


@contextmanager
def open_run() -> Iterator[Run]:
    """A run on an upgraded database. An error that may repeat a person's data is raised again without its text.

    Prefect keeps the text of every exception and of what it was made from; a database driver's holds the row it failed
    on, and a template's the words around the mistake.
    """
    try:
        settings = load_settings()
        # As `open_context` of commands/context.py does it for those who call by hand.
        engine = open_database(settings.database_url)
        upgrade_database(engine)
        redate(engine, settings)
        with reading(engine) as session:
            settings = with_saved_knobs(session, settings)
        clock = read_clock(settings.now)
        name_installation(engine, settings, clock())
        yield Run(settings, engine, clock, day_of(settings), get_run_logger())
    except OperationalError as error:
        raise DatabaseError(explain_database_error(error)) from None
    except TELLABLE as error:
        # One that was made from another error has taken over some of its words.
        raise (error if error.__cause__ is None else OutreachError(describe(error))) from None
    except Exception as error:
        raise OutreachError(describe(error)) from None


def describe(error: Exception) -> str:
    """The kind of the error and where it was raised, without a word of its text."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    last = (ours or frames)[-1]
    where = f"{Path(last.filename).name}, line {last.lineno}"
    return f"{type(error).__name__} at {where}; the same command of `outreach`, run by hand, shows the whole error"


def name_by_day() -> str:
    """The name of the run in progress, such as `prepare 2026-11-22`: the day it works on, else the business's today."""
    try:
        return f"{flow_run.flow_name} {day_of(load_settings())}"
    except OutreachError:
        return cast(str, flow_run.flow_name)  # the run itself says what is wrong with them


def day_of(settings: Settings) -> date:
    """The day that the run in progress works on. Raises SettingsError for what is no day."""
    on = flow_run.parameters.get("on")
    # A deployment's parameters are still as they were typed when the run is named.
    return parse_day(str(on)[:10]) if on else today_of(settings, read_clock(settings.now)())


def sender_name() -> str:
    """A name for this process among senders; a run that Prefect starts twice must not take itself for its twin."""
    return f"prefect:{flow_run.id}:{os.urandom(4).hex()}"


def outcomes_of(report: object) -> dict[str, int]:
    """Every count of a report under its own name; the sum that was saved is money, not a count."""
    return {name: value for name, value in vars(report).items() if isinstance(value, int) and name != "saved"}


def as_many(number: int, word: str) -> str:
    """A number of things in words: `1 batch`, `2 batches`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}{'es' if word.endswith('ch') else 's'}"


def count_of(channels: Mapping[str, int]) -> list[str]:
    """How many of each channel in words, such as `214 letters`, the letters first."""
    return [as_many(channels[name], channel.word) for name, channel in CHANNELS.items() if channels.get(name)]


def announce_approved(batches: Iterable[Batch]) -> None:
    """Starts a delivery of batches that were approved, where a server listens; the next scheduled one finds them."""
    for batch in batches:
        announce_approval(PREFECT_API_URL.value() or "", batch)


def plan_next_run(run: Run, at: datetime) -> bool:
    """Whether this run's deployment will run again at `at`, or right away where that is over; plans it if need be."""
    # A stopped clock never gets there: each such run would plan the next.
    if deployment.id is None or run.settings.now:
        return False
    starts = max(at, system_clock()) + A_LITTLE_LATER
    with telling(run), get_client(sync_client=True) as client:
        # One that is planned already will do as well, be it of the schedule or of another run.
        if not client.read_flow_runs(flow_run_filter=_waiting(at, starts + A_LITTLE_LATER), limit=1):
            client.create_flow_run_from_deployment(UUID(deployment.id), state=Scheduled(scheduled_time=starts))
        return True
    return False


def _waiting(after: datetime | None = None, before: datetime | None = None) -> FlowRunFilter:
    """Runs of this run's deployment that have not begun, and are to begin between two instants."""
    begins = FlowRunFilterExpectedStartTime(after_=after, before_=before)
    return FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[UUID(deployment.id)]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        expected_start_time=begins if after or before else None,
    )


def next_run_at(run: Run) -> datetime | None:
    """When the deployment of this run is to run next, as far as its server knows."""
    if deployment.id is None:
        return None
    with telling(run), get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=_waiting(), sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=1)
        return runs[0].expected_start_time if runs else None
    return None


@contextmanager
def telling(run: Run) -> Iterator[None]:
    """What is only told to Prefect, or asked of it: a run whose work is done must not fail for that."""
    try:
        yield
    except Exception as error:
        run.log.warning("Prefect did not take it: %s", type(error).__name__)


def finish(run: Run, result: T, message: str, size: str, state: str = "Completed") -> T:
    """Ends the run named for its day and `size`, in a state of that name with `message`.

    Prefect unwraps the state, so whoever called the flow gets `result`. Where something is to be mended there is none,
    and the state is a failed one: what waits for a person must not be green.
    """
    with telling(run), get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.id), name=f"{flow_run.flow_name} {run.day} · {size}")
    if state == TO_MEND:
        return cast(T, Failed(name=state, message=message))
    ended: Any = Completed(name=state, message=message, data=result)
    return cast(T, ended)
