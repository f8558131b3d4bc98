"""Hands approved messages that are due over to their providers.

Prefect never retries it: whether a message may be handed over again is for the outbox alone to say.
"""

from flows.artifacts import ProgressBar, as_page, as_table, publish
from flows.parameters import DryRun, Sending
from flows.runs import (
    Run,
    finish,
    flow,
    name_by_day,
    next_run_at,
    open_run,
    outcomes_of,
    plan_next_run,
    sender_name,
)
from flows.shard_runs import spreading
from outreach.database import reading
from outreach.day import deliver_day
from outreach.delivery.due import DueReport, count_due
from outreach.delivery.expected_stops import foresee_delivery
from outreach.delivery.reports import DeliverReport
from outreach.learning.sender_counts import count_handovers

# What these count is still there for another run, or had left before this one.
NOT_ENDED = {"waiting", "undoable", "out_of_hours", "paused", "over_cap", "left", "again", "before"}


# Nothing is persisted: Prefect's results would be files that everybody on the machine may read.
@flow(name="deliver", flow_run_name=name_by_day, persist_result=False, retries=0)
def deliver(dry_run: DryRun = False, limit: Sending = None) -> DeliverReport | DueReport:
    """Send what is approved and due, each message once."""
    with open_run() as run:
        if dry_run:
            return finish_dry(run, foresee_delivery(run.engine, run.settings, run.clock, limit))
        due = count_due(run.engine, run.settings, run.clock, limit)
        owner, handed = sender_name(), Handed(run, due.leaving)
        # What rooms say in words may name what it is about, and Prefect keeps its logs: it gets the counts below.
        with spreading("deliver", run.log.info) as call_help:
            report = deliver_day(
                run.engine, run.settings, run.clock, owner, lambda _: None, limit, handed.hear, call_help
            )
        publish_counts(run, report, owner)
        state = "AwaitingRetry" if report.again else "Completed"
        parts = [*say(run, report), *say_next(run, due, report)]
        message = ", ".join(parts) or "Nothing to do: nothing that is approved is due"
        return finish(run, report, message, size_of(report), state)


class Handed:
    """Hears where the sender stands, and shows how many hand-overs were answered while nothing is under way."""

    def __init__(self, run: Run, of: int) -> None:
        self.of, self.answered, self.progress = of, 0, ProgressBar(run, "messages handed over")

    def hear(self, point: str) -> None:
        self.answered += point == "answered"
        if point == "settled":
            self.progress(self.answered, self.of)


def finish_dry(run: Run, due: DueReport) -> DueReport:
    rows = [(*key, number) for key, number in sorted(due.due.items())]
    stopped = [(name.replace("_", " "), number) for name, number in sorted(due.stops.items())]
    sections = {"A dry run": as_table(["moment", "channel", "number"], rows)}
    if stopped:
        sections["Would not leave"] = as_table(["outcome", "number"], stopped)
    publish(run, as_page(f"Due on {due.on}", sections))
    message = f"A dry run, nothing has left: {due.due.total()} are due, {due.leaving} would be handed over"
    not_leaving = "".join(f", {number} {name}" for name, number in stopped)
    return finish(run, due, message + not_leaving, f"dry run · {due.leaving} due")


def publish_counts(run: Run, report: DeliverReport, owner: str) -> None:
    with reading(run.engine) as session:
        handed = count_handovers(session, owner)
    rows = [(name.replace("_", " "), number) for name, number in outcomes_of(report).items() if number]
    sections = {
        "Sent": as_table(["channel", "number"], sorted(report.sent.items())),
        "Handed over": as_table(
            ["moment", "channel", "answer", "number"], [(*key, number) for key, number in sorted(handed.items())]
        ),
        "Outcomes": as_table(["outcome", "number"], rows),
    }
    publish(run, as_page(f"Delivered on {report.on}", sections))


def say(run: Run, report: DeliverReport) -> list[str]:
    """What was done, and what stays for another run."""
    closed = {name: number for name, number in outcomes_of(report).items() if number and name not in NOT_ENDED}
    parts = [f"{report.sent.total()} sent"] if report.sent.total() or closed or report.again else []
    parts += [f"{number} {name.replace('_', ' ')}" for name, number in closed.items()]
    if report.again:
        parts.append(say_again(run, report))
    if report.left:
        parts.append(f"{report.left} over the limit of this run, for the next")
    rest = ((report.paused, "paused"), (report.over_cap, "over the cap"))
    return parts + [f"{number} {words}" for number, words in rest if number]


def say_next(run: Run, due: DueReport, report: DeliverReport) -> list[str]:
    """Plans the runs that nothing else is sure to start, and says so: a run that meets another may be cancelled."""
    parts = []
    if late := count_late(run, due, report):
        by = "the run planned for that" if plan_next_run(run, run.clock()) else "the next run"
        parts.append(f"{late} became due meanwhile: {by} sends them")
    if report.next_at:
        by = "the run planned for then" if plan_next_run(run, report.next_at) else "the next run after that"
        parts.append(
            f"{report.undoable} can still be undone, the first until {run.when(report.next_at)}: {by} sends them"
        )
    if report.hours_at:
        by = "the run planned for then" if plan_next_run(run, report.hours_at) else "the next run after that"
        parts.append(
            f"{report.out_of_hours} wait for hours in which they may arrive, the first until "
            f"{run.when(report.hours_at)}: {by} sends them"
        )
    return parts


def count_late(run: Run, due: DueReport, report: DeliverReport) -> int:
    """How many became due while this run was under way, too late for it.

    None where a provider is in trouble, or where nothing moved: then it is for the schedule to try again.
    """
    if report.again or report.resting or report.left or (due.leaving and not report.sent):
        return 0
    return count_due(run.engine, run.settings, run.clock).leaving


def say_again(run: Run, report: DeliverReport) -> str:
    """Who did not take how many, and when our sender tries again: Prefect never does."""
    by = [
        f"{name} did not take {number}" + (" and rests until then" if name in report.resting else "")
        for name, number in sorted(report.retrying.items())
    ]
    at = next_run_at(run)
    when = f"the run at {run.when(at)}" if at else "the next run"
    return f"{report.again} go again by {when}" + (f" ({'; '.join(by)})" if by else "")


def size_of(report: DeliverReport) -> str:
    """How much it was, for the name of the run."""
    again = [f"{report.again} again"] if report.again else []
    return " · ".join([f"{report.sent.total()} sent", *again]) if report.sent.total() or again else "nothing sent"


if __name__ == "__main__":
    deliver()
