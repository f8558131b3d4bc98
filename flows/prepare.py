"""Prepares a day: decides, writes messages and opens batches. Sends nothing, and a second run changes nothing."""

from collections import Counter

from flows.artifacts import ProgressBar, as_batches, as_page, as_pictures, as_table, desk_of, publish
from flows.parameters import DryRun, Moments, On, Writing
from flows.runs import TO_MEND, Run, announce_approved, as_many, count_of, finish, flow, name_by_day, open_run
from flows.shard_runs import spreading
from outreach.approval.batches import first_references
from outreach.channels import LETTER
from outreach.database import reading
from outreach.day import Prepared, prepare_day
from outreach.learning.counts import count_messages

PICTURES = 3


@flow(name="prepare", flow_run_name=name_by_day, persist_result=False)
def prepare(on: On = None, moments: Moments = [], dry_run: DryRun = False, limit: Writing = None) -> Prepared:  # noqa: B006
    """Find the day's moments, decide on each, write the messages and open the batches. Nothing is sent."""
    with open_run() as run:
        progress = ProgressBar(run, "messages gone through")
        # What rooms say in words may name what it is about, and Prefect keeps its logs: it gets the counts below.
        with spreading("compose", run.log.info, on=run.day.isoformat()) as call_help:
            prepared = prepare_day(
                run.engine,
                run.settings,
                run.day,
                run.clock,
                lambda _: None,
                moments,
                dry_run,
                limit,
                progress,
                call_help,
            )
        # After the commit of the last of them: whoever hears of it must find the batch approved.
        announce_approved(prepared.approved)
        publish(run, as_page(f"Prepared for {prepared.on}", sections_of(run, prepared)))
        state = TO_MEND if prepared.compose.to_mend else "Completed"
        return finish(run, prepared, say(prepared), size_of(prepared), state)


def sections_of(run: Run, prepared: Prepared) -> dict[str, str]:
    planned = [(*key, number) for key, number in sorted(prepared.plan.messages.items())]
    decided = [(*key, number) for key, number in sorted(prepared.plan.decisions.items())]
    sections = {
        "Messages planned": as_table(["moment", "channel", "number"], planned),
        "Decisions": as_table(["moment", "decision", "rule", "number"], decided),
    }
    if prepared.dry_run:
        return {"A dry run": "Nothing of this was kept.\n", **sections}
    desk, letters = desk_of(run.settings), [batch for batch in prepared.batches if batch.channel == LETTER.name]
    with reading(run.engine) as session:
        funnel = count_messages(session).funnel
        shown = {batch.batch_id: first_references(session, batch.batch_id, PICTURES) for batch in letters}
    return sections | {
        "Batches": as_batches(desk, prepared.batches),
        "First letters": as_pictures(desk, shown),
        "All days together": as_table(["reached", "number"], funnel.items()),
    }


def say(prepared: Prepared) -> str:
    decided = as_many(prepared.plan.decisions.total(), "decision")
    planned = as_many(prepared.plan.messages.total(), "message")
    if prepared.dry_run:
        return f"A dry run, nothing was kept: {decided}, {planned}"
    if prepared.is_nothing_new and not prepared.compose.waiting:
        return "Nothing to do: " + ("already done" if prepared.plan.already_decided else "nobody has a moment this day")
    waiting = sum(batch.status == "waiting" for batch in prepared.batches)
    parts = [
        f"{decided}, {planned} planned",
        f"{as_many(len(prepared.batches), 'batch')} opened, of which {waiting} wait for a person",
    ]
    if prepared.compose.left:
        parts.append(f"{as_many(prepared.compose.left, 'message')} over the limit of this run, for a later one")
    if prepared.compose.to_mend:
        held = as_many(prepared.compose.waiting.total(), "message")
        faults = as_many(len(prepared.compose.to_mend), "fault")
        parts.append(f"{held} held up by {faults} to mend: `outreach prepare`, run by hand, lists them")
    return "; ".join(parts)


def size_of(prepared: Prepared) -> str:
    """How much it was, for the name of the run."""
    if prepared.is_nothing_new and not prepared.compose.waiting:
        return "already done" if prepared.plan.already_decided else "nothing to do"
    channels: Counter[str] = Counter()
    if prepared.dry_run:
        for (_, channel), number in prepared.plan.messages.items():
            channels[channel] += number
        return " · ".join(["dry run", *(count_of(channels) or ["no messages"])])
    for batch in prepared.batches:
        channels[batch.channel] += batch.count
    return " · ".join([as_many(len(prepared.batches), "batch"), *count_of(channels)])


if __name__ == "__main__":
    prepare()
