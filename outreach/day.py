"""A day's work in its order: prepare (plan, compose, open batches), then deliver. Flows and commands call it.

It holds no rule of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine

from outreach.approval import open_batches
from outreach.clock import Clock
from outreach.composing import ComposeReport, compose_planned
from outreach.composing.run import CallHelp
from outreach.delivery import DeliverReport, deliver_due
from outreach.delivery.shards import count_shards
from outreach.models import Batch
from outreach.planning import PlanReport, plan_day
from outreach.settings import Settings

Tell = Callable[[str], None]


def nobody(_shards: int) -> None:
    """Calls nobody: this process does all of it alone."""


@dataclass(frozen=True)
class Prepared:
    on: date
    plan: PlanReport
    compose: ComposeReport
    batches: list[Batch]

    @property
    def is_nothing_new(self) -> bool:
        return not self.plan.decisions and not self.batches


def prepare_day(
    engine: Engine, settings: Settings, on: date, clock: Clock, tell: Tell, call_help: CallHelp = nobody
) -> Prepared:
    """Decides on each moment of `on`, writes what is to be sent and opens the batches; a second run changes nothing.

    `call_help` hears how many shards there are to write.
    """
    plan = plan_day(engine, settings, on, clock(), tell)
    compose = compose_planned(engine, settings, on, clock(), tell, call_help=call_help)
    return Prepared(on, plan, compose, open_batches(engine, settings, on, clock()))


def deliver_day(
    engine: Engine, settings: Settings, clock: Clock, owner: str, tell: Tell, call_help: CallHelp = nobody
) -> DeliverReport:
    """Sends what is approved and due, each once. `owner` names this sender among those that run at the same time.

    `call_help` hears, before the first leaves, how many shards what is due would fill.
    """
    call_help(count_shards(engine, settings, clock))
    return deliver_due(engine, settings, clock, owner, tell)
