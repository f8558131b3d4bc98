"""The database in; counts by moment, channel and status out. Reads only."""

from flows.runs import as_table, finish, flow, name_by_day, open_run, publish
from outreach.approval.batches import list_batches
from outreach.database import reading
from outreach.learning import StatusReport, count_messages, write_report


@flow(name="report", flow_run_name=name_by_day, persist_result=False)
def report() -> StatusReport:
    """Count every message and list the batches that wait for a person."""
    with open_run() as run:
        with reading(run.engine) as session:
            counts, waiting = count_messages(session), list_batches(session)
        batches = [(b.batch_id, b.kind, b.channel, b.count, b.why_waiting) for b in waiting]
        listed = as_table(["batch", "moment", "channel", "messages", "why"], batches)
        publish(f"{write_report(counts, run.today())}\n## Waiting for a person\n\n{listed}")
        return finish(f"{counts.messages.total()} messages; {len(waiting)} batches wait for a person", counts)


if __name__ == "__main__":
    report()
