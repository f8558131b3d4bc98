"""Counts messages by moment, channel and status, and lists the batches that wait. Reads only."""

from flows.artifacts import as_batches, desk_of, link_to, publish
from flows.runs import as_many, finish, flow, name_by_day, open_run
from outreach.approval.batches import list_batches
from outreach.database import reading
from outreach.learning.counts import StatusReport, count_messages
from outreach.learning.reports import write_report


@flow(name="report", flow_run_name=name_by_day, persist_result=False)
def report() -> StatusReport:
    """Count every message and list the batches that wait for a person."""
    with open_run() as run:
        with reading(run.engine) as session:
            counts, waiting = count_messages(session), list_batches(session)
        desk = desk_of(run.settings)
        listed = f"{as_batches(desk, waiting)}\n{link_to(desk, '', 'The desk') if desk else ''}"
        publish(run, f"{write_report(counts, run.day)}\n## Waiting for a person\n\n{listed}")
        total, batches = as_many(counts.messages.total(), "message"), as_many(len(waiting), "batch")
        return finish(run, counts, f"{total}; {batches} waiting for a person", f"{total} · {batches} waiting")


if __name__ == "__main__":
    report()
