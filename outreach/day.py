"""A day's work in its order: prepare (plan, compose, open batches), then deliver. Flows and commands call it.

It holds no rule of its own.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine

from outreach.approval.open_batches import open_batches
from outreach.channels import CHANNELS
from outreach.clock import Clock
from outreach.composing.reports import ComposeReport
from outreach.composing.run import CallHelp, Progress, compose_planned
from outreach.delivery.reports import DeliverReport
from outreach.delivery.sender import deliver_due
from outreach.delivery.shards import count_shards
from outreach.models import Batch
from outreach.moments import MOMENTS
from outreach.planning.run import PlanReport, plan_day
from outreach.settings import Settings

Tell = Callable[[str], None]


def nobody(_shards: int) -> None:
    """Calls nobody: this process does all of it alone."""


@dataclass(frozen=True)
class Prepared:
    """What a run prepared; after a dry run only `plan` says anything, and none of it was kept."""

    on: date
    plan: PlanReport
    compose: ComposeReport
    batches: list[Batch]
    dry_run: bool = False

    @property
    def is_nothing_new(self) -> bool:
        return not self.plan.decisions and not self.batches

    @property
    def approved(self) -> list[Batch]:
        """The new batches that their moment's rule has let go."""
        return [batch for batch in self.batches if batch.status == "approved"]


def prepare_day(
    engine: Engine,
    settings: Settings,
    on: date,
    clock: Clock,
    tell: Tell,
    kinds: Collection[str] = (),
    dry_run: bool = False,
    limit: int | None = None,
    progress: Progress = lambda _done, _of: None,
    call_help: CallHelp = nobody,
) -> Prepared:
    """Decides on each moment of `on`, writes what is to be sent and opens the batches; a second run changes nothing.

    With `kinds` only these moments are planned. At most `limit` messages are written; a later run goes on.
    `call_help` hears how many shards there are to write.
    """
    plan = plan_day(engine, settings, on, clock(), tell, kinds, dry_run)
    if dry_run:
        return Prepared(on, plan, ComposeReport(), [], dry_run=True)
    compose = compose_planned(engine, settings, on, clock(), tell, limit, progress, call_help)
    # Whoever could not be written to by one channel is by the next: each turn takes one away.
    # Under a limit a later run goes on with it.
    turns = len(CHANNELS) if limit is None else 0
    while compose.due_again and turns:
        turns -= 1
        again = plan_day(engine, settings, on, clock(), tell, compose.due_again & set(kinds or MOMENTS))
        plan, compose = plan + again, compose + compose_planned(engine, settings, on, clock(), tell)
    return Prepared(on, plan, compose, open_batches(engine, settings, on, clock()))


def deliver_day(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    owner: str,
    tell: Tell,
    limit: int | None = None,
    at_point: Tell = lambda _: None,
    call_help: CallHelp = nobody,
) -> DeliverReport:
    """Sends what is approved and due, each once. `owner` names this sender among those that run at the same time.

    `call_help` hears, before the first leaves, how many shards what is due would fill, unless there is a limit.
    """
    if limit is None:
        call_help(count_shards(engine, settings, clock))
    return deliver_due(engine, settings, clock, owner, tell, at_point=at_point, limit=limit)
