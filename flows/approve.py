"""Approves or rejects a batch as somebody decides on a form in Prefect's UI, as the command line does.

The name on the form proves nobody's identity, and the audit marks it so.
"""

from flows.artifacts import as_batches, as_page, desk_of, publish
from flows.parameters import BatchId, By, Choice, Reason
from flows.runs import Run, announce_approved, count_of, finish, flow, name_by_day, open_run
from outreach.approval.approving import approve_batch
from outreach.approval.rejections import reject
from outreach.errors import NotWaiting
from outreach.models import Batch

ON_THE_FORM = "prefect form"


@flow(name="approve", flow_run_name=name_by_day, persist_result=False, retries=0)
def approve(batch_id: BatchId, by: By, decision: Choice = "approve", reason: Reason = "") -> str:
    """Approve a batch that waits, or reject it. What is approved leaves at once; the desk gives time to undo it."""
    with open_run() as run:
        try:
            # What is copied into a form often has a space behind it.
            batch = decide(run, batch_id.strip(), by.strip(), decision, reason)
        except NotWaiting as settled:
            return finish(run, "not waiting", str(settled), "not waiting any more")
        decided = as_batches(desk_of(run.settings), [batch])
        publish(run, as_page(f"Batch {batch.batch_id}", {"Decided": decided}))
        if batch.status == "approved":
            announce_approved([batch])
            size = f"{batch.kind} · {' '.join(count_of({batch.channel: batch.count}))} approved"
            return finish(run, batch.status, f"{batch.count} approved; they leave with the next delivery", size)
        is_whole = batch.status == "rejected"
        outcome = "nothing of it is sent" if is_whole else f"one message was rejected, {batch.count} still wait"
        message = f"{batch.batch_id}: {outcome}"
        return finish(run, batch.status, message, f"{batch.kind} · rejected", "Rejected" if is_whole else "Completed")


def decide(run: Run, batch_id: str, by: str, decision: Choice, reason: str) -> Batch:
    if decision == "approve":
        return approve_batch(run.engine, run.settings, batch_id, by, run.clock(), ON_THE_FORM)
    return reject(run.engine, batch_id, by, reason, run.clock(), ON_THE_FORM)
