"""A day in; decisions, written messages and open batches out. Sends nothing, and a second run changes nothing."""

from datetime import date

from flows.runs import as_page, as_table, finish, flow, name_by_day, open_run, publish
from flows.spreading import spreading
from outreach.day import Prepared, prepare_day


@flow(name="prepare", flow_run_name=name_by_day, persist_result=False)
def prepare(on: date | None = None) -> Prepared:
    """Find the day's moments, decide on each, write the messages and open the batches. No date means today."""
    with open_run() as run:
        day = on or run.today()
        with spreading("compose", run.log.info, on=day.isoformat()) as call_help:
            prepared = prepare_day(run.engine, run.settings, day, run.clock, run.tell, call_help)
        publish(as_page(f"Prepared for {prepared.on}", sections_of(prepared)))
        return finish(say(prepared), prepared)


def sections_of(prepared: Prepared) -> dict[str, str]:
    planned = [(*key, number) for key, number in sorted(prepared.plan.messages.items())]
    decided = [(*key, number) for key, number in sorted(prepared.plan.decisions.items())]
    batches = [(b.batch_id, b.kind, b.channel, b.count, b.status, b.why_waiting) for b in prepared.batches]
    return {
        "Messages planned": as_table(["moment", "channel", "number"], planned),
        "Decisions": as_table(["moment", "decision", "rule", "number"], decided),
        "Batches": as_table(["batch", "moment", "channel", "messages", "status", "why it waits"], batches),
    }


def say(prepared: Prepared) -> str:
    if prepared.is_nothing_new:
        return "Nothing to do: this day was prepared already, or has no moments"
    waiting = sum(batch.status == "waiting" for batch in prepared.batches)
    return (
        f"{sum(prepared.plan.decisions.values())} decisions, {sum(prepared.plan.messages.values())} messages planned, "
        f"{len(prepared.batches)} batches opened, of which {waiting} wait for a person"
    )


if __name__ == "__main__":
    prepare()
