"""Writes those planned messages of a day that no other process writes. Opens no batch, sends nothing.

Any number of runs may compose one day at once; a run that is killed leaves what it had not written to the others.
"""

from collections import Counter

from flows.artifacts import as_page, as_table, publish
from flows.parameters import On
from flows.runs import TO_MEND, count_of, finish, flow, name_by_day, open_run
from outreach.composing.reports import ComposeReport
from outreach.composing.run import compose_planned


@flow(name="compose", flow_run_name=name_by_day, persist_result=False, retries=0)
def compose(on: On = None) -> ComposeReport:
    """Join in writing what is planned for a day, and end when all of it is written."""
    with open_run() as run:
        report = compose_planned(run.engine, run.settings, run.day, run.clock())
        publish(run, as_page(f"Composed for {run.day}", {"Written by this run": table_of(report)}))
        state = TO_MEND if report.to_mend else "Completed"
        return finish(run, report, say(report), size_of(report), state)


def size_of(report: ComposeReport) -> str:
    """How much this run wrote, for its name."""
    channels: Counter[str] = Counter()
    for (_, channel), number in report.composed.items():
        channels[channel] += number
    return " · ".join(count_of(channels)) or "nothing to write"


def table_of(report: ComposeReport) -> str:
    keys = sorted(report.composed.keys() | report.withdrawn.keys() | report.waiting.keys())
    rows = [(*key, report.composed[key], report.withdrawn[key], report.waiting[key]) for key in keys]
    return as_table(["moment", "channel", "composed", "withdrawn", "waiting"], rows)


def say(report: ComposeReport) -> str:
    """What this run did, in counts; `outreach prepare` says in words what must be mended."""
    waiting = "waiting for what must be mended (outreach prepare lists it)"
    counts = {"composed": report.composed, "withdrawn": report.withdrawn, waiting: report.waiting}
    counts_told = ", ".join(f"{number.total()} {what}" for what, number in counts.items() if number)
    return counts_told or "Nothing to do: nothing planned for this day is left to write"


if __name__ == "__main__":
    compose()
