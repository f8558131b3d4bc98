"""A day in; those of its planned messages that no other process writes, written, out. Opens no batch, sends nothing.

Any number of runs may compose one day at once; a run that is killed leaves what it had not written to the others.
"""

from datetime import date

from flows.runs import as_page, as_table, finish, flow, name_by_day, open_run, publish
from outreach.composing import ComposeReport, compose_planned


@flow(name="compose", flow_run_name=name_by_day, persist_result=False)
def compose(on: date | None = None) -> ComposeReport:
    """Join in writing what is planned for a day, and end when all of it is written. No date means today."""
    with open_run() as run:
        day = on or run.today()
        # A line for each chunk would bury the run's log, and what must be mended may be told in a template's words.
        report = compose_planned(run.engine, run.settings, day, run.clock(), run.log.debug)
        publish(as_page(f"Composed for {day}", {"Written by this run": table_of(report)}))
        return finish(say(report), report)


def table_of(report: ComposeReport) -> str:
    keys = sorted(report.composed.keys() | report.withdrawn.keys() | report.waiting.keys())
    rows = [(*key, report.composed[key], report.withdrawn[key], report.waiting[key]) for key in keys]
    return as_table(["moment", "channel", "composed", "withdrawn", "waiting"], rows)


def say(report: ComposeReport) -> str:
    """What this run did, in counts; `outreach prepare` says in words what must be mended."""
    waiting = "waiting for what must be mended (outreach prepare lists it)"
    counts = {"composed": report.composed, "withdrawn": report.withdrawn, waiting: report.waiting}
    said = ", ".join(f"{number.total()} {what}" for what, number in counts.items() if number)
    return said or "Nothing to do: nothing planned for this day is left to write"


if __name__ == "__main__":
    compose()
