"""Delivers, and holds the run against what a dry run has said of it just before."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from outreach.clock import stopped_clock
from outreach.delivery.due import DueReport
from outreach.delivery.expected_stops import foresee_delivery
from outreach.delivery.reports import DeliverReport
from outreach.delivery.sender import deliver_due
from outreach.settings import Settings

STOPPED = ("suppressed", "blocked", "withdrawn", "changed", "expired", "uncertain", "again", "left")


def deliver_as_foreseen(engine: Engine, settings: Settings, at: datetime, **more: Any) -> DeliverReport:
    """The report of a run that did what its dry run had said, message for message in the counts."""
    clock = stopped_clock(at)
    due = foresee_delivery(engine, settings, clock, **more)
    report = deliver_due(engine, settings, clock, "sender", **more)
    foreseen = counts_foreseen(due)
    foreseen.pop("held", None)  # a run leaves them as they are, and counts them nowhere
    assert foreseen == counts_of(report)
    return report


def counts_foreseen(due: DueReport) -> Counter[str]:
    return +(Counter(sent=due.leaving, out_of_hours=due.waits.out_of_hours, over_cap=due.waits.over_cap) + due.stops)


def counts_of(report: DeliverReport) -> Counter[str]:
    waits = Counter(sent=report.sent.total(), out_of_hours=report.out_of_hours, over_cap=report.over_cap)
    return +(waits + Counter({name: getattr(report, name) for name in STOPPED}))
